package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleAddUnique = &Rule{
	ID: "add-unique", Category: Compatibility, Severity: Warning,
	Doc: Doc{
		Summary:    "A UNIQUE or PRIMARY KEY constraint, or a unique index, is put on a table that released code writes.",
		Why:        "Old code was never told: an INSERT or UPDATE that makes a duplicate fails (23505) as long as the old code runs.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY, name text);",
		Bad:        "ALTER TABLE repo ADD CONSTRAINT repo_name_key UNIQUE (name);",
		Good:       "ALTER TABLE repo ADD COLUMN rid uuid UNIQUE;",
		Exceptions: "Silent for tables that the pending change creates, when every column of the key is new in it (unless a constant default gives all rows of old code the same key), when the released schema has a unique key on the same columns or some of them, and for a constraint USING INDEX (the index was reported when it was built).",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, 5.4.3 Unique Constraints; 11.6 Unique Indexes.",
	},
	Step: func(s *Step) {
		for _, k := range s.newUniqueKeys() {
			if s.replacesEqual(k.con) || s.onNewColumnsOnly(k.con) && !s.sameForAllRows(k.con) {
				continue
			}
			table, name := s.relation(k.con.Table), quoteIdent(k.index.Name)
			if after, ok := s.After.Get(k.con.Table).(*catalog.Relation); ok {
				table = after
			}
			add := ""
			if !s.isPartitioned(table.OID) {
				add = fmt.Sprintf("CREATE UNIQUE INDEX CONCURRENTLY %s ON %s (%s)", name, s.sqlName(table.OID), keySQL(table, k.index.Index))
				if p := k.index.Index.Predicate; p != nil {
					add += " WHERE " + p.SQL
				}
				add += ";"
				if k.kind != "unique index" {
					add += fmt.Sprintf("\nin the next migration\nALTER TABLE %[1]s ADD CONSTRAINT %[2]s %[3]s USING INDEX %[2]s;", s.sqlName(table.OID), name, k.kind)
				}
			}
			if s.onNewColumnsOnly(k.con) {
				s.ReportAt(k.at, Warning,
					fmt.Sprintf("new %s %s on %s (%s): every row that released code inserts gets the same key from the default, so the second INSERT fails (23505)", k.what(), k.index.Name, s.Name(table.OID), keySQL(table, k.index.Index)),
					"Leave out the default: NULLs do not count as equal. Add the key when no older code runs.")
				continue
			}
			find := ""
			if !s.hasNewColumn(k.con) {
				find = s.findDuplicates(table, k.index.Index)
			}
			s.ReportAt(k.at, Warning,
				fmt.Sprintf("new %s %s on %s (%s): an INSERT or UPDATE of released code that makes a duplicate fails (23505)", k.what(), k.index.Name, s.Name(table.OID), keySQL(table, k.index.Index)),
				addLaterHelp(find, add))
		}
	},
}

// uniqueKey is a key that the statement makes unique. Con stands for a plain index too, which has no constraint.
type uniqueKey struct {
	con   *catalog.Constraint
	index *catalog.Relation
	kind  string // "UNIQUE", "PRIMARY KEY" as SQL has them, or "unique index"
	at    int
}

// what is the kind as messages name it.
func (k uniqueKey) what() string {
	if k.kind == "UNIQUE" {
		return "UNIQUE constraint"
	}
	return k.kind
}

// newUniqueKeys lists the unique keys that a statement puts on tables in use, without those whose index was there.
func (s *Step) newUniqueKeys() []uniqueKey {
	var list []uniqueKey
	ofConstraint := map[catalog.OID]bool{}
	for _, kind := range []catalog.ConstraintKind{catalog.Unique, catalog.PrimaryKey} {
		word := "UNIQUE"
		if kind == catalog.PrimaryKey {
			word = "PRIMARY KEY"
		}
		for _, con := range s.newConstraints(kind) {
			ofConstraint[con.Index] = true
			if ix, ok := s.After.Get(con.Index).(*catalog.Relation); ok && s.Before.Get(con.Index) == nil {
				list = append(list, uniqueKey{con, ix, word, s.constraintAt(con)})
			}
		}
	}
	for _, c := range s.Changes {
		ix, ok := c.New.(*catalog.Relation)
		if !ok || c.Op != catalog.Created || ix.Index == nil || !ix.Index.Unique || ix.Index.Parent != 0 || ofConstraint[ix.OID] || s.Stmt.Node.GetIndexStmt() == nil {
			continue
		}
		if table := s.relation(ix.Index.Table); table != nil && s.inUse(table) {
			con := &catalog.Constraint{Kind: catalog.Unique, Table: table.OID, Columns: keyColumns(ix)}
			list = append(list, uniqueKey{con, ix, "unique index", 0})
		}
	}
	return list
}

// sameForAllRows reports whether the columns of a key, all new, have constant defaults: what released code inserts has
// the same key each time.
func (s *Step) sameForAllRows(con *catalog.Constraint) bool {
	rel, ok := s.After.Get(con.Table).(*catalog.Relation)
	for _, n := range con.Columns {
		col := rel.Att(n)
		if !ok || col == nil || col.Default == nil || !col.Default.Constant {
			return false
		}
	}
	return ok
}
