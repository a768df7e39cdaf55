package query

import (
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var checkScanLabel = &Check{
	ID:      "scan-label",
	Catches: "An enum has a label that the code which reads it does not tell apart.",
	Rules:   []string{"add-enum-value", "rename-enum-value"},
	Asks:    TheCode,
	Source:  "code's own: a switch or a set of constants without the label",
	between: func(s *step, c *Check) {
		if len(s.was.an.Columns) != len(s.an.Columns) {
			return
		}
		s.scanned(func(i int, col catalog.OutputColumn, g GoType) {
			enum := enumOf(s.cat, col.Type)
			if enum == nil || g.Labels == nil {
				return
			}
			labels := enum.Labels
			if s.wrote(col) {
				if labels = s.labelsOfDefault(col, enum); labels == nil {
					return
				}
			}
			before := enumOf(s.was.cat, s.was.an.Columns[i].Type)
			who := g.Name
			if who == "string" {
				// The switch on it, without a default, passes over labels that it does not know already.
				if before != nil && slices.ContainsFunc(before.Labels, func(label string) bool { return !slices.Contains(g.Labels, label) }) {
					return
				}
				who = "the switch on it"
			}
			var fresh []string
			for _, label := range labels {
				if !slices.Contains(g.Labels, label) && (before == nil || !slices.Contains(before.Labels, label)) {
					fresh = append(fresh, `"`+label+`"`)
				}
			}
			if len(fresh) == 0 {
				return
			}
			p := s.aboutOutput(i, Problem{})
			p.Objects = append(p.Objects, catalog.Address{OID: enum.OID})
			s.report(c, p, "enum %s has label %s, which %s does not know: code that reads such a row of column %q does not understand it",
				s.cat.NameOf(enum.OID), strings.Join(fresh, ", "), who, col.Name)
		})
	},
}

// enumOf is the enum behind a type, of an array the elements', nil for other types.
func enumOf(cat *catalog.Catalog, t catalog.TypeRef) *catalog.Type {
	t = cat.BaseType(t)
	t.Array = false
	ty, _ := cat.Get(cat.BaseType(t).OID).(*catalog.Type)
	if ty == nil || ty.Kind != catalog.EnumType {
		return nil
	}
	return ty
}
