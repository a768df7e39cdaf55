package migratecheck

import (
	"slices"

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
	for _, c := range s.Stmt.Node.GetAlterTableStmt().GetCmds() {
		if t := c.GetAlterTableCmd().GetSubtype(); t == pgast.AlterTableType_AT_AttachPartition || t == pgast.AlterTableType_AT_DetachPartition {
			return oid // the partitioned table itself goes on
		}
	}
	if named := s.named(); named != 0 && s.under(oid, named) {
		return named
	}
	return oid
}

// named is the table that the statement is about by its words, 0 when there is none.
func (s *Step) named() catalog.OID {
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
		return 0
	}
	if rel := s.Before.Relation(rv.Schemaname, rv.Relname); rel != nil {
		return rel.OID
	}
	return 0
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

// preparedOn reports whether every partition has already what a constraint of the partitioned table asks of it: a valid
// one of its own that PostgreSQL attaches to the new one instead of reading the rows (tryAttachPartitionForeignKey in
// src/backend/commands/tablecmds.c; DefineIndex in src/backend/commands/indexcmds.c).
func (s *Step) preparedOn(con *catalog.Constraint) bool {
	parent, ok := s.After.Get(con.Table).(*catalog.Relation)
	if !ok || parent.Kind != catalog.PartitionedTable {
		return false
	}
	list := partitions(s.Before, con.Table)
	for _, p := range list {
		if !slices.ContainsFunc(s.Before.Constraints(p.OID), func(own *catalog.Constraint) bool {
			return own.Kind == con.Kind && own.Valid && own.RefTable == con.RefTable &&
				slices.Equal(namesOf(p, own.Columns), namesOf(parent, con.Columns)) && slices.Equal(own.RefColumns, con.RefColumns) &&
				own.OnDelete == con.OnDelete && own.OnUpdate == con.OnUpdate && own.Deferrable == con.Deferrable
		}) {
			return false
		}
	}
	return len(list) > 0
}

func namesOf(r *catalog.Relation, nums []int) []string {
	var names []string
	for _, n := range nums {
		if col := r.Att(n); col != nil {
			names = append(names, col.Name)
		}
	}
	return names
}
