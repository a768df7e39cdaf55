package drain

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Drainer is the lifecycle of a process. Its methods are safe for concurrent use.
type Drainer struct {
	cfg       Config
	state     atomic.Int32
	leaving   context.Context // ended when the drain begins, with its cause
	leave     context.CancelCauseFunc
	cutting   context.Context // ended when what is left is cut
	cut       context.CancelFunc
	working   context.Context // of Go's work: ended with cutting, or by the deadline of its phase
	cutWork   context.CancelFunc
	stopped   chan struct{} // closed when it has ended
	balancers balancers

	telling sync.Mutex // held over a change of state and what observers are told of it

	mu        sync.Mutex
	owned     bool      // somebody drains
	began     time.Time // told to stop
	cause     error     // of that
	deadline  time.Time // of the drain
	phase     string    // that runs
	reporters []Reporter
	holds     []Hold
	observers []Observer
	work      map[*job]struct{} // of Go
	idle      chan struct{}     // not nil: somebody waits for work to be empty; closed then
	closed    bool              // Go takes nothing new
	left      int               // of Go, what was cut
	err       error             // of the drain, once stopped is closed
}

type job struct{ began time.Time }

// abandon is how long after its context has ended a phase, or work, may take to notice.
const abandon = time.Second

// New makes a Drainer in state Starting. The error names every field of cfg that is wrong. Beside is for Main alone.
func New(cfg Config) (*Drainer, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	cfg.fill()
	cfg.Phases = slices.Clone(cfg.Phases)
	if !slices.ContainsFunc(cfg.Phases, func(p Phase) bool { return p.Stop == nil }) {
		cfg.Phases = append(cfg.Phases, Phase{Name: "work"})
	}
	d := &Drainer{cfg: cfg, stopped: make(chan struct{}), work: map[*job]struct{}{}}
	d.balancers = balancers{count: cfg.Balancers, sources: map[string]*source{}, changed: make(chan struct{})}
	d.leaving, d.leave = context.WithCancelCause(context.Background())
	d.cutting, d.cut = context.WithCancel(context.Background())
	d.working, d.cutWork = context.WithCancel(context.Background())
	if cfg.Progress != nil {
		d.Observe(&line{w: cfg.Progress, hint: cfg.hint})
	}
	return d, nil
}

// State is where the process is now. It costs one atomic load.
func (d *Drainer) State() State { return State(d.state.Load()) }

// Ready says that the process serves. It does nothing once the process has been told to stop.
func (d *Drainer) Ready() { d.advance(Ready) }

// Draining is closed when the process is told to stop: at the beginning of the lame duck.
func (d *Drainer) Draining() <-chan struct{} { return d.leaving.Done() }

// Leaving is a context that ends when the process is told to stop, at the beginning of the lame duck. Its context.Cause is
// that of the drain. It is for loops that look for work, and for context.AfterFunc.
func (d *Drainer) Leaving() context.Context { return d.leaving }

// Cause is why the process leaves: what Begin was given. It is nil before, and when nobody said.
func (d *Drainer) Cause() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.cause
}

// Report adds something that knows what is open.
func (d *Drainer) Report(r Reporter) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.reporters = append(d.reporters, r)
}

// Hold adds something that the lame duck waits for. Holds are waited for in turn, after the balancers.
func (d *Drainer) Hold(h Hold) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.holds = append(d.holds, h)
}

// Observe adds somebody who is told of changes of state from now on.
func (d *Drainer) Observe(o Observer) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.observers = append(d.observers, o)
}

// Told records that source, a balancer, has been told the state. fall is how many answers that the process leaves it needs before it
// acts on them: 1 for HAProxy's agent-check, the fall of its health check (3 by default; HAProxy configuration manual 2.6, section 5.2).
// State must be the one that was answered, not the one of now. Sources are compared as strings: the address, without the port, and a
// name where two balancers share one.
func (d *Drainer) Told(source string, state State, fall int) {
	d.balancers.tell(source, state, fall, time.Now())
}

// Balancers is how many sources the process waits for when it leaves: what Config says, else those that ask regularly.
func (d *Drainer) Balancers() int { return d.balancers.size() }

// Progress is how far the process has come, and what is open.
func (d *Drainer) Progress() Progress {
	d.mu.Lock()
	p := Progress{State: d.State(), Cause: d.cause, Began: d.began, Deadline: d.deadline, Phase: d.phase}
	reporters := d.reporters
	work := Open{Kind: "task", Count: len(d.work)}
	for j := range d.work {
		if work.Oldest.IsZero() || j.began.Before(work.Oldest) {
			work.Oldest = j.began
		}
	}
	d.mu.Unlock()
	for _, r := range reporters {
		p.Open = append(p.Open, r.Open()...)
	}
	p.Open = slices.DeleteFunc(append(p.Open, work), func(o Open) bool { return o.Count == 0 })
	return p
}

// Go runs work that the drain waits for, in the Phase that has no Stop. Its context ends when the drain is cut. It reports
// whether the work was started: not once that phase has found none left.
func (d *Drainer) Go(work func(ctx context.Context)) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return false
	}
	j := &job{began: time.Now()}
	d.work[j] = struct{}{}
	go func() {
		defer d.finished(j) // Goexit and panics included
		work(d.working)
	}()
	return true
}

func (d *Drainer) finished(j *job) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.work, j)
	if len(d.work) == 0 && d.idle != nil {
		d.closed = true
		close(d.idle)
		d.idle = nil
	}
}

// Begin tells the process to stop, for a cause that may be nil, and returns at once: the process is a lame duck. It reports
// whether it was the first. Drain does the rest.
func (d *Drainer) Begin(cause error) bool {
	d.telling.Lock()
	defer d.telling.Unlock()
	if d.State() >= LameDuck {
		return false
	}
	now := time.Now()
	d.mu.Lock()
	d.began, d.phase, d.cause = now, LameDuck.String(), cause
	d.mu.Unlock()
	d.enter(LameDuck, slog.Any("cause", cause))
	d.balancers.leave(now)
	d.leave(cause)
	return true
}

// Drain tells the process to stop, if nobody has, and returns when nothing is left: nil when all of it finished, else what did
// not. Further calls wait for the same drain and return the same. When ctx ends, or the deadline comes, what is left is cut: the
// contexts of the phase that runs, of the later ones, and of Go's work end at once.
func (d *Drainer) Drain(ctx context.Context) error {
	d.Begin(nil)
	stop := context.AfterFunc(ctx, d.cutAll)
	defer stop()
	d.mu.Lock()
	first := !d.owned
	d.owned = true
	d.mu.Unlock()
	if first {
		d.err = d.drain()
		d.advance(Stopped)
		d.cutAll() // nothing is left: this ends contexts
		close(d.stopped)
	}
	<-d.stopped
	return d.err
}

func (d *Drainer) drain() error {
	ctx, cancel := context.WithTimeout(d.cutting, d.cfg.Deadline)
	defer cancel()
	defer context.AfterFunc(ctx, d.cutAll)()
	defer d.tick()()
	d.mu.Lock()
	d.deadline, _ = ctx.Deadline()
	d.mu.Unlock()

	d.lameDuck(ctx)
	d.enterPhase("")
	d.advance(Draining)
	var errs []error
	for _, p := range d.cfg.Phases {
		began := time.Now()
		err := d.run(ctx, p)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", p.Name, err))
			d.cfg.Log.Warn("drain: phase", "phase", p.Name, "took", time.Since(began), "err", err)
			continue
		}
		d.cfg.Log.Info("drain: phase", "phase", p.Name, "took", time.Since(began))
	}
	d.enterPhase("")
	return errors.Join(errs...)
}

// lameDuck returns when the process may close its doors.
func (d *Drainer) lameDuck(ctx context.Context) {
	d.mu.Lock()
	began, holds := d.began, d.holds
	d.mu.Unlock()
	ctx, cancel := context.WithDeadline(ctx, began.Add(d.cfg.LameDuckMax))
	defer cancel()
	wait(ctx, time.Until(began.Add(d.cfg.LameDuck)))
	for _, h := range append([]Hold{{"balancers", d.balancers.wait}}, holds...) {
		if err := bounded(ctx, h.Until); err != nil {
			d.cfg.Log.Warn("drain: hold", "hold", h.Name, "waited", time.Since(began), "err", err)
		} else {
			d.cfg.Log.Debug("drain: hold", "hold", h.Name, "waited", time.Since(began))
		}
	}
}

func (d *Drainer) run(ctx context.Context, p Phase) error {
	d.enterPhase(p.Name)
	if p.Deadline > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, p.Deadline)
		defer cancel()
	}
	if p.Stop == nil {
		return d.finishWork(ctx)
	}
	return bounded(ctx, p.Stop)
}

// bounded calls f, and leaves it behind if it does not return soon after its context has ended: one that hangs must not keep
// the rest from being finished in order.
func bounded(ctx context.Context, f func(context.Context) error) error {
	ended := make(chan error, 1)
	go func() { ended <- f(ctx) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-ended:
		return err
	case <-time.After(abandon):
		return fmt.Errorf("left behind: it has not returned %s after it was cut (%w)", abandon, context.Cause(ctx))
	}
}

// finishWork waits for what Go runs; then Go takes nothing more.
func (d *Drainer) finishWork(ctx context.Context) error {
	d.mu.Lock()
	idle := make(chan struct{})
	if len(d.work) == 0 {
		d.closed = true
		close(idle)
	} else {
		d.idle = idle
	}
	d.mu.Unlock()
	select {
	case <-idle:
	case <-ctx.Done():
		d.cutLeft()
		select {
		case <-idle:
		case <-time.After(abandon):
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.left == 0 {
		return nil
	}
	err := fmt.Errorf("cut %d of what Go runs", d.left)
	if len(d.work) > 0 {
		err = fmt.Errorf("%w; %d have not returned %s after that", err, len(d.work), abandon)
	}
	return err
}

// cutLeft ends the context of Go's work, and remembers how much of it there was.
func (d *Drainer) cutLeft() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.working.Err() == nil {
		d.left = len(d.work)
	}
	d.closed = true
	d.cutWork()
}

// cutAll cuts what is left, of all phases.
func (d *Drainer) cutAll() {
	d.cutLeft()
	d.cut()
}

func (d *Drainer) enterPhase(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.phase = name
}

// advance moves to a later state, if it is one.
func (d *Drainer) advance(to State) {
	d.telling.Lock()
	defer d.telling.Unlock()
	if to > d.State() {
		d.enter(to)
	}
}

// enter changes the state and says so. telling is held.
func (d *Drainer) enter(to State, attrs ...any) {
	from := State(d.state.Swap(int32(to)))
	d.cfg.Log.Info("drain", append([]any{"from", from.String(), "to", to.String()}, attrs...)...)
	d.tellObservers()
}

func (d *Drainer) tellObservers() {
	d.mu.Lock()
	observers := d.observers
	d.mu.Unlock()
	if len(observers) == 0 {
		return
	}
	p := d.Progress()
	for _, o := range observers {
		o.Observe(p)
	}
}

// tick tells the observers each second, and the log each ten, what is open, until the function that it returns is called.
func (d *Drainer) tick() (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		t := time.NewTicker(time.Second)
		defer t.Stop()
		for n := 1; ; n++ {
			select {
			case <-t.C:
			case <-done:
				return
			}
			d.telling.Lock()
			d.tellObservers()
			d.telling.Unlock()
			if n%10 == 0 {
				p := d.Progress()
				d.cfg.Log.Info("drain: waiting", "state", p.State.String(), "phase", p.Phase, "open", p.String())
			}
		}
	}()
	return func() {
		close(done)
		<-ended
	}
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
