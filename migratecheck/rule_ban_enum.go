package migratecheck

var ruleBanEnum = &Rule{
	ID: "ban-enum", Category: Hygiene, Severity: Info,
	Doc: Doc{
		Summary:    "An enum type is created.",
		Why:        "Its labels cannot be removed or reordered, and old code does not know new ones.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY, name text);",
		Bad:        "CREATE TYPE mood AS ENUM ('a', 'b');",
		Good:       "CREATE TABLE mood (name text PRIMARY KEY);",
		Exceptions: "Silent for labels added to an enum there is: add-enum-value.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, 8.7 Enumerated Types.",
	},
	Step: func(s *Step) {
		if s.Stmt.Node.GetCreateEnumStmt() != nil {
			s.Report("creates an enum: its labels can never be removed, and old code does not know new ones", "Use text with a CHECK, or a table of values with a foreign key.")
		}
	},
}
