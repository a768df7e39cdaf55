package verify

import (
	"testing"

	"git.sr.ht/~sourcehut/ha-go/internal/need"
	"git.sr.ht/~sourcehut/ha-go/internal/pgtest"
)

// launcher is what main would hold on to.
var launcher Launcher

func TestMain(m *testing.M) {
	launcher = Divert()
	pgtest.Main(m)
}

// needServer ends the test where there is no PostgreSQL to start.
func needServer(t *testing.T) {
	t.Helper()
	if len(pgtest.Versions()) == 0 {
		need.Missing(t, "no PostgreSQL server programs")
	}
}
