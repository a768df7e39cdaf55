package migratecheck

import (
	"fmt"
)

var ruleReuseColumnName = &Rule{
	ID: "reuse-column-name", Category: Compatibility, Severity: Error,
	Doc: Doc{
		Summary:    "A name that a released column had is given to another column.",
		Why:        "Nothing fails: old code runs its queries on the new column and reads, or overwrites, the wrong data, silently.",
		Schema:     "CREATE TABLE tracker (id integer PRIMARY KEY, created timestamp NOT NULL);",
		Bad:        "ALTER TABLE tracker RENAME COLUMN created TO linked;\nALTER TABLE tracker ADD COLUMN created timestamp;",
		Good:       "ALTER TABLE tracker ADD COLUMN linked timestamp;",
		Exceptions: "Silent when the new column holds the same data by construction: a column swapped for one filled from it (ADD x2, UPDATE SET x2 = x, DROP x, RENAME x2 TO x) is change-column-type's, when the type differs.",
		Versions:   "All.",
		Source:     "hub.sr.ht 0009 and 0010: created was renamed to linked, and one migration later a new created was added.",
	},
	Step: func(s *Step) {
		for _, r := range s.reusedNames() {
			if r.copied {
				continue
			}
			s.ReportAt(r.at, Error,
				fmt.Sprintf("gives the name %s.%s to another column than the one that released code means: its queries go on working, on the wrong data", s.Name(r.table.OID), r.old.Name),
				"Give the new column a name that no released version has used. The old name is free again when no node runs code that knew the old column.")
		}
	},
}
