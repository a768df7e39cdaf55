package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var rulePrimaryKeyBuildsIndex = &Rule{
	ID: "primary-key-builds-index", Category: Locks, Severity: Error, Down: true,
	Doc: Doc{
		Summary:    "A PRIMARY KEY is added to a table in use without an index made beforehand.",
		Why:        "The index is built under an AccessExclusiveLock, after reading the table once more where a key column was not NOT NULL: every query on the table waits.",
		Schema:     "CREATE TABLE repo (id integer NOT NULL, name text NOT NULL);",
		Bad:        "ALTER TABLE repo ADD PRIMARY KEY (id);",
		Good:       "-- file 0002_index.sql\n-- +brant NO TRANSACTION\n-- +brant Up\nCREATE UNIQUE INDEX CONCURRENTLY repo_pkey ON repo (id);\n-- file 0003_constraint.sql\nALTER TABLE repo ADD CONSTRAINT repo_pkey PRIMARY KEY USING INDEX repo_pkey;",
		Exceptions: "Silent for tables that the pending change creates; sized by -stats.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, ALTER TABLE, ADD table_constraint_using_index.",
	},
	Step: func(s *Step) {
		for _, con := range s.newConstraints(catalog.PrimaryKey) {
			if !s.builds(con.Table) || s.preparedOn(con) {
				continue
			}
			table, name := s.Name(con.Table), con.Name
			s.ReportAt(s.constraintAt(con), s.Sized(con.Table, Error),
				fmt.Sprintf("builds the index of primary key %s: every query on %s, reads included, waits (AccessExclusiveLock) until all rows have been read and sorted", name, table),
				s.usingIndexHelp(con, "PRIMARY KEY"))
		}
	},
}
