package migratecheck

import "fmt"

var ruleNoIdleTimeout = &Rule{
	ID: "no-idle-timeout", Category: Hygiene, Severity: Info,
	Doc: Doc{
		Summary:    "A transaction takes a lock that blocks others, without an idle_in_transaction_session_timeout. Reported once per file.",
		Why:        "When the migration's program hangs, or its host is cut off, between two statements, the server keeps the transaction open and the lock with it: nobody gets in until somebody finds the session and ends it.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY);",
		Bad:        "ALTER TABLE repo ADD COLUMN note text;",
		Good:       "SET LOCAL idle_in_transaction_session_timeout = '10s';\nALTER TABLE repo ADD COLUMN note text;",
		Exceptions: "Silent for statements outside a transaction, which commit as they end, and when only tables that the pending change creates are locked. A timeout set for the role or in the connection string is not seen. lock_timeout and statement_timeout, which matter more often, are no-lock-timeout's and no-statement-timeout's.",
		Versions:   "All; transaction_timeout, which bounds the whole transaction and counts as well, since 17.",
		Source:     "PostgreSQL 15 manual, 20.11.1 idle_in_transaction_session_timeout; PostgreSQL 17 manual, transaction_timeout.",
	},
	File: func(f *File) {
		for _, s := range f.Up {
			d, ok := parseTimeout(s.IdleTimeout)
			lock, blocks := s.blockingLock()
			if !blocks || !s.Tx.Explicit || !ok || d > 0 {
				continue
			}
			set := "SET LOCAL idle_in_transaction_session_timeout = '10s';"
			if f.Migration.Tool == "alembic" {
				set = `op.execute("SET LOCAL idle_in_transaction_session_timeout = '10s'")`
			}
			f.ReportStep(s, Info,
				fmt.Sprintf("holds its %s on %s until the transaction ends, and nothing ends that when the migration hangs between two statements", lock.Mode, s.Name(lock.Relation)),
				"Add as the first statement of the file:\n"+set)
			return
		}
	},
}
