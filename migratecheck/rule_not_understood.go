package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleNotUnderstood = &Rule{
	ID: "not-understood", Category: History, Severity: Warning, Down: true,
	Doc: Doc{
		Summary:    "A part of a migration whose effect this tool does not know, so that nothing is said about it.",
		Why:        "A linter that skips in silence reads as approval. What is listed here has to be judged by a person; later statements are judged as if it had changed nothing.",
		Schema:     "CREATE TABLE t (id integer PRIMARY KEY);",
		Bad:        "DO $$ BEGIN EXECUTE (SELECT 'ALTER TABLE t ADD COLUMN ' || quote_ident(current_setting('app.column')) || ' text'); END $$;",
		Good:       "DO $$ BEGIN EXECUTE 'ALTER TABLE t ADD COLUMN note text'; END $$;",
		Exceptions: "What the migration tool, Python or alembic certainly refuses is reported by syntax-error and down-cannot-run.",
		Versions:   "All.",
		Source:     "This project's own convention.",
	},
	Step: func(s *Step) {
		if s.Err != nil && s.Err.Code == catalog.NotUnderstood {
			s.reportError(0, s.rule.Severity, "not understood: "+s.Err.Message, "Judge this statement by hand; if its effect on the schema matters to later ones, write it as plain DDL.")
		}
		for _, gap := range s.Effects.Gaps {
			pos := s.Position(0)
			if in, ok := s.Effects.GapIn(gap); ok {
				pos, _ = s.located(in, 0)
			}
			s.reportAt(pos, 0, s.rule.Severity, "not understood: "+gap, "Judge this part by hand, or write it as plain DDL.")
		}
	},
	File: func(f *File) {
		for _, p := range f.Problems {
			switch {
			case p.Limit:
				f.reportProblem(p, "not understood: "+p.Message, "Split the statement.")
			case f.tooNew(p):
				f.reportProblem(p, fmt.Sprintf("not understood: %s is new in PostgreSQL %d, and the grammar known here is %d's", p.Newer.Name, p.Newer.Since, pgast.GrammarVersion),
					"Judge this statement by hand; later ones are judged as if it had changed nothing.")
			}
		}
		for _, gap := range f.unknowns() {
			f.reportGap(gap, fmt.Sprintf("not understood: %s", gap.Reason), "Judge this part by hand, or write it so that its SQL is known without running it.")
		}
	},
}
