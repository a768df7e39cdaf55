package celery

import (
	"context"
	"crypto/rand"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"git.sr.ht/~sourcehut/ha-go/drain/worker"
	"git.sr.ht/~sourcehut/ha-go/drain/worker/internal/fault"
)

// longestWait is how long a wait goes on before the lists are looked at again.
const longestWait = 5 * time.Second

// Take implements worker.Queue. Messages that are not for now, or for nobody, are dealt with on the way.
func (q *Queue) Take(ctx context.Context) (*worker.Job, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := q.recover(ctx); err != nil {
			return nil, err
		}
		fault.At(ctx, fault.TakeBegin)
		receipt := q.receipt()
		t, next, err := q.pop(ctx, receipt)
		if err != nil {
			q.doubt(receipt)
			return nil, err
		}
		if t == nil {
			if err := q.wait(ctx, next); err != nil {
				return nil, err
			}
			continue
		}
		fault.At(ctx, fault.Popped)
		job, err := q.open(ctx, t)
		if err != nil {
			q.doubt(receipt) // the next Take finds it again
			return nil, err
		}
		if job != nil {
			return job, nil
		}
	}
}

// receipt is a new one, or one of a take that may have been done.
func (q *Queue) receipt() string {
	q.mu.Lock()
	defer q.mu.Unlock()
	if n := len(q.unsure); n > 0 {
		r := q.unsure[n-1]
		q.unsure = q.unsure[:n-1]
		return r
	}
	return rand.Text()
}

func (q *Queue) doubt(receipt string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.unsure = append(q.unsure, receipt)
}

// open reads a message that was taken, and returns its job; nil when it was dealt with: set aside until its time, too late, or unreadable.
func (q *Queue) open(ctx context.Context, t *taken) (*worker.Job, error) {
	m, err := parse(t.raw, q.cfg.Location)
	if err != nil {
		return nil, q.bury(ctx, t, m, err)
	}
	switch {
	case !m.expires.IsZero() && t.at.After(m.expires):
		q.log.Warn("task revoked: it came after it had expired", "id", m.id, "task", m.name, "expires", m.expires)
		_, err = q.settle(ctx, settling{receipt: t.receipt, outcome: finished, key: m.meta.key(m.id), result: revoked(m.id, m.meta, t.at)})
		fault.At(ctx, fault.Expired)
	case m.eta.After(t.at):
		_, err = q.settle(ctx, settling{receipt: t.receipt, outcome: delayed, where: strconv.FormatInt(m.eta.UnixMilli(), 10)})
		fault.At(ctx, fault.Delayed)
	default:
		return m.job(t), nil
	}
	if err != nil {
		err = fmt.Errorf("setting aside task %s: %w", m.id, err)
	}
	return nil, err
}

// wait returns when a list is not empty any more, when next (if it is not negative) has passed, or after some time.
func (q *Queue) wait(ctx context.Context, next time.Duration) error {
	limit := min(longestWait, q.RenewEvery())
	if next >= 0 {
		limit = min(limit, next)
	}
	enough, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var waiting sync.WaitGroup
	defer waiting.Wait()
	defer cancel() // before it waits
	lists := q.lists()
	woken := make(chan error, len(lists))
	for _, list := range lists {
		waiting.Go(func() { woken <- q.await(enough, list) })
	}
	select {
	case err := <-woken:
		if err != nil && enough.Err() == nil {
			return fmt.Errorf("waiting for %q: %w", q.cfg.Queues, err)
		}
	case <-enough.Done():
	}
	return ctx.Err()
}

// await returns when the list is not empty, or ctx has ended. Moving the last element to where it is changes nothing, but blocks while there
// is none (https://redis.io/commands/lmove: "if source and destination are the same …").
func (q *Queue) await(ctx context.Context, list string) error {
	conn := q.redis.Conn()
	defer func() { _ = conn.Close() }()
	whole := context.WithoutCancel(ctx) // a connection that is broken off is lost for the pool
	id, err := conn.ClientID(whole).Result()
	if err != nil {
		return err
	}
	moved := make(chan error, 1)
	go func() {
		_, err := conn.BLMove(whole, list, list, "RIGHT", "RIGHT", longestWait+time.Second).Result()
		moved <- err
	}()
	select {
	case err = <-moved:
	case <-ctx.Done():
		// Again, should the first come before the server has begun to wait.
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for ended := false; !ended; {
			unblock, cancel := shortly(ctx)
			q.redis.ClientUnblock(unblock, id)
			cancel()
			select {
			case err = <-moved:
				ended = true
			case <-tick.C:
			}
		}
	}
	if err == redis.Nil {
		return nil
	}
	return err
}

// Renew implements worker.Renewer.
func (q *Queue) Renew(ctx context.Context, jobs ...*worker.Job) (lost []*worker.Job, err error) {
	args := []any{q.cfg.Prefix, q.cfg.Lease.Milliseconds()}
	byReceipt := map[string]*worker.Job{}
	for _, job := range jobs {
		args = append(args, job.Receipt)
		byReceipt[job.Receipt] = job
	}
	answer, err := q.eval(ctx, renewScript, nil, args...)
	if err != nil {
		return nil, fmt.Errorf("renewing leases: %w", err)
	}
	gone, _ := answer.([]any)
	for _, receipt := range gone {
		if job := byReceipt[fmt.Sprint(receipt)]; job != nil {
			lost = append(lost, job)
		}
	}
	return lost, nil
}

// recover puts back what workers have left that do not renew its leases any more. It looks as often as leases are renewed.
func (q *Queue) recover(ctx context.Context) error {
	q.mu.Lock()
	due := time.Since(q.looked) >= q.RenewEvery()
	if due {
		q.looked = time.Now()
	}
	q.mu.Unlock()
	if !due {
		return nil
	}
	answer, err := q.eval(ctx, expiredScript, nil, q.cfg.Prefix, 100)
	if err != nil {
		return fmt.Errorf("looking for leases that have run out: %w", err)
	}
	found, _ := answer.([]any)
	if len(found) == 0 {
		return nil
	}
	if up, err := q.uptime(ctx); err != nil || up < q.cfg.Lease {
		return err
	}
	for _, one := range found {
		if got, ok := one.([]any); ok && len(got) == 3 {
			if err := q.restore(ctx, fmt.Sprint(got[0]), []byte(fmt.Sprint(got[1]))); err != nil {
				return err
			}
		}
	}
	return nil
}

// uptime is how long the server has been up, at least.
func (q *Queue) uptime(ctx context.Context) (time.Duration, error) {
	ctx, cancel := shortly(ctx)
	defer cancel()
	info, err := q.redis.Info(ctx, "server").Result()
	if err != nil {
		return 0, fmt.Errorf("asking Redis how long it has been up: %w", err)
	}
	_, rest, _ := strings.Cut(info, "uptime_in_seconds:")
	line, _, _ := strings.Cut(rest, "\r\n")
	seconds, err := strconv.Atoi(line)
	if err != nil {
		return 0, fmt.Errorf("asking Redis how long it has been up: unexpected answer %q", line)
	}
	return time.Duration(max(0, seconds-1)) * time.Second, nil // it counts the ends of seconds: a server one millisecond old may say 1
}

// restore puts a dead worker's message back at the head of its list, or buries it when it was the last try.
func (q *Queue) restore(ctx context.Context, receipt string, raw []byte) error {
	fault.At(ctx, fault.RecoverBegin)
	m, unreadable := parse(raw, q.cfg.Location)
	m.attempts++
	changed, err := again(raw, m.attempts)
	if m.attempts >= q.cfg.Attempts || err != nil {
		if unreadable == nil {
			unreadable = fmt.Errorf("%d workers died with it", m.attempts)
		}
		return q.putAside(ctx, settling{receipt: receipt, outcome: rejected, expired: true}, m, unreadable)
	}
	got, err := q.settle(ctx, settling{receipt: receipt, outcome: recovered, where: "head", changed: changed, expired: true})
	if err != nil {
		return fmt.Errorf("putting back task %s, whose worker is gone: %w", m.id, err)
	}
	fault.At(ctx, fault.Recovered)
	if got == recovered {
		q.log.Warn("task put back: its worker is gone", "id", m.id, "task", m.name, "workers", m.attempts)
	}
	return nil
}
