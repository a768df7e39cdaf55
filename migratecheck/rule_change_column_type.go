package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleChangeColumnType = &Rule{
	ID: "change-column-type", Category: Compatibility, Severity: Error,
	Doc: Doc{
		Summary:    "A column that released code uses changes to another type.",
		Why:        "Old code scans it into a Go type, compares it and writes literals for the old type: values no longer fit (an int64 scanned from text), operators no longer exist (integer = text), and drivers fail with \"cached plan must not change result type\".",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY, mode integer NOT NULL);",
		Bad:        "ALTER TABLE repo ALTER COLUMN mode TYPE text USING mode::text;",
		Good:       "ALTER TABLE repo ADD COLUMN mode_name text;",
		Exceptions: "Silent for widening that code does not notice (varchar(n) to varchar(m) or text, numeric with more digits, a longer bit varying), and for a column that the pending change adds. integer to bigint and timestamp to timestamptz are warnings. narrow-column-type speaks when values can be lost, table-rewrite of the time it takes.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, ALTER TABLE, SET DATA TYPE; real swaps of columns in one transaction in sr.ht's histories.",
	},
	Step: func(s *Step) {
		for _, c := range s.Changes {
			if c.Op != catalog.ColumnTypeChanged || !s.inUse(c.Old) || s.IsNewColumn(c.Old.ObjectID(), c.OldColumn.Num) || c.OldColumn.Inherited > 0 {
				continue
			}
			from, to := s.Before.FormatType(c.OldColumn.Type), s.After.FormatType(c.NewColumn.Type)
			severity := typeChange(from, to)
			if severity == 0 || narrows(from, to) {
				continue
			}
			oid := c.Old.ObjectID()
			s.ReportAt(s.Find("COLUMN", c.OldColumn.Name), severity,
				fmt.Sprintf("changes the type of %s.%s from %s to %s: released code goes on reading, comparing and writing it as %[3]s", s.Name(oid), c.OldColumn.Name, from, to),
				changeTypeHelp(s.sqlName(oid), c.OldColumn.Name, to))
		}
	},
}
