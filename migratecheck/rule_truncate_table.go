package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/lockmode"
)

var ruleTruncateTable = &Rule{
	ID: "truncate-table", Category: Compatibility, Severity: Error,
	Doc: Doc{
		Summary:    "A table in use is emptied.",
		Why:        "All rows are gone for good, and every query on the table waits meanwhile (AccessExclusiveLock); with CASCADE the tables that refer to it are emptied too.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY, name text);",
		Bad:        "TRUNCATE repo;",
		Good:       "DELETE FROM repo WHERE id = 1;",
		Exceptions: "Silent for tables that the pending change creates, and for partitions emptied with their parent.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, TRUNCATE.",
	},
	Step: func(s *Step) {
		t := s.Stmt.Node.GetTruncateStmt()
		if t == nil {
			return
		}
		for _, l := range s.Lock.Locks {
			rel := s.relation(l.Relation)
			if rel == nil || !s.inUse(rel) || l.Mode != lockmode.AccessExclusive || len(rel.Inherits) > 0 && !namedIn(t.Relations, rel.Name) {
				continue
			}
			how := ""
			if !namedIn(t.Relations, rel.Name) {
				how = " (through CASCADE)"
			}
			at := 0
			if len(t.Relations) > 1 {
				at = s.Find(rel.Name)
			}
			s.ReportAt(at, Error, fmt.Sprintf("empties table %s%s: its rows are lost, and every query on it waits meanwhile", s.Name(l.Relation), how),
				"Delete in batches what is really obsolete; or ship code that does not use the table first.")
		}
	},
}
