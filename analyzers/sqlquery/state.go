package sqlquery

import (
	"go/constant"
	"slices"
)

// state is what is known at one point of the code: what variables and fields hold, and which schemas can be met there.
// Copying one costs nothing: both go on from what they had in common, so that joining them looks only at what changed.
type state struct {
	base *layer
	own  map[any]value // by types.Object or field: what was set since base
	gate span
	dead bool // the point is not reached
}

// layer is a part of a state that is never changed any more.
type layer struct {
	parent *layer
	cells  map[any]value
	depth  int
}

// maxLayers bounds how far a look-up goes.
const maxLayers = 40

func newState() *state { return &state{} }

func (s *state) get(key any) (value, bool) {
	if v, ok := s.own[key]; ok {
		return v, true
	}
	for l := s.base; l != nil; l = l.parent {
		if v, ok := l.cells[key]; ok {
			return v, true
		}
	}
	return nil, false
}

func (s *state) set(key any, v value) {
	if s.own == nil {
		s.own = map[any]value{}
	}
	s.own[key] = v
}

// freeze puts what was set into a layer.
func (s *state) freeze() *layer {
	if len(s.own) == 0 {
		return s.base
	}
	depth := 1
	if s.base != nil {
		depth = s.base.depth + 1
	}
	s.base, s.own = &layer{s.base, s.own, depth}, nil
	if depth > maxLayers {
		s.base = &layer{nil, changed(s.base, nil), 1}
	}
	return s.base
}

func (s *state) clone() *state {
	return &state{base: s.freeze(), gate: s.gate, dead: s.dead}
}

// changed are the cells set in the layers from l down to, and without, an earlier one.
func changed(l, since *layer) map[any]value {
	all := map[any]value{}
	for ; l != nil && l != since; l = l.parent {
		for k, v := range l.cells {
			if _, ok := all[k]; !ok {
				all[k] = v
			}
		}
	}
	return all
}

// ancestor is the nearest layer that all states have; nil when there is none.
func ancestor(ways []*state) *layer {
	common := ways[0].base
	for _, w := range ways[1:] {
		l := w.base
		for common != l {
			switch {
			case common == nil || l == nil:
				return nil
			case common.depth > l.depth:
				common = common.parent
			case l.depth > common.depth:
				l = l.parent
			default:
				common, l = common.parent, l.parent
			}
		}
	}
	return common
}

// forget takes the cells for which drop is true out of what was set since an earlier layer.
func (s *state) forget(since *layer, drop func(any) bool) {
	s.freeze()
	for l := s.base; l != since; l = l.parent {
		if l == nil {
			return // made flat in between
		}
	}
	kept := changed(s.base, since)
	for k := range kept {
		if drop(k) {
			delete(kept, k)
		}
	}
	s.base, s.own = since, kept
}

// narrow adds what a condition says about the schemas.
func (s *state) narrow(g span) { s.gate = s.gate.meet(g) }

// reached leaves out the ways that are not taken: those that end, and those that no schema lets the code take, unless none
// lets it take any.
func reached(ways []*state) []*state {
	var live, possible []*state
	for _, w := range ways {
		if w.dead {
			continue
		}
		live = append(live, w)
		if !w.gate.empty() {
			possible = append(possible, w)
		}
	}
	if len(possible) > 0 {
		return possible
	}
	return live
}

// tellApart notes of an event which schemas each of its ways can meet, when they differ.
func (e *event) tellApart(ways []*state) {
	differ := false
	gates := make([]span, len(ways))
	for i, w := range ways {
		gates[i] = w.gate
		differ = differ || w.gate != ways[0].gate
	}
	if differ {
		e.gates = gates
	}
}

// join makes into what is known where several ways through the code meet. A cell that differs becomes a choice that the
// event decides; in builders, what only some ways added becomes optional.
func join(into *state, ev *event, ways []*state) {
	live := reached(ways)
	switch len(live) {
	case 0:
		into.dead = true
		return
	case 1:
		*into = *live[0]
		return
	}
	for _, w := range live {
		w.freeze()
	}
	switch {
	case ev.gates == nil:
		ev.tellApart(live)
	case len(live) < len(ways): // the alternatives of what it has decided so far are others
		ev = &event{}
		ev.tellApart(live)
	}
	out := &state{base: ancestor(live), gate: live[0].gate}
	keys := map[any]bool{}
	for _, w := range live {
		out.gate = out.gate.hull(w.gate)
		for l := w.base; l != out.base; l = l.parent {
			for k := range l.cells {
				keys[k] = true
			}
		}
	}
	vals := make([]value, len(live))
	for key := range keys {
		same, all := true, true
		for i, w := range live {
			v, ok := w.get(key)
			vals[i] = v
			all = all && ok
			same = same && ok && equal(v, vals[0])
		}
		switch {
		case same:
			out.set(key, vals[0])
		case all:
			out.set(key, joinValues(ev, append([]value{}, vals...)))
		default: // declared on one way only, or a field set on one way only
			out.set(key, joinPartly(ev, key, live))
		}
	}
	*into = *out
}

// joinPartly joins a cell that not every way has. A field that was not set has its zero value.
func joinPartly(ev *event, key any, live []*state) value {
	f, isField := key.(field)
	var vals []value
	var any value
	for _, w := range live {
		v, ok := w.get(key)
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
	return joinValues(ev, vals)
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
		return ok && x.typ == y.typ && x.tx == y.tx && x.do == y.do && x.opened == y.opened && x.unsafe == y.unsafe && len(x.prepared) == 0 && len(y.prepared) == 0
	}
	return false
}

// joinValues is a value that is one of several, as the event decides.
func joinValues(ev *event, vals []value) value {
	if c := joinInside(ev, vals); c != nil {
		return c
	}
	if ev.gates == nil { // else what only some ways add depends on the schema, and stays apart
		if b := joinBuilders(vals); b != nil {
			return b
		}
	}
	if r := joinResults(vals); r != nil {
		return r
	}
	if q := joinQueues(vals); q != nil {
		return q
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
	if t := joinTexts(ev, vals); t != nil {
		return t
	}
	return &choice{ev, vals}
}

// joinInside joins builders of which some depend on the schema already: within each of the alternatives that an earlier event
// decides, so that what is optional there stays optional. It is nil when that is not so.
func joinInside(ev *event, vals []value) value {
	var earlier *choice
	for _, v := range vals {
		switch v := v.(type) {
		case *builder:
		case *choice:
			if v.event.gates == nil || v.event == ev || earlier != nil && v.event != earlier.event || !anyBuilder(v) {
				return nil
			}
			earlier = v
		default:
			return nil
		}
	}
	if earlier == nil {
		return nil
	}
	alts := make([]value, len(earlier.alts))
	for i := range alts {
		list := make([]value, len(vals))
		for j, v := range vals {
			if c, ok := v.(*choice); ok {
				v = c.alts[min(i, len(c.alts)-1)]
			}
			list[j] = v
		}
		alts[i] = joinValues(ev, list)
	}
	return &choice{earlier.event, alts}
}

func anyBuilder(c *choice) bool {
	return slices.ContainsFunc(c.alts, func(v value) bool {
		switch v := v.(type) {
		case *builder:
			return true
		case *choice:
			return anyBuilder(v)
		}
		return false
	})
}

// joinTexts keeps what several texts begin with apart from the choice of how they go on; nil when it is nothing.
func joinTexts(ev *event, vals []value) value {
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
	return &text{append(texts[0].parts[:common:common], part{choice: &choice{ev, rest}})}
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
func joinLoop(st, after *state, ev *event) {
	if after.dead {
		return
	}
	before := st.clone()
	after.freeze()
	grew := map[any]value{}
	for key, now := range changed(after.base, ancestor([]*state{before, after})) {
		if old, ok := before.get(key); ok && !equal(old, now) {
			if v := grown(ev, old, now); v != nil {
				grew[key] = v
			}
		}
	}
	join(st, ev, []*state{before, after})
	for key, v := range grew {
		st.set(key, v)
	}
}

// grown is a value that a loop made longer; nil when it is not one.
func grown(ev *event, old, now value) value {
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
		return &text{append(append([]part{}, wasParts...), part{choice: &choice{ev, []value{more, zeroText}}})}
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
