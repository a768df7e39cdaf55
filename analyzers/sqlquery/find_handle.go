package sqlquery

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
)

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
		o.prepared = h.typ.cachesPlan && (method.does != doesExec || len(o.args) > 0) && !o.simple
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
		return &tuple{[]value{&handle{typ: m.apis[method.gives], tx: h.tx, prepared: []*observation{o}, opened: h.opened, unsafe: h.unsafe}, &unknown{}}}, true
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
		tx := &handle{typ: m.apis[method.gives], tx: query.TxReadWrite, do: m.inner(), opened: h.opened, unsafe: h.unsafe}
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
		got := &handle{typ: typ, tx: h.tx, param: h.param, do: h.do, opened: h.opened, unsafe: h.unsafe || name == "Unsafe"}
		if h.typ.tx == query.TxNone && name != "Unsafe" {
			got.tx = query.TxUnknown // a connection of its own may have a transaction begun on it
		}
		if t, ok := m.typeOf(e).(*types.Tuple); ok && t.Len() == 2 || name == "Acquire" || name == "Conn" && h.typ.path == "database/sql" || name == "Connx" {
			return &tuple{[]value{got, &unknown{}}}, true
		}
		return got, true
	case doesGet, doesSelect:
		o := m.observation(e, at(method.sql).v, query.Statement, h, st)
		bound(o)
		m.scanned(&result{of: []*observation{o}}, m.structScan(at(method.dest), method.does == doesSelect), st)
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
	pos := token.NoPos
	if a.expr != nil {
		pos = a.expr.Pos()
	}
	if s, ok := literal(a.v); ok && strings.Contains(s, `"`) {
		return known(`"`+strings.ReplaceAll(s, `"`, `""`)+`"`, pos, false)
	}
	return concat(concat(known(`"`, pos, false), textOf(a.v)), known(`"`, token.NoPos, false))
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
