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

// TestBind runs testdata/bind. Commands: schema (DDL), query (the columns and dependencies of a SELECT), expr (type,
// volatility and dependencies of an expression over table=…).
func TestBind(t *testing.T) {
	datadriven.Walk(t, "testdata/bind", func(t *testing.T, path string) {
		c := New(Config{})
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "new":
				c = New(Config{Open: d.HasArg("open")})
				return ""
			case "schema":
				return run(t, c, d.Input)
			case "query":
				stmts, err := pgast.Parse(d.Input)
				require.NoError(t, err)
				cols, refs, unknown, err := c.queryColumns(stmts[0].Node)
				if err != nil {
					return errorText(err)
				}
				var b strings.Builder
				for _, col := range cols {
					fmt.Fprintf(&b, "%s %s", quoteIdent(col.Name), c.FormatType(col.Type))
					if col.Collation != "" {
						b.WriteString(" collate " + col.Collation)
					}
					b.WriteByte('\n')
				}
				if text := c.refsText(refs); text != "" {
					b.WriteString(text + "\n")
				}
				if unknown {
					b.WriteString("unknown\n")
				}
				return b.String()
			case "expr":
				var table string
				var scope *Relation
				if d.HasArg("table") {
					d.ScanArgs(t, "table", &table)
					scope = c.Relation("", table)
					require.NotNil(t, scope)
				}
				var b strings.Builder
				for _, line := range strings.Split(d.Input, "\n") {
					b.WriteString(line + ": " + exprText(t, c, line, scope))
				}
				return b.String()
			}
			t.Fatalf("unknown command %s", d.Cmd)
			return ""
		})
	})
}

func errorText(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return fmt.Sprintf("ERROR %s: %s\n", e.Code, e.Message)
	}
	return err.Error() + "\n"
}

func exprText(t *testing.T, c *Catalog, text string, scope *Relation) string {
	stmts, err := pgast.Parse("SELECT " + text)
	require.NoError(t, err)
	node := stmts[0].Node.GetSelectStmt().TargetList[0].GetResTarget().Val
	e, err := c.newExpr(node, scope)
	if err != nil {
		return errorText(err)
	}
	s := map[Volatility]string{Immutable: "immutable", Stable: "stable", Volatile: "volatile"}[e.Volatility]
	if e.Constant {
		s += " constant"
	}
	if e.Unknown {
		s += " unknown"
	}
	return c.FormatType(c.exprType(node, scope)) + " " + s + strings.TrimSuffix(" "+c.refsText(e.Refs), " ") + "\n"
}

// refsText lists what something needs on one line, "" when nothing.
func (c *Catalog) refsText(refs []Address) string {
	var names []string
	for _, a := range refs {
		if f, ok := c.Get(a.OID).(*Func); ok {
			names = append(names, c.signature(f))
			continue
		}
		name := c.NameOf(a.OID).String()
		if a.Column > 0 {
			name += "." + c.relationByOID(a.OID).Columns[a.Column-1].Name
		}
		names = append(names, name)
	}
	if len(names) == 0 {
		return ""
	}
	return "needs " + strings.Join(names, ", ")
}
