package query

import "git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"

var checkScanNull = &Check{
	ID:      "scan-null",
	Catches: "A column that could not be NULL may be, and it, or what is computed from it, is scanned into a type that cannot hold NULL.",
	Rules:   []string{"drop-not-null", "replace-view", "reuse-column-name"},
	Asks:    TheSchema,
	Source:  "database/sql: converting NULL to string is unsupported; pgx: cannot scan NULL into *string",
	between: func(s *step, c *Check) {
		if len(s.was.an.Columns) != len(s.an.Columns) {
			return
		}
		s.scanned(func(i int, col catalog.OutputColumn, g GoType) {
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
