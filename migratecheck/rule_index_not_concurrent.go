package migratecheck

import "fmt"

var ruleIndexNotConcurrent = &Rule{
	ID: "index-not-concurrent", Category: Locks, Severity: Error, Down: true,
	Doc: Doc{
		Summary:    "CREATE INDEX without CONCURRENTLY on a table that is in use.",
		Why:        "It takes a ShareLock: every INSERT, UPDATE and DELETE on the table waits until the whole table has been read and sorted, and so does every request behind them.",
		Schema:     "CREATE TABLE event (id integer PRIMARY KEY, created timestamp NOT NULL);",
		Bad:        "CREATE INDEX event_created_idx ON event (created);",
		Good:       "-- +brant NO TRANSACTION\nCREATE INDEX CONCURRENTLY event_created_idx ON event (created);",
		Exceptions: "Silent for a table that the same pending change creates, and for temporary tables; info for one known to be small (-stats).",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, CREATE INDEX, \"Building Indexes Concurrently\".",
	},
	Step: func(s *Step) {
		ix := s.Stmt.Node.GetIndexStmt()
		if ix == nil || ix.Concurrent {
			return
		}
		for _, b := range s.Lock.Builds {
			if s.IsNew(b.Table) {
				continue
			}
			table := s.Name(b.Table)
			s.ReportAt(0, s.Sized(b.Table, Error),
				fmt.Sprintf("CREATE INDEX on %s blocks every INSERT, UPDATE and DELETE on it (ShareLock) until the whole table has been read", table),
				"Put it into a file of its own that runs outside a transaction, and write CREATE INDEX CONCURRENTLY …; if it fails half-way, drop the invalid index it leaves and run it again.")
			return
		}
	},
}
