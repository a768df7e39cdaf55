package sqlquery

import (
	"go/ast"
	"go/constant"
	"go/types"
	"slices"
)

// callMethod is a call of a method, or of a field that is a function.
func (m *machine) callMethod(e *ast.CallExpr, f *ast.SelectorExpr, st *state) value {
	base := m.eval(f.X, st)
	if st.dead {
		return &unknown{}
	}
	return m.callOn(base, e, f, st)
}

func (m *machine) callOn(base value, e *ast.CallExpr, f *ast.SelectorExpr, st *state) value {
	name := f.Sel.Name
	switch {
	case name == "SendBatch":
		if v, ok := m.sendBatch(base, e, f, st); ok {
			return v
		}
	case (name == "ReadFile" || name == "ReadDir") && len(e.Args) == 1:
		if v, ok := m.embeddedCall(name, f.X, m.eval(e.Args[0], st.clone()), e); ok {
			return v
		}
	case name == "Sanitize" && len(e.Args) == 0 && isIdentifier(m.typeOf(f.X)):
		if l, ok := base.(*list); ok && l.open == "" {
			return m.sanitized(l)
		}
	}
	switch b := base.(type) {
	case *builder:
		args, open := m.args(e, st)
		if lists := listsOf(args, open); lists != nil {
			made := make([]value, len(lists.alts))
			for i, l := range lists.alts {
				l := l.(*list)
				made[i] = m.builderMethod(b, name, slices.Concat(args[:len(args)-1], l.elems), l.open != "", e, st)
			}
			return joinValues(lists.event, made)
		}
		return m.builderMethod(b, name, args, open, e, st)
	case *choice:
		if anyKind(b) {
			ways := make([]*state, len(b.alts))
			vals := make([]value, len(b.alts))
			for i, a := range b.alts {
				ways[i] = st.clone()
				ways[i].narrow(b.event.gate(i))
				vals[i] = m.callOn(a, e, f, ways[i])
			}
			join(st, b.event, ways)
			return joinValues(b.event, vals)
		}
	case *result:
		if v, ok := m.resultMethod(b, name, e, st); ok {
			return v
		}
	case *handle:
		if v, ok := m.handleMethod(b, name, e, st); ok {
			return v
		}
	case *object:
		if v, ok := m.batchMethod(b, name, e, st); ok {
			return v
		}
		if v, ok := m.textBuilder(b, name, e, st); ok {
			return v
		}
		if v, ok := st.get(field{b, name}); ok {
			return m.callValue(v, e, st)
		}
	case *text:
		if name == "String" {
			return b
		}
	case *dirEntry:
		if v, ok := b.method(name, e); ok {
			return v
		}
	}
	if v, ok := m.gateMethod(base, e, f, st); ok {
		return v
	}
	var fn *types.Func
	if sel := m.pkg().info.Selections[f]; sel != nil {
		fn, _ = sel.Obj().(*types.Func)
	} else if x, ok := m.pkg().info.Uses[f.Sel].(*types.Func); ok {
		fn = x
	}
	if fn != nil {
		fn = fn.Origin()
		if at := m.handleType(receiver(fn)); at != nil {
			if v, ok := m.handleMethod(&handle{typ: at, tx: at.tx, param: m.rootParam(base)}, name, e, st); ok {
				return v
			}
		}
		if v, ok := m.aliasOf(fn, base, e, st); ok {
			return v
		}
		if m.funcs[fn] != nil || m.hasFact(fn) {
			recv := &arg{v: base, typ: m.typeOf(f.X), expr: f.X, pkg: m.pkg()}
			args, spreads := m.args(e, st)
			return m.callDeclared(fn, recv, args, spreads, e, st)
		}
		if types.IsInterface(receiver(fn)) {
			if v, ok := m.implementations(fn, base, e, f, st); ok {
				return v
			}
		}
	}
	t := m.typeOf(f.X)
	if at := m.handleType(t); at != nil {
		if v, ok := m.handleMethod(&handle{typ: at, tx: at.tx, param: m.rootParam(base)}, name, e, st); ok {
			return v
		}
	}
	if at := m.embeddedHandle(t, name, 0); at != nil {
		if v, ok := m.handleMethod(&handle{typ: at, tx: at.tx}, name, e, st); ok {
			return v
		}
	}
	if u, ok := base.(*unknown); ok && u.param != nil && (name == "Scan" || name == "StructScan" || name == "Next") {
		if info := m.stack[0].info; info != nil {
			info.depends = true // rows that come in by a parameter
		}
	}
	if v, ok := m.byShape(fn, base, e, f, st); ok {
		return v
	}
	args, _ := m.args(e, st)
	if sel := m.pkg().info.Selections[f]; sel != nil && sel.Kind() == types.FieldVal {
		if u, ok := base.(*unknown); ok && u.param != nil {
			m.noteCalls(u.param)
		}
	}
	m.giveAway(args, e, st)
	v := m.opaqueResult(e)
	if x, ok := v.(*unknown); ok {
		if u, ok := base.(*unknown); ok && u.param != nil {
			x.param = u.param
		}
		x.why = "what " + name + " returns at run time"
	}
	return v
}

// listsOf is the last of some arguments when it is one of several lists, whose elements are given each as one; nil otherwise.
func listsOf(args []arg, open bool) *choice {
	if !open || len(args) == 0 {
		return nil
	}
	c, ok := args[len(args)-1].v.(*choice)
	if !ok || slices.ContainsFunc(c.alts, func(v value) bool { _, is := v.(*list); return !is }) {
		return nil
	}
	return c
}

// anyKind reports whether a choice is among values with methods of their own.
func anyKind(c *choice) bool {
	return slices.ContainsFunc(c.alts, func(v value) bool {
		switch v := v.(type) {
		case *builder, *result, *handle, *object:
			return true
		case *choice:
			return anyKind(v)
		}
		return false
	})
}

func (m *machine) rootParam(v value) *types.Var {
	if u, ok := v.(*unknown); ok && u.exact {
		return u.param
	}
	return nil
}

// receiver is the type a method belongs to, nil for a function.
func receiver(fn *types.Func) types.Type {
	if sig, ok := fn.Type().(*types.Signature); ok && sig.Recv() != nil {
		return sig.Recv().Type()
	}
	return nil
}

// implementations calls each method of the user's that an interface can stand for, for what they return: the name of a
// table is often such a method.
func (m *machine) implementations(fn *types.Func, base value, e *ast.CallExpr, f *ast.SelectorExpr, st *state) (value, bool) {
	sig := fn.Type().(*types.Signature)
	if sig.Params().Len() > 0 || sig.Results().Len() != 1 || !isTextual(sig.Results().At(0).Type()) || types.IsInterface(sig.Results().At(0).Type()) {
		return nil, false
	}
	iface, ok := receiver(fn).Underlying().(*types.Interface)
	if !ok {
		return nil, false
	}
	if u, ok := base.(*unknown); ok && u.param != nil && u.exact {
		return &unknown{typ: sig.Results().At(0).Type(), param: u.param, why: "what " + fn.Name() + " returns"}, true
	}
	found := m.implementers(fn, iface)
	if len(found) > maxUnroll {
		return nil, false
	}
	var alts []value
	for _, info := range found {
		alts = append(alts, m.callDeclared(info.obj, &arg{v: &unknown{typ: receiver(info.obj)}}, nil, false, e, st.clone()))
	}
	if len(alts) == 0 {
		return nil, false
	}
	return &choice{&event{}, alts}, true
}

func intOf(v value) (int64, bool) {
	if n, ok := v.(*number); ok && n.v.Kind() == constant.Int {
		return constant.Int64Val(n.v)
	}
	return 0, false
}
