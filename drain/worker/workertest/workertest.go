// Package workertest tests implementations of [worker.Queue], and has one in memory.
//
//	func TestQueue(t *testing.T) { workertest.Run(t, func(t *testing.T) workertest.Subject { … }) }
package workertest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/drain/worker"
)

// Subject is an empty queue under test.
type Subject struct {
	// A and B are the same queue, as two workers have it. When they are Renewers, their leases should run out within seconds.
	A, B worker.Queue
	// Add puts a job with this ID at the end of the queue.
	Add func(id string)
	// Results returns how many ends were recorded of each job.
	Results func() map[string]int
}

// long bounds every wait of the suite; nothing takes so long unless it is broken.
const long = time.Minute

// Run tests what worker.Queue, worker.Renewer and worker.Rejecter promise; each test has a new Subject.
func Run(t *testing.T, make func(t *testing.T) Subject) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, s Subject)
	}{
		{"Order", testOrder},
		{"TakeWaits", testTakeWaits},
		{"FinishOnce", testFinishOnce},
		{"GiveBack", testGiveBack},
		{"GiveBackInOrder", testGiveBackInOrder},
		{"JobSurvivesJSON", testJSON},
		{"EachOnce", testEachOnce},
		{"CancelledTakesLoseNothing", testCancelled},
		{"LeaseRunsOut", testLease},
		{"Reject", testReject},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, make(t)) })
	}
}

func take(t *testing.T, q worker.Queue) *worker.Job {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), long)
	defer cancel()
	job, err := q.Take(ctx)
	require.NoError(t, err)
	require.NotNil(t, job)
	return job
}

func testOrder(t *testing.T, s Subject) {
	s.Add("a")
	s.Add("b")
	a, b := take(t, s.A), take(t, s.B)
	require.Equal(t, []string{"a", "b"}, []string{a.ID, b.ID})
	require.Greater(t, b.Token, a.Token)
	require.Equal(t, 1, a.Attempt)
}

func testTakeWaits(t *testing.T, s Subject) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	job, err := s.A.Take(ctx)
	require.ErrorIs(t, err, context.Canceled)
	require.Nil(t, job)
	taken := make(chan *worker.Job)
	go func() {
		ctx, cancel := context.WithTimeout(t.Context(), long)
		defer cancel()
		job, _ := s.A.Take(ctx)
		taken <- job
	}()
	s.Add("a")
	job = <-taken
	require.NotNil(t, job)
	require.Equal(t, "a", job.ID)
}

func testFinishOnce(t *testing.T, s Subject) {
	s.Add("a")
	job := take(t, s.A)
	require.NoError(t, s.A.Finish(t.Context(), job, "done", nil))
	require.NoError(t, s.A.Finish(t.Context(), job, "done", nil), "again, since the first answer may have been lost")
	require.ErrorIs(t, s.B.GiveBack(t.Context(), job), worker.ErrLost)
	require.Equal(t, map[string]int{"a": 1}, s.Results())
	s.Add("b")
	require.Equal(t, "b", take(t, s.A).ID, "a is gone")
}

func testGiveBack(t *testing.T, s Subject) {
	s.Add("a")
	s.Add("b")
	job := take(t, s.A)
	require.NoError(t, s.A.GiveBack(t.Context(), job))
	require.NoError(t, s.A.GiveBack(t.Context(), job), "again")
	again := take(t, s.B)
	require.Equal(t, "a", again.ID, "at the head")
	require.Greater(t, again.Token, job.Token)
	require.ErrorIs(t, s.A.Finish(t.Context(), job, nil, nil), worker.ErrLost)
	require.ErrorIs(t, s.A.Finish(t.Context(), job, nil, errors.New("failed")), worker.ErrLost)
	require.Empty(t, s.Results())
	require.NoError(t, s.B.Finish(t.Context(), again, nil, nil))
	require.Equal(t, "b", take(t, s.A).ID, "and there was one of it only")
}

func testGiveBackInOrder(t *testing.T, s Subject) {
	ids := []string{"a", "b", "c", "d"}
	var jobs []*worker.Job
	for _, id := range ids {
		s.Add(id)
	}
	for range 3 {
		jobs = append(jobs, take(t, s.A))
	}
	slices.Reverse(jobs)
	for _, job := range jobs {
		require.NoError(t, s.A.GiveBack(t.Context(), job))
	}
	for _, id := range ids {
		require.Equal(t, id, take(t, s.B).ID)
	}
}

func testJSON(t *testing.T, s Subject) {
	s.Add("a")
	text, err := json.Marshal(take(t, s.A))
	require.NoError(t, err)
	var job worker.Job
	require.NoError(t, json.Unmarshal(text, &job))
	require.NoError(t, s.B.Finish(t.Context(), &job, nil, nil), "by another process")
	require.Equal(t, map[string]int{"a": 1}, s.Results())
}

// testEachOnce: takers at once get each job once.
func testEachOnce(t *testing.T, s Subject) {
	const jobs = 60
	for i := range jobs {
		s.Add(fmt.Sprint(i))
	}
	var mu sync.Mutex
	var got []string
	var wg sync.WaitGroup
	for i := range 6 {
		q := []worker.Queue{s.A, s.B}[i%2]
		wg.Go(func() {
			for range jobs / 6 {
				ctx, cancel := context.WithTimeout(t.Context(), long)
				job, err := q.Take(ctx)
				if err == nil {
					err = q.Finish(ctx, job, nil, nil)
				}
				cancel()
				mu.Lock()
				if err != nil {
					t.Error(err)
				} else {
					got = append(got, job.ID)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	slices.Sort(got)
	require.Len(t, slices.Compact(got), jobs)
	for id, n := range s.Results() {
		require.Equal(t, 1, n, id)
	}
}

// testCancelled: whatever moment a Take is cancelled in, it returns a job or leaves it where it was.
func testCancelled(t *testing.T, s Subject) {
	const jobs = 100
	got := map[string]bool{}
	added := make(chan struct{})
	go func() {
		defer close(added)
		for i := range jobs {
			s.Add(fmt.Sprint(i))
		}
	}()
	for deadline := time.Now().Add(long); len(got) < jobs && time.Now().Before(deadline); {
		ctx, cancel := context.WithTimeout(t.Context(), rand.N(2*time.Millisecond))
		job, err := s.A.Take(ctx)
		cancel()
		if job == nil {
			require.Error(t, err)
			continue
		}
		require.NoError(t, err)
		require.False(t, got[job.ID], "%s came twice", job.ID)
		got[job.ID] = true
		require.NoError(t, s.A.Finish(t.Context(), job, nil, nil))
	}
	<-added
	require.Len(t, slices.Collect(maps.Keys(got)), jobs)
}

// testLease: a job whose lease runs out is handed out again, and is not its first worker's any more.
func testLease(t *testing.T, s Subject) {
	first, ok := s.A.(worker.Renewer)
	if !ok {
		return
	}
	s.Add("kept")
	s.Add("lost")
	kept, lost := take(t, first), take(t, first)
	ctx, stop := context.WithCancel(t.Context())
	var renewing sync.WaitGroup
	renewing.Go(func() {
		tick := time.NewTicker(first.RenewEvery())
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				if gone, err := first.Renew(ctx, kept); ctx.Err() == nil && (err != nil || len(gone) > 0) {
					t.Errorf("renewing: %v, lost %d", err, len(gone))
				}
			case <-ctx.Done():
				return
			}
		}
	})
	again := take(t, s.B)
	stop()
	renewing.Wait()
	require.Equal(t, "lost", again.ID)
	require.Greater(t, again.Token, lost.Token)
	gone, err := first.Renew(t.Context(), kept, lost)
	require.NoError(t, err)
	require.Len(t, gone, 1)
	require.Equal(t, []any{lost.ID, lost.Token, lost.Receipt}, []any{gone[0].ID, gone[0].Token, gone[0].Receipt}, "by these the worker knows it")
	require.ErrorIs(t, first.Finish(t.Context(), lost, "late", nil), worker.ErrLost)
	require.ErrorIs(t, first.GiveBack(t.Context(), lost), worker.ErrLost)
	require.NoError(t, s.B.Finish(t.Context(), again, "in time", nil))
	require.ErrorIs(t, first.Finish(t.Context(), lost, "later", nil), worker.ErrLost)
	require.NoError(t, first.Finish(t.Context(), kept, nil, nil))
	require.Equal(t, map[string]int{"kept": 1, "lost": 1}, s.Results())
}

func testReject(t *testing.T, s Subject) {
	q, ok := s.A.(worker.Rejecter)
	if !ok {
		return
	}
	s.Add("a")
	s.Add("b")
	job := take(t, q)
	require.NoError(t, q.Reject(t.Context(), job, worker.ErrReject))
	require.NoError(t, q.Reject(t.Context(), job, worker.ErrReject), "again")
	require.ErrorIs(t, q.Finish(t.Context(), job, nil, nil), worker.ErrLost)
	require.Equal(t, map[string]int{"a": 1}, s.Results())
	require.Equal(t, "b", take(t, q).ID)
}
