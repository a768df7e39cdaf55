// Package river stands in for the job queue of that name.
package river

import "context"

type JobArgs interface{ Kind() string }

type Job[T JobArgs] struct{ Args T }

type Worker[T JobArgs] interface {
	Work(ctx context.Context, job *Job[T]) error
}

func WorkFunc[T JobArgs](f func(context.Context, *Job[T]) error) Worker[T] { return nil }
