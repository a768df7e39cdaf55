package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleDropNotNull = &Rule{
	ID: "drop-not-null", Category: Compatibility, Severity: Warning,
	Doc: Doc{
		Summary:    "A column that released code reads as never NULL may be NULL from now on.",
		Why:        "As soon as new code writes a NULL, old code that scans the column into a string, int or time.Time fails on every row with it (\"converting NULL to string is unsupported\").",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY, name text NOT NULL);",
		Bad:        "ALTER TABLE repo ALTER COLUMN name DROP NOT NULL;",
		Good:       "ALTER TABLE repo ALTER COLUMN name SET DEFAULT '';",
		Exceptions: "Silent for a column that the pending change adds, and when the file drops the column or makes it NOT NULL again. Harmless while no code writes NULL: as the first step of a removal, ignore it with that reason.",
		Versions:   "All.",
		Source:     "database/sql, convertAssign: a NULL needs a pointer or a Null type.",
	},
	File: func(f *File) {
		for _, s := range f.Up {
			for _, c := range s.Changes {
				if c.Op != catalog.ColumnNotNullDropped || !s.inUse(c.Old) || s.IsNewColumn(c.Old.ObjectID(), c.OldColumn.Num) || c.OldColumn.Inherited > 0 {
					continue
				}
				oid, col := c.Old.ObjectID(), c.OldColumn.Name
				if after := f.columnAfter(oid, c.OldColumn.Num); after == nil || after.NotNull {
					continue
				}
				at := s.Find("ALTER", "[COLUMN]", col, "DROP", "NOT")
				for _, gone := range s.Changes {
					if con, ok := gone.Old.(*catalog.Constraint); ok && gone.Op == catalog.Dropped && con.Kind == catalog.NotNullCon && con.Table == oid && con.Columns[0] == c.OldColumn.Num {
						at = max(at, s.Find("DROP", "CONSTRAINT", "[IF EXISTS]", con.Name))
					}
				}
				f.ReportStepAt(s, at, Warning,
					fmt.Sprintf("%s.%s may be NULL from now on: released code that scans it into a Go type without NULL fails on each such row once somebody writes one", s.Name(oid), col),
					fmt.Sprintf("Split it over releases:\nrelease 1: ship code that reads %[2]s as nullable (*T, sql.Null, COALESCE) and never writes NULL, with\nALTER TABLE %[1]s ALTER COLUMN %[2]s DROP NOT NULL;\nrelease 2, when no older code runs: write NULL.", s.sqlName(oid), quoteIdent(col)))
			}
		}
	},
}
