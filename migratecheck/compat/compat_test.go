package compat

import (
	"testing"

	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/migratecheck"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
)

// The command's fixtures (cmd/srhtvet/testdata/compat) show the matrix; here is what is easier to show by itself.

// TestLintRules: every rule about the two versions, and about migrations by themselves, is in the table, which names no others.
func TestLintRules(t *testing.T) {
	ids := map[string]bool{}
	for _, r := range migratecheck.Rules() {
		ids[r.ID] = true
		known, ok := lintRules[r.ID]
		switch r.Category {
		case migratecheck.Compatibility:
			require.True(t, ok, "lintRules has no entry for %s: say which changes of the schema it speaks of, whether queries tell of it, and whether it breaks both versions", r.ID)
			require.True(t, len(known.speaksOf) > 0 || known.untold != "", "%s speaks of nothing", r.ID)
			require.False(t, known.doubtful, r.ID)
		case migratecheck.Itself, migratecheck.History:
			require.True(t, ok, "lintRules has no entry for %s: say whether it puts the schemas in doubt", r.ID)
			require.Equal(t, lintRule{doubtful: known.doubtful}, known, r.ID)
		default:
			require.False(t, ok, r.ID)
		}
	}
	for id := range lintRules {
		require.True(t, ids[id], "lintRules has %s, which is no rule", id)
	}
	for k, list := range families {
		for i, id := range list {
			require.Equal(t, i+1, lintRules[id].speaksOf[k], "%s: the ranks are 1, 2, …: %v", k, list)
		}
	}
	require.True(t, decidable("drop-column"))
	require.False(t, decidable("revoke"))
	require.False(t, decidable("syntax-error"))
	for _, id := range []string{NeedsMigration, BrokenQuery, StaleGate} {
		require.True(t, ids[id], id)
	}
}

// TestChecksHaveRules: the rules that checks name are there, and each that queries decide is named by one: else no query could
// ever confirm it.
func TestChecksHaveRules(t *testing.T) {
	named := map[string]bool{}
	for _, c := range query.Checks() {
		for _, id := range c.Rules {
			named[id] = true
		}
		require.Equal(t, c.Rules, rulesOf(c.ID))
		require.Equal(t, c.Asks == query.TheSchema, asks(c.ID))
	}
	require.False(t, asks("no-such-check"))
	for id := range lintRules {
		if decidable(id) {
			require.True(t, named[id], "no check names %s", id)
		}
	}
}

func TestAbout(t *testing.T) {
	const sql = "ALTER TABLE t DROP COLUMN n, DROP COLUMN model CASCADE, ADD CHECK (a IN (1, 2))"
	at := func(offset int) *migratecheck.Finding { return &migratecheck.Finding{Statement: sql, At: offset} }
	require.True(t, about(at(14), "n"))
	require.False(t, about(at(14), "model"), "behind the comma the next part begins")
	require.True(t, about(at(29), "model"))
	require.False(t, about(at(29), "a"))
	require.True(t, about(at(55), "a"), "commas in parentheses belong to the part")
	require.True(t, about(at(0), "model"), "a finding about the whole statement")
	require.False(t, about(at(0), "mode"), "whole words")
}

func TestServiceDirs(t *testing.T) {
	timeline := func(dir, format string) *migratecheck.Timeline {
		return &migratecheck.Timeline{SetReport: migratecheck.SetReport{Dir: dir, Format: format}}
	}
	code := func(files ...string) *Code {
		c := new(Code)
		for _, f := range files {
			c.Sites = append(c.Sites, query.Site{Pos: query.Position{File: f}})
		}
		return c
	}
	two := []*migratecheck.Timeline{timeline("a/db/migrations", "brant"), timeline("b/migrations", "brant")}
	require.Equal(t, []string{"a", "b"}, serviceDirs(two, code("a/api/x.go", "b/y.go"), code()))
	require.Equal(t, []string{"."}, serviceDirs(two[:1], code("cmd/x.go"), code("cmd/x.go")), "a single service is all of it")

	taken := []*migratecheck.Timeline{timeline("hubsrht/alembic/versions", "alembic"), timeline("migrations", "brant")}
	require.Equal(t, taken[1:], current(taken), "the new tool's history has taken over")
	require.Equal(t, two, current(two))

	require.Same(t, two[1], Nearest(two, "b/api"))
	require.Nil(t, Nearest(two, "c"))
	require.Same(t, two[0], Nearest(two[:1], "c"), "there is no other")
	require.Nil(t, Nearest([]*migratecheck.Timeline{timeline("examples/a/migrations", "brant")}, "cmd"), "an example's are its own")
}

func TestGateDecidesHome(t *testing.T) {
	j := &judge{states: []state{{name: "0", version: 1}, {name: "1", version: 2}, {name: "2", version: 3}}}
	site := func(atLeast, below int64) *query.Site {
		return &query.Site{Gate: query.Gate{AtLeast: atLeast, Below: below}}
	}
	require.Equal(t, 0, j.home(Old, site(0, 0)))
	require.Equal(t, 2, j.home(New, site(0, 0)))
	require.Equal(t, 1, j.home(New, site(0, 3)), "the last that it meets")
	require.Equal(t, 1, j.home(Old, site(2, 0)))
	require.Equal(t, -1, j.home(New, site(0, 1)), "it meets none")

	require.Equal(t, always, j.meets(site(0, 2), 0))
	require.Equal(t, late, j.meets(site(0, 2), 1), "until the gate has read that 2 is there")
	require.Equal(t, late, j.meets(site(0, 2), 2))
	require.Equal(t, never, j.meets(site(3, 0), 1))
	require.Equal(t, never, j.meets(site(0, 1), 2), "nobody has read that 1 is not there")
	require.Equal(t, never, j.meets(site(3, 2), 2), "a contradiction")
	unnumbered := &judge{states: []state{{}, {}}}
	require.Equal(t, always, unnumbered.meets(site(9, 0), 1), "a tool whose versions are no numbers")
	require.Equal(t, never, unnumbered.meets(site(9, 0), 0))
}

func TestLasting(t *testing.T) {
	list := []query.Problem{{Check: "missing-column", Code: "42703"}, {Check: "new-check", Code: "23514"}, {Check: "scan-type"}}
	require.Equal(t, list[1:], lasting(list))
	require.Equal(t, "42703", list[0].Code, "the list is the caller's")
}
