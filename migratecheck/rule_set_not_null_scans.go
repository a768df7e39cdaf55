package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/lockmode"
)

var ruleSetNotNullScans = &Rule{
	ID: "set-not-null-scans", Category: Locks, Severity: Error, Down: true,
	Doc: Doc{
		Summary:    "SET NOT NULL reads the whole table while nobody can use it.",
		Why:        "The rows are checked under an AccessExclusiveLock: every query on the table, reads included, waits until the last row has been read.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY, name text);",
		Bad:        "ALTER TABLE repo ALTER COLUMN name SET NOT NULL;",
		Good:       "-- file 0002_a.sql\nALTER TABLE repo ADD CONSTRAINT repo_name_not_null CHECK (name IS NOT NULL) NOT VALID;\n-- file 0003_b.sql\nALTER TABLE repo VALIDATE CONSTRAINT repo_name_not_null;\n-- file 0004_c.sql\nALTER TABLE repo ALTER COLUMN name SET NOT NULL;\nALTER TABLE repo DROP CONSTRAINT repo_name_not_null;",
		Exceptions: "Silent when a validated CHECK (column IS NOT NULL) proves it, in this or an earlier file, and for tables that the pending change creates; sized by -stats.",
		Versions:   "The CHECK is used since 12. From 18 on ADD CONSTRAINT … NOT NULL column NOT VALID, then VALIDATE CONSTRAINT, does it without one; the grammar known here is 16's, so that such statements are not judged (see syntax-error).",
		Source:     "PostgreSQL 15 manual, ALTER TABLE, SET NOT NULL; NotNullImpliedByRelConstraints in src/backend/commands/tablecmds.c.",
	},
	Step: func(s *Step) {
		for _, c := range s.Changes {
			if c.Op != catalog.ColumnNotNullSet || !s.inUse(c.Old) || !s.scans(c.Old.ObjectID(), lockmode.ScanValidate) || s.addsPrimaryKey(c.Old.ObjectID()) || s.subject(c.Old.ObjectID()) != c.Old.ObjectID() {
				continue
			}
			oid, col := c.Old.ObjectID(), c.NewColumn.Name
			check := quoteIdent(c.Old.ObjectName() + "_" + col + "_not_null")
			s.ReportAt(s.Find("ALTER", "[COLUMN]", col, "SET", "NOT"), s.Sized(oid, Error),
				fmt.Sprintf("SET NOT NULL on %s.%s reads the whole table: every query on it, reads included, waits (AccessExclusiveLock) until the last row", s.Name(oid), col),
				fmt.Sprintf("Let a CHECK prove it first. In one migration:\nALTER TABLE %[1]s ADD CONSTRAINT %[3]s CHECK (%[2]s IS NOT NULL) NOT VALID;\nin the next, while everybody works:\nALTER TABLE %[1]s VALIDATE CONSTRAINT %[3]s;\nin the one after, both in an instant:\nALTER TABLE %[1]s ALTER COLUMN %[2]s SET NOT NULL;\nALTER TABLE %[1]s DROP CONSTRAINT %[3]s;",
					s.sqlName(oid), quoteIdent(col), check))
		}
	},
}
