package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleUniqueBuildsIndex = &Rule{
	ID: "unique-builds-index", Category: Locks, Severity: Error, Down: true,
	Doc: Doc{
		Summary:    "A UNIQUE constraint is added to a table in use without an index made beforehand.",
		Why:        "The index is built under an AccessExclusiveLock: every query on the table, reads included, waits until all rows have been read and sorted.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY, name text NOT NULL);",
		Bad:        "ALTER TABLE repo ADD CONSTRAINT repo_name_key UNIQUE (name);",
		Good:       "-- file 0002_index.sql\n-- +brant NO TRANSACTION\n-- +brant Up\nCREATE UNIQUE INDEX CONCURRENTLY repo_name_key ON repo (name);\n-- file 0003_constraint.sql\nALTER TABLE repo ADD CONSTRAINT repo_name_key UNIQUE USING INDEX repo_name_key;",
		Exceptions: "Silent for tables that the pending change creates; sized by -stats.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, ALTER TABLE, ADD table_constraint_using_index.",
	},
	Step: func(s *Step) {
		for _, con := range s.newConstraints(catalog.Unique) {
			if !s.builds(con.Table) || s.preparedOn(con) {
				continue
			}
			table, name := s.Name(con.Table), con.Name
			s.ReportAt(s.constraintAt(con), s.Sized(con.Table, Error),
				fmt.Sprintf("builds the index of UNIQUE constraint %s: every query on %s, reads included, waits (AccessExclusiveLock) until all rows have been read and sorted", name, table),
				s.usingIndexHelp(con, "UNIQUE"))
		}
	},
}
