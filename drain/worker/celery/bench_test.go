package celery

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/drain/worker"
	"git.sr.ht/~sourcehut/ha-go/internal/pgtest"
)

// BenchmarkJobs is jobs a second, with nothing in them, by eight at a time; and, beside it, a bare BLMOVE and LREM, the least that a queue which
// loses nothing must do. Module gocelerytest has gocelery beside it.
func BenchmarkJobs(b *testing.B) {
	const workers = 8
	fill := func(b *testing.B) *Queue {
		q, err := New(Config{URL: "redis+socket://" + pgtest.Redis(b, nil).Socket})
		require.NoError(b, err)
		b.Cleanup(func() { _ = q.Close() })
		for range b.N {
			_, err := q.Send(b.Context(), Task{Name: "job"})
			require.NoError(b, err)
		}
		b.ResetTimer()
		return q
	}
	rate := func(b *testing.B) { b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "jobs/s") }
	b.Run("worker", func(b *testing.B) {
		q := fill(b)
		var left atomic.Int64
		left.Store(int64(b.N))
		done := make(chan struct{})
		w, err := worker.New(worker.Config{Queue: q, Capacity: workers, Handler: func(context.Context, *worker.Job) (any, error) {
			if left.Add(-1) == 0 {
				close(done)
			}
			return 1, nil
		}})
		require.NoError(b, err)
		served := make(chan error, 1)
		go func() { served <- w.Serve() }()
		<-done
		require.NoError(b, w.Shutdown(b.Context()))
		require.NoError(b, <-served)
		rate(b)
	})
	b.Run("blmove", func(b *testing.B) {
		q := fill(b)
		var wg sync.WaitGroup
		var next atomic.Int64
		for range workers {
			wg.Go(func() {
				for next.Add(1) <= int64(b.N) {
					raw, err := q.redis.BLMove(b.Context(), "celery", "processing", "RIGHT", "LEFT", time.Minute).Result()
					if err == nil {
						err = q.redis.LRem(b.Context(), "processing", 1, raw).Err()
					}
					if err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		rate(b)
	})
}
