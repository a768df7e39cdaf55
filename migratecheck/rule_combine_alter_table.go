package migratecheck

import (
	"fmt"
)

var ruleCombineAlterTable = &Rule{
	ID: "combine-alter-table", Category: Locks, Severity: Info, Down: true,
	Doc: Doc{
		Summary:    "Several ALTER TABLE statements in a row scan or rewrite the same table.",
		Why:        "Each of them reads or copies all rows again, under its lock; in one statement they share a single pass.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY, a integer, b integer);",
		Bad:        "ALTER TABLE repo ALTER COLUMN a TYPE bigint;\nALTER TABLE repo ALTER COLUMN b TYPE bigint;",
		Good:       "ALTER TABLE repo ALTER COLUMN a TYPE bigint, ALTER COLUMN b TYPE bigint;",
		Exceptions: "Silent when at most one of them reads the table.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, ALTER TABLE, Notes: multiple changes in a single pass.",
	},
	Step: func(s *Step) {
		if s.Stmt.Node.GetAlterTableStmt() == nil {
			return
		}
		table := s.slowTable()
		if table == 0 {
			return
		}
		if e := s.Tx.held.scanned[table]; e != nil {
			s.Report(fmt.Sprintf("reads or rewrites %s again, as the ALTER TABLE at line %d has done", s.Name(table), e.Position(0).Line), "Write both as one ALTER TABLE with two commands.")
		}
	},
}
