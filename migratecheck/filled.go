package migratecheck

import (
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
	n := s.Stmt.Node
	var rv *pgast.RangeVar
	var targets []*pgast.Node
	switch {
	case n.GetUpdateStmt() != nil:
		rv, targets = n.GetUpdateStmt().Relation, n.GetUpdateStmt().TargetList
	case n.GetDeleteStmt() != nil:
		rv = n.GetDeleteStmt().Relation
	case n.GetTruncateStmt() != nil:
		for _, t := range n.GetTruncateStmt().Relations {
			if rel := s.Before.Relation(t.GetRangeVar().GetSchemaname(), t.GetRangeVar().GetRelname()); rel != nil {
				r.filled[filledColumn{rel.OID, 0}] = true
			}
		}
	}
	if rv == nil {
		return
	}
	rel := s.Before.Relation(rv.Schemaname, rv.Relname)
	if rel == nil {
		return
	}
	if n.GetDeleteStmt() != nil {
		r.filled[filledColumn{rel.OID, 0}] = true
	}
	for _, t := range targets {
		if col := rel.Column(t.GetResTarget().GetName()); col != nil {
			r.filled[filledColumn{rel.OID, col.Num}] = true
		}
	}
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
