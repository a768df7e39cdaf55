package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
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
			s.ReportAt(s.Find("DETACH", "PARTITION"), Warning,
				fmt.Sprintf("DETACH PARTITION needs an AccessExclusiveLock on %s: it waits for the longest query running on it, and every query that comes after waits with it", s.Name(rel.OID)),
				"Outside a transaction (PostgreSQL 14 and later):\n"+fmt.Sprintf("ALTER TABLE %s DETACH PARTITION %s CONCURRENTLY;", s.sqlName(rel.OID), quoteIdent(c.GetDef().GetPartitionCmd().GetName().GetRelname())))
		}
	},
}
