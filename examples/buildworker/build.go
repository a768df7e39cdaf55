package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"git.sr.ht/~sourcehut/ha-go/drain/supervise"
	"git.sr.ht/~sourcehut/ha-go/drain/worker"
	"git.sr.ht/~sourcehut/ha-go/drain/worker/celery"
)

// brokerVariable is where the broker's URL is for workers and shims, since it may have a password: arguments are shown by ps, and a build's
// order is kept on the disk.
const brokerVariable = "BUILDWORKER_REDIS"

// order is what a shim has to know to renew the lease of its build, and the next worker to collect it.
type order struct {
	Queues []string      `json:"queues"`
	Lease  time.Duration `json:"lease_ns"`
	Job    *worker.Job   `json:"job"`
}

// renewer renews the lease of the one build that a shim has.
func renewer() func(context.Context, supervise.Spec) error {
	var queue *celery.Queue
	return func(ctx context.Context, spec supervise.Spec) error {
		var o order
		if err := json.Unmarshal(spec.Meta, &o); err != nil {
			return err
		}
		if queue == nil {
			var err error
			if queue, err = celery.New(celery.Config{URL: os.Getenv(brokerVariable), Queues: o.Queues, Lease: o.Lease}); err != nil {
				return err
			}
		}
		lost, err := queue.Renew(ctx, o.Job)
		if len(lost) > 0 {
			return supervise.ErrLost
		}
		return err
	}
}

// builder is what builds need.
type builder struct {
	settings
	queue  *celery.Queue
	jobs   *supervise.Supervisor
	worker *worker.Worker
	log    *slog.Logger
}

// environment is what a build has of the worker's own: nothing that may be a secret.
func environment() (list []string) {
	for _, name := range []string{"PATH", "HOME", "LANG", "TZ"} {
		if value, ok := os.LookupEnv(name); ok {
			list = append(list, name+"="+value)
		}
	}
	return append(list, "CI=true")
}

// build starts a build and sees it to its end.
func (b *builder) build(ctx context.Context, job *worker.Job) (any, error) {
	var script string
	if err := celery.Args(job, &script); err != nil {
		return nil, fmt.Errorf("%w: %w", worker.ErrReject, err)
	}
	meta, err := json.Marshal(order{b.settings.queue.Queues, b.settings.queue.Lease, job})
	if err != nil {
		return nil, err
	}
	limit := b.limit
	if job.Limit > 0 {
		limit = min(limit, job.Limit)
	}
	spec := supervise.Spec{
		ID: job.ID, Token: job.Token, Args: []string{"sh", "-c", script}, Env: environment(), Dir: "/",
		Deadline: limit, Meta: meta, RenewEvery: b.queue.RenewEvery(),
	}
	// Before anything is done with its ID, which is whatever somebody has sent: it is a file's name below.
	if err := spec.Validate(); err != nil {
		return nil, fmt.Errorf("%w: %w", worker.ErrReject, err)
	}
	// What an earlier attempt has written is not this one's.
	if err := os.Remove(b.logPath(job.ID)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%w: %w", worker.ErrGiveBack, err)
	}
	j, err := b.jobs.Start(ctx, spec)
	if err != nil {
		b.log.Error("starting a build", "build", job.ID, "error", err)
		select { // the disk is full, say: not again and again without a pause
		case <-time.After(5 * time.Second):
		case <-ctx.Done():
		}
		return nil, fmt.Errorf("%w: %w", worker.ErrGiveBack, err)
	}
	return b.see(ctx, j)
}

// see sees a build to its end: one that was started just now, or by an earlier worker.
func (b *builder) see(ctx context.Context, j *supervise.Job) (any, error) {
	copied := make(chan error, 1)
	go func() { copied <- b.copyLog(ctx, j) }()
	result, err := j.Wait(ctx)
	if err != nil {
		<-copied
		if errors.Is(err, worker.ErrCut) || errors.Is(err, supervise.ErrClosed) {
			return nil, worker.ErrLeave
		}
		return nil, b.abort(ctx, j, err)
	}
	if err := <-copied; err != nil {
		return nil, fmt.Errorf("%w: keeping its log: %w", worker.ErrLeave, err) // the next one keeps it
	}
	switch {
	case result.Interrupted():
		return nil, fmt.Errorf("%w: %s", worker.ErrGiveBack, result)
	case result.Outcome == supervise.Exited && result.Code == 0:
		return map[string]any{"took_ms": result.Took.Milliseconds(), "log": b.logPath(j.ID())}, nil
	}
	return nil, errors.New(result.String())
}

// abort ends a build that is somebody else's now, or late.
func (b *builder) abort(ctx context.Context, j *supervise.Job, why error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	err := j.Stop(ctx, 5*time.Second)
	if err == nil {
		_, err = j.Wait(ctx)
	}
	if err == nil && !errors.Is(why, worker.ErrLost) {
		err = b.copyLog(ctx, j) // what it said after its time was over, too
	}
	if err == nil && errors.Is(why, worker.ErrLost) {
		err = j.Done(ctx) // nobody wants its result
	}
	return errors.Join(why, err)
}

// copyLog follows the build's output into the log that users read, from where an earlier worker has got to.
func (b *builder) copyLog(ctx context.Context, j *supervise.Job) error {
	to, err := os.OpenFile(b.logPath(j.ID()), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	info, err := to.Stat()
	if err != nil {
		return errors.Join(err, to.Close())
	}
	from, err := j.Log(ctx, info.Size())
	if err != nil {
		return errors.Join(err, to.Close())
	}
	_, err = io.Copy(to, from)
	return errors.Join(err, to.Sync(), from.Close(), to.Close())
}

// adopt has the worker see builds to their end that it did not start.
func (b *builder) adopt(ctx context.Context, jobs []*supervise.Job) {
	for _, j := range jobs {
		var o order
		spec, err := j.Spec()
		if err == nil {
			err = json.Unmarshal(spec.Meta, &o)
		}
		if err == nil && o.Job == nil {
			err = errors.New("there is no job in its meta")
		}
		if err != nil {
			b.unknown(ctx, j, err)
			continue
		}
		b.worker.Adopt(o.Job, func(ctx context.Context, _ *worker.Job) (any, error) { return b.see(ctx, j) })
	}
}

// unknown is a build of which nobody knows whose it is. While it runs its shim renews its lease; then the queue hands it out again.
func (b *builder) unknown(ctx context.Context, j *supervise.Job, why error) {
	b.log.Error("a build that cannot be read", "build", j.ID(), "error", why)
	select {
	case <-j.Ended():
		if err := j.Done(ctx); err != nil {
			b.log.Error("removing a build that cannot be read", "error", err)
		}
	default: // reconcile finds it again
	}
}

// reconcile collects, now and then, what has ended and is not seen to: its result could not be recorded, or its directory not be removed.
func (b *builder) reconcile(ctx context.Context) {
	tick := time.NewTicker(10 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		over := map[string]*supervise.Job{}
		for _, j := range b.jobs.Jobs() {
			select {
			case <-j.Ended():
				over[j.ID()] = j
			default:
			}
		}
		for _, r := range b.worker.Status().Running {
			delete(over, r.Job.ID)
		}
		for id, j := range over {
			if now, ok := b.jobs.Job(id); ok && now == j {
				b.adopt(ctx, []*supervise.Job{j})
			}
		}
	}
}

// collecting is the queue; what it has recorded of a build need not be kept any longer.
type collecting struct {
	*celery.Queue
	b *builder
}

// Finish implements worker.Queue.
func (c collecting) Finish(ctx context.Context, job *worker.Job, value any, failure error) error {
	return c.collected(ctx, job, c.Queue.Finish(ctx, job, value, failure))
}

// GiveBack implements worker.Queue.
func (c collecting) GiveBack(ctx context.Context, job *worker.Job) error {
	return c.collected(ctx, job, c.Queue.GiveBack(ctx, job))
}

// Reject implements worker.Rejecter.
func (c collecting) Reject(ctx context.Context, job *worker.Job, why error) error {
	return c.collected(ctx, job, c.Queue.Reject(ctx, job, why))
}

func (c collecting) collected(ctx context.Context, job *worker.Job, err error) error {
	if err != nil && !errors.Is(err, worker.ErrLost) {
		return err // it is told again
	}
	j, ok := c.b.jobs.Job(job.ID)
	if !ok {
		return err
	}
	if spec, _ := j.Spec(); spec.Token != job.Token {
		return err
	}
	if failed := j.Done(ctx); failed != nil {
		c.b.log.Warn("collected, not removed", "build", job.ID, "error", failed)
	}
	return err
}
