package query

import "git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"

var checkScanType = &Check{
	ID:      "scan-type",
	Catches: "A column is scanned into a Go type that takes no value of it, or not all of them, or loaded by a SQLAlchemy type that takes none or gives the code values of another Python type.",
	Rules:   []string{"change-column-type", "change-function", "replace-view", "reuse-column-name"},
	Asks:    TheCode,
	Source:  "database/sql convertAssign, pgtype.Map.PlanScan; measured (drivers.go, python_values.tsv)",
	on: func(r *reading, c *Check) {
		r.scanned(func(i int, col catalog.OutputColumn, g GoType) {
			if read, _ := pythonFit(r.cat, col.Type, g); read == pyFails {
				r.report(c, r.aboutOutput(i, Problem{}), "column %q of this result is of type %s and is loaded by SQLAlchemy's %s: every row whose value is not NULL fails to load",
					col.Name, r.cat.FormatType(col.Type), g.Name)
				return
			}
			if scanFit(r.cat, col.Type, g) != refuses {
				return
			}
			r.report(c, r.aboutOutput(i, Problem{}), "column %q of this result is of type %s and is scanned into %s: every row fails to scan",
				col.Name, r.cat.FormatType(col.Type), g.Name)
		})
	},
	between: func(s *step, c *Check) {
		if len(s.was.an.Columns) != len(s.an.Columns) {
			return
		}
		s.scanned(func(i int, col catalog.OutputColumn, g GoType) {
			was := s.was.an.Columns[i]
			before, _ := pythonFit(s.was.cat, was.Type, g)
			if read, _ := pythonFit(s.cat, col.Type, g); before == pyOK && read == pyOther {
				s.report(c, s.aboutOutput(i, Problem{Maybe: true}), "column %q of this result is %s, and %s on the schema this code was written for: SQLAlchemy's %s passes on what the driver makes of it, a value of another Python type",
					col.Name, s.cat.FormatType(col.Type), s.was.cat.FormatType(was.Type), g.Name)
				return
			}
			if was.Type == (catalog.TypeRef{}) || scanFit(s.was.cat, was.Type, g) != fits || scanFit(s.cat, col.Type, g) != may {
				return
			}
			s.report(c, s.aboutOutput(i, Problem{}), "column %q of this result is %s, and %s on the schema this code was written for: not every driver and not every value of it scans into %s",
				col.Name, s.cat.FormatType(col.Type), s.was.cat.FormatType(was.Type), g.Name)
		})
	},
}

// scanned calls f for each column of the result whose type and destination are known.
func (r *reading) scanned(f func(i int, col catalog.OutputColumn, g GoType)) {
	scan := r.sql().Scan
	if scan == nil || !r.only || r.an.Open {
		return
	}
	if scan.Kind == ByPosition {
		if len(scan.Dests) != len(r.an.Columns) {
			return // result-count tells
		}
		for i, col := range r.an.Columns {
			if col.Type != (catalog.TypeRef{}) {
				f(i, col, scan.Dests[i].Type)
			}
		}
		return
	}
	for i, col := range r.an.Columns {
		for _, d := range scan.Dests {
			if d.Name == col.Name && col.Type != (catalog.TypeRef{}) {
				f(i, col, d.Type)
			}
		}
	}
}

// aboutOutput fills a problem with the table column behind a column of the result.
func (r *reading) aboutOutput(i int, p Problem) Problem {
	col := r.an.Columns[i]
	p.Column = col.Name
	if rel, ok := r.cat.Get(col.Origin.OID).(*catalog.Relation); ok {
		p.Relation = r.cat.NameOf(rel.OID).String()
		p.Objects = []catalog.Address{{OID: rel.OID}, col.Origin}
		if att := rel.Att(col.Origin.Column); att != nil {
			p.Column = att.Name
		}
	}
	p.Offset = r.placeOf(col.Origin)
	return p
}

// placeOf is the first place that names a column, where the statement begins when none does.
func (r *reading) placeOf(a catalog.Address) int {
	for _, use := range r.an.Uses {
		if use.Address == a {
			return use.Offset
		}
	}
	return r.stmt.Offset
}
