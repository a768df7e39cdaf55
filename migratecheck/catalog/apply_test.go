package catalog

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// run applies a script and prints what happened: notices and errors as the server words them, then what was asked for.
func run(t *testing.T, c *Catalog, sql string) string {
	t.Helper()
	stmts, err := pgast.Parse(sql)
	require.NoError(t, err)
	var b strings.Builder
	for _, stmt := range stmts {
		eff, err := c.Apply(stmt)
		for _, n := range eff.Notices {
			fmt.Fprintf(&b, "NOTICE: %s\n", n)
		}
		var e *Error
		if errors.As(err, &e) {
			fmt.Fprintf(&b, "ERROR %s: %s\n", e.Code, e.Message)
			if e.Detail != "" {
				fmt.Fprintf(&b, "DETAIL: %s\n", e.Detail)
			}
			if e.Hint != "" {
				fmt.Fprintf(&b, "HINT: %s\n", e.Hint)
			}
		} else if err != nil {
			t.Fatalf("%s: not an *Error: %v", stmt.SQL, err)
		}
	}
	return b.String()
}

// TestApply runs the scripts of testdata/apply. Commands: apply (notices, errors, then the catalog), quiet (no catalog),
// diff (what the statements changed).
func TestApply(t *testing.T) {
	datadriven.Walk(t, "testdata/apply", func(t *testing.T, path string) {
		c := New(Config{})
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "new":
				var cfg Config
				if d.HasArg("version") {
					d.ScanArgs(t, "version", &cfg.Version)
				}
				cfg.Open = d.HasArg("open")
				c = New(cfg)
				return ""
			case "apply":
				return run(t, c, d.Input) + c.Dump()
			case "quiet":
				return run(t, c, d.Input)
			case "dump":
				return c.Dump()
			case "diff":
				before := c.Clone()
				out := run(t, c, d.Input)
				for _, change := range Diff(before, c) {
					out += change.String() + "\n"
				}
				return out
			}
			t.Fatalf("unknown command %s", d.Cmd)
			return ""
		})
	})
}
