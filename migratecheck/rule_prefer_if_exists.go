package migratecheck

var rulePreferIfExists = &Rule{
	ID: "prefer-if-exists", Category: Hygiene, Severity: Info,
	Doc: Doc{
		Summary:    "CREATE or DROP without IF [NOT] EXISTS in a file outside a transaction.",
		Why:        "When the file fails half-way it cannot be run again as it is.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY, name text);",
		Bad:        "-- +brant NO TRANSACTION\n-- +brant Up\nDROP TABLE repo;",
		Good:       "-- +brant NO TRANSACTION\n-- +brant Up\nDROP TABLE IF EXISTS repo;",
		Exceptions: "Files in a transaction: there IF EXISTS only hides mistakes.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, DROP TABLE.",
	},
	Step: func(s *Step) {
		if s.Via == "" && !s.Tx.Explicit && len(s.Changes) > 0 && !repeatable(s) && s.Stmt.Node.GetIndexStmt() == nil {
			s.Report("cannot be run again after a failure further down", "Add IF EXISTS or IF NOT EXISTS.")
		}
	},
}
