package sqlquery

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
)

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
	if g := condition(cond); g != nil {
		yes.narrow(g.gate)
		no.narrow(g.not)
	}
	event := m.eventOf(s.Cond, st)
	m.execBlock(s.Body.List, yes)
	other := no.clone()
	if s.Else != nil {
		m.exec(s.Else, other)
	}
	join(st, event, []*state{yes, other})
}

// decision is a condition over local variables as they were, and the event that it decides.
type decision struct {
	cond  string
	vars  []value
	event *event
}

// eventOf is the event that a condition decides: the one of an earlier condition of the same text, outside of loops, whose variables have
// not changed since, else a new one.
func (m *machine) eventOf(cond ast.Expr, st *state) *event {
	d := decision{cond: types.ExprString(cond)}
	plain := len(m.top().loops) == 0
	ast.Inspect(cond, func(n ast.Node) bool {
		switch n := n.(type) {
		case nil, *ast.ParenExpr, *ast.BinaryExpr, *ast.BasicLit:
		case *ast.UnaryExpr:
			plain = plain && n.Op == token.NOT
		case *ast.Ident:
			v, isVar := m.objectOf(n).(*types.Var)
			if !isVar {
				break // a constant, nil
			}
			plain = plain && v.Parent() != nil && v.Pkg() != nil && v.Parent() != v.Pkg().Scope()
			now, _ := st.get(v)
			d.vars = append(d.vars, now)
		default:
			plain = false
		}
		return plain
	})
	if !plain || len(d.vars) == 0 {
		return &event{}
	}
	fr := m.top()
	for _, old := range fr.decisions {
		if old.cond == d.cond && slices.Equal(old.vars, d.vars) {
			return old.event
		}
	}
	d.event = &event{}
	fr.decisions = append(fr.decisions, d)
	return d.event
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
		way := rest.clone()
		taken := nowhere
		for _, x := range c.List {
			v := m.eval(x, st)
			if tag != nil {
				v = equality(tag, v)
			}
			is, known := truth(v)
			if known && is {
				verdict, taken = 1, span{}
				break
			}
			if known && verdict == -1 && len(c.List) == 1 {
				verdict = 0
			}
			g := condition(v)
			if g == nil {
				g = &gated{}
			}
			taken = taken.hull(g.gate)
			rest.narrow(g.not)
		}
		if verdict == 0 {
			continue
		}
		way.narrow(taken)
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
	join(st, &event{}, append(ways, t.breaks...))
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
		case *text, *number, *object, *builder, *sqlizer, *function, *failure:
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
	join(st, &event{}, append(ways, t.breaks...))
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
	join(st, &event{}, append(ways, t.breaks...))
}
