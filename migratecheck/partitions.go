package migratecheck

import (
	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// under reports whether a relation is top, or one of its partitions or children at any depth.
func (s *Step) under(oid, top catalog.OID) bool {
	if oid == top {
		return true
	}
	if rel := s.relation(oid); rel != nil {
		for _, parent := range rel.Inherits {
			if s.under(parent, top) {
				return true
			}
		}
	}
	return false
}

// subject is the table that the statement names, when what it does to a relation it does because that is a partition or
// child of the named one; else the relation itself. One cause, one finding.
func (s *Step) subject(oid catalog.OID) catalog.OID {
	var rv *pgast.RangeVar
	switch n := s.Stmt.Node; {
	case n.GetAlterTableStmt() != nil:
		rv = n.GetAlterTableStmt().Relation
	case n.GetIndexStmt() != nil:
		rv = n.GetIndexStmt().Relation
	case n.GetReindexStmt() != nil:
		rv = n.GetReindexStmt().Relation
	}
	if rv == nil {
		return oid
	}
	if named := s.Before.Relation(rv.Schemaname, rv.Relname); named != nil && s.under(oid, named.OID) {
		return named.OID
	}
	return oid
}

// partitions lists the partitions that hold the rows of a partitioned table.
func partitions(c *catalog.Catalog, table catalog.OID) []*catalog.Relation {
	var list []*catalog.Relation
	for o := range c.All() {
		if rel, ok := o.(*catalog.Relation); ok && rel.PartitionOf == table && isTable(rel) {
			if rel.Kind == catalog.PartitionedTable {
				list = append(list, partitions(c, rel.OID)...)
			} else {
				list = append(list, rel)
			}
		}
	}
	return list
}
