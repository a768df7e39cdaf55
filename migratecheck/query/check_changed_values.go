package query

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var checkChangedValues = &Check{
	ID:      "changed-values",
	Catches: "A column is compared with, set to or read as a value that the rows hold in another form on the other schema: its type was changed in place with a USING that changes the values; or in an order, or as an instant, that its values do not have there.",
	Rules:   []string{"change-column-type"},
	Asks:    TheCode,
	Source:  "sql-altertable.html, USING: how to compute the new column value from the old",
	between: func(s *step, c *Check) {
		s.changedMeaning(c)
		x := conversions{step: s, forward: true, later: s.reading}
		if !x.find(s.was.cat) {
			x.forward, x.later = false, s.was
			if !x.find(s.cat) {
				return
			}
		}
		for _, v := range x.values() {
			x.report(c, v)
		}
	},
}

// ChangedValues reports whether a problem is that rows hold a value in another form: a server shows it only with rows that were
// there before the migration.
func ChangedValues(p Problem) bool { return p.Check == checkChangedValues.ID && !p.Unseen }

// conversions are the columns of a statement whose values were changed in place between two schemas.
type conversions struct {
	*step
	forward bool     // the statement meets the later schema
	later   *reading // what that makes of it
	list    map[catalog.Address]catalog.Conversion
}

// find looks for them since an earlier schema.
func (x *conversions) find(earlier *catalog.Catalog) bool {
	for _, a := range x.later.an.Refs {
		if a.Column == 0 {
			continue
		}
		if v, ok := x.later.cat.Converted(earlier, a); ok {
			if x.list == nil {
				x.list = map[catalog.Address]catalog.Conversion{}
			}
			x.list[a] = v
		}
	}
	return len(x.list) > 0
}

// usedValue is a column of which code knows values by their texts.
type usedValue struct {
	column catalog.Address
	texts  []string
	offset int
	does   string // what the code does with them, in a format of the texts and the column
	// only, unless nil, is the one value that the rows in question hold on this schema.
	only *string
	// cast: it is the column's text, which no other check looks at.
	cast bool
}

// values lists what the statement and the code around it know of the columns.
func (x *conversions) values() []usedValue {
	var list []usedValue
	args := x.sql().Args
	add := func(v usedValue, text string, param int) {
		switch {
		case param == 0:
			v.texts = []string{text}
			list = append(list, v)
		case param <= len(args):
			v.texts = args[param-1].Labels
			list = append(list, v)
		}
	}
	for _, cmp := range x.later.an.Compared {
		add(usedValue{column: cmp.Column, offset: cmp.Offset, does: "compares %[2]s with %[1]s", cast: cmp.Cast}, cmp.Text, cmp.Param)
	}
	for _, w := range x.later.an.Writes {
		for _, t := range w.Targets {
			for _, v := range t.Values {
				if text, ok := textConstant(v.Constant); ok || v.Param > 0 {
					add(usedValue{column: catalog.Address{OID: w.Relation, Column: t.Column}, offset: t.Offset, does: "writes %[1]s to %[2]s"}, text, v.Param)
				}
			}
		}
	}
	if len(x.was.an.Columns) == len(x.an.Columns) {
		x.later.scanned(func(i int, col catalog.OutputColumn, g GoType) {
			for _, column := range col.Held {
				if own, only := x.sets(column); !own {
					list = append(list, usedValue{column, g.Labels, x.later.placeOf(column), "is read by code that knows %[1]s in %[2]s", only, column != col.Origin})
				}
			}
		})
	}
	return list
}

// sets reports whether what the statement returns of a column is what it has written there itself, or NULL; if it is a constant
// default of the column, that is returned instead.
func (x *conversions) sets(a catalog.Address) (own bool, only *string) {
	if n := x.later.stmt.Node; n.GetInsertStmt() == nil && n.GetUpdateStmt() == nil {
		return false, nil
	}
	for _, w := range x.later.an.Writes {
		if w.Relation != a.OID || w.Conflict != nil {
			continue
		}
		if slices.ContainsFunc(w.Targets, func(t catalog.Target) bool { return t.Column == a.Column }) {
			return true, nil
		}
		rel, _ := x.cat.Get(a.OID).(*catalog.Relation)
		if w.Op != 'i' || rel == nil || rel.Att(a.Column) == nil {
			continue
		}
		def := rel.Att(a.Column).Default
		if def == nil {
			return true, nil
		}
		if text, ok := textConstant(def.Node); ok {
			return false, &text
		}
	}
	return false, nil
}

// textConstant is a string literal, cast or not.
func textConstant(n *pgast.Node) (string, bool) {
	for n.GetTypeCast() != nil {
		n = n.GetTypeCast().Arg
	}
	s := n.GetAConst().GetSval()
	return s.GetSval(), s != nil
}

func (x *conversions) report(c *Check, v usedValue) {
	conversion, ok := x.list[v.column]
	if !ok {
		return
	}
	rel := x.later.cat.Get(v.column.OID).(*catalog.Relation)
	col := rel.Att(v.column.Column)
	var enum *catalog.Type // here
	if now, _ := x.cat.Get(rel.OID).(*catalog.Relation); now != nil && now.Att(col.Num) != nil {
		enum = enumOf(x.cat, now.Att(col.Num).Type)
	}
	var known, held []string
	certain := enumOf(x.later.cat, col.Type) != nil
	for _, text := range v.texts {
		if enum != nil && !v.cast && !slices.Contains(enum.Labels, text) {
			continue // enum-label, argument-label and scan-label tell of a value that cannot be
		}
		if x.forward {
			if now, ok := conversion.Of(text); ok && now != text && (v.only == nil || *v.only == now) {
				known, held, certain = append(known, strconv.Quote(text)), append(held, strconv.Quote(now)), true
			}
			continue
		}
		before, named := conversion.From(text)
		if v.only != nil {
			before = slices.DeleteFunc(before, func(s string) bool { return s != *v.only })
		}
		certain = certain || named
		for _, s := range before {
			held = append(held, strconv.Quote(s))
		}
		if len(before) > 0 {
			known = append(known, strconv.Quote(text))
		}
	}
	if len(known) == 0 {
		return
	}
	name := x.later.cat.NameOf(rel.OID).String()
	since := "held"
	if !x.forward {
		since = "come to hold"
	}
	p := Problem{Offset: v.offset, Relation: name, Column: col.Name, Objects: []catalog.Address{{OID: rel.OID}, v.column}}
	p.Maybe = !certain // the rows may have had this case of letters before
	does := fmt.Sprintf(v.does, strings.Join(known, ", "), fmt.Sprintf("column %q of %s", col.Name, name))
	x.step.report(c, p, "every name resolves, and the values differ: %s %s, and rows that %s this hold %s here", x.verb(), does, since, strings.Join(held, ", "))
}
