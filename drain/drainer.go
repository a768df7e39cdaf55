package drain

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// State is where a process is in its life. It only ever grows.
type State int

const (
	Starting State = iota
	Ready          // serves
	LameDuck       // serves, and says that it will leave
	Draining       // takes nothing new; what is in flight finishes
	Stopped
)

func (s State) String() string {
	switch s {
	case Starting:
		return "starting"
	case Ready:
		return "ready"
	case LameDuck:
		return "lame duck"
	case Draining:
		return "draining"
	case Stopped:
		return "stopped"
	}
	return fmt.Sprintf("State(%d)", int(s))
}

// Phase is one step of a drain. Phases run one after the other: stop what comes in, finish what is under way, close what
// it needed.
type Phase struct {
	// Name is for logs and errors.
	Name string
	// Deadline bounds this phase; 0 leaves it all that the drain has left.
	Deadline time.Duration
	// Stop returns when the phase is done. Its context ends with the deadline; what is still open then must be cut before it
	// returns. Its error does not keep the later phases from running.
	Stop func(ctx context.Context) error
}

// Config says how a process leaves. Its zero value suits a web service behind a balancer.
type Config struct {
	// LameDuck is how long the process serves on after it was told to stop: for as long as balancers take to notice. 0 is
	// half a second; there must be a reason for none at all, so that none is written 1ns.
	LameDuck time.Duration
	// Deadline bounds the whole drain, the lame duck included; 0 is 30 seconds. systemd kills after TimeoutStopSec (90
	// seconds, systemd.service(5)), OpenRC's start-stop-daemon after 5 unless its retry says otherwise.
	Deadline time.Duration
	// Phases run in this order, after those of the services that Main is given.
	Phases []Phase
	// Log gets one record for each change of state; nil discards them.
	Log *slog.Logger
}

func (c *Config) validate() error {
	var errs []error
	if c.LameDuck < 0 {
		errs = append(errs, fmt.Errorf("drain: LameDuck is %s: a duration cannot be negative", c.LameDuck))
	}
	if c.Deadline < 0 {
		errs = append(errs, fmt.Errorf("drain: Deadline is %s: a duration cannot be negative", c.Deadline))
	}
	for i, p := range c.Phases {
		if p.Stop == nil {
			errs = append(errs, fmt.Errorf("drain: phase %d (%q) has no Stop", i, p.Name))
		}
		if p.Deadline < 0 {
			errs = append(errs, fmt.Errorf("drain: the Deadline of phase %d (%q) is %s: a duration cannot be negative", i, p.Name, p.Deadline))
		}
	}
	return errors.Join(errs...)
}

// Drainer is the lifecycle of a process. Its methods are safe for concurrent use.
type Drainer struct {
	cfg      Config
	draining chan struct{} // closed when the drain begins
	stopped  chan struct{} // closed when it has ended
	cut      context.CancelFunc
	cutting  context.Context

	mu    sync.Mutex
	state State
	work  sync.WaitGroup // of Go
	open  int            // of Go, what runs
	left  int            // of Go, what was cut
	err   error          // of the drain, once stopped is closed
}

// New makes a Drainer in state Starting. The error names every field of cfg that is wrong.
func New(cfg Config) (*Drainer, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	if cfg.LameDuck == 0 {
		cfg.LameDuck = 500 * time.Millisecond
	}
	if cfg.Deadline == 0 {
		cfg.Deadline = 30 * time.Second
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	d := &Drainer{cfg: cfg, draining: make(chan struct{}), stopped: make(chan struct{})}
	d.cutting, d.cut = context.WithCancel(context.Background())
	return d, nil
}

// State is where the process is now.
func (d *Drainer) State() State {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.state
}

// Ready says that the process serves. It does nothing once the process has been told to stop.
func (d *Drainer) Ready() { d.advance(Ready) }

// Draining is closed when the process is told to stop: at the beginning of the lame duck.
func (d *Drainer) Draining() <-chan struct{} { return d.draining }

// Go runs work that the drain waits for, after the last phase. Its context ends when the drain is cut. It reports whether the
// work was started: not once the process has stopped taking any (state Draining).
func (d *Drainer) Go(work func(ctx context.Context)) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.state >= Draining {
		return false
	}
	d.open++
	d.work.Go(func() {
		defer d.finished()
		work(d.cutting)
	})
	return true
}

// Drain takes the process out of service and returns when it has stopped: nil when everything finished, else the errors of the
// phases and of what was cut, joined. Further calls wait for the same drain and return the same. When ctx ends, or the
// deadline comes, what is left is cut: the contexts of the phase that runs, of the later ones, and of Go's work end at once.
func (d *Drainer) Drain(ctx context.Context) error {
	stop := context.AfterFunc(ctx, d.cutWork)
	defer stop()
	if d.advance(LameDuck) {
		close(d.draining)
		d.err = d.drain()
		d.advance(Stopped)
		d.cutWork() // which has ended: nobody else needs its context
		close(d.stopped)
	}
	<-d.stopped
	return d.err
}

func (d *Drainer) drain() error {
	ctx, cancel := context.WithTimeout(d.cutting, d.cfg.Deadline)
	defer cancel()
	defer context.AfterFunc(ctx, d.cutWork)() // with the rest
	wait(ctx, d.cfg.LameDuck)
	d.advance(Draining)
	var errs []error
	for _, p := range d.cfg.Phases {
		if err := d.run(ctx, p); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", p.Name, err))
		}
	}
	d.work.Wait() // at the deadline its context ends
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.left > 0 {
		errs = append(errs, fmt.Errorf("cut %d of what Go runs", d.left))
	}
	return errors.Join(errs...)
}

func (d *Drainer) finished() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open--
}

// cutWork ends the context of Go's work, and remembers how much of it there was.
func (d *Drainer) cutWork() {
	d.mu.Lock()
	if d.cutting.Err() == nil {
		d.left = d.open
	}
	d.cut()
	d.mu.Unlock()
}

func (d *Drainer) run(ctx context.Context, p Phase) error {
	if p.Deadline > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, p.Deadline)
		defer cancel()
	}
	return p.Stop(ctx)
}

// advance moves to a later state, and reports whether it was one.
func (d *Drainer) advance(to State) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if to <= d.state {
		return false
	}
	d.cfg.Log.Info("drain", "from", d.state.String(), "to", to.String())
	d.state = to
	return true
}

// wait waits, unless the context ends.
func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
