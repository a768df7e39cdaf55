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
		Exceptions: "Silent for tables that the pending change creates.",
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
			if rel == nil || !isTable(rel) || s.IsNew(l.Relation) || l.Mode != lockmode.AccessExclusive {
				continue
			}
			how := ""
			if !namedIn(t.Relations, rel.Name) {
				how = " (through CASCADE)"
			}
			s.ReportAt(s.Find(rel.Name), Error, fmt.Sprintf("empties table %s%s: its rows are lost, and every query on it waits meanwhile", s.Name(l.Relation), how),
				"Delete what is really obsolete, in batches; or ship code that does not use the table first.")
		}
	},
}
