package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source"
)

var ruleRenameTable = &Rule{
	ID: "rename-table", Category: Compatibility, Severity: Error,
	Doc: Doc{
		Summary:    "A table or view that released code uses gets another name or schema.",
		Why:        "Old code fails on the new schema and new code on the old one, whichever is deployed first: every query with the other name ends in 42P01.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY);",
		Bad:        "ALTER TABLE repo RENAME TO repository;",
		Good:       "ALTER TABLE repo RENAME TO repository;\nCREATE VIEW repo AS SELECT * FROM repository;",
		Exceptions: "Silent when the same transaction leaves a view or table with the old name that has every column and shows the rows (simple views can be written through) and the privileges that migrations have granted on the table, when the file renames it back, and for tables that the pending change creates. Privileges that were granted outside of the migrations are not known.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, ALTER TABLE, RENAME; CREATE VIEW, Updatable Views.",
	},
	File: func(f *File) {
		for _, s := range f.Up {
			for _, c := range s.Changes {
				old, ok := c.Old.(*catalog.Relation)
				if !ok || c.Op != catalog.Renamed && c.Op != catalog.Moved || !isTable(old) && old.Kind != catalog.View && old.Kind != catalog.MatView || s.IsNew(old.OID) || source.IsBookkeeping(old.Name) {
					continue
				}
				oldName, newName := s.Before.NameOf(old.OID), s.After.NameOf(old.OID)
				if released := f.Run.released(f); released.Get(old.OID) != nil && released.NameOf(old.OID) != oldName {
					continue // a second renaming: the first one's finding says it
				}
				if now := f.After.Relation(oldName.Schema, oldName.Name); now != nil && s.Tx.Explicit && hasColumns(now, old) {
					if !f.servesRowsOf(old, now) {
						f.ReportStep(s, Error, fmt.Sprintf("renames %s to %s, and another relation has its name: released code finds that instead, without the rows, and what it writes is not in %[2]s", sqlNameOf(oldName), sqlNameOf(newName)),
							fmt.Sprintf("Leave a view of the old name in the same transaction, or copy the rows into what takes it:\n%s", s.viewOf(old, oldName, newName, "*")))
						continue
					}
					if lost := f.lostGrants(s, old, now); lost != "" {
						f.ReportStep(s, Error, fmt.Sprintf("renames %s to %s, and what has its name then lacks privileges: %s; released code that connects as such a role fails (42501)", sqlNameOf(oldName), sqlNameOf(newName), lost),
							fmt.Sprintf("Grant them on it in the same transaction:\nGRANT … ON %s TO …;", sqlNameOf(oldName)))
					}
					continue
				}
				was, is := sqlNameOf(oldName), sqlNameOf(newName)
				verb, how := "renames", fmt.Sprintf("%s %s RENAME TO %s;", alterWord(old), was, quoteIdent(newName.Name))
				if c.Op == catalog.Moved {
					verb, how = "moves", fmt.Sprintf("%s %s SET SCHEMA %s;", alterWord(old), was, quoteIdent(newName.Schema))
				}
				help := fmt.Sprintf("Keep the name. If it must change, split it over releases:\n"+
					"release 1, both names work, in one transaction:\n%[3]s\n%[4]s"+
					"release 2: ship code that uses %[2]s only\nrelease 3, when no older code runs:\nDROP VIEW %[1]s;", was, is, how, s.viewOf(old, oldName, newName, "*"))
				switch {
				case isTable(old) && old.RowSecurity && f.Run.Config.version() < 15:
					help = "Keep the name: before PostgreSQL 15 a view of the old name would go around the policies of the table."
				case isTable(old):
					help += "\n" + viewLimits(was)
				}
				f.ReportStep(s, Error,
					fmt.Sprintf("%s %s to %s: released code that names %[2]s fails on the new schema, and new code that names %[3]s fails on the old one", verb, was, is), help)
			}
		}
	},
}

// alterWord is the command that renames or moves a relation.
func alterWord(r *catalog.Relation) string {
	switch r.Kind {
	case catalog.View:
		return "ALTER VIEW"
	case catalog.MatView:
		return "ALTER MATERIALIZED VIEW"
	}
	return "ALTER TABLE"
}

// hasColumns reports whether a relation offers every column of another one by name.
func hasColumns(r, want *catalog.Relation) bool { return missingColumn(r, want) == "" }

// missingColumn names a column that a relation lacks of another one's, "" when there is none.
func missingColumn(r, want *catalog.Relation) string {
	for i := range want.Columns {
		if c := &want.Columns[i]; !c.Dropped && r.Column(c.Name) == nil {
			return c.Name
		}
	}
	return ""
}
