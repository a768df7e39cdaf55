package migratecheck

import "fmt"

var ruleUnbatchedBackfill = &Rule{
	ID: "unbatched-backfill", Category: Transactions, Severity: Warning, Down: true,
	Doc: Doc{
		Summary:    "An UPDATE, DELETE or INSERT … SELECT changes all rows of a table in one transaction.",
		Why:        "Every changed row stays locked until the end, so requests that change one of them wait for all; replicas fall behind by the whole volume at once; a failure at the last row throws everything away; and vacuum cannot clean up meanwhile.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY, name text NOT NULL, slug text);",
		Bad:        "UPDATE repo SET slug = lower(name);",
		Good:       "UPDATE repo SET slug = 'root' WHERE id = 1;",
		Exceptions: "Silent for tables that the pending change creates, for INSERT … VALUES, and for changes of rows picked by a unique key; info for a table known to be small (-stats).",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, 13.3.2 Row-Level Locks; 25.1 Routine Vacuuming.",
	},
	Step: func(s *Step) {
		target, ok := massChange(s)
		if !ok {
			return
		}
		name := s.Name(target)
		s.ReportAt(0, s.Sized(target, Warning),
			fmt.Sprintf("changes or reads all rows of %s in one transaction: requests that write one of the changed rows wait until the last is done, and replicas lag by all of it", name),
			batchHelp(s, name))
	},
}

// batchHelp is the same statement in batches by primary key.
func batchHelp(s *Step, table string) string {
	what := "the statement"
	switch {
	case s.Stmt.Node.GetUpdateStmt() != nil:
		what = "the UPDATE"
	case s.Stmt.Node.GetDeleteStmt() != nil:
		what = "the DELETE"
	}
	return fmt.Sprintf("Run %s from a program or a migration outside a transaction, some thousand rows at a time (… WHERE id > $last ORDER BY id LIMIT 5000, by the primary key of %s), commit after each, and make the condition skip rows that are done, so that it can be run again. While old code still writes, repeat it in the release after.", what, table)
}
