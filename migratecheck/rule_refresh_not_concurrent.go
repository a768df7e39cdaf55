package migratecheck

import (
	"fmt"
)

var ruleRefreshNotConcurrent = &Rule{
	ID: "refresh-not-concurrent", Category: Locks, Severity: Warning, Down: true,
	Doc: Doc{
		Summary:    "REFRESH MATERIALIZED VIEW without CONCURRENTLY on a view in use.",
		Why:        "Every query on the view waits (AccessExclusiveLock) until its query has run again.",
		Schema:     "CREATE TABLE t (id integer PRIMARY KEY);\nCREATE MATERIALIZED VIEW totals AS SELECT id, count(*) AS n FROM t GROUP BY id;\nCREATE UNIQUE INDEX totals_id ON totals (id);",
		Bad:        "REFRESH MATERIALIZED VIEW totals;",
		Good:       "REFRESH MATERIALIZED VIEW CONCURRENTLY totals;",
		Exceptions: "Silent for a view that the pending change creates, and for one without data, which nobody can read yet.",
		Versions:   "All. CONCURRENTLY needs a unique index on columns, without a WHERE.",
		Source:     "PostgreSQL 15 manual, REFRESH MATERIALIZED VIEW.",
	},
	Step: func(s *Step) {
		r := s.Stmt.Node.GetRefreshMatViewStmt()
		if r == nil || r.Concurrent || r.SkipData {
			return
		}
		rel := s.Before.Relation(r.Relation.GetSchemaname(), r.Relation.GetRelname())
		if rel == nil || s.IsNew(rel.OID) || rel.Query != nil && !rel.Query.Populated {
			return
		}
		concurrently := "REFRESH MATERIALIZED VIEW CONCURRENTLY " + s.sqlName(rel.OID) + ";"
		help := "Let the readers have the old rows meanwhile:\n" + concurrently
		unique := false
		for _, ix := range s.Before.Indexes(rel.OID) {
			unique = unique || ix.Index.Unique && ix.Index.Predicate == nil && len(keyColumns(ix)) > 0
		}
		if !unique {
			help = "Make a unique index on columns of the view, without a WHERE, in an earlier migration; then\n" + concurrently
		}
		s.Report(fmt.Sprintf("refreshes %s under an AccessExclusiveLock: every query on it waits until its own query has run", s.Name(rel.OID)), help)
	},
}
