package catalogtest

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/internal/pgtest"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/lockmode"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestRegress follows whole psql scripts to their end, and has the locks of each statement analyzed. HA_REGRESS_DIR names
// a directory of scripts, such as PostgreSQL's own regression suite (test/sql/postgres_regress in
// github.com/pganalyze/libpg_query); without it, it is the small one in testdata/regress, which must agree throughout.
// HA_REGRESS_FILES, a glob pattern, picks files; HA_REGRESS_OUT names a file for the full list of what did not agree. The
// catalogs are compared after every statement that both took, or with HA_REGRESS_EVERY after every so many, which is quicker but
// meets texts whose names have changed since and that the server can no longer be asked about.
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
	var total Tally
	var out strings.Builder
	var analyzed int
	var slowest time.Duration
	server := pgtest.Shared(t, pgtest.Config{})
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			c := NewChecker(pgtest.Connect(t, server.Database(t)), server.Major())
			c.Each = func(before *catalog.Catalog, stmt pgast.Stmt) {
				defer func() {
					if r := recover(); r != nil {
						t.Errorf("analyzing the locks of %s panics: %v", stmt.SQL, r)
					}
				}()
				start := time.Now()
				if _, err := lockmode.Analyze(0, before, stmt); err != nil {
					t.Errorf("analyzing the locks of %s: %v", stmt.SQL, err)
				}
				slowest = max(slowest, time.Since(start))
				analyzed++
			}
			tally, err := c.Follow(ctx, SplitPsql(string(text)), number(t, "HA_REGRESS_EVERY", 1))
			if err != nil {
				// A file may end the session on purpose; what came before counts.
				t.Logf("stopped after %d statements: %v", tally.Statements, err)
			}
			t.Log(tally)
			assert.Empty(t, tally.Panics)
			assert.Empty(t, tally.Differ, "objects came to differ")
			if !given {
				assert.Empty(t, tally.Complaints())
			}
			for _, line := range strings.Split(strings.TrimSpace(tally.Complaints()), "\n") {
				out.WriteString(name + " | " + line + "\n")
			}
			total.Add(tally)
		})
	}
	t.Logf("all %d files: %s; locks of %d statements analyzed, slowest %s", len(files), total, analyzed, slowest.Round(time.Millisecond))
	if path := os.Getenv("HA_REGRESS_OUT"); path != "" {
		require.NoError(t, os.WriteFile(path, []byte(out.String()), 0o644))
	}
}
