package sqlquery

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
)

func (m *machine) enter(loop bool) *target {
	t := &target{label: m.top().label, loop: loop}
	m.top().label = ""
	m.top().loops = append(m.top().loops, t)
	return t
}

func (m *machine) exit() {
	fr := m.top()
	fr.loops = fr.loops[:len(fr.loops)-1]
}

func (m *machine) execFor(s *ast.ForStmt, st *state) {
	if s.Init != nil {
		m.exec(s.Init, st)
	}
	var cond value
	if s.Cond != nil {
		cond = m.eval(s.Cond, st)
	}
	if b, known := truth(cond); known && !b {
		return
	}
	m.loop(s.Body, st, s.Cond == nil, assigned(s.Init, s.Post))
}

// assigned are the variables that the head of a loop changes.
func assigned(stmts ...ast.Stmt) []*ast.Ident {
	var list []*ast.Ident
	for _, s := range stmts {
		switch s := s.(type) {
		case *ast.AssignStmt:
			for _, l := range s.Lhs {
				if id, ok := l.(*ast.Ident); ok {
					list = append(list, id)
				}
			}
		case *ast.IncDecStmt:
			if id, ok := s.X.(*ast.Ident); ok {
				list = append(list, id)
			}
		}
	}
	return list
}

// loop carries out a body any number of times: once as the first round, and once as any later one, which finds what the
// first left.
func (m *machine) loop(body *ast.BlockStmt, st *state, endless bool, counters []*ast.Ident) {
	t := m.enter(true)
	round := func(start *state) *state {
		t.continues = nil
		m.execBlock(body.List, start)
		end := newState()
		join(end, &event{}, append([]*state{start}, t.continues...))
		if !end.dead {
			for _, id := range counters {
				if obj := m.objectOf(id); obj != nil {
					end.set(obj, &unknown{typ: obj.Type(), why: "a number that a loop counts"})
				}
			}
		}
		return end
	}
	after := round(st.clone())
	if !after.dead && !m.laterRound && (len(counters) > 0 || changes(st, after)) {
		m.laterRound = true // loops in this one have had theirs
		mergeRounds(after, round(after.clone()), &event{})
		m.laterRound = false
	}
	m.exit()
	switch {
	case endless && len(t.breaks) > 0:
		join(st, &event{}, t.breaks)
	case endless:
		st.dead = true
	default:
		joinLoop(st, after, &event{})
		if len(t.breaks) > 0 {
			join(st, &event{}, append([]*state{st.clone()}, t.breaks...))
		}
	}
}

// changes reports whether a round of a loop leaves anything that a later round could look at.
func changes(before, after *state) bool {
	after.freeze()
	for key, w := range changed(after.base, ancestor([]*state{before, after})) {
		v, ok := before.get(key)
		if !ok || equal(v, w) {
			continue
		}
		_, opaque1 := v.(*unknown)
		_, opaque2 := w.(*unknown)
		if !opaque1 || !opaque2 {
			return true
		}
	}
	return false
}

// mergeRounds adds to what the first round of a loop left what a later one changed. What only grew is left: joinLoop says
// that there may be more.
func mergeRounds(first, later *state, ev *event) {
	if later.dead {
		return
	}
	later.freeze()
	for key, w := range changed(later.base, ancestor([]*state{first, later})) {
		v, ok := first.get(key)
		if !ok || equal(v, w) || grown(ev, v, w) != nil {
			continue
		}
		first.set(key, joinValues(ev, []value{v, w}))
	}
}

func (m *machine) execRange(s *ast.RangeStmt, st *state) {
	over := m.eval(s.X, st)
	bind := func(way *state, key, val value) {
		if s.Key != nil {
			m.store(s.Key, key, way)
		}
		if s.Value != nil {
			m.store(s.Value, val, way)
		}
	}
	switch o := over.(type) {
	case *list:
		if o.open == "" && len(o.elems) <= maxUnroll {
			m.unroll(s, st, len(o.elems), func(way *state, i int) {
				bind(way, &number{constant.MakeInt64(int64(i))}, o.elems[i].v)
			})
			return
		}
	case *table:
		if o.open == "" && len(o.keys) <= maxUnroll {
			m.unroll(s, st, len(o.keys), func(way *state, i int) { bind(way, o.keys[i], o.vals[i].v) })
			return
		}
	}
	var key, val value = &unknown{}, &unknown{}
	t := m.typeOf(s.X)
	if t != nil {
		if p, ok := t.Underlying().(*types.Pointer); ok {
			t = p.Elem()
		}
		switch u := t.Underlying().(type) {
		case *types.Slice:
			key, val = &number{constant.MakeInt64(0)}, m.opaqueOf(u.Elem())
		case *types.Array:
			key, val = &number{constant.MakeInt64(0)}, m.opaqueOf(u.Elem())
		case *types.Map:
			key, val = m.opaqueOf(u.Key()), m.opaqueOf(u.Elem())
		case *types.Basic:
			if u.Info()&types.IsInteger != 0 {
				key = &number{constant.MakeInt64(0)}
			}
		}
	}
	if l, ok := over.(*list); ok && len(l.elems) > 0 {
		val = l.elems[0].v
	}
	if u, ok := over.(*unknown); ok && u.param != nil {
		for _, p := range []*value{&key, &val} {
			if x, ok := (*p).(*unknown); ok {
				*p = &unknown{typ: x.typ, why: x.why, param: u.param}
			}
		}
	}
	bind(st, key, val)
	var counters []*ast.Ident
	if id, ok := s.Key.(*ast.Ident); ok && id.Name != "_" {
		if _, isNumber := key.(*number); isNumber {
			counters = append(counters, id)
		}
	}
	m.loop(s.Body, st, false, counters)
}

// unroll carries out a body for each element of a literal.
func (m *machine) unroll(s *ast.RangeStmt, st *state, n int, bind func(*state, int)) {
	t := m.enter(true)
	for i := 0; i < n && !st.dead; i++ {
		bind(st, i)
		t.continues = nil
		m.execBlock(s.Body.List, st)
		if len(t.continues) > 0 {
			join(st, &event{}, append([]*state{st.clone()}, t.continues...))
		}
	}
	m.exit()
	if len(t.breaks) > 0 {
		join(st, &event{}, append([]*state{st.clone()}, t.breaks...))
	}
}

// opaqueOf is a value of a type of which nothing else is known.
func (m *machine) opaqueOf(t types.Type) value {
	if b := m.builderType(t, nil, nil); b != "" {
		return &builder{verb: b, base: &unknown{typ: t}}
	}
	if at := m.handleType(t); at != nil {
		return &handle{typ: at, tx: at.tx}
	}
	return &unknown{typ: t}
}

func (m *machine) execBranch(s *ast.BranchStmt, st *state) {
	if s.Tok == token.FALLTHROUGH {
		return
	}
	loops := m.top().loops
	for i := len(loops) - 1; i >= 0; i-- {
		t := loops[i]
		if s.Label != nil && t.label != s.Label.Name || s.Label == nil && s.Tok == token.CONTINUE && !t.loop {
			continue
		}
		if s.Tok == token.BREAK {
			t.breaks = append(t.breaks, st.clone())
		} else if s.Tok == token.CONTINUE {
			t.continues = append(t.continues, st.clone())
		}
		break
	}
	st.dead = true
}
