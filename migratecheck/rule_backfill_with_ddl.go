package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/lockmode"
)

var ruleBackfillWithDDL = &Rule{
	ID: "backfill-with-ddl", Category: Transactions, Severity: Warning, Down: true,
	Doc: Doc{
		Summary:    "Rows are changed in the transaction that holds an exclusive lock on a table from a schema change.",
		Why:        "The AccessExclusiveLock of the schema change blocks every query on the table, reads included, and is held until the transaction commits: for as long as the UPDATE, DELETE or INSERT … SELECT takes.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY, name text NOT NULL);",
		Bad:        "ALTER TABLE repo ADD COLUMN slug text;\nUPDATE repo SET slug = lower(name) WHERE slug IS NULL;",
		Good:       "ALTER TABLE repo ADD COLUMN slug text;",
		Exceptions: "Silent when the locked table is new in the same pending change; info when every table involved is known to be small (-stats). A change of single rows (a WHERE on the primary key, INSERT … VALUES) is silent.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, 13.3 Explicit Locking: locks are held until the end of the transaction.",
	},
	Step: func(s *Step) {
		target, ok := massChange(s)
		if !ok || !s.Tx.Explicit {
			return
		}
		for _, e := range s.Earlier() {
			for _, l := range e.Lock.Locks {
				rel := s.relation(l.Relation)
				if l.Mode != lockmode.AccessExclusive || rel == nil || !isTable(rel) || s.IsNew(l.Relation) {
					continue
				}
				if _, dropped := s.After.Get(l.Relation).(*catalog.Relation); !dropped {
					continue // nobody waits for a table that is gone
				}
				severity := Warning
				if rows, ok := s.Rows(target); ok && rows <= 10_000 {
					severity = Info
				}
				s.ReportAt(0, severity,
					fmt.Sprintf("changes the rows of %s while this transaction holds an AccessExclusiveLock on %s: every query on %[2]s waits until all rows are changed and the transaction commits", s.Name(target), s.Name(l.Relation)),
					"Split it: the schema change in one migration, which commits at once; the rows in the next one, in batches of some thousand, each its own transaction.")
				return
			}
		}
	},
}
