package celery

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/drain/worker"
	"git.sr.ht/~sourcehut/ha-go/internal/pgtest"
)

func TestBadConfig(t *testing.T) {
	_, err := New(Config{URL: "amqp://x", Lease: -1, ResultExpires: time.Microsecond, Attempts: -1, Queues: []string{"a", "a", ""}, PrioritySteps: []int{3, 0}})
	require.EqualError(t, err, `celery: Lease is -1ns: a duration cannot be negative
celery: ResultExpires is 1µs: Redis counts in milliseconds
celery: Attempts is -1: it cannot be negative
celery: Queues has "a" twice or empty
celery: Queues has "" twice or empty
celery: PrioritySteps [3 0] do not grow
celery: URL cannot be read: write redis://user:password@host:port/database, rediss://…, redis+socket:///path?virtual_host=database `+
		`or unix:///path?db=database, with % and what is special in a URL escaped in the password (@ as %40, # as %23)`)
	for _, cfg := range []Config{{}, {Queues: []string{}, PrioritySteps: []int{}}} {
		q, err := New(cfg)
		require.NoError(t, err)
		require.Equal(t, "localhost:6379", q.redis.Options().Addr)
		require.Equal(t, []string{"celery", "celery\x06\x163", "celery\x06\x166", "celery\x06\x169"}, q.lists())
		require.NoError(t, q.Close())
	}
}

// TestPasswordIsNotRepeated: whatever is wrong with a URL, its error goes to logs.
func TestPasswordIsNotRepeated(t *testing.T) {
	for _, text := range []string{
		"redis://:s3cr%t@host/0", "redis+socket://:s3cr%t@/run/redis", "redis://:s3cr#t@host:6379/0", "redis://:s3cr/t@host:6379/0", "redis://:s3cr3t@host:port/0",
		"redis+socket://:s3cr3t@/run/x?virtual_host=s3cr", "redis://:s3cr3t@host/x/y", "redis://:s3cr3t@host/0?s3cr=1", "s3cr://x", ":s3cr3t@host",
	} {
		_, err := New(Config{URL: text})
		require.Error(t, err, text)
		require.NotContains(t, err.Error(), "s3cr", text)
	}
}

// TestURL: the forms of Celery's broker_url.
func TestURL(t *testing.T) {
	for text, want := range map[string]struct {
		network, addr, user, password string
		db                            int
		tls                           bool
	}{
		"":                                    {"tcp", "localhost:6379", "", "", 0, false},
		"redis://u:p@h:1/2":                   {"tcp", "h:1", "u", "p", 2, false},
		"rediss://h/3":                        {"tcp", "h:6379", "", "", 3, true},
		"redis+socket:///a/b":                 {"unix", "/a/b", "", "", 0, false},
		"redis+socket:///a/b?virtual_host=4":  {"unix", "/a/b", "", "", 4, false},
		"redis+socket:///a/b?virtual_host=/5": {"unix", "/a/b", "", "", 5, false},
		"unix:///a/b?db=6":                    {"unix", "/a/b", "", "", 6, false},
	} {
		o, err := parseURL(text)
		require.NoError(t, err, text)
		require.Equal(t, want, struct {
			network, addr, user, password string
			db                            int
			tls                           bool
		}{o.Network, o.Addr, o.Username, o.Password, o.DB, o.TLSConfig != nil}, text)
	}
}

// TestTakeAgain: a take whose answer was lost is asked again, and brings the same message.
func TestTakeAgain(t *testing.T) {
	q := newQueue(t, pgtest.Redis(t, nil), Config{})
	for _, id := range []string{"a", "b"} {
		_, err := q.Send(t.Context(), Task{Name: "x", ID: id})
		require.NoError(t, err)
	}
	lost, _, err := q.pop(t.Context(), "receipt")
	require.NoError(t, err)
	q.doubt("receipt")
	job := take(t, q)
	require.Equal(t, []any{"a", lost.token, "receipt"}, []any{job.ID, job.Token, job.Receipt})
	require.Equal(t, "b", take(t, q).ID)
}

// TestTokensGrow: also when Redis has lost all that it had.
func TestTokensGrow(t *testing.T) {
	q := newQueue(t, pgtest.Redis(t, nil), Config{})
	last := int64(0)
	for i := range 50 {
		if i%10 == 9 {
			require.NoError(t, q.redis.FlushAll(t.Context()).Err())
		}
		_, err := q.Send(t.Context(), Task{Name: "x"})
		require.NoError(t, err)
		token := take(t, q).Token
		require.Greater(t, token, last)
		last = token
	}
}

// TestRecoveredInOrder: what a dead worker had goes to the head of its list in the order in which it was taken, and is counted; it ends
// among the dead letters when too many have died with it. What cannot even be counted does at once.
func TestRecoveredInOrder(t *testing.T) {
	t.Parallel()
	q := newQueue(t, pgtest.Redis(t, nil), Config{Lease: 500 * time.Millisecond, Attempts: 2})
	send := func(id string) {
		_, err := q.Send(t.Context(), Task{Name: "x", ID: id, Priority: 4})
		require.NoError(t, err)
	}
	send("a")
	send("b")
	require.Equal(t, "a", take(t, q).ID)
	require.Equal(t, "b", take(t, q).ID)
	send("c")
	// The server has to be up for a lease in whole seconds.
	eventually(t, func() bool {
		require.NoError(t, q.recover(t.Context()))
		return q.redis.LLen(t.Context(), "celery\x06\x163").Val() == 3
	})
	a, b, c := take(t, q), take(t, q), take(t, q)
	require.Equal(t, []any{"a", 2, "b", 2, "c", 1}, []any{a.ID, a.Attempt, b.ID, b.Attempt, c.ID, c.Attempt})
	require.NoError(t, q.Finish(t.Context(), b, nil, nil))
	require.NoError(t, q.Finish(t.Context(), c, nil, nil))
	_, _, err := q.pop(t.Context(), "nobody")
	require.NoError(t, err)
	require.NoError(t, q.redis.LPush(t.Context(), "celery", "garbage").Err())
	_, _, err = q.pop(t.Context(), "dies while it reads it")
	require.NoError(t, err)
	eventually(t, func() bool {
		require.NoError(t, q.recover(t.Context()))
		return q.redis.LLen(t.Context(), "ha:dead").Val() == 2
	})
	none, err := q.Dead(t.Context(), 0)
	require.NoError(t, err)
	require.Empty(t, none)
	letters, err := q.Dead(t.Context(), 10)
	require.NoError(t, err)
	require.Contains(t, letters[0].Why+letters[1].Why, "2 workers died with it")
	require.Contains(t, letters[0].Why+letters[1].Why, "the message is not a JSON object")
	require.Equal(t, "FAILURE", stored(t, q, "a")["status"])
	require.ErrorIs(t, q.Finish(t.Context(), a, nil, nil), worker.ErrLost)

	for _, d := range letters {
		if d.List != "celery" {
			require.Equal(t, "celery\x06\x163", d.List)
			require.NoError(t, q.Requeue(t.Context(), d))
			require.ErrorIs(t, q.Requeue(t.Context(), d), ErrNoLetter)
		}
	}
	again := take(t, q)
	require.Equal(t, []any{"a", 1}, []any{again.ID, again.Attempt})
	require.NoError(t, q.Finish(t.Context(), again, 1, nil))
	require.Equal(t, "SUCCESS", stored(t, q, "a")["status"], "a failure can be followed by a success")
	require.NoError(t, q.redis.LPush(t.Context(), "celery", `{"headers": {"task": "x", "id": "a"}}`).Err())
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = q.Take(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Equal(t, "SUCCESS", stored(t, q, "a")["status"], "and a success by nothing")
}

// TestDelayedOfAnotherQueue: a worker leaves a task that waits for its eta to those that take from the task's queue.
func TestDelayedOfAnotherQueue(t *testing.T) {
	t.Parallel()
	server := pgtest.Redis(t, nil)
	a, b := newQueue(t, server, Config{Queues: []string{"a"}}), newQueue(t, server, Config{Queues: []string{"b"}})
	_, err := b.Send(t.Context(), Task{Name: "only b knows", ID: "x", ETA: time.Now().Add(300 * time.Millisecond)})
	require.NoError(t, err)
	nothing(t, b) // it is set aside
	ctx, cancel := context.WithTimeout(t.Context(), 600*time.Millisecond)
	defer cancel()
	job, err := a.Take(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Nil(t, job)
	require.Equal(t, "x", take(t, b).ID)
}

// TestDeadLetterKeepsEachByte: also of what is not text.
func TestDeadLetterKeepsEachByte(t *testing.T) {
	q := newQueue(t, pgtest.Redis(t, nil), Config{})
	raw := "\xff\x00\n\r{\"a\n"
	require.NoError(t, q.redis.LPush(t.Context(), "celery", raw).Err())
	nothing(t, q)
	letters, err := q.Dead(t.Context(), 10)
	require.NoError(t, err)
	require.Len(t, letters, 1)
	require.Equal(t, []any{"the message is not UTF-8", "celery", raw}, []any{letters[0].Why, letters[0].List, string(letters[0].Message)})
	require.WithinDuration(t, time.Now(), letters[0].Time, time.Minute)
	require.NoError(t, q.Requeue(t.Context(), letters[0]))
	require.Equal(t, raw, q.redis.RPop(t.Context(), "celery").Val())
}

// TestQueuesInTurn: none starves, and priorities come before queues.
func TestQueuesInTurn(t *testing.T) {
	q := newQueue(t, pgtest.Redis(t, nil), Config{Queues: []string{"a", "b"}})
	for range 3 {
		for _, queue := range q.cfg.Queues {
			_, err := q.Send(t.Context(), Task{Name: queue, Queue: queue})
			require.NoError(t, err)
		}
	}
	_, err := q.Send(t.Context(), Task{Name: "low", Queue: "a", Priority: 9})
	require.NoError(t, err)
	var got []string
	for range 7 {
		got = append(got, take(t, q).Name)
	}
	require.NotEqual(t, got[0], got[1])
	require.NotEqual(t, got[2], got[3])
	require.Equal(t, "low", got[6])
}

// TestWakesAtOnce: a take that waits is woken by each list, not by the next look at it.
func TestWakesAtOnce(t *testing.T) {
	server := pgtest.Redis(t, nil)
	q := newQueue(t, server, Config{Queues: []string{"a", "b"}, Lease: time.Hour})
	waiting := func(n int) {
		t.Helper()
		eventually(t, func() bool {
			return strings.Contains(q.redis.Info(t.Context(), "clients").Val(), fmt.Sprintf("blocked_clients:%d\r", n))
		})
	}
	for _, task := range []Task{{Name: "x", Queue: "a"}, {Name: "x", Queue: "b", Priority: 9}, {Name: "x", Queue: "b", Priority: 3}} {
		taken := make(chan *worker.Job, 1)
		go func() {
			job, _ := q.Take(t.Context())
			taken <- job
		}()
		waiting(8)
		_, err := q.Send(t.Context(), task)
		require.NoError(t, err)
		began := time.Now()
		require.NotNil(t, <-taken)
		t.Logf("taken after %s", time.Since(began))
		waiting(0)
	}
}

// lines is a log.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(text []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(text)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// TestRedisGoesAway: while a worker waits, while a job runs, and when it ends. The lease runs out meanwhile, but the job is not
// handed to the other worker that is there too: the one that has it renews it first.
func TestRedisGoesAway(t *testing.T) {
	t.Parallel()
	server := pgtest.Redis(t, nil)
	var log lines
	logger := slog.New(slog.NewTextHandler(&log, nil))
	cfg := Config{Lease: 2 * time.Second, Log: logger}
	q := newQueue(t, server, cfg)
	began, release := make(chan *worker.Job), make(chan struct{})
	w := startWorker(t, worker.Config{Queue: q, Capacity: 1, Log: logger, Handler: func(ctx context.Context, job *worker.Job) (any, error) {
		select {
		case began <- job:
		case <-ctx.Done():
		}
		select {
		case <-release:
		case <-ctx.Done():
		}
		return "done", ctx.Err()
	}})
	away := func(until string) {
		server.Kill()
		eventually(t, func() bool { return strings.Contains(log.String(), until) })
	}
	away("taking a job: trying again")
	server.Start(t)
	results := watchResults(t, newQueue(t, server, Config{}))
	_, err := q.Send(t.Context(), Task{Name: "x", ID: "first"})
	require.NoError(t, err)
	<-began
	_, err = q.Send(t.Context(), Task{Name: "x", ID: "second"})
	require.NoError(t, err)
	release <- struct{}{}
	require.Equal(t, "second", (<-began).ID)
	lease, err := q.redis.ZRangeWithScores(t.Context(), "ha:leases", 0, -1).Result()
	require.NoError(t, err)
	require.Len(t, lease, 1)
	require.Equal(t, map[string]int{"first": 1}, results.counts(t))

	away("renewing leases: trying again")
	eventually(t, func() bool { return time.Now().UnixMilli() > int64(lease[0].Score)+1000 })
	release <- struct{}{}
	eventually(t, func() bool { return strings.Contains(log.String(), "recording how the job ended: trying again") })
	server.Start(t)
	other := newQueue(t, server, cfg)
	eventually(t, func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		job, _ := other.Take(ctx)
		require.Nil(t, job, "the other worker gets nothing")
		return stored(t, other, "second") != nil
	})
	require.Equal(t, worker.Counts{Finished: 2}, w.Status().Counts)
	require.Empty(t, leftovers(t, other))
}

// TestDelayed: a task whose time has not come waits outside of the lists, and in its time comes with all it had.
func TestDelayed(t *testing.T) {
	t.Parallel()
	q := newQueue(t, pgtest.Redis(t, nil), Config{})
	began := time.Now()
	for _, task := range []Task{{Name: "x", ID: "later", ETA: began.Add(600 * time.Millisecond)}, {Name: "x", ID: "sooner", ETA: began.Add(300 * time.Millisecond)}, {Name: "x", ID: "now", ETA: began.Add(-time.Hour)}} {
		_, err := q.Send(t.Context(), task)
		require.NoError(t, err)
	}
	require.Equal(t, "now", take(t, q).ID)
	sooner := take(t, q)
	require.Equal(t, "sooner", sooner.ID)
	require.GreaterOrEqual(t, time.Since(began), 299*time.Millisecond)
	require.NoError(t, q.GiveBack(t.Context(), sooner))
	require.Equal(t, "sooner", take(t, q).ID, "from its list, where anybody gets it")
	require.Equal(t, "later", take(t, q).ID)
	require.GreaterOrEqual(t, time.Since(began), 599*time.Millisecond)
}

// TestWrongType: what is no list is an error that names the queue, again and again, and nothing is lost.
func TestWrongType(t *testing.T) {
	q := newQueue(t, pgtest.Redis(t, nil), Config{})
	require.NoError(t, q.redis.Set(t.Context(), "celery", "x", 0).Err())
	_, err := q.Take(t.Context())
	require.ErrorContains(t, err, `taking from ["celery"]`)
	require.ErrorContains(t, err, "WRONGTYPE")
}

// TestOwnClient: it is used, and left open.
func TestOwnClient(t *testing.T) {
	server := pgtest.Redis(t, nil)
	client := redis.NewClient(&redis.Options{Network: "unix", Addr: server.Socket})
	defer func() { require.NoError(t, client.Close()) }()
	q, err := New(Config{Client: client, URL: "not looked at"})
	require.NoError(t, err)
	_, err = q.Send(t.Context(), Task{Name: "x", ID: "a"})
	require.NoError(t, err)
	require.Equal(t, "a", take(t, q).ID)
	require.NoError(t, q.Close())
	require.NoError(t, client.Ping(t.Context()).Err())
}

func TestSendSaysWhatIsWrong(t *testing.T) {
	q, err := New(Config{URL: "redis+socket:///does/not/exist"})
	require.NoError(t, err)
	defer func() { _ = q.Close() }()
	_, err = q.Send(t.Context(), Task{Name: "x", Priority: 10})
	require.EqualError(t, err, "sending task x to celery: priority 10 is not between 0 and 9")
	_, err = q.Send(t.Context(), Task{})
	require.EqualError(t, err, "sending task  to celery: it has no name")
	_, err = q.Send(t.Context(), Task{Name: "x", Args: []any{make(chan int)}})
	require.ErrorContains(t, err, "unsupported type")
	_, err = q.Send(t.Context(), Task{Name: "x"})
	require.ErrorContains(t, err, "/does/not/exist")
}
