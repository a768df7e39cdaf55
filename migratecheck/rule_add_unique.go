package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleAddUnique = &Rule{
	ID: "add-unique", Category: Compatibility, Severity: Warning,
	Doc: Doc{
		Summary:    "A UNIQUE constraint is put on a table that released code writes.",
		Why:        "Old code was never told: an INSERT or UPDATE that makes a duplicate fails (23505) as long as the old code runs.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY, name text);",
		Bad:        "ALTER TABLE repo ADD CONSTRAINT repo_name_key UNIQUE (name);",
		Good:       "ALTER TABLE repo ADD COLUMN rid uuid UNIQUE;",
		Exceptions: "Silent for tables that the pending change creates, when every constrained column is new in it, and for a constraint that takes the place of an equal one dropped in the same change.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, 5.4.3 Unique Constraints.",
	},
	Step: func(s *Step) {
		for _, con := range s.newConstraints(catalog.Unique) {
			if s.onNewColumnsOnly(con) || s.replacesEqual(con) {
				continue
			}
			s.ReportAt(s.Find("CONSTRAINT", con.Name), Warning,
				fmt.Sprintf("new UNIQUE constraint %s on %s: an INSERT or UPDATE of released code that makes a duplicate fails (23505)", con.Name, s.Name(con.Table)),
				"Split it over releases:\nrelease 1: ship code that obeys it, and look for rows that do not\nrelease 2, when no older code runs: add it.")
		}
	},
}
