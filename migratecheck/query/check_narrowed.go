package query

import (
	"math/big"
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
	Bodies:  true,
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

// defaultsFit looks at the columns that an INSERT leaves, or an UPDATE sets, to a default that is a constant and does not fit.
func (r *reading) defaultsFit(c *Check) {
	r.writes(func(w change) {
		rel := w.rel
		for i := range rel.Columns {
			col := &rel.Columns[i]
			t := w.Target(col.Num)
			if col.Dropped || t == nil && w.Op != 'i' || t != nil && !t.Default || col.Default == nil || col.Generated != 0 || !col.Default.Constant || isNull(col.Default) {
				continue
			}
			code := limit(r.cat.BaseType(col.Type))
			if code == "" || literalFits(col.Default.Node, r.cat.BaseType(col.Type)) {
				continue
			}
			verb := "leaves"
			if w.Op == 'u' {
				verb = "sets"
			}
			r.report(c, Problem{
				Code: code, Offset: w.Offset, Relation: r.cat.NameOf(rel.OID).String(), Column: col.Name,
				Objects: []catalog.Address{{OID: rel.OID}, {OID: rel.OID, Column: col.Num}},
			}, "%s %s column %q of %s to its default, %s, which does not fit %s: every row is refused",
				r.verb(), verb, col.Name, r.cat.NameOf(rel.OID), col.Default.SQL, r.cat.FormatType(col.Type))
		}
	})
}

// literalsFit looks at literals that are stored in a column that they do not fit.
func (r *reading) literalsFit(c *Check) {
	r.writes(func(w change) {
		rel := w.rel
		for _, t := range w.Targets {
			col := rel.Att(t.Column)
			if col == nil {
				continue
			}
			now := r.cat.BaseType(col.Type)
			code := limit(now)
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
	})
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

// literalFits reports whether a literal can be stored as a type. A string that is no number is for the check literal to tell of, if it
// is to be one.
func literalFits(n *pgast.Node, now catalog.TypeRef) bool {
	for n.GetTypeCast() != nil {
		n = n.GetTypeCast().Arg
	}
	k := n.GetAConst()
	text := k.GetSval().GetSval()
	switch {
	case k.GetBoolval() != nil || k.GetBsval() != nil:
		return true
	case k.GetIval() != nil || k.GetVal() == nil:
		text = strconv.Itoa(int(k.GetIval().GetIval()))
	case k.GetFval() != nil:
		text = k.GetFval().GetFval()
	}
	below := bound(now)
	if below == nil {
		return utf8.RuneCountInString(strings.TrimRight(text, " ")) <= int(now.Mod-4) // spaces too many are cut off
	}
	number, ok := new(big.Rat).SetString(strings.TrimSpace(text))
	if !ok {
		return true
	}
	return number.Abs(rounded(number, now)).Cmp(below) < 0
}

// rounded is a number with as many digits behind the point as a type has (round_var, src/backend/utils/adt/numeric.c): away from zero.
func rounded(n *big.Rat, t catalog.TypeRef) *big.Rat {
	scale := 0
	switch {
	case t.OID == numericOID && t.Mod > 0:
		_, scale = precision(t)
	case intBits[t.OID] == 0:
		return n
	}
	r, _ := new(big.Rat).SetString(n.FloatString(max(0, scale))) // as FloatString rounds
	return r
}

// precision takes the type modifier of a numeric apart (numeric_typmod_scale, src/backend/utils/adt/numeric.c).
func precision(t catalog.TypeRef) (digits, scale int) {
	return int((t.Mod - 4) >> 16), int((t.Mod-4)&0x7ff^1024) - 1024
}

const (
	numericOID = 1700
	float4OID  = 700
	float8OID  = 701
)

// bound is what the absolute values of a type of numbers are below, nil for other types and for numeric without a precision. That the
// least integer is one further from zero does not matter here.
func bound(t catalog.TypeRef) *big.Rat {
	power := func(base, exponent int64) *big.Rat {
		return new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(base), big.NewInt(exponent), nil))
	}
	switch {
	case t.Array:
	case intBits[t.OID] > 0:
		return power(2, int64(intBits[t.OID]-1))
	case t.OID == numericOID && t.Mod > 0:
		digits, scale := precision(t)
		return power(10, max(0, int64(digits-scale)))
	case t.OID == float4OID:
		return power(2, 128)
	case t.OID == float8OID:
		return power(2, 1024)
	}
	return nil
}

func isNumber(t catalog.TypeRef) bool { return bound(t) != nil || !t.Array && t.OID == numericOID }

func isText(t catalog.TypeRef) bool {
	return !t.Array && (t.OID == 25 || t.OID == 1043 || t.OID == 1042)
}

// limit answers the SQLSTATE of a value too large or too long for a type, "" when none is.
func limit(t catalog.TypeRef) string {
	switch {
	case bound(t) != nil:
		return "22003"
	case isText(t) && t.OID != 25 && t.Mod > 0:
		return "22001"
	}
	return ""
}

// narrower answers the SQLSTATE of a value that fitted the one type and not the other, "" when all do or the types are not
// of one family.
func narrower(was, now catalog.TypeRef) string {
	code := limit(now)
	switch {
	case isNumber(was) && isNumber(now) && code != "":
		before := bound(was)
		if before == nil && now.OID == float8OID || before != nil && before.Cmp(bound(now)) <= 0 {
			return "" // what no float8 holds is no number that code computes
		}
		return code
	case isText(was) && isText(now) && code != "" && (limit(was) == "" || now.Mod < was.Mod):
		return code
	}
	return ""
}
