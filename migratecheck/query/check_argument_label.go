package query

import (
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var checkArgumentLabel = &Check{
	ID:      "argument-label",
	Catches: "A parameter is of an enum that lacks a label which the code may send.",
	Code:    "22P02",
	Rules:   []string{"add-enum-value", "change-column-type", "drop-type", "rename-enum-value"},
	Asks:    TheCode,
	Source:  "src/backend/utils/adt/enum.c enum_in",
	between: func(s *step, c *Check) {
		args := s.sql().Args
		for i, p := range s.an.Params {
			if i >= len(s.was.an.Params) || i < len(args) && args[i].Null {
				continue
			}
			enum := enumOf(s.cat, p.Type)
			if enum == nil || enum.Assumed {
				continue
			}
			var sends []string // what the code may send where it is at home
			if i < len(args) {
				sends = args[i].Labels
			}
			before := s.was.an.Params[i].Type
			if old := enumOf(s.was.cat, before); old != nil && sends == nil {
				sends = old.Labels
			}
			what := "a text that is no label of it"
			switch {
			case sends != nil:
				missing := slices.DeleteFunc(slices.Clone(sends), func(label string) bool { return slices.Contains(enum.Labels, label) })
				if len(missing) == 0 {
					continue
				}
				what = `"` + strings.Join(missing, `", "`) + `"`
			case classOf(s.was.cat, element(s.was.cat, before)) != textClass:
				continue
			}
			s.report(c, Problem{Code: "22P02", Offset: p.Offset, Objects: []catalog.Address{{OID: enum.OID}}},
				"$%d is of enum %s here: %s fails for %s", i+1, s.cat.NameOf(enum.OID), s.verb(), what)
		}
	},
}

// element is what an array holds, of another type itself.
func element(cat *catalog.Catalog, t catalog.TypeRef) catalog.TypeRef {
	t = cat.BaseType(t)
	t.Array = false
	return t
}
