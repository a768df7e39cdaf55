package analyzers

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/tools/go/analysis"

	"git.sr.ht/~sourcehut/ha-go/internal/gochecks"
	"git.sr.ht/~sourcehut/ha-go/migratecheck"
)

func TestSuiteIsSortedAndComplete(t *testing.T) {
	var names []string
	for _, a := range Suite() {
		names = append(names, a.Name)
		require.NotEmpty(t, a.Doc, a.Name)
	}
	require.True(t, slices.IsSorted(names), names)

	entries, err := os.ReadDir(".")
	require.NoError(t, err)
	var dirs []string
	for _, e := range entries {
		if e.IsDir() && !slices.Contains([]string{
			"golangci", // runs them elsewhere
			"internal", // what they share
			"sqlquery", // reports nothing: the others require it
			"testdata",
		}, e.Name()) {
			dirs = append(dirs, strings.ReplaceAll(e.Name(), "-", ""))
		}
	}
	require.Equal(t, dirs, names, "each directory is one analyzer")
	require.NoError(t, analysis.Validate(Suite()))
}

// TestChecks: each check has a name of its own and a section in the manual of its analyzer.
func TestChecks(t *testing.T) {
	var names []string
	for _, a := range Suite() {
		names = append(names, a.Name)
	}
	seen := map[string]bool{}
	for _, r := range migratecheck.Rules() {
		seen[r.ID] = r.Category != migratecheck.Suppression // comments in Go code and in migrations are wrong in the same ways
	}
	for _, c := range gochecks.All() {
		require.False(t, seen[c.ID], "two checks, or a check and a rule, are called %s", c.ID)
		seen[c.ID] = true
		require.Contains(t, names, c.Analyzer, c.ID)
		require.Regexp(t, `^[a-z]+(-[a-z]+)+$`, c.ID, "kebab-case of two words or more: one word would be an analyzer")
		require.NotEmpty(t, c.Summary, c.ID)
		require.NotZero(t, c.Severity, c.ID)
		manual, analyzer := Explain(c.ID)
		require.Greater(t, len(manual), 80, "doc.go of %s has a section %q", c.Analyzer, "# "+c.ID)
		require.Equal(t, c.Analyzer, analyzer)
	}
	require.True(t, slices.IsSortedFunc(gochecks.All(), func(a, b gochecks.Check) int { return strings.Compare(a.Analyzer, b.Analyzer) }))
}

// TestManuals: what has checks says what it does not see, and every section that looks like a check is one.
func TestManuals(t *testing.T) {
	for _, a := range Suite() {
		if !slices.ContainsFunc(gochecks.All(), func(c gochecks.Check) bool { return c.Analyzer == a.Name }) {
			continue
		}
		require.Contains(t, a.Doc, "\n# What it does not see\n", a.Name)
		for line := range strings.Lines(a.Doc) {
			if id, ok := strings.CutPrefix(strings.TrimSpace(line), "# "); ok && strings.Contains(id, "-") && !strings.Contains(id, " ") {
				_, known := gochecks.ByID(id)
				require.True(t, known, "%s explains %s, which internal/gochecks does not list", a.Name, id)
			}
		}
	}
}

func TestSuiteSharesNoState(t *testing.T) {
	one, two := Suite()[0], Suite()[0] // any: they all have this flag
	require.NoError(t, one.Flags.Set("severity", "info"))
	require.Empty(t, two.Flags.Lookup("severity").Value.String())
}
