package sqlquery

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
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
	switch b := base.(type) {
	case *builder:
		args, open := m.args(e, st)
		if b.verb == "case" || b.base == nil || m.isBuilderMethod(f) {
			return m.builderMethod(b, name, args, open, e, st)
		}
		return m.builderMethod(b, name, args, open, e, st)
	case *choice:
		if anyKind(b) {
			ways := make([]*state, len(b.alts))
			vals := make([]value, len(b.alts))
			for i, a := range b.alts {
				ways[i] = st.clone()
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
	}
	if v, ok := m.askGate(e, f, st); ok {
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

func (m *machine) isBuilderMethod(*ast.SelectorExpr) bool { return true }

// anyKind reports whether a choice is among values with methods of their own.
func anyKind(c *choice) bool {
	for _, a := range c.alts {
		switch a.(type) {
		case *builder, *result, *handle, *object:
			return true
		}
	}
	return false
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
	return &choice{m.event(), alts}, true
}

// handleMethod is a call of a method of a library's type.
func (m *machine) handleMethod(h *handle, name string, e *ast.CallExpr, st *state) (value, bool) {
	method, ok := h.typ.methods[name]
	if !ok {
		return nil, false
	}
	args, open := m.args(e, st)
	if method.does == doesNothing {
		return m.opaqueResult(e), true
	}
	at := func(i int) arg {
		if i >= 0 && i < len(args) {
			return args[i]
		}
		return arg{v: &unknown{}}
	}
	if method.does != doesBegin && method.does != doesConn && method.does != doesRun && method.does != doesRunQuery && method.does != doesCopy && method.sql >= len(args) {
		return m.opaqueResult(e), true
	}
	bound := func(o *observation) {
		if method.args < 0 {
			return
		}
		if method.args <= len(args) {
			o.args, o.argsKnown = args[method.args:], !open
		}
		m.pgxArgs(o, h.typ)
	}
	switch method.does {
	case doesExec, doesQuery, doesQueue:
		o := m.observation(e, at(method.sql).v, query.Statement, h, st)
		bound(o)
		o.prepared = h.typ.cachesPlan && (method.does == doesQuery || len(o.args) > 0) && !o.simple
		v := m.send(o, method.does == doesExec)
		m.giveLits(args, e, st)
		if method.does == doesQueue {
			return v, true
		}
		return m.pair(v, e), true
	case doesPrepare:
		o := m.observation(e, at(method.sql).v, query.Statement, h, st)
		o.prepared = true
		if strings.HasPrefix(name, "PrepareNamed") {
			o.named = ":"
		}
		m.record(o)
		if method.gives == "" {
			return m.opaqueResult(e), true
		}
		return &tuple{[]value{&handle{typ: m.apis[method.gives], tx: h.tx, prepared: []*observation{o}}, &unknown{}}}, true
	case doesRun, doesRunQuery:
		if method.args <= len(args) {
			for _, o := range h.prepared {
				if o.args == nil {
					o.args, o.argsKnown = args[method.args:], !open
				}
			}
		}
		if method.does == doesRunQuery && len(h.prepared) > 0 {
			return m.pair(&result{of: h.prepared}, e), true
		}
		return m.opaqueResult(e), true
	case doesBegin:
		tx := &handle{typ: m.apis[method.gives], tx: query.TxReadWrite}
		if t := m.txFor(args); t != nil {
			tx.tx = t.tx
		}
		if name == "MustBegin" {
			return tx, true
		}
		return &tuple{[]value{tx, &unknown{}}}, true
	case doesConn:
		typ := h.typ
		if method.gives != "" {
			typ = m.apis[method.gives]
		}
		got := &handle{typ: typ, tx: h.tx, param: h.param}
		if h.typ.tx == query.TxNone {
			got.tx = query.TxUnknown // a connection of its own may have a transaction begun on it
		}
		if t, ok := m.typeOf(e).(*types.Tuple); ok && t.Len() == 2 || name == "Acquire" || name == "Conn" && h.typ.path == "database/sql" || name == "Connx" {
			return &tuple{[]value{got, &unknown{}}}, true
		}
		return got, true
	case doesGet, doesSelect:
		o := m.observation(e, at(method.sql).v, query.Statement, h, st)
		bound(o)
		o.scan = m.structScan(at(method.dest), method.does == doesSelect)
		m.record(o)
		return &unknown{}, true
	case doesNamed, doesNamedRow:
		o := m.observation(e, at(method.sql).v, query.Statement, h, st)
		o.named = ":"
		o.args = []arg{at(method.args)}
		return m.pair(m.send(o, method.does == doesNamed), e), true
	case doesCopy:
		m.copyFrom(h, args, e, st)
		return m.opaqueResult(e), true
	case doesRebind:
		return m.rebound(at(method.sql).v), true
	case doesListen:
		t := concat(known("LISTEN ", e.Pos(), false), m.quotedName(at(0)))
		o := m.observation(e, t, query.Statement, h, st)
		m.record(o)
		return &unknown{}, true
	}
	return nil, false
}

// quotedName is a name that a library quotes.
func (m *machine) quotedName(a arg) *text {
	if s, ok := literal(a.v); ok {
		return known(`"`+strings.ReplaceAll(s, `"`, `""`)+`"`, a.expr.Pos(), false)
	}
	return &text{[]part{{lit: `"`}, textOf(a.v).parts[0], {lit: `"`}}}
}

// pair makes (result, error) of a result where the call has two.
func (m *machine) pair(v value, e *ast.CallExpr) value {
	if t, ok := m.typeOf(e).(*types.Tuple); ok && t.Len() == 2 {
		return &tuple{[]value{v, &unknown{}}}
	}
	return v
}

// giveLits evaluates function literals that a query is given (pgx's QueryFunc).
func (m *machine) giveLits(args []arg, e *ast.CallExpr, st *state) {
	for _, a := range args {
		if f, ok := a.v.(*function); ok && f.lit != nil {
			m.runGiven(f, nil, e, st)
		}
	}
}

// txFor is the transaction that options among the arguments of a call ask for; nil when none of them are options.
func (m *machine) txFor(args []arg) *handle {
	mode := query.TxUnknown
	for _, a := range args {
		importPath, name := namedType(a.typ)
		if name == "" && a.expr != nil {
			importPath, name = m.literalType(a)
		}
		if name == "TxOptions" && (importPath == "database/sql" || strings.HasPrefix(importPath, "github.com/jackc/pgx/")) {
			mode = m.optionsMode(a)
			return &handle{tx: mode}
		}
	}
	for _, a := range args {
		if f, ok := a.v.(*function); ok && f.lit != nil { // WithTx(ctx, nil, func(tx …))
			return &handle{tx: query.TxReadWrite}
		}
	}
	return nil
}

func (m *machine) literalType(a arg) (importPath, name string) {
	e := ast.Unparen(a.expr)
	if u, ok := e.(*ast.UnaryExpr); ok && u.Op == token.AND {
		e = u.X
	}
	if c, ok := e.(*ast.CompositeLit); ok && c.Type != nil {
		return typeExpr(c.Type, a.pkg)
	}
	return "", ""
}

// optionsMode reads TxOptions.
func (m *machine) optionsMode(a arg) query.Tx {
	o, ok := a.v.(*object)
	if !ok {
		if _, isNull := a.v.(*null); isNull {
			return query.TxReadWrite
		}
		return query.TxUnknown
	}
	if o.lit == nil {
		return query.TxReadWrite
	}
	for _, x := range o.lit.Elts {
		kv, ok := x.(*ast.KeyValueExpr)
		if !ok {
			return query.TxUnknown
		}
		key, _ := kv.Key.(*ast.Ident)
		if key == nil {
			return query.TxUnknown
		}
		switch key.Name {
		case "ReadOnly":
			if id, ok := kv.Value.(*ast.Ident); ok && id.Name == "true" {
				return query.TxReadOnly
			} else if !ok || id.Name != "false" {
				return query.TxUnknown
			}
		case "AccessMode":
			switch v := kv.Value.(type) {
			case *ast.SelectorExpr:
				if v.Sel.Name == "ReadOnly" {
					return query.TxReadOnly
				}
			default:
				return query.TxUnknown
			}
		}
	}
	return query.TxReadWrite
}

// byShape is a call of a method that looks like a query function: an interface of the user's with the methods of a
// connection (sqlc's DBTX), or a receiver without a type.
func (m *machine) byShape(fn *types.Func, base value, e *ast.CallExpr, f *ast.SelectorExpr, st *state) (value, bool) {
	name := f.Sel.Name
	if name == "CopyFrom" && len(e.Args) == 4 && fn != nil && types.IsInterface(receiver(fn)) { // sqlc's DBTX
		args, _ := m.args(e, st)
		m.copyFrom(&handle{typ: &apiType{name: "interface"}, param: m.rootParam(base)}, args, e, st)
		return m.opaqueResult(e), true
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

func intOf(v value) (int64, bool) {
	if n, ok := v.(*number); ok && n.v.Kind() == constant.Int {
		return constant.Int64Val(n.v)
	}
	return 0, false
}
