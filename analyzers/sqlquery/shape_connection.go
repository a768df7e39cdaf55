package sqlquery

import (
	"go/ast"
	"go/types"
	"strings"
)

// byShape is a call of a method that looks like a query function: an interface of the user's with the methods of a
// connection (sqlc's DBTX), or a receiver without a type.
func (m *machine) byShape(fn *types.Func, base value, e *ast.CallExpr, f *ast.SelectorExpr, st *state) (value, bool) {
	name := f.Sel.Name
	if name == "CopyFrom" && len(e.Args) == 4 && fn != nil && types.IsInterface(receiver(fn)) { // sqlc's DBTX
		args, _ := m.args(e, st)
		m.copyFrom(&handle{typ: &apiType{name: "interface"}, param: m.rootParam(base)}, args, e, st)
		return m.opaqueResult(e), true
	}
	if v, ok := m.sqlxShape(fn, base, e, st); ok {
		return v, true
	}
	shape, ok := shapes[name]
	if !ok || len(e.Args) == 0 {
		return nil, false
	}
	if fn != nil {
		sig := fn.Type().(*types.Signature)
		at := textParam(sig)
		if at < 0 || !m.dbResults(sig, name) && !m.standsForWrapper(fn) {
			return nil, false
		}
		shape.sql, shape.args = at, at+1
		if !sig.Variadic() {
			shape.args = -1
		}
		return m.handleMethod(&handle{typ: &apiType{name: "interface", methods: map[string]apiMethod{name: shape}}, param: m.rootParam(base)}, name, e, st)
	}
	if m.typeOf(f.X) != nil && !m.opaqueType(m.typeOf(f.X)) {
		return nil, false // it has a type, and no such method
	}
	if len(e.Args) > 1 && m.looksLikeContext(e.Args[0]) {
		shape.sql, shape.args = 1, 2
	} else {
		shape.sql, shape.args = 0, 1
	}
	if shape.sql >= len(e.Args) {
		return nil, false
	}
	v := m.eval(e.Args[shape.sql], st.clone())
	if b, isBuilder := v.(*text); !isBuilder || len(b.parts) == 0 || !looksLikeSQL(b) {
		return nil, false
	}
	return m.handleMethod(&handle{typ: &apiType{name: "unknown", methods: map[string]apiMethod{name: shape}}}, name, e, st)
}

// sqlxShape is a call of a method that an interface of the user's has with the name and the parameters that it has in sqlx:
// GetContext(ctx, dest, query, args...), NamedExec(query, arg). Others are called so, too (caches, HTTP clients), so that the text must
// begin as a statement does.
func (m *machine) sqlxShape(fn *types.Func, base value, e *ast.CallExpr, st *state) (value, bool) {
	if fn == nil || !types.IsInterface(receiver(fn)) {
		return nil, false
	}
	method, ok := m.apis["github.com/jmoiron/sqlx.DB"].methods[fn.Name()]
	if !ok || method.sql >= len(e.Args) {
		return nil, false
	}
	sig := fn.Type().(*types.Signature)
	switch method.does {
	case doesGet, doesSelect:
		if !sig.Variadic() || sig.Params().Len() != method.args+1 || !types.IsInterface(sig.Params().At(method.dest).Type()) {
			return nil, false
		}
	case doesNamed, doesNamedRow:
		if sig.Variadic() || sig.Params().Len() != method.args+1 {
			return nil, false
		}
	default:
		return nil, false // as of any connection
	}
	if b, ok := sig.Params().At(method.sql).Type().Underlying().(*types.Basic); !ok || b.Kind() != types.String {
		return nil, false
	}
	if t, ok := m.eval(e.Args[method.sql], st.clone()).(*text); ok && len(t.parts) > 0 && looksLikeSQL(t) {
		h := &handle{typ: &apiType{name: "interface", methods: map[string]apiMethod{fn.Name(): method}}, param: m.rootParam(base)}
		return m.handleMethod(h, fn.Name(), e, st)
	}
	return nil, false
}

// shapes are the methods of connections, wherever they are.
var shapes = map[string]apiMethod{
	"Exec": {does: doesExec}, "ExecContext": {does: doesExec}, "Query": {does: doesQuery}, "QueryContext": {does: doesQuery},
	"QueryRow": {does: doesQuery}, "QueryRowContext": {does: doesQuery}, "MustExec": {does: doesExec},
	"Prepare":        {does: doesPrepare, gives: "database/sql.Stmt"},
	"PrepareContext": {does: doesPrepare, gives: "database/sql.Stmt"},
}

// opaqueType reports whether a type is one of a package that is not here.
func (m *machine) opaqueType(t types.Type) bool {
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	n, ok := types.Unalias(t).(*types.Named)
	if !ok {
		return false
	}
	s, ok := n.Underlying().(*types.Struct)
	return ok && s.NumFields() == 0 && n.Obj().Pkg() != nil && m.p.packages[n.Obj().Pkg().Path()] == nil && !standardTypes[n.Obj().Pkg().Path()]
}

// textParam is the index of the text in a signature like (context, string, ...any); -1 when it is not one.
func textParam(sig *types.Signature) int {
	i := 0
	if sig.Params().Len() > 0 {
		if path, name := namedType(sig.Params().At(0).Type()); path == "context" && name == "Context" {
			i = 1
		}
	}
	if i >= sig.Params().Len() {
		return -1
	}
	b, ok := sig.Params().At(i).Type().Underlying().(*types.Basic)
	if !ok || b.Kind() != types.String {
		return -1
	}
	rest := sig.Params().Len() - i - 1
	if rest == 0 {
		return i
	}
	if rest > 1 || !sig.Variadic() {
		return -1
	}
	s, ok := sig.Params().At(i + 1).Type().(*types.Slice)
	if !ok || !types.IsInterface(s.Elem()) {
		return -1
	}
	return i
}

// standsForWrapper reports whether a method of an interface is one of the user's that passes its text on.
func (m *machine) standsForWrapper(fn *types.Func) bool {
	iface, ok := receiver(fn).Underlying().(*types.Interface)
	if !ok {
		return false
	}
	for _, info := range m.implementers(fn, iface) {
		m.run(info)
		if info.depends {
			return true
		}
	}
	return false
}

// implementers are the user's methods that a method of an interface can stand for.
func (m *machine) implementers(fn *types.Func, iface *types.Interface) []*funcInfo {
	found, ok := m.implement[fn]
	if !ok {
		for _, info := range m.byName[fn.Name()] {
			if types.Implements(receiver(info.obj), iface) {
				found = append(found, info)
			}
		}
		m.implement[fn] = found
	}
	return found
}

// dbResults reports whether a signature returns what a database does.
func (m *machine) dbResults(sig *types.Signature, name string) bool {
	if sig.Results().Len() == 0 {
		return false
	}
	path, result := namedType(sig.Results().At(0).Type())
	switch {
	case path == "database/sql", strings.HasPrefix(path, "github.com/jackc/pg"), strings.HasPrefix(path, "github.com/jmoiron/sqlx"):
		return true
	case strings.Contains(result, "Row") || strings.Contains(result, "Result") || strings.Contains(result, "Stmt") || strings.Contains(result, "CommandTag"):
		return sig.Variadic() || strings.HasPrefix(name, "Prepare")
	}
	return false
}

func (m *machine) looksLikeContext(e ast.Expr) bool {
	if path, name := namedType(m.typeOf(e)); path == "context" && name == "Context" {
		return true
	}
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		return strings.Contains(strings.ToLower(e.Name), "ctx") || e.Name == "context"
	case *ast.CallExpr:
		if s, ok := e.Fun.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok && x.Name == "context" {
				return true
			}
			return s.Sel.Name == "Context"
		}
	case *ast.SelectorExpr:
		return strings.Contains(strings.ToLower(e.Sel.Name), "ctx") || e.Sel.Name == "Context"
	}
	return false
}

// sqlWords begin statements.
var sqlWords = map[string]bool{"select": true, "insert": true, "update": true, "delete": true, "with": true, "create": true, "alter": true,

	"drop": true, "truncate": true, "lock": true, "set": true, "begin": true, "commit": true, "rollback": true, "savepoint": true,
	"release": true, "copy": true, "listen": true, "notify": true, "unlisten": true, "refresh": true, "values": true, "merge": true,
	"explain": true, "analyze": true, "vacuum": true, "call": true, "do": true, "show": true, "declare": true, "fetch": true, "close": true,
	"prepare": true, "execute": true, "reindex": true, "grant": true, "revoke": true, "comment": true, "table": true, "start": true, "reset": true, "discard": true}

// looksLikeSQL reports whether a text begins as a statement does.
func looksLikeSQL(t *text) bool {
	s := ""
	for _, p := range t.parts {
		if p.builder != nil {
			return true
		}
		if p.choice != nil && len(p.choice.alts) > 0 && s == "" {
			if alt, ok := p.choice.alts[0].(*text); ok {
				return looksLikeSQL(alt)
			}
		}
		if p.hole != nil || p.choice != nil {
			break
		}
		s += p.lit
	}
	return beginsStatement(s)
}

func beginsStatement(s string) bool {
	for {
		s = strings.TrimLeft(s, " \t\r\n(;")
		if rest, ok := strings.CutPrefix(s, "--"); ok {
			_, s, _ = strings.Cut(rest, "\n")
			continue
		}
		if rest, ok := strings.CutPrefix(s, "/*"); ok {
			_, s, _ = strings.Cut(rest, "*/")
			continue
		}
		break
	}
	i := 0
	for i < len(s) && (s[i]|0x20 >= 'a' && s[i]|0x20 <= 'z') {
		i++
	}
	return sqlWords[strings.ToLower(s[:i])]
}
