package migratecheck

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source"
)

// filledColumn is a column, by attribute number, that the pending change has written; with column 0 the table was
// emptied, or rows were taken out of it.
type filledColumn struct {
	table  catalog.OID
	column int
}

// noteFilled remembers what a statement of the pending change writes, for fails-on-existing-rows.
func (r *Run) noteFilled(s *Step) {
	r.noteDropped(s)
	if s.Down {
		return // see downFills
	}
	for _, w := range s.writes() {
		r.filled[w] = true
	}
}

// writes lists the columns that the statement writes by UPDATE, and the tables that it takes rows out of.
func (s *Step) writes() []filledColumn {
	var list []filledColumn
	note := func(rv *pgast.RangeVar, targets []*pgast.Node) {
		rel := s.Before.Relation(rv.GetSchemaname(), rv.GetRelname())
		if rel == nil {
			return
		}
		if targets == nil {
			list = append(list, filledColumn{rel.OID, 0})
		}
		for _, t := range targets {
			if col := rel.Column(t.GetResTarget().GetName()); col != nil {
				list = append(list, filledColumn{rel.OID, col.Num})
			}
		}
	}
	n := s.Stmt.Node
	switch u, d := n.GetUpdateStmt(), n.GetDeleteStmt(); {
	case u != nil:
		note(u.Relation, u.TargetList)
	case d != nil:
		note(d.Relation, nil)
	}
	for _, t := range n.GetTruncateStmt().GetRelations() {
		note(t.GetRangeVar(), nil)
	}
	return list
}

// downFills reports whether an earlier statement of the Down section writes one of the columns, or takes rows out of the table.
func (s *Step) downFills(table catalog.OID, nums ...int) bool {
	for _, e := range s.File.Down {
		if e == s {
			break
		}
		for _, w := range e.writes() {
			if w.table == table && (w.column == 0 || slices.Contains(nums, w.column)) {
				return true
			}
		}
	}
	return false
}

// noteDropped remembers which statement drops an object, for schema-drift.
func (r *Run) noteDropped(s *Step) {
	for _, c := range s.Changes {
		var key droppedObject
		switch {
		case s.Down:
			continue
		case c.Op == catalog.ColumnDropped:
			key = droppedObject{s.Before.NameOf(c.Old.ObjectID()).Name, c.OldColumn.Name}
		case c.Op != catalog.Dropped:
			continue
		default:
			key.name = s.Before.NameOf(c.Old.ObjectID()).Name
			if con, ok := c.Old.(*catalog.Constraint); ok {
				key = droppedObject{s.Before.NameOf(con.Table).Name, con.Name}
			}
		}
		if r.dropped == nil {
			r.dropped = map[droppedObject]source.Position{}
		}
		r.dropped[key] = s.text.Position(s.base)
	}
}

// droppedObject names an object, or a part of a table.
type droppedObject struct{ table, name string }
