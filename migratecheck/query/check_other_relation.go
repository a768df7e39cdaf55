package query

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var checkOtherRelation = &Check{
	ID:      "other-relation",
	Catches: "A name in the query denotes another table or view than on the other schema.",
	Rules:   []string{"drop-table", "drop-view", "rename-table"},
	Asks:    TheCode,
	Source:  "code's own: every name resolves, to something else",
	between: func(s *step, c *Check) {
		for _, p := range s.places() {
			was, now := relationsAt(s.was.cat, p.was, false), relationsAt(s.cat, p.now, false)
			if len(was) != 1 || len(now) != 1 || was[0] == now[0] || s.bothViews(was[0].OID, now[0].OID) {
				continue // view-replaced compares two views
			}
			if s.standsFor(now[0].OID, was[0].OID) || standsFor(s.was.cat, was[0].OID, now[0].OID) {
				continue
			}
			s.report(c, Problem{Offset: p.offset, Relation: textOf(s.cat, now[0]), Objects: []catalog.Address{was[0], now[0]}},
				"%q denotes another %s than the one this query was written for, %s: %s reads or writes other rows",
				textOf(s.cat, now[0]), kindOf(s.cat, now[0].OID), s.fate(was[0]), s.verb())
		}
	},
}

// standsFor reports whether a view on the schema reads the relation that had the name: a view made so that old code goes on.
func (s *step) standsFor(view, table catalog.OID) bool { return standsFor(s.cat, view, table) }

func standsFor(cat *catalog.Catalog, view, table catalog.OID) bool {
	rel, _ := cat.Get(view).(*catalog.Relation)
	return rel != nil && rel.Kind == catalog.View && rel.Query != nil &&
		slices.ContainsFunc(rel.Query.Refs, func(a catalog.Address) bool { return a.OID == table || a.OID != view && standsFor(cat, a.OID, table) })
}

func (s *step) bothViews(was, now catalog.OID) bool {
	old, _ := s.was.cat.Get(was).(*catalog.Relation)
	rel, _ := s.cat.Get(now).(*catalog.Relation)
	return isView(old) && isView(rel)
}

func kindOf(cat *catalog.Catalog, oid catalog.OID) string {
	switch rel, _ := cat.Get(oid).(*catalog.Relation); {
	case rel == nil:
	case rel.Kind == catalog.View:
		return "view"
	case rel.Kind == catalog.MatView:
		return "materialized view"
	case rel.Kind == catalog.Sequence:
		return "sequence"
	}
	return "table"
}
