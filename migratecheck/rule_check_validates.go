package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/lockmode"
)

var ruleCheckValidates = &Rule{
	ID: "check-validates", Category: Locks, Severity: Error, Down: true,
	Doc: Doc{
		Summary:    "A CHECK constraint is added to a table in use without NOT VALID.",
		Why:        "The table is read in full under an AccessExclusiveLock: every query on it, reads included, waits.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY, size bigint);",
		Bad:        "ALTER TABLE repo ADD CONSTRAINT repo_size_check CHECK (size >= 0);",
		Good:       "ALTER TABLE repo ADD CONSTRAINT repo_size_check CHECK (size >= 0) NOT VALID;",
		Exceptions: "Silent for tables that the pending change creates; sized by -stats.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, ALTER TABLE, ADD table_constraint and Notes.",
	},
	Step: func(s *Step) {
		for _, con := range s.newConstraints(catalog.Check) {
			if !con.Valid || !s.scans(con.Table, lockmode.ScanValidate) {
				continue
			}
			table, name := s.Name(con.Table), con.Name
			s.ReportAt(s.constraintAt(con), s.Sized(con.Table, Error),
				fmt.Sprintf("validates CHECK constraint %s: every query on %s, reads included, waits (AccessExclusiveLock) until all rows have been read", name, table),
				s.validateHelp(con))
		}
	},
}
