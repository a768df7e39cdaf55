package migratecheck

import (
	"fmt"
	"slices"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/lockmode"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source"
)

var ruleNoLockTimeout = &Rule{
	ID: "no-lock-timeout", Category: Locks, Severity: Warning,
	Doc: Doc{
		Summary:    "A migration waits for a lock that blocks writers or readers, without a lock_timeout. Reported once per file.",
		Why:        "While it waits behind one long query, everybody who comes after it waits behind it: an ALTER TABLE that takes a millisecond stops the service for as long as the longest transaction that is open, a backup or a forgotten psql among them.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY);",
		Bad:        "ALTER TABLE repo ADD COLUMN note text;",
		Good:       "SET lock_timeout = '2s';\nALTER TABLE repo ADD COLUMN note text;",
		Exceptions: "Silent when only tables that the pending change creates are locked. A timeout set for the role or in the connection string is not seen: disable the rule in .srhtvet.toml then.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, 20.11.1 lock_timeout; the lock queue is first come, first served (src/backend/storage/lmgr/README).",
	},
	File: func(f *File) {
		for _, s := range f.Up {
			if s.Stmt.Node.GetVariableSetStmt() != nil {
				continue
			}
			if d, ok := parseTimeout(s.LockTimeout); !ok || d > 0 {
				continue
			}
			lock, ok := s.blockingLock()
			if !ok {
				continue
			}
			held := "write"
			if lock.Mode.Conflicts(lockmode.AccessShare) {
				held = "query"
			}
			set, where := f.lockTimeoutLine(s)
			f.ReportStep(s, Warning,
				fmt.Sprintf("waits for the %s on %s without a limit: while one long query or transaction holds it up, every %s on %[2]s that comes after waits too", lock.Mode, s.Name(lock.Relation), held),
				fmt.Sprintf("Add %s:\n%s\nand run the migration again when it fails.", where, set))
			return
		}
	},
}

// lockTimeoutLine is the line to add for a step, and where, in the tool's own way.
func (f *File) lockTimeoutLine(s *Step) (line, where string) {
	const local, session = "SET LOCAL lock_timeout = '2s';", "SET lock_timeout = '2s';"
	if slices.ContainsFunc(f.Up[:slices.Index(f.Up, s)], func(e *Step) bool { return boundedLock(e.LockTimeout) }) {
		where = "before it (what was set above has ended with its transaction)"
		if f.Migration.Tool == "alembic" {
			return `op.execute("SET lock_timeout = '2s'")`, where
		}
		return session, where
	}
	switch tool := f.Migration.Tool; {
	case tool == "alembic" && s.Tx.Explicit:
		return `op.execute("SET LOCAL lock_timeout = '2s'")`, "as the first line of upgrade()"
	case tool == "alembic":
		return `op.execute("SET lock_timeout = '2s'")`, "as the first line of the autocommit_block"
	case tool == "golang-migrate" && !s.Tx.begun:
		return local, "as the first statement of the file, which makes the file one transaction"
	case s.Tx.begun:
		return local, "behind BEGIN"
	case s.Tx.Explicit && (tool == "brant" || tool == "goose" || tool == "sql-migrate" || tool == "dbmate"):
		return local, "as the first statement of the Up section"
	case s.Tx.Explicit:
		return local, "as the first statement of the file"
	}
	return session, "as the first statement of the file"
}

// blockingLock is the first lock on a table in use that other sessions' writes or reads wait for.
func (s *Step) blockingLock() (lockmode.Lock, bool) {
	for _, l := range s.Lock.Locks {
		rel := s.relation(l.Relation)
		if rel == nil || l.Relation == 0 || !l.Mode.Conflicts(lockmode.RowExclusive) || s.IsNew(l.Relation) {
			continue
		}
		if isTable(rel) && !source.IsBookkeeping(rel.Name) || rel.Kind == catalog.MatView {
			return l, true
		}
	}
	return lockmode.Lock{}, false
}
