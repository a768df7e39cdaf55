package migratecheck

import (
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/lockmode"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source"
)

// eachNewColumn calls fn for every column of a table that the statement adds, creates or gives another type.
func (s *Step) eachNewColumn(fn func(table *catalog.Relation, col *catalog.Column, typ string)) {
	for _, c := range s.Changes {
		rel, ok := c.New.(*catalog.Relation)
		if !ok || !isTable(rel) || source.IsBookkeeping(rel.Name) {
			continue
		}
		switch c.Op {
		case catalog.Created:
			for i := range rel.Columns {
				if col := &rel.Columns[i]; !col.Dropped && col.Inherited == 0 {
					fn(rel, col, s.After.FormatType(col.Type))
				}
			}
		case catalog.ColumnAdded, catalog.ColumnTypeChanged:
			fn(rel, c.NewColumn, s.After.FormatType(c.NewColumn.Type))
		}
	}
}

// writesSerial reports whether the statement declares a column as one of the serial types.
func (s *Step) writesSerial(column string) bool {
	serial := func(d *pgast.ColumnDef) bool {
		names := d.GetTypeName().GetNames()
		if d.GetColname() != column || len(names) == 0 {
			return false
		}
		return slices.Contains([]string{"serial", "bigserial", "smallserial", "serial2", "serial4", "serial8"}, names[len(names)-1].GetString_().GetSval())
	}
	for _, e := range s.Stmt.Node.GetCreateStmt().GetTableElts() {
		if serial(e.GetColumnDef()) {
			return true
		}
	}
	for _, c := range s.Stmt.Node.GetAlterTableStmt().GetCmds() {
		if serial(c.GetAlterTableCmd().GetDef().GetColumnDef()) {
			return true
		}
	}
	return false
}

// slowTable is a table in use that the statement reads in full, other than by changing rows, the one it names if that is one; 0 when
// there is none.
func (s *Step) slowTable() catalog.OID {
	if s.Lock.Worst {
		return 0
	}
	var first catalog.OID
	for _, sc := range s.Lock.Scans {
		if sc.Kind == lockmode.ScanQuery || sc.Relation == 0 || s.IsNew(sc.Relation) {
			continue
		}
		table := s.subject(sc.Relation)
		if table == s.named() {
			return table
		}
		if first == 0 {
			first = table
		}
	}
	return first
}

// joinedWith names a table that a foreign key connects with this one and that has a column of that name too.
func (s *Step) joinedWith(table catalog.OID, column string) string {
	cons := append(s.After.Constraints(table), s.After.ReferencedBy(table)...)
	for _, con := range cons {
		if con.Kind != catalog.ForeignKey || con.Table == con.RefTable {
			continue
		}
		other := con.RefTable
		if other == table {
			other = con.Table
		}
		if rel, ok := s.Before.Get(other).(*catalog.Relation); ok && rel.Column(column) != nil && !s.IsNew(other) {
			return s.Name(other)
		}
	}
	return ""
}

// replacedIn reports whether a catalog holds a constraint that asks the same as one that was dropped.
func replacedIn(c *catalog.Catalog, old *catalog.Constraint) bool {
	for _, con := range c.Constraints(old.Table) {
		if con.Kind != old.Kind || !slices.Equal(con.Columns, old.Columns) {
			continue
		}
		if con.Kind != catalog.Check || con.Check != nil && old.Check != nil && con.Check.SQL == old.Check.SQL {
			return true
		}
	}
	return false
}

// coveredByIndex reports whether an index begins with the columns of a foreign key, in any order.
func coveredByIndex(c *catalog.Catalog, con *catalog.Constraint) bool {
	for _, ix := range c.Indexes(con.Table) {
		keys := keyColumns(ix)
		if ix.Index.Predicate == nil && len(keys) >= len(con.Columns) && sameNumbers(keys[:len(con.Columns)], con.Columns) {
			return true
		}
	}
	return false
}

func hasPrimaryKey(c *catalog.Catalog, table catalog.OID) bool {
	for _, con := range c.Constraints(table) {
		if con.Kind == catalog.PrimaryKey {
			return true
		}
	}
	return false
}

// coveringIndex names a btree index of the same table that begins with the keys of ix.
func coveringIndex(c *catalog.Catalog, ix *catalog.Relation) string {
	keys := keyColumns(ix)
	if len(keys) == 0 || ix.Index.Predicate != nil || ix.AccessMethod != "btree" {
		return ""
	}
	for _, other := range c.Indexes(ix.Index.Table) {
		ok := keyColumns(other)
		if other.OID != ix.OID && other.AccessMethod == "btree" && other.Index.Predicate == nil && len(ok) >= len(keys) && slices.Equal(ok[:len(keys)], keys) && sameOrder(ix.Index.Keys, other.Index.Keys) {
			return other.Name
		}
	}
	return ""
}

// sameOrder reports whether the keys of an index sort as the first ones of another.
func sameOrder(keys, others []catalog.IndexKey) bool {
	for i, k := range keys {
		o := others[i]
		if k.Desc != o.Desc || k.NullsFirst != o.NullsFirst || k.OpClass != o.OpClass || k.Collation != o.Collation {
			return false
		}
	}
	return true
}

// namedIn reports whether a list of relations names one so.
func namedIn(list []*pgast.Node, name string) bool {
	return slices.ContainsFunc(list, func(n *pgast.Node) bool { return n.GetRangeVar().GetRelname() == name })
}

// lastName is the last part of the last name in a DROP's list of objects.
func lastName(objects []*pgast.Node) string {
	if len(objects) == 0 {
		return ""
	}
	items := objects[len(objects)-1].GetList().GetItems()
	if len(items) == 0 {
		return ""
	}
	return strings.TrimSpace(items[len(items)-1].GetString_().GetSval())
}
