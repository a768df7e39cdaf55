package query

var checkNullBound = &Check{
	ID:      "null-bound",
	Catches: "A value that may be NULL (a pointer, sql.Null…) is written to a column that has become NOT NULL.",
	Code:    "23502",
	Rules:   []string{"add-check", "set-not-null"},
	Asks:    TheSchema,
	Source:  "src/backend/executor/execMain.c ExecConstraints",
	between: func(s *step, c *Check) {
		s.changes(func(w change) {
			for i := range w.Targets {
				t := &w.Targets[i]
				col, was := w.rel.Att(t.Column), w.was.Att(t.Column)
				if col == nil || was == nil || t.Null || !t.Given || s.nulls(t) != maybeNull {
					continue // null-written tells of the constant
				}
				refuses := col.NotNull || domainNotNull(s.cat, col.Type)
				refused := was.NotNull || domainNotNull(s.was.cat, was.Type)
				if !refuses || refused || s.mayReplace(w.rel, col, w.Op) != "" {
					continue
				}
				s.report(c, w.code(s, "23502", t.Column), "%s may write NULL to column %q of %s, which is NOT NULL: such a row is refused", s.verb(), col.Name, s.cat.NameOf(w.rel.OID))
			}
		})
	},
}

// code is about one column, with the server's answer.
func (w change) code(s *step, sqlstate string, columns ...int) Problem {
	p := w.about(s, columns)
	p.Code = sqlstate
	return p
}
