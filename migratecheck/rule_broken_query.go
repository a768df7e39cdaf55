package migratecheck

var ruleBrokenQuery = &Rule{
	ID: "broken-query", Category: Code, Severity: Error,
	Doc: Doc{
		Summary:    "A query fails on the very schema it was written for.",
		Why:        "Nothing that is pending causes it: a name is misspelt, the migration was forgotten, or the schema that the history was taken to start from is not the real one.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY, name text);",
		Bad:        "-- in Go:\n-- db.QueryContext(ctx, \"SELECT nmae FROM repo\")",
		Good:       "-- in Go:\n-- db.QueryContext(ctx, \"SELECT name FROM repo\")",
		Exceptions: "A warning when the old version of the code has the same, which a release does not make worse: such a query clears no finding about the tables it names. A note when nothing is pending, and of the old version alone.",
		Versions:   "All.",
		Source:     "Reported by srhtvet compat and in go vet, not by srhtvet lint: it takes the code to know.",
	},
}
