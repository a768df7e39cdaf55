package query

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var checkNewForeignKey = &Check{
	ID:      "new-foreign-key",
	Catches: "A foreign key that the other schema does not have stands on columns that the code writes, or refers to rows that it deletes or renumbers; or it does something else to its own rows when they go, such as delete them.",
	Code:    "23503",
	Rules:   []string{"add-foreign-key", "set-not-null"},
	Asks:    TheSchema,
	Bodies:  true,
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
			s.referringRows(c, w)
			for _, con := range s.cat.ReferencedBy(w.rel.OID) {
				if w.sameKey(con, s.was.cat.ReferencedBy(w.rel.OID)) || con.Parent != 0 {
					continue
				}
				if !w.acts(con) || !w.isHeld(con) {
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

// referringRows looks at what a change does to the rows that refer to those it deletes or renumbers.
func (s *step) referringRows(c *Check, w change) {
	for _, con := range s.cat.ReferencedBy(w.rel.OID) {
		if con.Parent != 0 || !w.acts(con) {
			continue
		}
		i := slices.IndexFunc(s.was.cat.ReferencedBy(w.rel.OID), sameColumns(con))
		var old *catalog.Constraint
		if i >= 0 {
			old = s.was.cat.ReferencedBy(w.rel.OID)[i]
		}
		name := s.cat.NameOf(con.Table)
		if col := s.leavesNull(w, con); col != nil && (old == nil || s.was.leavesNull(w, old) == nil) {
			p := w.about(s.reading, nil, con.OID, con.Table)
			p.Code, p.Maybe = "23502", old != nil && w.isHeld(old) // which refused the same rows, with another error
			p.Objects = append(p.Objects, catalog.Address{OID: con.Table, Column: col.Num})
			s.report(c, p, "foreign key %q of %s sets column %q to NULL, which is NOT NULL, when a row it refers to goes: %s fails for such a row", con.Name, name, col.Name, s.verb())
		}
		if col := s.otherDefault(w, con, old); col != nil {
			p := w.about(s.reading, nil, con.OID, con.Table)
			p.Code, p.Maybe = "23503", true
			p.Objects = append(p.Objects, catalog.Address{OID: con.Table, Column: col.Num})
			s.report(c, p, "foreign key %q of %s sets column %q to its default, %s, when a row it refers to goes: %s fails for such a row unless %s has that one", con.Name, name, col.Name, col.Default.SQL, s.verb(), s.cat.NameOf(w.rel.OID))
		}
		if w.Op == 'd' && con.OnDelete == 'c' && old != nil && old.OnDelete != 'c' {
			p := w.about(s.reading, nil, con.OID, con.Table)
			p.Maybe = true
			s.report(c, p, "foreign key %q of %s has come to be ON DELETE CASCADE: %s deletes the rows of %[2]s that refer to its own, too", con.Name, name, s.verb())
		}
	}
}

// action is what a foreign key does to its rows on the change.
func (w change) action(con *catalog.Constraint) byte {
	if w.Op == 'd' {
		return con.OnDelete
	}
	return con.OnUpdate
}

// acts reports whether the change removes keys that the foreign key may refer to.
func (w change) acts(con *catalog.Constraint) bool {
	return w.Op == 'd' || w.Op == 'u' && w.sets(con.RefColumns)
}

func (w change) isHeld(con *catalog.Constraint) bool {
	return w.action(con) == 'a' || w.action(con) == 'r'
}

// leavesNull finds a column that is NOT NULL and that SET NULL, or SET DEFAULT without a default, sets to NULL.
func (r *reading) leavesNull(w change, con *catalog.Constraint) *catalog.Column {
	action := w.action(con)
	rel, _ := r.cat.Get(con.Table).(*catalog.Relation)
	if rel == nil || rel.Assumed || action != 'n' && action != 'd' {
		return nil
	}
	columns := con.Columns
	if w.Op == 'd' && len(con.SetColumns) > 0 {
		columns = con.SetColumns
	}
	for _, n := range columns {
		col := rel.Att(n)
		if col != nil && (col.NotNull || domainNotNull(r.cat, col.Type)) && (action == 'n' || !hasDefault(r.cat, col)) && r.mayReplace(rel, col, 'u') == "" {
			return col
		}
	}
	return nil
}

// otherDefault finds a column that SET DEFAULT sets to a default which it did not have.
func (s *step) otherDefault(w change, con, old *catalog.Constraint) *catalog.Column {
	rel, _ := s.cat.Get(con.Table).(*catalog.Relation)
	was, _ := s.was.cat.Get(con.Table).(*catalog.Relation)
	if w.action(con) != 'd' || old == nil || rel == nil || was == nil {
		return nil
	}
	for _, n := range con.Columns {
		now, before := rel.Att(n), was.Att(n)
		if now != nil && before != nil && now.Default != nil && !isNull(now.Default) && !catalog.SameCondition(before.Default, now.Default) {
			return now
		}
	}
	return nil
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

// sameKey looks for a foreign key on the same columns to the same ones that does on the change what this one does, or holds on to what it
// refers to.
func (w change) sameKey(con *catalog.Constraint, before []*catalog.Constraint) bool {
	return slices.ContainsFunc(before, func(old *catalog.Constraint) bool {
		return sameColumns(con)(old) && (w.action(old) == w.action(con) || w.isHeld(old))
	})
}
