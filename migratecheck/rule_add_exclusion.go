package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleAddExclusion = &Rule{
	ID: "add-exclusion", Category: Compatibility, Severity: Warning,
	Doc: Doc{
		Summary:    "A exclusion constraint is put on a table that released code writes.",
		Why:        "Old code was never told: a write that conflicts with another row fails (23P01) as long as the old code runs.",
		Schema:     "CREATE TABLE booking (id integer PRIMARY KEY, during tsrange);",
		Bad:        "ALTER TABLE booking ADD CONSTRAINT booking_during_excl EXCLUDE USING gist (during WITH &&);",
		Good:       "ALTER TABLE booking ADD COLUMN note text;",
		Exceptions: "Silent for tables that the pending change creates, when every constrained column is new in it, and for a constraint that takes the place of an equal one dropped in the same change.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, 5.4.6 Exclusion Constraints.",
	},
	Step: func(s *Step) {
		for _, con := range s.newConstraints(catalog.Exclusion) {
			if s.onNewColumnsOnly(con) || s.replacesEqual(con) {
				continue
			}
			s.ReportAt(s.Find("CONSTRAINT", con.Name), Warning,
				fmt.Sprintf("new exclusion constraint %s on %s: a write of released code that conflicts with another row fails (23P01)", con.Name, s.Name(con.Table)),
				"Split it over releases:\nrelease 1: ship code that obeys it, and look for rows that do not\nrelease 2, when no older code runs: add it.")
		}
	},
}
