package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleRenameColumn = &Rule{
	ID: "rename-column", Category: Compatibility, Severity: Error,
	Doc: Doc{
		Summary:    "A column, or an attribute of a composite type, that released code uses gets another name.",
		Why:        "Old code fails on the new schema and new code on the old one, whichever is deployed first: every query with the other name ends in 42703.",
		Schema:     "CREATE TABLE tracker (id integer PRIMARY KEY, created timestamp NOT NULL);",
		Bad:        "ALTER TABLE tracker RENAME COLUMN created TO linked;",
		Good:       "ALTER TABLE tracker ADD COLUMN linked timestamp;",
		Exceptions: "Silent for a column that the pending change adds, for one that the file renames back, for columns of partitions and children (their parent's finding says it) and of views (replace-view). When the file gives the old name to another column, reuse-column-name speaks instead. Silent as well when the same transaction puts a view with both names in the place of the table.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, ALTER TABLE, RENAME. hub.sr.ht e76439d renamed created to linked in three tables in the commit that changed the code.",
	},
	File: func(f *File) {
		for _, s := range f.Up {
			for _, c := range s.Changes {
				if c.Op != catalog.ColumnRenamed || !s.usedByCode(c.Old) || s.IsNewColumn(c.Old.ObjectID(), c.OldColumn.Num) || c.OldColumn.Inherited > 0 {
					continue
				}
				oid, old, now := c.Old.ObjectID(), c.OldColumn.Name, c.NewColumn.Name
				if was := s.releasedColumn(oid, c.OldColumn.Num); was != nil && was.Name != old {
					continue // a second renaming: the first one's finding says it
				}
				if after, ok := f.After.Get(oid).(*catalog.Relation); ok && after.Column(old) != nil {
					continue
				}
				rel := c.Old.(*catalog.Relation)
				if s.hasViewWith(rel, old, now) {
					continue
				}
				noun, _, keyword := columnWord(rel)
				if was := s.knownAs(f.Run.released(f), oid, now); was != nil && was.Num != c.OldColumn.Num {
					// The new name was another column's: reuse-column-name says what becomes of code that uses that one.
					f.ReportStepAt(s, s.Find("RENAME", "["+keyword+"]", old), Error,
						fmt.Sprintf("renames %s %s of %s to %s, the name of another column until now: released code that names %[2]s fails", noun, old, s.Name(oid), now),
						"Keep both names and their meaning; give new code a column with a name that no release has used.")
					continue
				}
				f.ReportStepAt(s, s.Find("RENAME", "["+keyword+"]", old), Error,
					fmt.Sprintf("renames %s %s of %s to %s: released code that names %[2]s fails on the new schema, and new code that names %[4]s fails on the old one", noun, old, s.Name(oid), now),
					s.renameColumnHelp(rel, c.OldColumn, c.NewColumn))
			}
		}
	},
}

// hasViewWith reports whether, at the end of the transaction, what released code calls the table is a view with both columns.
func (s *Step) hasViewWith(rel *catalog.Relation, old, now string) bool {
	released := s.File.Run.released(s.File)
	if !s.Tx.Explicit || released.Get(rel.OID) == nil {
		return false
	}
	name := released.NameOf(rel.OID)
	view := s.File.After.Relation(name.Schema, name.Name)
	return view != nil && view.OID != rel.OID && view.Kind == catalog.View && view.Column(old) != nil && view.Column(now) != nil
}
