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
