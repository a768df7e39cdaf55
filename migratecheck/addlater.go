package migratecheck

import (
	"fmt"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// addLaterHelp is a constraint that is added when all code obeys it: find the rows that break it first. Add is the SQL of
// the second release, "" when only the statement as written does it.
func addLaterHelp(find, add string) string {
	help := "Split it over releases:\nrelease 1: ship code that obeys it, and look for rows that do not"
	if find != "" {
		help += ":\n" + find
	}
	help += "\nrelease 2, when no older code runs, add it"
	if add != "" {
		help += ":\n" + add
	}
	return help
}

// hasNewColumn reports whether a query on a constraint's columns cannot run before the pending change.
func (s *Step) hasNewColumn(con *catalog.Constraint) bool {
	for _, n := range con.Columns {
		if s.IsNewColumn(con.Table, n) {
			return true
		}
	}
	return false
}

// addExclusion is the statement that adds an exclusion constraint alone, "" when it comes with its table or cannot be written out.
func (s *Step) addExclusion(con *catalog.Constraint) string {
	alter := s.Stmt.Node.GetAlterTableStmt()
	if alter == nil || s.hasNewColumn(con) {
		return ""
	}
	var found *pgast.Node
	unnamed := 0
	for _, n := range alter.Cmds {
		def := n.GetAlterTableCmd().GetDef().GetConstraint()
		if def.GetContype() != pgast.ConstrType_CONSTR_EXCLUSION {
			continue
		}
		switch {
		case def.Conname == con.Name:
			found, unnamed = n, 0
		case def.Conname == "" && (found == nil || unnamed > 0):
			found, unnamed = n, unnamed+1
		}
	}
	if unnamed > 1 {
		return "" // which of them it is, is not told
	}
	if found == nil {
		return ""
	}
	sql, err := pgast.Deparse(&pgast.Node{Node: &pgast.Node_AlterTableStmt{AlterTableStmt: &pgast.AlterTableStmt{
		Relation: alter.Relation, Objtype: alter.Objtype, MissingOk: alter.MissingOk, Cmds: []*pgast.Node{found}}}})
	if err != nil {
		return ""
	}
	return sql + ";"
}

// addNotValid adds a CHECK or FOREIGN KEY without reading the table, and validates it later.
func (s *Step) addNotValid(con *catalog.Constraint) string {
	if con.Kind == catalog.ForeignKey && s.isPartitioned(con.Table) {
		return ""
	}
	return fmt.Sprintf("ALTER TABLE %[1]s ADD CONSTRAINT %[2]s %[3]s NOT VALID;\nin a later migration (another transaction)\nALTER TABLE %[1]s VALIDATE CONSTRAINT %[2]s;",
		s.sqlName(con.Table), quoteIdent(con.Name), s.constraintSQL(con))
}

// findCheckBreakers counts the rows that a CHECK refuses; one that yields NULL passes.
func (s *Step) findCheckBreakers(con *catalog.Constraint) string {
	if con.Check == nil || s.hasNewColumn(con) {
		return ""
	}
	return fmt.Sprintf("SELECT count(*) FROM %s WHERE NOT (%s);", s.sqlName(con.Table), con.Check.SQL)
}

// findOrphans counts the rows whose parent is missing.
func (s *Step) findOrphans(con *catalog.Constraint) string {
	child, ok1 := s.After.Get(con.Table).(*catalog.Relation)
	parent, ok2 := s.After.Get(con.RefTable).(*catalog.Relation)
	if !ok1 || !ok2 || s.hasNewColumn(con) || len(con.Columns) == 0 || len(con.Columns) != len(con.RefColumns) {
		return ""
	}
	var set, join []string
	for i, n := range con.Columns {
		c, p := child.Att(n), parent.Att(con.RefColumns[i])
		if c == nil || p == nil {
			return ""
		}
		set = append(set, "child."+quoteIdent(c.Name)+" IS NOT NULL")
		join = append(join, "parent."+quoteIdent(p.Name)+" = child."+quoteIdent(c.Name))
	}
	return fmt.Sprintf("SELECT count(*) FROM %s child WHERE %s AND NOT EXISTS (SELECT FROM %s parent WHERE %s);",
		s.sqlName(con.Table), strings.Join(set, " AND "), s.sqlName(con.RefTable), strings.Join(join, " AND "))
}

// keySQL lists the keys of an index as CREATE INDEX and GROUP BY take them.
func keySQL(table *catalog.Relation, ix *catalog.IndexAttrs) string {
	var keys []string
	for _, k := range ix.Keys {
		switch col := table.Att(k.Column); {
		case k.Expr != nil && k.Expr.Node.GetFuncCall() != nil:
			keys = append(keys, k.Expr.SQL)
		case k.Expr != nil:
			keys = append(keys, "("+k.Expr.SQL+")")
		case col != nil:
			keys = append(keys, quoteIdent(col.Name))
		}
	}
	return strings.Join(keys, ", ")
}

// findDuplicates lists the values of a unique key that stand in several rows.
func (s *Step) findDuplicates(table *catalog.Relation, ix *catalog.IndexAttrs) string {
	keys, where := keySQL(table, ix), ""
	if ix.Predicate != nil {
		where = " WHERE " + ix.Predicate.SQL
	}
	return fmt.Sprintf("SELECT %[2]s, count(*) FROM %[1]s%[3]s GROUP BY %[2]s HAVING count(*) > 1;", s.sqlName(table.OID), keys, where)
}

// findConflicts lists the pairs of rows that an exclusion constraint refuses; "" when a key is an expression.
func (s *Step) findConflicts(con *catalog.Constraint) string {
	rel, ok := s.After.Get(con.Table).(*catalog.Relation)
	if !ok || s.hasNewColumn(con) || len(con.Columns) != len(con.Operators) {
		return ""
	}
	conds := []string{"a.ctid < b.ctid"}
	for i, n := range con.Columns {
		col := rel.Att(n)
		if col == nil {
			return ""
		}
		c := quoteIdent(col.Name)
		conds = append(conds, fmt.Sprintf("a.%s %s b.%[1]s", c, con.Operators[i]))
	}
	return fmt.Sprintf("SELECT a, b FROM %[1]s a, %[1]s b WHERE %[2]s;", s.sqlName(con.Table), strings.Join(conds, " AND "))
}

// isPartitioned: some forms (NOT VALID foreign keys, CONCURRENTLY, USING INDEX) are refused for partitioned tables.
func (s *Step) isPartitioned(table catalog.OID) bool {
	rel := s.relation(table)
	return rel != nil && rel.Kind == catalog.PartitionedTable
}
