package supervise

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Job is a job that was started or adopted. Its methods may be called concurrently.
type Job struct {
	s       *Supervisor
	id      string
	dir     string
	spec    Spec
	broken  error // the spec cannot be read
	adopted bool

	mu     sync.Mutex
	result *Result
	ended  chan struct{} // closed when there is a result
	closed chan struct{} // closed when there will be none here: the supervisor was closed
	doing  chan struct{} // holds one while the job is being removed
}

func (s *Supervisor) job(id string) *Job {
	return &Job{s: s, id: id, dir: s.path(jobsDir, id), ended: make(chan struct{}), closed: make(chan struct{}), doing: make(chan struct{}, 1)}
}

func (j *Job) path(name string) string { return filepath.Join(j.dir, name) }

// ID is the job's name.
func (j *Job) ID() string { return j.id }

// Spec is what the job was started with, less the environment's mark. If that cannot be read it has the ID only; the error says why.
func (j *Job) Spec() (Spec, error) { return j.spec, j.broken }

// Adopted reports whether an earlier worker has started the job.
func (j *Job) Adopted() bool { return j.adopted }

// Ended is closed when the job has ended.
func (j *Job) Ended() <-chan struct{} { return j.ended }

func (j *Job) over() bool {
	select {
	case <-j.ended:
		return true
	default:
		return false
	}
}

// Wait waits for the job's end. Its error is the cause of ctx's end, or ErrClosed; the job goes on.
func (j *Job) Wait(ctx context.Context) (Result, error) {
	select {
	case <-j.ended:
	default:
		select {
		case <-j.ended:
		case <-j.closed:
			return Result{}, ErrClosed
		case <-ctx.Done():
			return Result{}, context.Cause(ctx)
		}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return *j.result, nil
}

func (j *Job) settle(r Result) {
	j.s.cfg.faults.at(resultSeen)
	j.mu.Lock()
	j.result = &r
	j.mu.Unlock()
	j.s.log.Info("job ended", "job", j.id, "token", j.spec.Token, "result", r.String())
	close(j.ended)
}

func (j *Job) giveUp() { close(j.closed) }

// watch finds out how the job ends.
func (j *Job) watch(ctx context.Context) {
	for pause := 5 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		result, err := j.ask(ctx)
		if result == nil && ctx.Err() == nil {
			var unheld bool
			if result, unheld = j.withoutShim(ctx); !unheld && pause > time.Second/2 {
				j.s.log.Warn("the shim does not answer, and lives", "job", j.id, "error", err)
			}
		}
		if result != nil {
			j.settle(*result)
			return
		}
		wait(ctx, pause)
		if ctx.Err() != nil {
			j.giveUp()
			return
		}
	}
}

// ask asks the shim for the result.
func (j *Job) ask(ctx context.Context) (*Result, error) {
	c, err := dial(ctx, j.dir)
	if err != nil {
		return nil, err
	}
	defer c.close()
	for {
		resp, err := c.call(ctx, request{Op: opWait})
		if resp.Result != nil || err != nil {
			return resp.Result, err
		}
	}
}

// withoutShim says what became of a job if there is no shim: nobody has its lock then.
func (j *Job) withoutShim(ctx context.Context) (result *Result, unheld bool) {
	held, err := lock(j.path(lockFile))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &Result{Outcome: Unreadable, Code: -1, Err: "somebody has removed its directory: " + err.Error()}, true
	case err != nil || held == nil:
		return nil, err != nil
	}
	defer func() { _ = held.Close() }()
	var record exitRecord
	err = readRecord(j.path(exitFile), &record)
	switch {
	case err == nil:
		return &record.Result, true
	case passing(err):
		return nil, true
	case !errors.Is(err, fs.ErrNotExist):
		return &Result{Outcome: Unreadable, Code: -1, Err: err.Error()}, true
	}
	record = exitRecord{V: version}
	if record.Result, err = j.lostResult(ctx); err != nil {
		j.s.log.Warn("ending what a job has left whose shim has died", "job", j.id, "error", err)
		return nil, true
	}
	if err := writeRecord(j.dir, exitFile, record); err != nil {
		j.s.log.Warn("recording what became of a job without a shim; it will be found out again", "job", j.id, "error", err)
	}
	j.s.cfg.faults.at(buried)
	return &record.Result, true
}

// lostResult is what became of a job that has neither a shim nor a record of its end.
func (j *Job) lostResult(ctx context.Context) (Result, error) {
	lost := func(o Outcome, format string, args ...any) (Result, error) {
		return Result{Outcome: o, Code: -1, Err: fmt.Sprintf(format, args...)}, nil
	}
	var shim, first processRecord
	err := readRecord(j.path(shimFile), &shim)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return lost(NeverBegan, "its worker died before the job had a process")
	case passing(err):
		return Result{}, err
	case err != nil:
		return lost(Unreadable, "%v", err)
	case shim.Boot != j.s.boot:
		return lost(Rebooted, "the machine was started anew while the job ran")
	}
	job := &first
	if readRecord(j.path(jobFile), job) != nil {
		job = nil
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	if err := killLeftovers(ctx, marker(j.id, shim), job, j.s.boot); err != nil {
		return Result{}, err // the slot stays taken: something of it runs
	}
	why := "its shim, process " + fmt.Sprint(shim.PID) + ", was killed"
	if text, err := os.ReadFile(j.path(errorFile)); err == nil && len(text) > 0 {
		why += ": " + string(text[:min(len(text), 2000)])
	}
	return lost(ShimDied, "%s", why)
}

// call makes one call of the shim.
func (j *Job) call(ctx context.Context, req request) error {
	c, err := dial(ctx, j.dir)
	if err != nil {
		return err
	}
	defer c.close()
	_, err = c.call(ctx, req)
	return err
}

// Stop asks the job's process group to end by SIGTERM, and when grace has passed kills all that is left of the job. It returns when the shim has got the
// order; see [Job.Wait] for the job's end. For a job that has ended it does nothing.
func (j *Job) Stop(ctx context.Context, grace time.Duration) error {
	for pause := 5 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		err := j.call(ctx, request{Op: opStop, GraceMS: max(grace, 0).Milliseconds()})
		if err == nil || j.over() {
			return nil
		}
		// It may have ended just now, which watch finds out, or not listen yet.
		select {
		case <-j.ended:
			return nil
		case <-time.After(pause):
		case <-ctx.Done():
			return fmt.Errorf("supervise: stopping job %s: %w", j.id, errors.Join(context.Cause(ctx), err))
		case <-j.closed:
			return fmt.Errorf("supervise: stopping job %s: %w", j.id, errors.Join(ErrClosed, err))
		}
	}
}

// Kill kills all processes of the job. It returns when the shim has got the order.
func (j *Job) Kill(ctx context.Context) error { return j.Stop(ctx, 0) }

// Done says that the result of the job has been collected: recorded wherever results are kept, the log copied. All traces of the job
// are removed and its shim ends. Whoever dies before Done finds the job again by Adopt; recording a result is therefore made such that doing it
// twice with the same token is doing it once. Done is for jobs that have ended.
func (j *Job) Done(ctx context.Context) error {
	if !j.over() {
		return fmt.Errorf("supervise: job %s has not ended", j.id)
	}
	if err := j.forget(ctx); err != nil {
		return fmt.Errorf("supervise: removing job %s: %w", j.id, err)
	}
	return nil
}

func (j *Job) forget(ctx context.Context) error {
	select {
	case j.doing <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-j.doing }()
	if now, ok := j.s.Job(j.id); !ok || now != j {
		return nil
	}
	j.s.cfg.faults.at(doneBegin)
	if err := j.release(ctx); err != nil {
		return err
	}
	j.s.cfg.faults.at(released)
	if err := j.s.remove(j); err != nil {
		return err
	}
	j.s.cfg.faults.at(removed)
	j.gone()
	return nil
}

func (j *Job) gone() {
	j.s.mu.Lock()
	defer j.s.mu.Unlock()
	delete(j.s.jobs, j.id)
}

// release has the shim end that keeps the job's lease, and waits for it.
func (j *Job) release(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	for pause := time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
		held, err := lock(j.path(lockFile))
		if held != nil {
			return held.Close()
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		err = errors.Join(err, j.call(ctx, request{Op: opDone}))
		wait(ctx, pause)
		if ctx.Err() != nil {
			return fmt.Errorf("the shim does not end: %w", errors.Join(context.Cause(ctx), err))
		}
	}
}

// supersede ends a job that is somebody else's now.
func (j *Job) supersede(ctx context.Context) error {
	if err := j.Kill(ctx); err != nil {
		return err
	}
	if _, err := j.Wait(ctx); err != nil {
		return err
	}
	return j.forget(ctx)
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
