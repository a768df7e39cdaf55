package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleDropTable = &Rule{
	ID: "drop-table", Category: Compatibility, Severity: Error,
	Doc: Doc{
		Summary:    "A table that released code may still use is dropped.",
		Why:        "While nodes are upgraded one by one, and after a roll-back, the old code runs on the new schema: every query on the table fails (42P01). The rows are gone for good.",
		Schema:     "CREATE TABLE oauth_legacy (id integer PRIMARY KEY);",
		Bad:        "DROP TABLE oauth_legacy;",
		Good:       "COMMENT ON TABLE oauth_legacy IS 'unused since 0.90';",
		Exceptions: "Silent for a table that the same pending change created, for temporary tables, and for those in which a migration tool keeps its own state. When a view or table takes its name in the same change, the old code reads that instead: not reported here.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, DROP TABLE.",
	},
	Step: func(s *Step) {
		for _, c := range s.Changes {
			rel, ok := c.Old.(*catalog.Relation)
			if c.Op != catalog.Dropped || !ok || !isTable(rel) || s.IsNew(rel.OID) || isBookkeeping(rel.Name) {
				continue
			}
			name := s.Name(rel.OID)
			s.ReportAt(s.Find("TABLE", rel.Name), Error,
				fmt.Sprintf("drops table %s with its rows: every query of released code on it fails until no node runs that code", name),
				fmt.Sprintf("Split it over releases:\nrelease 1: ship code that does not use %[1]s\nrelease 2, when no node runs older code and none will be rolled back to: DROP TABLE %[1]s;", s.sqlName(rel.OID)))
		}
	},
}
