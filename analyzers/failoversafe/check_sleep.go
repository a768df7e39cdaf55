package failoversafe

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/inspector"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/callee"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/findings"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/imports"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/syntax"
)

// checkSleep looks at a time.Sleep that stands between two attempts to reach a server, where a context is at hand.
func (c *checker) checkSleep(cur inspector.Cursor) {
	if c.Silent(cur.Node().Pos()) {
		return
	}
	call := cur.Node().(*ast.CallExpr)
	fn, ok := syntax.Enclosing(cur)
	if !ok || len(call.Args) != 1 {
		return
	}
	loop, ok := syntax.Loop(cur)
	if !ok {
		return
	}
	server := c.retried(loop, cur)
	ctx, what := c.contextAt(cur)
	if server == "" || ctx == "" {
		return
	}
	jitter := ""
	if !mentionsRandom(call.Args[0]) && !c.randomVariable(call.Args[0]) {
		jitter = ", and, without jitter, every client that a failover has cut off tries again at the same moments"
	}
	f := findings.Finding{Check: "sleeping-retry", Pos: call.Pos(), End: call.End(),
		Message: fmt.Sprintf("this retry of %s sleeps on when %s has ended: a node that drains waits for it, and then tries for nobody%s", server, what, jitter),
		Help:    fmt.Sprintf("Wait in a select on %s.Done() and on time.After(d/2 + rand.N(d)).", ctx)}
	if fix, ok := c.fixSleep(cur, ctx, fn); ok {
		f.Fixes = []analysis.SuggestedFix{fix}
	}
	c.Report(f)
}

// retried is the call whose error leads to a sleep, when it is one to a server, in a loop that a success leaves: "" for other loops,
// which poll.
func (c *checker) retried(loop, sleep inspector.Cursor) string {
	if r, ok := loop.Node().(*ast.RangeStmt); ok {
		if t := c.TypesInfo.TypeOf(r.X); t == nil || !isInteger(t) {
			return "" // one after the other, not the same again
		}
	}
	body := syntax.Body(loop.Node())
	leaves := false // where there was no error
	server := ""
	for cur := range loop.Preorder((*ast.IfStmt)(nil)) {
		branch := cur.Node().(*ast.IfStmt)
		call, op := c.tested(branch.Cond, body)
		if call == nil {
			continue
		}
		name := c.server(call, 0)
		if name == "" {
			continue
		}
		inside := branch.Body.Pos() <= sleep.Node().Pos() && sleep.Node().Pos() < branch.Body.End()
		switch {
		case op == token.EQL && endsLoop(branch.Body): // if err == nil { return }; sleep
			if sleep.Node().Pos() > branch.End() {
				leaves, server = true, name
			}
		case op == token.NEQ && inside: // if err != nil { sleep; continue }; return
			server = name
			leaves = leaves || branch.Else != nil && endsLoop(branch.Else) || leavesBehind(body, branch)
		}
	}
	if !leaves {
		return ""
	}
	return server
}

func isInteger(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsInteger != 0
}

// tested is the call whose error a condition asks for, in place or through a variable.
func (c *checker) tested(cond ast.Expr, body *ast.BlockStmt) (*ast.CallExpr, token.Token) {
	if e, ok := ast.Unparen(cond).(*ast.BinaryExpr); ok && (e.Op == token.EQL || e.Op == token.NEQ) && c.TypesInfo.Types[e.Y].IsNil() {
		if call, ok := ast.Unparen(e.X).(*ast.CallExpr); ok && callee.TypeName(c.TypesInfo, call) == "error" {
			return call, e.Op
		}
	}
	v, op := c.errorTest(cond)
	if v == nil {
		return nil, 0
	}
	return c.callOf(v, body), op
}

// errorTest is the variable of err == nil or err != nil, perhaps with more conditions.
func (c *checker) errorTest(cond ast.Expr) (*types.Var, token.Token) {
	e, ok := ast.Unparen(cond).(*ast.BinaryExpr)
	if !ok {
		return nil, 0
	}
	if e.Op == token.LAND {
		return c.errorTest(e.X)
	}
	if tv := c.TypesInfo.Types[e.Y]; !tv.IsNil() || e.Op != token.EQL && e.Op != token.NEQ {
		return nil, 0
	}
	v := c.Values.Var(e.X)
	if v == nil || callee.NameOf(v.Type()) != "error" {
		return nil, 0
	}
	return v, e.Op
}

// callOf is the one call in a loop that gives an error variable its value.
func (c *checker) callOf(v *types.Var, body *ast.BlockStmt) *ast.CallExpr {
	var found *ast.CallExpr
	ast.Inspect(body, func(n ast.Node) bool {
		assign, ok := n.(*ast.AssignStmt)
		if !ok || len(assign.Rhs) != 1 {
			return true
		}
		for _, lhs := range assign.Lhs {
			if c.Values.Var(lhs) == v {
				if call, ok := ast.Unparen(assign.Rhs[0]).(*ast.CallExpr); ok && found == nil {
					found = call
				}
			}
		}
		return true
	})
	return found
}

// remote are packages, besides those of callee.Server, whose calls with an error talk to a server.
var remote = []string{"github.com/lib/pq.", "gorm.io/gorm.", "net.", "net/http.", "net/smtp.", "github.com/rabbitmq/amqp091-go."}

// server names the call that talks to a server: call itself, or one in the function of this package that it calls.
func (c *checker) server(call *ast.CallExpr, depth int) string {
	if call == nil {
		return ""
	}
	name := callee.Name(c.TypesInfo, call)
	if callee.Server(name) != "" || slices.ContainsFunc(remote, func(prefix string) bool { return strings.HasPrefix(callee.Bare(name), prefix) }) {
		if fn := callee.Func(c.TypesInfo, call); fn != nil && !callee.ReturnsError(fn.Signature()) && callee.Last(name) != "QueryRow" && callee.Last(name) != "QueryRowContext" {
			return "" // it waits for nobody: (*http.Transport).Clone
		}
		switch callee.Last(name) {
		case "NewRequest", "NewRequestWithContext", "ParseConfig", "Open", "Scan", "ParseIP", "ParseCIDR", "SplitHostPort", "Listen", "Close", "Accept", "Rollback":
			return ""
		}
		return name
	}
	fn := callee.Func(c.TypesInfo, call)
	if fn == nil || depth > 1 {
		return ""
	}
	decl, ok := c.Decls[fn]
	if !ok {
		return ""
	}
	for inner := range decl.Preorder((*ast.CallExpr)(nil)) {
		if found := c.server(inner.Node().(*ast.CallExpr), depth+1); found != "" {
			return found
		}
	}
	return ""
}

// endsLoop reports whether the last statement of a block leaves the loop.
func endsLoop(s ast.Stmt) bool {
	block, ok := s.(*ast.BlockStmt)
	return ok && syntax.LeavesLoop(syntax.Last(block.List))
}

// leavesBehind reports whether the loop's last statement, behind a branch for errors, leaves the loop.
func leavesBehind(body *ast.BlockStmt, branch *ast.IfStmt) bool {
	last := syntax.Last(body.List)
	return last.Pos() > branch.Pos() && syntax.LeavesLoop(last)
}

// contextAt is a context that a statement could look at: a parameter of the function, or of one around it, or the request of a
// handler; and what it is called in a message.
func (c *checker) contextAt(cur inspector.Cursor) (name, what string) {
	for up := range cur.Enclosing((*ast.FuncDecl)(nil), (*ast.FuncLit)(nil)) {
		var params *ast.FieldList
		switch n := up.Node().(type) {
		case *ast.FuncDecl:
			params = n.Type.Params
		case *ast.FuncLit:
			params = n.Type.Params
		}
		for _, field := range params.List {
			for _, id := range field.Names {
				v, ok := c.TypesInfo.Defs[id].(*types.Var)
				if !ok || id.Name == "_" {
					continue
				}
				scope := c.Pkg.Scope().Innermost(cur.Node().Pos())
				if scope == nil {
					continue
				}
				if _, obj := scope.LookupParent(id.Name, cur.Node().Pos()); obj == nil || callee.NameOf(obj.Type()) != callee.NameOf(v.Type()) {
					continue
				}
				switch callee.NameOf(v.Type()) {
				case "context.Context":
					return id.Name, id.Name
				case "net/http.Request":
					return id.Name + ".Context()", "the request"
				}
			}
		}
	}
	return "", ""
}

func mentionsRandom(e ast.Expr) bool {
	found := false
	ast.Inspect(e, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			name := strings.ToLower(id.Name)
			found = found || strings.Contains(name, "rand") || strings.Contains(name, "jitter") || strings.Contains(name, "backoff")
		}
		return !found
	})
	return found
}

// randomVariable reports whether what a variable is given has something random in it.
func (c *checker) randomVariable(e ast.Expr) bool {
	v := c.Values.Var(e)
	if v == nil {
		return false
	}
	list, _ := c.Values.Of(v)
	for _, s := range list {
		if mentionsRandom(s.Expr) {
			return true
		}
	}
	return false
}

// fixSleep waits for the context as well, in a function whose one result is an error.
func (c *checker) fixSleep(cur inspector.Cursor, ctx string, fn inspector.Cursor) (analysis.SuggestedFix, bool) {
	stmt, ok := cur.Parent().Node().(*ast.ExprStmt)
	sig := c.Signature(fn.Node())
	if !ok || sig == nil || sig.Results().Len() != 1 || !callee.ReturnsError(sig) {
		return analysis.SuggestedFix{}, false
	}
	name, ok := imports.Name(c.Pass.Pass, stmt.Pos(), "time")
	if !ok {
		return analysis.SuggestedFix{}, false
	}
	call := cur.Node().(*ast.CallExpr)
	return analysis.SuggestedFix{Message: "Stop waiting when the context ends", TextEdits: []analysis.TextEdit{
		{Pos: call.Pos(), End: call.Lparen + 1, NewText: fmt.Appendf(nil, "select {\ncase <-%s.Done():\nreturn %s.Err()\ncase <-%s.After(", ctx, ctx, name)},
		{Pos: call.Rparen, End: call.End(), NewText: []byte("):\n}")},
	}}, true
}
