package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleAddRequiredColumn = &Rule{
	ID: "add-required-column", Category: Compatibility, Severity: Error,
	Doc: Doc{
		Summary:    "A column is added that is NOT NULL and has no default when the migration ends.",
		Why:        "Released code does not know it and leaves it out of its INSERTs: each one fails (23502). On a table with rows the migration itself fails.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY);",
		Bad:        "ALTER TABLE repo ADD COLUMN kind integer NOT NULL;",
		Good:       "ALTER TABLE repo ADD COLUMN kind integer NOT NULL DEFAULT 0;",
		Exceptions: "Silent with a default that stays, for generated and identity columns and for tables that the pending change creates. A default that is added and dropped again in the same change is seen as what it is.",
		Versions:   "All. A constant default rewrites nothing since 11.",
		Source:     "PostgreSQL 15 manual, ALTER TABLE, ADD COLUMN; Django adds a default and drops it in the same migration.",
	},
	File: func(f *File) {
		for _, s := range f.Up {
			for _, c := range s.Changes {
				if c.Op != catalog.ColumnAdded || !s.inUse(c.New) || c.NewColumn.Inherited > 0 {
					continue
				}
				rel, ok := f.After.Get(c.New.ObjectID()).(*catalog.Relation)
				if !ok {
					continue
				}
				// As it is at the end of the file: NOT NULL or the default may come or go in a later statement.
				col := rel.Att(c.NewColumn.Num)
				if col == nil || !col.NotNull || col.Default != nil || col.Identity != 0 || col.Generated != 0 {
					continue
				}
				dropped := ""
				if c.NewColumn.Default != nil {
					dropped = " (its default is dropped again in the same file)"
				}
				table := s.sqlName(rel.OID)
				typ := f.After.FormatType(col.Type)
				saved := s.rule
				s.rule = f.rule
				s.ReportAt(s.Find("ADD", "COLUMN", col.Name), Error,
					fmt.Sprintf("column %s of %s is NOT NULL without a default%s: every INSERT of released code, which does not know it, fails", col.Name, s.Name(rel.OID), dropped),
					fmt.Sprintf("Split it over releases:\nrelease 1, code that writes it:\nALTER TABLE %[1]s ADD COLUMN %[2]s %[3]s; -- or NOT NULL DEFAULT a constant, and stop here\nrelease 2, when no older code runs: fill the old rows in batches, then\nALTER TABLE %[1]s ADD CONSTRAINT %[4]s CHECK (%[2]s IS NOT NULL) NOT VALID;\nALTER TABLE %[1]s VALIDATE CONSTRAINT %[4]s;\nALTER TABLE %[1]s ALTER COLUMN %[2]s SET NOT NULL;",
						table, quoteIdent(col.Name), typ, quoteIdent(rel.Name+"_"+col.Name+"_not_null")))
				s.rule = saved
			}
		}
	},
}
