package query

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// TestFixtures runs testdata. Commands: schema (DDL; open: the history has no beginning), rows (written there, for [TestServer]; between then says what
// both say), migrate (more DDL: what On judges,
// and the second schema of Between), on, between and back (from the second to the first: a query and, with its flags, what the code does around it; an answer
// of "fine" is a site without a problem).
//
//	args=(int,*string,nil)   scan=(int,string)   byname=(id:int,name:string)   lax   extra   prepared   python   name
func TestFixtures(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		from, to, rows := catalog.New(catalog.Config{}), (*catalog.Catalog)(nil), false
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "schema":
				from = catalog.New(catalog.Config{Open: d.HasArg("open")})
				apply(t, from, d.Input)
				to, rows = from, false
				return ""
			case "rows":
				rows = true
				return ""
			case "migrate":
				to = from.Clone()
				apply(t, to, d.Input)
				return ""
			case "on":
				return verdict(t, Parse(site(t, d)).On(to), d.Input)
			case "between":
				b, v := Parse(site(t, d)), Verdict{}
				if rows {
					v = b.On(to)
				}
				v.add(b.Between(from, to))
				return verdict(t, v, d.Input)
			case "back":
				return verdict(t, Parse(site(t, d)).Between(to, from), d.Input)
			}
			t.Fatalf("unknown command %s", d.Cmd)
			return ""
		})
	})
}

func apply(t testing.TB, c *catalog.Catalog, sql string) {
	t.Helper()
	stmts, err := pgast.Parse(sql)
	require.NoError(t, err)
	for _, stmt := range stmts {
		_, err := c.Apply(stmt)
		require.NoError(t, err, stmt.SQL)
	}
}

// site makes a site of a fixture.
func site(t testing.TB, d *datadriven.TestData) *Site {
	v := Variant{SQL: d.Input, Prepared: d.HasArg("prepared")}
	s := &Site{Pos: Position{File: "x.go", Line: 1, Column: 1}, Lang: "go", Kind: Statement, Status: Static}
	for _, arg := range d.CmdArgs {
		switch arg.Key {
		case "args":
			for _, val := range arg.Vals {
				v.Args = append(v.Args, goType(val))
			}
		case "scan":
			v.Scan = &Scan{Kind: ByPosition}
			for _, val := range arg.Vals {
				v.Scan.Dests = append(v.Scan.Dests, Dest{Type: goType(val)})
			}
		case "byname":
			v.Scan = &Scan{Kind: ByName, Lax: d.HasArg("lax"), Extra: d.HasArg("extra")}
			for _, val := range arg.Vals {
				name, typ, _ := strings.Cut(val, ":")
				v.Scan.Dests = append(v.Scan.Dests, Dest{Name: name, Type: goType(typ)})
			}
		case "python":
			s.Lang = "python"
		case "name":
			s.Kind, s.Names = Name, []NameUse{{Name: d.Input}}
			return s
		}
	}
	s.Variants = []Variant{v}
	return s
}

// goType reads a type as code writes it; "enum=a|b" is one with labels, "sa.UUID" one of SQLAlchemy's, "'x'" a constant of Python code.
func goType(name string) GoType {
	g := GoType{Name: name, Nullable: strings.HasPrefix(name, "*")}
	base := strings.TrimPrefix(name, "*")
	base, labels, _ := strings.Cut(base, "=")
	if labels != "" {
		g.Name, g.Labels = strings.TrimSuffix(name, "="+labels), strings.Split(labels, "|")
	}
	switch {
	case base == "nil":
		g.Null, g.Nullable = true, true
	case base == "bool":
		g.Kind = Bool
	case strings.HasPrefix(base, "int"):
		g.Kind = Int
		fmt.Sscan(strings.TrimPrefix(base, "int"), &g.Bits)
	case strings.HasPrefix(base, "float"):
		g.Kind = Float
	case base == "string":
		g.Kind = String
	case base == "bytes":
		g.Kind, g.Nullable = Bytes, true
	case base == "time":
		g.Kind = Time
	case base == "uuid":
		g.Kind = UUID
	case base == "list":
		g.Kind = List
	case base == "[]string":
		g.Kind, g.Nullable, g.Full = List, true, true
	case base == "[]interface{}":
		g.Kind = List
	case strings.HasPrefix(base, "sa."):
		g.SQLAlchemy = strings.TrimPrefix(base, "sa.")
		g.Kind = pythonKinds[g.SQLAlchemy]
	case strings.HasPrefix(base, "'"):
		text := strings.Trim(base, "'")
		g.Name, g.Kind, g.Text = "str", String, &text
	case base == "custom", labels != "":
		g.Kind, g.Nullable = Custom, true
	}
	return g
}

// verdict prints what was found: the place in the text, the check, the code, the message.
func verdict(t testing.TB, v Verdict, sql string) string {
	var b strings.Builder
	for _, p := range v.Problems {
		at := ""
		if p.Variant >= 0 {
			require.LessOrEqual(t, p.Offset, len(sql))
			at, _, _ = strings.Cut(sql[p.Offset:], "\n")
			at = " at «" + at[:min(len(at), 24)] + "»"
		}
		code := p.Code
		if code != "" {
			code = " " + code
		}
		of := strings.Trim(p.Relation+"."+p.Column, ".")
		if of != "" {
			of = " (" + of + ")"
		}
		fmt.Fprintf(&b, "%s%s%s%s\n  %s\n", p.Check, code, of, at, p.Message)
	}
	for _, u := range v.Unknown {
		fmt.Fprintf(&b, "unknown: %s\n", u)
	}
	if b.Len() == 0 {
		return "fine\n"
	}
	return b.String()
}
