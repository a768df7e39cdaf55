package worker

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// Job is a unit of work on lease from a queue. It survives encoding/json, and is not changed once it has been taken.
type Job struct {
	// ID is the job's name to whoever asked for it, the same however often it is handed out.
	ID string `json:"id"`
	// Name says what kind of job it is; handlers are chosen by it.
	Name string `json:"name"`
	// Payload is what to do, in the queue's own form.
	Payload json.RawMessage `json:"payload,omitempty"`
	// Attempt counts the workers that have had the job, this one included, as far as the queue knows: 1, unless an earlier one died.
	Attempt int `json:"attempt"`
	// Limit is how long the job may run, for whoever asked for it; its context ends then. 0 means no limit.
	Limit time.Duration `json:"limit,omitempty"`
	// Token grows from one hand-out to the next, over all jobs of the queue: whoever has the higher one has the job.
	Token int64 `json:"token"`
	// Receipt is the queue's own name of this hand-out.
	Receipt string `json:"receipt"`
	// Taken is when the job was handed out, by the queue's clock.
	Taken time.Time `json:"taken"`
	// Meta is the queue's own, about the message that the job came in.
	Meta json.RawMessage `json:"meta,omitempty"`
}

// Queue hands out jobs. All methods may be called concurrently, and, but for Take, again with the same arguments: what has been done
// already succeeds. The worker does so, with growing pauses, for any error but [ErrLost].
//
// Package workertest has a suite of tests for implementations.
type Queue interface {
	// Take waits for a job and leases it. It returns an error only when it has no job in its hands: when ctx ends at a
	// moment when one has been taken already, it returns that one. Otherwise, when ctx ends, it returns its error.
	Take(ctx context.Context) (*Job, error)
	// Finish records how the job ended and removes it from the queue, as one. It returns ErrLost when somebody else has the job, or has
	// had it; nothing is recorded then. A value that the queue has no form for is recorded as a failure.
	Finish(ctx context.Context, job *Job, value any, failure error) error
	// GiveBack puts the job where it was before it was taken, at the head of those that wait. It returns ErrLost as Finish does.
	GiveBack(ctx context.Context, job *Job) error
}

// Renewer is a Queue whose leases run out.
type Renewer interface {
	Queue
	// Renew keeps the leases of jobs for as long again, and returns those of them that somebody else has now or has finished: the same
	// pointers, or jobs with the same ID, Token and Receipt.
	Renew(ctx context.Context, jobs ...*Job) (lost []*Job, err error)
	// RenewEvery is how often to.
	RenewEvery() time.Duration
}

// Rejecter is a Queue with a place aside for jobs that nobody can run. In others they fail.
type Rejecter interface {
	Queue
	// Reject records that the job failed and puts it aside, as one. It returns ErrLost as Finish does.
	Reject(ctx context.Context, job *Job, why error) error
}

var (
	// ErrLost says that a job is somebody else's: its lease ran out and it was handed out again. It is the cause of its context's end.
	ErrLost = errors.New("the job is another worker's now")
	// ErrLimit is the cause of a job's context when it has run for Job.Limit.
	ErrLimit = errors.New("the job has run for as long as it may")
	// ErrCut is the cause of a job's context when the worker's deadline has come.
	ErrCut = errors.New("the worker's deadline has come")

	// ErrGiveBack is for handlers, alone or wrapped: the job was not done and goes back to the queue, where anybody takes it next. This
	// worker takes nothing for a moment then, and for longer, up to 5 seconds, the more often it happens without a job that ends otherwise.
	ErrGiveBack = errors.New("the job goes back to its queue")
	// ErrLeave is for handlers, alone or wrapped: the job goes on outside of this process, which has nothing more to do with it. It is
	// not finished, given back or renewed by this worker.
	ErrLeave = errors.New("the job goes on elsewhere")
	// ErrReject is for handlers, wrapped with the reason: this job can be run by nobody. It is put aside, if the queue can, and fails.
	ErrReject = errors.New("the job cannot be run")
)
