package celery

import (
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/drain/worker/internal/fault"
	"git.sr.ht/~sourcehut/ha-go/internal/pgtest"
)

// fill sends two of each kind of message, and returns how each must end, and how many dead letters there must be.
func fill(t *testing.T, q *Queue, o order, point fault.Point) (want map[string]string, letters int) {
	want = map[string]string{}
	later := 300 * time.Millisecond
	if point == fault.Delayed {
		later = 4 * time.Second // still to come when the worker has started
	}
	for i := range 2 { // the first in the queue
		eta := fmt.Sprintf("%s-eta-%d", o.Queue, i)
		_, err := q.Send(t.Context(), Task{Name: "work", ID: eta, ETA: time.Now().Add(later)})
		require.NoError(t, err)
		want[eta] = "SUCCESS"
	}
	for i := range 2 {
		// The slow one first: it is still running when the second begins.
		for _, kind := range []string{"slow", "work", "back", "fail", "unknown"} {
			status := map[bool]string{true: "FAILURE", false: "SUCCESS"}[kind == "fail" || kind == "unknown"]
			id := fmt.Sprintf("%s-%s-%d", o.Queue, kind, i)
			_, err := q.Send(t.Context(), Task{Name: kind, ID: id})
			require.NoError(t, err)
			want[id] = status
		}
		late := fmt.Sprintf("%s-late-%d", o.Queue, i)
		_, err := q.Send(t.Context(), Task{Name: "work", ID: late, Expires: time.Now().Add(-time.Second)})
		require.NoError(t, err)
		want[late] = "REVOKED"
		require.NoError(t, q.redis.LPush(t.Context(), o.Queue, fmt.Sprintf(`{"garbage": %d`, i)).Err())
	}
	return want, 4 // garbage, and tasks that nobody has a handler for
}

// scenario is where a worker dies: at a point, at its nth time there; a drain begins after so many jobs.
type scenario struct {
	point fault.Point
	nth   int64
	drain uint64
}

// TestKilledAtEachPoint: a worker dies by SIGKILL at each place where it can, once and, after another has run, at its second time there; the next
// finds what it left, and each job has one result in the end.
func TestKilledAtEachPoint(t *testing.T) {
	t.Parallel()
	var all []scenario
	for _, p := range fault.Points() {
		for nth := range int64(2) {
			switch {
			case p != fault.GateShut:
				all = append(all, scenario{point: p, nth: nth + 1})
			case nth == 0: // once in a worker's life
				all = append(all, scenario{point: p, nth: 1, drain: 1})
			}
		}
	}
	// Given back at the deadline, not by the handler.
	all = append(all, scenario{fault.GiveBackBegin, 1, 1}, scenario{fault.GivenBack, 1, 1})

	server := pgtest.Redis(t, ledger())
	lanes := make(chan struct{}, 6)
	var running sync.WaitGroup
	for i, s := range all {
		o := order{URL: "redis+socket://" + server.Socket, Queue: fmt.Sprint("q", i), Prefix: fmt.Sprintf("ha%d:", i), Lease: 300 * time.Millisecond, DrainAfter: s.drain}
		running.Go(func() {
			lanes <- struct{}{}
			defer func() { <-lanes }()
			t.Run(fmt.Sprintf("%s %d %d", s.point, s.nth, s.drain), func(t *testing.T) { s.run(t, server, o) })
		})
	}
	running.Wait()
	t.Logf("%d scenarios at %d points", len(all), len(fault.Points()))
}

func (s scenario) run(t *testing.T, server *pgtest.RedisServer, o order) {
	q := newQueue(t, server, o.config())
	want, letters := fill(t, q, o, s.point)
	if s.point == fault.RecoverBegin || s.point == fault.Recovered { // somebody must have died before
		first := o
		first.Point, first.Nth = fault.Started, 2
		startVictim(t, first).dies(t)
	}
	o.Point, o.Nth = s.point, s.nth
	startVictim(t, o).dies(t)
	o.Point, o.DrainAfter = "", 0
	last := startVictim(t, o)
	err := done(t, q, o, want)
	said := last.stop(syscall.SIGTERM)
	require.NoError(t, err, said)
	require.NoError(t, audit(t, server, q, o, want, letters), said)
}

// TestStoppedForTooLong: a worker that stands still for longer than its lease, and then goes on, has lost its job to another: its result is refused.
func TestStoppedForTooLong(t *testing.T) {
	t.Parallel()
	server := pgtest.Redis(t, ledger())
	o := order{URL: "redis+socket://" + server.Socket, Queue: "q", Prefix: "ha:", Lease: 300 * time.Millisecond}
	q := newQueue(t, server, o.config())
	_, err := q.Send(t.Context(), Task{Name: "slow", ID: "a"})
	require.NoError(t, err)
	late := startVictim(t, o)
	eventually(t, func() bool { return q.redis.LLen(t.Context(), "test:ledger:q").Val() == 1 }) // it has begun
	require.NoError(t, late.cmd.Process.Signal(syscall.SIGSTOP))
	other := startVictim(t, o)
	want := map[string]string{"a": "SUCCESS"}
	require.NoError(t, done(t, q, o, want))
	require.NoError(t, late.cmd.Process.Signal(syscall.SIGCONT))
	require.Contains(t, late.stop(syscall.SIGTERM), "job lost: another worker has it")
	said := other.stop(syscall.SIGTERM)
	require.NoError(t, audit(t, server, q, o, want, 0), said)
}

// TestSoakKilledAtRandom: workers, two at a time, and now and then the server, are killed at random moments: a hundred
// workers at least.
func TestSoakKilledAtRandom(t *testing.T) {
	t.Parallel()
	long := 3 * time.Second
	if text := os.Getenv("HA_SOAK"); text != "" {
		var err error
		long, err = time.ParseDuration(text)
		require.NoError(t, err)
	}
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)
	server := pgtest.Redis(t, ledger())
	o := order{URL: "redis+socket://" + server.Socket, Queue: "q", Prefix: "ha:", Lease: 300 * time.Millisecond, Attempts: 1 << 30}
	q := newQueue(t, server, o.config())
	want := map[string]string{}
	atLeast := 100
	if raced {
		atLeast = 20
	}
	letters, rounds, kills, crashes := 0, 0, 0, 0
	for end := time.Now().Add(long); kills < atLeast || time.Now().Before(end); rounds++ {
		for range 10 {
			id := newUUID()
			_, err := q.Send(t.Context(), Task{Name: map[bool]string{true: "slow", false: "work"}[random.IntN(20) == 0], ID: id, Priority: random.IntN(10)})
			require.NoError(t, err)
			want[id] = "SUCCESS"
		}
		if random.IntN(10) == 0 {
			require.NoError(t, q.redis.LPush(t.Context(), o.Queue, "garbage").Err())
			letters++
		}
		var both []*process
		for range 2 {
			both = append(both, startVictim(t, o))
		}
		for _, p := range both {
			<-time.After(time.Duration(random.IntN(60)) * time.Millisecond)
			if random.IntN(8) == 0 {
				crashes++
				server.Kill()
				server.Start(t)
			}
			if random.IntN(6) == 0 {
				p.stop(syscall.SIGTERM)
			} else {
				kills++
				p.stop(syscall.SIGKILL)
			}
		}
	}
	last := startVictim(t, o)
	err := done(t, q, o, want)
	said := last.stop(syscall.SIGTERM)
	require.NoError(t, err, said)
	require.NoError(t, audit(t, server, q, o, want, letters), "seed %d; the last worker said:\n%s", seed, said)
	t.Logf("%d rounds, %d jobs, workers killed %d times, Redis %d times", rounds, len(want), kills, crashes)
}
