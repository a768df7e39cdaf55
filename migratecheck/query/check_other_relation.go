package query

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var checkOtherRelation = &Check{
	ID:      "other-relation",
	Catches: "A name in the query denotes another table or view than on the other schema.",
	Rules:   []string{"drop-table", "drop-view", "rename-table"},
	Asks:    TheCode,
	Source:  "code's own: every name resolves, to something else",
	between: func(s *step, c *Check) {
		for _, p := range s.places() {
			was, now := relationsAt(s.was.cat, p.was, false), relationsAt(s.cat, p.now, false)
			if len(was) != 1 || len(now) != 1 || was[0] == now[0] || s.bothViews(was[0].OID, now[0].OID) {
				continue // view-replaced compares two views
			}
			if s.standsFor(now[0].OID, was[0].OID) || standsFor(s.was.cat, was[0].OID, now[0].OID) {
				continue
			}
			if columns, ok := s.madeAgain(was[0].OID, now[0].OID); ok {
				if why := s.asksMore(was[0].OID, now[0].OID, columns); why != "" {
					s.report(c, Problem{Offset: p.offset, Relation: textOf(s.cat, now[0]), Objects: []catalog.Address{was[0], now[0]}, Maybe: true},
						"%q is not the table that this query was written for, but one with its rows, which has %s: what %s writes may be refused", textOf(s.cat, now[0]), why, s.verb())
				}
				continue
			}
			s.report(c, Problem{Offset: p.offset, Relation: textOf(s.cat, now[0]), Objects: []catalog.Address{was[0], now[0]}},
				"%q denotes another %s than the one this query was written for, %s: %s reads or writes other rows",
				textOf(s.cat, now[0]), kindOf(s.cat, now[0].OID), s.fate(was[0]), s.verb())
		}
	},
}

// madeAgain reports whether the table that has the name now was filled with the rows of the one that had it, or the other way round, and
// has what the statement uses of them under the same names. columns are its columns by those of the other.
func (s *step) madeAgain(was, now catalog.OID) (columns map[int]int, ok bool) {
	columns = map[int]int{}
	if to, ok := s.cat.Carried(now, was); ok {
		for num, old := range to {
			columns[old] = num
		}
	} else if columns, ok = s.was.cat.Carried(was, now); !ok {
		return nil, false
	}
	old, _ := s.was.cat.Get(was).(*catalog.Relation)
	rel, _ := s.cat.Get(now).(*catalog.Relation)
	if old == nil || rel == nil {
		return nil, false
	}
	for _, use := range s.was.an.Uses {
		if use.Address.OID != was || use.Address.Column == 0 || use.Star {
			continue
		}
		name := old.Att(use.Address.Column).Name
		col := rel.Column(name)
		if col != nil && columns[use.Address.Column] != col.Num { // one that is missing is told by missing-column
			return nil, false
		}
	}
	return columns, true
}

// asksMore says what of a table made again may refuse a row that the one before took, "" for nothing or where none is written.
func (s *step) asksMore(was, now catalog.OID, columns map[int]int) string {
	rel, _ := s.cat.Get(now).(*catalog.Relation)
	var writes []change
	for _, w := range s.an.Writes {
		if w.Relation == now && (w.Op == 'i' || w.Op == 'u') {
			writes = append(writes, change{Write: w, rel: rel})
		}
	}
	if len(writes) == 0 {
		return ""
	}
	mapped := func(list []int) []int {
		var out []int
		for _, n := range list {
			out = append(out, columns[n])
		}
		slices.Sort(out)
		return out
	}
	before := s.was.cat.Constraints(was)
	for _, con := range s.cat.Constraints(now) {
		var like func(old *catalog.Constraint) bool
		switch con.Kind {
		case catalog.Check:
			like = func(old *catalog.Constraint) bool { return catalog.SameCondition(old.Check, con.Check) }
		case catalog.ForeignKey:
			like = func(old *catalog.Constraint) bool {
				return old.RefTable == con.RefTable && slices.Equal(mapped(old.Columns), slices.Sorted(slices.Values(con.Columns)))
			}
		case catalog.Exclusion:
			like = func(*catalog.Constraint) bool { return false }
		default:
			continue // its index tells
		}
		of := con.Columns
		if con.Kind == catalog.Check {
			of = columnsIn(con.Check, now)
		}
		if slices.ContainsFunc(writes, func(w change) bool { return w.sets(of) }) && !slices.ContainsFunc(before, func(old *catalog.Constraint) bool { return old.Kind == con.Kind && like(old) }) {
			return "constraint " + con.Name
		}
	}
	for _, idx := range s.cat.Indexes(now) {
		key := keyColumns(idx)
		repeats := func(w change) bool { return w.repeats(key, idx.Index.NullsNotDistinct) }
		if idx.Index.Unique && slices.ContainsFunc(writes, repeats) && !slices.ContainsFunc(s.was.cat.Indexes(was), func(old *catalog.Relation) bool {
			return old.Index.Unique && old.Index.Predicate == nil && len(keyColumns(old)) > 0 &&
				!slices.ContainsFunc(mapped(keyColumns(old)), func(n int) bool { return n == 0 || !slices.Contains(key, n) })
		}) {
			return "unique index " + idx.Name
		}
	}
	return ""
}

// standsFor reports whether a view on the schema reads the relation that had the name: a view made so that old code goes on.
func (s *step) standsFor(view, table catalog.OID) bool { return standsFor(s.cat, view, table) }

func standsFor(cat *catalog.Catalog, view, table catalog.OID) bool {
	rel, _ := cat.Get(view).(*catalog.Relation)
	return rel != nil && rel.Kind == catalog.View && rel.Query != nil &&
		slices.ContainsFunc(rel.Query.Refs, func(a catalog.Address) bool { return a.OID == table || a.OID != view && standsFor(cat, a.OID, table) })
}

func (s *step) bothViews(was, now catalog.OID) bool {
	old, _ := s.was.cat.Get(was).(*catalog.Relation)
	rel, _ := s.cat.Get(now).(*catalog.Relation)
	return isView(old) && isView(rel)
}

func kindOf(cat *catalog.Catalog, oid catalog.OID) string {
	switch rel, _ := cat.Get(oid).(*catalog.Relation); {
	case rel == nil:
	case rel.Kind == catalog.View:
		return "view"
	case rel.Kind == catalog.MatView:
		return "materialized view"
	case rel.Kind == catalog.Sequence:
		return "sequence"
	}
	return "table"
}
