package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleRenameTable = &Rule{
	ID: "rename-table", Category: Compatibility, Severity: Error,
	Doc: Doc{
		Summary:    "A table or view that released code uses gets another name or schema.",
		Why:        "Old code fails on the new schema and new code on the old one, whichever is deployed first: every query with the other name ends in 42P01.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY);",
		Bad:        "ALTER TABLE repo RENAME TO repository;",
		Good:       "ALTER TABLE repo RENAME TO repository;\nCREATE VIEW repo AS SELECT * FROM repository;",
		Exceptions: "Silent when the same transaction leaves a view with the old name that has every column (simple views can be written through), and for tables that the pending change creates.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, ALTER TABLE, RENAME; CREATE VIEW, Updatable Views.",
	},
	File: func(f *File) {
		for _, s := range f.Up {
			for _, c := range s.Changes {
				old, ok := c.Old.(*catalog.Relation)
				if !ok || c.Op != catalog.Renamed && c.Op != catalog.Moved || !isTable(old) && old.Kind != catalog.View && old.Kind != catalog.MatView || s.IsNew(old.OID) || isBookkeeping(old.Name) {
					continue
				}
				oldName := s.Before.NameOf(old.OID)
				if now := f.After.Relation(oldName.Schema, oldName.Name); now != nil && s.Tx.Explicit && hasColumns(now, old) {
					continue
				}
				was, is := sqlNameOf(oldName), sqlNameOf(s.After.NameOf(old.OID))
				f.ReportStep(s, Error,
					fmt.Sprintf("renames %s to %s: released code that names %s fails on the new schema, and new code that names %s fails on the old one", was, is, was, is),
					fmt.Sprintf("Keep the name. If it must change, split it over releases:\n"+
						"release 1, both names work, in one transaction:\nALTER TABLE %[1]s RENAME TO %[3]s;\nCREATE VIEW %[1]s AS SELECT * FROM %[2]s;\n"+
						"release 2: ship code that uses %[2]s only\nrelease 3: DROP VIEW %[1]s;", was, is, quoteIdent(s.After.NameOf(old.OID).Name)))
			}
		}
	},
}

// hasColumns reports whether a relation offers every column of another one by name.
func hasColumns(r, want *catalog.Relation) bool {
	for i := range want.Columns {
		if c := &want.Columns[i]; !c.Dropped && r.Column(c.Name) == nil {
			return false
		}
	}
	return true
}
