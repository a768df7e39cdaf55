package sqlquery

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
)

// callPackage is a call of a function of another package (or a conversion to a type of one).
func (m *machine) callPackage(e *ast.CallExpr, f *ast.SelectorExpr, importPath string, typeArgs []ast.Expr, st *state) value {
	name := f.Sel.Name
	if m.isSquirrel(importPath) {
		if kind := sqlizerTypes[name]; kind != "" && len(e.Args) == 1 { // sq.Eq(m), sq.And(list)
			return m.toSqlizer(kind, m.arg(e.Args[0], st), e.Pos())
		}
		args, open := m.args(e, st)
		return m.squirrelCall(name, args, open, e, st)
	}
	switch {
	case importPath == "fmt":
		return m.callFmt(name, e, st)
	case importPath == "strings":
		return m.callStrings(name, e, st)
	case importPath == "errors" && name == "New":
		m.args(e, st)
		return &failure{}
	case importPath == "strconv":
		args, _ := m.args(e, st)
		return m.callStrconv(name, args, e)
	case importPath == "log" && (strings.HasPrefix(name, "Fatal") || strings.HasPrefix(name, "Panic")), importPath == "os" && name == "Exit":
		m.args(e, st)
		st.dead = true
		return &unknown{}
	case importPath == "database/sql":
		args, _ := m.args(e, st)
		if name == "Named" && len(args) == 2 {
			return args[1].v
		}
		if name == "Open" || name == "OpenDB" {
			return m.pair(&handle{typ: m.apis["database/sql.DB"], tx: query.TxNone}, e)
		}
		return m.opaqueResult(e)
	case importPath == "io/fs" && (name == "ReadFile" || name == "ReadDir") && len(e.Args) == 2:
		if v, ok := m.embeddedCall(name, e.Args[0], m.eval(e.Args[1], st.clone()), e); ok {
			return v
		}
	case importPath == "github.com/lib/pq":
		return m.callPq(name, e, st)
	case strings.HasPrefix(importPath, "github.com/jackc/pgx/"):
		if v, ok := m.callPgx(importPath, name, typeArgs, e, st); ok {
			return v
		}
	case importPath == "github.com/jmoiron/sqlx":
		if v, ok := m.callSqlx(name, e, st); ok {
			return v
		}
	case strings.HasSuffix(importPath, "/core-go/database"):
		if v, ok := m.callCore(name, e, st); ok {
			return v
		}
	}
	args, spreads := m.args(e, st)
	if fn, ok := m.pkg().info.Uses[f.Sel].(*types.Func); ok {
		return m.callDeclared(fn.Origin(), nil, args, spreads, e, st)
	}
	if v, ok := m.pkg().info.Uses[f.Sel].(*types.Var); ok {
		if fv, ok := m.variable(v, e.Pos()).(*function); ok {
			return m.callFunction(fv, args, spreads, e, st)
		}
	}
	m.giveAway(args, e, st)
	v := m.opaqueResult(e)
	if x, ok := v.(*unknown); ok {
		x.why = "what " + types.ExprString(f) + " returns, which is not here"
	}
	return v
}

// packageValue is a variable of a library, nil for any other.
func (m *machine) packageValue(importPath, name string) value {
	if name == "StatementBuilder" && m.isSquirrel(importPath) {
		return &builder{verb: "any"}
	}
	if strings.HasPrefix(importPath, "github.com/jackc/pgx/") && rowFuncs[name] {
		return &rowFunc{kind: name}
	}
	return nil
}

// toSqlizer is a conversion to one of squirrel's types.
func (m *machine) toSqlizer(kind string, a arg, pos token.Pos) value {
	s := &sqlizer{kind: kind, pos: pos}
	switch v := a.v.(type) {
	case *table:
		s.tab = v
	case *list:
		s.args = v.elems
	default:
		return &unknown{typ: a.typ}
	}
	return s
}

// callPq is package pq.
func (m *machine) callPq(name string, e *ast.CallExpr, st *state) value {
	args, open := m.args(e, st)
	switch name {
	case "CopyIn":
		if len(args) > 0 {
			return m.copyText(args[:1], args[1:], open, e.Pos())
		}
	case "CopyInSchema":
		if len(args) > 1 {
			return m.copyText(args[:2], args[2:], open, e.Pos())
		}
	case "QuoteIdentifier":
		if len(args) == 1 {
			return m.quotedName(args[0])
		}
	case "NewListener", "NewDialListener":
		m.giveAway(args, e, st)
		return &handle{typ: m.apis["github.com/lib/pq.Listener"]}
	case "QuoteLiteral":
		return &text{[]part{{lit: "''", pos: e.Pos()}}}
	case "Array":
		if len(args) == 1 {
			return &unknown{typ: m.typeOf(e)}
		}
	}
	return m.opaqueResult(e)
}
