package query

import "slices"

var checkResultName = &Check{
	ID:      "result-name",
	Catches: "A result that is scanned by name lacks a column that the code wants, or has one that it has no place for.",
	Rules:   []string{"drop-column", "rename-column", "replace-view", "widen-select-star"},
	Asks:    TheCode,
	Source:  "pgx RowToStructByName: struct doesn't have corresponding row field; sqlx: missing destination name",
	on: func(r *reading, c *Check) {
		scan := r.sql().Scan
		if scan == nil || scan.Kind != ByName || !r.only || !r.an.Rows || r.an.Open || r.Site.Status == Partial {
			return
		}
		var names []string
		for i, col := range r.an.Columns {
			names = append(names, col.Name)
			if scan.Extra || scan.Open || slices.ContainsFunc(scan.Dests, func(d Dest) bool { return d.Name == col.Name }) {
				continue
			}
			r.report(c, r.aboutOutput(i, Problem{}), "the result has column %q, for which the code has no place: every row fails to scan", col.Name)
		}
		if scan.Lax {
			return
		}
		for _, d := range scan.Dests {
			if !slices.Contains(names, d.Name) {
				r.report(c, Problem{Column: d.Name}, "the result has no column %q, which the code scans by name: every row fails to scan", d.Name)
			}
		}
	},
}
