package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"git.sr.ht/~sourcehut/ha-go/drain/worker/internal/fault"
)

// Handler does a job and returns its result. Its context ends when the job must: [context.Cause] is then [ErrCut], [ErrLost] or [ErrLimit]. An error
// means that the job failed, but for those that this package exports. A panic is a failure.
type Handler func(ctx context.Context, job *Job) (any, error)

// Outcome is what becomes of a job that runs at the deadline.
type Outcome int

const (
	// GiveBack tells the job to end; if it does so with an error, it goes back to the queue.
	GiveBack Outcome = iota
	// Leave tells the handler to end, and leaves the job to whoever runs it. It is not finished, given back or renewed by this worker.
	Leave
)

// Config says what a worker runs. Queue and either Handlers or Handler are needed.
type Config struct {
	Queue Queue
	// Handlers are by Job.Name.
	Handlers map[string]Handler
	// Handler is for names that are not in Handlers; nil rejects their jobs.
	Handler Handler
	// Capacity is how many jobs run at once; 0 means one for each CPU.
	Capacity int
	// Taken returns how many slots are taken by jobs that this worker does not run: those of another process, say. It is
	// asked before each poll, and every second while there is no slot. Adopted jobs count by themselves. nil means none.
	Taken func() int
	// Cut is asked about each job that runs at the deadline of Shutdown; nil gives all of them back.
	Cut func(job *Job) Outcome
	// Grace is how long after the deadline of Shutdown handlers have to return, and then, for as long again, the queue to
	// take their jobs back; 0 means 2 seconds.
	Grace time.Duration
	// Context is the one that the contexts of jobs and of the queue's calls are made from, for the values in it; nil means
	// context.Background(). Its end is no order to stop.
	Context context.Context
	// Log gets a record for each job that starts or ends and for what goes wrong; nil discards them.
	Log *slog.Logger
}

func (c *Config) validate() error {
	var errs []error
	if c.Queue == nil {
		errs = append(errs, errors.New("worker: Queue is nil: there is nothing to take jobs from"))
	}
	if c.Handler == nil && len(c.Handlers) == 0 {
		errs = append(errs, errors.New("worker: neither Handlers nor Handler is set: there is nothing to run"))
	}
	for name, h := range c.Handlers {
		if h == nil {
			errs = append(errs, fmt.Errorf("worker: the handler of %q is nil", name))
		}
	}
	if c.Capacity < 0 {
		errs = append(errs, fmt.Errorf("worker: Capacity is %d: it cannot be negative", c.Capacity))
	}
	if c.Grace < 0 {
		errs = append(errs, fmt.Errorf("worker: Grace is %s: a duration cannot be negative", c.Grace))
	}
	return errors.Join(errs...)
}

// Worker runs jobs. Its methods may be called concurrently.
type Worker struct {
	cfg Config
	log *slog.Logger

	base   context.Context // for jobs and the queue
	intake context.Context // of polls; it ends when the gate is shut
	shut   context.CancelFunc
	hard   context.Context // of what is told to the queue; it ends when the grace has
	end    context.CancelFunc

	mu      sync.Mutex
	gate    bool // shut: no job starts
	served  bool // Serve was called
	pulling bool // a poll is under way, or what it brought is being given back
	cutting bool // the deadline of Shutdown has come
	over    bool // Shutdown has given up on what still runs
	running map[*running]struct{}
	counts  Counts
	rest    time.Time // no job is taken before: handlers gave jobs back, and would be given the same again
	resting *backoff
	changed chan struct{} // closed and replaced when any of the above changes
}

// New makes a worker, which does nothing before Serve. The error names every field of cfg that is wrong.
func New(cfg Config) (*Worker, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	if cfg.Capacity == 0 {
		cfg.Capacity = runtime.GOMAXPROCS(0)
	}
	if cfg.Grace == 0 {
		cfg.Grace = 2 * time.Second
	}
	if cfg.Context == nil {
		cfg.Context = context.Background()
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	w := &Worker{cfg: cfg, log: cfg.Log, running: map[*running]struct{}{}, resting: newBackoff(), changed: make(chan struct{})}
	w.base = context.WithoutCancel(cfg.Context)
	w.intake, w.shut = context.WithCancel(w.base)
	w.hard, w.end = context.WithCancel(w.base)
	return w, nil
}

// Serve takes jobs and runs them until the worker is shut down, and returns nil when the last has ended. It is called once.
func (w *Worker) Serve() error {
	w.mu.Lock()
	again := w.served
	w.served, w.pulling = true, w.pulling || !again
	w.mu.Unlock()
	if again {
		return errors.New("worker: Serve was called before")
	}
	var renewing sync.WaitGroup
	if r, ok := w.cfg.Queue.(Renewer); ok {
		renewing.Go(func() { w.renew(r) })
	}
	w.pull()
	w.mu.Lock()
	w.pulling = false
	w.change()
	w.mu.Unlock()
	await[struct{}](w, func() bool { return w.idle() || w.over }, nil)
	w.end()
	renewing.Wait()
	return nil
}

// LameDuck shuts the gate: no job starts once it has returned; those that run then are all in Status. It does not wait for anything.
func (w *Worker) LameDuck() {
	w.mu.Lock()
	first := !w.gate
	w.gate = true
	w.change()
	w.mu.Unlock()
	if first {
		w.log.Info("takes no more jobs", "running", len(w.Status().Running))
		fault.At(w.base, fault.GateShut)
		w.shut()
	}
}

// Shutdown shuts the gate and returns when all jobs have ended: nil if they did by themselves. When ctx ends first, Config.Cut says what
// becomes of each that is left, within three times Config.Grace; the error then says how many there were, and joins what went wrong. Calling it
// again waits for the same end.
func (w *Worker) Shutdown(ctx context.Context) error {
	w.LameDuck()
	if await(w, w.idle, ctx.Done()) {
		return nil
	}
	w.mu.Lock()
	first := !w.cutting
	w.cutting = true
	w.mu.Unlock()
	if first {
		return w.cut()
	}
	await[struct{}](w, func() bool { return w.over }, nil)
	return nil
}

// idle tells whether nothing is under way. The caller holds mu.
func (w *Worker) idle() bool { return len(w.running) == 0 && !w.pulling }

// change tells those who await something. The caller holds mu.
func (w *Worker) change() {
	close(w.changed)
	w.changed = make(chan struct{})
}

// await returns true when the condition, which is asked with mu held, is; false when stop is closed first.
func await[T any](w *Worker, condition func() bool, stop <-chan T) bool {
	for {
		w.mu.Lock()
		ok, changed := condition(), w.changed
		w.mu.Unlock()
		if ok {
			return true
		}
		select {
		case <-changed:
		case <-stop:
			return false
		}
	}
}

// pull takes jobs and starts them until the gate is shut.
func (w *Worker) pull() {
	backoff := newBackoff()
	for w.slot() {
		job, err := w.cfg.Queue.Take(w.intake)
		switch {
		case job != nil:
			backoff.reset()
			fault.At(w.base, fault.Taken)
			w.arrived(job)
		case w.intake.Err() != nil:
			return
		default:
			pause := backoff.next()
			w.log.Warn("taking a job: trying again", "error", err, "in", pause)
			wait(w.intake, pause)
		}
	}
}

// slot waits for a free one, and for the rest after a job was given back, and returns false when the gate is shut.
func (w *Worker) slot() bool {
	again := time.NewTicker(time.Second)
	defer again.Stop()
	for {
		elsewhere := 0
		if w.cfg.Taken != nil {
			elsewhere = w.cfg.Taken()
		}
		w.mu.Lock()
		shut, free, changed, rest := w.gate, len(w.running)+elsewhere < w.cfg.Capacity, w.changed, time.Until(w.rest)
		w.mu.Unlock()
		if shut || free && rest <= 0 {
			return !shut
		}
		ask := again.C
		if rest > 0 {
			ask = time.After(rest)
		} else if elsewhere == 0 {
			ask = nil
		}
		select {
		case <-changed:
		case <-ask:
		}
	}
}

// arrived starts what a poll has brought, or gives it back when the gate was shut meanwhile.
func (w *Worker) arrived(job *Job) {
	if w.begin(job, w.handler(job.Name), false) {
		return
	}
	r := &running{job: job, log: w.logOf(job)}
	w.giveBack(r)
}

func (w *Worker) handler(name string) Handler {
	if h := w.cfg.Handlers[name]; h != nil {
		return h
	}
	if w.cfg.Handler != nil {
		return w.cfg.Handler
	}
	return func(context.Context, *Job) (any, error) {
		return nil, fmt.Errorf("%w: there is no handler for %q here", ErrReject, name)
	}
}

// Adopt runs a handler for a job that was taken by an earlier worker, most often before Serve: it takes a slot at once, beyond the
// capacity if need be, and finishes like the others. It returns false, and does nothing, once the gate is shut.
func (w *Worker) Adopt(job *Job, handler Handler) bool { return w.begin(job, handler, true) }

// renew keeps the leases until the last job has ended.
func (w *Worker) renew(q Renewer) {
	tick := time.NewTicker(q.RenewEvery())
	defer tick.Stop()
	for {
		select {
		case <-w.hard.Done():
			return
		case <-tick.C:
		}
		var kept []*running
		var jobs []*Job
		w.mu.Lock()
		for r := range w.running {
			if !r.left {
				kept = append(kept, r)
				jobs = append(jobs, r.job)
			}
		}
		w.mu.Unlock()
		if len(jobs) == 0 {
			continue
		}
		ctx, cancel := context.WithTimeout(w.hard, q.RenewEvery())
		lost, err := q.Renew(ctx, jobs...)
		cancel()
		fault.At(w.base, fault.Renewed)
		if err != nil && w.hard.Err() == nil {
			w.log.Warn("renewing leases: trying again", "jobs", len(jobs), "error", err)
		}
		for _, job := range lost {
			for _, r := range kept {
				if r.job == job || job != nil && r.job.ID == job.ID && r.job.Token == job.Token && r.job.Receipt == job.Receipt {
					r.stop(ErrLost)
				}
			}
		}
	}
}
