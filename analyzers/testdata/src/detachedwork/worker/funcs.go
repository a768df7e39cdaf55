package worker

import (
	"context"

	work "git.sr.ht/~sircmpwn/dowork"
	"github.com/riverqueue/river"
)

type args struct{}

func (args) Kind() string { return "build" }

// Functions as jobs: river cancels their context when they return, dowork leaves it to whoever made it.
func (b *build) register(q *work.Queue) {
	river.WorkFunc(func(ctx context.Context, job *river.Job[args]) error {
		go b.db.ExecContext(ctx, `UPDATE job SET status = 'running'`) // want `request-context-outlived: .* of the job, which is cancelled as soon as the function literal in register that handles jobs returns` `unwaited-goroutine: `
		return nil
	})
	river.WorkFunc(b.archive)
	q.Submit(func(ctx context.Context) error {
		go b.db.ExecContext(ctx, `UPDATE job SET status = 'running'`) // want `unwaited-goroutine: `
		return nil
	})
}

func (b *build) archive(ctx context.Context, job *river.Job[args]) error {
	go b.db.ExecContext(ctx, `UPDATE job SET archived = true`) // want `request-context-outlived: ` `unwaited-goroutine: `
	return nil
}
