package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleReplaceView = &Rule{
	ID: "replace-view", Category: Compatibility, Severity: Warning,
	Doc: Doc{
		Summary:    "A view that released code reads gets another query, or loses columns.",
		Why:        "Old code goes on reading it: a column that is gone fails (42703), and the same columns with another meaning are read without an error.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY, public boolean);\nCREATE VIEW visible_repo AS SELECT id FROM repo;",
		Bad:        "CREATE OR REPLACE VIEW visible_repo AS SELECT id FROM repo WHERE public;",
		Good:       "CREATE VIEW public_repo AS SELECT id FROM repo WHERE public;",
		Exceptions: "Silent when the query stays the same, or when only columns are added behind the old ones and FROM and WHERE are unchanged, and for views that the pending change creates. An error when a column is gone.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, CREATE VIEW, OR REPLACE; ALTER VIEW, RENAME COLUMN.",
	},
	Step: func(s *Step) {
		for _, c := range s.Changes {
			old, ok := c.Old.(*catalog.Relation)
			now, ok2 := c.New.(*catalog.Relation)
			if !ok || !ok2 || old.Kind != catalog.View && old.Kind != catalog.MatView || s.IsNew(old.OID) {
				continue
			}
			switch {
			case c.Op == catalog.ColumnRenamed, c.Op == catalog.ColumnDropped:
				s.Report(fmt.Sprintf("column %s of view %s goes: queries of released code that name it fail", c.OldColumn.Name, s.Name(old.OID)),
					"Leave the old columns where they are and add new ones behind them; drop the view in a later release.")
			case c.Op == catalog.Altered && old.Query != nil && now.Query != nil && old.Query.SQL != now.Query.SQL && !onlyAddsColumns(old.Query.Node, now.Query.Node):
				s.ReportAt(0, Warning,
					fmt.Sprintf("replaces the query of view %s: released code goes on reading it as it was", s.Name(old.OID)),
					"Give the new query a view of its own, ship code that reads that one, and drop the old view a release later.")
			}
		}
	},
}
