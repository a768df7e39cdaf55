package sqlquery

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

// declared is where a constant or a variable is declared.
type declared struct {
	expr ast.Expr
	pkg  *pkg
}

// funcInfo is a function with a body.
type funcInfo struct {
	pkg  *pkg
	decl *ast.FuncDecl
	obj  *types.Func
	// direct: its body has a call that may send SQL; callees are the functions it calls.
	direct  bool
	callees map[*types.Func]bool
	size    int // nodes of its syntax
	// reaches: it, or a function that it calls, is direct; reachesGate: asks a gate, likewise.
	reaches, reachesGate bool

	evaluating, done bool
	// depends: the callers know more of what it sends or returns. calls: it calls functions it is given.
	// answers: the callers know more of what it returns.
	// asks: it asks a gate, or calls a function that does so, outside of gate.Do.
	// recurs: it is called while it is being evaluated, so that not all that it is given there is seen.
	depends, calls, answers, asks, recurs bool
	result                                value
}

// index notes the declarations of a package.
func (m *machine) index(k *pkg) {
	for _, f := range k.files {
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Body == nil {
					continue
				}
				info := &funcInfo{pkg: k, decl: d, callees: map[*types.Func]bool{}}
				info.obj, _ = k.info.Defs[d.Name].(*types.Func)
				m.survey(info, d.Body)
				m.list = append(m.list, info)
				if info.obj != nil {
					m.funcs[info.obj] = info
					if d.Recv != nil && receiver(info.obj) != nil {
						m.byName[d.Name.Name] = append(m.byName[d.Name.Name], info)
					}
				}
			case *ast.GenDecl:
				for _, s := range d.Specs {
					v, ok := s.(*ast.ValueSpec)
					if !ok {
						continue
					}
					for i, name := range v.Names {
						obj := k.info.Defs[name]
						if obj == nil || i >= len(v.Values) {
							continue
						}
						if d.Tok == token.CONST {
							m.consts[obj] = declared{v.Values[i], k}
						} else if len(v.Values) == len(v.Names) {
							m.vars[obj] = declared{v.Values[i], k}
						}
					}
				}
			}
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				for _, l := range n.Lhs {
					m.noteChange(k, l)
				}
			case *ast.UnaryExpr:
				if n.Op == token.AND {
					m.noteChange(k, n.X)
				}
			case *ast.GenDecl:
				if n.Tok == token.CONST {
					for _, s := range n.Specs { // constants of functions
						if v, ok := s.(*ast.ValueSpec); ok {
							for i, name := range v.Names {
								if obj := k.info.Defs[name]; obj != nil && i < len(v.Values) {
									m.consts[obj] = declared{v.Values[i], k}
								}
							}
						}
					}
				}
			}
			return true
		})
	}
}

func (m *machine) noteChange(k *pkg, e ast.Expr) {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		if v, ok := k.info.Uses[e].(*types.Var); ok && v.Parent() != nil && v.Pkg() != nil && v.Parent() == v.Pkg().Scope() {
			m.changed[v] = true
		}
	case *ast.SelectorExpr:
		if v, ok := k.info.Uses[e.Sel].(*types.Var); ok && !v.IsField() {
			m.changed[v] = true
		}
	case *ast.IndexExpr:
		m.noteChange(k, e.X)
	}
}

// queryNames are the names of methods that may send SQL, whatever they belong to; a function without any of them, and
// without a call of a function that passes its parameters on, is not evaluated.
var queryNames = map[string]bool{
	"Exec": true, "ExecContext": true, "Query": true, "QueryContext": true, "QueryRow": true, "QueryRowContext": true,
	"Prepare": true, "PrepareContext": true, "Preparex": true, "PreparexContext": true, "PrepareNamed": true, "PrepareNamedContext": true,
	"Get": true, "GetContext": true, "Select": true, "SelectContext": true, "NamedExec": true, "NamedExecContext": true,
	"NamedQuery": true, "NamedQueryContext": true, "Queryx": true, "QueryxContext": true, "QueryRowx": true, "QueryRowxContext": true,
	"MustExec": true, "MustExecContext": true, "Queue": true, "CopyFrom": true, "CopyTo": true, "ExecParams": true, "ExecScript": true,
	"ToSql": true, "MustSql": true, "ScanContext": true, "Listen": true, "QueryFunc": true, "CopyIn": true, "CopyInSchema": true,
	"Insert": true, "Update": true, "Delete": true, "Replace": true, "RunWith": true, "SendBatch": true,
}

// survey looks at a body without evaluating it.
func (m *machine) survey(info *funcInfo, body ast.Node) {
	ast.Inspect(body, func(n ast.Node) bool {
		info.size++
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		fun := ast.Unparen(call.Fun)
		if ix, ok := fun.(*ast.IndexExpr); ok {
			fun = ix.X
		}
		switch f := fun.(type) {
		case *ast.SelectorExpr:
			if queryNames[f.Sel.Name] && !info.direct {
				info.direct = m.mayBeQuery(f, call, info.pkg)
			}
			info.reachesGate = info.reachesGate || gateMethods[f.Sel.Name] && ofGate(info.pkg.info.TypeOf(f.X))
			if fn, ok := info.pkg.info.Uses[f.Sel].(*types.Func); ok {
				info.callees[fn.Origin()] = true
			}
		case *ast.Ident:
			if fn, ok := info.pkg.info.Uses[f].(*types.Func); ok {
				info.callees[fn.Origin()] = true
			}
		}
		for _, a := range call.Args { // a method given to another function
			if s, ok := ast.Unparen(a).(*ast.SelectorExpr); ok {
				if fn, ok := info.pkg.info.Uses[s.Sel].(*types.Func); ok {
					info.callees[fn.Origin()] = true
				}
			}
		}
		return true
	})
}

// ambiguous are the names of methods that much else has as well.
var ambiguous = map[string]bool{"Get": true, "Select": true, "Update": true, "Delete": true, "Insert": true, "Replace": true, "Queue": true,

	"Listen": true, "Query": true, "Exec": true}

// mayBeQuery looks at a call by the name of a query function more closely, at what it is called on.
func (m *machine) mayBeQuery(f *ast.SelectorExpr, call *ast.CallExpr, k *pkg) bool {
	if !ambiguous[f.Sel.Name] {
		return true
	}
	if x, ok := f.X.(*ast.Ident); ok {
		if from := k.imported(x); from != nil {
			return m.isSquirrel(from.Path()) || strings.HasSuffix(from.Path(), "/core-go/database") || isOneOf(from.Path(), understood)
		}
	}
	t := k.info.TypeOf(f.X)
	if t == nil || t == types.Typ[types.Invalid] || m.opaqueType(t) {
		return true
	}
	if m.handleType(t) != nil || m.builderType(t, nil, nil) != "" || m.embeddedHandle(t, f.Sel.Name, 0) != nil {
		return true
	}
	if fn, ok := k.info.Uses[f.Sel].(*types.Func); ok {
		return len(call.Args) > 0 && types.IsInterface(receiver(fn)) && textParam(fn.Type().(*types.Signature)) >= 0 || m.handleType(receiver(fn)) != nil
	}
	return false
}

// markReaching finds the functions that may lead to a query, or to a question to a gate.
func (m *machine) markReaching() {
	callers := map[*types.Func][]*funcInfo{}
	for _, f := range m.list {
		for c := range f.callees {
			callers[c] = append(callers[c], f)
		}
		f.reaches = f.direct
		m.asksGates = m.asksGates || f.reachesGate
	}
	for _, mark := range []func(*funcInfo) *bool{
		func(f *funcInfo) *bool { return &f.reaches },
		func(f *funcInfo) *bool { return &f.reachesGate },
	} {
		var queue []*funcInfo
		for _, f := range m.list {
			if *mark(f) {
				queue = append(queue, f)
			}
		}
		for len(queue) > 0 {
			f := queue[0]
			queue = queue[1:]
			if f.obj == nil {
				continue
			}
			for _, c := range callers[f.obj] {
				if !*mark(c) {
					*mark(c) = true
					queue = append(queue, c)
				}
			}
		}
	}
}

// worthRunning reports whether a function can matter to what is sent: by what it calls, or by what it returns when it is
// small enough to be looked into for that.
func (f *funcInfo) worthRunning() bool {
	if f.reaches {
		return true
	}
	if f.size > maxSize || f.decl.Type.Results == nil {
		return false
	}
	if f.reachesGate {
		return true
	}
	sig, ok := f.obj.Type().(*types.Signature)
	if !ok {
		return false
	}
	for i := range sig.Results().Len() {
		switch t := sig.Results().At(i).Type().Underlying().(type) {
		case *types.Basic:
			if t.Info()&types.IsString != 0 || t.Kind() == types.Invalid {
				return true
			}
		case *types.Slice, *types.Map, *types.Pointer, *types.Struct, *types.Signature:
			return true
		case *types.Interface:
			if path, name := namedType(sig.Results().At(i).Type()); path != "" || name != "error" && t.NumMethods() > 0 {
				if types.TypeString(sig.Results().At(i).Type(), nil) != "error" {
					return true
				}
			}
		}
	}
	return false
}

// funcName is a function as Go users write it: (*T).Method, Func.
func (fr *frame) funcName() string {
	if fr.info == nil || fr.info.decl == nil {
		return ""
	}
	d := fr.info.decl
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return d.Name.Name
	}
	t := types.ExprString(d.Recv.List[0].Type)
	if i := strings.IndexByte(t, '['); i > 0 {
		t = t[:i]
	}
	if strings.HasPrefix(t, "*") {
		t = "(" + t + ")"
	}
	return t + "." + d.Name.Name
}
