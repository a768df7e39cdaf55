package migratecheck

import (
	"fmt"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
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
		Exceptions: "Silent for a schema that the pending change creates. What goes with it is named here and not reported by other rules.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, DROP SCHEMA.",
	},
	Step: func(s *Step) {
		for _, c := range s.Changes {
			if old, ok := c.Old.(*catalog.Schema); ok && c.Op == catalog.Dropped && !s.IsNew(old.OID) {
				what, cascade := "", ""
				if s.Stmt.Node.GetDropStmt().GetBehavior() == pgast.DropBehavior_DROP_CASCADE {
					what, cascade = " with all that is in it", " CASCADE"
				}
				if tables := s.droppedTables(old.OID); len(tables) > 0 {
					what = " with the rows of " + strings.Join(tables, ", ")
				}
				s.Report(fmt.Sprintf("drops schema %s%s: queries of released code that name it fail", old.Name, what),
					fmt.Sprintf("Split it over releases:\nrelease 1: ship code that does not use it\nrelease 2, when no node runs older code and none will be rolled back to it:\nDROP SCHEMA %s%s;", quoteIdent(old.Name), cascade))
			}
		}
	},
}

// droppedTables names the tables of a schema that the statement drops.
func (s *Step) droppedTables(schema catalog.OID) []string {
	var names []string
	for _, c := range s.Changes {
		if rel, ok := c.Old.(*catalog.Relation); ok && c.Op == catalog.Dropped && rel.Schema == schema && isTable(rel) {
			names = append(names, s.Name(rel.OID))
		}
	}
	return names
}
