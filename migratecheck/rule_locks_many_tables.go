package migratecheck

import (
	"fmt"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source"
)

var ruleLocksManyTables = &Rule{
	ID: "locks-many-tables", Category: Locks, Severity: Warning, Down: true,
	Doc: Doc{
		Summary:    "One transaction takes AccessExclusiveLocks on three or more tables in use.",
		Why:        "Each lock is kept until the transaction ends: the first table is closed to everybody while the migration still waits for the others, and a request that uses two of them in another order makes a deadlock.",
		Schema:     "CREATE TABLE a (id integer);\nCREATE TABLE b (id integer);\nCREATE TABLE c (id integer);",
		Bad:        "ALTER TABLE a ADD COLUMN x integer;\nALTER TABLE b ADD COLUMN x integer;\nALTER TABLE c ADD COLUMN x integer;",
		Good:       "ALTER TABLE a ADD COLUMN x integer;",
		Exceptions: "Partitions and children count with their parent; tables that the pending change creates or drops do not count.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, 13.3.4 Deadlocks.",
	},
	Step: func(s *Step) {
		if !s.Tx.Explicit || s.Tx.said[s.rule.ID] {
			return
		}
		now := s.closes()
		if len(now) == 0 {
			return
		}
		locks := append(s.heldExclusive(), now...)
		if len(locks) < 3 {
			return
		}
		all := exclusiveNames(s, locks)
		if len(all) < 3 || !s.Tx.once(s.rule.ID) {
			return // reported where the third comes in
		}
		s.Report(fmt.Sprintf("this transaction now holds AccessExclusiveLocks on %d tables (%s): each is closed to every query until all of them are done", len(all), strings.Join(all, ", ")),
			"Make it one migration per table, so that each lock is held for its own statement only.")
	},
}

// exclusiveNames names the tables among those locked that are still there afterwards; children count with their parent.
func exclusiveNames(s *Step, locks []heldLock) []string {
	var names []string
	seen := map[catalog.OID]bool{}
	for _, l := range locks {
		rel := l.step.relation(l.table)
		if seen[l.table] || len(rel.Inherits) > 0 || s.After.Get(l.table) == nil || source.IsBookkeeping(rel.Name) {
			continue
		}
		seen[l.table] = true
		names = append(names, l.step.Name(l.table))
	}
	return names
}
