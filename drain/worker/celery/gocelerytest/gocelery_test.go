// Package gocelerytest runs gocelery, the worker and the client of builds.sr.ht, beside package celery.
package gocelerytest

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gocelery/gocelery"
	redigo "github.com/gomodule/redigo/redis"
	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/drain/worker"
	"git.sr.ht/~sourcehut/ha-go/drain/worker/celery"
	"git.sr.ht/~sourcehut/ha-go/internal/pgtest"
)

func pool(server *pgtest.RedisServer) *redigo.Pool {
	return &redigo.Pool{MaxIdle: 50, Dial: func() (redigo.Conn, error) { return redigo.Dial("unix", server.Socket) }}
}

func client(t testing.TB, server *pgtest.RedisServer, workers int) *gocelery.CeleryClient {
	t.Helper()
	p := pool(server)
	t.Cleanup(func() { _ = p.Close() })
	c, err := gocelery.NewCeleryClient(gocelery.NewRedisBroker(p), gocelery.NewRedisBackend(p), workers)
	require.NoError(t, err)
	return c
}

func queue(t testing.TB, server *pgtest.RedisServer) *celery.Queue {
	t.Helper()
	q, err := celery.New(celery.Config{URL: "redis+socket://" + server.Socket})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, q.Close()) })
	return q
}

// serve runs the worker until stop is called, or the test ends.
func serve(t testing.TB, cfg worker.Config) (w *worker.Worker, stop func()) {
	t.Helper()
	w, err := worker.New(cfg)
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- w.Serve() }()
	stop = sync.OnceFunc(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
		defer cancel()
		require.NoError(t, w.Shutdown(ctx))
		require.NoError(t, <-served)
	})
	t.Cleanup(stop)
	return w, stop
}

// TestAsks: what gocelery's client asks for is done, and answered so that it understands.
func TestAsks(t *testing.T) {
	server := pgtest.Redis(t, nil)
	serve(t, worker.Config{Queue: queue(t, server), Handlers: map[string]worker.Handler{
		"buildsrht.runner.run_build_manifest": func(_ context.Context, job *worker.Job) (any, error) {
			var id int
			var manifest map[string]any
			if err := celery.Args(job, &id, &manifest); err != nil {
				return nil, err
			}
			return fmt.Sprint(id, " on ", manifest["image"]), nil
		},
	}})
	c := client(t, server, 1)
	answer, err := c.Delay("buildsrht.runner.run_build_manifest", 1138, map[string]any{"image": "alpine/edge"})
	require.NoError(t, err)
	value, err := answer.Get(time.Minute)
	require.NoError(t, err)
	require.Equal(t, "1138 on alpine/edge", value)
}

// TestGiveBack: what is given back is run by a worker of gocelery's.
func TestGiveBack(t *testing.T) {
	server := pgtest.Redis(t, nil)
	q := queue(t, server)
	c := client(t, server, 1)
	answer, err := c.Delay("double", 21)
	require.NoError(t, err)
	job, err := q.Take(t.Context())
	require.NoError(t, err)
	require.NoError(t, q.GiveBack(t.Context(), job))
	c.Register("double", func(n int) int { return 2 * n })
	c.StartWorker()
	defer c.StopWorker()
	value, err := answer.Get(time.Minute)
	require.NoError(t, err)
	require.Equal(t, 42.0, value)
}

// TestStop: how many jobs begin after the call that is to stop them: for ours, once LameDuck has returned, which is asserted; for gocelery's,
// since StopWorker was called, which returns when all have ended, and is logged.
func TestStop(t *testing.T) {
	const trials, workers, jobs = 5, 8, 100
	const work = 120 * time.Millisecond // longer than gocelery's pause between two looks at the queue
	after := func(run func(server *pgtest.RedisServer) (late int64)) (late int64) {
		for range trials {
			server := pgtest.Redis(t, nil)
			c := client(t, server, 1)
			for range jobs {
				_, err := c.Delay("job")
				require.NoError(t, err)
			}
			late += run(server)
		}
		return late
	}
	theirs := after(func(server *pgtest.RedisServer) int64 {
		c := client(t, server, workers)
		var stopping atomic.Bool
		var late atomic.Int64
		started := make(chan struct{}, jobs)
		c.Register("job", func() int {
			if stopping.Load() {
				late.Add(1)
			}
			started <- struct{}{}
			<-time.After(work)
			return 0
		})
		c.StartWorker()
		for range workers {
			<-started
		}
		stopping.Store(true)
		c.StopWorker()
		return late.Load()
	})
	ours := after(func(server *pgtest.RedisServer) int64 {
		var mu sync.Mutex
		ran := map[string]bool{}
		started := make(chan struct{}, jobs)
		w, stop := serve(t, worker.Config{Queue: queue(t, server), Capacity: workers, Handler: func(_ context.Context, job *worker.Job) (any, error) {
			mu.Lock()
			ran[job.ID] = true
			mu.Unlock()
			started <- struct{}{}
			<-time.After(work)
			return 0, nil
		}})
		for range workers {
			<-started
		}
		w.LameDuck()
		s := w.Status()
		known := int(s.Counts.Finished) + len(s.Running)
		stop()
		mu.Lock()
		defer mu.Unlock()
		return int64(max(0, len(ran)-known))
	})
	t.Logf("in %d trials with %d workers: %d jobs of gocelery's begun after StopWorker was called, %d of ours after LameDuck had returned", trials, workers, theirs, ours)
	require.Zero(t, ours)
}

// BenchmarkJobs is jobs a second, with nothing in them, by eight at a time: through this queue and through gocelery, which looks for a job no more
// than ten times a second for each of its workers.
func BenchmarkJobs(b *testing.B) {
	const workers = 8
	rate := func(b *testing.B) { b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "jobs/s") }
	fill := func(b *testing.B, server *pgtest.RedisServer) {
		c := client(b, server, 1)
		for range b.N {
			_, err := c.Delay("job")
			require.NoError(b, err)
		}
		b.ResetTimer()
	}
	b.Run("celery", func(b *testing.B) {
		server := pgtest.Redis(b, nil)
		fill(b, server)
		var left atomic.Int64
		left.Store(int64(b.N))
		done := make(chan struct{})
		_, stop := serve(b, worker.Config{Queue: queue(b, server), Capacity: workers, Handler: func(context.Context, *worker.Job) (any, error) {
			if left.Add(-1) == 0 {
				close(done)
			}
			return 1, nil
		}})
		<-done
		stop()
		rate(b)
	})
	b.Run("gocelery", func(b *testing.B) {
		server := pgtest.Redis(b, nil)
		fill(b, server)
		var left atomic.Int64
		left.Store(int64(b.N))
		done := make(chan struct{})
		c := client(b, server, workers)
		c.Register("job", func() int {
			if left.Add(-1) == 0 {
				close(done)
			}
			return 1
		})
		c.StartWorker()
		<-done
		c.StopWorker()
		rate(b)
	})
}
