package sqlquery

import (
	"go/constant"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
)

// state is what is known at one point of the code: what variables and fields hold, and which schemas can be met there.
type state struct {
	cells map[any]value // by types.Object or field
	gate  query.Gate
	dead  bool // the point is not reached
}

func newState() *state { return &state{cells: map[any]value{}} }

func (s *state) clone() *state {
	c := &state{cells: make(map[any]value, len(s.cells)+4), gate: s.gate, dead: s.dead}
	for k, v := range s.cells {
		c.cells[k] = v
	}
	return c
}

// narrow adds what a condition says about the schemas.
func (s *state) narrow(g query.Gate) {
	s.gate.AtLeast = max(s.gate.AtLeast, g.AtLeast)
	if s.gate.Below == 0 || g.Below != 0 && g.Below < s.gate.Below {
		s.gate.Below = g.Below
	}
}

// hull is the smallest gate that admits what either admits.
func hull(a, b query.Gate) query.Gate {
	if a.AtLeast == 0 || b.AtLeast == 0 {
		a.AtLeast = 0
	} else {
		a.AtLeast = min(a.AtLeast, b.AtLeast)
	}
	if a.Below == 0 || b.Below == 0 {
		a.Below = 0
	} else {
		a.Below = max(a.Below, b.Below)
	}
	return a
}

// join makes into what is known where several ways through the code meet. A cell that differs becomes a choice that the
// event decides; in builders, what only some ways added becomes optional.
func join(into *state, event int, ways []*state) {
	var live []*state
	for _, w := range ways {
		if !w.dead {
			live = append(live, w)
		}
	}
	switch len(live) {
	case 0:
		into.dead = true
		return
	case 1:
		*into = *live[0]
		return
	}
	out := &state{cells: map[any]value{}, gate: live[0].gate}
	for _, w := range live[1:] {
		out.gate = hull(out.gate, w.gate)
	}
	for key, first := range live[0].cells {
		same, all := true, true
		for _, w := range live[1:] {
			v, ok := w.cells[key]
			all = all && ok
			same = same && ok && equal(v, first)
		}
		if same {
			out.cells[key] = first
			continue
		}
		if !all { // declared on one way only, or a field set on one way only
			out.cells[key] = joinPartly(event, key, live)
			continue
		}
		vals := make([]value, len(live))
		for i, w := range live {
			vals[i] = w.cells[key]
		}
		out.cells[key] = joinValues(event, vals)
	}
	for _, w := range live[1:] {
		for key := range w.cells {
			if _, ok := out.cells[key]; !ok {
				out.cells[key] = joinPartly(event, key, live)
			}
		}
	}
	*into = *out
}

// joinPartly joins a cell that not every way has. A field that was not set has its zero value.
func joinPartly(event int, key any, live []*state) value {
	f, isField := key.(field)
	var vals []value
	var any value
	for _, w := range live {
		v, ok := w.cells[key]
		if !ok && isField && f.of.known {
			v = zeroText
		} else if !ok {
			continue
		}
		any = v
		vals = append(vals, v)
	}
	if len(vals) < len(live) {
		return any
	}
	return joinValues(event, vals)
}

var zeroText = &text{[]part{{zero: true}}}

// equal reports whether two values are the same for certain.
func equal(a, b value) bool {
	if a == b {
		return true
	}
	switch x := a.(type) {
	case *number:
		y, ok := b.(*number)
		return ok && x.v.Kind() == y.v.Kind() && constant.Compare(x.v, tokenEQL, y.v)
	case *text:
		y, ok := b.(*text)
		if !ok || len(x.parts) != len(y.parts) {
			return false
		}
		for i := range x.parts {
			if x.parts[i] != y.parts[i] {
				return false
			}
		}
		return true
	case *null:
		_, ok := b.(*null)
		return ok
	case *handle:
		y, ok := b.(*handle)
		return ok && x.typ == y.typ && x.tx == y.tx && len(x.prepared) == 0 && len(y.prepared) == 0
	}
	return false
}

// joinValues is a value that is one of several, as the event decides.
func joinValues(event int, vals []value) value {
	if b := joinBuilders(vals); b != nil {
		return b
	}
	if r := joinResults(vals); r != nil {
		return r
	}
	opaque := true
	for _, v := range vals {
		switch v.(type) {
		case *unknown, nil:
		default:
			opaque = false
		}
	}
	if opaque {
		for _, v := range vals {
			if u, ok := v.(*unknown); ok && u.param == nil {
				return u
			}
		}
		return vals[0]
	}
	if t := joinTexts(event, vals); t != nil {
		return t
	}
	return &choice{event, vals}
}

// joinTexts keeps what several texts begin with apart from the choice of how they go on; nil when it is nothing.
func joinTexts(event int, vals []value) value {
	texts := make([]*text, len(vals))
	common := 0
	for i, v := range vals {
		t, ok := v.(*text)
		if !ok {
			return nil
		}
		texts[i] = t
		if i == 0 {
			common = len(t.parts)
		}
		n := 0
		for n < common && n < len(t.parts) && t.parts[n] == texts[0].parts[n] {
			n++
		}
		common = n
	}
	if common == 0 || len(texts[0].parts) == 1 && texts[0].parts[0].zero {
		return nil
	}
	rest := make([]value, len(texts))
	for i, t := range texts {
		rest[i] = &text{t.parts[common:]}
	}
	return &text{append(texts[0].parts[:common:common], part{choice: &choice{event, rest}})}
}

// joinResults merges what queries returned, so that a later Scan counts for each of them. nil and unknown values beside
// them are what a variable held before.
func joinResults(vals []value) value {
	var merged *result
	for _, v := range vals {
		switch v := v.(type) {
		case *result:
			if merged == nil {
				merged = &result{}
			}
			for _, o := range v.of {
				if !containsObs(merged.of, o) {
					merged.of = append(merged.of, o)
				}
			}
		case *unknown, *null, nil:
		default:
			return nil
		}
	}
	if merged == nil {
		return nil
	}
	return merged
}

func containsObs(list []*observation, o *observation) bool {
	for _, have := range list {
		if have == o {
			return true
		}
	}
	return false
}

// joinLoop makes st what is known behind a loop: after is what is known behind its body, and the loop ran any number of
// times.
func joinLoop(st, after *state, event int) {
	if after.dead {
		return
	}
	before := st.clone()
	join(st, event, []*state{before, after})
	for key, old := range before.cells {
		now, ok := after.cells[key]
		if !ok || equal(old, now) {
			continue
		}
		if v := grown(event, old, now); v != nil {
			st.cells[key] = v
		}
	}
}

// grown is a value that a loop made longer; nil when it is not one.
func grown(event int, old, now value) value {
	switch now := now.(type) {
	case *text:
		was, ok := old.(*text)
		if !ok {
			return nil
		}
		wasParts := was.parts
		if len(wasParts) == 1 && wasParts[0] == (part{zero: true}) {
			wasParts = nil
		}
		if len(now.parts) <= len(wasParts) {
			return nil
		}
		for i := range wasParts {
			if now.parts[i] != wasParts[i] {
				return nil
			}
		}
		more := &text{append(append([]part{}, now.parts[len(wasParts):]...), part{hole: &hole{why: "a piece that a loop repeats", repeat: true}})}
		return &text{append(append([]part{}, wasParts...), part{choice: &choice{event, []value{more, zeroText}}})}
	case *list:
		was, ok := old.(*list)
		if !ok {
			if _, isNull := old.(*null); !isNull {
				if _, isUnknown := old.(*unknown); !isUnknown {
					return nil
				}
			}
			was = &list{}
		}
		if len(now.elems) <= len(was.elems) {
			return nil
		}
		return &list{now.elems, "as many elements as a loop makes"}
	}
	return nil
}
