package lockmode

import (
	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// createTable follows DefineRelation (src/backend/commands/tablecmds.c) and transformCreateStmt
// (src/backend/parser/parse_utilcmd.c): the new table matters to nobody, but those it refers to are locked.
func (a *analyzer) createTable(s *pgast.CreateStmt) {
	if s == nil {
		return
	}
	if s.IfNotExists && a.before.Relation(s.Relation.Schemaname, s.Relation.Relname) != nil {
		return
	}
	for _, n := range s.InhRelations {
		if s.Partbound != nil {
			a.newPartition(n.GetRangeVar(), s.Partbound)
			continue
		}
		if t, _, ok := a.ref(n.GetRangeVar()); ok {
			a.lock(t, ShareUpdateExclusive)
		}
	}
	a.ofType(s.OfTypename)
	var constraints []*pgast.Node
	for _, n := range s.TableElts {
		switch e := n.Node.(type) {
		case *pgast.Node_TableLikeClause:
			if t, _, ok := a.ref(e.TableLikeClause.Relation); ok {
				a.lock(t, AccessShare)
			}
		case *pgast.Node_ColumnDef:
			constraints = append(constraints, e.ColumnDef.Constraints...)
		case *pgast.Node_Constraint:
			constraints = append(constraints, n)
		}
	}
	for _, n := range append(constraints, s.Constraints...) {
		con := n.GetConstraint()
		if con.GetContype() != pgast.ConstrType_CONSTR_FOREIGN || isSelf(con.Pktable, s.Relation) {
			continue
		}
		if t, rel, ok := a.ref(con.Pktable); ok {
			a.lockReferenced(member{t, rel})
		}
	}
}

// lockReferenced locks the table that a new foreign key points at, and of a partitioned one the partitions: they get the
// triggers that watch deletes.
func (a *analyzer) lockReferenced(m member) {
	for _, m := range a.family(m.target, m.rel, isPartitioned(m.rel)) {
		a.lock(m.target, ShareRowExclusive)
	}
}

func isSelf(rv, self *pgast.RangeVar) bool {
	return rv.GetRelname() == self.GetRelname() && (rv.GetSchemaname() == self.GetSchemaname() || rv.GetSchemaname() == "")
}

// ofType locks the composite type of a typed table.
func (a *analyzer) ofType(n *pgast.TypeName) {
	if n == nil {
		return
	}
	if rv := rangeVar(namesOf(n.Names)); rv != nil {
		if rel := a.before.Relation(rv.Schemaname, rv.Relname); rel != nil {
			a.lockRel(rel, AccessShare)
		}
	}
}

// newPartition follows DefineRelation for PARTITION OF: ACCESS EXCLUSIVE on the parent and on its default partition, which
// is read to see that none of its rows belongs to the new one (check_default_partition_contents).
func (a *analyzer) newPartition(rv *pgast.RangeVar, bound *pgast.PartitionBoundSpec) {
	t, parent, ok := a.ref(rv)
	if !ok {
		return
	}
	a.lock(t, AccessExclusive)
	if parent == nil {
		return
	}
	a.lockPartitionedIndexes(parent)
	if !bound.IsDefault {
		a.checkDefaultPartition(parent, bound)
	}
	for _, con := range a.before.Constraints(parent.OID) {
		if con.Kind == catalog.ForeignKey {
			if ref := a.relation(con.RefTable); ref != nil {
				a.lockReferenced(member{a.target(ref), ref})
			}
		}
	}
	a.lockReferencing(parent)
}

// lockReferencing locks the tables with foreign keys to a partitioned table that gets a partition (CloneFkReferenced): until
// version 14 they are only looked at, since 15 the new triggers are made in their name.
func (a *analyzer) lockReferencing(parent *catalog.Relation) {
	mode := ShareRowExclusive
	if a.version < 15 {
		mode = AccessShare
	}
	for _, con := range a.before.ReferencedBy(parent.OID) {
		if con.Parent == 0 {
			a.lockOID(con.Table, mode)
		}
	}
}

// lockPartitionedIndexes locks the indexes of a partitioned table that those of a new partition are attached to
// (StoreSingleInheritance sets relhassubclass, for which the index is locked since 12.20, 13.16, 14.13, 15.8, 16.4).
func (a *analyzer) lockPartitionedIndexes(parent *catalog.Relation) {
	for _, index := range a.before.Indexes(parent.OID) {
		if index.Kind == catalog.PartitionedIndex {
			a.lockRel(index, ShareUpdateExclusive)
		}
	}
}

// checkDefaultPartition locks the default partition of parent and notes that it is read.
func (a *analyzer) checkDefaultPartition(parent *catalog.Relation, bound *pgast.PartitionBoundSpec) {
	def := a.defaultPartition(parent)
	if def == nil {
		return
	}
	for _, m := range a.family(a.target(def), def, isPartitioned(def)) {
		a.lock(m.target, AccessExclusive)
		if !isPartitioned(m.rel) && hasStorage(m.rel) && !a.excludes(m.rel, parent, bound) {
			a.scan(m.target, ScanPartition, "no row of the default partition may belong to the new one")
		}
	}
}

func (a *analyzer) defaultPartition(parent *catalog.Relation) *catalog.Relation {
	for _, child := range a.before.Inheritors(parent.OID) {
		if child.Bound != nil && child.Bound.Default {
			return child
		}
	}
	return nil
}

// createTableAs follows ExecCreateTableAs (src/backend/commands/createas.c): the query runs as any other, and WITH NO DATA
// it is not even rewritten.
func (a *analyzer) createTableAs(s *pgast.CreateTableAsStmt) {
	if rv := s.GetInto().GetRel(); s.IfNotExists && rv != nil && a.before.Relation(rv.Schemaname, rv.Relname) != nil {
		a.query(s.Query, analyzed)
		return
	}
	if s.GetInto().GetSkipData() {
		a.query(s.Query, analyzed)
		return
	}
	a.query(s.Query, executed)
}

// createView follows DefineView (src/backend/commands/view.c): the query is analyzed, not rewritten; a view that is
// replaced is locked ACCESS EXCLUSIVE.
func (a *analyzer) createView(s *pgast.ViewStmt) {
	a.query(s.Query, analyzed)
	if s.Replace {
		if rel := a.before.Relation(s.View.Schemaname, s.View.Relname); rel != nil {
			a.lockRel(rel, AccessExclusive)
		}
	}
}

// truncate follows ExecuteTruncate (tablecmds.c): ACCESS EXCLUSIVE on the tables, their partitions and children, with
// CASCADE also on those that refer to them; each gets a new, empty file, and so do its indexes.
func (a *analyzer) truncate(s *pgast.TruncateStmt) {
	var queue []member
	for _, n := range s.Relations {
		rv := n.GetRangeVar()
		if t, rel, ok := a.ref(rv); ok {
			queue = append(queue, a.family(t, rel, rv.Inh)...)
		}
	}
	seen := map[target]bool{}
	for i := 0; i < len(queue); i++ {
		m := queue[i]
		if seen[m.target] {
			continue
		}
		seen[m.target] = true
		a.lock(m.target, AccessExclusive)
		if m.rel == nil || hasStorage(m.rel) {
			kind := catalog.Table
			if m.rel != nil {
				kind = m.rel.Kind
			}
			a.rewriteFile(m.target, kind, "TRUNCATE", true)
			a.renewIndexes(m.rel, "TRUNCATE", true)
		}
		if m.rel == nil {
			continue
		}
		if s.RestartSeqs {
			for _, seq := range a.ownedSequences(m.rel, 0) {
				a.lockRel(seq, AccessExclusive)
				a.rewriteFile(a.target(seq), seq.Kind, "TRUNCATE … RESTART IDENTITY", true)
			}
		}
		if s.Behavior == pgast.DropBehavior_DROP_CASCADE {
			for _, con := range a.before.ReferencedBy(m.rel.OID) {
				if child := a.relation(con.Table); child != nil {
					queue = append(queue, a.family(a.target(child), child, isPartitioned(child))...)
				}
			}
		}
	}
	for _, m := range queue {
		if m.rel != nil {
			a.fires(m.rel, func(t *catalog.Trigger) bool { return t.Truncate }, "TRUNCATE")
		}
	}
}

// lockTable follows LockTableCommand (src/backend/commands/lockcmds.c): children and partitions too, and through a view
// everything its query names.
func (a *analyzer) lockTable(s *pgast.LockStmt) {
	modes := Modes()
	if s.Mode < 1 || int(s.Mode) > len(modes) {
		return
	}
	mode := modes[s.Mode-1]
	for _, n := range s.Relations {
		rv := n.GetRangeVar()
		t, rel, ok := a.ref(rv)
		if !ok {
			continue
		}
		a.lockDeep(member{t, rel}, mode, rv.Inh)
	}
}

func (a *analyzer) lockDeep(m member, mode Mode, inh bool) {
	for _, m := range a.family(m.target, m.rel, inh) {
		a.lock(m.target, mode)
		if m.rel != nil && m.rel.Kind == catalog.View {
			a.expand(m.rel, func(rel *catalog.Relation) { a.lockDeep(member{a.target(rel), rel}, mode, true) })
		}
	}
}
