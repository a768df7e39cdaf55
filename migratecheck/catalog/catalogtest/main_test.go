package catalogtest

import (
	"testing"

	"git.sr.ht/~sourcehut/ha-go/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// newChecker connects to a database of the test's own.
func newChecker(t testing.TB) *Checker {
	t.Helper()
	return NewChecker(pgtest.Connect(t, pgtest.Shared(t, pgtest.Config{}).Database(t)))
}
