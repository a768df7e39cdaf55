package migratecheck

import "fmt"

var ruleVacuumFull = &Rule{
	ID: "vacuum-full", Category: Locks, Severity: Error, Down: true,
	Doc: Doc{
		Summary:    "VACUUM FULL on a table in use.",
		Why:        "It writes the table and its indexes anew under an AccessExclusiveLock: every query on it, reads included, waits.",
		Schema:     "CREATE TABLE event (id integer PRIMARY KEY);",
		Bad:        "-- +brant NO TRANSACTION\n-- +brant Up\nVACUUM FULL event;",
		Good:       "-- +brant NO TRANSACTION\n-- +brant Up\nVACUUM event;",
		Exceptions: "Sized by -stats.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, VACUUM, FULL.",
	},
	Step: func(s *Step) {
		v := s.Stmt.Node.GetVacuumStmt()
		if v == nil || !v.IsVacuumcmd || !hasOption(v.Options, "full") {
			return
		}
		if len(v.Rels) == 0 {
			s.Report("VACUUM FULL writes every table of the database anew: all queries on each wait meanwhile (AccessExclusiveLock)", "Leave it to autovacuum; for a bloated table use pg_repack, or VACUUM FULL while the service is down on purpose.")
			return
		}
		for _, rw := range s.Lock.Rewrites {
			if rel := s.relation(rw.Relation); rel != nil && isTable(rel) && !s.IsNew(rw.Relation) {
				s.ReportAt(0, s.Sized(rw.Relation, Error),
					fmt.Sprintf("VACUUM FULL writes %s anew: every query on it, reads included, waits (AccessExclusiveLock) until it is done", s.Name(rw.Relation)),
					"Leave it to autovacuum; for a bloated table use pg_repack, or VACUUM FULL while the service is down on purpose.")
			}
		}
	},
}
