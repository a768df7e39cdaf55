package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleDropView = &Rule{
	ID: "drop-view", Category: Compatibility, Severity: Error,
	Doc: Doc{
		Summary:    "A view or materialized view that released code may read is dropped.",
		Why:        "Every query of old code on it fails (42P01) as long as that code runs.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY, public boolean);\nCREATE VIEW public_repo AS SELECT id FROM repo WHERE public;",
		Bad:        "DROP VIEW public_repo;",
		Good:       "CREATE OR REPLACE VIEW public_repo AS SELECT id, public FROM repo WHERE public;",
		Exceptions: "Silent when the file creates a relation of that name again with all the columns, in one transaction (replace-view compares the queries), for views that the pending change creates, and for those that go with their schema (drop-schema says that).",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, DROP VIEW. One public linter's users missed exactly this on a real history.",
	},
	File: func(f *File) {
		for _, s := range f.Up {
			for _, c := range s.Changes {
				old, ok := c.Old.(*catalog.Relation)
				if !ok || c.Op != catalog.Dropped || old.Kind != catalog.View && old.Kind != catalog.MatView || s.IsNew(old.OID) || s.goesWith(old) {
					continue
				}
				name := s.Before.NameOf(old.OID)
				message := fmt.Sprintf("drops view %s: every query of released code on it fails until no node runs that code", name)
				if again := f.After.Relation(name.Schema, name.Name); again != nil {
					switch lost := missingColumn(again, old); {
					case lost != "":
						message = fmt.Sprintf("drops view %s and creates it again without column %s: every query of released code that names it fails", name, lost)
					case !f.servesRowsOf(old, again):
						message = fmt.Sprintf("drops view %s, and a table has its name: released code finds that instead, without the rows of the view", name)
					case s.Tx.Explicit:
						continue
					default:
						message = fmt.Sprintf("drops view %s and creates it again, not in one transaction: queries of released code in between fail", name)
					}
				}
				drop := "DROP VIEW"
				if old.Kind == catalog.MatView {
					drop = "DROP MATERIALIZED VIEW"
				}
				f.ReportStep(s, Error, message,
					fmt.Sprintf("To change a view, use CREATE OR REPLACE VIEW, or drop and create it in one transaction with all its columns. To remove it, split it over releases:\nrelease 1: ship code that does not use %[1]s\nrelease 2, when no older code runs:\n%[2]s", sqlNameOf(name), s.dropping(drop+" "+sqlNameOf(name)+";")))
			}
		}
	},
}
