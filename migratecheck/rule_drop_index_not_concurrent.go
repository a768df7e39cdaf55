package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleDropIndexNotConcurrent = &Rule{
	ID: "drop-index-not-concurrent", Category: Locks, Severity: Warning, Down: true,
	Doc: Doc{
		Summary:    "DROP INDEX without CONCURRENTLY on a table in use.",
		Why:        "It needs an AccessExclusiveLock on the table: it waits for every query that is running, and every query that comes after it, reads included, queues up behind it.",
		Schema:     "CREATE TABLE event (id integer PRIMARY KEY, created timestamp);\nCREATE INDEX event_created_idx ON event (created);",
		Bad:        "DROP INDEX event_created_idx;",
		Good:       "-- +brant NO TRANSACTION\n-- +brant Up\nDROP INDEX CONCURRENTLY event_created_idx;",
		Exceptions: "Silent for tables that the pending change creates, and with a lock_timeout of at most 5 seconds in force, which bounds the wait.",
		Versions:   "All. CONCURRENTLY is refused for indexes of partitioned tables and of constraints.",
		Source:     "PostgreSQL 15 manual, DROP INDEX, CONCURRENTLY.",
	},
	Step: func(s *Step) {
		d := s.Stmt.Node.GetDropStmt()
		if d == nil || d.RemoveType != pgast.ObjectType_OBJECT_INDEX || d.Concurrent || boundedLock(s.LockTimeout) {
			return
		}
		for _, c := range s.Changes {
			ix, ok := c.Old.(*catalog.Relation)
			if !ok || c.Op != catalog.Dropped || ix.Index == nil || s.IsNew(ix.Index.Table) && !ix.Assumed || s.dropsParent(ix) {
				continue
			}
			table := "its table"
			if !ix.Assumed {
				table = s.Name(ix.Index.Table)
			}
			help := fmt.Sprintf("In a migration of its own that runs outside a transaction:\nDROP INDEX CONCURRENTLY %s;", s.sqlName(ix.OID))
			if ix.Kind == catalog.PartitionedIndex {
				help = "PostgreSQL refuses CONCURRENTLY for the index of a partitioned table; limit the wait, and run the migration again when it fails:\nSET lock_timeout = '2s';"
			}
			s.ReportAt(s.onlyWord(ix.Name), Warning,
				fmt.Sprintf("DROP INDEX %s needs an AccessExclusiveLock on %s: it waits for the longest query running, and every query that comes after it, reads included, waits with it", ix.Name, table), help)
		}
	},
}

// dropsParent reports whether the statement drops the partitioned index that this one is attached to.
func (s *Step) dropsParent(ix *catalog.Relation) bool {
	return ix.Index.Parent != 0 && s.tableDropped(ix.Index.Parent)
}
