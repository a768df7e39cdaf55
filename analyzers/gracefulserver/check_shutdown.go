package gracefulserver

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/inspector"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/callee"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/contexts"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/findings"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/imports"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/syntax"
)

// checkShutdown looks at a call of Shutdown. net/http: "If the provided context expires before the shutdown is complete,
// Shutdown returns the context's error, otherwise it returns any error returned from closing the Server's underlying
// Listener(s)." nethttp_test.go shows each case.
func (c *checker) checkShutdown(cur inspector.Cursor) {
	call := cur.Node().(*ast.CallExpr)
	if len(call.Args) != 1 {
		return
	}
	if s := c.serverOf(call); s != nil && s.auxiliary {
		return
	}
	ctx := call.Args[0]
	switch v := c.ended(cur, ctx); {
	case v != nil:
		c.Report(findings.Finding{Check: "shutdown-with-ended-context", Pos: ctx.Pos(), End: ctx.End(),
			Message: fmt.Sprintf("when this is reached %s has ended, so Shutdown returns at once, and the requests in flight are cut at each deploy", v.Name()),
			Help:    "Give Shutdown a context of its own: context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second). " + rewrite,
			Fixes:   c.fixEnded(cur, ctx)})
		return
	case contexts.Of(c.TypesInfo, c.Values, ctx).Unbounded():
		c.Report(findings.Finding{Check: "shutdown-without-deadline", Pos: ctx.Pos(), End: ctx.End(),
			Message: "Shutdown waits for the slowest request with nothing that ends it: one stuck client keeps the node until the service manager kills it, and whatever should run after Shutdown (queues, mail, the database's last writes) is lost",
			Help:    "Give it a context with a deadline that is shorter than the service manager's (systemd: 90 s, OpenRC: 5 s unless the unit says otherwise). " + rewrite,
			Fixes:   c.fixDeadline(cur, ctx)})
		return // its error cannot tell of a deadline
	}
	c.checkError(cur)
}

// checkError reports a dropped error. "_ = srv.Shutdown(ctx)" was meant so.
func (c *checker) checkError(cur inspector.Cursor) {
	call := cur.Node().(*ast.CallExpr)
	f := findings.Finding{Check: "shutdown-error-ignored", Pos: call.Pos(), End: call.End(),
		Message: "the error of Shutdown is dropped: it is all that tells that the deadline came first, and requests were cut",
		Help:    "Log it, and exit with another status than 0."}
	switch stmt := cur.Parent().Node().(type) {
	case *ast.ExprStmt:
		if name, ok := imports.Name(c.Pass.Pass, call.Pos(), "log"); ok {
			f.Fixes = []analysis.SuggestedFix{{Message: "Log the error of Shutdown", TextEdits: []analysis.TextEdit{
				{Pos: stmt.Pos(), End: stmt.Pos(), NewText: []byte("if err := ")},
				{Pos: stmt.End(), End: stmt.End(), NewText: []byte("; err != nil {\n" + name + ".Printf(\"shutting down: %v\", err)\n}")},
			}}}
		}
		c.Report(f)
	case *ast.DeferStmt, *ast.GoStmt:
		c.Report(f)
	}
}

// chain lists the variables of a context and of those that it was made from.
func (c *checker) chain(ctx ast.Expr) []*types.Var {
	var list []*types.Var
	e, index := ast.Unparen(ctx), 0
	for range 8 {
		if v := c.Values.Var(e); v != nil {
			sources, known := c.Values.Of(v)
			if len(sources) > 1 || !known && len(sources) > 0 || slices.Contains(list, v) {
				return nil // several contexts: which one is not known
			}
			list = append(list, v)
			if len(sources) == 0 {
				return list
			}
			e, index = ast.Unparen(sources[0].Expr), sources[0].Index
			continue
		}
		call, ok := e.(*ast.CallExpr)
		if !ok || len(call.Args) == 0 {
			return list
		}
		switch name := callee.Name(c.TypesInfo, call); {
		case name == "golang.org/x/sync/errgroup.WithContext" && index == 1, derives[name] && index == 0:
			e, index = ast.Unparen(call.Args[0]), 0
		default:
			return list
		}
	}
	return list
}

// derives are the functions whose context ends when the one they are given does.
var derives = map[string]bool{
	"context.WithTimeout": true, "context.WithTimeoutCause": true, "context.WithDeadline": true, "context.WithDeadlineCause": true,
	"context.WithCancel": true, "context.WithCancelCause": true, "context.WithValue": true, "os/signal.NotifyContext": true,
}

// ended is a variable of the chain that has been seen to end whenever a signal leads to a call with ctx; nil when none is
// known to.
func (c *checker) ended(cur inspector.Cursor, ctx ast.Expr) *types.Var {
	chain := c.chain(ctx)
	if len(chain) == 0 {
		return nil
	}
	for up := range cur.Enclosing((*ast.FuncLit)(nil)) {
		after, ok := up.Parent().Node().(*ast.CallExpr)
		if ok && callee.Name(c.TypesInfo, after) == "context.AfterFunc" && slices.Contains(chain, c.Values.Var(after.Args[0])) {
			return c.Values.Var(after.Args[0])
		}
	}
	for stmt := range c.before(cur) {
		if v, done := c.received(stmt); done && slices.Contains(chain, v) {
			return v
		}
	}
	return nil
}

// before lists the receives that have happened when a node is reached: statements above it in the blocks around it, also
// of the functions around it, the communication of the select case that it stands in, and the cases of a select above it that go on.
func (c *checker) before(cur inspector.Cursor) func(yield func(ast.Stmt) bool) {
	return func(yield func(ast.Stmt) bool) {
		var child ast.Node = cur.Node()
		deferred := false // runs when the function ends
		for up := cur.Parent(); up.Node() != nil; up = up.Parent() {
			switch n := up.Node().(type) {
			case *ast.CommClause:
				if n.Comm != nil && n.Comm != child && !yield(n.Comm) {
					return
				}
			case *ast.DeferStmt:
				deferred = true
			case *ast.FuncLit, *ast.FuncDecl:
				deferred = false
				if lit, ok := n.(*ast.FuncLit); ok {
					call, isCall := up.Parent().Node().(*ast.CallExpr)
					if isCall && call.Fun == lit {
						if _, ok := up.Parent().Parent().Node().(*ast.DeferStmt); ok {
							child = n
							continue
						}
					}
				}
			}
			for _, stmt := range syntax.Statements(up.Node()) {
				if stmt.Pos() <= child.Pos() && child.Pos() < stmt.End() {
					if deferred {
						continue
					}
					break
				}
				if !yieldReceives(stmt, yield) {
					return
				}
			}
			child = up.Node()
		}
	}
}

// yieldReceives passes on a statement, or the communications of a select from which the code goes on behind it.
func yieldReceives(stmt ast.Stmt, yield func(ast.Stmt) bool) bool {
	sel, ok := stmt.(*ast.SelectStmt)
	if !ok {
		return yield(stmt)
	}
	for _, s := range sel.Body.List {
		clause := s.(*ast.CommClause)
		if clause.Comm != nil && !syntax.Leaves(syntax.Last(clause.Body)) && !yield(clause.Comm) {
			return false
		}
	}
	return true
}

// fixEnded cuts the tie to the context that has ended, where the deadline is made.
func (c *checker) fixEnded(cur inspector.Cursor, ctx ast.Expr) []analysis.SuggestedFix {
	call, ok := c.Values.Resolve(ctx).Expr.(*ast.CallExpr)
	name := ""
	if ok {
		name = callee.Name(c.TypesInfo, call)
	}
	switch name {
	case "context.WithTimeout", "context.WithTimeoutCause":
		edits, ok := contexts.WithoutCancel(c.Pass.Pass, call.Args[0])
		if !ok || c.made(cur, call) {
			return nil
		}
		return []analysis.SuggestedFix{{Message: "Make the deadline of a context that does not end with the signal", TextEdits: edits}}
	}
	return c.fixDeadline(cur, ctx)
}

// made reports whether a context with a timeout was made elsewhere than in the function that calls Shutdown: others use it
// too.
func (c *checker) made(cur inspector.Cursor, call *ast.CallExpr) bool {
	fn, ok := syntax.Enclosing(cur)
	return !ok || call.Pos() < fn.Node().Pos() || call.End() > fn.Node().End()
}

// fixDeadline makes a context with a deadline above the statement of a Shutdown.
func (c *checker) fixDeadline(cur inspector.Cursor, ctx ast.Expr) []analysis.SuggestedFix {
	stmt := cur
	for !syntax.InList(stmt) {
		stmt = stmt.Parent()
		switch n := stmt.Node().(type) {
		case ast.Expr, *ast.ExprStmt, *ast.AssignStmt, *ast.ReturnStmt:
			if _, ok := n.(*ast.FuncLit); ok {
				return nil
			}
		case *ast.IfStmt:
			if n.Body.Pos() < cur.Node().Pos() {
				return nil
			}
		default: // a deferred call has its deadline made too early
			return nil
		}
	}
	if _, loop := syntax.Loop(stmt); loop {
		return nil // a defer would pile up
	}
	pos := stmt.Node().Pos()
	if v := c.Values.Var(ctx); v != nil && c.uses(v) < 2 {
		return nil // the variable would be left without a use
	}
	if !c.once(stmt, "deadline") || !c.free(pos, "shutdownCtx", "cancel") {
		return nil
	}
	pkg, edits, ok := imports.Use(c.Pass.Pass, pos, "context")
	if !ok {
		return nil
	}
	timePkg, more, ok := imports.Use(c.Pass.Pass, pos, "time")
	if !ok || len(edits) > 0 && len(more) > 0 {
		return nil
	}
	edits = append(append(edits, more...),
		analysis.TextEdit{Pos: pos, End: pos, NewText: fmt.Appendf(nil, "shutdownCtx, cancel := %s.WithTimeout(%s.Background(), 30*%s.Second)\ndefer cancel()\n", pkg, pkg, timePkg)},
		analysis.TextEdit{Pos: ctx.Pos(), End: ctx.End(), NewText: []byte("shutdownCtx")})
	return []analysis.SuggestedFix{{Message: "Give Shutdown 30 seconds", TextEdits: edits}}
}

// uses counts the places where a variable is used.
func (c *checker) uses(v *types.Var) int {
	n := 0
	for _, obj := range c.TypesInfo.Uses {
		if obj == v {
			n++
		}
	}
	return n
}

// free reports whether names can be declared at a position.
func (c *checker) free(pos token.Pos, names ...string) bool {
	scope := c.Pkg.Scope().Innermost(pos)
	return scope != nil && !slices.ContainsFunc(names, func(name string) bool {
		_, obj := scope.LookupParent(name, token.NoPos)
		return obj != nil
	})
}

// once reports whether no fix of a kind was made in the function around a node yet: two would declare the same names.
func (c *checker) once(cur inspector.Cursor, kind string) bool {
	fn, ok := syntax.Enclosing(cur)
	if !ok || c.fixed[fixedIn{fn.Node(), kind}] {
		return false
	}
	c.fixed[fixedIn{fn.Node(), kind}] = true
	return true
}

type fixedIn struct {
	fn   ast.Node
	kind string
}
