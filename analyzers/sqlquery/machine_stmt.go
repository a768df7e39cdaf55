package sqlquery

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
)

func (m *machine) execBlock(list []ast.Stmt, st *state) {
	for _, s := range list {
		if st.dead || m.exhausted() {
			return
		}
		m.exec(s, st)
	}
}

// exec carries out a statement. st becomes what is known behind it.
func (m *machine) exec(s ast.Stmt, st *state) {
	switch s := s.(type) {
	case *ast.ExprStmt:
		m.eval(s.X, st)
	case *ast.AssignStmt:
		m.assign(s, st)
	case *ast.DeclStmt:
		m.declare(s, st)
	case *ast.BlockStmt:
		m.execBlock(s.List, st)
	case *ast.IfStmt:
		m.execIf(s, st)
	case *ast.SwitchStmt:
		m.execSwitch(s, st)
	case *ast.TypeSwitchStmt:
		m.execTypeSwitch(s, st)
	case *ast.SelectStmt:
		m.execSelect(s, st)
	case *ast.ForStmt:
		m.execFor(s, st)
	case *ast.RangeStmt:
		m.execRange(s, st)
	case *ast.ReturnStmt:
		m.execReturn(s, st)
	case *ast.BranchStmt:
		m.execBranch(s, st)
	case *ast.LabeledStmt:
		m.top().label = s.Label.Name
		m.exec(s.Stmt, st)
		m.top().label = ""
	case *ast.DeferStmt:
		m.eval(s.Call, st)
	case *ast.GoStmt:
		m.eval(s.Call, st)
	case *ast.SendStmt:
		m.eval(s.Chan, st)
		m.eval(s.Value, st)
	case *ast.IncDecStmt:
		v := m.eval(s.X, st)
		next := value(&unknown{typ: m.typeOf(s.X)})
		if n, ok := v.(*number); ok && n.v.Kind() == constant.Int {
			op := token.ADD
			if s.Tok == token.DEC {
				op = token.SUB
			}
			next = &number{constant.BinaryOp(n.v, op, constant.MakeInt64(1))}
		}
		m.store(s.X, next, st)
	}
}

func (m *machine) declare(s *ast.DeclStmt, st *state) {
	g, ok := s.Decl.(*ast.GenDecl)
	if !ok || g.Tok != token.VAR {
		return
	}
	for _, spec := range g.Specs {
		v, ok := spec.(*ast.ValueSpec)
		if !ok {
			continue
		}
		if len(v.Values) == 0 {
			for _, name := range v.Names {
				obj := m.pkg().info.Defs[name]
				if obj == nil {
					continue
				}
				if b := m.builderType(obj.Type(), v.Type, m.pkg()); b != "" {
					st.set(obj, &builder{verb: b})
					continue
				}
				st.set(obj, m.zero(obj.Type()))
			}
			continue
		}
		lhs := make([]ast.Expr, len(v.Names))
		for i, name := range v.Names {
			lhs[i] = name
		}
		m.assignAll(lhs, v.Values, st)
	}
}

func (m *machine) assign(s *ast.AssignStmt, st *state) {
	switch s.Tok {
	case token.ASSIGN, token.DEFINE:
		m.assignAll(s.Lhs, s.Rhs, st)
	case token.ADD_ASSIGN:
		if len(s.Lhs) == 1 && len(s.Rhs) == 1 {
			m.store(s.Lhs[0], m.add(m.eval(s.Lhs[0], st), m.eval(s.Rhs[0], st), m.typeOf(s.Lhs[0])), st)
		}
	default:
		for _, r := range s.Rhs {
			m.eval(r, st)
		}
		for _, l := range s.Lhs {
			m.store(l, &unknown{typ: m.typeOf(l)}, st)
		}
	}
}

func (m *machine) assignAll(lhs, rhs []ast.Expr, st *state) {
	if len(lhs) > 1 && len(rhs) == 1 {
		v := m.eval(rhs[0], st)
		vals := spread(v, len(lhs))
		for i, l := range lhs {
			m.store(l, vals[i], st)
		}
		return
	}
	vals := make([]value, len(rhs))
	for i, r := range rhs {
		vals[i] = m.eval(r, st)
	}
	for i, l := range lhs {
		if i < len(vals) {
			m.store(l, vals[i], st)
		}
	}
}

// spread takes the results of a call apart. Of `v, ok := x.(T)` and `v, ok := m[k]` the first is the value itself.
func spread(v value, n int) []value {
	vals := make([]value, n)
	switch v := v.(type) {
	case *tuple:
		copy(vals, v.vals)
	case *choice:
		parts := make([][]value, len(v.alts))
		for i, a := range v.alts {
			parts[i] = spread(a, n)
		}
		for i := range vals {
			alts := make([]value, len(parts))
			for j := range parts {
				alts[j] = parts[j][i]
			}
			vals[i] = joinValues(v.event, alts)
		}
	case *unknown:
		for i := range vals {
			typ := v.typ
			if t, ok := typ.(*types.Tuple); ok && i < t.Len() {
				typ = t.At(i).Type()
			} else if ok {
				typ = nil
			}
			vals[i] = &unknown{typ: typ, why: v.why, param: v.param}
		}
	default:
		vals[0] = v
	}
	for i := range vals {
		if vals[i] == nil {
			vals[i] = &unknown{}
		}
	}
	return vals
}

// store puts a value where an expression points.
func (m *machine) store(l ast.Expr, v value, st *state) {
	switch l := ast.Unparen(l).(type) {
	case *ast.Ident:
		if l.Name == "_" {
			return
		}
		if obj := m.objectOf(l); obj != nil {
			if u, ok := v.(*unknown); ok && u.typ == nil && obj.Type() != nil {
				v = &unknown{typ: obj.Type(), why: u.why, param: u.param}
			}
			st.set(obj, v)
		}
	case *ast.SelectorExpr:
		base := m.eval(l.X, st)
		if o, ok := base.(*object); ok {
			st.set(field{o, l.Sel.Name}, v)
		}
	case *ast.StarExpr:
		m.store(l.X, v, st)
	case *ast.IndexExpr:
		m.eval(l.Index, st)
		m.storeIndex(l, v, st)
	}
}

// storeIndex puts a value into a map or a slice, a new one: others may hold the old.
func (m *machine) storeIndex(l *ast.IndexExpr, v value, st *state) {
	base := m.eval(l.X, st)
	key := m.eval(l.Index, st)
	switch b := base.(type) {
	case *table:
		next := &table{typ: b.typ, open: b.open}
		next.keys = append(append(next.keys, b.keys...), key)
		next.vals = append(append(next.vals, b.vals...), arg{v: v, typ: m.typeOf(l), expr: l, pkg: m.pkg()})
		m.store(l.X, next, st)
	case *list:
		if n, ok := key.(*number); ok {
			if i, ok := constant.Int64Val(n.v); ok && i >= 0 && int(i) < len(b.elems) {
				next := &list{append([]arg{}, b.elems...), b.open}
				next.elems[i] = arg{v: v, typ: m.typeOf(l), expr: l, pkg: m.pkg()}
				m.store(l.X, next, st)
				return
			}
		}
		m.store(l.X, &list{b.elems, "elements set at run time"}, st)
	}
}

func (m *machine) execIf(s *ast.IfStmt, st *state) {
	if s.Init != nil {
		m.exec(s.Init, st)
	}
	if st.dead {
		return
	}
	cond := m.eval(s.Cond, st)
	yes, no := st.clone(), st
	if b, known := truth(cond); known {
		if b {
			m.aside(func() {
				if s.Else != nil {
					m.exec(s.Else, no.clone())
				}
			})
			m.execBlock(s.Body.List, st)
		} else {
			m.aside(func() { m.execBlock(s.Body.List, yes) })
			if s.Else != nil {
				m.exec(s.Else, st)
			}
		}
		return
	}
	if g, ok := cond.(*gated); ok {
		yes.narrow(g.gate)
		no.narrow(g.not)
	}
	m.execBlock(s.Body.List, yes)
	other := no.clone()
	if s.Else != nil {
		m.exec(s.Else, other)
	}
	join(st, m.event(), []*state{yes, other})
}

// aside evaluates code that is not reached with what is known here. It is code all the same, so its sites are found where
// the whole function is evaluated by itself; its effects are not wanted.
func (m *machine) aside(f func()) {
	for _, fr := range m.stack[1:] {
		if fr.lit == nil {
			return
		}
	}
	fr := m.top()
	returns := len(fr.returns)
	marks := make([][2]int, len(fr.loops))
	for i, t := range fr.loops {
		marks[i] = [2]int{len(t.breaks), len(t.continues)}
	}
	f()
	fr.returns = fr.returns[:returns]
	for i, t := range fr.loops {
		t.breaks, t.continues = t.breaks[:marks[i][0]], t.continues[:marks[i][1]]
	}
}

func truth(v value) (b, known bool) {
	if n, ok := v.(*number); ok && n.v.Kind() == constant.Bool {
		return constant.BoolVal(n.v), true
	}
	return false, false
}

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

func (m *machine) execSwitch(s *ast.SwitchStmt, st *state) {
	if s.Init != nil {
		m.exec(s.Init, st)
	}
	var tag value
	if s.Tag != nil {
		tag = m.eval(s.Tag, st)
	}
	t := m.enter(false)
	var ways []*state
	hasDefault, decided := false, false
	rest := st.clone() // where none of the cases so far is true
	var deflt *ast.CaseClause
	clauses := s.Body.List
	run := func(i int, way *state) {
		for ; i < len(clauses); i++ {
			c, ok := clauses[i].(*ast.CaseClause)
			if !ok {
				break
			}
			m.execBlock(c.Body, way)
			if n := len(c.Body); n == 0 || !isFallthrough(c.Body[n-1]) {
				break
			}
		}
		ways = append(ways, way)
	}
	for i, cl := range clauses {
		c, ok := cl.(*ast.CaseClause)
		if !ok {
			continue
		}
		if c.List == nil {
			hasDefault, deflt = true, c
			continue
		}
		if decided {
			continue
		}
		verdict := -1 // 1 taken for certain, 0 not taken for certain, -1 unknown
		var gate *gated
		for _, e := range c.List {
			v := m.eval(e, st)
			is, known := false, false
			if tag == nil {
				is, known = truth(v)
				if g, ok := v.(*gated); ok && len(c.List) == 1 {
					gate = g
				}
			} else {
				is, known = same(tag, v)
			}
			if known && is {
				verdict = 1
				break
			}
			if known && verdict == -1 && len(c.List) == 1 {
				verdict = 0
			}
		}
		if verdict == 0 {
			continue
		}
		way := rest.clone()
		if gate != nil {
			way.narrow(gate.gate)
			rest.narrow(gate.not)
		}
		run(i, way)
		decided = verdict == 1
	}
	if hasDefault && !decided {
		for i, cl := range clauses {
			if cl == ast.Stmt(deflt) {
				run(i, rest.clone())
			}
		}
	}
	if !hasDefault && !decided {
		ways = append(ways, rest)
	}
	m.exit()
	join(st, m.event(), append(ways, t.breaks...))
}

func isFallthrough(s ast.Stmt) bool {
	b, ok := s.(*ast.BranchStmt)
	return ok && b.Tok == token.FALLTHROUGH
}

// same compares two values as far as they are known.
func same(a, b value) (is, known bool) {
	_, null1 := a.(*null)
	_, null2 := b.(*null)
	if null1 && null2 {
		return true, true
	}
	if null1 || null2 {
		other := a
		if null1 {
			other = b
		}
		switch other.(type) {
		case *text, *number, *object, *builder, *sqlizer, *function:
			return false, true
		}
		return false, false
	}
	if x, ok := a.(*number); ok {
		if y, ok := b.(*number); ok && x.v.Kind() == y.v.Kind() {
			return constant.Compare(x.v, token.EQL, y.v), true
		}
		return false, false
	}
	x, ok1 := literal(a)
	y, ok2 := literal(b)
	if ok1 && ok2 && a != value(zeroText) && b != value(zeroText) {
		return x == y, true
	}
	return false, false
}

func (m *machine) execTypeSwitch(s *ast.TypeSwitchStmt, st *state) {
	if s.Init != nil {
		m.exec(s.Init, st)
	}
	var v value
	var x ast.Expr
	switch a := s.Assign.(type) {
	case *ast.AssignStmt:
		if ta, ok := a.Rhs[0].(*ast.TypeAssertExpr); ok {
			x = ta.X
		}
	case *ast.ExprStmt:
		if ta, ok := a.X.(*ast.TypeAssertExpr); ok {
			x = ta.X
		}
	}
	if x != nil {
		v = m.eval(x, st)
	}
	t := m.enter(false)
	var ways []*state
	hasDefault := false
	for _, cl := range s.Body.List {
		c, ok := cl.(*ast.CaseClause)
		if !ok {
			continue
		}
		hasDefault = hasDefault || c.List == nil
		way := st.clone()
		if obj := m.pkg().info.Implicits[c]; obj != nil {
			way.set(obj, m.assertTo(v, obj.Type()))
		}
		m.execBlock(c.Body, way)
		ways = append(ways, way)
	}
	if !hasDefault {
		ways = append(ways, st.clone())
	}
	m.exit()
	join(st, m.event(), append(ways, t.breaks...))
}

// assertTo is a value of which a type has been learnt.
func (m *machine) assertTo(v value, t types.Type) value {
	switch v := v.(type) {
	case *unknown:
		if b := m.builderType(t, nil, nil); b != "" {
			return &builder{verb: b, base: v}
		}
		if at := m.handleType(t); at != nil {
			return &handle{typ: at, tx: at.tx}
		}
		return &unknown{typ: t, why: v.why, param: v.param}
	case nil:
		return &unknown{typ: t}
	}
	return v
}

func (m *machine) execSelect(s *ast.SelectStmt, st *state) {
	t := m.enter(false)
	var ways []*state
	for _, cl := range s.Body.List {
		c, ok := cl.(*ast.CommClause)
		if !ok {
			continue
		}
		way := st.clone()
		if c.Comm != nil {
			m.exec(c.Comm, way)
		}
		m.execBlock(c.Body, way)
		ways = append(ways, way)
	}
	m.exit()
	join(st, m.event(), append(ways, t.breaks...))
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
		join(end, m.event(), append([]*state{start}, t.continues...))
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
		mergeRounds(after, round(after.clone()), m.event())
		m.laterRound = false
	}
	m.exit()
	switch {
	case endless && len(t.breaks) > 0:
		join(st, m.event(), t.breaks)
	case endless:
		st.dead = true
	default:
		joinLoop(st, after, m.event())
		if len(t.breaks) > 0 {
			join(st, m.event(), append([]*state{st.clone()}, t.breaks...))
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
func mergeRounds(first, later *state, event int) {
	if later.dead {
		return
	}
	later.freeze()
	for key, w := range changed(later.base, ancestor([]*state{first, later})) {
		v, ok := first.get(key)
		if !ok || equal(v, w) || grown(event, v, w) != nil {
			continue
		}
		first.set(key, joinValues(event, []value{v, w}))
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
			join(st, m.event(), append([]*state{st.clone()}, t.continues...))
		}
	}
	m.exit()
	if len(t.breaks) > 0 {
		join(st, m.event(), append([]*state{st.clone()}, t.breaks...))
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

func (m *machine) execReturn(s *ast.ReturnStmt, st *state) {
	fr := m.top()
	var vals []value
	switch {
	case len(s.Results) == 0 && fr.typ != nil && fr.typ.Results != nil:
		for _, f := range fr.typ.Results.List {
			for _, name := range f.Names {
				var v value = &unknown{}
				if obj := fr.pkg.info.Defs[name]; obj != nil {
					if held, ok := st.get(obj); ok {
						v = held
					}
				}
				vals = append(vals, v)
			}
		}
	case len(s.Results) == 1 && fr.typ != nil && fr.typ.Results.NumFields() > 1:
		vals = spread(m.eval(s.Results[0], st), fr.typ.Results.NumFields())
	default:
		for _, r := range s.Results {
			vals = append(vals, m.eval(r, st))
		}
	}
	if st.dead {
		return
	}
	fr.returns = append(fr.returns, returned{vals, st.clone()})
	st.dead = true
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
