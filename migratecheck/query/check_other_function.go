package query

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var checkOtherFunction = &Check{
	ID:      "other-function",
	Catches: "A call in the query runs another function than on the other schema, or one with another body.",
	Rules:   []string{"change-function", "drop-function"},
	Asks:    TheCode,
	Source:  "typeconv-func.html; sql-createfunction.html, OR REPLACE",
	between: func(s *step, c *Check) {
		for _, p := range s.places() {
			was, now := s.was.functionsAt(p.was), s.functionsAt(p.now)
			if len(now) != 1 || len(was) > 1 {
				continue
			}
			f := now[0]
			what := "another"
			switch {
			case len(was) == 1 && was[0].OID == f.OID && catalog.SameBody(was[0], f):
				continue
			case len(was) == 1 && was[0].OID == f.OID:
				what = "replaced"
			case len(was) == 1 && sameButOID(was[0], f):
				continue // dropped and made again as it was
			}
			objects := []catalog.Address{{OID: f.OID}}
			if len(was) == 1 && was[0].OID != f.OID {
				objects = append(objects, catalog.Address{OID: was[0].OID})
			}
			s.report(c, Problem{Offset: p.offset, Objects: objects}, "function %s that %s calls is %s: it may answer something else", s.cat.NameOf(f.OID), s.verb(), what)
		}
	},
}

// functionsAt lists the functions among what a name denotes; sorted as they come.
func (r *reading) functionsAt(list []catalog.Address) []*catalog.Func {
	var out []*catalog.Func
	for _, a := range list {
		if f, ok := r.cat.Get(a.OID).(*catalog.Func); ok {
			out = append(out, f)
		}
	}
	return out
}

func sameButOID(a, b *catalog.Func) bool {
	return catalog.SameBody(a, b) && slices.EqualFunc(a.Args, b.Args, func(x, y catalog.FuncArg) bool { return x.Type == y.Type && x.Mode == y.Mode })
}
