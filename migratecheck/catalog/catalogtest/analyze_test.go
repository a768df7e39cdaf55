package catalogtest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/internal/pgtest"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// TestAnalyze compares Analyze with the server on the queries of the scripts of TestRegress, as they are and with their
// constants made parameters. HA_REGRESS_DIR, HA_REGRESS_FILES and HA_REGRESS_OUT are as there; the small scripts must agree
// throughout.
func TestAnalyze(t *testing.T) {
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
	var out strings.Builder
	var total Analyzed
	server := pgtest.Shared(t, pgtest.Config{})
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			conn := pgtest.Connect(t, server.Database(t))
			c, a := NewChecker(conn, server.Major()), NewAnalyzed(conn)
			c.Each = func(cat *catalog.Catalog, stmt pgast.Stmt) {
				if !IsQuery(stmt.Node) || conn.IsClosed() {
					return
				}
				if err := a.Compare(ctx, cat, stmt); err != nil {
					t.Logf("comparing %s: %v", stmt.SQL, err)
					return
				}
				if with, ok := WithParameters(stmt); ok {
					if err := a.Compare(ctx, cat, with); err != nil {
						t.Logf("comparing %s: %v", with.SQL, err)
					}
				}
			}
			if _, err := c.Follow(ctx, SplitPsql(string(text)), 1<<30); err != nil {
				t.Logf("stopped: %v", err)
			}
			for kind, lines := range map[string][]string{"refused wrongly": a.Refused, "accepted wrongly": a.Missed, "other SQLSTATE": a.OtherCode, "differs": a.Differ} {
				for _, line := range lines {
					fmt.Fprintf(&out, "%s | %s | %s\n", name, kind, line)
				}
			}
			t.Logf("%d compared, %d agreed, %d unsure; %d refused wrongly, %d accepted wrongly, %d other SQLSTATE, %d differ",
				a.Compared, a.Agreed, a.Unsure, len(a.Refused), len(a.Missed), len(a.OtherCode), len(a.Differ))
			total.Compared += a.Compared
			total.Agreed += a.Agreed
			total.Unsure += a.Unsure
			total.Refused = append(total.Refused, a.Refused...)
			total.Missed = append(total.Missed, a.Missed...)
			total.OtherCode = append(total.OtherCode, a.OtherCode...)
			total.Differ = append(total.Differ, a.Differ...)
		})
	}
	t.Logf("%d compared, %d agreed, %d unsure; %d refused wrongly, %d accepted wrongly, %d other SQLSTATE, %d differ",
		total.Compared, total.Agreed, total.Unsure, len(total.Refused), len(total.Missed), len(total.OtherCode), len(total.Differ))
	assert.NotZero(t, total.Agreed)
	if given {
		if path := os.Getenv("HA_REGRESS_OUT"); path != "" {
			require.NoError(t, os.WriteFile(path, []byte(out.String()), 0o644))
		}
		return
	}
	assert.Empty(t, out.String())
}
