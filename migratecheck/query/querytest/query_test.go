package querytest

import (
	"errors"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
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

func newRunner(t testing.TB) *Runner {
	t.Helper()
	server := pgtest.Start(t, pgtest.Config{}) // roles are a cluster's
	r := &Runner{Old: pgtest.Connect(t, server.Database(t)).PgConn(), New: pgtest.Connect(t, server.Database(t)).PgConn()}
	_, err := r.Old.Exec(t.Context(), "CREATE ROLE "+role).ReadAll()
	require.NoError(t, err)
	return r
}

// TestDifferential holds package query against the server: HA_TRIPLES of them (600), from seed HA_SEED (1) on, of every rule
// or of HA_RULE.
func TestDifferential(t *testing.T) {
	want := number(t, "HA_TRIPLES", 600)
	differential(t, number(t, "HA_SEED", 1), func(n *Tally) (string, bool) { return os.Getenv("HA_RULE"), n.Triples() < want })
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
const falseAlarmsPercent = 1

// differential runs cases while next says so, which also chooses the rule of the next ("" for any).
func differential(t *testing.T, seed int, next func(*Tally) (rule string, goOn bool)) *Tally {
	r := newRunner(t)
	tally := &Tally{}
	started := time.Now()
	refused, shown := 0, 0
	t.Logf("seeds from %d on", seed)
	for i := 0; ; i++ {
		rule, goOn := next(tally)
		if !goOn {
			break
		}
		c := Generate(uint64(seed + i))
		if rule != "" {
			c = GenerateRule(uint64(seed+i), rule)
		}
		list, err := r.Run(t.Context(), c)
		if errors.Is(err, ErrCase) {
			refused++
			if os.Getenv("HA_SHOW") != "" {
				t.Logf("seed %d, %s: %v", c.Seed, c.Rule, err)
			}
			continue
		}
		require.NoError(t, err, "seed %d (%s)", c.Seed, c.Rule)
		for j := range list {
			tally.Add(&list[j])
			v := list[j].Verdict()
			if s := os.Getenv("HA_SHOW"); s == string(v) || (v == FalseFine || v == FalseAlarm) && shown < number(t, "HA_FAILURES", 3) {
				shown++
				small, triple := r.Shrink(t.Context(), c, list[j])
				t.Logf("HA_SEED=%d HA_RULE=%s: %s\n%s%s", c.Seed, c.Rule, v, small, triple.Explain())
			}
		}
	}
	t.Logf("%d triples, %d cases refused, %.0f triples a minute\n%s", tally.Triples(), refused, float64(tally.Triples())/time.Since(started).Minutes(), tally)
	require.Zero(t, tally.Total(string(FalseFine)), "what the server shows to be broken was called fine")
	require.LessOrEqual(t, tally.Total(string(FalseAlarm))*100, tally.Total("fine")*falseAlarmsPercent, "false alarms")
	require.LessOrEqual(t, refused*50, tally.Triples(), "the generator makes cases that the server does not take")
	return tally
}

// TestEachCheckIsNeeded finds, for each check, a query that breaks and that nobody but that check notices, or whose error nobody
// else foretells: were it off, the differential test would fail or say another reason.
func TestEachCheckIsNeeded(t *testing.T) {
	const cases = 400
	// What no random case asks for, and why.
	exempt := map[string]string{
		"refused":        "it takes what the other checks leave, and they leave nothing that is known",
		"changed-values": "no random migration changes what a column holds in place; the fixtures of package query do",
		"parameter-type": "a parameter whose type nothing tells fails where the code is at home",
	}
	missing := map[string][]string{} // checks not seen at work yet, and the rules to look at
	for _, check := range query.Checks() {
		if exempt[check.ID] != "" {
			continue
		}
		missing[check.ID] = slices.DeleteFunc(append(slices.Clone(check.Rules), check.ID), func(rule string) bool { return !slices.Contains(Rules(), rule) })
	}
	r := newRunner(t)
	for seed := 0; seed < cases && len(missing) > 0; seed++ {
		c := Generate(uint64(seed))
		ids := slices.Sorted(maps.Keys(missing))
		if rules := missing[ids[seed%len(ids)]]; len(rules) > 0 && seed%8 > 0 {
			c = GenerateRule(uint64(seed), rules[seed%len(rules)])
		}
		list, err := r.Run(t.Context(), c)
		if errors.Is(err, ErrCase) {
			continue
		}
		require.NoError(t, err, "seed %d (%s)", c.Seed, c.Rule)
		for i := range list {
			u := &list[i]
			if u.Verdict() != Agreed || len(u.Server.Breaks) == 0 {
				continue
			}
			for _, p := range u.Away.Problems {
				if _, ok := missing[p.Check]; ok && (u.Without(p.Check) == FalseFine || !u.Unforeseen() && u.Unforeseen(p.Check)) {
					delete(missing, p.Check)
				}
			}
		}
	}
	require.Empty(t, missing, "no case of %d needs these checks", cases)
}

// FuzzDifferential lets the fuzzer choose the seeds.
func FuzzDifferential(f *testing.F) {
	f.Add(uint64(1))
	r := newRunner(f)
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

// BenchmarkDifferential prints how fast triples are judged, and what was found.
func BenchmarkDifferential(b *testing.B) {
	r := newRunner(b)
	tally := &Tally{}
	for seed := uint64(1); b.Loop(); seed++ {
		list, err := r.Run(b.Context(), Generate(seed))
		if !errors.Is(err, ErrCase) {
			require.NoError(b, err)
		}
		for i := range list {
			tally.Add(&list[i])
		}
	}
	b.ReportMetric(float64(tally.Triples())/b.Elapsed().Minutes(), "triples/min")
	for _, what := range []Verdict{FalseFine, FalseAlarm, Undecided, NotProved} {
		b.ReportMetric(float64(tally.Total(string(what)))*100/float64(max(1, tally.Triples())), strings.ReplaceAll(string(what), " ", "-")+"-%")
	}
}
