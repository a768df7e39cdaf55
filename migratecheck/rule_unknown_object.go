package migratecheck

import "git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"

var ruleUnknownObject = &Rule{
	ID: "unknown-object", Category: History, Severity: Error,
	Doc: Doc{
		Summary:    "A statement refers to a table, column, constraint, type or function that does not exist at that point of the history.",
		Why:        "The migration stops there with an error, on the first node that is upgraded.",
		Schema:     "CREATE TABLE users (id integer PRIMARY KEY);",
		Bad:        "ALTER TABLE user_accounts ADD COLUMN note text;",
		Good:       "ALTER TABLE users ADD COLUMN note text;",
		Exceptions: "Off when the history has no known beginning (an open catalog, see -schema): objects may then exist that no file creates. Silent for tables in which migration tools keep their own state, and after the first error of a transaction: what follows it does not run.",
		Versions:   "All.",
		Source:     "SQLSTATE 42P01, 42703, 42704, 42883, 3F000 in PostgreSQL's appendix A.",
	},
	Step: func(s *Step) {
		if s.fails() && isMissing(s.Err) {
			s.Report(s.Err.Message+": the migration fails here", missingHelp(s.Err))
		}
	},
}

func missingHelp(e *catalog.Error) string {
	if e.Hint != "" {
		return e.Hint
	}
	return "Check the name against the schema at this point of the history; if the object was made outside the migrations, give the schema before the first one with -schema FILE."
}
