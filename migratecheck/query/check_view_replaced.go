package query

import "git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"

var checkViewReplaced = &Check{
	ID:      "view-replaced",
	Catches: "A view that the query reads, replaced or dropped and made again, answers other rows than on the other schema, or other values in a column that the query uses.",
	Rules:   []string{"drop-view", "replace-view"},
	Asks:    TheCode,
	Source:  "sql-createview.html, OR REPLACE: same columns, whatever the query",
	between: func(s *step, c *Check) {
		for _, p := range s.places() {
			was, now := relationsAt(s.was.cat, p.was, false), relationsAt(s.cat, p.now, false)
			if len(was) != 1 || len(now) != 1 || s.sameView(was[0].OID, now[0].OID) {
				continue
			}
			about := []catalog.Address{{OID: s.replaced(now[0].OID, 0)}, now[0]}
			if was[0] != now[0] {
				about = append(about, was[0])
			}
			s.report(c, Problem{Offset: p.offset, Relation: textOf(s.cat, now[0]), Objects: about, Maybe: true},
				"view %s has another query: %s may answer other rows or values", s.cat.NameOf(about[0].OID), s.verb())
		}
	},
}

// sameView tells whether a view answers the query what the one of its name did. It is true of anything but two views.
func (s *step) sameView(was, now catalog.OID) bool {
	old, _ := s.was.cat.Get(was).(*catalog.Relation)
	rel, _ := s.cat.Get(now).(*catalog.Relation)
	if !isView(old) || !isView(rel) {
		return true
	}
	meant, means := s.was.cat.ViewMeaning(old), s.cat.ViewMeaning(rel)
	if meant == nil || means == nil {
		return old == rel || catalog.SameQuery(old.Query, rel.Query) && was == now
	}
	var used []string
	for _, use := range s.was.an.Uses {
		if use.Address.OID != was || use.Address.Column == 0 {
			continue
		}
		name := old.Att(use.Address.Column).Name
		col := rel.Column(name)
		if col == nil {
			continue // missing-column tells
		}
		before, after := s.was.cat.Behind(use.Address), s.cat.Behind(catalog.Address{OID: now, Column: col.Num})
		if rel.Kind == catalog.MatView || before == after || before.OID == 0 || after.OID == 0 { // else other-column tells
			used = append(used, name)
		}
	}
	return meant.Same(means, used)
}

func isView(rel *catalog.Relation) bool {
	return rel != nil && (rel.Kind == catalog.View || rel.Kind == catalog.MatView)
}

// replaced finds the view whose query is another: the one named, or one that it reads.
func (s *step) replaced(oid catalog.OID, depth int) catalog.OID {
	rel, _ := s.cat.Get(oid).(*catalog.Relation)
	was, _ := s.was.cat.Get(oid).(*catalog.Relation)
	if !isView(rel) || !isView(was) || depth > 32 || !catalog.SameQuery(was.Query, rel.Query) {
		return oid
	}
	for _, a := range rel.Query.Refs {
		if next, _ := s.cat.Get(a.OID).(*catalog.Relation); a.OID != oid && isView(next) {
			if found := s.replaced(a.OID, depth+1); found != a.OID || !s.sameView(found, found) {
				return found
			}
		}
	}
	return oid
}
