package querytest

import (
	"errors"
	"math"
	"os"
	"strconv"
	"testing"
	"time"

	"git.sr.ht/~sourcehut/ha-go/internal/pgtest"
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

// TestDifferential holds package query against the server: HA_TRIPLES of them (600), from seed HA_SEED (1) on.
func TestDifferential(t *testing.T) {
	want := number(t, "HA_TRIPLES", 600)
	differential(t, number(t, "HA_SEED", 1), func(n int) bool { return n < want })
}

// TestSoakDifferential does so for as long as HA_SOAK, a duration, says, from a seed that is another each time (or HA_SEED).
// Without HA_SOAK it takes a second.
func TestSoakDifferential(t *testing.T) {
	d, seed := time.Second, 1
	if soak := os.Getenv("HA_SOAK"); soak != "" {
		var err error
		d, err = time.ParseDuration(soak)
		require.NoError(t, err, "HA_SOAK")
		seed = int(time.Now().UnixMilli() % math.MaxInt32)
	}
	end := time.Now().Add(d)
	differential(t, number(t, "HA_SEED", seed), func(int) bool { return time.Now().Before(end) })
}

func differential(t *testing.T, seed int, goOn func(triples int) bool) {
	r := newRunner(t)
	var tally Tally
	started := time.Now()
	triples, refused, shown := 0, 0, 0
	t.Logf("seeds from %d on", seed)
	for i := 0; goOn(triples); i++ {
		c := Generate(uint64(seed + i))
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
			triples++
			tally.Add(&list[j])
			v := list[j].Verdict()
			if s := os.Getenv("HA_SHOW"); s == string(v) || (v == FalseFine || v == FalseAlarm) && shown < number(t, "HA_FAILURES", 0) {
				shown++
				t.Logf("seed %d, %s, %s\n%s", c.Seed, c.Rule, v, list[j].Explain())
			}
		}
	}
	t.Logf("%d triples, %d cases refused, %.0f triples a minute\n%s", triples, refused, float64(triples)/time.Since(started).Minutes(), tally.String())
}
