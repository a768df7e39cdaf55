package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleNarrowColumnType = &Rule{
	ID: "narrow-column-type", Category: Compatibility, Severity: Error,
	Doc: Doc{
		Summary:    "A column changes to a type that holds less: shorter, smaller or coarser.",
		Why:        "Old code goes on writing values that no longer fit and gets errors (22001, 22003); values already there make the migration fail, or are rounded and lost.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY, description varchar(1024));",
		Bad:        "ALTER TABLE repo ALTER COLUMN description TYPE varchar(256);",
		Good:       "ALTER TABLE repo ALTER COLUMN description TYPE varchar(2048);",
		Exceptions: "Silent for a column that the pending change adds.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, ALTER TABLE, SET DATA TYPE; chapter 8, Data Types.",
	},
	Step: func(s *Step) {
		for _, c := range s.Changes {
			if c.Op != catalog.ColumnTypeChanged || !s.inUse(c.Old) || s.IsNewColumn(c.Old.ObjectID(), c.OldColumn.Num) || c.OldColumn.Inherited > 0 {
				continue
			}
			from, to := s.Before.FormatType(c.OldColumn.Type), s.After.FormatType(c.NewColumn.Type)
			if !narrows(from, to) {
				continue
			}
			oid, col := c.Old.ObjectID(), c.OldColumn.Name
			check := quoteIdent(c.Old.ObjectName() + "_" + col + "_fits")
			s.ReportAt(s.Find("COLUMN", col), Error,
				fmt.Sprintf("narrows %s.%s from %s to %s: released code still writes values that do not fit, and one that is there already makes the migration fail or is cut", s.Name(oid), col, from, to),
				fmt.Sprintf("Split it over releases:\nrelease 1: ship code that only writes values that fit; then prove it, and repair the old rows:\nALTER TABLE %[1]s ADD CONSTRAINT %[2]s CHECK (…) NOT VALID;\nALTER TABLE %[1]s VALIDATE CONSTRAINT %[2]s;\nrelease 2: keep the CHECK and leave the type as it is (narrowing rewrites the table), or change it then.", s.sqlName(oid), check))
		}
	},
}
