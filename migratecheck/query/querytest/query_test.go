package querytest

import (
	"errors"
	"maps"
	"math"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"git.sr.ht/~sourcehut/ha-go/internal/pgtest"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
	"github.com/stretchr/testify/require"
)

// number reads a count from the environment.
func number(t testing.TB, variable string, otherwise int) int {
	t.Helper()
	s := os.Getenv(variable)
	if s == "" {
		return otherwise
	}
	n, err := strconv.Atoi(s)
	require.NoError(t, err, variable)
	return n
}

// newRunners makes runners of one server.
func newRunners(t testing.TB, count int) []*Runner {
	t.Helper()
	server := pgtest.Start(t, pgtest.Config{}) // roles are a cluster's
	list := make([]*Runner, count)
	for i := range list {
		list[i] = &Runner{Old: pgtest.Connect(t, server.Database(t)).PgConn(), New: pgtest.Connect(t, server.Database(t)).PgConn()}
	}
	_, err := list[0].Old.Exec(t.Context(), "CREATE ROLE "+role).ReadAll()
	require.NoError(t, err)
	return list
}

// TestDifferential holds package query against the server: HA_TRIPLES of them (600), from seed HA_SEED (1) on, of every rule
// or of HA_RULE.
func TestDifferential(t *testing.T) {
	want := number(t, "HA_TRIPLES", 600)
	tally := differential(t, number(t, "HA_SEED", 1), func(n *Tally) (string, bool) { return os.Getenv("HA_RULE"), n.Triples() < want })
	if os.Getenv("HA_RULE") == "" && want >= 600 {
		require.GreaterOrEqual(t, tally.Total("fine"), alarmSample, "too few to tell how many are called broken")
	}
}

// TestSoakDifferential does so for as long as HA_SOAK, a duration, says, from a seed that is another each time (or HA_SEED), and
// prefers rules of which few triples were broken, or few fine. Without HA_SOAK it takes a second.
func TestSoakDifferential(t *testing.T) {
	d, seed := time.Second, 1
	if soak := os.Getenv("HA_SOAK"); soak != "" {
		var err error
		d, err = time.ParseDuration(soak)
		require.NoError(t, err, "HA_SOAK")
		seed = int(time.Now().UnixMilli() % math.MaxInt32)
	}
	var end time.Time
	cases := 0
	tally := differential(t, number(t, "HA_SEED", seed), func(n *Tally) (string, bool) {
		if end.IsZero() { // the server runs by now
			end = time.Now().Add(d)
		}
		rule := ""
		if cases++; cases%2 == 0 {
			rule, _ = n.Poorest()
		}
		return rule, time.Now().Before(end)
	})
	rule, count := tally.Poorest()
	t.Logf("at least %d broken and %d fine triples of each rule (fewest: %s)", count, count, rule)
	if d >= 15*time.Minute {
		require.GreaterOrEqual(t, count, 200, rule)
	}
}

// limits of what may go wrong: nothing that breaks may be called fine, and of what works less than one in a hundred broken.
// alarmSample is how many that work it takes to tell.
const (
	falseAlarmsPercent = 1
	alarmSample        = 300
)

// differential runs cases, several at a time, while next says so, which also chooses the rule of the next ("" for any).
func differential(t *testing.T, seed int, next func(*Tally) (rule string, goOn bool)) *Tally {
	t.Logf("seeds from %d on", seed)
	d := &differ{tally: &Tally{}, seed: uint64(seed), next: next, failures: number(t, "HA_FAILURES", 3), show: os.Getenv("HA_SHOW")}
	started := time.Now()
	d.judge(t, newRunners(t, runtime.GOMAXPROCS(0)))
	tally := d.tally
	t.Logf("%d triples, %d cases refused, %.0f triples a minute\n%s", tally.Triples(), d.refused, float64(tally.Triples())/time.Since(started).Minutes(), tally)
	require.Zero(t, tally.Total(string(FalseFine)), "what the server shows to be broken was called fine")
	// Of forty, one alarm more or less tells nothing about one in a hundred.
	if fine := tally.Total("fine"); fine >= alarmSample {
		require.LessOrEqual(t, tally.Total(string(FalseAlarm))*100, fine*falseAlarmsPercent, "false alarms")
	}
	require.LessOrEqual(t, d.refused*50, tally.Triples(), "the generator makes cases that the server does not take")
	return tally
}

// differ is what the goroutines of differential share.
type differ struct {
	failures int    // how many false alarms to show; each false fine is
	show     string // a verdict of which each is shown

	mu             sync.Mutex
	next           func(*Tally) (rule string, goOn bool)
	seed           uint64 // of the next case
	tally          *Tally
	refused, shown int
}

// draw makes up the next case.
func (d *differ) draw() (c Case, goOn bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	rule, goOn := d.next(d.tally)
	if !goOn {
		return Case{}, false
	}
	seed := d.seed
	d.seed++
	if rule != "" {
		return GenerateRule(seed, rule), true
	}
	return Generate(seed), true
}

// judgeAll runs the cases that draw makes up until there are no more, one for each runner at a time. take gets what came of a case:
// triples, or why the server takes the case for no good.
func judgeAll(t testing.TB, runners []*Runner, draw func() (c Case, goOn bool), take func(r *Runner, c Case, list []Triple, refused error)) {
	var work sync.WaitGroup
	for _, r := range runners {
		work.Go(func() {
			for {
				c, goOn := draw()
				if !goOn || t.Failed() {
					return
				}
				list, err := r.Run(t.Context(), c)
				if err != nil && !errors.Is(err, ErrCase) {
					t.Errorf("seed %d (%s): %v", c.Seed, c.Rule, err)
					return
				}
				take(r, c, list, err)
			}
		})
	}
	work.Wait()
	if t.Failed() {
		t.FailNow()
	}
}

// take counts triples, and shows those that were asked for.
func (d *differ) take(t testing.TB, r *Runner, c Case, list []Triple, refused error) {
	var show []Triple
	d.mu.Lock()
	if refused != nil {
		d.refused++
		if d.show != "" {
			t.Logf("seed %d, %s: %v", c.Seed, c.Rule, refused)
		}
	}
	for i := range list {
		d.tally.Add(&list[i])
		if v := list[i].Verdict(); d.show == string(v) || v == FalseFine || v == FalseAlarm && d.shown < d.failures {
			d.shown++
			show = append(show, list[i])
		}
	}
	d.mu.Unlock()
	for _, u := range show {
		small, triple := r.Shrink(t.Context(), c, u)
		t.Logf("HA_SEED=%d HA_RULE=%s: %s\n%s%s", c.Seed, c.Rule, u.Verdict(), small, triple.Explain())
	}
}

// judge runs cases while next says so.
func (d *differ) judge(t testing.TB, runners []*Runner) {
	judgeAll(t, runners, d.draw, func(r *Runner, c Case, list []Triple, refused error) { d.take(t, r, c, list, refused) })
}

// TestEachCheckIsNeeded finds, for each check, a query that breaks and that nobody but that check notices: were it off, the
// differential test would fail.
func TestEachCheckIsNeeded(t *testing.T) {
	cases := number(t, "HA_CASES", 2000)
	missing := map[string][]string{} // checks not seen at work yet, and the rules to look at
	for _, check := range query.Checks() {
		missing[check.ID] = slices.DeleteFunc(append(slices.Clone(check.Rules), check.ID), func(rule string) bool { return !slices.Contains(Rules(), rule) })
	}
	runners := newRunners(t, runtime.GOMAXPROCS(0))
	seed := 0
	for seed < cases && len(missing) > 0 {
		// A round's cases are drawn before any of them is judged, so that they are the same in each run.
		ids := slices.Sorted(maps.Keys(missing))
		var round []Case
		for range 4 * max(len(ids), 8) {
			seed++
			if rules := missing[ids[seed%len(ids)]]; len(rules) > 0 && seed%8 > 0 {
				round = append(round, GenerateRule(uint64(seed), rules[seed/len(ids)%len(rules)]))
			} else {
				round = append(round, Generate(uint64(seed)))
			}
		}
		var mu sync.Mutex
		judgeAll(t, runners, func() (c Case, goOn bool) {
			mu.Lock()
			defer mu.Unlock()
			if len(round) == 0 {
				return Case{}, false
			}
			c, round = round[0], round[1:]
			return c, true
		}, func(_ *Runner, _ Case, list []Triple, _ error) {
			mu.Lock()
			defer mu.Unlock()
			for i := range list {
				u := &list[i]
				if u.Verdict() != Agreed || len(u.Server.Breaks) == 0 {
					continue
				}
				for _, p := range u.Away.Problems {
					if _, ok := missing[p.Check]; ok && u.Without(p.Check) == FalseFine {
						delete(missing, p.Check)
					}
				}
			}
		})
	}
	t.Logf("%d cases", seed)
	require.Empty(t, missing, "no case of %d needs these checks", cases)
}

// FuzzDifferential lets the fuzzer choose the seeds.
func FuzzDifferential(f *testing.F) {
	f.Add(uint64(1))
	r := newRunners(f, 1)[0]
	f.Fuzz(func(t *testing.T, seed uint64) {
		c := Generate(seed)
		list, err := r.Run(t.Context(), c)
		if errors.Is(err, ErrCase) {
			return
		}
		require.NoError(t, err)
		for i := range list {
			if list[i].Verdict() == FalseFine {
				small, triple := r.Shrink(t.Context(), c, list[i])
				t.Errorf("HA_SEED=%d: %s%s", seed, small, triple.Explain())
			}
		}
	})
}

// BenchmarkDifferential prints how fast triples are judged, and what was found: an operation is HA_TRIPLES (600) of them.
func BenchmarkDifferential(b *testing.B) {
	runners := newRunners(b, runtime.GOMAXPROCS(0))
	each := number(b, "HA_TRIPLES", 600)
	d := &differ{tally: &Tally{}, seed: uint64(number(b, "HA_SEED", 1))}
	for b.Loop() {
		until := d.tally.Triples() + each
		d.next = func(n *Tally) (string, bool) { return os.Getenv("HA_RULE"), n.Triples() < until }
		d.judge(b, runners)
	}
	n := d.tally
	b.ReportMetric(float64(n.Triples())/b.Elapsed().Minutes(), "triples/min")
	for _, what := range []string{"broken", "fine", string(FalseFine), string(Undecided), string(NotProved)} {
		b.ReportMetric(float64(n.Total(what)), strings.ReplaceAll(what, " ", "-"))
	}
	b.ReportMetric(float64(n.Total(string(FalseAlarm)))*100/float64(max(1, n.Total("fine"))), "false-alarm-%-of-fine")
}
