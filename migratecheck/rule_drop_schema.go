package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleDropSchema = &Rule{
	ID: "drop-schema", Category: Compatibility, Severity: Error,
	Doc: Doc{
		Summary:    "A schema is dropped.",
		Why:        "Everything in it goes, with its rows; queries of released code that name it fail (3F000, 42P01).",
		Schema:     "CREATE SCHEMA stats;",
		Bad:        "DROP SCHEMA stats;",
		Good:       "CREATE SCHEMA reports;",
		Exceptions: "Silent for a schema that the pending change creates.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, DROP SCHEMA.",
	},
	Step: func(s *Step) {
		for _, c := range s.Changes {
			if old, ok := c.Old.(*catalog.Schema); ok && c.Op == catalog.Dropped && !s.IsNew(old.OID) {
				s.ReportAt(s.Find("SCHEMA", old.Name), Error,
					fmt.Sprintf("drops schema %s with all that is in it: queries of released code that name it fail", old.Name),
					fmt.Sprintf("Split it over releases:\nrelease 1: ship code that does not use it\nrelease 2, when no older code runs: DROP SCHEMA %s;", quoteIdent(old.Name)))
			}
		}
	},
}
