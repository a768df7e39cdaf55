package lockmode

import (
	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// drop follows RemoveRelations, RemoveObjects and what deleteOneObject (src/backend/catalog/dependency.c) opens: ACCESS
// EXCLUSIVE on all that goes, CASCADE included, and on every table that loses something with it.
func (a *analyzer) drop(s *pgast.DropStmt) {
	if s.RemoveType == pgast.ObjectType_OBJECT_INDEX && s.Concurrent {
		a.eff.NoTransaction, a.eff.Waits = true, true
		for _, n := range s.Objects {
			t, rel, ok := a.ref(rangeVar(namesOf(n.GetList().GetItems())))
			if !ok || a.missing(t, rel, s.MissingOk) {
				continue
			}
			a.lock(t, ShareUpdateExclusive)
			if rel != nil && rel.Index != nil {
				a.lockOID(rel.Index.Table, ShareUpdateExclusive)
			} else {
				a.note("the table of index " + t.name.String() + " is not known")
			}
		}
		return
	}
	a.dropped()
	if a.after != nil && !a.after.Open {
		return
	}
	// What the catalog has not seen, or could not drop, is locked all the same.
	switch s.RemoveType {
	case pgast.ObjectType_OBJECT_TABLE, pgast.ObjectType_OBJECT_VIEW, pgast.ObjectType_OBJECT_MATVIEW,
		pgast.ObjectType_OBJECT_SEQUENCE, pgast.ObjectType_OBJECT_INDEX, pgast.ObjectType_OBJECT_FOREIGN_TABLE:
		for _, n := range s.Objects {
			t, rel, ok := a.ref(rangeVar(namesOf(n.GetList().GetItems())))
			if !ok || a.missing(t, rel, s.MissingOk) {
				continue
			}
			a.lock(t, AccessExclusive)
			if s.RemoveType == pgast.ObjectType_OBJECT_INDEX {
				if rel != nil && rel.Index != nil && rel.Index.Table != 0 {
					a.lockOID(rel.Index.Table, AccessExclusive)
				} else {
					a.note("the table of index " + t.name.String() + " is not known")
				}
				continue
			}
			a.lockIndexes(rel, AccessExclusive)
			if rel == nil || rel.Assumed {
				a.assume("the indexes and foreign keys of " + t.name.String() + ", and what depends on it, are not known")
			}
		}
	case pgast.ObjectType_OBJECT_TRIGGER, pgast.ObjectType_OBJECT_RULE, pgast.ObjectType_OBJECT_POLICY:
		for _, n := range s.Objects {
			names := namesOf(n.GetList().GetItems())
			if len(names) < 2 {
				continue
			}
			t, rel, ok := a.ref(rangeVar(names[:len(names)-1]))
			if ok && !a.missing(t, rel, s.MissingOk) && (rel == nil || rel.Assumed || !s.MissingOk) {
				a.lock(t, AccessExclusive)
			}
		}
	}
}

// missing tells whether IF EXISTS finds nothing.
func (a *analyzer) missing(t target, rel *catalog.Relation, ifExists bool) bool {
	return ifExists && rel == nil && (!a.before.Open || a.skipped)
}

// dropped locks what the statement dropped, and the tables that lost a part.
func (a *analyzer) dropped() {
	for _, ch := range a.changes {
		switch ch.Op {
		case catalog.ColumnDropped, catalog.ColumnDefaultChanged:
			a.lockOID(ch.Old.ObjectID(), AccessExclusive)
		case catalog.Dropped:
			a.droppedObject(ch.Old)
		}
	}
}

func (a *analyzer) droppedObject(o catalog.Object) {
	switch o := o.(type) {
	case *catalog.Relation:
		a.lockRel(o, AccessExclusive)
		if o.Index != nil {
			a.lockOID(o.Index.Table, AccessExclusive)
		}
		if parent := a.relation(o.PartitionOf); parent != nil {
			// heap_drop_with_catalog (src/backend/catalog/heap.c) locks the parent, and the default partition, whose
			// constraint changes.
			a.lockRel(parent, AccessExclusive)
			a.lockRel(a.defaultPartition(parent), AccessExclusive)
		}
	case *catalog.Constraint:
		// RemoveConstraintById; dropping the triggers of a foreign key locks the other table too (RemoveTriggerById).
		a.lockOID(o.Table, AccessExclusive)
		// Until version 14 only the partitions of a partitioned table have the triggers, not itself.
		if o.Kind == catalog.ForeignKey && (a.version >= 15 || !isPartitioned(a.relation(o.RefTable))) {
			a.lockOID(o.RefTable, AccessExclusive)
		}
	case *catalog.Trigger:
		a.lockOID(o.Table, AccessExclusive)
	case *catalog.Rule:
		a.lockOID(o.Table, AccessExclusive)
	case *catalog.Policy:
		a.lockOID(o.Table, AccessExclusive)
	case *catalog.Other:
		if o.Table != 0 {
			a.lockOID(o.Table, ShareUpdateExclusive) // RemoveStatisticsById
		}
	case *catalog.Type:
		if o.Kind == catalog.CompositeType {
			a.lockOID(o.Relation, AccessExclusive)
		}
	}
}
