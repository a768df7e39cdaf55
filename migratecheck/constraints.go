package migratecheck

import (
	"fmt"
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/lockmode"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source"
)

// newConstraints lists the constraints of a kind that the statement has put on tables which are in use already. Those of
// partitions and children that come from a parent are left out.
func (s *Step) newConstraints(kind catalog.ConstraintKind) []*catalog.Constraint {
	var list []*catalog.Constraint
	if s.alters(pgast.AlterTableType_AT_DetachPartition) {
		return nil // CONCURRENTLY leaves a CHECK of the bounds, which all rows obey and released code has obeyed
	}
	for _, c := range s.Changes {
		con, ok := c.New.(*catalog.Constraint)
		if !ok || c.Op != catalog.Created || con.Kind != kind || con.Table == 0 || con.Parent != 0 || !con.Local && con.Inherited > 0 {
			continue
		}
		if rel := s.relation(con.Table); rel != nil && isTable(rel) && !s.IsNew(con.Table) {
			list = append(list, con)
		}
	}
	return list
}

// alters reports whether the statement is an ALTER TABLE with a command of this kind.
func (s *Step) alters(kind pgast.AlterTableType) bool {
	return slices.ContainsFunc(s.Stmt.Node.GetAlterTableStmt().GetCmds(), func(n *pgast.Node) bool { return n.GetAlterTableCmd().GetSubtype() == kind })
}

// scans reports whether the statement reads a table in full for a reason of this kind.
func (s *Step) scans(table catalog.OID, kind lockmode.ScanKind) bool {
	for _, sc := range s.Lock.Scans {
		if s.under(sc.Relation, table) && sc.Kind == kind {
			return true
		}
	}
	return s.rewritten(table)
}

// builds reports whether the statement builds an index on a table.
func (s *Step) builds(table catalog.OID) bool {
	for _, b := range s.Lock.Builds {
		if s.under(b.Table, table) {
			return true
		}
	}
	return false
}

func (s *Step) rewritten(table catalog.OID) bool {
	for _, r := range s.Lock.Rewrites {
		if s.under(r.Relation, table) && !r.Empty {
			return true
		}
	}
	return false
}

// validateHelp is a CHECK or FOREIGN KEY in two steps.
func (s *Step) validateHelp(con *catalog.Constraint) string {
	table := s.sqlName(con.Table)
	if con.Kind == catalog.ForeignKey && s.isPartitioned(con.Table) && s.File.Run.Config.version() < 18 {
		return s.partitionedKeyHelp(con)
	}
	intro := "Add it NOT VALID, which takes an instant and holds for new rows:"
	for _, n := range con.Columns {
		if s.addsColumn(con.Table, n) {
			intro = "Add the column without the constraint; then add that NOT VALID, which takes an instant and holds for new rows:"
			break
		}
	}
	drop := ""
	for _, old := range s.Before.Constraints(con.Table) {
		if old.Name == con.Name {
			drop = "DROP CONSTRAINT " + quoteIdent(con.Name) + ", "
		}
	}
	return intro + fmt.Sprintf("\nALTER TABLE %[1]s %[4]sADD CONSTRAINT %[2]s %[3]s NOT VALID;\nthen, in a later migration (another transaction), check the old rows while everybody works:\nALTER TABLE %[1]s VALIDATE CONSTRAINT %[2]s;",
		table, quoteIdent(con.Name), s.constraintSQL(con), drop)
}

// usingIndexHelp is a UNIQUE or PRIMARY KEY whose index is built beforehand.
func (s *Step) usingIndexHelp(con *catalog.Constraint, kind string) string {
	table := s.sqlName(con.Table)
	rel, ok := s.After.Get(con.Table).(*catalog.Relation)
	if !ok {
		rel = s.relation(con.Table)
	}
	name, columns, tail := quoteIdent(con.Name), columnNames(rel, con.Columns), ""
	if ix, ok := s.After.Get(con.Index).(*catalog.Relation); ok && ix.Index != nil {
		if len(ix.Index.Include) > 0 {
			tail += " INCLUDE (" + columnNames(rel, ix.Index.Include) + ")"
		}
		if ix.Index.NullsNotDistinct {
			tail += " NULLS NOT DISTINCT"
		}
	}
	if s.isPartitioned(con.Table) {
		help := "PostgreSQL refuses USING INDEX and CONCURRENTLY on a partitioned table. Build a unique index on each partition first, outside a transaction; the constraint then takes them over in an instant:"
		for i, p := range partitions(s.Before, con.Table) {
			if i == 2 {
				help += "\nand so on"
				break
			}
			help += fmt.Sprintf("\nCREATE UNIQUE INDEX CONCURRENTLY %[2]s ON %[1]s (%[3]s)%[4]s;\nALTER TABLE %[1]s ADD CONSTRAINT %[2]s %[5]s USING INDEX %[2]s;",
				s.sqlName(p.OID), quoteIdent(p.Name+"_"+con.Name), columns, tail, kind)
		}
		return help
	}
	build := "Build the index first"
	for _, n := range con.Columns {
		if s.addsColumn(con.Table, n) {
			build = "Add the column without the constraint, and fill it; then build the index"
			break
		}
	}
	return fmt.Sprintf("%[7]s, in a migration of its own that runs outside a transaction:\nCREATE UNIQUE INDEX CONCURRENTLY %[2]s ON %[1]s (%[3]s)%[5]s;\nthen, in the next one, make it the constraint, which takes an instant:\nALTER TABLE %[1]s ADD CONSTRAINT %[2]s %[4]s USING INDEX %[2]s%[6]s;",
		table, name, columns, kind, tail, deferrable(con), build)
}

// deferrable is when a constraint is checked, as it is written behind it.
func deferrable(con *catalog.Constraint) string {
	switch {
	case con.Deferred:
		return " DEFERRABLE INITIALLY DEFERRED"
	case con.Deferrable:
		return " DEFERRABLE"
	}
	return ""
}

// constraintSQL writes a CHECK or FOREIGN KEY as the catalog after the statement has it.
func (s *Step) constraintSQL(con *catalog.Constraint) string {
	rel, _ := s.After.Get(con.Table).(*catalog.Relation)
	if rel == nil {
		return ""
	}
	if con.Kind == catalog.Check && con.Check != nil {
		return "CHECK (" + con.Check.SQL + ")"
	}
	sql := fmt.Sprintf("FOREIGN KEY (%s) REFERENCES %s", columnNames(rel, con.Columns), s.sqlName(con.RefTable))
	if ref, ok := s.After.Get(con.RefTable).(*catalog.Relation); ok && len(con.RefColumns) > 0 {
		sql += " (" + columnNames(ref, con.RefColumns) + ")"
	}
	if con.Match == 'f' {
		sql += " MATCH FULL"
	}
	for _, a := range []struct {
		event  string
		action byte
	}{{"UPDATE", con.OnUpdate}, {"DELETE", con.OnDelete}} {
		if word := map[byte]string{'r': "RESTRICT", 'c': "CASCADE", 'n': "SET NULL", 'd': "SET DEFAULT"}[a.action]; word != "" {
			sql += " ON " + a.event + " " + word
		}
	}
	if len(con.SetColumns) > 0 {
		sql += " (" + columnNames(rel, con.SetColumns) + ")"
	}
	return sql + deferrable(con)
}

// inUse reports whether an object is a table that was there before the pending change.
func (s *Step) inUse(o catalog.Object) bool {
	rel, ok := o.(*catalog.Relation)
	return ok && isTable(rel) && !s.IsNew(rel.OID) && !source.IsBookkeeping(rel.Name)
}

// addsPrimaryKey reports whether the statement gives the table its primary key, which makes its columns NOT NULL.
func (s *Step) addsPrimaryKey(table catalog.OID) bool {
	for _, con := range s.newConstraints(catalog.PrimaryKey) {
		if con.Table == table {
			return true
		}
	}
	return false
}

// onNewColumnsOnly reports whether released code writes none of a constraint's columns.
func (s *Step) onNewColumnsOnly(con *catalog.Constraint) bool {
	for _, n := range con.Columns {
		if !s.IsNewColumn(con.Table, n) {
			return false
		}
	}
	return len(con.Columns) > 0
}

// replacesEqual reports whether the released schema holds a constraint that asks the same of writers.
func (s *Step) replacesEqual(con *catalog.Constraint) bool {
	for _, c := range s.Changes {
		if old, ok := c.Old.(*catalog.Constraint); ok && c.Op == catalog.Dropped && old.Assumed && old.Table == con.Table && old.Name == con.Name {
			return true // of an assumed table: most likely another action for the same
		}
	}
	released := s.File.Run.released(s.File)
	for _, old := range released.Constraints(con.Table) {
		if old.Kind != con.Kind || !sameNumbers(old.Columns, con.Columns) {
			continue
		}
		switch con.Kind {
		case catalog.ForeignKey:
			if old.RefTable == con.RefTable && sameNumbers(old.RefColumns, con.RefColumns) && refuses(con.OnDelete) <= refuses(old.OnDelete) && refuses(con.OnUpdate) <= refuses(old.OnUpdate) {
				return true
			}
		case catalog.Check:
			if old.Check != nil && con.Check != nil && old.Check.SQL == con.Check.SQL {
				return true
			}
		case catalog.Exclusion:
			if slices.Equal(old.Operators, con.Operators) {
				return true
			}
		default:
			return true
		}
	}
	if con.Kind != catalog.Unique && con.Kind != catalog.PrimaryKey {
		return false
	}
	for _, ix := range released.Indexes(con.Table) {
		// A key on fewer columns makes those on more of them unique already.
		if ix.Index.Unique && ix.Index.Predicate == nil && subset(keyColumns(ix), con.Columns) {
			return true
		}
	}
	return false
}

// refuses ranks a foreign key's action: 1 when it makes the statement on the parent fail, 0 when it changes the children.
func refuses(action byte) int {
	switch action {
	case 'c', 'n', 'd':
		return 0
	}
	return 1
}

// subset reports whether all of a, which is not empty, are in b.
func subset(a, b []int) bool {
	for _, n := range a {
		if !slices.Contains(b, n) {
			return false
		}
	}
	return len(a) > 0
}

// keyColumns lists an index's key columns, nil when a key is an expression.
func keyColumns(ix *catalog.Relation) []int {
	var nums []int
	for _, k := range ix.Index.Keys {
		if k.Column == 0 {
			return nil
		}
		nums = append(nums, k.Column)
	}
	return nums
}

// sameNumbers compares as sets: a unique key on (a, b) is one on (b, a).
func sameNumbers(a, b []int) bool {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	return len(a) > 0 && slices.Equal(a, b)
}

// partitionedKeyHelp is a foreign key of a partitioned table, which cannot be NOT VALID before PostgreSQL 18: key by key
// on the partitions, which the one on the parent then takes over.
func (s *Step) partitionedKeyHelp(con *catalog.Constraint) string {
	help := "Before PostgreSQL 18 a partitioned table takes no NOT VALID. Add the key to each partition first, and validate it in a later migration while everybody works:"
	list := partitions(s.Before, con.Table)
	for i, p := range list {
		if i == 3 {
			help += fmt.Sprintf("\nand so on for %d more", len(list)-i)
			break
		}
		name := quoteIdent(s.freeConstraint(p.OID, p.Name+"_"+con.Name, nil))
		help += fmt.Sprintf("\nALTER TABLE %[1]s ADD CONSTRAINT %[2]s %[3]s NOT VALID;\nALTER TABLE %[1]s VALIDATE CONSTRAINT %[2]s;", s.sqlName(p.OID), name, s.constraintSQL(con))
	}
	return help + fmt.Sprintf("\nthen, in the last one, which finds nothing left to read:\nALTER TABLE %s ADD CONSTRAINT %s %s;", s.sqlName(con.Table), quoteIdent(con.Name), s.constraintSQL(con))
}

// addsColumn reports whether the statement itself adds the column.
func (s *Step) addsColumn(table catalog.OID, num int) bool {
	for _, c := range s.Changes {
		if c.Op == catalog.ColumnAdded && c.New.ObjectID() == table && c.NewColumn.Num == num {
			return true
		}
	}
	return false
}

// alwaysHolds reports whether a CHECK refuses no row, whatever it is: it is true, or asks of a column that is NOT NULL already
// that it is not.
func (s *Step) alwaysHolds(con *catalog.Constraint) bool {
	rel := s.relation(con.Table)
	return con.Kind == catalog.Check && con.Check != nil && rel != nil && holdsAlways(con.Check.Node, rel)
}

func holdsAlways(n *pgast.Node, rel *catalog.Relation) bool {
	if and := n.GetBoolExpr(); and.GetBoolop() == pgast.BoolExprType_AND_EXPR {
		for _, arg := range and.Args {
			if !holdsAlways(arg, rel) {
				return false
			}
		}
		return true
	}
	if test := n.GetNullTest(); test.GetNulltesttype() == pgast.NullTestType_IS_NOT_NULL {
		names := words(test.Arg.GetColumnRef().GetFields())
		if len(names) == 0 {
			return false
		}
		col := rel.Column(names[len(names)-1])
		return col != nil && col.NotNull
	}
	return uncast(n).GetAConst().GetBoolval().GetBoolval()
}

// constraintAt is where the statement adds a constraint, by its name or else by its keyword.
func (s *Step) constraintAt(con *catalog.Constraint) int {
	for _, words := range [][]string{{"ADD", "CONSTRAINT", con.Name}, {"CONSTRAINT", con.Name}} {
		if at := s.Find(words...); at > 0 {
			return at
		}
	}
	keywords := map[catalog.ConstraintKind][][]string{
		catalog.Check: {{"CHECK"}}, catalog.ForeignKey: {{"FOREIGN", "KEY"}, {"REFERENCES"}}, catalog.Unique: {{"UNIQUE"}},
		catalog.PrimaryKey: {{"PRIMARY", "KEY"}}, catalog.Exclusion: {{"EXCLUDE"}},
	}
	for _, words := range keywords[con.Kind] {
		if at := s.onlyWord(words...); at > 0 {
			return at
		}
	}
	if len(con.Columns) == 1 && s.addsColumn(con.Table, con.Columns[0]) {
		if after, ok := s.After.Get(con.Table).(*catalog.Relation); ok && after.Att(con.Columns[0]) != nil {
			return s.Find("ADD", "[COLUMN]", "[IF NOT EXISTS]", after.Att(con.Columns[0]).Name)
		}
	}
	return 0
}
