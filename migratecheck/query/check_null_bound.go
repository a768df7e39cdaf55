package query

import "git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"

var checkNullBound = &Check{
	ID:      "null-bound",
	Catches: "A value that may be NULL (a pointer, sql.Null…, NULLIF, CASE without ELSE, a column that is not NOT NULL) is written to a column that is NOT NULL, where the column or the value was not so before.",
	Code:    "23502",
	Rules:   []string{"add-check", "drop-not-null", "set-not-null"},
	Asks:    TheSchema,
	Source:  "src/backend/executor/execMain.c ExecConstraints",
	between: func(s *step, c *Check) {
		s.changes(func(w change) {
			for i := range w.Targets {
				t := &w.Targets[i]
				col, was := w.rel.Att(t.Column), w.was.Att(t.Column)
				if col == nil || was == nil || t.Null || !t.Given || nulls(t) != catalog.MayBeNull {
					continue // null-written tells of the constant
				}
				refuses := col.NotNull || domainNotNull(s.cat, col.Type)
				refused := was.NotNull || domainNotNull(s.was.cat, was.Type)
				if before := w.before.Target(t.Column); refused && before != nil && nulls(before) == catalog.NeverNull {
					refused = false
				}
				if !refuses || refused {
					continue
				}
				if why := s.mayReplace(w.rel, col, w.Op); why != "" {
					s.out.unsure(why)
					continue
				}
				p := w.code(s, "23502", t.Column)
				s.blame(&p)
				s.report(c, p, "%s may write NULL to column %q of %s, which is NOT NULL: such a row is refused", s.verb(), col.Name, s.cat.NameOf(w.rel.OID))
			}
		})
	},
}

// code is about one column, with the server's answer.
func (w change) code(s *step, sqlstate string, columns ...int) Problem {
	p := w.about(s.reading, columns)
	p.Code = sqlstate
	return p
}
