package lockmode

import (
	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// createIndex follows DefineIndex (src/backend/commands/indexcmds.c): SHARE on the table, SHARE UPDATE EXCLUSIVE with
// CONCURRENTLY; on a partitioned table an index is built in every partition, but not in the children of a plain one.
func (a *analyzer) createIndex(s *pgast.IndexStmt) {
	t, rel, ok := a.ref(s.Relation)
	if s.Concurrent {
		a.eff.NoTransaction, a.eff.Waits = true, true
	}
	if !ok {
		return
	}
	mode := Share
	if s.Concurrent {
		mode = ShareUpdateExclusive
	}
	a.lock(t, mode)
	if s.IfNotExists && s.Idxname != "" && a.before.Relation(schemaOf(a.before, rel, s.Relation), s.Idxname) != nil {
		return
	}
	reason := "builds an index"
	if s.Idxname != "" {
		reason = "builds index " + s.Idxname
	}
	for i, m := range a.family(t, rel, s.Relation.Inh && isPartitioned(rel)) {
		if i > 0 {
			a.lock(m.target, mode)
		}
		if m.rel != nil && m.rel.Kind == catalog.PartitionedTable {
			continue
		}
		name := ""
		if i == 0 {
			name = s.Idxname
		} else if a.hasIndexLike(m.rel, rel, s) {
			continue // DefineIndex attaches an index that is there already
		}
		a.scan(m.target, ScanBuild, reason)
		a.build(m.target, name, reason)
	}
}

// hasIndexLike tells whether a partition has no new index after CREATE INDEX on its parent: one that was there fits.
func (a *analyzer) hasIndexLike(part, parent *catalog.Relation, s *pgast.IndexStmt) bool {
	if a.after == nil || part == nil {
		return false
	}
	return len(a.after.Indexes(part.OID)) == len(a.before.Indexes(part.OID))
}

func isPartitioned(rel *catalog.Relation) bool {
	return rel != nil && rel.Kind == catalog.PartitionedTable
}

// schemaOf is the name of the schema of rel, or what the statement said when rel is not known.
func schemaOf(c *catalog.Catalog, rel *catalog.Relation, rv *pgast.RangeVar) string {
	if rel == nil {
		return rv.Schemaname
	}
	return c.NameOf(rel.OID).Schema
}

// reindex follows ReindexIndex, ReindexTable and ReindexMultipleTables (indexcmds.c): SHARE on the table, ACCESS
// EXCLUSIVE on the index; with CONCURRENTLY SHARE UPDATE EXCLUSIVE on both.
func (a *analyzer) reindex(s *pgast.ReindexStmt) {
	concurrent := hasOption(s.Params, "concurrently")
	tablespace := hasOption(s.Params, "tablespace")
	if concurrent {
		a.eff.NoTransaction, a.eff.Waits = true, true
	}
	switch s.Kind {
	case pgast.ReindexObjectType_REINDEX_OBJECT_INDEX:
		t, rel, ok := a.ref(s.Relation)
		if !ok {
			return
		}
		if rel == nil || rel.Index == nil {
			a.lock(t, reindexMode(concurrent))
			a.rewriteFile(t, catalog.Index, "REINDEX", false)
			a.note("the table of index " + t.name.String() + " is not known")
			return
		}
		for _, m := range a.family(t, rel, true) {
			a.reindexOne(m.rel, concurrent)
		}
		if rel.Kind == catalog.PartitionedIndex {
			a.eff.NoTransaction = true
			a.lockOID(rel.Index.Table, tableReindexMode(concurrent)) // RangeVarCallbackForReindexIndex
		}
	case pgast.ReindexObjectType_REINDEX_OBJECT_TABLE:
		t, rel, ok := a.ref(s.Relation)
		if !ok {
			return
		}
		if isPartitioned(rel) && a.version >= 14 {
			a.eff.NoTransaction = true
		}
		// Until version 13 a partitioned table is left alone, with a warning.
		for _, m := range a.family(t, rel, isPartitioned(rel) && a.version >= 14) {
			a.reindexTable(m, concurrent)
		}
	default: // SCHEMA, SYSTEM, DATABASE
		a.eff.NoTransaction = true
		if s.Kind == pgast.ReindexObjectType_REINDEX_OBJECT_SYSTEM {
			return
		}
		for o := range a.before.All() {
			rel, ok := o.(*catalog.Relation)
			if !ok || rel.Kind != catalog.Table && rel.Kind != catalog.MatView {
				continue
			}
			if t := a.target(rel); s.Kind == pgast.ReindexObjectType_REINDEX_OBJECT_DATABASE || t.name.Schema == s.Name {
				a.reindexTable(member{t, rel}, concurrent)
			}
		}
	}
	_ = tablespace // REINDEX (TABLESPACE x) moves the indexes with the same locks
}

func reindexMode(concurrent bool) Mode {
	if concurrent {
		return ShareUpdateExclusive
	}
	return AccessExclusive
}

func (a *analyzer) reindexTable(m member, concurrent bool) {
	if m.rel == nil {
		a.lock(m.target, tableReindexMode(concurrent))
		a.scan(m.target, ScanBuild, "REINDEX")
		return
	}
	if m.rel.Kind == catalog.PartitionedTable {
		a.lock(m.target, tableReindexMode(concurrent))
		return
	}
	a.lock(m.target, tableReindexMode(concurrent))
	for _, index := range a.before.Indexes(m.rel.OID) {
		a.reindexOne(index, concurrent)
	}
}

func tableReindexMode(concurrent bool) Mode {
	if concurrent {
		return ShareUpdateExclusive
	}
	return Share
}

func (a *analyzer) reindexOne(index *catalog.Relation, concurrent bool) {
	table := a.relation(index.Index.Table)
	if index.Kind == catalog.PartitionedIndex {
		return // only its children have anything to rebuild
	}
	mode := tableReindexMode(concurrent)
	if concurrent && index.Index.Exclusion {
		a.note("exclusion constraint indexes are skipped by REINDEX CONCURRENTLY")
		return
	}
	a.lockRel(index, reindexMode(concurrent))
	a.rewriteFile(a.target(index), index.Kind, "REINDEX", false)
	if table != nil {
		a.lockRel(table, mode)
		a.scan(a.target(table), ScanBuild, "rebuilds index "+index.Name)
		a.build(a.target(table), index.Name, "REINDEX")
	}
}

// cluster follows cluster_rel (src/backend/commands/cluster.c).
func (a *analyzer) cluster(s *pgast.ClusterStmt) {
	if s.Relation == nil {
		a.eff.NoTransaction = true
		for o := range a.before.All() {
			if rel, ok := o.(*catalog.Relation); ok && rel.ClusterIndex != 0 {
				a.rewriteTable(a.target(rel), rel, "CLUSTER")
			}
		}
		return
	}
	t, rel, ok := a.ref(s.Relation)
	if !ok {
		return
	}
	if isPartitioned(rel) {
		a.eff.NoTransaction = true // since 15; an error before
		a.lock(t, AccessExclusive)
		for _, child := range a.descendants(rel) {
			a.lockRel(child, AccessExclusive)
			a.rewriteTable(a.target(child), child, "CLUSTER")
		}
		return
	}
	a.lock(t, AccessExclusive)
	a.rewriteTable(t, rel, "CLUSTER")
}

// vacuum follows ExecVacuum (src/backend/commands/vacuum.c); ANALYZE comes here too.
func (a *analyzer) vacuum(s *pgast.VacuumStmt) {
	full := hasOption(s.Options, "full")
	if s.IsVacuumcmd {
		a.eff.NoTransaction = true
	}
	var tables []member
	for _, n := range s.Rels {
		if t, rel, ok := a.ref(n.GetVacuumRelation().GetRelation()); ok {
			// Partitions are processed with their parent; inheriting children, before version 18, only for its own statistics
			// (expand_vacuum_rel).
			all := isPartitioned(rel) || a.version >= 18
			tables = append(tables, a.family(t, rel, all)...)
			if rel != nil && !all && !s.IsVacuumcmd {
				for _, child := range a.descendants(rel) {
					a.lockRel(child, AccessShare) // acquire_inherited_sample_rows
				}
			}
		}
	}
	if len(s.Rels) == 0 {
		for o := range a.before.All() {
			if rel, ok := o.(*catalog.Relation); ok && (rel.Kind == catalog.Table || rel.Kind == catalog.MatView || rel.Kind == catalog.PartitionedTable) {
				tables = append(tables, member{a.target(rel), rel})
			}
		}
	}
	for _, m := range tables {
		switch {
		case full:
			a.lock(m.target, AccessExclusive)
			a.rewriteTable(m.target, m.rel, "VACUUM FULL")
		case s.IsVacuumcmd:
			a.lock(m.target, ShareUpdateExclusive)
			if !isPartitioned(m.rel) {
				a.lockIndexes(m.rel, RowExclusive)
			}
		default:
			a.lock(m.target, ShareUpdateExclusive)
			if !isPartitioned(m.rel) {
				a.lockIndexes(m.rel, AccessShare)
			}
		}
	}
}

// hasOption tells whether a boolean option of a parenthesized list, or its old spelling, is on.
func hasOption(options []*pgast.Node, name string) bool {
	for _, n := range options {
		d := n.GetDefElem()
		if d.GetDefname() != name {
			continue
		}
		if d.Arg == nil {
			return true
		}
		switch v := optionText(d.Arg); v {
		case "off", "false", "0", "no":
			return false
		}
		return true
	}
	return false
}

func optionText(n *pgast.Node) string {
	switch v := n.Node.(type) {
	case *pgast.Node_String_:
		return v.String_.Sval
	case *pgast.Node_Boolean:
		if !v.Boolean.Boolval {
			return "false"
		}
		return "true"
	case *pgast.Node_Integer:
		if v.Integer.Ival == 0 {
			return "0"
		}
		return "1"
	}
	return ""
}

// refresh follows ExecRefreshMatView (src/backend/commands/matview.c): ACCESS EXCLUSIVE, or EXCLUSIVE with CONCURRENTLY.
func (a *analyzer) refresh(s *pgast.RefreshMatViewStmt) {
	t, rel, ok := a.ref(s.Relation)
	if !ok {
		return
	}
	if s.Concurrent {
		a.lock(t, Exclusive)
		if rel != nil {
			a.lockIndexes(rel, RowExclusive) // the differences are applied by DELETE and INSERT
			a.scan(t, ScanQuery, "REFRESH CONCURRENTLY compares the old rows with the new ones")
			a.viewQuery(rel, AccessShare, executed, true)
		}
		return
	}
	a.lock(t, AccessExclusive)
	a.rewriteFile(t, catalog.MatView, "REFRESH MATERIALIZED VIEW", s.SkipData)
	a.renewIndexes(rel, "REFRESH MATERIALIZED VIEW", s.SkipData)
	if rel != nil && !s.SkipData {
		if len(a.before.Indexes(rel.OID)) > 0 {
			a.scan(t, ScanBuild, "rebuilds the indexes of the new rows")
		}
		a.viewQuery(rel, AccessShare, executed, true)
	}
}
