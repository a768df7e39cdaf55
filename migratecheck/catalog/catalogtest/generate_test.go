package catalogtest

import (
	"context"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
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

// generated runs one made-up script and returns it with what was found.
func generated(ctx context.Context, c *Checker, seed uint64, length int) ([]string, Report, error) {
	cat := c.New()
	g := NewGenerator(seed, cat)
	return c.runGenerated(ctx, cat, length, g.Statement)
}

// TestGenerated runs made-up scripts: HA_GENERATE of them (100) with HA_LENGTH statements each (30), from seed HA_SEED
// (1) on, on the server of version HA_PG. A failure prints the seed and the shortest script that still fails.
func TestGenerated(t *testing.T) {
	scripts := number(t, "HA_GENERATE", 100)
	runGenerated(t, newChecker(t, number(t, "HA_PG", 0)), number(t, "HA_SEED", 1), number(t, "HA_LENGTH", 30), func(i int) bool { return i < scripts })
}

// TestGeneratedVersions runs a few of the scripts on each other server that is installed.
func TestGeneratedVersions(t *testing.T) {
	for _, version := range versions(t) {
		if version == pgtest.DefaultVersion {
			continue // TestGenerated's
		}
		t.Run(fmt.Sprint("PostgreSQL ", version), func(t *testing.T) {
			t.Parallel()
			runGenerated(t, newChecker(t, version), number(t, "HA_SEED", 1), 30, func(i int) bool { return i < 15 })
		})
	}
}

// TestSoakGenerated runs such scripts for as long as HA_SOAK, a duration, says, from a seed that is another each time
// (or HA_SEED). Without HA_SOAK it takes three seconds, or less, of what TestGenerated runs.
func TestSoakGenerated(t *testing.T) {
	d, seed := 3*time.Second, 1
	scripts := math.MaxInt
	if soak := os.Getenv("HA_SOAK"); soak == "" {
		scripts = 100
	} else {
		var err error
		d, err = time.ParseDuration(soak)
		require.NoError(t, err, "HA_SOAK")
		seed = int(time.Now().UnixMilli())
	}
	end := time.Now().Add(d)
	seed = number(t, "HA_SEED", seed)
	t.Logf("seeds from %d on", seed)
	runGenerated(t, newChecker(t, number(t, "HA_PG", 0)), seed, number(t, "HA_LENGTH", 30), func(i int) bool { return i < scripts && time.Now().Before(end) })
}

// runGenerated runs made-up scripts from a seed on while goOn says so of the number of those that have been run.
func runGenerated(t *testing.T, c *Checker, seed, length int, goOn func(int) bool) {
	c.LenientCodes = true
	var statements, understood, otherCode, failures int
	for i := 0; goOn(i); i++ {
		script, report, err := generated(t.Context(), c, uint64(seed+i), length)
		require.NoError(t, err, "seed %d: %s", seed+i, strings.Join(script, ";\n"))
		statements += report.Statements
		understood += report.Understood
		otherCode += report.OtherCode
		if len(report.Disagreements) == 0 {
			continue
		}
		failures++
		t.Errorf("seed %d: %s", seed+i, explain(t, c, script, report))
		if failures >= number(t, "HA_FAILURES", 3) {
			break
		}
	}
	t.Logf("%d statements, %d understood, %d refused with another SQLSTATE, %d scripts failed", statements, understood, otherCode, failures)
}

// explain shrinks a failing script and says how it fails.
func explain(t testing.TB, c *Checker, script []string, report Report) string {
	t.Helper()
	kind := failureKind(report)
	small := Shrink(script, func(s []string) bool {
		r, err := c.Run(t.Context(), s, AtEnd)
		return err == nil && failureKind(r) == kind
	})
	r, err := c.Run(t.Context(), small, EachStatement)
	if err != nil || len(r.Disagreements) == 0 {
		r = report
	}
	return strings.Join(small, ";\n") + ";\n--> " + r.Disagreements[0].String()
}

// failureKind keeps shrinking from wandering off to another failure.
func failureKind(r Report) string {
	if len(r.Disagreements) == 0 {
		return ""
	}
	what := r.Disagreements[0].What[0]
	for _, kind := range []string{"not understood", "the server accepts", "ours accepts", "the server says", "only on the server", "only in ours"} {
		if strings.HasPrefix(what, kind) {
			return kind
		}
	}
	_, property, _ := strings.Cut(what, ": ")
	property, _, _ = strings.Cut(property, ":")
	return property
}

// FuzzGenerated lets the fuzzer choose the seeds.
func FuzzGenerated(f *testing.F) {
	f.Add(uint64(1), uint8(20))
	c := newChecker(f, 0)
	c.LenientCodes = true
	f.Fuzz(func(t *testing.T, seed uint64, length uint8) {
		script, report, err := generated(t.Context(), c, seed, int(length)%60)
		require.NoError(t, err)
		if len(report.Disagreements) > 0 {
			t.Errorf("seed %d: %s", seed, explain(t, c, script, report))
		}
	})
}
