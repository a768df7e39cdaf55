package celery

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/drain/worker/internal/fault"
	"git.sr.ht/~sourcehut/ha-go/internal/pgtest"
)

// fill sends two of each kind of message, and returns how each must end, and how many dead letters there must be.
func fill(t *testing.T, q *Queue, o order) (want map[string]string, letters int) {
	want = map[string]string{}
	for i := range 2 {
		for kind, status := range map[string]string{"work": "SUCCESS", "slow": "SUCCESS", "back": "SUCCESS", "fail": "FAILURE", "unknown": "FAILURE"} {
			id := fmt.Sprintf("%s-%s-%d", o.Queue, kind, i)
			_, err := q.Send(t.Context(), Task{Name: kind, ID: id})
			require.NoError(t, err)
			want[id] = status
		}
		late, eta := fmt.Sprintf("%s-late-%d", o.Queue, i), fmt.Sprintf("%s-eta-%d", o.Queue, i)
		_, err := q.Send(t.Context(), Task{Name: "work", ID: late, Expires: time.Now().Add(-time.Second)})
		require.NoError(t, err)
		_, err = q.Send(t.Context(), Task{Name: "work", ID: eta, ETA: time.Now().Add(400 * time.Millisecond)})
		require.NoError(t, err)
		want[late], want[eta] = "REVOKED", "SUCCESS"
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
	want, letters := fill(t, q, o)
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

// TestSoakKilledAtRandom: workers, two at a time, and now and then the server, are killed at random moments.
func TestSoakKilledAtRandom(t *testing.T) {
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
	letters, rounds, crashes := 0, 0, 0
	for end := time.Now().Add(long); time.Now().Before(end); rounds++ {
		for range 10 {
			id := newUUID()
			_, err := q.Send(t.Context(), Task{Name: []string{"work", "work", "work", "slow"}[random.IntN(4)], ID: id, Priority: random.IntN(10)})
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
			p.stop(slices.Concat(slices.Repeat([]syscall.Signal{syscall.SIGKILL}, 5), []syscall.Signal{syscall.SIGTERM})[random.IntN(6)])
		}
	}
	last := startVictim(t, o)
	err := done(t, q, o, want)
	said := last.stop(syscall.SIGTERM)
	require.NoError(t, err, said)
	require.NoError(t, audit(t, server, q, o, want, letters), "seed %d; the last worker said:\n%s", seed, said)
	t.Logf("%d rounds, %d jobs, Redis killed %d times", rounds, len(want), crashes)
}
