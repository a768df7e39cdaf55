package query

import "git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"

var checkMissingColumn = &Check{
	ID:      "missing-column",
	Catches: "A column, or a field of a composite type, that a query names is not there.",
	Code:    "42703",
	Rules:   []string{"change-column-type", "drop-column", "rename-column", "replace-view"},
	Asks:    TheCode,
	Bodies:  true,
	Source:  "src/backend/parser/parse_relation.c errorMissingColumn",
	refuses: code("42703"),
	// In a history without its beginning a table that nobody made may have any column, but not one that a statement adds later.
	between: func(s *step, c *Check) {
		said := map[catalog.Address]bool{}
		for _, use := range s.was.an.Uses {
			rel, _ := s.was.cat.Get(use.Address.OID).(*catalog.Relation)
			if use.Star || rel == nil || !rel.Assumed || said[use.Address] {
				continue
			}
			col := rel.Att(use.Address.Column)
			now, _ := s.cat.Get(rel.OID).(*catalog.Relation)
			if col == nil || !col.Added() || now != nil && (now.Column(col.Name) != nil || now.Lost(col.Name)) {
				continue
			}
			said[use.Address] = true
			name := s.was.cat.NameOf(rel.OID).String()
			s.report(c, Problem{Code: "42703", Offset: use.Offset, Relation: name, Column: col.Name, Objects: []catalog.Address{{OID: rel.OID}, use.Address}},
				"%s fails: column %q of relation %q does not exist", s.verb(), col.Name, rel.Name)
		}
	},
}
