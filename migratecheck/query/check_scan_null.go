package query

import "git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"

var checkScanNull = &Check{
	ID:      "scan-null",
	Catches: "A column that could not be NULL may be, and it, or what is computed from it, is scanned into a type that cannot hold NULL, or makes an array with NULL in it; or it is what NOT IN (SELECT …) answers, which then holds for no row.",
	Rules:   []string{"drop-not-null", "replace-view", "reuse-column-name"},
	Asks:    TheSchema,
	Source:  "database/sql: converting NULL to string is unsupported; pgx: cannot scan NULL into *string; lib/pq array.go: cannot convert nil to string; functions-subquery.html, NOT IN",
	between: func(s *step, c *Check) {
		s.nullsExcluded(c)
		if len(s.was.an.Columns) != len(s.an.Columns) {
			return
		}
		s.scanned(func(i int, col catalog.OutputColumn, g GoType) {
			if s.was.an.Columns[i].Full && !col.Full && g.Full {
				p := s.aboutOutput(i, Problem{})
				if s.blame(&p); len(p.Objects) > 0 {
					s.report(c, p, "column %q of this result may hold an array with NULL in it and is scanned into %s, whose elements cannot be NULL: the row fails to scan", col.Name, g.Name)
				}
				return
			}
			if !s.was.an.Columns[i].NotNull || col.NotNull || g.Nullable || g.Name == "" || s.wrote(col) {
				return
			}
			p := s.aboutOutput(i, Problem{})
			if col.Origin.OID == 0 {
				s.blame(&p)
			}
			s.report(c, p, "column %q of this result may be NULL and is scanned into %s, which cannot hold NULL: the row fails to scan", col.Name, g.Name)
		})
	},
}

// nullsExcluded looks at the subqueries of NOT IN: with one NULL among its rows the condition is true of nothing.
func (s *step) nullsExcluded(c *Check) {
	if len(s.an.NotIn) != len(s.was.an.NotIn) {
		return
	}
	for i, now := range s.an.NotIn {
		if !s.was.an.NotIn[i].NotNull || now.NotNull {
			continue
		}
		p := Problem{Maybe: true}
		if s.blame(&p); len(p.Objects) == 0 {
			continue
		}
		p.Offset = now.Offset
		s.report(c, p, "column %q of %s may be NULL, and this is NOT IN (SELECT …): with one NULL among the rows of the subquery the condition holds for no row, and no error says so",
			p.Column, p.Relation)
	}
}

// blame adds the columns that the statement reads and that have stopped being NOT NULL. The first of them is what the problem is about.
func (s *step) blame(p *Problem) {
	for _, use := range s.an.Uses {
		was, _ := s.was.cat.Get(use.Address.OID).(*catalog.Relation)
		now, _ := s.cat.Get(use.Address.OID).(*catalog.Relation)
		if was == nil || now == nil || use.Address.Column == 0 {
			continue
		}
		before, col := was.Att(use.Address.Column), now.Att(use.Address.Column)
		if before == nil || col == nil || !before.NotNull || col.NotNull {
			continue
		}
		if len(p.Objects) == 0 {
			p.Relation, p.Column, p.Offset = s.cat.NameOf(now.OID).String(), col.Name, use.Offset
		}
		p.Objects = append(p.Objects, catalog.Address{OID: now.OID}, use.Address)
	}
}
