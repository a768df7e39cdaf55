package celery

import (
	"context"
	_ "embed"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

//go:embed scripts/take.lua
var takeScript string

//go:embed scripts/settle.lua
var settleScript string

//go:embed scripts/renew.lua
var renewScript string

//go:embed scripts/expired.lua
var expiredScript string

//go:embed scripts/requeue.lua
var requeueScript string

//go:embed scripts/send.lua
var sendScript string

// eval runs a script, by its hash if the server knows it.
func (q *Queue) eval(ctx context.Context, script string, keys []string, args ...any) (any, error) {
	ctx, cancel := shortly(ctx)
	defer cancel()
	return redis.NewScript(script).Run(ctx, q.redis, keys, args...).Result()
}

// taken is a message in our hands.
type taken struct {
	receipt string
	raw     []byte
	list    string
	token   int64
	at      time.Time // now, by the server's clock
}

// pop takes the next message; if there is none, it returns how long it is until one that is set aside is due, or -1.
func (q *Queue) pop(ctx context.Context, receipt string) (*taken, time.Duration, error) {
	answer, err := q.eval(ctx, takeScript, q.lists(), q.cfg.Prefix, receipt, q.cfg.Lease.Milliseconds())
	if err != nil {
		return nil, 0, fmt.Errorf("taking from %q: %w", q.cfg.Queues, err)
	}
	got, ok := answer.([]any)
	if ok && len(got) == 1 {
		if ms, ok := got[0].(int64); ok {
			return nil, time.Duration(ms) * time.Millisecond, nil
		}
	}
	if ok && len(got) == 4 {
		raw, ok1 := got[0].(string)
		list, ok2 := got[1].(string)
		token, ok3 := got[2].(int64)
		at, ok4 := got[3].(int64)
		if ok1 && ok2 && ok3 && ok4 {
			return &taken{receipt: receipt, raw: []byte(raw), list: list, token: token, at: time.UnixMilli(at)}, 0, nil
		}
	}
	return nil, 0, fmt.Errorf("taking from %q: unexpected answer %v", q.cfg.Queues, answer)
}

// outcome is what becomes of a hand-out; ha:done:<receipt> has it.
type outcome string

const (
	finished  outcome = "finished"
	givenBack outcome = "given back"
	rejected  outcome = "rejected"
	delayed   outcome = "delayed"
	recovered outcome = "recovered"
	renewed   outcome = "renewed" // by its worker, in the last moment; never remembered
)

// settling is the end of a hand-out.
type settling struct {
	receipt string
	outcome outcome
	key     string // of the result; "": none is stored
	result  []byte
	where   string // as settle.lua has it
	changed []byte // the message, if it is another
	preface []byte // of a dead letter
	expired bool
}

// settle ends a hand-out, and returns what became of it, which is not what was asked for when somebody was faster.
func (q *Queue) settle(ctx context.Context, s settling) (outcome, error) {
	expired := ""
	if s.expired {
		expired = "expired"
	}
	// For longer than anybody goes on asking.
	remember := max(20*q.cfg.Lease, time.Hour)
	answer, err := q.eval(ctx, settleScript, nil, q.cfg.Prefix, s.receipt, string(s.outcome), remember.Milliseconds(), s.key, s.result,
		q.cfg.ResultExpires.Milliseconds(), s.where, s.changed, s.preface, expired)
	if err != nil {
		return "", err
	}
	return outcome(fmt.Sprint(answer)), nil
}
