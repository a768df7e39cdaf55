package worker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"time"

	"git.sr.ht/~sourcehut/ha-go/drain/worker/internal/fault"
)

// running is a job that has a slot.
type running struct {
	job     *Job
	adopted bool
	since   time.Time
	stop    context.CancelCauseFunc
	log     *slog.Logger

	// under the worker's mu
	cut      bool          // Shutdown's deadline has come
	left     bool          // it goes on elsewhere, and is none of this worker's business any more
	returned bool          // the handler has
	waiting  bool          // for back to be closed
	back     chan struct{} // closed by cut when it has given the job back; nil before the deadline
}

func (w *Worker) logOf(job *Job) *slog.Logger {
	return w.log.With("id", job.ID, "job", job.Name, "token", job.Token)
}

// begin starts the job unless the gate is shut: the gate and the start are decided under one lock, so that nothing starts
// once LameDuck has returned.
func (w *Worker) begin(job *Job, handler Handler, adopted bool) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.gate {
		return false
	}
	r := &running{job: job, adopted: adopted, since: time.Now(), log: w.logOf(job)}
	ctx, stop := context.WithCancelCause(w.base)
	r.stop = stop
	release := func() {}
	if job.Limit > 0 {
		ctx, release = context.WithTimeoutCause(ctx, job.Limit, ErrLimit)
	}
	w.running[r] = struct{}{}
	w.change()
	go func() {
		w.run(ctx, r, handler)
		release()
		stop(nil)
		fault.At(w.base, fault.Ended)
		w.mu.Lock()
		delete(w.running, r)
		w.change()
		w.mu.Unlock()
	}()
	return true
}

// run calls the handler and tells the queue what came of it.
func (w *Worker) run(ctx context.Context, r *running, handler Handler) {
	r.log.Info("job starts", "attempt", r.job.Attempt, "adopted", r.adopted)
	fault.At(w.base, fault.Started)
	value, failure := call(ctx, r.job, handler)
	fault.At(w.base, fault.Worked)
	took := time.Since(r.since)
	lost := errors.Is(context.Cause(ctx), ErrLost)
	leave, reject := errors.Is(failure, ErrLeave), errors.Is(failure, ErrReject)
	w.mu.Lock()
	if cut := r.cut && failure != nil && !lost && !reject; cut && r.left {
		leave = true
	} else {
		r.waiting = cut && !leave
	}
	r.returned = true
	waiting := r.waiting
	w.change()
	w.mu.Unlock()
	switch {
	case waiting:
		<-r.back // with the others, in their order
	case lost:
		w.lost(r, took, failure)
	case leave:
		w.count(func(c *Counts) { c.Left++ })
		r.log.Info("job goes on elsewhere", "after", took)
	case errors.Is(failure, ErrGiveBack):
		w.mu.Lock()
		w.rest = time.Now().Add(w.resting.next())
		w.mu.Unlock()
		w.giveBack(r)
	case reject:
		w.settle(r, "job rejected", took, failure, func(c *Counts) { c.Rejected++ }, func(ctx context.Context) error {
			if q, ok := w.cfg.Queue.(Rejecter); ok {
				return q.Reject(ctx, r.job, failure)
			}
			return w.cfg.Queue.Finish(ctx, r.job, nil, failure)
		})
	default:
		w.settle(r, "job ends", took, failure, func(c *Counts) {
			if c.Finished++; failure != nil {
				c.Failed++
			}
		}, func(ctx context.Context) error { return w.cfg.Queue.Finish(ctx, r.job, value, failure) })
	}
}

// settle tells the queue how a job ended.
func (w *Worker) settle(r *running, what string, took time.Duration, failure error, count func(*Counts), tell func(context.Context) error) {
	err := w.insist(r.log, "recording how the job ended", tell)
	switch {
	case err == nil:
		w.count(func(c *Counts) {
			count(c)
			w.resting.reset()
		})
		if failure != nil {
			r.log.Warn(what, "after", took, "failure", failure)
		} else {
			r.log.Info(what, "after", took)
		}
	case errors.Is(err, ErrLost):
		w.lost(r, took, failure)
	default:
		w.count(func(c *Counts) { c.Unrecorded++ })
		r.log.Error("the job's end could not be recorded; another worker runs it again when its lease has run out", "after", took, "failure", failure, "error", err)
	}
}

func (w *Worker) lost(r *running, took time.Duration, failure error) {
	w.count(func(c *Counts) { c.Lost++ })
	r.log.Error("job lost: another worker has it, its end here is not recorded", "after", took, "failure", failure)
}

func (w *Worker) giveBack(r *running) {
	err := w.insist(r.log, "giving the job back", func(ctx context.Context) error { return w.cfg.Queue.GiveBack(ctx, r.job) })
	switch {
	case err == nil:
		w.count(func(c *Counts) { c.GivenBack++ })
		r.log.Info("job given back")
	case errors.Is(err, ErrLost): // somebody has it: nothing is missing
		w.count(func(c *Counts) { c.Lost++ })
		r.log.Warn("job not given back: another worker has it already")
	default:
		w.count(func(c *Counts) { c.Unrecorded++ })
		r.log.Error("the job could not be given back; another worker gets it when its lease has run out", "error", err)
	}
}

// insist tells the queue something until it has understood, it is too late (ErrLost), or the worker's time is over.
func (w *Worker) insist(log *slog.Logger, what string, tell func(context.Context) error) error {
	backoff := newBackoff()
	for {
		err := tell(w.hard)
		if err == nil || errors.Is(err, ErrLost) || w.hard.Err() != nil {
			return err
		}
		pause := backoff.next()
		log.Warn(what+": trying again", "error", err, "in", pause)
		wait(w.hard, pause)
	}
}

// cut deals with what runs at the deadline: it asks what is to become of each job, tells it to end, and waits for it a little.
func (w *Worker) cut() error {
	jobs := w.tellToEnd()
	w.mu.Lock()
	idle := w.idle()
	w.mu.Unlock()
	if len(jobs) == 0 && idle { // the last one has ended at the deadline
		return nil
	}
	left := len(slices.DeleteFunc(slices.Clone(jobs), func(r *running) bool { return !r.left }))
	w.mu.Lock()
	before := w.counts.Unrecorded
	w.mu.Unlock()
	errs := []error{fmt.Errorf("cut %d %s at the deadline, %d of them left to run on", len(jobs), plural(len(jobs), "job"), left)}
	if len(jobs) == 0 {
		errs[0] = errors.New("cut at the deadline while a poll was under way")
	}
	handlers, cancel := context.WithTimeout(w.base, w.cfg.Grace)
	defer cancel()
	await(w, func() bool { return w.quiet(false) }, handlers.Done())
	late := time.AfterFunc(w.cfg.Grace, w.end)
	defer late.Stop()
	errs = append(errs, w.takeBack(jobs)...)
	if !await(w, func() bool { return w.quiet(true) }, w.hard.Done()) {
		// What is being told to the queue comes to an end now.
		await(w, func() bool { return w.quiet(true) }, time.After(w.cfg.Grace))
	}
	w.mu.Lock()
	if n := int(w.counts.Unrecorded - before); n > 0 {
		errs = append(errs, fmt.Errorf("the queue could not be told of %d %s: they are run again when their leases have run out", n, plural(n, "job")))
	}
	w.over = true
	w.change()
	w.mu.Unlock()
	return errors.Join(errs...)
}

// tellToEnd ends the contexts of all jobs, and returns them: the last taken first, for what goes back to the head of a queue in that
// order is at the end in the order in which it was taken.
func (w *Worker) tellToEnd() []*running {
	w.mu.Lock()
	jobs := slices.SortedFunc(maps.Keys(w.running), func(a, b *running) int { return cmp.Compare(b.job.Token, a.job.Token) })
	w.mu.Unlock()
	for _, r := range jobs {
		goes, outcome := "back to the queue", GiveBack
		if w.cfg.Cut != nil {
			outcome = w.cfg.Cut(r.job)
		}
		if outcome == Leave {
			goes = "on elsewhere"
		}
		w.mu.Lock()
		r.cut, r.left, r.back = true, outcome == Leave, make(chan struct{})
		w.mu.Unlock()
		r.log.Warn("job cut at the deadline", "after", time.Since(r.since), "goes", goes)
	}
	for _, r := range jobs {
		r.stop(ErrCut)
	}
	return jobs
}

// quiet tells whether nothing is to be waited for any more, but jobs that wait to be given back; with stuck, handlers that do not
// heed their contexts are not waited for either. The caller holds mu.
func (w *Worker) quiet(stuck bool) bool {
	for r := range w.running {
		if !r.waiting && (r.returned || !stuck) {
			return false
		}
	}
	return !w.pulling
}

// takeBack gives back what has ended because it was told to, and jobs whose handlers do not heed their contexts: should one of these come to
// an end after all, the queue refuses it.
func (w *Worker) takeBack(jobs []*running) []error {
	var errs []error
	for _, r := range jobs {
		w.mu.Lock()
		_, runs := w.running[r]
		stuck, waiting := runs && !r.returned && !r.left, r.waiting
		w.mu.Unlock()
		if stuck {
			errs = append(errs, fmt.Errorf("job %s (%s) does not heed the end of its context: it may still be running while another worker has it", r.job.ID, r.job.Name))
		}
		if stuck || waiting {
			w.giveBack(r)
		}
		close(r.back)
	}
	return errs
}

// PanicError is the failure of a job whose handler panicked.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// call calls the handler; a panic or runtime.Goexit in it is a failure.
func call(ctx context.Context, job *Job, handler Handler) (value any, failure error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		failure = errors.New("the handler ended its goroutine (runtime.Goexit)")
		defer func() {
			if p := recover(); p != nil {
				failure = &PanicError{Value: p, Stack: debug.Stack()}
			}
		}()
		value, failure = handler(ctx, job)
	}()
	<-done
	return value, failure
}

func (w *Worker) count(change func(*Counts)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change(&w.counts)
}

// backoff is a growing pause: 50 ms, doubling up to 5 s, each by a random part of its half less, so that workers do not come back in step.
type backoff struct{ pause time.Duration }

const firstPause, longestPause = 50 * time.Millisecond, 5 * time.Second

func newBackoff() *backoff { return &backoff{pause: firstPause} }

func (b *backoff) reset() { b.pause = firstPause }

func (b *backoff) next() time.Duration {
	p := b.pause
	b.pause = min(2*p, longestPause)
	return p - rand.N(p/2)
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

func plural(n int, noun string) string {
	if n == 1 {
		return noun
	}
	return noun + "s"
}
