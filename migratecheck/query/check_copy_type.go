package query

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var checkCopyType = &Check{
	ID:      "copy-type",
	Catches: "COPY sends values of the type that a column has on one schema to a column of another type.",
	Code:    "22P02",
	Rules:   []string{"change-column-type", "rename-enum-value", "reuse-column-name"},
	Asks:    TheCode,
	Source:  "src/backend/commands/copyfromparse.c NextCopyFrom: each field goes through the type's in function",
	between: func(s *step, c *Check) {
		s.changes(func(w change) {
			if !w.Copy {
				return
			}
			for _, t := range w.Targets {
				col, was := w.rel.Att(t.Column), w.was.Att(t.Column)
				if col == nil || was == nil || s.takesText(was.Type, col.Type) {
					continue
				}
				if old, enum := enumOf(s.was.cat, was.Type), enumOf(s.cat, col.Type); old != nil && enum != nil {
					p := w.code(s, "22P02", t.Column)
					p.Objects = append(p.Objects, catalog.Address{OID: enum.OID})
					s.report(c, p, "column %q of %s is of enum %s, which lacks labels that it has on the schema this code was written for: COPY fails for them", col.Name, s.cat.NameOf(w.rel.OID), s.cat.NameOf(enum.OID))
					continue
				}
				s.report(c, w.code(s, "22P02", t.Column), "column %q of %s is %s, and %s on the schema this code was written for: COPY fails for a value of the one that is none of the other",
					col.Name, s.cat.NameOf(w.rel.OID), s.cat.FormatType(col.Type), s.was.cat.FormatType(was.Type))
			}
		})
	},
}

// takesText reports whether the text of any value of type was is one of type now.
func (s *step) takesText(was, now catalog.TypeRef) bool {
	was, now = s.was.cat.BaseType(was), s.cat.BaseType(now)
	if was.Array && now.Array {
		was.Array, now.Array = false, false
	}
	if old, enum := enumOf(s.was.cat, was), enumOf(s.cat, now); old != nil && enum != nil {
		return !slices.ContainsFunc(old.Labels, func(label string) bool { return !slices.Contains(enum.Labels, label) })
	}
	a, b := classOf(s.was.cat, was), classOf(s.cat, now)
	switch {
	case a == b || a == otherClass || b == otherClass || b == textClass || b == byteaClass:
		return true
	case a == intClass:
		return b == numericClass || b == floatClass
	case a == numericClass:
		return b == floatClass
	case a == jsonClass:
		return false
	}
	return false
}
