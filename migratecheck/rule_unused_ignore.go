package migratecheck

// The comments are checked by Run.checkIgnores, after every other rule has run.
var ruleUnusedIgnore = &Rule{
	ID: "unused-ignore", Category: Suppression, Severity: Warning,
	Doc: Doc{
		Summary:    "A suppression comment that suppresses nothing.",
		Why:        "The statement was changed, or the comment stands at the wrong one: the finding it was meant for may be open, and the next one at this place would be hidden.",
		Schema:     "CREATE TABLE t (id integer PRIMARY KEY);",
		Bad:        "-- srhtvet:ignore drop-column nobody reads it\nALTER TABLE t ADD COLUMN note text;",
		Good:       "ALTER TABLE t ADD COLUMN note text;",
		Exceptions: "Silent for rules that are switched off, whose comments may stay, for names that are no rule and comments without a reason (bad-ignore), and for released files.",
		Versions:   "All.",
		Source:     "This project's own convention.",
	},
}
