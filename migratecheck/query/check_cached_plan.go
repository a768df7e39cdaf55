package query

import "fmt"

var checkCachedPlan = &Check{
	ID:      "cached-plan",
	Catches: "A statement that a driver keeps prepared answers a result of another shape.",
	Code:    "0A000",
	Rules:   []string{"change-column-type", "drop-column", "rename-column", "replace-view", "widen-select-star"},
	Asks:    TheCode,
	Source:  "src/backend/utils/cache/plancache.c RevalidateCachedQuery: cached plan must not change result type",
	between: func(s *step, c *Check) {
		if s.fails() || !s.sql().Prepared || !s.only || s.an.Open || s.was.an.Open {
			return
		}
		if i, what := s.reshaped(); what != "" {
			p := Problem{Code: "0A000"}
			if i < len(s.an.Columns) {
				p = s.aboutOutput(i, p)
			}
			s.report(c, p, "%s is kept prepared and %s: a connection that prepared it on the other schema fails with \"cached plan must not change result type\"", s.verb(), what)
		}
	},
}

// reshaped tells the first difference between two results as equalTupleDescs sees them: count, names, types.
func (s *step) reshaped() (column int, what string) {
	was, now := s.was.an.Columns, s.an.Columns
	for i := range min(len(was), len(now)) {
		if was[i].Name != now[i].Name {
			return i, fmt.Sprintf("column %d of its result is %q, and %q on the schema this code was written for", i+1, now[i].Name, was[i].Name)
		}
		before, after := s.was.cat.FormatType(was[i].Type), s.cat.FormatType(now[i].Type)
		if before == after && was[i].Type.OID != now[i].Type.OID {
			after += ", another type of that name" // the rows of a view in the place of a table, say
		}
		if before != after {
			return i, fmt.Sprintf("column %q of its result is %s, and %s on the schema this code was written for", now[i].Name, after, before)
		}
	}
	if len(was) != len(now) {
		return min(len(was), len(now)), fmt.Sprintf("its result has %s, and %d on the schema this code was written for", columnCount(len(now)), len(was))
	}
	return 0, ""
}
