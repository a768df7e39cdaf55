package query

import "git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"

var checkArgumentType = &Check{
	ID:      "argument-type",
	Catches: "A value of a Go type is bound to a parameter whose type takes no such value, by lib/pq or by pgx.",
	Code:    "22P02",
	Rules:   []string{"change-column-type", "change-function", "reuse-column-name"},
	Source:  "database/sql/driver.Value, pgtype.Map.PlanEncode; measured (drivers.go)",
	on: func(r *reading, c *Check) {
		if r.Site.Lang == "python" || !r.only {
			return
		}
		for i, g := range r.sql().Args {
			if i >= len(r.an.Params) || r.an.Params[i].Type == (catalog.TypeRef{}) || bindFit(r.cat, r.an.Params[i].Type, g) != refuses {
				continue
			}
			p := r.an.Params[i]
			r.report(c, Problem{Code: "22P02", Offset: p.Offset}, "$%d is of type %s and gets a %s: %s fails for every value",
				i+1, r.cat.FormatType(p.Type), g.Name, r.verb())
		}
	},
}
