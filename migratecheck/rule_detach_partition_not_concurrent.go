package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleDetachPartitionNotConcurrent = &Rule{
	ID: "detach-partition-not-concurrent", Category: Locks, Severity: Warning, Down: true,
	Doc: Doc{
		Summary:    "DETACH PARTITION without CONCURRENTLY on a table in use.",
		Why:        "It needs an AccessExclusiveLock on the partitioned table: it waits for every query running on it, and every query that comes after, reads included, waits with it.",
		Schema:     "CREATE TABLE event (day date NOT NULL) PARTITION BY RANGE (day);\nCREATE TABLE event_2020 PARTITION OF event FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');",
		Bad:        "ALTER TABLE event DETACH PARTITION event_2020;",
		Good:       "-- +brant NO TRANSACTION\n-- +brant Up\nALTER TABLE event DETACH PARTITION event_2020 CONCURRENTLY;",
		Exceptions: "Silent for tables that the pending change creates, and with a lock_timeout of at most 5 seconds.",
		Versions:   "CONCURRENTLY since 14; not with a default partition.",
		Source:     "PostgreSQL 15 manual, ALTER TABLE, DETACH PARTITION.",
	},
	Step: func(s *Step) {
		a := s.Stmt.Node.GetAlterTableStmt()
		if a == nil || boundedLock(s.LockTimeout) {
			return
		}
		for _, n := range a.Cmds {
			c := n.GetAlterTableCmd()
			rel := s.Before.Relation(a.Relation.GetSchemaname(), a.Relation.GetRelname())
			if c.Subtype != pgast.AlterTableType_AT_DetachPartition || c.GetDef().GetPartitionCmd().GetConcurrent() || rel == nil || s.IsNew(rel.OID) {
				continue
			}
			name := c.GetDef().GetPartitionCmd().GetName()
			part := s.Before.Relation(name.GetSchemaname(), name.GetRelname())
			if part == nil {
				continue
			}
			s.ReportAt(s.Find("DETACH", "PARTITION"), Warning,
				fmt.Sprintf("DETACH PARTITION needs an AccessExclusiveLock on %s: it waits for the longest query running on it, and every query that comes after waits with it", s.Name(rel.OID)),
				s.detachHelp(rel, part))
		}
	},
}

// detachHelp is CONCURRENTLY where PostgreSQL has it, else a limit to the wait.
func (s *Step) detachHelp(parent, part *catalog.Relation) string {
	why := ""
	if s.File.Run.Config.version() < 14 {
		why = "Before PostgreSQL 14 there is no CONCURRENTLY"
	}
	for _, p := range partitions(s.Before, parent.OID) {
		if p.PartitionOf == parent.OID && p.Bound != nil && p.Bound.Default {
			why = fmt.Sprintf("With a default partition (%s) PostgreSQL refuses CONCURRENTLY", s.Name(p.OID))
		}
	}
	if why != "" {
		return why + "; limit the wait, and run the migration again when it fails:\nSET lock_timeout = '2s';"
	}
	return "In a migration of its own that runs outside a transaction:\n" + fmt.Sprintf("ALTER TABLE %s DETACH PARTITION %s CONCURRENTLY;", s.sqlName(parent.OID), s.sqlName(part.OID))
}
