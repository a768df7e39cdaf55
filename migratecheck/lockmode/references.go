package lockmode

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// checkReferences locks the tables that foreign keys of rel point at: the check is SELECT … FOR KEY SHARE on them
// (RI_FKey_check in src/backend/utils/adt/ri_triggers.c). A deferred one comes with the commit and is left out.
func (a *analyzer) checkReferences(rel *catalog.Relation, changed map[int]bool) {
	for _, con := range a.before.Constraints(rel.OID) {
		if con.Kind != catalog.ForeignKey || con.Deferred || !someOf(con.Columns, changed) {
			continue
		}
		if parent := a.relation(con.RefTable); parent != nil {
			a.lockKeyShare(parent)
		}
	}
}

func (a *analyzer) lockKeyShare(parent *catalog.Relation) {
	for _, m := range a.family(a.target(parent), parent, isPartitioned(parent)) {
		a.lock(m.target, RowShare)
		a.lockPlannedIndexes(m.rel, RowShare, true)
	}
	if isPartitioned(parent) {
		a.note("the rows decide which partitions of " + a.target(parent).name.String() + " are locked")
	}
}

func someOf(nums []int, set map[int]bool) bool {
	for _, n := range nums {
		if set[n] {
			return true
		}
	}
	return false
}

// updated notes what foreign keys do when columns of rel change.
func (a *analyzer) updated(rel *catalog.Relation, names map[string]bool, seen map[catalog.OID]bool) {
	changed, filled := map[int]bool{}, map[int]bool{}
	for name, value := range names {
		if col := rel.Column(name); col != nil {
			changed[col.Num] = true
			filled[col.Num] = value
		}
	}
	a.changed(rel, changed, filled, seen)
}

// changed: filled is the columns that change to something other than NULL, which alone is checked.
func (a *analyzer) changed(rel *catalog.Relation, changed, filled map[int]bool, seen map[catalog.OID]bool) {
	a.checkReferences(rel, filled)
	for _, con := range a.before.ReferencedBy(rel.OID) {
		if someOf(con.RefColumns, changed) {
			a.referencing(con, con.OnUpdate, seen)
		}
	}
}

// deleted notes what foreign keys do when a row of rel is deleted.
func (a *analyzer) deleted(rel *catalog.Relation, seen map[catalog.OID]bool) {
	for _, con := range a.before.ReferencedBy(rel.OID) {
		a.referencing(con, con.OnDelete, seen)
	}
}

// referencing follows the trigger of a foreign key on the referenced table (RI_FKey_noaction_del, RI_FKey_cascade_del, … in
// ri_triggers.c): it looks for referencing rows, FOR KEY SHARE, or deletes or updates them.
func (a *analyzer) referencing(con *catalog.Constraint, action byte, seen map[catalog.OID]bool) {
	child := a.relation(con.Table)
	if child == nil || seen[con.OID] || con.Deferred && (action == 'a' || action == 0) {
		return
	}
	seen[con.OID] = true
	mode := RowShare
	if action == 'c' || action == 'n' || action == 'd' {
		mode = RowExclusive
	}
	for _, m := range a.family(a.target(child), child, isPartitioned(child)) {
		a.lock(m.target, mode)
		a.lockPlannedIndexes(m.rel, mode, true)
		if !isPartitioned(m.rel) && !a.hasIndexOn(m.rel, con.Columns) {
			a.scan(m.target, ScanForeign, "no index finds the rows that refer to a deleted or changed key")
		}
	}
	switch {
	case action == 'c' && con.OnDelete == 'c':
		a.deleted(child, seen)
	case action == 'c' || action == 'n' || action == 'd':
		changed := map[int]bool{}
		for _, num := range con.Columns {
			changed[num] = true
		}
		if action == 'n' {
			for _, other := range a.before.ReferencedBy(child.OID) {
				if someOf(other.RefColumns, changed) {
					a.referencing(other, other.OnUpdate, seen)
				}
			}
			return
		}
		a.changed(child, changed, changed, seen)
	}
}

// hasIndexOn tells whether an index begins with one of the columns.
func (a *analyzer) hasIndexOn(rel *catalog.Relation, columns []int) bool {
	for _, index := range a.before.Indexes(rel.OID) {
		if keys := index.Index.Keys; len(keys) > 0 && slices.Contains(columns, keys[0].Column) && index.Index.Predicate == nil {
			return true
		}
	}
	return false
}
