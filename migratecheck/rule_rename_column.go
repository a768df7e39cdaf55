package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleRenameColumn = &Rule{
	ID: "rename-column", Category: Compatibility, Severity: Error,
	Doc: Doc{
		Summary:    "A column that released code uses gets another name.",
		Why:        "Old code fails on the new schema and new code on the old one, whichever is deployed first: every query with the other name ends in 42703.",
		Schema:     "CREATE TABLE tracker (id integer PRIMARY KEY, created timestamp NOT NULL);",
		Bad:        "ALTER TABLE tracker RENAME COLUMN created TO linked;",
		Good:       "ALTER TABLE tracker ADD COLUMN linked timestamp;",
		Exceptions: "Silent for a column that the pending change adds and for columns of views (drop-view and replace-view speak of those).",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, ALTER TABLE, RENAME. hub.sr.ht e76439d renamed created to linked in three tables in the commit that changed the code.",
	},
	Step: func(s *Step) {
		for _, c := range s.Changes {
			if c.Op != catalog.ColumnRenamed || !s.inUse(c.Old) || s.IsNewColumn(c.Old.ObjectID(), c.OldColumn.Num) {
				continue
			}
			oid := c.Old.ObjectID()
			if len(c.Old.(*catalog.Relation).Inherits) > 0 && c.OldColumn.Inherited > 0 {
				continue // the parent's finding says it
			}
			old, now := c.OldColumn.Name, c.NewColumn.Name
			typ := s.After.FormatType(c.NewColumn.Type)
			s.ReportAt(s.Find("RENAME", "COLUMN", old), Error,
				fmt.Sprintf("renames column %s of %s to %s: released code that names %[1]s fails on the new schema, and new code that names %[3]s fails on the old one", old, s.Name(oid), now),
				fmt.Sprintf("Keep the name (only the code needs another one: SELECT %[2]s AS %[3]s). If it must change, split it over releases:\n"+
					"release 1, code goes on using %[2]s:\nALTER TABLE %[1]s ADD COLUMN %[3]s %[4]s;\nCREATE TRIGGER … BEFORE INSERT OR UPDATE ON %[1]s … that copies whichever of the two was written to the other; then fill %[3]s in batches\n"+
					"release 2: ship code that uses %[3]s only\nrelease 3:\nDROP TRIGGER … ON %[1]s; ALTER TABLE %[1]s DROP COLUMN %[2]s;",
					s.sqlName(oid), quoteIdent(old), quoteIdent(now), typ))
		}
	},
}
