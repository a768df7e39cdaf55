package migratecheck

import "fmt"

var ruleConcurrentlyInTransaction = &Rule{
	ID: "concurrently-in-transaction", Category: Transactions, Severity: Error, Down: true,
	Doc: Doc{
		Summary:    "A statement that PostgreSQL refuses inside a transaction (CREATE INDEX CONCURRENTLY, VACUUM, …) runs in one.",
		Why:        "It fails with \"cannot run inside a transaction block\" (25001), so the migration cannot be applied: the release stops half-way.",
		Schema:     "CREATE TABLE event (id integer PRIMARY KEY, created timestamp NOT NULL);",
		Bad:        "CREATE INDEX CONCURRENTLY event_created_idx ON event (created);",
		Good:       "-- +brant NO TRANSACTION\n-- +brant Up\nCREATE INDEX CONCURRENTLY event_created_idx ON event (created);",
		Exceptions: "None: the transaction meant is the one the migration tool really opens, or the implicit one of several statements sent in one text.",
		Versions:   "All; ALTER TYPE … ADD VALUE is allowed since 12.",
		Source:     "PostgreSQL 15, src/backend/tcop/utility.c and PreventInTransactionBlock in src/backend/access/transam/xact.c.",
	},
	Step: func(s *Step) {
		what := refusesTransaction(s)
		if what == "" || !s.Tx.Explicit {
			return
		}
		if !s.Tx.once(s.rule.ID) {
			return // the first one stops the migration
		}
		help := s.File.noTransactionHelp()
		if s.Tx.begun {
			help = "Move it out from between BEGIN and COMMIT, into a migration of its own that runs outside a transaction."
		}
		s.Report(fmt.Sprintf("%s cannot run inside a transaction, and %s: the migration fails here (25001)", what, s.File.whyTransaction(s)), help)
	},
}
