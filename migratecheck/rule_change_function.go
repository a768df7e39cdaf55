package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleChangeFunction = &Rule{
	ID: "change-function", Category: Compatibility, Severity: Info,
	Doc: Doc{
		Summary:    "A function that released code may call gets another body, or its arguments change.",
		Why:        "Old code goes on calling it and gets the new behaviour, for which it was not written.",
		Schema:     "CREATE FUNCTION slug(t text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT lower(t) $$;",
		Bad:        "CREATE OR REPLACE FUNCTION slug(t text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT lower(trim(t)) $$;",
		Good:       "CREATE FUNCTION slug2(t text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT lower(trim(t)) $$;",
		Exceptions: "Silent when the body differs only in white space and comments, and for functions that the pending change creates. A renamed or moved function is an error: calls of released code no longer find it.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, CREATE FUNCTION, OR REPLACE.",
	},
	Step: func(s *Step) {
		for _, c := range s.Changes {
			old, ok := c.Old.(*catalog.Func)
			now, ok2 := c.New.(*catalog.Func)
			if !ok || !ok2 || s.IsNew(old.OID) {
				continue
			}
			switch {
			case c.Op == catalog.Renamed || c.Op == catalog.Moved:
				if s.Before.FormatType(old.Returns) != "trigger" {
					s.ReportAt(0, Error, fmt.Sprintf("renames function %s to %s: calls in released code fail (42883)", s.Name(old.OID), s.After.NameOf(old.OID)),
						"Create the new one beside it, ship code that calls that, and drop the old one a release later.")
				}
			case c.Op == catalog.Altered && firstDifference("", old.Body, now.Body) > 0:
				s.ReportAt(0, Info, fmt.Sprintf("replaces the body of function %s: released code and triggers get the new behaviour at once", s.Name(old.OID)),
					"Make sure that the old code is right with it; otherwise give the new behaviour a new name.")
			}
		}
	},
}
