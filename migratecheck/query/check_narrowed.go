package query

import "git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"

var checkNarrowed = &Check{
	ID:      "narrowed",
	Catches: "A value is written to a column that has become shorter, or of a smaller range.",
	Code:    "22001, 22003",
	Rules:   []string{"narrow-column-type"},
	Source:  "datatype-character.html, datatype-numeric.html: a value that does not fit is an error",
	between: func(s *step, c *Check) {
		s.changes(func(w change) {
			for _, t := range w.Targets {
				col, was := w.rel.Att(t.Column), w.was.Att(t.Column)
				if col == nil || was == nil || !t.Given || t.Null && !t.Mixed {
					continue
				}
				code := narrower(s.was.cat.BaseType(was.Type), s.cat.BaseType(col.Type))
				if code == "" {
					continue
				}
				s.report(c, w.code(s, code, t.Column), "column %q of %s is %s and no longer %s: %s fails for a value that does not fit",
					col.Name, s.cat.NameOf(w.rel.OID), s.cat.FormatType(col.Type), s.was.cat.FormatType(was.Type), s.verb())
			}
		})
	},
}

// narrower answers the SQLSTATE of a value that fitted the one type and not the other, "" when all do or the types are not
// of one family.
func narrower(was, now catalog.TypeRef) string {
	if was.Array != now.Array {
		return ""
	}
	a, b := intBits[was.OID], intBits[now.OID]
	if a > 0 && b > 0 {
		if b < a {
			return "22003"
		}
		return ""
	}
	text := func(t catalog.TypeRef) bool { return t.OID == 25 || t.OID == 1043 || t.OID == 1042 }
	if text(was) && text(now) && now.Mod > 0 && (was.Mod < 0 || was.OID == 25 || now.Mod < was.Mod) {
		return "22001"
	}
	if was.OID == 1700 && now.OID == 1700 && now.Mod > 0 {
		digits := func(t catalog.TypeRef) int32 { return (t.Mod-4)>>16 - (t.Mod-4)&0x7ff }
		if was.Mod < 0 || digits(now) < digits(was) {
			return "22003"
		}
	}
	return ""
}
