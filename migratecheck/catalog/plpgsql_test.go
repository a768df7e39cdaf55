package catalog

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// TestPLpgSQL runs testdata/plpgsql. Commands: schema (DDL), run (the statements run inside, with what each changed, and
// the gaps).
func TestPLpgSQL(t *testing.T) {
	datadriven.Walk(t, "testdata/plpgsql", func(t *testing.T, path string) {
		c := New(Config{})
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "new":
				c = New(Config{Open: d.HasArg("open")})
				return ""
			case "schema":
				return run(t, c, d.Input)
			case "run":
				return runCode(t, c, d.Input)
			}
			t.Fatalf("unknown command %s", d.Cmd)
			return ""
		})
	})
}

func runCode(t *testing.T, c *Catalog, sql string) string {
	stmts, err := pgast.Parse(sql)
	require.NoError(t, err)
	var b strings.Builder
	for _, stmt := range stmts {
		before := c.Clone()
		eff, err := c.Apply(stmt)
		for _, inner := range eff.Inner {
			fmt.Fprintf(&b, "%s: %s\n", inner.Via, strings.Join(strings.Fields(inner.Stmt.SQL), " "))
			for _, change := range Diff(inner.Before, inner.After) {
				fmt.Fprintf(&b, "    %s\n", change)
			}
		}
		for _, gap := range eff.Gaps {
			fmt.Fprintf(&b, "gap: %s\n", gap)
		}
		for _, n := range eff.Notices {
			fmt.Fprintf(&b, "NOTICE: %s\n", n)
		}
		if err != nil {
			b.WriteString(errorText(err))
			require.Empty(t, Diff(before, c), "a failed statement changes nothing")
		}
	}
	if b.Len() == 0 {
		return "nothing\n"
	}
	return b.String()
}
