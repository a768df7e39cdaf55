package migratecheck

import "fmt"

var ruleSlowAfterLock = &Rule{
	ID: "slow-after-lock", Category: Transactions, Severity: Warning, Down: true,
	Doc: Doc{
		Summary:    "A statement that takes time runs in a transaction that holds an AccessExclusiveLock on another table.",
		Why:        "The first table is closed to everybody while the second is read, indexed or rewritten.",
		Schema:     "CREATE TABLE a (id integer PRIMARY KEY);\nCREATE TABLE b (id integer PRIMARY KEY, n integer);",
		Bad:        "ALTER TABLE a ADD COLUMN x integer;\nCREATE INDEX b_n_idx ON b (n);",
		Good:       "ALTER TABLE a ADD COLUMN x integer;",
		Exceptions: "Silent for tables that the pending change creates; changes of rows are reported by backfill-with-ddl; sized by -stats.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, 13.3 Explicit Locking: locks are held until the end of the transaction.",
	},
	Step: func(s *Step) {
		slow := s.slowTable()
		if slow == 0 || !s.Tx.Explicit {
			return
		}
		for _, l := range s.heldExclusive() {
			if s.under(l.table, slow) || s.under(slow, l.table) {
				continue
			}
			if !s.Tx.once(s.rule.ID) {
				return // the cure is the same for all of the transaction
			}
			s.ReportAt(0, s.Sized(slow, Warning),
				fmt.Sprintf("reads all of %s while this transaction holds an AccessExclusiveLock on %s: every query on %[2]s waits for it", s.Name(slow), s.Name(l.table)),
				"Put the two into migrations of their own.")
			return
		}
	},
}
