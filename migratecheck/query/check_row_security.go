package query

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var checkRowSecurity = &Check{
	ID:      "row-security",
	Catches: "Row security, or a policy, that the other schema does not have is in the way of a query.",
	Code:    "42501",
	Rules:   []string{"enable-rls"},
	Asks:    TheSchema,
	Bodies:  true,
	Source:  "ddl-rowsecurity.html: no policy means that no row is visible; owners are exempt unless it is forced",
	between: func(s *step, c *Check) {
		if s.definer() {
			return // it is not the caller's rights that count
		}
		if s.stmt.Node.GetTruncateStmt() != nil {
			return // which is of the whole table: no policy is asked
		}
		for _, oid := range s.relations() {
			rel, _ := s.cat.Get(oid).(*catalog.Relation)
			was, _ := s.was.cat.Get(oid).(*catalog.Relation)
			if rel == nil || was == nil || !rel.RowSecurity {
				continue
			}
			p := Problem{Code: "42501", Offset: s.placeOf(catalog.Address{OID: oid}), Relation: s.cat.NameOf(oid).String(), Objects: []catalog.Address{{OID: oid}}}
			for _, policy := range s.cat.Policies(oid) {
				p.Objects = append(p.Objects, catalog.Address{OID: policy.OID})
			}
			switch {
			case !was.RowSecurity || rel.ForceRLS && !was.ForceRLS:
				who := "a role that does not own the table"
				if rel.ForceRLS {
					who = "every role, the owner too,"
				}
				s.report(c, p, "row security is on for %s: %s of %s sees and writes only what a policy allows", p.Relation, s.verb(), who)
			case s.policiesChanged(oid):
				s.report(c, p, "the policies of %s are others: %s sees and writes other rows", p.Relation, s.verb())
			}
		}
	},
}

// policiesChanged compares the policies of a table.
func (s *step) policiesChanged(table catalog.OID) bool {
	return !slices.EqualFunc(s.was.cat.Policies(table), s.cat.Policies(table), func(a, b *catalog.Policy) bool {
		return a.OID == b.OID && a.Permissive == b.Permissive && a.Command == b.Command && slices.Equal(a.Roles, b.Roles) &&
			catalog.SameCondition(a.Using, b.Using) && catalog.SameCondition(a.WithCheck, b.WithCheck)
	})
}

// relations lists the relations that the statement needs.
func (r *reading) relations() []catalog.OID {
	var list []catalog.OID
	for _, a := range r.an.Refs {
		if _, ok := r.cat.Get(a.OID).(*catalog.Relation); ok && !slices.Contains(list, a.OID) {
			list = append(list, a.OID)
		}
	}
	return list
}
