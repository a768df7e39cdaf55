package sqlquery

import (
	"go/constant"
	"go/token"
	"slices"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
)

// span is a range of schema versions: from ≤ version < below; 0 is no bound. It is what a state knows of the schemas that the
// code there can meet, and what the ways of an event are told apart by.
type span struct {
	from, below int64
	// do is the call of gate.Do in which the code asked for what keeps it below, 0 for none: a query in the same call is tried
	// again with another answer.
	do int
}

// nowhere is met by no schema: two questions that cannot both have had these answers.
var nowhere = span{from: 1, below: 1}

func (a span) empty() bool { return a.below != 0 && a.from >= a.below }

// meet is what lies in both.
func (a span) meet(b span) span {
	out := span{max(a.from, b.from), a.below, a.do}
	switch {
	case b.below == 0:
	case a.below == 0 || b.below < a.below:
		out.below, out.do = b.below, b.do
	case b.below == a.below && b.do != 0:
		out.do = b.do // one of the two questions is asked again: that is enough
	}
	return out
}

// hull is the smallest range that has both.
func (a span) hull(b span) span {
	if a.empty() {
		return b
	}
	if b.empty() {
		return a
	}
	out := span{from: min(a.from, b.from)}
	if a.below != 0 && b.below != 0 {
		out.below = max(a.below, b.below)
		if a.do == b.do {
			out.do = a.do
		}
	}
	return out
}

// gate is the range for a query of this observation, as far as the calls of its function let it come.
func (m *machine) gate(o *observation, a span) query.Gate {
	own := query.Gate{AtLeast: a.from, Below: a.below}
	if own.Empty() {
		return own
	}
	own.Retried = a.below != 0 && (slices.Contains(o.doing, a.do) || m.insideDo(o.root))
	return own.And(m.entry(o.root))
}

// condition is what a truth value says of the schema, nil when it says nothing.
func condition(v value) *gated {
	out := &gated{}
	switch v := v.(type) {
	case *gated:
		return v
	case *number:
		switch is, known := truth(v); {
		case !known:
			return nil
		case is:
			out.not = nowhere
		default:
			out.gate = nowhere
		}
		return out
	case *choice: // of the ways that make it true, and of those that make it false
		out.gate, out.not = nowhere, nowhere
		for i, alt := range v.alts {
			g := condition(alt)
			if g == nil {
				g = &gated{}
			}
			at := v.event.gate(i)
			out.gate, out.not = out.gate.hull(at.meet(g.gate)), out.not.hull(at.meet(g.not))
		}
	}
	if out.gate == (span{}) && out.not == (span{}) {
		return nil
	}
	return out
}

// contrary is the value of !v, nil when nothing is known of it.
func contrary(v value) value {
	switch v := v.(type) {
	case *gated:
		return &gated{v.not, v.gate}
	case *number:
		if is, known := truth(v); known {
			return &number{constant.MakeBool(!is)}
		}
	case *choice:
		if g := condition(v); g != nil {
			return &gated{g.not, g.gate}
		}
	}
	return nil
}

// equality is the value of a == b, nil when nothing is known of it.
func equality(a, b value) value {
	if is, known := same(a, b); known {
		return &number{constant.MakeBool(is)}
	}
	for _, pair := range [][2]value{{a, b}, {b, a}} {
		switch v := pair[0].(type) {
		case *schemaVersion:
			if n, ok := intOf(pair[1]); ok {
				return &gated{gate: v.from(n).meet(v.below(n + 1))}
			}
		case *number: // true == v
			if is, known := truth(v); known && condition(pair[1]) != nil {
				if is {
					return pair[1]
				}
				return contrary(pair[1])
			}
		case *choice:
			if v.event.gates == nil {
				continue
			}
			alts := make([]value, len(v.alts))
			for i, alt := range v.alts {
				if alts[i] = equality(alt, pair[1]); alts[i] == nil {
					alts[i] = &unknown{}
				}
			}
			return &choice{v.event, alts}
		}
	}
	return nil
}

// ordering is the value of a comparison of a schema's version with a number, nil of any other.
func ordering(a value, op token.Token, b value) value {
	v, ok := a.(*schemaVersion)
	other := b
	if !ok {
		if v, ok = b.(*schemaVersion); !ok {
			return nil
		}
		other = a
		op = map[token.Token]token.Token{token.LSS: token.GTR, token.GTR: token.LSS, token.LEQ: token.GEQ, token.GEQ: token.LEQ}[op]
	}
	n, ok := intOf(other)
	if !ok {
		return nil
	}
	if op == token.GTR || op == token.LEQ {
		n++
	}
	if op == token.LSS || op == token.LEQ {
		return &gated{v.below(n), v.from(n)}
	}
	return &gated{v.from(n), v.below(n)}
}

// from are the schemas at which a snapshot says that migration n is there, below those at which it says that it is not.
func (s *snapshot) from(n int64) span { return span{from: max(n, 0)} }

func (s *snapshot) below(n int64) span {
	if n <= 0 {
		return nowhere
	}
	return span{below: n, do: s.do}
}
