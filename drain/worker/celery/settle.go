package celery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"git.sr.ht/~sourcehut/ha-go/drain/worker"
	"git.sr.ht/~sourcehut/ha-go/drain/worker/internal/fault"
)

// key is that of the result (celery/backends/base.py, KeyValueStoreBackend.task_keyprefix), or "" when none is wanted.
func (m meta) key(id string) string {
	if m.IgnoreResult || id == "" {
		return ""
	}
	return "celery-task-meta-" + id
}

// result is what Celery's backends store (celery/backends/base.py, Backend._get_result_meta).
type result struct {
	Status    string  `json:"status"`
	Result    any     `json:"result"`
	Traceback *string `json:"traceback"`
	Children  []any   `json:"children"`
	DateDone  string  `json:"date_done"`
	GroupID   string  `json:"group_id,omitempty"`
	ParentID  string  `json:"parent_id,omitempty"`
	TaskID    string  `json:"task_id"`
}

// exception is one in a result (Backend.prepare_exception).
type exception struct {
	Type    string   `json:"exc_type"`
	Message []string `json:"exc_message"`
	Module  string   `json:"exc_module"`
}

func newResult(status, id string, m meta, now time.Time) result {
	// datetime.utcnow().isoformat(): a time in UTC without a zone.
	return result{Status: status, TaskID: id, GroupID: m.GroupID, ParentID: m.ParentID, Children: []any{}, DateDone: now.UTC().Format("2006-01-02T15:04:05.000000")}
}

func success(id string, m meta, now time.Time, value any) ([]byte, error) {
	r := newResult("SUCCESS", id, m, now)
	r.Result = value
	return json.Marshal(r)
}

// failure is what Python sees as an Exception with the error's text.
func failure(id string, m meta, now time.Time, why error) []byte {
	r := newResult("FAILURE", id, m, now)
	r.Result = exception{Type: "Exception", Message: []string{why.Error()}, Module: "builtins"}
	var panicked *worker.PanicError
	if errors.As(why, &panicked) {
		stack := string(panicked.Stack)
		r.Traceback = &stack
	}
	text, _ := json.Marshal(r) // nothing in it cannot be
	return text
}

// revoked is what Celery answers for a task that came too late (celery/worker/request.py, Request.maybe_expire and _announce_revoked).
func revoked(id string, m meta, now time.Time) []byte {
	r := newResult("REVOKED", id, m, now)
	r.Result = exception{Type: "TaskRevokedError", Message: []string{"expired"}, Module: "celery.exceptions"}
	text, _ := json.Marshal(r)
	return text
}

// metaOf is what its message said of the job's result.
func metaOf(job *worker.Job) (m meta, err error) {
	if len(job.Meta) > 0 {
		err = json.Unmarshal(job.Meta, &m)
	}
	return m, err
}

// Finish implements worker.Queue: it stores a SUCCESS with the value, or a FAILURE. A value that encoding/json does not take is a FAILURE.
func (q *Queue) Finish(ctx context.Context, job *worker.Job, value any, why error) error {
	m, err := metaOf(job)
	if err != nil {
		return fmt.Errorf("finishing task %s: %w", job.ID, err)
	}
	now := time.Now()
	var text []byte
	if why == nil {
		if text, err = success(job.ID, m, now, value); err != nil {
			why = fmt.Errorf("the result cannot be written as JSON: %w", err)
			q.log.Error("task failed: its result cannot be written as JSON", "id", job.ID, "task", job.Name, "error", err)
		}
	}
	if why != nil {
		text = failure(job.ID, m, now, why)
	}
	fault.At(ctx, fault.FinishBegin)
	got, err := q.settle(ctx, settling{receipt: job.Receipt, outcome: finished, key: m.key(job.ID), result: text})
	fault.At(ctx, fault.Finished)
	return settled(got, finished, err, "finishing", job)
}

// GiveBack implements worker.Queue: the message goes to the head of its list, unchanged.
func (q *Queue) GiveBack(ctx context.Context, job *worker.Job) error {
	fault.At(ctx, fault.GiveBackBegin)
	got, err := q.settle(ctx, settling{receipt: job.Receipt, outcome: givenBack, where: "head"})
	fault.At(ctx, fault.GivenBack)
	return settled(got, givenBack, err, "giving back", job)
}

// Reject implements worker.Rejecter: the message goes to the dead letters.
func (q *Queue) Reject(ctx context.Context, job *worker.Job, why error) error {
	m, err := metaOf(job)
	if err != nil {
		return fmt.Errorf("rejecting task %s: %w", job.ID, err)
	}
	fault.At(ctx, fault.RejectBegin)
	now := time.Now()
	got, err := q.settle(ctx, settling{receipt: job.Receipt, outcome: rejected, where: "dead", preface: preface(why, now),
		key: m.key(job.ID), result: failure(job.ID, m, now, why)})
	fault.At(ctx, fault.Rejected)
	return settled(got, rejected, err, "rejecting", job)
}

func settled(got, want outcome, err error, doing string, job *worker.Job) error {
	switch {
	case err != nil:
		return fmt.Errorf("%s task %s: %w", doing, job.ID, err)
	case got != want:
		return fmt.Errorf("%s task %s (it was %s): %w", doing, job.ID, got, worker.ErrLost)
	}
	return nil
}
