package query

import "git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"

var checkCopyType = &Check{
	ID:      "copy-type",
	Catches: "COPY sends values of the type that a column has on one schema to a column of another type.",
	Code:    "22P02",
	Rules:   []string{"change-column-type", "reuse-column-name"},
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
	a, b := classOf(s.was.cat, was), classOf(s.cat, now)
	switch {
	case a == b || a == otherClass || b == otherClass || b == textClass || b == byteaClass:
		return a != enumClass || b != enumClass || was.OID == now.OID
	case a == intClass:
		return b == numericClass || b == floatClass
	case a == numericClass:
		return b == floatClass
	case a == jsonClass:
		return false
	}
	return false
}
