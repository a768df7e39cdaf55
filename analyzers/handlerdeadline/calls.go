package handlerdeadline

import (
	"go/ast"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/callee"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/contexts"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/syntax"
)

// serverOf is what a function waits for when it takes a context; "" when it is not known to wait.
func serverOf(name string) string {
	switch bare := callee.Bare(name); {
	case strings.HasPrefix(bare, "github.com/Masterminds/squirrel."): // which sends what it builds
		return "the database"
	case strings.HasPrefix(bare, "git.sr.ht/~sircmpwn/core-go/client."):
		return "another service"
	}
	return callee.Server(name)
}

// blocking are functions that take no context, wait, and have no timeout of their own; with what takes their place.
// Sources: the documentation of database/sql ("Exec uses context.Background internally"), net/http ("A Timeout of zero means no
// timeout", DefaultClient), net/smtp.SendMail.
var blocking = map[string]struct{ server, instead string }{
	"net/http.Get":      {"another service", "http.NewRequestWithContext and Do"},
	"net/http.Head":     {"another service", "http.NewRequestWithContext and Do"},
	"net/http.Post":     {"another service", "http.NewRequestWithContext and Do"},
	"net/http.PostForm": {"another service", "http.NewRequestWithContext and Do"},
	"net/smtp.SendMail": {"a mail server", "a connection of (*net.Dialer).DialContext with SetDeadline, in smtp.NewClient"},
}

// statements are the methods of database/sql, and of what is like it, that have a form with a context.
var statements = []string{"Begin", "Exec", "Get", "MustExec", "NamedExec", "NamedQuery", "Ping", "Prepare", "Preparex", "Query", "QueryRow",
	"QueryRowx", "Queryx", "Select"}

// statement recognises (*database/sql.DB).Exec and its like; method is the last part.
func statement(name string) (method string, ok bool) {
	typ, method, found := strings.Cut(strings.TrimPrefix(name, "(*"), ").")
	if !found || !slices.Contains(statements, method) {
		return "", false
	}
	switch typ {
	case "database/sql.DB", "database/sql.Tx", "database/sql.Stmt",
		"github.com/jmoiron/sqlx.DB", "github.com/jmoiron/sqlx.Tx", "github.com/jmoiron/sqlx.Stmt", "github.com/jmoiron/sqlx.NamedStmt":
		return method, true
	}
	return "", false
}

// withoutContext recognises a call that takes no context and waits; name is "" for others.
func withoutContext(c *checker, call *ast.CallExpr) (name, server string) {
	name = callee.Name(c.TypesInfo, call)
	if b, ok := blocking[name]; ok {
		return name, b.server
	}
	if _, ok := statement(name); ok {
		return name, "the database"
	}
	if sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok && strings.HasPrefix(name, "(*net/http.Client).") && c.noTimeout(sel.X) {
		switch sel.Sel.Name {
		case "Get", "Head", "Post", "PostForm":
			return name, "another service"
		case "Do":
			if len(call.Args) == 1 && c.requestWithoutContext(call.Args[0]) {
				return name, "another service"
			}
		}
	}
	return "", ""
}

// alternative names what to write instead.
func alternative(name string) string {
	if b, ok := blocking[name]; ok {
		return b.instead
	}
	if method, ok := statement(name); ok {
		if method == "Begin" {
			return "BeginTx"
		}
		return method + "Context"
	}
	return "http.NewRequestWithContext and Do"
}

// noTimeout reports whether an http.Client is known, and has no Timeout.
func (c *checker) noTimeout(client ast.Expr) bool {
	e := c.Values.Resolve(client).Expr
	if sel, ok := e.(*ast.SelectorExpr); ok {
		v, ok := c.TypesInfo.Uses[sel.Sel].(*types.Var)
		return ok && v.Pkg() != nil && v.Pkg().Path() == "net/http" && v.Name() == "DefaultClient"
	}
	lit := syntax.Literal(e)
	if lit == nil || callee.TypeName(c.TypesInfo, lit) != "net/http.Client" {
		return false
	}
	for _, field := range lit.Elts {
		kv, ok := field.(*ast.KeyValueExpr)
		if !ok {
			return false
		}
		if key, ok := kv.Key.(*ast.Ident); ok && (key.Name == "Timeout" || key.Name == "Transport") {
			return false // a Transport may have timeouts of its own
		}
	}
	return !c.Values.Assigned(c.TypesInfo.TypeOf(lit), "Timeout")
}

// requestWithoutContext reports whether a request comes from http.NewRequest, or was made with a context that nothing ends.
func (c *checker) requestWithoutContext(req ast.Expr) bool {
	call, ok := c.Values.Resolve(req).Expr.(*ast.CallExpr)
	if !ok {
		return false
	}
	switch callee.Name(c.TypesInfo, call) {
	case "net/http.NewRequest":
		return true
	case "net/http.NewRequestWithContext":
		return len(call.Args) > 0 && contexts.Of(c.TypesInfo, c.Values, call.Args[0]).Unbounded()
	}
	return false
}

// fix gives a statement of a transaction the context that the transaction was begun with, where that is at hand: its end
// ends the transaction anyway.
func (c *checker) fix(call *ast.CallExpr) (analysis.SuggestedFix, bool) {
	name := callee.Name(c.TypesInfo, call)
	method, ok := statement(name)
	sel, isSel := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok || !isSel || !strings.HasSuffix(name, "."+method) || !strings.Contains(name, "database/sql.Tx)") {
		return analysis.SuggestedFix{}, false
	}
	begin, ok := c.Values.Resolve(sel.X).Expr.(*ast.CallExpr)
	if !ok || len(begin.Args) == 0 || callee.Name(c.TypesInfo, begin) != "(*database/sql.DB).BeginTx" {
		return analysis.SuggestedFix{}, false
	}
	ctx, ok := ast.Unparen(begin.Args[0]).(*ast.Ident)
	if !ok {
		return analysis.SuggestedFix{}, false
	}
	scope := c.Pkg.Scope().Innermost(call.Pos())
	if scope == nil {
		return analysis.SuggestedFix{}, false
	}
	if _, obj := scope.LookupParent(ctx.Name, call.Pos()); obj == nil || obj != c.TypesInfo.Uses[ctx] {
		return analysis.SuggestedFix{}, false
	}
	arg := ctx.Name
	if len(call.Args) > 0 {
		arg += ", "
	}
	return analysis.SuggestedFix{
		Message: "Use " + method + "Context with the transaction's context",
		TextEdits: []analysis.TextEdit{
			{Pos: sel.Sel.Pos(), End: sel.Sel.End(), NewText: []byte(method + "Context")},
			{Pos: call.Lparen + 1, End: call.Lparen + 1, NewText: []byte(arg)},
		},
	}, true
}
