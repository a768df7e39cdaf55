package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/lockmode"
)

var ruleAttachPartitionScans = &Rule{
	ID: "attach-partition-scans", Category: Locks, Severity: Warning, Down: true,
	Doc: Doc{
		Summary:    "Attaching or creating a partition reads a table in full.",
		Why:        "The rows of the attached table, or those of the default partition, are checked against the bounds under an AccessExclusiveLock on the table read: whoever uses it waits.",
		Schema:     "CREATE TABLE event (id bigint NOT NULL, day date NOT NULL) PARTITION BY RANGE (day);\nCREATE TABLE event_2026 (id bigint NOT NULL, day date NOT NULL);",
		Bad:        "ALTER TABLE event ATTACH PARTITION event_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');",
		Good:       "-- file 0002_a.sql\nALTER TABLE event_2026 ADD CONSTRAINT event_2026_day CHECK (day >= '2026-01-01' AND day < '2027-01-01') NOT VALID;\n-- file 0003_b.sql\nALTER TABLE event_2026 VALIDATE CONSTRAINT event_2026_day;\n-- file 0004_c.sql\nALTER TABLE event ATTACH PARTITION event_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');",
		Exceptions: "Silent when a validated CHECK implies the bounds, and for tables that the pending change creates; sized by -stats.",
		Versions:   "12 and later lock the parent only with ShareUpdateExclusiveLock on ATTACH.",
		Source:     "PostgreSQL 15 manual, ALTER TABLE, ATTACH PARTITION; 5.11.2.2 Partition Maintenance.",
	},
	Step: func(s *Step) {
		for _, sc := range s.Lock.Scans {
			if sc.Kind != lockmode.ScanPartition || s.IsNew(sc.Relation) {
				continue
			}
			name := s.Name(sc.Relation)
			s.ReportAt(s.Find("ATTACH", "PARTITION"), s.Sized(sc.Relation, Warning),
				fmt.Sprintf("reads all rows of %s to check them against the partition's bounds, under an AccessExclusiveLock: every query on %[1]s waits", name),
				fmt.Sprintf("Let a CHECK with exactly the bounds prove it beforehand (for a default partition: that no row belongs to the new one):\nALTER TABLE %[1]s ADD CONSTRAINT %[2]s CHECK (…) NOT VALID;\nin the next migration:\nALTER TABLE %[1]s VALIDATE CONSTRAINT %[2]s;\nthen attach, and drop the constraint.", s.sqlName(sc.Relation), quoteIdent(name+"_bounds")))
		}
	},
}
