package sqlquery

import (
	"go/ast"
	"go/types"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
)

// rowFuncs are pgx's functions that make a value of a row.
var rowFuncs = map[string]bool{"RowTo": true, "RowToAddrOf": true, "RowToMap": true, "RowToStructByName": true, "RowToStructByNameLax": true,
	"RowToStructByPos": true, "RowToAddrOfStructByName": true, "RowToAddrOfStructByNameLax": true, "RowToAddrOfStructByPos": true}

// callPgx is package pgx.
func (m *machine) callPgx(importPath, name string, typeArgs []ast.Expr, e *ast.CallExpr, st *state) (value, bool) {
	switch name {
	case "CollectRows", "CollectOneRow", "CollectExactlyOneRow", "AppendRows", "ForEachRow":
		args, open := m.args(e, st)
		first := 0
		if name == "AppendRows" {
			first = 1
		}
		if len(args) < first+2 {
			return m.opaqueResult(e), true
		}
		r, ok := args[first].v.(*result)
		if u, isUnknown := args[first].v.(*unknown); isUnknown && u.param != nil && m.stack[0].info != nil {
			m.stack[0].info.depends = true
		}
		if !ok {
			m.giveAway(args, e, st)
			return m.opaqueResult(e), true
		}
		if name == "ForEachRow" {
			if l, ok := args[1].v.(*list); ok {
				m.scan(r, l.elems, l.open != "" || open, st)
			}
			m.giveAway(args[2:], e, st)
			return m.opaqueResult(e), true
		}
		switch f := args[first+1].v.(type) {
		case *rowFunc:
			m.scanned(r, m.rowScan(f, args[first+1]), st)
		case *function:
			if f.lit != nil {
				m.callLit(f, []arg{{v: r}}, e.Pos(), st)
			} else {
				m.callDeclared(f.decl, f.recv, []arg{{v: r}}, false, e, st)
			}
		}
		return m.opaqueResult(e), true
	case "Connect", "ConnectConfig", "ConnectWithOptions", "New", "NewWithConfig":
		args, _ := m.args(e, st)
		m.giveAway(args, e, st)
		typ := m.apis[importPath+".Conn"]
		if strings.HasSuffix(importPath, "/pgxpool") {
			typ = m.apis[importPath+".Pool"]
		} else if strings.HasSuffix(importPath, "/pgconn") {
			typ = m.apis[importPath+".PgConn"]
		}
		if typ == nil {
			return nil, false
		}
		return &tuple{[]value{&handle{typ: typ, tx: typ.tx}, &unknown{}}}, true
	case "BeginFunc", "BeginTxFunc":
		args, _ := m.args(e, st)
		m.giveAway(args, e, st)
		return m.opaqueResult(e), true
	}
	if rowFuncs[name] { // RowToStructByName[T](row)
		args, _ := m.args(e, st)
		if len(args) == 1 {
			if r, ok := args[0].v.(*result); ok {
				m.scanned(r, m.rowScan(&rowFunc{kind: name}, arg{expr: e.Fun, pkg: m.pkg()}), st)
			}
		}
		return m.opaqueResult(e), true
	}
	return nil, false
}

// rowScan is where one of pgx's row functions puts columns. The type is the function's type argument.
func (m *machine) rowScan(f *rowFunc, a arg) *scanned {
	var t types.Type
	switch x := ast.Unparen(a.expr).(type) {
	case *ast.IndexExpr:
		t = a.pkg.info.TypeOf(x.Index)
	default:
		return nil
	}
	if t == nil || t == types.Typ[types.Invalid] {
		return nil
	}
	switch {
	case f.kind == "RowToMap":
		return nil
	case f.kind == "RowTo" || f.kind == "RowToAddrOf":
		return &scanned{kind: query.ByPosition, dests: []arg{{typ: types.NewPointer(t), pkg: a.pkg}}}
	case strings.HasSuffix(f.kind, "ByPos"):
		s, ok := t.Underlying().(*types.Struct)
		if !ok || s.NumFields() == 0 {
			return nil
		}
		out := &scanned{}
		m.fieldsOf(out, s, "db", strings.ToLower, a.pkg, 0)
		return &scanned{kind: query.ByPosition, dests: out.dests, open: out.open}
	}
	s, ok := t.Underlying().(*types.Struct)
	if !ok || s.NumFields() == 0 {
		return nil
	}
	out := &scanned{kind: query.ByName, lax: strings.HasSuffix(f.kind, "Lax")}
	m.fieldsOf(out, s, "db", func(name string) string { return strings.ToLower(name) }, a.pkg, 0)
	return out
}

// copyFrom is pgx's CopyFrom(ctx, pgx.Identifier{"t"}, []string{"a", "b"}, source).
func (m *machine) copyFrom(h *handle, args []arg, e *ast.CallExpr, st *state) {
	if len(args) < 3 {
		return
	}
	names, _ := args[1].v.(*list)
	columns, _ := args[2].v.(*list)
	o := m.observation(e, &unknown{why: "a table that is known at run time only"}, query.Copy, h, st)
	if names != nil && len(names.elems) > 0 {
		var cols []arg
		open := columns == nil
		if columns != nil {
			cols, open = columns.elems, columns.open != ""
		}
		o.sql = m.copyText(names.elems, cols, open, e.Pos())
	} else if u, ok := args[1].v.(*unknown); ok {
		o.sql = u
	}
	m.record(o)
}

// pgxArgs takes apart what pgx treats apart: a mode before the arguments, and NamedArgs, which rewrite @name.
func (m *machine) pgxArgs(o *observation, t *apiType) {
	if !strings.HasPrefix(t.path, "github.com/jackc/pgx") {
		return
	}
	for len(o.args) > 0 {
		importPath, name := "", ""
		if s, ok := o.args[0].expr.(*ast.SelectorExpr); ok {
			importPath, name = typeExpr(s, o.args[0].pkg)
		}
		if !strings.HasPrefix(importPath, "github.com/jackc/pgx") || !strings.HasPrefix(name, "QueryExecMode") {
			break
		}
		if name == "QueryExecModeSimpleProtocol" || name == "QueryExecModeExec" {
			o.simple = true
		}
		o.args = o.args[1:]
	}
	if len(o.args) == 1 && o.args[0].expr != nil {
		importPath, name := namedType(o.args[0].typ)
		if importPath == "" {
			importPath, name = m.literalType(o.args[0])
		}
		if strings.HasPrefix(importPath, "github.com/jackc/pgx") && (name == "NamedArgs" || name == "StrictNamedArgs") {
			o.named = "@"
		}
	}
}
