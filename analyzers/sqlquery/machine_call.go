package sqlquery

import (
	"go/ast"
	"go/token"
	"go/types"
)

// args evaluates what a call is given; spreads reports a last argument followed by `...`, whose elements are taken apart
// when they are known.
func (m *machine) args(e *ast.CallExpr, st *state) (list_ []arg, spreads bool) {
	out := make([]arg, 0, len(e.Args))
	for i, a := range e.Args {
		v := m.arg(a, st)
		if i == len(e.Args)-1 && e.Ellipsis.IsValid() {
			if l, ok := v.v.(*list); ok {
				out = append(out, l.elems...)
				return out, l.open != ""
			}
			if _, ok := v.v.(*null); ok {
				return out, false
			}
			return append(out, v), true
		}
		if len(e.Args) == 1 { // f(g()) with several results
			if t, ok := v.v.(*tuple); ok {
				for _, x := range t.vals {
					out = append(out, arg{v: x, expr: a, pkg: m.pkg()})
				}
				return out, false
			}
		}
		out = append(out, v)
	}
	return out, e.Ellipsis.IsValid()
}

// call is what a call returns, after what it does to the state.
func (m *machine) call(e *ast.CallExpr, st *state) value {
	fun := ast.Unparen(e.Fun)
	var typeArgs []ast.Expr
	switch ix := fun.(type) {
	case *ast.IndexExpr:
		fun, typeArgs = ast.Unparen(ix.X), []ast.Expr{ix.Index}
	case *ast.IndexListExpr:
		fun, typeArgs = ast.Unparen(ix.X), ix.Indices
	}
	if tv, ok := m.pkg().info.Types[fun]; ok && tv.IsType() && len(e.Args) == 1 {
		return m.convert(e, tv.Type, st)
	}
	switch f := fun.(type) {
	case *ast.Ident:
		return m.callIdent(e, f, st)
	case *ast.SelectorExpr:
		if x, ok := f.X.(*ast.Ident); ok {
			if from := m.pkg().imported(x); from != nil {
				return m.callPackage(e, f, from.Path(), typeArgs, st)
			}
		}
		return m.callMethod(e, f, st)
	case *ast.ArrayType, *ast.MapType, *ast.StarExpr, *ast.FuncType, *ast.InterfaceType, *ast.ChanType:
		if len(e.Args) == 1 {
			return m.eval(e.Args[0], st)
		}
	}
	v := m.eval(fun, st)
	return m.callValue(v, e, st)
}

// convert is a conversion.
func (m *machine) convert(e *ast.CallExpr, t types.Type, st *state) value {
	v := m.eval(e.Args[0], st)
	switch v := v.(type) {
	case *unknown:
		return &unknown{typ: t, why: v.why, param: v.param, exact: v.exact}
	case *number:
		if b, ok := t.Underlying().(*types.Basic); ok && b.Info()&types.IsString != 0 {
			return &unknown{typ: t}
		}
	}
	return v
}

func (m *machine) callIdent(e *ast.CallExpr, f *ast.Ident, st *state) value {
	obj := m.objectOf(f)
	if _, ok := obj.(*types.Builtin); ok || obj == nil && types.Universe.Lookup(f.Name) != nil {
		return m.builtin(e, f.Name, st)
	}
	if fn, ok := obj.(*types.Func); ok {
		args, spreads := m.args(e, st)
		return m.callDeclared(fn.Origin(), nil, args, spreads, e, st)
	}
	return m.callValue(m.eval(f, st), e, st)
}

// callValue calls a function value.
func (m *machine) callValue(v value, e *ast.CallExpr, st *state) value {
	args, spreads := m.args(e, st)
	return m.callFunction(v, args, spreads, e, st)
}

func (m *machine) callFunction(v value, args []arg, spreads bool, e *ast.CallExpr, st *state) value {
	switch f := v.(type) {
	case *function:
		if f.lit != nil {
			return m.callLit(f, args, e.Pos(), st)
		}
		return m.callVia(f.at, f.decl, f.recv, args, spreads, e, st)
	case *choice:
		var ways []*state
		var vals []value
		for i, alt := range f.alts {
			way := st.clone()
			way.narrow(f.event.gate(i))
			vals = append(vals, m.callFunction(alt, args, spreads, e, way))
			ways = append(ways, way)
		}
		join(st, f.event, ways)
		return joinValues(f.event, vals)
	case *unknown:
		if f.param != nil {
			m.noteCalls(f.param)
		}
	}
	m.giveAway(args, e, st)
	return m.opaqueResult(e)
}

// noteCalls says that the function under evaluation calls a function it was given.
func (m *machine) noteCalls(param *types.Var) {
	if info := m.stack[0].info; info != nil {
		info.calls = true
	}
}

// opaqueResult is what a call returns of which nothing but the type is known.
func (m *machine) opaqueResult(e *ast.CallExpr) value {
	t := m.typeOf(e)
	if tup, ok := t.(*types.Tuple); ok {
		vals := make([]value, tup.Len())
		for i := range vals {
			vals[i] = m.opaqueOf(tup.At(i).Type())
		}
		return &tuple{vals}
	}
	return m.opaqueOf(t)
}

// madeOf is what a call returns of which nothing but the type is known, and that it may be made of a parameter of the
// function under evaluation.
func (m *machine) madeOf(args []arg, e *ast.CallExpr) value {
	v := m.opaqueResult(e)
	var param *types.Var
	for _, a := range args {
		if u, ok := a.v.(*unknown); ok && u.param != nil && a.typ != nil && isTextual(a.typ) && !types.IsInterface(a.typ) {
			param = u.param
		}
	}
	if param == nil {
		return v
	}
	taint := func(v value) value {
		if u, ok := v.(*unknown); ok && u.param == nil && u.typ != nil && isTextual(u.typ) {
			return &unknown{typ: u.typ, why: "a text made of the parameter " + param.Name(), param: param}
		}
		return v
	}
	if t, ok := v.(*tuple); ok {
		for i := range t.vals {
			t.vals[i] = taint(t.vals[i])
		}
		return t
	}
	return taint(v)
}

// callLit evaluates a function literal at a call of it.
func (m *machine) callLit(f *function, args []arg, pos token.Pos, st *state) value {
	for _, fr := range m.stack {
		if fr.lit == f.lit && fr.lit != nil {
			return &unknown{}
		}
	}
	if len(m.stack) > maxDepth || m.exhausted() {
		return &unknown{}
	}
	m.litSeen[f.lit] = true
	fr := &frame{info: f.in, lit: f.lit, pkg: f.pkg, typ: f.lit.Type, call: pos}
	m.stack = append(m.stack, fr)
	m.bindParams(f.lit.Type, args, st, f.pkg)
	m.bindResults(f.lit.Type, f.pkg, st)
	m.execBlock(f.lit.Body.List, st)
	return m.leave(fr, st)
}

// bindParams gives parameters what the call has; nil args are unknown ones.
func (m *machine) bindParams(typ *ast.FuncType, args []arg, st *state, k *pkg) {
	i := 0
	for _, f := range typ.Params.List {
		_, variadic := f.Type.(*ast.Ellipsis)
		for _, name := range f.Names {
			obj := k.info.Defs[name]
			var v value
			switch {
			case variadic && i <= len(args) && args != nil:
				v = &list{elems: args[i:]}
				if len(args) == i+1 {
					if _, isSlice := args[i].typ.(*types.Slice); isSlice || args[i].v == nil {
						v = args[i].v // given with `...`
					}
				}
			case args != nil && i < len(args):
				v = args[i].v
			}
			i++
			if obj == nil || name.Name == "_" {
				continue
			}
			if v == nil {
				if param, ok := obj.(*types.Var); ok {
					v = m.opaqueParam(param, f.Type, k)
				}
			} else {
				v = m.typed(v, obj.Type(), f.Type, k)
			}
			if h, ok := v.(*handle); ok {
				if pv, ok := obj.(*types.Var); ok && args != nil {
					m.txArgs[pv] = append(m.txArgs[pv], txArg{h.tx, h.param})
				}
			}
			st.set(obj, v)
			if args != nil {
				m.top().bound = append(m.top().bound, v)
			}
		}
		if len(f.Names) == 0 {
			i++
		}
	}
}

// typed adds what the declaration of a parameter says to a value of which less is known.
func (m *machine) typed(v value, t types.Type, expr ast.Expr, k *pkg) value {
	u, ok := v.(*unknown)
	if !ok {
		return v
	}
	if b := m.builderType(t, expr, k); b != "" {
		return &builder{verb: b, base: u}
	}
	if at := m.handleType(t); at != nil {
		return &handle{typ: at, tx: at.tx, param: u.param}
	}
	if u.typ == nil || types.IsInterface(u.typ) {
		return &unknown{typ: t, why: u.why, param: u.param, exact: u.exact}
	}
	return v
}

// opaqueParam is a parameter of a function literal that somebody else calls.
func (m *machine) opaqueParam(v *types.Var, typ ast.Expr, k *pkg) value {
	if b := m.builderType(v.Type(), typ, k); b != "" {
		return &builder{verb: b, base: &unknown{typ: v.Type(), why: "a builder that comes in by the parameter " + v.Name()}}
	}
	if at := m.handleType(v.Type()); at != nil {
		return &handle{typ: at, tx: at.tx, do: m.inner()}
	}
	return &unknown{typ: v.Type(), why: "the parameter " + v.Name() + " of a function value"}
}

// callDeclared calls a declared function or method.
func (m *machine) callDeclared(fn *types.Func, recv *arg, args []arg, spreads bool, e *ast.CallExpr, st *state) value {
	return m.callVia(token.NoPos, fn, recv, args, spreads, e, st)
}

// callVia is callDeclared of a function value that was made elsewhere.
func (m *machine) callVia(via token.Pos, fn *types.Func, recv *arg, args []arg, spreads bool, e *ast.CallExpr, st *state) value {
	info := m.funcs[fn]
	if info == nil {
		if v, ok := m.byFact(fn, args, spreads, e, st); ok {
			return v
		}
		m.giveAway(args, e, st)
		return m.madeOf(args, e)
	}
	if !info.done && !info.worthRunning() {
		m.noteTx(info, args)
		m.giveAway(args, e, st)
		return m.madeOf(args, e)
	}
	if !info.done {
		for _, fr := range m.stack { // recursion
			if fr.info == info {
				m.giveAway(args, e, st)
				return m.madeOf(args, e)
			}
		}
		m.run(info)
	}
	m.noteCaller(info, e)
	call := m.noteGated(info, recv, args, via, e, st)
	tells := info.done && m.tells(call, info, args)
	if !info.done || !tells && !m.worthInlining(info, args) {
		m.noteTx(info, args)
		m.giveAway(args, e, st)
		if info.result != nil && !dependsOnParam(info.result) && !holdsObject(info.result) {
			return info.result
		}
		return m.madeOf(args, e)
	}
	v := m.inline(info, recv, args, e.Pos(), st)
	if tells {
		call.told = m.steps <= maxSteps // else not all of it was evaluated
	}
	return v
}

// worthInlining reports whether evaluating a function again at a call shows more than by itself.
func (m *machine) worthInlining(info *funcInfo, args []arg) bool {
	if len(m.stack) > maxDepth || m.steps > maxSteps {
		return false
	}
	for _, fr := range m.stack {
		if fr.info == info && fr.lit == nil {
			return false
		}
	}
	if info.asks && !info.reaches && info.size <= maxSize && len(m.doing) > 0 {
		return true // what it asks is asked again there
	}
	return info.depends || info.calls || info.size <= maxSize && (info.answers || !info.reaches && holdsObject(info.result))
}

// holdsObject reports whether a value has a struct whose fields the caller may read.
func holdsObject(v value) bool {
	switch v := v.(type) {
	case *object:
		return true
	case *tuple:
		for _, x := range v.vals {
			if holdsObject(x) {
				return true
			}
		}
	case *choice:
		for _, x := range v.alts {
			if holdsObject(x) {
				return true
			}
		}
	}
	return false
}

// inline evaluates a function at a call of it.
func (m *machine) inline(info *funcInfo, recv *arg, args []arg, pos token.Pos, st *state) value {
	fr := &frame{info: info, pkg: info.pkg, typ: info.decl.Type, call: pos, entry: st.freeze()}
	m.stack = append(m.stack, fr)
	if r := info.decl.Recv; r != nil && len(r.List) > 0 && len(r.List[0].Names) > 0 {
		if v, ok := info.pkg.info.Defs[r.List[0].Names[0]].(*types.Var); ok {
			if recv != nil && recv.v != nil {
				st.set(v, m.typed(recv.v, v.Type(), r.List[0].Type, info.pkg))
			} else {
				st.set(v, &unknown{typ: v.Type()})
			}
		}
	}
	m.bindParams(info.decl.Type, args, st, info.pkg)
	m.bindResults(info.decl.Type, info.pkg, st)
	m.execBlock(info.decl.Body.List, st)
	return m.leave(fr, st)
}

// noteTx remembers which transactions a function is called with.
func (m *machine) noteTx(info *funcInfo, args []arg) {
	i := 0
	for _, f := range info.decl.Type.Params.List {
		for _, name := range f.Names {
			if i < len(args) {
				if h, ok := args[i].v.(*handle); ok {
					if v, ok := info.pkg.info.Defs[name].(*types.Var); ok {
						m.txArgs[v] = append(m.txArgs[v], txArg{h.tx, h.param})
					}
				}
			}
			i++
		}
	}
}

// giveAway is what happens to values that go to code which is not seen: function literals run, perhaps; a builder gets
// sent; what a pointer points to is not known any more.
func (m *machine) giveAway(args []arg, e *ast.CallExpr, st *state) {
	tx := m.txFor(args)
	for _, a := range args {
		switch v := a.v.(type) {
		case *function:
			if v.lit == nil {
				continue
			}
			m.runGiven(v, tx, e, st)
		case *builder:
			m.escape(v, e, st)
		case *object:
			openBatch(v, st)
		}
		m.havoc(a, st)
	}
}

// havoc forgets what a variable holds whose address was given away.
func (m *machine) havoc(a arg, st *state) {
	u, ok := ast.Unparen(a.expr).(*ast.UnaryExpr)
	if !ok || a.expr == nil || u.Op != token.AND || a.pkg != m.pkg() {
		return
	}
	switch x := ast.Unparen(u.X).(type) {
	case *ast.Ident:
		if obj := m.objectOf(x); obj != nil {
			held, _ := st.get(obj)
			switch held.(type) {
			case *text, *number, *list, *table, *null, *choice, *object:
				st.set(obj, &unknown{typ: obj.Type(), why: "a value that is filled in at run time"})
			}
		}
	case *ast.SelectorExpr:
		if o, ok := m.eval(x.X, st).(*object); ok {
			st.set(field{o, x.Sel.Name}, m.opaqueOf(m.typeOf(x)))
		}
	}
}

// runGiven evaluates a function literal that was given to code which is not seen. One that takes a transaction is what the
// transaction is for, and runs; any other may run or not.
func (m *machine) runGiven(f *function, tx *handle, e *ast.CallExpr, st *state) {
	var args []arg
	takesTx := false
	for _, p := range f.lit.Type.Params.List {
		for range max(len(p.Names), 1) {
			a := arg{}
			if at := m.handleType(f.pkg.info.TypeOf(p.Type)); at != nil {
				h := &handle{typ: at, tx: at.tx, do: m.inner()}
				if at.tx == "" && at.isTx {
					takesTx = true
					if tx != nil {
						h.tx = tx.tx
					}
				}
				a.v = h
			}
			args = append(args, a)
		}
	}
	if takesTx {
		m.callLit(f, args, e.Pos(), st)
		return
	}
	way := st.clone()
	m.callLit(f, args, e.Pos(), way)
	join(st, &event{}, []*state{st.clone(), way})
}
