package sqlquery

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
)

func (m *machine) pkg() *pkg { return m.top().pkg }

func (m *machine) typeOf(e ast.Expr) types.Type {
	if e == nil {
		return nil
	}
	t := m.pkg().info.TypeOf(e)
	if t == nil || t == types.Typ[types.Invalid] {
		return nil
	}
	return t
}

// objectOf is what an identifier denotes, nil when type checking gave up before it got there.
func (m *machine) objectOf(id *ast.Ident) types.Object {
	k := m.pkg()
	if obj := k.info.Uses[id]; obj != nil {
		return obj
	}
	if obj := k.info.Defs[id]; obj != nil {
		return obj
	}
	return k.lookup(id)
}

// eval is what is known of an expression; calls in it change st.
func (m *machine) eval(e ast.Expr, st *state) value {
	if e == nil || st.dead || m.exhausted() {
		return &unknown{}
	}
	if tv, ok := m.pkg().info.Types[e]; ok && tv.Value != nil {
		return m.constant(e, tv.Value)
	}
	switch e := e.(type) {
	case *ast.ParenExpr:
		return m.eval(e.X, st)
	case *ast.BasicLit:
		return literalValue(e)
	case *ast.Ident:
		return m.ident(e, st)
	case *ast.FuncLit:
		return m.literal(e, st)
	case *ast.CompositeLit:
		return m.composite(e, st)
	case *ast.SelectorExpr:
		return m.selector(e, st)
	case *ast.IndexExpr:
		return m.indexed(e, st)
	case *ast.SliceExpr:
		return m.sliced(e, st)
	case *ast.StarExpr:
		return m.eval(e.X, st)
	case *ast.TypeAssertExpr:
		v := m.eval(e.X, st)
		if e.Type == nil {
			return v
		}
		return m.assertTo(v, m.pkg().info.TypeOf(e.Type))
	case *ast.UnaryExpr:
		return m.unary(e, st)
	case *ast.BinaryExpr:
		return m.binary(e, st)
	case *ast.CallExpr:
		return m.call(e, st)
	}
	return &unknown{typ: m.typeOf(e)}
}

func (m *machine) ident(e *ast.Ident, st *state) value {
	obj := m.objectOf(e)
	if v, ok := st.get(obj); ok && obj != nil {
		return v
	}
	switch obj := obj.(type) {
	case *types.Nil:
		return &null{}
	case *types.Const:
		return m.constantOf(obj, e.Pos())
	case *types.Var:
		return m.variable(obj, e.Pos())
	case *types.Func:
		return &function{decl: obj.Origin(), at: e.Pos()}
	}
	switch e.Name {
	case "nil":
		return &null{}
	case "true", "false":
		return &number{constant.MakeBool(e.Name == "true")}
	}
	return &unknown{typ: m.typeOf(e)}
}

// variable is a variable that is no local one: what it was declared with, when nothing else is ever put into it.
func (m *machine) variable(obj *types.Var, pos token.Pos) value {
	if d, ok := m.vars[obj]; ok && !m.changed[obj] && !m.reading[obj] {
		m.reading[obj] = true
		defer delete(m.reading, obj)
		m.stack = append(m.stack, &frame{pkg: d.pkg})
		defer func() { m.stack = m.stack[:len(m.stack)-1] }()
		switch v := m.eval(d.expr, newState()).(type) {
		case *text, *number, *list, *table, *builder, *sqlizer, *choice, *handle, *function, *failure:
			return v
		}
	}
	if v := m.keptAnswer(obj); v != nil {
		return v
	}
	if t := m.embedded(obj); t != nil {
		return t
	}
	return m.opaqueOf(obj.Type())
}

// literal is a function literal; it is evaluated when it is called, or else at the end of the function around it.
func (m *machine) literal(e *ast.FuncLit, st *state) value {
	f := &function{lit: e, pkg: m.pkg(), in: m.top().info}
	if !m.litSeen[e] {
		m.lits = append(m.lits, pendingLit{f, st.clone(), append([]*frame{}, m.stack...)})
	}
	return f
}

func (m *machine) composite(e *ast.CompositeLit, st *state) value {
	t := m.pkg().info.TypeOf(e)
	if name := m.squirrelName(e.Type); name != "" {
		return m.sqlizerLiteral(name, e, st)
	}
	var under types.Type
	if t != nil && t != types.Typ[types.Invalid] {
		under = t.Underlying()
		if p, ok := under.(*types.Pointer); ok { // an elided &T in a list
			under = p.Elem().Underlying()
			t = p.Elem()
		}
	} else if e.Type != nil {
		switch e.Type.(type) {
		case *ast.ArrayType:
			under = types.NewSlice(types.Typ[types.Invalid])
		case *ast.MapType:
			under = types.NewMap(types.Typ[types.Invalid], types.Typ[types.Invalid])
		}
	}
	switch u := under.(type) {
	case *types.Slice, *types.Array:
		l := &list{}
		for _, x := range e.Elts {
			if kv, ok := x.(*ast.KeyValueExpr); ok {
				x = kv.Value
				l.open = "an array with indexes"
			}
			l.elems = append(l.elems, m.arg(x, st))
		}
		return l
	case *types.Map:
		tab := &table{typ: t}
		for _, x := range e.Elts {
			if kv, ok := x.(*ast.KeyValueExpr); ok {
				tab.keys = append(tab.keys, m.eval(kv.Key, st))
				tab.vals = append(tab.vals, m.arg(kv.Value, st))
			}
		}
		return tab
	case *types.Struct:
		o := &object{typ: t, lit: e, known: true}
		for i, x := range e.Elts {
			if kv, ok := x.(*ast.KeyValueExpr); ok {
				if id, ok := kv.Key.(*ast.Ident); ok {
					v := m.eval(kv.Value, st)
					st.set(field{o, id.Name}, v)
					if f, ok := m.pkg().info.Uses[id].(*types.Var); ok {
						m.holdBatch(f, v, st)
					}
				}
			} else {
				v := m.eval(x, st)
				if i < u.NumFields() {
					st.set(field{o, u.Field(i).Name()}, v)
					m.holdBatch(u.Field(i), v, st)
				}
			}
		}
		return o
	}
	o := &object{typ: t, lit: e}
	for _, x := range e.Elts {
		if kv, ok := x.(*ast.KeyValueExpr); ok {
			v := m.eval(kv.Value, st)
			if id, ok := kv.Key.(*ast.Ident); ok {
				st.set(field{o, id.Name}, v)
			}
			continue
		}
		m.eval(x, st)
	}
	return o
}

func (m *machine) arg(e ast.Expr, st *state) arg {
	return arg{v: m.eval(e, st), typ: m.typeOf(e), expr: e, pkg: m.pkg()}
}

func (m *machine) selector(e *ast.SelectorExpr, st *state) value {
	if x, ok := e.X.(*ast.Ident); ok {
		if from := m.pkg().imported(x); from != nil {
			if v := m.packageValue(from.Path(), e.Sel.Name); v != nil {
				return v
			}
			switch obj := m.pkg().info.Uses[e.Sel].(type) {
			case *types.Const:
				return m.constantOf(obj, e.Pos())
			case *types.Var:
				return m.variable(obj, e.Pos())
			case *types.Func:
				return &function{decl: obj.Origin(), at: e.Sel.Pos()}
			}
			return &unknown{typ: m.typeOf(e)}
		}
	}
	base := m.eval(e.X, st)
	if sel := m.pkg().info.Selections[e]; sel != nil && sel.Kind() == types.MethodVal {
		if fn, ok := sel.Obj().(*types.Func); ok {
			return &function{decl: fn.Origin(), at: e.Sel.Pos(), recv: &arg{v: base, typ: m.typeOf(e.X), expr: e.X, pkg: m.pkg()}}
		}
	}
	return m.fieldOf(base, e, st)
}

// fieldOf is a field of a struct: what was put into it here, else what all code that was read puts into it.
func (m *machine) fieldOf(base value, e *ast.SelectorExpr, st *state) value {
	name := e.Sel.Name
	switch b := base.(type) {
	case *object:
		if v, ok := st.get(field{b, name}); ok {
			return v
		}
		if b.known {
			if t := m.typeOf(e); t != nil {
				if _, isBasic := t.Underlying().(*types.Basic); isBasic {
					return m.zero(t)
				}
				return m.opaqueOf(t)
			}
			return &unknown{}
		}
	case *choice:
		alts := make([]value, len(b.alts))
		for i, a := range b.alts {
			alts[i] = m.fieldOf(a, e, st)
		}
		return joinValues(b.event, alts)
	}
	t := m.typeOf(e)
	u, _ := base.(*unknown)
	if obj, ok := m.pkg().info.Uses[e.Sel].(*types.Var); ok && obj.IsField() {
		if v := m.heldBatch(obj, st); v != nil {
			return v
		}
		if v := m.fieldEverywhere(obj); v != nil {
			return v
		}
		if v := m.keptAnswer(obj); v != nil {
			return v
		}
	}
	v := m.opaqueOf(t)
	if x, ok := v.(*unknown); ok && u != nil {
		x.param, x.why = u.param, "the field "+name+", which is set at run time"
	}
	return v
}

func (m *machine) indexed(e *ast.IndexExpr, st *state) value {
	if tv, ok := m.pkg().info.Types[e.Index]; ok && tv.IsType() { // F[T]
		return m.eval(e.X, st)
	}
	base := m.eval(e.X, st)
	key := m.eval(e.Index, st)
	switch b := base.(type) {
	case *list:
		if n, ok := key.(*number); ok {
			if i, ok := constant.Int64Val(constant.ToInt(n.v)); ok && i >= 0 && int(i) < len(b.elems) {
				return b.elems[i].v
			}
		}
		if b.open == "" && len(b.elems) > 0 {
			return m.anyOf(b.elems, false)
		}
	case *table:
		if s, ok := literal(key); ok {
			for i := len(b.keys) - 1; i >= 0; i-- {
				if have, ok := literal(b.keys[i]); ok && have == s {
					return b.vals[i].v
				}
			}
		} else if _, isNumber := key.(*number); isNumber {
			for i := len(b.keys) - 1; i >= 0; i-- {
				if is, known := same(key, b.keys[i]); known && is {
					return b.vals[i].v
				}
			}
		}
		if b.open == "" && len(b.vals) > 0 {
			return m.anyOf(b.vals, true)
		}
	}
	return m.opaqueOf(m.typeOf(e))
}

// anyOf is one of some elements, which one is known at run time only; zero adds that it may be none of them.
func (m *machine) anyOf(elems []arg, zero bool) value {
	var alts []value
	for _, a := range elems {
		alts = append(alts, a.v)
	}
	if zero {
		alts = append(alts, zeroText)
	}
	return &choice{&event{}, alts}
}

func (m *machine) sliced(e *ast.SliceExpr, st *state) value {
	base := m.eval(e.X, st)
	for _, x := range []ast.Expr{e.Low, e.High, e.Max} {
		if x != nil {
			m.eval(x, st)
		}
	}
	if e.Low == nil && e.High == nil {
		return base
	}
	switch b := base.(type) {
	case *list:
		return &list{b.elems, "a part of a slice"}
	case *unknown:
		return &unknown{typ: m.typeOf(e), param: b.param}
	case *text, *choice:
		return &unknown{typ: m.typeOf(e), why: "a part of a string, cut at run time"}
	}
	return &unknown{typ: m.typeOf(e)}
}
