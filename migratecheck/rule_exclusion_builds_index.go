package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleExclusionBuildsIndex = &Rule{
	ID: "exclusion-builds-index", Category: Locks, Severity: Error, Down: true,
	Doc: Doc{
		Summary:    "An exclusion constraint is added to a table in use.",
		Why:        "Its index is built under an AccessExclusiveLock, and every row is checked against it: every query on the table, reads included, waits. There is no NOT VALID and no USING INDEX for it.",
		Schema:     "CREATE TABLE booking (id integer PRIMARY KEY, during tsrange NOT NULL);",
		Bad:        "ALTER TABLE booking ADD CONSTRAINT booking_during_excl EXCLUDE USING gist (during WITH &&);",
		Good:       "CREATE TABLE booking2 (id integer PRIMARY KEY, during tsrange NOT NULL, CONSTRAINT booking2_during_excl EXCLUDE USING gist (during WITH &&));",
		Exceptions: "Silent for tables that the pending change creates; sized by -stats.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, CREATE TABLE, EXCLUDE; ALTER TABLE, ADD table_constraint.",
	},
	Step: func(s *Step) {
		for _, con := range s.newConstraints(catalog.Exclusion) {
			if !s.builds(con.Table) {
				continue
			}
			table, name := s.Name(con.Table), con.Name
			s.ReportAt(s.constraintAt(con), s.Sized(con.Table, Error),
				fmt.Sprintf("builds the index of exclusion constraint %s: every query on %s, reads included, waits (AccessExclusiveLock) until all rows have been read and compared", name, table),
				"Make a new table with the constraint, let the code write both, copy the rows in batches, and switch over in a later release; or do it while the service is down on purpose.")
		}
	},
}
