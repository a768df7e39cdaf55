package migratecheck

import (
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleDownCannotRun = &Rule{
	ID: "down-cannot-run", Category: Itself, Severity: Error, Down: true,
	Doc: Doc{
		Summary:    "A statement of the Down section fails on the schema that the Up section leaves.",
		Why:        "The release cannot be taken back when that is what is needed, at the worst moment to find out.",
		Schema:     "CREATE TABLE t (id integer PRIMARY KEY);",
		Bad:        "-- +brant Up\nALTER TABLE t ADD COLUMN note text;\n-- +brant Down\nALTER TABLE t DROP COLUMN notes;",
		Good:       "-- +brant Up\nALTER TABLE t ADD COLUMN note text;\n-- +brant Down\nALTER TABLE t DROP COLUMN note;",
		Exceptions: "Silent where the catalog is open (unknown beginnings) and for parts that are not understood.",
		Versions:   "All.",
		Source:     "git.sr.ht's 0004: its Down refers to a table that it creates only further down.",
	},
	Step: func(s *Step) {
		if !s.Down || s.Err == nil || s.Err.Code == catalog.NotUnderstood || s.Before.Open || s.Tx.Explicit && !s.Tx.once(s.rule.ID) {
			return
		}
		s.Report("the Down section fails here: "+s.Err.Message, "Correct the statement or their order; apply Up and Down on a scratch database.")
	},
}
