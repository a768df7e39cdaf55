package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleSetNotNull = &Rule{
	ID: "set-not-null", Category: Compatibility, Severity: Error,
	Doc: Doc{
		Summary:    "A column that released code may leave NULL becomes NOT NULL.",
		Why:        "Old code that leaves it out of an INSERT, or writes NULL, fails (23502) as long as it runs.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY, name text);",
		Bad:        "ALTER TABLE repo ALTER COLUMN name SET NOT NULL;",
		Good:       "ALTER TABLE repo ALTER COLUMN name SET DEFAULT '';",
		Exceptions: "Silent for a column that the pending change adds, and when a CHECK (column IS NOT NULL) is part of the released schema: old code lives with that already. A warning when the column has a default, since only an explicit NULL breaks then.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, ALTER TABLE, SET NOT NULL. An sr.ht service once set it on the wrong column.",
	},
	Step: func(s *Step) {
		for _, c := range s.Changes {
			if c.Op != catalog.ColumnNotNullSet || !s.inUse(c.Old) || s.IsNewColumn(c.Old.ObjectID(), c.OldColumn.Num) || c.OldColumn.Inherited > 0 {
				continue
			}
			oid, col := c.Old.ObjectID(), c.NewColumn
			if s.addsPrimaryKey(oid) && col.Default != nil || notNullCheck(s.File.Run.released(s.File), oid, col.Num) {
				continue
			}
			severity, how := Error, "leaves it out or writes NULL"
			if col.Default != nil || col.Identity != 0 {
				severity, how = Warning, "writes an explicit NULL"
			}
			s.ReportAt(s.Find("COLUMN", col.Name, "SET", "NOT"), severity,
				fmt.Sprintf("%s.%s becomes NOT NULL: every INSERT or UPDATE of released code that %s fails", s.Name(oid), col.Name, how),
				fmt.Sprintf("Split it over releases:\nrelease 1: ship code that always writes %[2]s (or give it a default); then fill the old rows in batches\nrelease 2, when no older code runs:\nALTER TABLE %[1]s ADD CONSTRAINT %[3]s CHECK (%[2]s IS NOT NULL) NOT VALID;\nALTER TABLE %[1]s VALIDATE CONSTRAINT %[3]s;\nALTER TABLE %[1]s ALTER COLUMN %[2]s SET NOT NULL;",
					s.sqlName(oid), quoteIdent(col.Name), quoteIdent(c.Old.ObjectName()+"_"+col.Name+"_not_null")))
		}
	},
}

// notNullCheck reports whether a CHECK of the table, valid or not, demands that the column is not NULL: new rows obey it.
func notNullCheck(c *catalog.Catalog, table catalog.OID, num int) bool {
	for _, con := range c.Constraints(table) {
		if con.Kind != catalog.Check || con.Check == nil {
			continue
		}
		if t := con.Check.Node.GetNullTest(); t != nil && t.Nulltesttype.String() == "IS_NOT_NULL" && len(con.Columns) == 1 && con.Columns[0] == num {
			return true
		}
	}
	return false
}
