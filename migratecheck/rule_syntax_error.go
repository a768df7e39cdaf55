package migratecheck

import (
	"fmt"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

var ruleSyntaxError = &Rule{
	ID: "syntax-error", Category: History, Severity: Error,
	Doc: Doc{
		Summary:    "A statement that PostgreSQL's grammar does not accept, or a file that the migration tool refuses.",
		Why:        "The migration stops there, on the first node that is upgraded; what the same file did before it may be committed or not, depending on the tool.",
		Schema:     "CREATE TABLE t (id integer PRIMARY KEY, CONSTRAINT c CHECK (id > 0));",
		Bad:        "ALTER TABLE t DROP CONSTRIANT c;",
		Good:       "ALTER TABLE t DROP CONSTRAINT c;",
		Exceptions: "The grammar is PostgreSQL 16's, with NOT NULL as a constraint that is added (17 for domains, 18 for tables). Other forms that are new in 17 or 18 (JSON_TABLE, MERGE … BY SOURCE, SET EXPRESSION; NOT ENFORCED, virtual generated columns) are reported as what they are, and by not-understood when -pg says that the server has them.",
		Versions:   "The grammar of PostgreSQL 16, see the exceptions.",
		Source:     "src/backend/parser/gram.y, PostgreSQL 16, through libpg_query. A misspelt DROP CONSTRIANT was really released by an sr.ht service.",
	},
	File: func(f *File) {
		for _, p := range f.Problems {
			switch {
			case p.Limit || f.tooNew(p):
			case p.Newer.Since > 0:
				f.reportProblem(p, fmt.Sprintf("%s: %s is new in PostgreSQL %d, and -pg says %d", p.Message, p.Newer.Name, p.Newer.Since, f.Run.Config.version()), newerHelp(p.Newer))
			case p.Reserved != "":
				f.reportProblem(p, p.Message, fmt.Sprintf("%s is a reserved word of SQL: as a name it is written %s, everywhere.", p.Reserved, pgast.QuoteIdent(strings.ToLower(p.Reserved))))
			default:
				f.reportProblem(p, p.Message, "Correct the statement; `psql --single-transaction -f FILE` on a scratch database shows the same error.")
			}
		}
		for _, gap := range f.refusals(&f.Migration.Up) {
			f.reportGap(gap, gap.Reason, "Correct the file: the upgrade stops here.")
		}
	},
}

// tooNew reports whether the server that the migrations are judged for may take what the parser does not know; what the parser knows
// is a problem on older servers only.
func (f *File) tooNew(p Problem) bool {
	return p.Newer.Since > 0 && f.Run.Config.version() >= p.Newer.Since
}

// newerHelp says what to write for a server that does not know the form.
func newerHelp(n pgast.Newer) string {
	if n.Name == pgast.AddNotNull {
		return "Before 18 let a CHECK take its place: ADD CONSTRAINT … CHECK (column IS NOT NULL) NOT VALID, then VALIDATE CONSTRAINT, then SET NOT NULL, each in a migration of its own. If the server is newer, say so with -pg, or in .srhtvet.toml."
	}
	return "Write it in forms that the server knows; if the server is newer, say so with -pg, or in .srhtvet.toml."
}
