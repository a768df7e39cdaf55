package sqlquery

import (
	"go/ast"
	"go/token"
	"go/types"
)

// fieldSets are the expressions that code puts into a field of a struct type.
type fieldSets struct {
	exprs []declared
	// open: something else may be in it: its address is taken, or a struct is made by position or without it. Package variables
	// are here, too.
	zero, open bool
}

// fieldEverywhere is a field of a struct that came from elsewhere: what all code that was read puts into it, when that is
// constant; nil when it is not.
func (m *machine) fieldEverywhere(obj *types.Var) value {
	if !isTextual(obj.Type()) || types.IsInterface(obj.Type()) {
		return nil
	}
	if m.sets == nil {
		m.indexFields()
	}
	sets := m.sets[obj]
	if sets == nil || sets.open || len(sets.exprs) == 0 || len(sets.exprs) > maxUnroll || m.reading[obj] {
		return nil
	}
	m.reading[obj] = true
	defer delete(m.reading, obj)
	var alts []value
	seen := map[string]bool{}
	for _, d := range sets.exprs {
		m.stack = append(m.stack, &frame{pkg: d.pkg})
		v := m.eval(d.expr, newState())
		m.stack = m.stack[:len(m.stack)-1]
		s, ok := literal(v)
		if !ok {
			return nil
		}
		if !seen[s] {
			seen[s] = true
			alts = append(alts, v)
		}
	}
	if sets.zero {
		alts = append(alts, zeroText)
	}
	// Even one is a choice: reflection may have put something else there, so no condition is decided by it.
	return &choice{&event{}, alts}
}

// indexFields finds what is put into the fields of all struct types.
func (m *machine) indexFields() {
	m.sets = map[types.Object]*fieldSets{}
	of := func(obj types.Object) *fieldSets {
		s := m.sets[obj]
		if s == nil {
			s = &fieldSets{}
			m.sets[obj] = s
		}
		return s
	}
	for _, k := range m.p.order {
		if !k.bodies || k.info == nil {
			continue
		}
		for _, f := range k.files {
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.CompositeLit:
					m.indexLiteral(n, k, of)
				case *ast.AssignStmt:
					for i, l := range n.Lhs {
						obj := k.shared(l)
						if obj == nil {
							continue
						}
						if len(n.Lhs) == len(n.Rhs) && n.Tok == token.ASSIGN {
							of(obj).exprs = append(of(obj).exprs, declared{n.Rhs[i], k})
						} else {
							of(obj).open = true
						}
					}
				case *ast.UnaryExpr:
					if obj := k.shared(n.X); obj != nil && n.Op == token.AND {
						of(obj).open = true
					}
				case *ast.ValueSpec:
					for i, name := range n.Names {
						obj, ok := k.info.Defs[name].(*types.Var)
						switch {
						case !ok || obj.Parent() != k.types.Scope():
						case len(n.Values) == len(n.Names):
							of(obj).exprs = append(of(obj).exprs, declared{n.Values[i], k})
						case len(n.Values) > 0:
							of(obj).open = true
						}
					}
				}
				return true
			})
		}
	}
}

// shared is the field of a struct or the package variable that an expression names, nil when it is neither.
func (k *pkg) shared(e ast.Expr) *types.Var {
	var obj *types.Var
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		obj, _ = k.info.Uses[e].(*types.Var)
	case *ast.SelectorExpr:
		obj, _ = k.info.Uses[e.Sel].(*types.Var)
	}
	if obj == nil || !obj.IsField() && (obj.Pkg() == nil || obj.Parent() != obj.Pkg().Scope()) {
		return nil
	}
	return obj
}

func (m *machine) indexLiteral(n *ast.CompositeLit, k *pkg, of func(types.Object) *fieldSets) {
	t := k.info.TypeOf(n)
	if t == nil {
		return
	}
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	s, ok := t.Underlying().(*types.Struct)
	if !ok {
		return
	}
	set := map[*types.Var]bool{}
	for i, x := range n.Elts {
		var obj *types.Var
		val := x
		if kv, ok := x.(*ast.KeyValueExpr); ok {
			if id, ok := kv.Key.(*ast.Ident); ok {
				obj, _ = k.info.Uses[id].(*types.Var)
			}
			val = kv.Value
		} else if i < s.NumFields() {
			obj = s.Field(i)
		}
		if obj != nil {
			set[obj] = true
			of(obj).exprs = append(of(obj).exprs, declared{val, k})
		}
	}
	for i := range s.NumFields() {
		if s.Tag(i) != "" {
			of(s.Field(i)).open = true // for a decoder to fill
		}
		if !set[s.Field(i)] {
			of(s.Field(i)).zero = true
		}
	}
}
