package query

import (
	"slices"
	"strconv"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var checkNewExclusion = &Check{
	ID:      "new-exclusion",
	Catches: "An exclusion constraint that the other schema does not have stands on columns that the code writes.",
	Code:    "23P01",
	Rules:   []string{"add-exclusion"},
	Asks:    TheSchema,
	Bodies:  true,
	Source:  "src/backend/executor/execIndexing.c check_exclusion_constraint",
	between: func(s *step, c *Check) {
		s.changes(func(w change) {
			if w.Op != 'i' && w.Op != 'u' {
				return
			}
			before := s.was.cat.Constraints(w.rel.OID)
			for _, con := range s.cat.Constraints(w.rel.OID) {
				idx, _ := s.cat.Get(con.Index).(*catalog.Relation)
				if con.Kind != catalog.Exclusion || idx == nil || s.had(con, before) || s.uniqueAlready(con, idx) || !w.repeats(keyColumns(idx), false) {
					continue
				}
				w.reportRepeat(s, c, w.about(s.reading, keyColumns(idx), con.OID), "exclusion constraint "+strconv.Quote(con.Name), "a row that conflicts with another")
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

// uniqueAlready reports whether no two rows can conflict, since a unique index that both schemas have keeps the columns apart
// that the constraint wants equal.
func (s *step) uniqueAlready(con *catalog.Constraint, idx *catalog.Relation) bool {
	var equal []int
	for i, k := range idx.Index.Keys {
		if k.Column != 0 && i < len(con.Operators) && con.Operators[i] == "=" {
			equal = append(equal, k.Column)
		}
	}
	return slices.ContainsFunc(s.was.cat.Indexes(con.Table), func(old *catalog.Relation) bool {
		if !old.Index.Unique || old.Index.Predicate != nil && !onlyNotNull(old) {
			return false
		}
		return !slices.ContainsFunc(old.Index.Keys, func(k catalog.IndexKey) bool { return k.Column == 0 || !slices.Contains(equal, k.Column) })
	})
}
