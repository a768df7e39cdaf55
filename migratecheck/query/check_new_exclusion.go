package query

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var checkNewExclusion = &Check{
	ID:      "new-exclusion",
	Catches: "An exclusion constraint that the other schema does not have stands on columns that the code writes.",
	Code:    "23P01",
	Rules:   []string{"add-exclusion"},
	Source:  "src/backend/executor/execIndexing.c check_exclusion_constraint",
	between: func(s *step, c *Check) {
		s.changes(func(w change) {
			if w.Op != 'i' && w.Op != 'u' || w.Conflict != nil && w.Conflict.DoNothing && len(w.Conflict.Arbiters) == 0 {
				return
			}
			before := s.was.cat.Constraints(w.rel.OID)
			for _, con := range s.cat.Constraints(w.rel.OID) {
				idx, _ := s.cat.Get(con.Index).(*catalog.Relation)
				if con.Kind != catalog.Exclusion || idx == nil || s.had(con, before) || !w.gives(keyColumns(idx)) {
					continue
				}
				p := w.about(s, keyColumns(idx), con.OID)
				p.Code = "23P01"
				s.report(c, p, "exclusion constraint %q of %s is on what %s writes: a row that conflicts with another is refused", con.Name, s.cat.NameOf(w.rel.OID), s.verb())
			}
		})
	},
}

// had looks for an exclusion constraint with the same keys and operators.
func (s *step) had(con *catalog.Constraint, before []*catalog.Constraint) bool {
	return slices.ContainsFunc(before, func(old *catalog.Constraint) bool {
		if old.Kind != catalog.Exclusion || !slices.Equal(old.Operators, con.Operators) {
			return false
		}
		a, _ := s.was.cat.Get(old.Index).(*catalog.Relation)
		b, _ := s.cat.Get(con.Index).(*catalog.Relation)
		return a != nil && b != nil && slices.Equal(keyColumns(a), keyColumns(b)) && catalog.SameCondition(a.Index.Predicate, b.Index.Predicate)
	})
}
