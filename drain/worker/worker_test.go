package worker_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/drain"
	"git.sr.ht/~sourcehut/ha-go/drain/worker"
	"git.sr.ht/~sourcehut/ha-go/drain/worker/workertest"
)

var _ interface {
	drain.Service
	drain.Attacher
	drain.Reporter
} = (*worker.Worker)(nil)

// start serves until the test ends.
func start(t *testing.T, cfg worker.Config) *worker.Worker {
	t.Helper()
	w, err := worker.New(cfg)
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- w.Serve() }()
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
		cancel()
		_ = w.Shutdown(ctx)
		require.NoError(t, <-served)
	})
	return w
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// takes is a handler that takes its time, unless it is told to end.
func takes(d time.Duration) worker.Handler {
	return func(ctx context.Context, job *worker.Job) (any, error) { return "done", sleep(ctx, d) }
}

func ids(s worker.Status) (list []string) {
	for _, r := range s.Running {
		list = append(list, r.Job.ID)
	}
	return list
}

// TestEnds: each way in which a handler can end, and what becomes of its job.
func TestEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var queue workertest.Memory
		back := false
		w := start(t, worker.Config{Queue: &queue, Capacity: 1, Handlers: map[string]worker.Handler{
			"value":  func(context.Context, *worker.Job) (any, error) { return 17, nil },
			"fails":  func(context.Context, *worker.Job) (any, error) { return nil, errors.New("no disk") },
			"panics": func(context.Context, *worker.Job) (any, error) { panic("oh") },
			"exits":  func(context.Context, *worker.Job) (any, error) { runtime.Goexit(); return 1, nil },
			"leaves": func(context.Context, *worker.Job) (any, error) { return 1, fmt.Errorf("shim 7: %w", worker.ErrLeave) },
			"back": func(context.Context, *worker.Job) (any, error) {
				if back {
					return "second time", nil
				}
				back = true
				return nil, fmt.Errorf("not now: %w", worker.ErrGiveBack)
			},
		}})
		all := []string{"value", "fails", "panics", "exits", "leaves", "back", "unknown"}
		for _, id := range all {
			queue.Add(id)
		}
		time.Sleep(time.Second)
		require.Empty(t, w.Status().Running)
		got := map[string]string{}
		for id, results := range queue.Results() {
			require.Len(t, results, 1)
			got[id] = fmt.Sprint(results[0].Value, "|", results[0].Failure, "|", results[0].Rejected)
		}
		require.Equal(t, map[string]string{
			"value":   "17|<nil>|false",
			"fails":   "<nil>|no disk|false",
			"panics":  "<nil>|panic: oh|false",
			"exits":   "<nil>|the handler ended its goroutine (runtime.Goexit)|false",
			"back":    "second time|<nil>|false",
			"unknown": `<nil>|the job cannot be run: there is no handler for "unknown" here|true`,
		}, got)
		require.Equal(t, worker.Counts{Finished: 5, Failed: 3, GivenBack: 1, Left: 1, Rejected: 1}, w.Status().Counts)
		var panicked *worker.PanicError
		require.ErrorAs(t, queue.Results()["panics"][0].Failure, &panicked)
		require.Contains(t, string(panicked.Stack), "worker_test.go")
	})
}

// TestGivenBackAgainAndAgain: a handler that cannot do anything at the moment does not get the same job a thousand times a second.
func TestGivenBackAgainAndAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var queue workertest.Memory
		var full atomic.Bool
		full.Store(true)
		w := start(t, worker.Config{Queue: &queue, Capacity: 3, Handler: func(context.Context, *worker.Job) (any, error) {
			if full.Load() {
				return nil, fmt.Errorf("the disk is full: %w", worker.ErrGiveBack)
			}
			return nil, nil
		}})
		queue.Add("a")
		queue.Add("b")
		time.Sleep(time.Minute)
		n := w.Status().Counts.GivenBack
		require.True(t, n > 10 && n < 100, "%d times", n)
		full.Store(false)
		time.Sleep(5 * time.Second)
		require.Len(t, queue.Results(), 2)
	})
}

// TestGate: whatever runs in the end was running when LameDuck returned. gocelery starts jobs after its StopWorker.
func TestGate(t *testing.T) {
	for range 200 {
		var queue workertest.Memory
		var mu sync.Mutex
		ran := map[string]bool{}
		for i := range 200 {
			queue.Add(fmt.Sprint(i))
		}
		busy := make(chan struct{})
		w := start(t, worker.Config{Queue: &queue, Capacity: 4, Handler: func(_ context.Context, job *worker.Job) (any, error) {
			mu.Lock()
			defer mu.Unlock()
			if ran[job.ID] = true; len(ran) == 10 {
				close(busy)
			}
			return nil, nil
		}})
		<-busy
		w.LameDuck()
		status := w.Status()
		require.NoError(t, w.Shutdown(t.Context()))
		require.False(t, status.Open)
		began := int(status.Counts.Finished) + len(status.Running)
		// One may have been recorded but not left its slot when the status was taken.
		require.LessOrEqual(t, len(ran), began)
		require.Equal(t, 200-len(ran), len(queue.Waiting()), "what did not run waits")
		require.Len(t, queue.Results(), len(ran))
	}
}

// slow is a queue whose Take does not heed its context before the gate has been passed.
type slow struct {
	workertest.Memory
	arrive chan struct{}
}

func (q *slow) Take(context.Context) (*worker.Job, error) {
	<-q.arrive
	return q.Memory.Take(context.Background())
}

// TestPollUnderWay: what it brings after the gate was shut goes back, and Shutdown waits for it.
func TestPollUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		queue := slow{arrive: make(chan struct{})}
		queue.Add("a")
		w := start(t, worker.Config{Queue: &queue, Handler: takes(0)})
		synctest.Wait()
		w.LameDuck()
		down := make(chan error, 1)
		go func() { down <- w.Shutdown(t.Context()) }()
		synctest.Wait()
		require.Empty(t, down, "the poll is under way")
		close(queue.arrive)
		require.NoError(t, <-down)
		require.Equal(t, []string{"a"}, queue.Waiting())
		require.Empty(t, queue.Results())
		require.Equal(t, worker.Counts{GivenBack: 1}, w.Status().Counts)
	})
}

func TestCapacity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var queue workertest.Memory
		var elsewhere atomic.Int64
		elsewhere.Store(1)
		w, err := worker.New(worker.Config{Queue: &queue, Capacity: 3, Handler: takes(10 * time.Second), Taken: func() int { return int(elsewhere.Load()) }})
		require.NoError(t, err)
		for _, id := range []string{"a", "b", "c", "d"} {
			queue.Add(id)
		}
		adopted := &worker.Job{ID: "adopted", Name: "build", Receipt: "earlier"}
		require.True(t, w.Adopt(adopted, func(ctx context.Context, job *worker.Job) (any, error) { return nil, worker.ErrLeave }))
		require.True(t, w.Adopt(adopted, takes(time.Minute)))
		synctest.Wait()
		served := make(chan error, 1)
		go func() { served <- w.Serve() }()
		synctest.Wait()
		require.Equal(t, []string{"adopted", "a"}, ids(w.Status()), "one slot is taken elsewhere, one by what was adopted")
		elsewhere.Store(0)
		time.Sleep(time.Second)
		synctest.Wait()
		require.Equal(t, []string{"adopted", "a", "b"}, ids(w.Status()), "it is asked again")
		require.Equal(t, []drain.Open{{Kind: "job", Count: 3, Oldest: time.Now().Add(-time.Second), What: "build adopted"}}, w.Open())
		time.Sleep(10 * time.Second)
		synctest.Wait()
		require.Equal(t, []string{"adopted", "c", "d"}, ids(w.Status()))
		require.NoError(t, w.Shutdown(t.Context()))
		require.NoError(t, <-served)
		require.False(t, w.Adopt(adopted, takes(0)), "too late")
		require.Len(t, queue.Results(), 4)
		require.Equal(t, uint64(1), w.Status().Counts.Lost, "the queue never had the adopted one")
	})
}

func TestShutdownWaitsForJobs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var queue workertest.Memory
		queue.Lease = 3 * time.Second // they are renewed while it waits
		w := start(t, worker.Config{Queue: &queue, Capacity: 2, Handler: takes(time.Hour)})
		for _, id := range []string{"a", "b", "c"} {
			queue.Add(id)
		}
		synctest.Wait()
		began := time.Now()
		errs := make(chan error, 2)
		for range 2 {
			go func() { errs <- w.Shutdown(t.Context()) }()
		}
		synctest.Wait()
		require.False(t, w.Status().Open)
		require.NoError(t, <-errs)
		require.NoError(t, <-errs)
		require.Equal(t, time.Hour, time.Since(began))
		require.Len(t, queue.Results(), 2)
		require.Equal(t, []string{"c"}, queue.Waiting())
		require.NoError(t, w.Shutdown(t.Context()), "again")
	})
}

// TestCut: at the deadline each job goes where Cut says, those given back in the order in which they were taken; one that comes to its
// end all the same is finished; one that heeds nothing is given back over its head.
func TestCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var queue workertest.Memory
		release := make(chan struct{})
		w := start(t, worker.Config{Queue: &queue, Capacity: 6, Grace: 3 * time.Second, Handlers: map[string]worker.Handler{
			"a": takes(time.Hour), "b": takes(time.Hour), "c": takes(time.Hour), "left": takes(time.Hour),
			"ends": func(ctx context.Context, _ *worker.Job) (any, error) {
				<-ctx.Done()
				return context.Cause(ctx).Error(), nil
			},
			"deaf": func(context.Context, *worker.Job) (any, error) { <-release; return "late", nil },
		}, Cut: func(job *worker.Job) worker.Outcome {
			if job.ID == "left" {
				return worker.Leave
			}
			return worker.GiveBack
		}})
		for _, id := range []string{"a", "left", "b", "deaf", "ends", "c", "waiting"} {
			queue.Add(id)
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		began := time.Now()
		err := w.Shutdown(ctx)
		require.EqualError(t, err, "cut 6 jobs at the deadline, 1 of them left to run on\n"+
			"job deaf (deaf) does not heed the end of its context: it may still be running while another worker has it")
		require.Equal(t, 13*time.Second, time.Since(began))
		require.Equal(t, []string{"a", "b", "deaf", "c", "waiting"}, queue.Waiting())
		require.Equal(t, map[string][]workertest.Result{"ends": {{Value: "the worker's deadline has come"}}}, queue.Results())
		require.Equal(t, worker.Counts{Finished: 1, GivenBack: 4, Left: 1}, w.Status().Counts)
		close(release)
		synctest.Wait()
		require.Len(t, queue.Results(), 1, "what ends later is refused")
		require.Equal(t, uint64(1), w.Status().Counts.Lost)
	})
}

// cutOff is a queue that a worker cannot reach for a while, to renew its leases, without noticing.
type cutOff struct {
	workertest.Memory
	reached atomic.Bool
}

func (q *cutOff) Renew(ctx context.Context, jobs ...*worker.Job) ([]*worker.Job, error) {
	if !q.reached.Load() {
		return nil, nil
	}
	return q.Memory.Renew(ctx, jobs...)
}

// ends is a queue at which a deadline comes just when the end of a job has been recorded.
type ends struct {
	*workertest.Memory
	deadline context.CancelFunc
}

func (q ends) Finish(ctx context.Context, job *worker.Job, value any, failure error) error {
	defer q.deadline()
	return q.Memory.Finish(ctx, job, value, failure)
}

// TestEndsAtTheDeadline: whether the last job is cut then or not, no poll is blamed when there is none.
func TestEndsAtTheDeadline(t *testing.T) {
	for range 300 {
		synctest.Test(t, func(t *testing.T) {
			var memory workertest.Memory
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			w := start(t, worker.Config{Queue: ends{&memory, cancel}, Handler: takes(time.Second)})
			memory.Add("a")
			synctest.Wait()
			w.LameDuck()
			synctest.Wait()
			if err := w.Shutdown(ctx); err != nil {
				require.NotContains(t, err.Error(), "poll")
			}
		})
	}
}

// copies is a queue that answers with jobs of its own making.
type copies struct{ *workertest.Memory }

func (c copies) Renew(_ context.Context, jobs ...*worker.Job) ([]*worker.Job, error) {
	lost := *jobs[0]
	return []*worker.Job{nil, {ID: "nobody's"}, &lost}, nil
}

// TestLostJobIsEqual: a queue may name a lost job by an equal one, and what is nobody's does no harm.
func TestLostJobIsEqual(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var memory workertest.Memory
		ended := make(chan error, 1)
		start(t, worker.Config{Queue: copies{&memory}, Handler: func(ctx context.Context, _ *worker.Job) (any, error) {
			<-ctx.Done()
			ended <- context.Cause(ctx)
			return nil, nil
		}})
		memory.Add("a")
		require.ErrorIs(t, <-ended, worker.ErrLost)
	})
}

// TestLost: a job whose lease ran out and that another worker has is told so, and its end is not recorded.
func TestLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		queue := cutOff{Memory: workertest.Memory{Lease: 9 * time.Second}}
		ended := make(chan error, 1)
		w := start(t, worker.Config{Queue: &queue, Capacity: 1, Handler: func(ctx context.Context, _ *worker.Job) (any, error) {
			<-ctx.Done()
			ended <- context.Cause(ctx)
			return nil, nil
		}})
		queue.Add("a")
		synctest.Wait()
		other, err := queue.Take(t.Context())
		require.NoError(t, err)
		require.Equal(t, "a", other.ID)
		queue.reached.Store(true)
		require.NoError(t, w.Shutdown(t.Context()))
		require.ErrorIs(t, <-ended, worker.ErrLost)
		require.Empty(t, queue.Results())
		require.Equal(t, worker.Counts{Lost: 1}, w.Status().Counts)
	})
}

// flaky is a queue that cannot be reached before some time.
type flaky struct {
	workertest.Memory
	until atomic.Int64 // Unix time in nanoseconds
	calls atomic.Int64
}

func (q *flaky) goneFor(d time.Duration) { q.until.Store(time.Now().Add(d).UnixNano()) }

func (q *flaky) reach() error {
	q.calls.Add(1)
	if time.Now().UnixNano() < q.until.Load() {
		return errors.New("connection refused")
	}
	return nil
}

func (q *flaky) Take(ctx context.Context) (*worker.Job, error) {
	if err := q.reach(); err != nil {
		return nil, err
	}
	return q.Memory.Take(ctx)
}

func (q *flaky) Finish(ctx context.Context, job *worker.Job, value any, failure error) error {
	if err := q.reach(); err != nil {
		return err
	}
	return q.Memory.Finish(ctx, job, value, failure)
}

func (q *flaky) GiveBack(ctx context.Context, job *worker.Job) error {
	if err := q.reach(); err != nil {
		return err
	}
	return q.Memory.GiveBack(ctx, job)
}

// TestQueueComesBack: taking and finishing are tried again, not too often, until they are done.
func TestQueueComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var queue flaky
		queue.goneFor(time.Minute)
		w := start(t, worker.Config{Queue: &queue, Capacity: 1, Handler: func(ctx context.Context, _ *worker.Job) (any, error) {
			queue.goneFor(time.Minute)
			return 1, nil
		}})
		queue.Add("a")
		time.Sleep(time.Minute + 5*time.Second)
		require.Equal(t, []string{"a"}, ids(w.Status()), "taken, and not recorded yet")
		time.Sleep(time.Minute)
		require.NoError(t, w.Shutdown(t.Context()))
		require.Equal(t, map[string][]workertest.Result{"a": {{Value: 1}}}, queue.Results())
		require.Less(t, queue.calls.Load(), int64(100))
	})
}

// TestQueueGoneAtTheDeadline: Shutdown is bounded and says what the queue does not know.
func TestQueueGoneAtTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		queue := flaky{}
		w := start(t, worker.Config{Queue: &queue, Capacity: 2, Handlers: map[string]worker.Handler{"cut": takes(time.Hour), "finished": takes(time.Second)}})
		queue.Add("cut")
		queue.Add("finished")
		synctest.Wait()
		queue.goneFor(time.Hour)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		began := time.Now()
		require.EqualError(t, w.Shutdown(ctx), "cut 2 jobs at the deadline, 0 of them left to run on\n"+
			"the queue could not be told of 2 jobs: they are run again when their leases have run out")
		require.LessOrEqual(t, time.Since(began), 14*time.Second)
	})
}

func TestShutdownWithoutServe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var queue workertest.Memory
		queue.Add("a")
		w, err := worker.New(worker.Config{Queue: &queue, Handler: takes(0)})
		require.NoError(t, err)
		require.NoError(t, w.Shutdown(t.Context()))
		require.NoError(t, w.Serve(), "there is nothing to serve any more")
		require.EqualError(t, w.Serve(), "worker: Serve was called before")
		require.Equal(t, []string{"a"}, queue.Waiting())
	})
}

// TestAttached: the gate is shut when the lame duck begins, not when it ends.
func TestAttached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var queue workertest.Memory
		w := start(t, worker.Config{Queue: &queue, Handler: takes(time.Minute)})
		d, err := drain.New(drain.Config{LameDuck: 10 * time.Second, Deadline: time.Hour, Phases: []drain.Phase{{Name: "jobs", Stop: w.Shutdown}}})
		require.NoError(t, err)
		require.NoError(t, w.Attach(d))
		d.Ready()
		queue.Add("a")
		synctest.Wait()
		drained := make(chan error, 1)
		began := time.Now()
		go func() { drained <- d.Drain(t.Context()) }()
		synctest.Wait()
		require.Equal(t, drain.LameDuck, d.State())
		require.False(t, w.Status().Open)
		queue.Add("b")
		require.Equal(t, "1 job, oldest 0 s: a a", d.Progress().String())
		require.NoError(t, <-drained)
		require.Equal(t, time.Minute, time.Since(began))
		require.Equal(t, []string{"b"}, queue.Waiting())
		require.Len(t, queue.Results(), 1)
	})
}

func TestBadConfig(t *testing.T) {
	_, err := worker.New(worker.Config{Capacity: -1, Grace: -1})
	require.EqualError(t, err, `worker: Queue is nil: there is nothing to take jobs from
worker: neither Handlers nor Handler is set: there is nothing to run
worker: Capacity is -1: it cannot be negative
worker: Grace is -1ns: a duration cannot be negative`)
	_, err = worker.New(worker.Config{Queue: &workertest.Memory{}, Handlers: map[string]worker.Handler{"a": nil}})
	require.EqualError(t, err, `worker: the handler of "a" is nil`)
}
