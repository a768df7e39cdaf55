package celery

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// Task is a job to ask for.
type Task struct {
	Name   string
	Args   []any          // in JSON
	Kwargs map[string]any // in JSON
	// ID is under what the result is stored; "" makes one, a random UUID as Celery's are.
	ID string
	// Queue is the queue's name; "" means the first of Config.Queues.
	Queue string
	// Priority is from 0, the highest on Redis, to 9.
	Priority int
	// ETA is when it is to be run, at the earliest; zero means now.
	ETA time.Time
	// Expires is until when it is worth running; zero means for ever.
	Expires time.Time
	// IgnoreResult has no result stored.
	IgnoreResult bool
}

// Send asks for a task, for workers in Go and in Python, by protocol 2. It returns the task's ID.
// After an error the task may have been sent all the same; sending it again makes it a second one, also under the same ID.
func (q *Queue) Send(ctx context.Context, task Task) (string, error) {
	if task.ID == "" {
		task.ID = newUUID()
	}
	if task.Queue == "" {
		task.Queue = q.cfg.Queues[0]
	}
	tag := newUUID()
	text, err := task.encode(tag)
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		_, err = q.eval(ctx, sendScript, []string{q.list(task.Queue, task.Priority)}, q.cfg.Prefix, tag, text)
	}
	if err != nil {
		return "", fmt.Errorf("sending task %s to %s: %w", task.Name, task.Queue, err)
	}
	return task.ID, nil
}

// encode is celery/app/amqp.py as_task_v2, in the envelope of kombu/transport/virtual/base.py.
func (t Task) encode(tag string) ([]byte, error) {
	if t.Name == "" {
		return nil, fmt.Errorf("it has no name")
	}
	if t.Priority < 0 || t.Priority > 9 {
		return nil, fmt.Errorf("priority %d is not between 0 and 9", t.Priority)
	}
	args, kwargs := t.Args, t.Kwargs
	if args == nil {
		args = []any{}
	}
	if kwargs == nil {
		kwargs = map[string]any{}
	}
	body, err := json.Marshal([]any{args, kwargs, map[string]any{"callbacks": nil, "errbacks": nil, "chain": nil, "chord": nil}})
	if err != nil {
		return nil, err
	}
	at := func(t time.Time) any {
		if t.IsZero() {
			return nil
		}
		return t.UTC().Format("2006-01-02T15:04:05.000000-07:00")
	}
	host, _ := os.Hostname()
	return json.Marshal(map[string]any{
		"body":             base64.StdEncoding.EncodeToString(body),
		"content-type":     "application/json",
		"content-encoding": "utf-8",
		"headers": map[string]any{
			"lang": "go", "task": t.Name, "id": t.ID, "root_id": t.ID, "parent_id": nil, "group": nil, "group_index": nil, "shadow": nil,
			"eta": at(t.ETA), "expires": at(t.Expires), "retries": 0, "timelimit": []any{nil, nil}, "ignore_result": t.IgnoreResult,
			"origin": fmt.Sprintf("gen%d@%s", os.Getpid(), host),
		},
		"properties": map[string]any{
			"correlation_id": t.ID, "reply_to": "", "delivery_mode": 2, "priority": t.Priority, "body_encoding": "base64", "delivery_tag": tag,
			"delivery_info": map[string]any{"exchange": "", "routing_key": t.Queue},
		},
	})
}

// newUUID is a random one (RFC 9562, version 4).
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
