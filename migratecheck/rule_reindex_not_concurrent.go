package migratecheck

import "fmt"

var ruleReindexNotConcurrent = &Rule{
	ID: "reindex-not-concurrent", Category: Locks, Severity: Error, Down: true,
	Doc: Doc{
		Summary:    "REINDEX without CONCURRENTLY on a table in use.",
		Why:        "Writes to the table wait (ShareLock) until the index is built again, and every query that plans to use the index waits too (AccessExclusiveLock on it).",
		Schema:     "CREATE TABLE event (id integer PRIMARY KEY, created timestamp);\nCREATE INDEX event_created_idx ON event (created);",
		Bad:        "REINDEX INDEX event_created_idx;",
		Good:       "-- +brant NO TRANSACTION\n-- +brant Up\nREINDEX INDEX CONCURRENTLY event_created_idx;",
		Exceptions: "Silent for tables that the pending change creates; sized by -stats.",
		Versions:   "CONCURRENTLY since 12.",
		Source:     "PostgreSQL 15 manual, REINDEX.",
	},
	Step: func(s *Step) {
		r := s.Stmt.Node.GetReindexStmt()
		if r == nil || hasOption(r.Params, "concurrently") {
			return
		}
		if r.Relation == nil {
			s.Report("rebuilds every index of a schema or database: writes to each table wait (ShareLock) while its indexes are built", "In a migration of its own that runs outside a transaction:\n"+s.concurrentReindex())
			return
		}
		for _, b := range s.Lock.Builds {
			if s.IsNew(b.Table) {
				continue
			}
			s.ReportAt(0, s.Sized(s.subject(b.Table), Error),
				fmt.Sprintf("REINDEX blocks INSERT, UPDATE and DELETE on %s (ShareLock), and every query that would use the index, until it is built", s.Name(s.subject(b.Table))),
				"In a migration of its own that runs outside a transaction:\n"+s.concurrentReindex())
			return
		}
	},
}

// concurrentReindex is the statement with CONCURRENTLY behind what is built again.
func (s *Step) concurrentReindex() string {
	return s.withWord("CONCURRENTLY", "INDEX", "TABLE", "SCHEMA", "DATABASE")
}
