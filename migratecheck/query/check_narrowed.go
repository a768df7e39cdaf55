package query

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var checkNarrowed = &Check{
	ID:      "narrowed",
	Catches: "A value is written to a column that is shorter, or of a smaller range, than on the other schema; or the column's own default does not fit.",
	Code:    "22001, 22003",
	Rules:   []string{"narrow-column-type"},
	Asks:    TheSchema,
	Source:  "datatype-character.html, datatype-numeric.html: a value that does not fit is an error",
	on: func(r *reading, c *Check) {
		r.defaultsFit(c)
		r.literalsFit(c)
	},
	between: func(s *step, c *Check) {
		s.changes(func(w change) {
			for _, t := range w.Targets {
				col, was := w.rel.Att(t.Column), w.was.Att(t.Column)
				if col == nil || was == nil || !t.Given || t.Null && !t.Mixed {
					continue
				}
				code := narrower(s.was.cat.BaseType(was.Type), s.cat.BaseType(col.Type))
				if code == "" || s.allFit(&t, s.cat.BaseType(col.Type)) {
					continue
				}
				s.report(c, w.code(s, code, t.Column), "column %q of %s is %s, and %s on the schema this code was written for: %s fails for a value that does not fit",
					col.Name, s.cat.NameOf(w.rel.OID), s.cat.FormatType(col.Type), s.was.cat.FormatType(was.Type), s.verb())
			}
		})
	},
}

// defaultsFit looks at the columns that an INSERT leaves to a constant that does not fit.
func (r *reading) defaultsFit(c *Check) {
	for _, w := range r.an.Writes {
		w = r.cat.OnTable(w)
		if w == nil || w.Op != 'i' {
			continue
		}
		rel, _ := r.cat.Get(w.Relation).(*catalog.Relation)
		for i := range rel.Columns {
			col := &rel.Columns[i]
			t := w.Target(col.Num)
			if col.Dropped || t != nil && !t.Default || col.Default == nil || col.Generated != 0 || !col.Default.Constant || isNull(col.Default) {
				continue
			}
			code := narrower(catalog.TypeRef{OID: 25, Mod: -1}, r.cat.BaseType(col.Type))
			if code == "" || literalFits(col.Default.Node, r.cat.BaseType(col.Type)) {
				continue
			}
			r.report(c, Problem{
				Code: code, Offset: w.Offset, Relation: r.cat.NameOf(rel.OID).String(), Column: col.Name,
				Objects: []catalog.Address{{OID: rel.OID}, {OID: rel.OID, Column: col.Num}},
			}, "%s leaves column %q of %s to its default, %s, which does not fit %s: every row is refused",
				r.verb(), col.Name, r.cat.NameOf(rel.OID), col.Default.SQL, r.cat.FormatType(col.Type))
		}
	}
}

// literalsFit looks at literals that are stored in a column that they do not fit.
func (r *reading) literalsFit(c *Check) {
	for _, w := range r.an.Writes {
		w = r.cat.OnTable(w)
		if w == nil {
			continue
		}
		rel, _ := r.cat.Get(w.Relation).(*catalog.Relation)
		for _, t := range w.Targets {
			col := rel.Att(t.Column)
			if col == nil {
				continue
			}
			now := r.cat.BaseType(col.Type)
			code := narrower(catalog.TypeRef{OID: 25, Mod: -1}, now)
			for _, v := range t.Values {
				if code == "" || v.Null || v.Constant.GetAConst() == nil || literalFits(v.Constant, now) {
					continue
				}
				name := r.cat.NameOf(rel.OID).String()
				r.report(c, Problem{
					Code: code, Offset: t.Offset, Relation: name, Column: col.Name,
					Objects: []catalog.Address{{OID: rel.OID}, {OID: rel.OID, Column: col.Num}},
				}, "%s writes a literal to column %q of %s that does not fit %s: it fails", r.verb(), col.Name, name, r.cat.FormatType(col.Type))
				break
			}
		}
	}
}

// allFit reports whether everything that a statement gives to a column fits its type for certain: literals that do, and values
// of a type that is no wider.
func (s *step) allFit(t *catalog.Target, now catalog.TypeRef) bool {
	for _, v := range t.Values {
		switch {
		case v.Null || v.Default:
		case v.Constant.GetAConst() != nil:
			if !literalFits(v.Constant, now) {
				return false
			}
		case v.Type == (catalog.TypeRef{}) || narrower(s.cat.BaseType(v.Type), now) != "":
			return false
		}
	}
	return len(t.Values) > 0
}

func literalFits(n *pgast.Node, now catalog.TypeRef) bool {
	for n.GetTypeCast() != nil {
		n = n.GetTypeCast().Arg
	}
	k := n.GetAConst()
	text := k.GetSval().GetSval()
	switch {
	case k.GetIval() != nil || k.GetVal() == nil:
		text = strconv.Itoa(int(k.GetIval().GetIval()))
	case k.GetFval() != nil:
		text = k.GetFval().GetFval()
	}
	if bits := intBits[now.OID]; bits > 0 {
		_, err := strconv.ParseInt(text, 10, bits)
		return err == nil
	}
	if now.OID == 1700 {
		whole, _, _ := strings.Cut(strings.TrimLeft(text, "-+0"), ".")
		return int32(len(whole)) <= (now.Mod-4)>>16-(now.Mod-4)&0x7ff
	}
	return utf8.RuneCountInString(strings.TrimRight(text, " ")) <= int(now.Mod-4) // spaces too many are cut off
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
	if b > 0 && (was.OID == 1700 || was.OID == 700 || was.OID == 701) {
		return "22003"
	}
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
