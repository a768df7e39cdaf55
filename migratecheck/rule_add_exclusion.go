package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleAddExclusion = &Rule{
	ID: "add-exclusion", Category: Compatibility, Severity: Warning,
	Doc: Doc{
		Summary:    "An exclusion constraint is put on a table that released code writes.",
		Why:        "Old code was never told: a write that conflicts with another row fails (23P01) as long as the old code runs.",
		Schema:     "CREATE TABLE booking (id integer PRIMARY KEY, during tsrange);",
		Bad:        "ALTER TABLE booking ADD CONSTRAINT booking_during_excl EXCLUDE USING gist (during WITH &&);",
		Good:       "ALTER TABLE booking ADD COLUMN note text;",
		Exceptions: "Silent for tables that the pending change creates, when every constrained column is new in it, and when the released schema has one on the same columns with the same operators already.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, 5.4.6 Exclusion Constraints.",
	},
	Step: func(s *Step) {
		for _, con := range s.newConstraints(catalog.Exclusion) {
			if s.onNewColumnsOnly(con) || s.replacesEqual(con) {
				continue
			}
			s.ReportAt(s.constraintAt(con), Warning,
				fmt.Sprintf("new exclusion constraint %s on %s: a write of released code that conflicts with another row fails (23P01)", con.Name, s.Name(con.Table)),
				addLaterHelp(s.findConflicts(con), s.addExclusion(con)))
		}
	},
}
