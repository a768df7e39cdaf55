package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleAddCheck = &Rule{
	ID: "add-check", Category: Compatibility, Severity: Warning,
	Doc: Doc{
		Summary:    "A CHECK constraint is put on a table that released code writes.",
		Why:        "Old code was never told: an INSERT or UPDATE that breaks it fails (23514) as long as the old code runs. NOT VALID spares the old rows, not the writers.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY, size bigint);",
		Bad:        "ALTER TABLE repo ADD CONSTRAINT repo_size_check CHECK (size >= 0) NOT VALID;",
		Good:       "ALTER TABLE repo ADD COLUMN kind integer NOT NULL DEFAULT 0 CHECK (kind >= 0);",
		Exceptions: "Silent for tables that the pending change creates, when every constrained column is new in it, when it refuses nothing (CHECK (true), IS NOT NULL of a column that is NOT NULL), and when the released schema has the same check already (under any name).",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, 5.4.1 Check Constraints.",
	},
	Step: func(s *Step) {
		for _, con := range s.newConstraints(catalog.Check) {
			if s.onNewColumnsOnly(con) || s.replacesEqual(con) || s.alwaysHolds(con) {
				continue
			}
			s.ReportAt(s.constraintAt(con), Warning,
				fmt.Sprintf("new CHECK constraint %s on %s: an INSERT or UPDATE of released code that breaks it fails (23514)", con.Name, s.Name(con.Table)),
				addLaterHelp(s.findCheckBreakers(con), s.addNotValid(con)))
		}
	},
}
