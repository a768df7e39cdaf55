package migratecheck

import "fmt"

var ruleBackfillWithDDL = &Rule{
	ID: "backfill-with-ddl", Category: Transactions, Severity: Warning, Down: true,
	Doc: Doc{
		Summary:    "Rows are changed in the transaction that holds an exclusive lock on a table from a schema change.",
		Why:        "The AccessExclusiveLock of the schema change blocks every query on the table, reads included, and is held until the transaction commits: for as long as the UPDATE, DELETE, MERGE or INSERT … SELECT takes.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY, name text NOT NULL);",
		Bad:        "ALTER TABLE repo ADD COLUMN slug text;\nUPDATE repo SET slug = lower(name) WHERE slug IS NULL;",
		Good:       "ALTER TABLE repo ADD COLUMN slug text;",
		Exceptions: "Silent when the locked table is new in the same pending change; sized by -stats. A change of single rows (a WHERE on the primary key, INSERT … VALUES) is silent.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, 13.3 Explicit Locking: locks are held until the end of the transaction.",
	},
	Step: func(s *Step) {
		m, ok := s.massChange()
		if !ok {
			return
		}
		if locked := s.exclusiveBefore(); locked != 0 && s.Tx.once(s.rule.ID) {
			what, until := "changes the rows of", "changed"
			switch {
			case m.over:
				what, until = "runs a statement for each row of", "done"
			case m.read:
				what, until = "copies rows of", "copied"
			case m.adds():
				what, until = "adds rows to", "there" // nobody knows from what
			}
			s.ReportAt(0, s.Sized(m.table, Warning),
				fmt.Sprintf("%s %s while this transaction holds an AccessExclusiveLock on %s: every query on %[3]s waits until all rows are %[4]s and the transaction commits", what, s.knownName(m.table), s.releasedName(locked), until),
				"Split it: the schema change in one migration, which commits at once; the rows in the next one, in batches of some thousand, each its own transaction.")
		}
	},
}
