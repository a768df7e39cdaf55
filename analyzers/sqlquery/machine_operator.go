package sqlquery

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
)

func (m *machine) unary(e *ast.UnaryExpr, st *state) value {
	v := m.eval(e.X, st)
	switch e.Op {
	case token.AND:
		switch v := v.(type) {
		case *unknown:
			return &unknown{typ: m.typeOf(e), why: v.why, param: v.param, exact: v.exact}
		case *text, *number, *choice, *null, *list, *result:
			return &unknown{typ: m.typeOf(e)} // a pointer to it, not it
		}
		return v
	case token.NOT:
		if not := contrary(v); not != nil {
			return not
		}
	case token.SUB, token.ADD, token.XOR:
		if n, ok := v.(*number); ok && n.v.Kind() != constant.Bool {
			return &number{constant.UnaryOp(e.Op, n.v, 0)}
		}
	}
	return &unknown{typ: m.typeOf(e)}
}

func (m *machine) binary(e *ast.BinaryExpr, st *state) value {
	a := m.eval(e.X, st)
	if e.Op == token.LAND || e.Op == token.LOR {
		return m.logic(e, a, st)
	}
	b := m.eval(e.Y, st)
	switch e.Op {
	case token.ADD:
		return m.add(a, b, m.typeOf(e))
	case token.EQL, token.NEQ:
		is := equality(a, b)
		if e.Op == token.NEQ {
			is = contrary(is)
		}
		if is != nil {
			return is
		}
	case token.LSS, token.LEQ, token.GTR, token.GEQ:
		x, ok1 := a.(*number)
		y, ok2 := b.(*number)
		if ok1 && ok2 && x.v.Kind() == y.v.Kind() && x.v.Kind() != constant.Bool {
			return &number{constant.MakeBool(constant.Compare(x.v, e.Op, y.v))}
		}
		if v := ordering(a, e.Op, b); v != nil {
			return v
		}
	case token.SUB, token.MUL:
		x, ok1 := a.(*number)
		y, ok2 := b.(*number)
		if ok1 && ok2 && x.v.Kind() == constant.Int && y.v.Kind() == constant.Int {
			return &number{constant.BinaryOp(x.v, e.Op, y.v)}
		}
	}
	return &unknown{typ: m.typeOf(e)}
}

// logic is && and ||, which matter for constants and for gates. The right side runs only sometimes.
func (m *machine) logic(e *ast.BinaryExpr, a value, st *state) value {
	and := e.Op == token.LAND
	if b, known := truth(a); known {
		if b != and {
			return a
		}
		return m.eval(e.Y, st)
	}
	x := condition(a)
	if x == nil {
		x = &gated{}
	}
	skipped, way := st.clone(), st.clone()
	if and {
		skipped.narrow(x.not)
		way.narrow(x.gate)
	} else {
		skipped.narrow(x.gate)
		way.narrow(x.not)
	}
	b := m.eval(e.Y, way)
	join(st, &event{}, []*state{skipped, way})
	y := condition(b)
	if y == nil {
		y = &gated{}
	}
	out := &gated{x.gate.hull(y.gate), x.not.meet(y.not)}
	if and {
		out = &gated{x.gate.meet(y.gate), x.not.hull(y.not)}
	}
	if *out == (gated{}) {
		return &unknown{typ: m.typeOf(e)}
	}
	return out
}

// add is +, of strings and numbers.
func (m *machine) add(a, b value, t types.Type) value {
	x, ok1 := a.(*number)
	y, ok2 := b.(*number)
	if ok1 && ok2 {
		if x.v.Kind() == y.v.Kind() && x.v.Kind() != constant.Bool {
			return &number{constant.BinaryOp(x.v, token.ADD, y.v)}
		}
		return &unknown{typ: t}
	}
	isString := false
	for _, v := range []value{a, b} {
		if _, ok := v.(*text); ok {
			isString = true
		}
	}
	if t != nil {
		if basic, ok := t.Underlying().(*types.Basic); ok && basic.Kind() != types.Invalid {
			isString = basic.Info()&types.IsString != 0
		}
	}
	if !isString {
		return &unknown{typ: t}
	}
	return concat(textOf(a), textOf(b))
}
