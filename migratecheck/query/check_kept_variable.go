package query

import "git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"

var checkKeptVariable = &Check{
	ID:      "kept-variable",
	Catches: "A variable of a PL/pgSQL function is declared as table.column%TYPE: sessions that have run the function keep it with the type that the column had.",
	Code:    "22P02, 22003, 42804, XX000",
	Rules:   []string{"change-column-type", "drop-type", "narrow-column-type"},
	Asks:    TheSchema,
	Source:  "src/pl/plpgsql/src/pl_comp.c: a function is compiled once in a session, its variables with it; kept until the function itself is replaced",
	between: func(s *step, c *Check) {
		if s.via == nil || s.stmt.Node != nil || len(s.an.Columns) != 1 || len(s.was.an.Columns) != 1 {
			return
		}
		was, now := s.was.an.Columns[0], s.an.Columns[0]
		before, after := s.was.cat.FormatType(was.Type), s.cat.FormatType(now.Type)
		if before == after {
			return
		}
		table := s.cat.NameOf(now.Origin.OID).String()
		s.report(c, Problem{Maybe: true, Unseen: true, Code: "22P02", Relation: table, Column: now.Name, Objects: []catalog.Address{now.Origin}},
			"a variable of %s() is declared as %s.%s%%TYPE, and sessions that have run it keep it as %s although the column is %s", s.via.fn.Name, table, now.Name, before, after)
	},
}
