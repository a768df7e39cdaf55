package migratecheck

var ruleSyntaxError = &Rule{
	ID: "syntax-error", Category: History, Severity: Error,
	Doc: Doc{
		Summary:    "A statement that PostgreSQL's grammar does not accept, or a file that the migration tool refuses.",
		Why:        "The migration stops there, on the first node that is upgraded; what the same file did before it may be committed or not, depending on the tool.",
		Schema:     "CREATE TABLE t (id integer PRIMARY KEY, CONSTRAINT c CHECK (id > 0));",
		Bad:        "ALTER TABLE t DROP CONSTRIANT c;",
		Good:       "ALTER TABLE t DROP CONSTRAINT c;",
		Exceptions: "The grammar is PostgreSQL 16's: a few forms new in 17 (JSON_TABLE, MERGE … BY SOURCE, SET EXPRESSION) are reported although that server takes them.",
		Versions:   "The grammar of PostgreSQL 16.",
		Source:     "src/backend/parser/gram.y, PostgreSQL 16, through libpg_query. A misspelt DROP CONSTRIANT was really released by an sr.ht service.",
	},
	File: func(f *File) {
		for _, p := range f.Problems {
			if !p.Limit {
				f.reportProblem(p, p.Message, "Correct the statement; `psql --single-transaction -f FILE` on a scratch database shows the same error.")
			}
		}
		for _, gap := range f.refusals(&f.Migration.Up) {
			f.reportGap(gap, gap.Reason, "Correct the file: the upgrade stops here.")
		}
	},
}
