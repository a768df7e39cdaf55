package celery

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/drain/worker"
	"git.sr.ht/~sourcehut/ha-go/drain/worker/workertest"
	"git.sr.ht/~sourcehut/ha-go/internal/pgtest"
)

func TestMain(m *testing.M) {
	if os.Getenv(victimVariable) != "" {
		victim()
		return
	}
	if code := m.Run(); code != 0 {
		os.Exit(code)
	}
	if left := leaked(); left != "" {
		fmt.Fprintln(os.Stderr, "goroutines are left when all tests have ended:\n"+left)
		os.Exit(1)
	}
}

// leaked are the stacks of goroutines of these packages that do not come to their end.
func leaked() string {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for limit := time.After(10 * time.Second); ; {
		var left []string
		stacks := make([]byte, 1<<20)
		for stack := range strings.SplitSeq(string(stacks[:runtime.Stack(stacks, true)]), "\n\n") {
			if strings.Contains(stack, "ha-go/drain") && !strings.Contains(stack, "celery.leaked") {
				left = append(left, stack)
			}
		}
		if len(left) == 0 {
			return ""
		}
		select {
		case <-tick.C:
		case <-limit:
			return strings.Join(left, "\n\n")
		}
	}
}

// newQueue is a queue on the server, closed when the test ends.
func newQueue(t testing.TB, server *pgtest.RedisServer, cfg Config) *Queue {
	t.Helper()
	cfg.URL = "redis+socket://" + server.Socket
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.NewTextHandler(testWriter(t), nil))
	}
	q, err := New(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, q.Close()) })
	return q
}

// testWriter writes to the test's log, until the test ends.
func testWriter(t testing.TB) io.Writer {
	w := &logWriter{t: t}
	t.Cleanup(func() {
		w.mu.Lock()
		w.t = nil
		w.mu.Unlock()
	})
	return w
}

type logWriter struct {
	mu sync.Mutex
	t  testing.TB
}

func (w *logWriter) Write(text []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.t != nil {
		w.t.Log(strings.TrimSpace(string(text)))
	}
	return len(text), nil
}

// stored is the result of a task as it is stored, or nil.
func stored(t testing.TB, q *Queue, id string) map[string]any {
	t.Helper()
	text, err := q.redis.Get(t.Context(), "celery-task-meta-"+id).Bytes()
	if err == redis.Nil {
		return nil
	}
	require.NoError(t, err)
	var meta map[string]any
	require.NoError(t, json.Unmarshal(text, &meta))
	return meta
}

// take takes within a minute.
func take(t testing.TB, q *Queue) *worker.Job {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	job, err := q.Take(ctx)
	require.NoError(t, err)
	return job
}

// eventually asks again and again until the answer is yes, for a minute at most. The condition may fail the test.
func eventually(t testing.TB, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for limit := time.After(time.Minute); !condition(); {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatal("still not so after a minute")
		}
	}
}

// nothing asserts that there is nothing to take now.
func nothing(t testing.TB, q *Queue) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	job, err := q.Take(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Nil(t, job)
}

// leftovers are the keys of this package that should not be there when all jobs are done: all but the token and what is remembered.
func leftovers(t testing.TB, q *Queue) (left []string) {
	t.Helper()
	keys, err := q.redis.Keys(t.Context(), "*").Result()
	require.NoError(t, err)
	for _, key := range keys {
		if key != "ha:token" && !strings.HasPrefix(key, "_kombu.") && !strings.HasPrefix(key, "ha:done:") && !strings.HasPrefix(key, "ha:sent:") && !strings.HasPrefix(key, "celery-task-meta-") && !strings.HasPrefix(key, "test:") {
			left = append(left, key)
		}
	}
	return left
}

func TestQueue(t *testing.T) {
	workertest.Run(t, func(t *testing.T) workertest.Subject {
		server := pgtest.Redis(t, nil)
		cfg := Config{Lease: time.Second}
		a, b := newQueue(t, server, cfg), newQueue(t, server, cfg)
		results := watchResults(t, a)
		return workertest.Subject{A: a, B: b, Add: func(id string) {
			if _, err := a.Send(t.Context(), Task{Name: "test", ID: id}); err != nil {
				t.Error(err)
			}
		}, Results: func() map[string]int { return results.counts(t) }}
	})
}

// results are those that were published, by the tasks' IDs: each is published once for each time that it is stored.
type results struct {
	q    *Queue
	mu   sync.Mutex
	seen map[string][]string
	sync chan string
}

func watchResults(t testing.TB, q *Queue) *results {
	t.Helper()
	r := &results{q: q, seen: map[string][]string{}, sync: make(chan string, 100)}
	sub := q.redis.PSubscribe(t.Context(), "celery-task-meta-*", "test:sync")
	_, err := sub.Receive(t.Context())
	require.NoError(t, err)
	var reading sync.WaitGroup
	reading.Go(func() {
		for m := range sub.Channel(redis.WithChannelSize(10000)) {
			if m.Channel == "test:sync" {
				r.sync <- m.Payload
				continue
			}
			r.mu.Lock()
			id := strings.TrimPrefix(m.Channel, "celery-task-meta-")
			r.seen[id] = append(r.seen[id], m.Payload)
			r.mu.Unlock()
		}
	})
	t.Cleanup(func() {
		_ = sub.Close()
		reading.Wait()
	})
	return r
}

// counts returns how many there have been of each until now.
func (r *results) counts(t testing.TB) map[string]int {
	t.Helper()
	mark := newUUID()
	require.NoError(t, r.q.redis.Publish(t.Context(), "test:sync", mark).Err())
	for got := ""; got != mark; {
		got = <-r.sync
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	all := map[string]int{}
	for id, list := range r.seen {
		all[id] = len(list)
	}
	return all
}
