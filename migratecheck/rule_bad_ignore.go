package migratecheck

// The comments are checked by Run.checkIgnores, after every other rule has run.
var ruleBadIgnore = &Rule{
	ID: "bad-ignore", Category: Suppression, Severity: Warning,
	Doc: Doc{
		Summary:    "A suppression comment without a reason, without a rule, or with a name that is no rule.",
		Why:        "Whoever reads the migration in a year must be told why the hazard was accepted. A comment without a reason suppresses nothing, and one with a misspelt rule would go unnoticed.",
		Schema:     "CREATE TABLE t (id integer PRIMARY KEY, old text);",
		Bad:        "-- srhtvet:ignore drop-column\nALTER TABLE t DROP COLUMN old;",
		Good:       "-- srhtvet:ignore drop-column no release since 0.90 reads it\nALTER TABLE t DROP COLUMN old;",
		Exceptions: "None. It cannot be suppressed by a comment; -disable bad-ignore switches it off.",
		Versions:   "All.",
		Source:     "This project's own convention; of 21 public linters one makes the reason mandatory.",
	},
}
