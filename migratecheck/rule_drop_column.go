package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleDropColumn = &Rule{
	ID: "drop-column", Category: Compatibility, Severity: Error,
	Doc: Doc{
		Summary:    "A column that released code may still read or write is dropped.",
		Why:        "While nodes are upgraded one by one, and after a roll-back, the old code runs on the new schema: every query that names the column fails (42703), and a model loaded with all its mapped columns names it.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY, name text, legacy text);",
		Bad:        "ALTER TABLE repo DROP COLUMN legacy;",
		Good:       "ALTER TABLE repo ALTER COLUMN legacy DROP NOT NULL;",
		Exceptions: "Silent for a column that the same pending change added, and for those of a dropped table (drop-table says that).",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, ALTER TABLE, DROP COLUMN; hub.sr.ht dropped columns in the commit that stopped using them.",
	},
	Step: func(s *Step) {
		for _, c := range s.Changes {
			if c.Op != catalog.ColumnDropped || s.IsNewColumn(c.Old.ObjectID(), c.OldColumn.Num) {
				continue
			}
			rel, col := c.Old.(*catalog.Relation), c.OldColumn.Name
			table := s.Name(rel.OID)
			s.ReportAt(s.Find("DROP", "COLUMN", col), Error,
				fmt.Sprintf("drops column %s of table %s: released code that names it in a query, or loads it through a model, fails on every such request until it is replaced", col, table),
				fmt.Sprintf("Split it over releases:\n"+
					"release 1: ship code that neither reads nor writes %[2]s.%[1]s%[3]s\n"+
					"release 2, when no node runs older code and none will be rolled back to: ALTER TABLE %[2]s DROP COLUMN %[1]s;",
					quoteIdent(col), s.sqlName(rel.OID), relaxFirst(c)))
		}
	},
}

// relaxFirst is the SQL that lets code leave out the column, when inserts without it would fail.
func relaxFirst(c catalog.Change) string {
	if !c.OldColumn.NotNull || c.OldColumn.Default != nil || c.OldColumn.Identity != 0 {
		return ""
	}
	return fmt.Sprintf("; with it ALTER TABLE %s ALTER COLUMN %s DROP NOT NULL; so that inserts may leave it out", quoteIdent(c.Old.ObjectName()), quoteIdent(c.OldColumn.Name))
}
