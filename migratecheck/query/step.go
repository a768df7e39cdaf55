package query

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// change is a write of a statement on a table; in a step, on one that both schemas have.
type change struct {
	*catalog.Write
	before   *catalog.Write // on the other schema
	rel, was *catalog.Relation
	proposed *change // of ON CONFLICT DO UPDATE, the INSERT
}

// writes calls f for each change that the statement makes on its own schema, of which nothing is before. A change of a view is one of the
// table behind it.
func (r *reading) writes(f func(w change)) {
	for _, w := range r.an.Writes {
		if w = r.cat.OnTable(w); w == nil {
			continue
		}
		if rel, _ := r.cat.Get(w.Relation).(*catalog.Relation); rel != nil {
			f(change{Write: w, rel: rel})
		}
	}
}

// changes calls f for each of them. A change of a view is one of the table behind it.
func (s *step) changes(f func(w change)) {
	var last change
	for i, w := range s.an.Writes {
		if i >= len(s.was.an.Writes) {
			return
		}
		now, before := s.cat.OnTable(w), s.was.cat.OnTable(s.was.an.Writes[i])
		if now == nil || before == nil || now.Relation != before.Relation {
			continue // other-relation tells of another table
		}
		rel, _ := s.cat.Get(now.Relation).(*catalog.Relation)
		was, _ := s.was.cat.Get(now.Relation).(*catalog.Relation)
		if rel != nil && was != nil && !rel.Assumed {
			c := change{now, before, rel, was, nil}
			if i > 0 && now == w && now.Op == 'u' && last.Write != nil && last.Conflict != nil && last.Write == s.an.Writes[i-1] {
				insert := last
				c.proposed = &insert
			}
			f(c)
			last = c
		}
	}
}

// sets reports whether the statement sets one of the columns, be it to its default.
func (w change) sets(columns []int) bool {
	return slices.ContainsFunc(columns, func(n int) bool { return w.Target(n) != nil })
}

// about is a problem with columns of the table, at the first of them that the statement names.
func (w change) about(s *reading, columns []int, more ...catalog.OID) Problem {
	p := Problem{Offset: w.Offset, Relation: s.cat.NameOf(w.rel.OID).String(), Objects: []catalog.Address{{OID: w.rel.OID}}}
	for _, n := range columns {
		col := w.rel.Att(n)
		if col == nil {
			continue
		}
		p.Objects = append(p.Objects, catalog.Address{OID: w.rel.OID, Column: n})
		if t := w.Target(n); t != nil && p.Offset == w.Offset {
			p.Column, p.Offset = col.Name, t.Offset
		} else if p.Column == "" {
			p.Column = col.Name
		}
	}
	for _, oid := range more {
		p.Objects = append(p.Objects, catalog.Address{OID: oid})
	}
	return p
}

// nulls tells whether what a statement gives to a column may be NULL, as far as its text, the schema and the types of its arguments say.
func nulls(t *catalog.Target) catalog.Nullness {
	switch {
	case t.Null || t.MayNull:
		return catalog.MayBeNull
	case t.NotNull:
		return catalog.NeverNull
	}
	return catalog.UnknownNullness
}

// columnsIn lists the columns of a table that an expression reads.
func columnsIn(e *catalog.Expr, table catalog.OID) []int {
	var list []int
	if e != nil {
		for _, a := range e.Refs {
			if a.OID == table && a.Column > 0 {
				list = append(list, a.Column)
			}
		}
	}
	return list
}

// notNullColumn is the column of a condition that only says IS NOT NULL, "" for others.
func notNullColumn(e *catalog.Expr) string {
	if t := e.Node.GetNullTest(); t != nil && t.Nulltesttype == pgast.NullTestType_IS_NOT_NULL {
		if ref := t.Arg.GetColumnRef(); ref != nil {
			return ref.Fields[len(ref.Fields)-1].GetString_().GetSval()
		}
	}
	return ""
}
