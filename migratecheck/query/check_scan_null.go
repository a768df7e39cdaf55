package query

import "git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"

var checkScanNull = &Check{
	ID:      "scan-null",
	Catches: "A column that could not be NULL may be, and is scanned into a type that cannot hold NULL.",
	Rules:   []string{"drop-not-null", "replace-view", "reuse-column-name"},
	Asks:    TheSchema,
	Source:  "database/sql: converting NULL to string is unsupported; pgx: cannot scan NULL into *string",
	between: func(s *step, c *Check) {
		if len(s.was.an.Columns) != len(s.an.Columns) {
			return
		}
		s.scanned(func(i int, col catalog.OutputColumn, g GoType) {
			if !s.was.an.Columns[i].NotNull || col.NotNull || g.Nullable || g.Name == "" || s.wrote(col) {
				return
			}
			s.report(c, s.aboutOutput(i, Problem{}), "column %q of this result may be NULL and is scanned into %s, which cannot hold NULL: the row fails to scan", col.Name, g.Name)
		})
	},
}
