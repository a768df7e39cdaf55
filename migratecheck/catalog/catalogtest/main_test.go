package catalogtest

import (
	"testing"

	"git.sr.ht/~sourcehut/ha-go/internal/pgtest"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/lockmode"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// versions are the installed major versions that the catalog knows about, or those that HA_PG names.
func versions(t *testing.T) []int {
	if v := number(t, "HA_PG", 0); v != 0 {
		return []int{v}
	}
	var known []int
	for _, v := range pgtest.Versions() {
		if v >= lockmode.FirstVersion && v <= lockmode.LastVersion {
			known = append(known, v)
		}
	}
	if len(known) == 0 {
		pgtest.Shared(t, pgtest.Config{}) // skips, or fails in CI
	}
	return known
}

// newChecker connects to a database of the test's own, on a server of the given major version; 0 is the default one.
func newChecker(t testing.TB, version int) *Checker {
	t.Helper()
	server := pgtest.Shared(t, pgtest.Config{Version: version})
	return NewChecker(pgtest.Connect(t, server.Database(t)), server.Major())
}
