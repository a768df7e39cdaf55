package query

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var checkOtherColumn = &Check{
	ID:      "other-column",
	Catches: "A name in the query denotes another column than on the other schema.",
	Rules:   []string{"change-column-type", "rename-column", "replace-view", "reuse-column-name"},
	Asks:    TheCode,
	Source:  "code's own: every name resolves, to something else",
	between: func(s *step, c *Check) {
		moved := s.movedRelations()
		for _, p := range s.places() {
			was, now := relationsAt(s.was.cat, p.was, true), relationsAt(s.cat, p.now, true)
			if len(was) == 0 || len(was) != len(now) || slices.Equal(was, now) { // of other lengths: a name is missing, which On tells
				continue
			}
			a, b := behind(s.was.cat, was), behind(s.cat, now)
			if slices.Equal(a, b) || slices.Contains(moved, a[0].OID) || s.stored(now) && s.was.stored(was) || s.computed(now) || s.was.computed(was) {
				continue // other-relation and view-replaced tell
			}
			rel, _ := s.cat.Get(now[0].OID).(*catalog.Relation)
			name := ""
			if rel != nil && rel.Att(now[0].Column) != nil {
				name = rel.Att(now[0].Column).Name
			}
			s.report(c, Problem{Offset: p.offset, Relation: s.cat.NameOf(now[0].OID).String(), Column: name, Objects: append(slices.Clone(was), now...)},
				"%q denotes another column than the one this query was written for, %s: %s reads or writes other values", textOf(s.cat, now[0]), s.fate(a[0]), s.verb())
		}
		s.otherInStar(c, moved)
		s.naturalJoins(c)
	},
}

// naturalJoins looks for columns that a NATURAL JOIN has come to join on, or no longer does: other rows come together.
func (s *step) naturalJoins(c *Check) {
	lacks := func(list []catalog.NaturalColumn, col catalog.NaturalColumn) bool {
		return !slices.ContainsFunc(list, func(o catalog.NaturalColumn) bool {
			return o.Name == col.Name || len(o.Refs) > 0 && slices.Equal(o.Refs, col.Refs)
		})
	}
	tell := func(col catalog.NaturalColumn, what string) {
		p := Problem{Offset: col.Offset, Column: col.Name}
		for _, a := range col.Refs {
			p.Objects = append(p.Objects, catalog.Address{OID: a.OID}, a)
		}
		s.report(c, p, "a NATURAL JOIN %s join on column %q: %s reads other rows", what, col.Name, s.verb())
	}
	for _, col := range s.an.Natural {
		if lacks(s.was.an.Natural, col) {
			tell(col, "has come to")
		}
	}
	for _, col := range s.was.an.Natural {
		if lacks(s.an.Natural, col) {
			tell(col, "no longer does")
		}
	}
}

// otherInStar looks at the columns of a result that come from a star: those of the same name and place must be the same.
func (s *step) otherInStar(c *Check, moved []catalog.OID) {
	for i, col := range s.an.Columns {
		at := i
		if i >= len(s.was.an.Columns) || s.was.an.Columns[i].Name != col.Name {
			at = slices.IndexFunc(s.was.an.Columns, func(o catalog.OutputColumn) bool { return o.Name == col.Name })
		}
		if at < 0 || !col.Star || !s.was.an.Columns[at].Star {
			continue
		}
		a, b := s.was.cat.Behind(s.was.an.Columns[at].Origin), s.cat.Behind(col.Origin)
		if a.OID == 0 || b.OID == 0 || a == b || slices.Contains(moved, a.OID) || slices.Contains(moved, s.was.an.Columns[at].Origin.OID) {
			continue
		}
		p := s.aboutOutput(i, Problem{})
		p.Objects = append(p.Objects, a)
		s.report(c, p, "column %q of this result is another than the one this query was written for, %s: %s reads other values", col.Name, s.fate(a), s.verb())
	}
}

// movedRelations lists the relations whose name denotes another one now, so that all their columns are others too.
func (s *step) movedRelations() []catalog.OID {
	var list []catalog.OID
	for _, p := range s.places() {
		was, now := relationsAt(s.was.cat, p.was, false), relationsAt(s.cat, p.now, false)
		if len(was) == 1 && len(now) == 1 && was[0] != now[0] && !s.bothViews(was[0].OID, now[0].OID) && !s.standsFor(now[0].OID, was[0].OID) {
			list = append(list, was[0].OID)
		}
	}
	return list
}

// computed reports whether one of the columns is what a view computes.
func (r *reading) computed(list []catalog.Address) bool {
	return slices.ContainsFunc(list, func(a catalog.Address) bool { return r.cat.Behind(a).OID == 0 })
}

// stored reports whether they are columns of a materialized view.
func (r *reading) stored(list []catalog.Address) bool {
	return slices.ContainsFunc(list, func(a catalog.Address) bool {
		rel, _ := r.cat.Get(a.OID).(*catalog.Relation)
		return rel != nil && rel.Kind == catalog.MatView
	})
}
