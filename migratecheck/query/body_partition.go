package query

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// below reports whether it is the reading of a table below the one that the statement names.
func (r *reading) below() bool {
	return r.via != nil && r.via.effect != nil && r.via.effect.kind == ofPartition
}

// partitions lists the tables below the one that a change is of whose rows may be changed: partitions, and for UPDATE and DELETE those that
// inherit from it.
func (r *reading) partitions(w *catalog.Write) []*catalog.Relation {
	rel, _ := r.cat.Get(w.Relation).(*catalog.Relation)
	if rel == nil || rel.Kind != catalog.PartitionedTable && w.Op != 'u' && w.Op != 'd' || r.below() {
		return nil
	}
	var list []*catalog.Relation
	var below func(oid catalog.OID)
	below = func(oid catalog.OID) {
		for _, child := range r.cat.Inheritors(oid) {
			if !slices.Contains(list, child) {
				list = append(list, child)
				below(child.OID)
			}
		}
	}
	if below(rel.OID); len(list) > 0 && r.namesOnly(w) {
		return nil
	}
	return list
}

// namesOnly reports whether a statement says ONLY of what it changes.
func (r *reading) namesOnly(w *catalog.Write) bool {
	only := false
	pgast.Walk(r.stmt.Node, func(n *pgast.Node) bool {
		for _, rv := range []*pgast.RangeVar{n.GetUpdateStmt().GetRelation(), n.GetDeleteStmt().GetRelation()} {
			only = only || rv != nil && int(rv.Location) == w.Offset && !rv.Inh
		}
		return !only
	})
	return only
}

// hasOwn reports whether a partition has something in the way of a change that its parent does not have.
func (r *reading) hasOwn(part *catalog.Relation, w *catalog.Write) bool {
	ch := change{Write: w, rel: part}
	if slices.ContainsFunc(r.cat.Triggers(part.OID), func(t *catalog.Trigger) bool { return t.Row && t.Parent == 0 && !t.InsteadOf }) ||
		slices.ContainsFunc(r.cat.ReferencedBy(part.OID), func(con *catalog.Constraint) bool { return con.Parent == 0 }) {
		return true
	}
	if ch.Op == 'd' {
		return false
	}
	parent, _ := r.cat.Get(w.Relation).(*catalog.Relation)
	return slices.ContainsFunc(r.cat.Constraints(part.OID), ownConstraint) || slices.ContainsFunc(r.cat.Indexes(part.OID), ownIndex) ||
		slices.ContainsFunc(part.Columns, func(col catalog.Column) bool {
			above := parent.Column(col.Name)
			return !col.Dropped && above != nil && col.NotNull && !above.NotNull
		})
}

// ownConstraint tells of a constraint that a table has not from a parent.
func ownConstraint(con *catalog.Constraint) bool { return con.Parent == 0 && con.Inherited == 0 }

// ownIndex tells of an index that is no part of a partitioned one.
func ownIndex(idx *catalog.Relation) bool { return idx.Index.Parent == 0 }

// onPartition is a change of a table as one of a table below it, of which the columns have the same names. What INSERT leaves out gets the
// defaults of the table that it names (sql-createtable.html, PARTITION OF).
func onPartition(w *catalog.Write, parent, part *catalog.Relation) *catalog.Write {
	out := *w
	out.Relation, out.AllColumns, out.Defaults, out.Conflict, out.Targets = part.OID, false, false, w.Conflict, nil
	for i := range parent.Columns {
		col := &parent.Columns[i]
		below := part.Column(col.Name)
		t := w.Target(col.Num)
		if col.Dropped || below == nil || below.Generated != 0 || t == nil && w.Op != 'i' {
			continue
		}
		target := catalog.Target{Offset: w.Offset, Given: true, Values: []catalog.Value{byDefault(col)}}
		switch {
		case t != nil && !t.Default:
			target = *t
		case t != nil:
			target = *t
			target.Default, target.Values = false, slices.Clone(t.Values)
			for i, v := range t.Values {
				if v.Default {
					target.Values[i] = byDefault(col)
				}
			}
		}
		if t == nil || t.Default {
			target.Given, target.Null = true, false
			for _, v := range target.Values {
				target.Null = target.Null || v.Null
				target.Mixed = target.Mixed || !v.Null
			}
		}
		target.Column = below.Num
		out.Targets = append(out.Targets, target)
	}
	return &out
}

// byDefault is what a column gets that is left to its default, as a value.
func byDefault(col *catalog.Column) catalog.Value {
	c := defaultCell(col)
	return catalog.Value{Constant: c.constant, Null: c.kind == nullCell, Fresh: c.kind == freshCell, NotNull: c.kind == freshCell}
}

// asPartition is the reading of a partition by another that the same statement comes to on another schema, nil when there it is none.
func (r *reading) asPartition(via *call) *reading {
	if r.fails() || r.an == nil {
		return nil
	}
	for _, w := range r.an.Writes {
		table := r.cat.OnTable(w)
		if table == nil || w.Offset != via.effect.write.Offset || w.Op != via.effect.write.Op {
			continue
		}
		if !slices.ContainsFunc(r.partitions(table), func(part *catalog.Relation) bool { return part.OID == via.effect.by }) {
			continue
		}
		at := *via
		at.outer, at.effect = r, &effect{kind: ofPartition, by: via.effect.by, write: table}
		return at.read(r.cat)
	}
	return nil
}
