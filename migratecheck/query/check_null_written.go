package query

import "git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"

var checkNullWritten = &Check{
	ID:      "null-written",
	Catches: "The constant NULL, nil bound to a parameter, or in an UPDATE the DEFAULT that there is not, is written to a column that is NOT NULL.",
	Code:    "23502",
	Rules:   []string{"add-required-column", "drop-default", "set-not-null"},
	Asks:    TheSchema,
	Bodies:  true,
	Source:  "src/backend/executor/execMain.c ExecConstraints",
	on: func(r *reading, c *Check) {
		args := r.sql().Args
		r.writes(func(w change) {
			rel := w.rel
			for _, t := range w.Targets {
				col := rel.Att(t.Column)
				if col == nil || !col.NotNull && !domainNotNull(r.cat, col.Type) {
					continue
				}
				null, what := t.Null, "NULL"
				if !null && w.Op == 'u' && t.Default && !hasDefault(r.cat, col) && col.Identity == 0 && col.Generated == 0 {
					null, what = true, "DEFAULT, which there is none of,"
				}
				for _, n := range t.Params {
					null = null || n <= len(args) && args[n-1].Null
				}
				if !null {
					continue
				}
				name := r.cat.NameOf(rel.OID).String()
				if why := r.mayReplace(rel, col, w.Op); why != "" {
					r.out.unsure(why)
					continue
				}
				r.report(c, Problem{
					Code: "23502", Offset: t.Offset, Relation: name, Column: col.Name,
					Objects: []catalog.Address{{OID: rel.OID}, {OID: rel.OID, Column: col.Num}},
				}, "%s writes %s to column %q of %s, which is NOT NULL: the row is refused", r.verb(), what, col.Name, name)
			}
		})
	},
}

// mayReplace is mayFill for a change of the kind.
func (r *reading) mayReplace(rel *catalog.Relation, col *catalog.Column, op byte) string {
	for _, t := range r.cat.Triggers(rel.OID) {
		if t.Before && t.Row && t.Enabled != 'D' && (op == 'i' && t.Insert || op == 'u' && t.Update) {
			f, _ := r.cat.Get(t.Function).(*catalog.Func)
			if f == nil || f.Assumed || mayAssign(f, col.Name) {
				return "whether trigger \"" + t.Name + "\" replaces what is written to " + r.cat.NameOf(rel.OID).String() + "." + col.Name
			}
		}
	}
	return ""
}
