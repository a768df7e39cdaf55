package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleRenameSchema = &Rule{
	ID: "rename-schema", Category: Compatibility, Severity: Error,
	Doc: Doc{
		Summary:    "A schema gets another name.",
		Why:        "Queries and search_path settings of released code that name it fail (3F000, 42P01), and those of new code fail on the old schema.",
		Schema:     "CREATE SCHEMA stats;\nCREATE TABLE stats.hit (id integer);",
		Bad:        "ALTER SCHEMA stats RENAME TO statistics;",
		Good:       "CREATE SCHEMA statistics;",
		Exceptions: "Silent for a schema that the pending change creates.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, ALTER SCHEMA.",
	},
	Step: func(s *Step) {
		for _, c := range s.Changes {
			if old, ok := c.Old.(*catalog.Schema); ok && c.Op == catalog.Renamed && !s.IsNew(old.OID) {
				s.Report(fmt.Sprintf("renames schema %s to %s: released code that names it fails, and new code fails on the old schema", old.Name, c.New.ObjectName()),
					s.renameSchemaHelp(old, c.New.ObjectName()))
			}
		}
	},
}
