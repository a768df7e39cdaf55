package migratecheck

import (
	"fmt"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/lockmode"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source"
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
		var names []string
		var mode lockmode.Mode
		for _, l := range s.Lock.Locks {
			rel := s.relation(l.Relation)
			if rel == nil || s.IsNew(l.Relation) || source.IsBookkeeping(rel.Name) || !l.Mode.Conflicts(lockmode.RowExclusive) {
				continue
			}
			mode = l.Mode
			if !s.lockedParent(rel) {
				names = append(names, s.Name(l.Relation))
			}
		}
		if len(names) == 0 {
			return
		}
		s.Report(fmt.Sprintf("LOCK TABLE holds the %s on %s until the transaction ends: it %s", mode, strings.Join(names, ", "), mode.Blocks()),
			"Do without it: each statement takes the lock it needs. To keep two migrations apart:\nSELECT pg_advisory_xact_lock(1);")
	},
}

// lockedParent reports whether the statement locks a parent of the relation too.
func (s *Step) lockedParent(rel *catalog.Relation) bool {
	for _, parent := range rel.Inherits {
		if s.Lock.Lock(parent) != "" {
			return true
		}
	}
	return false
}
