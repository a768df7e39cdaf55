package lockmode

import (
	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// attach follows ATExecAttachPartition: SHARE UPDATE EXCLUSIVE on the parent (since version 12), ACCESS EXCLUSIVE on the
// new partition and on the default partition. The new partition is read unless its CHECK constraints imply the bound.
func (a *alteration) attach(cmd *pgast.PartitionCmd) {
	t, rel, ok := a.ref(cmd.GetName())
	if !ok {
		return
	}
	parent := a.table.rel
	if parent != nil && parent.Kind == catalog.PartitionedIndex {
		a.attachIndex(t, rel)
		return
	}
	implied := parent != nil && rel != nil && a.impliesBound(rel, parent, cmd.Bound)
	emptyDefault := parent != nil && cmd.Bound.GetIsDefault() && len(a.before.Inheritors(parent.OID)) == 0
	for _, m := range a.family(t, rel, true) {
		a.lock(m.target, AccessExclusive)
		if implied || emptyDefault || m.rel != nil && !hasStorage(m.rel) {
			continue
		}
		if m.rel != nil && parent != nil && a.impliesBound(m.rel, parent, cmd.Bound) {
			continue
		}
		a.scan(m.target, ScanPartition, "every row must be within the bounds of the partition")
	}
	if parent == nil {
		a.eff.Worst = true
		a.assume("whether " + a.table.name.String() + " has a default partition, indexes or foreign keys is not known")
		return
	}
	a.lockPartitionedIndexes(parent)
	a.attachIndexes(t, rel, parent)
	if !cmd.Bound.GetIsDefault() {
		a.checkDefaultPartition(parent, cmd.Bound)
	}
	for _, con := range a.before.Constraints(parent.OID) {
		if con.Kind != catalog.ForeignKey || con.Parent != 0 {
			continue
		}
		ref := a.relation(con.RefTable)
		if ref == nil || rel == nil {
			continue
		}
		a.lockReferenced(member{a.target(ref), ref})
		if !a.hasForeignKeyLike(rel, con) {
			for _, m := range a.family(t, rel, true) {
				a.checkForeignKey(m, member{a.target(ref), ref})
			}
		}
	}
	a.lockReferencing(parent)
}

// attachIndexes notes the indexes that are built in a new partition because it has none to match the parent's
// (AttachPartitionEnsureIndexes).
func (a *alteration) attachIndexes(t target, rel, parent *catalog.Relation) {
	for _, index := range a.before.Indexes(parent.OID) {
		for _, m := range a.family(t, rel, true) {
			if m.rel == nil || !hasStorage(m.rel) || a.hasMatchingIndex(m.rel, parent, index) {
				continue
			}
			reason := "the partition has no index like " + index.Name
			a.scan(m.target, ScanBuild, reason)
			a.build(m.target, "", reason)
		}
	}
}

// hasMatchingIndex compares keys by column name (CompareIndexInfo).
func (a *analyzer) hasMatchingIndex(part, parent, index *catalog.Relation) bool {
	for _, own := range a.before.Indexes(part.OID) {
		if own.Index.Parent != 0 || own.AccessMethod != index.AccessMethod || index.Index.Unique && !own.Index.Unique ||
			len(own.Index.Keys) != len(index.Index.Keys) || len(own.Index.Include) != len(index.Index.Include) ||
			(own.Index.Predicate == nil) != (index.Index.Predicate == nil) || !own.Index.Valid {
			continue
		}
		same := true
		for i, key := range index.Index.Keys {
			p, o := parent.Att(key.Column), part.Att(own.Index.Keys[i].Column)
			if p == nil || o == nil {
				same = same && key.Expr != nil && own.Index.Keys[i].Expr != nil && key.Expr.SQL == own.Index.Keys[i].Expr.SQL
				continue
			}
			same = same && p.Name == o.Name && key.OpClass == own.Index.Keys[i].OpClass && key.Collation == own.Index.Keys[i].Collation
		}
		if same && (index.Index.Predicate == nil || index.Index.Predicate.SQL == own.Index.Predicate.SQL) {
			return true
		}
	}
	return false
}

func (a *analyzer) hasForeignKeyLike(part *catalog.Relation, like *catalog.Constraint) bool {
	for _, con := range a.before.Constraints(part.OID) {
		if con.Kind == catalog.ForeignKey && con.RefTable == like.RefTable && con.Valid && len(con.Columns) == len(like.Columns) {
			return true
		}
	}
	return false
}

// attachIndex follows ATExecAttachPartitionIdx: the parent's and the partition's table only ACCESS SHARE.
func (a *alteration) attachIndex(t target, child *catalog.Relation) {
	a.lock(t, AccessExclusive)
	if child != nil && child.Index != nil {
		a.lockOID(child.Index.Table, AccessShare)
	}
	a.lockOID(a.table.rel.Index.Table, AccessShare)
}

// detach follows ATExecDetachPartition. CONCURRENTLY (since version 14) is two transactions: in the first both tables are
// locked SHARE UPDATE EXCLUSIVE, in the second, when all who used the parent are done, the partition ACCESS EXCLUSIVE.
func (a *alteration) detach(cmd *pgast.AlterTableCmd) {
	part := cmd.Def.GetPartitionCmd()
	if part.GetConcurrent() {
		a.eff.NoTransaction, a.eff.Waits = true, true
	}
	t, rel, ok := a.ref(part.GetName())
	if !ok {
		return
	}
	mode := AccessExclusive
	if a.version < 14 {
		mode = ShareUpdateExclusive
	}
	a.lock(t, mode)
	if rel == nil {
		return
	}
	for _, index := range a.before.Indexes(rel.OID) {
		if index.Index.Parent != 0 {
			a.lockRel(index, AccessExclusive)
		}
	}
	parent := a.table.rel
	if parent == nil {
		return
	}
	if !part.GetConcurrent() && cmd.Subtype == pgast.AlterTableType_AT_DetachPartition {
		a.lockRel(a.defaultPartition(parent), AccessExclusive)
	}
	for _, con := range a.before.Constraints(rel.OID) {
		ref := a.relation(con.RefTable)
		if con.Kind != catalog.ForeignKey || con.Parent == 0 || ref == nil {
			continue
		}
		// The partition's copy of the foreign key becomes one of its own, with its own triggers.
		if isPartitioned(ref) {
			a.lock(t, AccessExclusive) // and its part in the partitions of the other table is dropped
		}
		if a.version >= 15 || !isPartitioned(ref) && ref.PartitionOf == 0 {
			a.lockRel(ref, ShareRowExclusive)
		}
	}
	if a.version < 15 {
		return
	}
	for _, con := range a.before.ReferencedBy(parent.OID) {
		a.lockOID(con.Table, ShareRowExclusive)
	}
}
