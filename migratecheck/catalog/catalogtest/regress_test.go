package catalogtest

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"git.sr.ht/~sourcehut/ha-go/internal/pgtest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestRegress follows whole psql scripts to their end. HA_REGRESS_DIR names a directory of them, such as PostgreSQL's own
// regression suite (test/sql/postgres_regress in github.com/pganalyze/libpg_query); without it, it is the small one in
// testdata/regress, which must agree throughout. HA_REGRESS_FILES, a glob pattern, picks files; HA_REGRESS_OUT names a
// file for the full list of what did not agree.
func TestRegress(t *testing.T) {
	dir, given := os.LookupEnv("HA_REGRESS_DIR")
	if !given {
		dir = "testdata/regress"
	}
	pattern := os.Getenv("HA_REGRESS_FILES")
	if pattern == "" {
		pattern = "*.sql"
	}
	files, err := filepath.Glob(filepath.Join(dir, pattern))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	every := 1
	if given {
		every = 20
	}
	var total Tally
	var out strings.Builder
	server := pgtest.Shared(t, pgtest.Config{})
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			tally, err := NewChecker(pgtest.Connect(t, server.Database(t))).Follow(ctx, SplitPsql(string(text)), number(t, "HA_REGRESS_EVERY", every))
			if err != nil {
				// A file may end the session on purpose; what came before counts.
				t.Logf("stopped after %d statements: %v", tally.Statements, err)
			}
			t.Log(tally)
			assert.Empty(t, tally.Panics)
			if !given {
				assert.Empty(t, tally.Complaints())
			}
			for _, line := range strings.Split(strings.TrimSpace(tally.Complaints()), "\n") {
				out.WriteString(name + " | " + line + "\n")
			}
			total.Add(tally)
		})
	}
	t.Logf("all %d files: %s", len(files), total)
	if path := os.Getenv("HA_REGRESS_OUT"); path != "" {
		require.NoError(t, os.WriteFile(path, []byte(out.String()), 0o644))
	}
}
