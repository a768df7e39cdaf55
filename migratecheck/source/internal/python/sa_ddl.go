package python

import "strings"

// DDL is one of SQLAlchemy's DDL elements: CreateSequence(…), DDL("…").
type DDL struct {
	kind string
	args Args
}

// DDLText is the SQL of a DDL element.
func (x *Interp) DDLText(g *Gen, d *DDL) Text {
	a := d.args
	first, _ := a.Get(0, "element")
	words := ""
	if g.Flag(a, "if_not_exists", false) {
		words = "IF NOT EXISTS "
	}
	if g.Flag(a, "if_exists", false) {
		words = "IF EXISTS "
	}
	seq, _ := first.(*Sequence)
	switch d.kind {
	case "CreateSequence":
		if seq != nil {
			sql := g.SequenceSQL(x, seq)
			const head = "CREATE SEQUENCE "
			return CatAny(head+words, sql.Sub(len(head), len(sql.S)))
		}
	case "DropSequence":
		if seq != nil {
			return CatAny("DROP SEQUENCE "+words, g.SequenceName(seq))
		}
	case "CreateSchema", "DropSchema":
		if v, ok := a.Get(0, "name"); ok {
			first = v
		}
		verb := "CREATE SCHEMA "
		cascade := ""
		if d.kind == "DropSchema" {
			verb = "DROP SCHEMA "
			if g.Flag(a, "cascade", false) {
				cascade = " CASCADE"
			}
		}
		return CatAny(verb+words, g.Ident(first, "a schema's name"), cascade)
	case "DDL":
		if v, ok := a.Get(0, "statement"); ok {
			first = v
		}
		if t, ok := first.(Text); ok && !strings.Contains(t.S, "%") {
			return t
		}
	case "DropTable":
		if t, ok := first.(*Table); ok {
			return CatAny("DROP TABLE "+words, t.SQL())
		}
	}
	return g.Fail("SQLAlchemy's " + d.kind + "(…), which is not modelled here")
}
