package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleIndexRebuild = &Rule{
	ID: "index-rebuild", Category: Locks, Severity: Error, Down: true,
	Doc: Doc{
		Summary:    "A change of type or collation builds indexes again although the table stays.",
		Why:        "The indexes are built under the AccessExclusiveLock of ALTER TABLE: every query on the table waits until all rows have been read and sorted.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY, name text);\nCREATE INDEX repo_name_idx ON repo (name);",
		Bad:        "ALTER TABLE repo ALTER COLUMN name TYPE text COLLATE \"C\";",
		Good:       "ALTER TABLE repo ALTER COLUMN name SET DEFAULT '';",
		Exceptions: "Silent when the table is rewritten (table-rewrite says it); sized by -stats.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, ALTER TABLE, Notes; CheckIndexCompatible in src/backend/commands/indexcmds.c.",
	},
	Step: func(s *Step) {
		if s.Stmt.Node.GetAlterTableStmt() == nil || s.alters(pgast.AlterTableType_AT_AttachPartition) {
			return // ATTACH builds new ones: attach-partition-scans says it
		}
		changed := false
		for _, c := range s.Changes {
			changed = changed || c.Op == catalog.ColumnTypeChanged || c.Op == catalog.ColumnAltered
		}
		for _, b := range s.Lock.Builds {
			if !changed || s.IsNew(b.Table) || s.rewritten(b.Table) || len(s.newConstraints(catalog.Unique))+len(s.newConstraints(catalog.PrimaryKey))+len(s.newConstraints(catalog.Exclusion)) > 0 {
				continue
			}
			s.ReportAt(0, s.Sized(b.Table, Error),
				fmt.Sprintf("builds index %s of %s again: every query on the table waits (AccessExclusiveLock) until it is done", b.Index, s.Name(b.Table)),
				"Add a new column of the wanted type, index it CONCURRENTLY, and change over in a later release.")
			return
		}
	},
}
