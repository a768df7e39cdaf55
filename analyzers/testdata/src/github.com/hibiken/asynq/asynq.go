// Package asynq stands in for the job queue of that name.
package asynq

import "context"

type Task struct{}

type Handler interface {
	ProcessTask(context.Context, *Task) error
}

type HandlerFunc func(context.Context, *Task) error

func (f HandlerFunc) ProcessTask(ctx context.Context, t *Task) error { return f(ctx, t) }

type ServeMux struct{}

func (m *ServeMux) Handle(pattern string, h Handler) {}

func (m *ServeMux) HandleFunc(pattern string, f func(context.Context, *Task) error) {}
