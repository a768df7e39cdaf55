package celery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"git.sr.ht/~sourcehut/ha-go/drain/worker/internal/fault"
)

// DeadLetter is a message that was put aside.
type DeadLetter struct {
	Why     string    `json:"why"`
	Time    time.Time `json:"time"`
	List    string    `json:"-"` // that it came from
	Message []byte    `json:"-"` // byte for byte

	entry string
}

// preface is what is written before a dead letter: a line of JSON.
func preface(why error, now time.Time) []byte {
	text, _ := json.Marshal(DeadLetter{Why: why.Error(), Time: now.UTC().Truncate(time.Millisecond)}) // nothing in it cannot be
	return text
}

// bury puts a message aside that nobody can run.
func (q *Queue) bury(ctx context.Context, t *taken, m *message, why error) error {
	return q.putAside(ctx, settling{receipt: t.receipt, outcome: rejected}, m, why)
}

func (q *Queue) putAside(ctx context.Context, s settling, m *message, why error) error {
	now := time.Now()
	s.where, s.preface = "dead", preface(why, now)
	s.key, s.result = m.meta.key(m.id), failure(m.id, m.meta, now, why)
	got, err := q.settle(ctx, s)
	if err != nil {
		return fmt.Errorf("putting a message aside (%w): %w", why, err)
	}
	fault.At(ctx, fault.Buried)
	if got == rejected {
		q.log.Error("message put among the dead letters", "why", why, "id", m.id, "task", m.name)
	}
	return nil
}

// Dead lists the dead letters, the latest first, limit at most.
func (q *Queue) Dead(ctx context.Context, limit int) ([]DeadLetter, error) {
	if limit <= 0 {
		return nil, nil
	}
	entries, err := q.redis.LRange(ctx, q.cfg.Prefix+"dead", 0, int64(limit)-1).Result()
	if err != nil {
		return nil, fmt.Errorf("reading the dead letters: %w", err)
	}
	var letters []DeadLetter
	for _, entry := range entries {
		d := DeadLetter{entry: entry}
		head, rest, ok1 := strings.Cut(entry, "\n")
		list, message, ok2 := strings.Cut(rest, "\n")
		if err := json.Unmarshal([]byte(head), &d); err != nil || !ok1 || !ok2 {
			d.Why, list, message = "the dead letter itself cannot be read", "", entry
		}
		d.List, d.Message = list, []byte(message)
		letters = append(letters, d)
	}
	return letters, nil
}

// ErrNoLetter says that a dead letter is not there any more.
var ErrNoLetter = errors.New("the dead letter is not there any more")

// Requeue sends a dead letter of Dead to the end of the list it came from; how many workers have died with it is forgotten. It returns ErrNoLetter
// when somebody else has done so.
func (q *Queue) Requeue(ctx context.Context, d DeadLetter) error {
	if d.List == "" {
		return errors.New("sending back a dead letter: it is not known which list it came from")
	}
	message := d.Message
	if changed, err := again(message, 0); err == nil {
		message = changed
	}
	n, err := q.eval(ctx, requeueScript, []string{d.List}, q.cfg.Prefix, d.entry, message)
	if err != nil {
		return fmt.Errorf("sending back a dead letter: %w", err)
	}
	if n != int64(1) {
		return ErrNoLetter
	}
	return nil
}
