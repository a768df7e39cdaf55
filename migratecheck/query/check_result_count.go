package query

var checkResultCount = &Check{
	ID:      "result-count",
	Catches: "A result has more or fewer columns than the code scans by position.",
	Rules:   []string{"drop-column", "replace-view", "widen-select-star"},
	Asks:    TheCode,
	Source:  "database/sql Rows.Scan: expected %d destination arguments; pgx Rows.Scan: number of field descriptions must equal number of destinations",
	on: func(r *reading, c *Check) {
		scan := r.sql().Scan
		if scan == nil || scan.Kind != ByPosition || scan.Open || !r.only || !r.an.Rows || r.an.Open || r.Site.Status == Partial {
			return
		}
		if got, want := len(r.an.Columns), len(scan.Dests); got != want {
			r.report(c, Problem{}, "%s answers %s and the code scans %d: every row fails to scan", r.verb(), columnCount(got), want)
		}
	},
}
