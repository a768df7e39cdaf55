package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/lockmode"
)

var ruleNoStatementTimeout = &Rule{
	ID: "no-statement-timeout", Category: Locks, Severity: Info,
	Doc: Doc{
		Summary:    "A statement reads or rewrites a whole table under a lock that blocks others, without a statement_timeout. Reported once per file.",
		Why:        "lock_timeout bounds the wait for the lock, not the work done under it: when the table turns out larger than thought, writers or everybody wait for as long as it takes.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY, size integer);",
		Bad:        "ALTER TABLE repo ALTER COLUMN size TYPE bigint;",
		Good:       "SET LOCAL statement_timeout = '5s';\nALTER TABLE repo ALTER COLUMN size TYPE bigint;",
		Exceptions: "Silent for statements that take an instant once they have their lock, for those that let others work (CONCURRENTLY, VALIDATE CONSTRAINT), for tables that the pending change creates and those known to be small (-stats). A timeout set for the role or in the connection string is not seen.",
		Versions:   "All; transaction_timeout, for the whole of a migration, since 17.",
		Source:     "PostgreSQL 15 manual, 20.11.1 statement_timeout.",
	},
	File: func(f *File) {
		for _, s := range f.Up {
			table := s.slowTable()
			if d, ok := parseTimeout(s.StatementTimeout); table == 0 || !ok || d > 0 {
				continue
			}
			mode := s.Lock.Lock(table)
			if rows, known := s.Rows(table); mode == "" || !mode.Conflicts(lockmode.RowExclusive) || known && rows <= 10_000 {
				continue
			}
			set := "SET statement_timeout = '5s';"
			switch {
			case f.Migration.Tool == "alembic":
				set = `op.execute("SET LOCAL statement_timeout = '5s'")`
			case s.Tx.Explicit:
				set = "SET LOCAL statement_timeout = '5s';"
			}
			f.ReportStep(s, Info,
				fmt.Sprintf("works through all of %s under its %s without a statement_timeout: nothing ends it when it takes longer than thought", s.Name(table), mode),
				"Bound it by what the service can bear, on the line before:\n"+set)
			return
		}
	},
}
