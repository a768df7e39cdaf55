package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleDropDefault = &Rule{
	ID: "drop-default", Category: Compatibility, Severity: Error,
	Doc: Doc{
		Summary:    "A default that released INSERTs rely on is dropped or changed.",
		Why:        "Old code leaves the column out: without the default the row gets NULL, or the INSERT fails where the column is NOT NULL (23502); with another default it means something else.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY, visibility integer NOT NULL DEFAULT 0);",
		Bad:        "ALTER TABLE repo ALTER COLUMN visibility DROP DEFAULT;",
		Good:       "ALTER TABLE repo ADD COLUMN kind integer NOT NULL DEFAULT 0;",
		Exceptions: "Silent for a column that the pending change adds. A default replaced by another one, or dropped from a nullable column, is a warning. A default set where there was none is silent.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, ALTER TABLE, SET/DROP DEFAULT.",
	},
	Step: func(s *Step) {
		for _, c := range s.Changes {
			if c.Op != catalog.ColumnDefaultChanged || !s.inUse(c.Old) || s.IsNewColumn(c.Old.ObjectID(), c.OldColumn.Num) {
				continue
			}
			old, now := c.OldColumn, c.NewColumn
			had := old.Default != nil || old.Identity != 0
			if !had || old.Inherited > 0 || now.Identity != 0 && old.Default != nil && old.Default.Volatility == catalog.Volatile {
				continue // nothing to rely on, or a serial that becomes an identity column
			}
			oid, name := c.Old.ObjectID(), s.Name(c.Old.ObjectID())
			table, col := s.sqlName(oid), quoteIdent(old.Name)
			at := s.Find("COLUMN", old.Name)
			switch {
			case now.Default != nil || now.Identity != 0:
				s.ReportAt(at, Warning,
					fmt.Sprintf("changes the default of %s.%s: released code that leaves the column out gets another value than it was written for", name, old.Name),
					fmt.Sprintf("Ship code that writes %s explicitly first; change the default when no older code runs.", col))
			case now.NotNull:
				s.ReportAt(at, Error,
					fmt.Sprintf("drops the default of %s.%s, which is NOT NULL: every INSERT of released code that leaves it out fails", name, old.Name),
					fmt.Sprintf("Split it over releases:\nrelease 1: ship code that always writes %[2]s\nrelease 2, when no older code runs: ALTER TABLE %[1]s ALTER COLUMN %[2]s DROP DEFAULT;", table, col))
			default:
				s.ReportAt(at, Warning,
					fmt.Sprintf("drops the default of %s.%s: rows that released code inserts without it hold NULL instead", name, old.Name),
					fmt.Sprintf("Split it over releases:\nrelease 1: ship code that always writes %[2]s\nrelease 2, when no older code runs: ALTER TABLE %[1]s ALTER COLUMN %[2]s DROP DEFAULT;", table, col))
			}
		}
	},
}
