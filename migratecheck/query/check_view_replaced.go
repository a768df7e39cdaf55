package query

import "git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"

var checkViewReplaced = &Check{
	ID:      "view-replaced",
	Catches: "A view that the query reads has another query than on the other schema.",
	Rules:   []string{"drop-view", "replace-view"},
	Source:  "sql-createview.html, OR REPLACE: same columns, whatever the query",
	between: func(s *step, c *Check) {
		for _, p := range s.places() {
			was, now := relationsAt(s.was.cat, p.was, false), relationsAt(s.cat, p.now, false)
			if len(was) != 1 || len(now) != 1 || was[0] != now[0] {
				continue
			}
			if changed := s.replaced(now[0].OID, 0); changed != 0 {
				s.report(c, Problem{Offset: p.offset, Relation: textOf(s.cat, now[0]), Objects: []catalog.Address{{OID: changed}, now[0]}},
					"view %s has another query: %s may answer other rows or values", s.cat.NameOf(changed), s.verb())
			}
		}
	},
}

// replaced finds the view, the one named or one that it reads, whose query is another; 0 when there is none.
func (s *step) replaced(oid catalog.OID, depth int) catalog.OID {
	rel, _ := s.cat.Get(oid).(*catalog.Relation)
	was, _ := s.was.cat.Get(oid).(*catalog.Relation)
	if rel == nil || was == nil || rel.Kind != catalog.View && rel.Kind != catalog.MatView || depth > 32 {
		return 0
	}
	if !catalog.SameRows(was, rel) {
		return oid
	}
	for _, a := range rel.Query.Refs {
		if a.OID != oid {
			if changed := s.replaced(a.OID, depth+1); changed != 0 {
				return changed
			}
		}
	}
	return 0
}
