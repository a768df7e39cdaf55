package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// refusedRows reports what a statement of a Down section asks of rows that Up, or what the section has done before, does
// not: new code has run since, and may have written others.
func (s *Step) refusedRows() {
	for _, c := range s.Changes {
		switch {
		case c.Op == catalog.ColumnNotNullSet:
			s.refusedNulls(c)
		case c.Op == catalog.ColumnTypeChanged:
			s.refusedValues(c)
		}
	}
	for _, kind := range []catalog.ConstraintKind{catalog.Unique, catalog.PrimaryKey, catalog.ForeignKey, catalog.Check} {
		for _, con := range s.newConstraints(kind) {
			if con.Valid && !s.settledByDown(con.Table, con.Columns...) && !s.heldUntilDown(con) && !s.onlyNulls(con) {
				what := map[catalog.ConstraintKind]string{catalog.Unique: "are equal in its columns (23505)", catalog.PrimaryKey: "are equal in its columns (23505), or one has a NULL (23502)",
					catalog.Check: "break it (23514)", catalog.ForeignKey: "refer to one that is not there (23503)"}[kind]
				repair := ""
				if kind == catalog.ForeignKey || kind == catalog.Check {
					repair = "; or add it NOT VALID, so that only new rows must obey it"
				}
				s.refused(s.constraintAt(con), fmt.Sprintf("rows written to %s since %s", s.Name(con.Table), what), "constraint "+con.Name, s.breakers(con), repair)
			}
		}
	}
	if ix := s.Stmt.Node.GetIndexStmt(); ix != nil && ix.Unique {
		for _, c := range s.Changes {
			rel, ok := c.New.(*catalog.Relation)
			if !ok || c.Op != catalog.Created || rel.Index == nil || s.IsNew(rel.Index.Table) || s.settledByDown(rel.Index.Table, keyColumns(rel)...) {
				continue
			}
			con := &catalog.Constraint{Kind: catalog.Unique, Table: rel.Index.Table, Columns: keyColumns(rel), Index: rel.OID}
			if !s.heldUntilDown(con) && !s.onlyNulls(con) {
				s.refused(0, fmt.Sprintf("rows written to %s since are equal in its columns (23505)", s.Name(con.Table)), "unique index "+rel.Name, s.breakers(con), "")
			}
		}
	}
}

func (s *Step) refused(at int, rows, what, query, repair string) {
	look := "Look for them before the roll-back"
	if query != "" {
		look += ":\n" + query + "\nand repair"
	} else {
		look += ", and repair"
	}
	s.ReportAt(at, Warning, fmt.Sprintf("the Down section fails here if %s: nothing keeps new code from that once Up has run (%s)", rows, what),
		look+" or remove what it finds in the Down section, before this statement"+repair+".")
}

// settledByDown reports whether the section has dealt with the rows of a table already, or there are none.
func (s *Step) settledByDown(table catalog.OID, nums ...int) bool {
	rows, known := s.Rows(table)
	return known && rows == 0 || s.emptied(table) || s.downFills(table, nums...)
}

func (s *Step) refusedNulls(c catalog.Change) {
	oid, col := c.Old.ObjectID(), c.NewColumn
	if !s.inUse(c.Old) || s.subject(oid) != oid || s.addsPrimaryKey(oid) || col.NotNullUnproved || s.settledByDown(oid, col.Num) || provenNotNull(s.Before, oid, col.Num) {
		return
	}
	switch was := s.File.columnAfter(oid, col.Num); {
	case was == nil && col.Default == nil:
		s.ReportAt(s.notNullAt(col.Name), Warning, fmt.Sprintf("the Down section fails here if %s has any row (23502): column %s, which the section has made, is NULL in all of them", s.Name(oid), col.Name),
			"Fill the column before this statement, or leave it nullable.")
		return
	case was == nil, was.NotNull, provenNotNull(s.File.After, oid, col.Num):
		return
	}
	s.refused(s.notNullAt(col.Name), fmt.Sprintf("rows written to %s since have NULL in %s (23502)", s.Name(oid), col.Name), "NOT NULL",
		fmt.Sprintf("SELECT count(*) FROM %s WHERE %s IS NULL;", s.sqlName(oid), quoteIdent(col.Name)), "")
}

func (s *Step) refusedValues(c catalog.Change) {
	oid := c.Old.ObjectID()
	if !s.inUse(c.Old) || s.subject(oid) != oid || s.File.columnAfter(oid, c.OldColumn.Num) == nil || s.settledByDown(oid, c.OldColumn.Num) || !castCanFail(s, c) || s.convertsByHand(c.OldColumn.Name) {
		return
	}
	s.refused(s.Find("ALTER", "[COLUMN]", c.OldColumn.Name), fmt.Sprintf("rows written to %s since have a value in %s that cannot be cast from %s to %s", s.Name(oid), c.OldColumn.Name, s.Before.FormatType(c.OldColumn.Type), s.After.FormatType(c.NewColumn.Type)),
		"the type", "", "; or convert them with USING")
}

// convertsByHand reports whether a change of type says USING more than a cast of the column.
func (s *Step) convertsByHand(column string) bool {
	using := s.usingOf(column)
	return using != nil && uncast(using).GetColumnRef() == nil
}

// heldUntilDown reports whether the schema that Up leaves asks the same of writers already.
func (s *Step) heldUntilDown(con *catalog.Constraint) bool {
	before := s.File.After
	for _, old := range before.Constraints(con.Table) {
		if old.Kind != con.Kind || !old.Valid || !sameNumbers(old.Columns, con.Columns) {
			continue
		}
		switch con.Kind {
		case catalog.ForeignKey:
			if old.RefTable == con.RefTable {
				return true
			}
		case catalog.Check:
			return true // which of the two is the stricter one is not looked at
		}
	}
	if con.Kind != catalog.Unique && con.Kind != catalog.PrimaryKey {
		return false
	}
	table, _ := s.After.Get(con.Table).(*catalog.Relation)
	now, _ := s.After.Get(con.Index).(*catalog.Relation)
	unique := false
	for _, ix := range before.Indexes(con.Table) {
		if !ix.Index.Unique {
			continue
		}
		if was, ok := before.Get(con.Table).(*catalog.Relation); ok && table != nil && now != nil && now.Index != nil && keySQL(was, ix.Index) == keySQL(table, now.Index) && (ix.Index.Predicate == nil || sqlOf(ix.Index.Predicate) == sqlOf(now.Index.Predicate)) {
			unique = true
		}
		// A key on fewer columns makes those on more of them unique already.
		unique = unique || ix.Index.Predicate == nil && subset(keyColumns(ix), con.Columns)
	}
	if unique && con.Kind == catalog.PrimaryKey {
		for _, n := range con.Columns {
			unique = unique && s.File.columnAfter(con.Table, n) != nil && s.File.columnAfter(con.Table, n).NotNull
		}
	}
	return unique
}

func sqlOf(e *catalog.Expr) string {
	if e == nil {
		return ""
	}
	return e.SQL
}

// onlyNulls reports whether a constrained column was made by the Down section itself and holds NULL in every row (what NOT NULL says
// of that is another finding), which breaks
// no UNIQUE, CHECK or foreign key.
func (s *Step) onlyNulls(con *catalog.Constraint) bool {
	table, ok := s.After.Get(con.Table).(*catalog.Relation)
	if !ok || con.Kind == catalog.PrimaryKey {
		return false
	}
	for _, n := range con.Columns {
		if col := table.Att(n); col != nil && s.File.columnAfter(con.Table, n) == nil && col.Default == nil {
			return true
		}
	}
	return false
}
