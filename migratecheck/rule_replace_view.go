package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleReplaceView = &Rule{
	ID: "replace-view", Category: Compatibility, Severity: Warning,
	Doc: Doc{
		Summary:    "A view that released code reads gets another query, or a column of it another name.",
		Why:        "Old code goes on reading it: a column that is gone fails (42703), and the same columns with another meaning are read without an error.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY, public boolean);\nCREATE VIEW visible_repo AS SELECT id FROM repo;",
		Bad:        "CREATE OR REPLACE VIEW visible_repo AS SELECT id FROM repo WHERE public;",
		Good:       "CREATE VIEW public_repo AS SELECT id FROM repo WHERE public;",
		Exceptions: "Silent when the query stays the same, or is written otherwise (an alias, a qualified name), when only columns are added behind the old ones, and for views that the pending change creates. A view dropped, renamed or moved, and another one created with its name in one transaction, counts as replaced; without one of its columns it is drop-view's or rename-table's. A renamed column is an error.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, CREATE VIEW, OR REPLACE; ALTER VIEW, RENAME COLUMN.",
	},
	File: func(f *File) {
		for _, s := range f.Up {
			for _, c := range s.Changes {
				old, ok := c.Old.(*catalog.Relation)
				if !ok || old.Kind != catalog.View && old.Kind != catalog.MatView || s.IsNew(old.OID) {
					continue
				}
				name := s.Before.NameOf(old.OID)
				now, _ := c.New.(*catalog.Relation)
				switch c.Op {
				case catalog.ColumnRenamed:
					f.ReportStep(s, Error, fmt.Sprintf("column %s of view %s is called %s from now on: queries of released code that name it fail (42703)", c.OldColumn.Name, name, c.NewColumn.Name),
						"Leave the old columns where they are and add new ones behind them; drop the view in a later release.")
					continue
				case catalog.Dropped, catalog.Renamed, catalog.Moved:
					if c.Op != catalog.Dropped {
						if released := f.Run.released(f); released.Get(old.OID) != nil && released.NameOf(old.OID) != name {
							continue // a second renaming
						}
					}
					if now = f.After.Relation(name.Schema, name.Name); now == nil || now.OID == old.OID || !s.Tx.Explicit || !hasColumns(now, old) || now.Kind != catalog.View && now.Kind != catalog.MatView {
						continue // drop-view's, or rename-table's
					}
				case catalog.Altered:
				default:
					continue
				}
				after := f.After
				if c.Op == catalog.Altered {
					after = s.After
				}
				if !sameQuery(old.Query, now.Query) && !sameMeaning(s.Before.ViewMeaning(old), after.ViewMeaning(now), old) {
					f.ReportStep(s, Warning,
						fmt.Sprintf("replaces the query of view %s: released code goes on reading it, with another meaning", name),
						"Give the new query a view of its own, ship code that reads that one, and drop the old view a release later.")
				}
			}
		}
	},
}

// sameMeaning reports whether two views, whose meaning is known, give the same in the columns of the first.
func sameMeaning(a, b *catalog.ViewMeaning, old *catalog.Relation) bool {
	if a == nil || b == nil {
		return false
	}
	var columns []string
	for _, c := range old.Columns {
		columns = append(columns, c.Name)
	}
	return a.Same(b, columns)
}
