package query

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var checkNewForeignKey = &Check{
	ID:      "new-foreign-key",
	Catches: "A foreign key that the other schema does not have stands on columns that the code writes, or refers to rows that it deletes or renumbers.",
	Code:    "23503",
	Rules:   []string{"add-foreign-key"},
	Asks:    TheSchema,
	Source:  "src/backend/utils/adt/ri_triggers.c",
	between: func(s *step, c *Check) {
		s.changes(func(w change) {
			before := s.was.cat.Constraints(w.rel.OID)
			for _, con := range s.cat.Constraints(w.rel.OID) {
				if con.Kind != catalog.ForeignKey || w.Op != 'i' && w.Op != 'u' || slices.ContainsFunc(before, sameColumns(con)) || !w.givesKey(con.Columns) {
					continue
				}
				p := w.about(s.reading, con.Columns, con.OID, con.RefTable)
				p.Code = "23503"
				s.report(c, p, "foreign key %q of %s is on what %s writes: a value without a row in %s is refused", con.Name, s.cat.NameOf(w.rel.OID), s.verb(), s.cat.NameOf(con.RefTable))
			}
			for _, con := range s.cat.ReferencedBy(w.rel.OID) {
				if sameKey(con, s.was.cat.ReferencedBy(w.rel.OID)) || con.Parent != 0 {
					continue
				}
				holds := func(action byte) bool { return action == 'a' || action == 'r' }
				if !(w.Op == 'd' && holds(con.OnDelete) || w.Op == 'u' && holds(con.OnUpdate) && w.sets(con.RefColumns)) {
					continue
				}
				if con.Table == w.rel.OID && con.OnDelete == 'a' && emptiesTable(s.stmt.Node) {
					continue // what refers to a row goes with it
				}
				p := w.about(s.reading, nil, con.OID, con.Table)
				p.Code = "23503"
				s.report(c, p, "foreign key %q of %s refers to %s: %s fails for a row that %[2]s refers to", con.Name, s.cat.NameOf(con.Table), s.cat.NameOf(w.rel.OID), s.verb())
			}
		})
	},
}

// emptiesTable tells of DELETE without a condition.
func emptiesTable(n *pgast.Node) bool {
	d := n.GetDeleteStmt()
	return d != nil && d.WhereClause == nil && len(d.UsingClause) == 0
}

// givesKey reports whether a row gets a key that is not NULL in any part, of the statement or by a constant default.
func (w change) givesKey(columns []int) bool {
	for row := range w.rows() {
		whole, sets := true, false
		for _, n := range columns {
			switch w.cell(n, row).kind {
			case nullCell:
				whole = false
			case untouched:
			default:
				sets = true
			}
		}
		if whole && sets {
			return true
		}
	}
	return false
}

// sameColumns tells of foreign keys on the same columns to the same ones: they refuse the same rows, whatever they do when
// what they refer to goes.
func sameColumns(con *catalog.Constraint) func(*catalog.Constraint) bool {
	return func(old *catalog.Constraint) bool {
		return old.Kind == catalog.ForeignKey && old.Table == con.Table && old.RefTable == con.RefTable &&
			slices.Equal(old.Columns, con.Columns) && slices.Equal(old.RefColumns, con.RefColumns)
	}
}

// sameKey looks for a foreign key on the same columns to the same ones that holds on to what it refers to.
func sameKey(con *catalog.Constraint, before []*catalog.Constraint) bool {
	return slices.ContainsFunc(before, func(old *catalog.Constraint) bool {
		return sameColumns(con)(old) &&
			(old.OnDelete == con.OnDelete || old.OnDelete == 'a' || old.OnDelete == 'r') && (old.OnUpdate == con.OnUpdate || old.OnUpdate == 'a' || old.OnUpdate == 'r')
	})
}
