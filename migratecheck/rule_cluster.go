package migratecheck

import "fmt"

var ruleCluster = &Rule{
	ID: "cluster", Category: Locks, Severity: Error, Down: true,
	Doc: Doc{
		Summary:    "CLUSTER on a table in use.",
		Why:        "It writes the table and its indexes anew, in the order of an index, under an AccessExclusiveLock: every query on it, reads included, waits.",
		Schema:     "CREATE TABLE event (id integer PRIMARY KEY);",
		Bad:        "CLUSTER event USING event_pkey;",
		Good:       "ALTER TABLE event CLUSTER ON event_pkey;",
		Exceptions: "Sized by -stats.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, CLUSTER.",
	},
	Step: func(s *Step) {
		c := s.Stmt.Node.GetClusterStmt()
		if c == nil {
			return
		}
		const help = "Leave the order alone, or use pg_repack; or run it while the service is down on purpose."
		if c.Relation == nil {
			s.Report("CLUSTER writes every clustered table anew: all queries on each wait meanwhile (AccessExclusiveLock)", help)
			return
		}
		for _, rw := range s.Lock.Rewrites {
			if rel := s.relation(rw.Relation); rel != nil && isTable(rel) && !s.IsNew(rw.Relation) {
				s.ReportAt(0, s.Sized(rw.Relation, Error),
					fmt.Sprintf("CLUSTER writes %s anew: every query on it, reads included, waits (AccessExclusiveLock) until it is done", s.Name(rw.Relation)), help)
			}
		}
	},
}
