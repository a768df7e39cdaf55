package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/lockmode"
)

var ruleExplicitLock = &Rule{
	ID: "explicit-lock", Category: Locks, Severity: Warning, Down: true,
	Doc: Doc{
		Summary:    "LOCK TABLE in a mode that keeps others from writing or reading.",
		Why:        "The lock is held until the transaction commits, for all that the migration does after it.",
		Schema:     "CREATE TABLE event (id integer PRIMARY KEY);",
		Bad:        "LOCK TABLE event;",
		Good:       "LOCK TABLE event IN SHARE UPDATE EXCLUSIVE MODE;",
		Exceptions: "Silent for modes that let others read and write, and for tables that the pending change creates.",
		Versions:   "All. Without a mode it is ACCESS EXCLUSIVE.",
		Source:     "PostgreSQL 15 manual, LOCK.",
	},
	Step: func(s *Step) {
		if s.Stmt.Node.GetLockStmt() == nil {
			return
		}
		for _, l := range s.Lock.Locks {
			if rel := s.relation(l.Relation); rel == nil || s.IsNew(l.Relation) || !l.Mode.Conflicts(lockmode.RowExclusive) {
				continue
			}
			s.Report(fmt.Sprintf("LOCK TABLE %s takes a %s until the transaction ends: it %s", s.Name(l.Relation), l.Mode, l.Mode.Blocks()),
				"Do without it: each statement takes the lock it needs; to keep two migrations apart use pg_advisory_xact_lock.")
			return
		}
	},
}
