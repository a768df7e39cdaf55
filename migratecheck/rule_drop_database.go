package migratecheck

import (
	"fmt"
)

var ruleDropDatabase = &Rule{
	ID: "drop-database", Category: Compatibility, Severity: Error,
	Doc: Doc{
		Summary:    "A database is dropped.",
		Why:        "Everything in it is lost; a migration is never the place for it.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY, name text);",
		Bad:        "-- +brant NO TRANSACTION\n-- +brant Up\nDROP DATABASE old;",
		Good:       "SELECT 1;",
		Exceptions: "None.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, DROP DATABASE.",
	},
	Step: func(s *Step) {
		if d := s.Stmt.Node.GetDropdbStmt(); d != nil {
			s.Report(fmt.Sprintf("drops database %s with all that is in it", d.Dbname), "Do it by hand, after a backup.")
		}
	},
}
