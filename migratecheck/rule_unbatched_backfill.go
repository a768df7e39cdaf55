package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleUnbatchedBackfill = &Rule{
	ID: "unbatched-backfill", Category: Transactions, Severity: Warning, Down: true,
	Doc: Doc{
		Summary:    "An UPDATE, DELETE, MERGE or INSERT … SELECT, by itself, in a WITH query or in the body of what is called, or a loop over rows in plpgsql, changes all rows of a table in one transaction.",
		Why:        "Every changed row stays locked until the end, so requests that change one of them wait for all; replicas fall behind by the whole volume at once; a failure at the last row throws everything away; and vacuum cannot clean up meanwhile.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY, name text NOT NULL, slug text);",
		Bad:        "UPDATE repo SET slug = lower(name);",
		Good:       "UPDATE repo SET slug = 'root' WHERE id = 1;",
		Exceptions: "Silent for tables that the pending change creates, for INSERT … VALUES, for changes of rows picked by a unique key (constants, a range of up to 10,000 integers, or a query with a LIMIT of up to 10,000: one batch, outside a loop), where backfill-with-ddl speaks, and in a DO block or procedure that commits between batches; info for a table known to be small (-stats).",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, 13.3.2 Row-Level Locks; 25.1 Routine Vacuuming.",
	},
	Step: func(s *Step) {
		m, ok := s.massChange()
		if !ok || s.exclusiveBefore() != 0 {
			return
		}
		name := s.Name(m.table)
		what := fmt.Sprintf("changes all rows of %s in one transaction: requests that write one of them wait until the last is done, and replicas lag by all of it", name)
		switch {
		case m.over:
			what = fmt.Sprintf("runs a statement for each row of %s in one transaction: what it changes stays locked until the last row is done, and replicas lag by all of it", name)
		case m.read:
			what = fmt.Sprintf("copies rows of %s in one transaction: replicas lag by all of it, and vacuum cannot clean up anything meanwhile", name)
		case m.adds():
			what = fmt.Sprintf("adds rows to %s in one transaction, as many as its query finds: replicas lag by all of it, and vacuum cannot clean up anything meanwhile", name)
		case m.conditional():
			what = fmt.Sprintf("changes rows of %s in one transaction, as many as its condition finds: requests that write one of them wait until the last is done, and replicas lag by all of it", name)
		}
		s.ReportAt(0, s.Sized(m.table, Warning), what, s.batchHelp(m))
	},
}

// batchHelp is the same statement in batches by primary key.
func (s *Step) batchHelp(m massChange) string {
	if m.over {
		return "Run it outside a transaction and let the body COMMIT after some thousand rows (since PostgreSQL 11), or run it from a program; let the query skip rows that are done, so that it can be run again. While old code still writes, repeat it in the release after."
	}
	column, joint := "the primary key", "WHERE"
	for _, con := range s.Before.Constraints(m.table) {
		if rel := s.relation(m.table); con.Kind == catalog.PrimaryKey && len(con.Columns) == 1 {
			column = columnNames(rel, con.Columns)
		}
	}
	if m.conditional() {
		joint = "AND"
	}
	return fmt.Sprintf("Run it from a program, or from a migration outside a transaction, over ranges of some thousand rows (%s %s BETWEEN … AND …), and commit after each; let the condition skip rows that are done, so that it can be run again. While old code still writes, repeat it in the release after.", joint, column)
}
