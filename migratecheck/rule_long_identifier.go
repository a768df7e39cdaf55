package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

var ruleLongIdentifier = &Rule{
	ID: "long-identifier", Category: Hygiene, Severity: Info,
	Doc: Doc{
		Summary:    "A name is longer than 63 bytes.",
		Why:        "The server cuts it, so that two names can become one, and code that compares the whole name never matches.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY, name text);",
		Bad:        "ALTER TABLE repo ADD COLUMN a_name_that_goes_on_and_on_and_on_until_the_server_has_had_enough_of_it text;",
		Good:       "ALTER TABLE repo ADD COLUMN note text;",
		Exceptions: "None.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, 4.1.1 Identifiers: NAMEDATALEN.",
	},
	Step: func(s *Step) {
		sc := pgast.NewScanner(s.Stmt.SQL)
		for {
			tok, ok := sc.Next()
			if !ok {
				return
			}
			if n := tok.End - tok.Start; tok.Kind == pgast.KindWord && n > 63 || tok.Kind == pgast.KindQuotedIdent && n > 65 {
				s.ReportAt(tok.Start, Info, fmt.Sprintf("%s is longer than 63 bytes, and cut there", s.Stmt.SQL[tok.Start:tok.End]), "Take a shorter name.")
			}
		}
	},
}
