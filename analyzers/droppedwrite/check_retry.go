package droppedwrite

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/ast/inspector"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/callee"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/findings"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/syntax"
)

const ambiguous = "an error of a lost connection does not tell whether the server had done it: in a failover this is done twice"

// retries reports writes and commits that are tried again after whatever error.
//
// Source: PostgreSQL manual, "Serialization Failure Handling" (13.5): what may be tried again is told by SQLSTATE; a connection
// lost in COMMIT tells nothing (libpq, "Connection lost": the transaction status is unknown, 08007 transaction_resolution_unknown).
func (c *checker) retries(fn *function) {
	for _, cur := range fn.calls {
		call := cur.Node().(*ast.CallExpr)
		text, isExec := c.execOf(call)
		_, isCommit := c.commitOf(call)
		isCommit = isCommit || c.writesInTx(call)
		if !isExec && !isCommit || isExec && (!writes(text) || repeatable(text) || c.inTx(call)) {
			continue
		}
		if !c.retried(fn, cur) {
			continue
		}
		f := findings.Finding{Check: "retried-write", Pos: call.Pos(), End: call.End(),
			Message: "this write is sent again after any error, and " + ambiguous,
			Help:    "Make it repeatable (ON CONFLICT on a key that the caller chose), or try again only what the server has refused: SQLSTATE 40001, 40P01."}
		if isCommit {
			f.Check = "retried-commit"
			f.Message = "the transaction is run again after any error of this Commit, and " + ambiguous
			f.Help = "Try again only on SQLSTATE 40001 and 40P01; otherwise look by a key that the transaction wrote whether it is there."
		}
		c.Report(f)
	}
}

// writesInTx reports whether a call runs a function literal in a transaction that it commits, and the literal writes what cannot
// be written twice.
func (c *checker) writesInTx(call *ast.CallExpr) bool {
	switch callee.Name(c.TypesInfo, call) {
	case "github.com/jackc/pgx/v5.BeginFunc", "github.com/jackc/pgx/v5.BeginTxFunc", "git.sr.ht/~sircmpwn/core-go/database.WithTx":
	default:
		return false
	}
	lit, ok := ast.Unparen(call.Args[len(call.Args)-1]).(*ast.FuncLit)
	if !ok {
		return false
	}
	found := false
	ast.Inspect(lit.Body, func(n ast.Node) bool {
		if in, ok := n.(*ast.CallExpr); ok {
			text, isExec := c.execOf(in)
			found = found || isExec && writes(text) && !repeatable(text)
		}
		return !found
	})
	return found
}

// inTx reports whether a statement is one of a transaction: what counts is then its Commit.
func (c *checker) inTx(call *ast.CallExpr) bool {
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	return ok && c.isTx(c.TypesInfo.TypeOf(sel.X))
}

// retried reports whether a call stands in a loop that tries again after its error, or in a function literal that a retry library runs
// again, and nothing there looks at which error it is.
func (c *checker) retried(fn *function, cur inspector.Cursor) bool {
	if loop, ok := c.attempts(fn, cur); ok {
		return c.goesOn(cur, loop) && !c.classifies(loop.Node())
	}
	lit, ok := fn.node.(*ast.FuncLit)
	if !ok {
		return false
	}
	call, ok := fn.cur.Parent().Node().(*ast.CallExpr)
	if !ok || call.Fun == ast.Expr(lit) {
		return false
	}
	name := strings.ToLower(callee.Name(c.TypesInfo, call))
	library := strings.Contains(name, "/backoff") || strings.Contains(name, "/retry-go") || strings.Contains(name, "/go-retry") || strings.Contains(name, "/retry.")
	return library && fn.sig != nil && callee.ReturnsError(fn.sig) && !c.classifies(call)
}

// attempts is the innermost loop around a call in its function when it counts attempts, or has no end: for {}, for i := 0; i < 5; i++,
// for range 3.
func (c *checker) attempts(fn *function, cur inspector.Cursor) (inspector.Cursor, bool) {
	for up := range cur.Enclosing((*ast.FuncLit)(nil), (*ast.FuncDecl)(nil), (*ast.ForStmt)(nil), (*ast.RangeStmt)(nil)) {
		switch n := up.Node().(type) {
		case *ast.ForStmt:
			if n.Cond == nil {
				return up, true
			}
			cond, ok := n.Cond.(*ast.BinaryExpr)
			if !ok || n.Post == nil {
				return up, false
			}
			// A counter that the body uses walks over something.
			i := c.Values.Var(cond.X)
			ok = i != nil && (cond.Op == token.LSS || cond.Op == token.LEQ) && !hasLen(cond.Y) && !c.indexes(n.Body, i)
			return up, ok
		case *ast.RangeStmt:
			t := c.TypesInfo.TypeOf(n.X)
			if t == nil {
				return up, false
			}
			b, ok := t.Underlying().(*types.Basic)
			if !ok || b.Info()&types.IsInteger == 0 || hasLen(n.X) {
				return up, false
			}
			i := c.Values.Var(n.Key)
			return up, n.Key == nil || i == nil || !c.indexes(n.Body, i)
		default:
			return up, false
		}
	}
	return cur, false
}

func hasLen(e ast.Expr) bool {
	call, ok := e.(*ast.CallExpr)
	if !ok {
		return false
	}
	id, ok := call.Fun.(*ast.Ident)
	return ok && id.Name == "len"
}

// indexes reports whether a counter says what a body does: it is an index or an argument of a statement.
func (c *checker) indexes(body *ast.BlockStmt, i *types.Var) bool {
	found := false
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.IndexExpr:
			found = found || c.names(n.Index, i)
		case *ast.CallExpr:
			if _, ok := c.execOf(n); ok {
				for _, arg := range n.Args {
					found = found || c.names(arg, i)
				}
			}
		}
		return !found
	})
	return found
}

// goesOn reports whether a loop leaves when a call has succeeded, and only then: the call is that of
//
//	if err := call; err == nil { return … }         (or break)
//	if err := call; err != nil { …; continue }      with the loop left behind it
func (c *checker) goesOn(call, loop inspector.Cursor) bool {
	assign, ok := call.Parent().Node().(*ast.AssignStmt)
	if !ok {
		return false
	}
	v := c.Values.Var(assign.Lhs[len(assign.Lhs)-1])
	if v == nil {
		return false
	}
	// The if statement that looks at the error first.
	var test inspector.Cursor
	if n, ok := call.Parent().Parent().Node().(*ast.IfStmt); ok && n.Init == ast.Stmt(assign) {
		test = call.Parent().Parent()
	} else if next, ok := call.Parent().NextSibling(); ok {
		test = next
	} else {
		return false
	}
	n, ok := test.Node().(*ast.IfStmt)
	if !ok {
		return false
	}
	cond, ok := ast.Unparen(n.Cond).(*ast.BinaryExpr)
	if !ok || c.Values.Var(cond.X) != v {
		return false
	}
	behind := syntax.LeavesLoop(syntax.Last(syntax.Body(loop.Node()).List))
	last := syntax.Last(n.Body.List)
	switch cond.Op {
	case token.EQL: // err == nil: out; else around again
		return syntax.LeavesLoop(last) && !behind
	case token.NEQ: // err != nil: around again; else out
		s, ok := last.(*ast.BranchStmt)
		return ok && s.Tok == token.CONTINUE && behind
	}
	return false
}

// classifies reports whether anything in a node looks at which error it is.
func (c *checker) classifies(n ast.Node) bool {
	found := false
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.TypeAssertExpr, *ast.TypeSwitchStmt:
			found = true
		case *ast.CallExpr:
			switch last := syntax.Called(n); {
			case last == "As", last == "AsType", last == "Is", last == "Permanent", last == "Unrecoverable", last == "RetryIf":
				found = true
			default:
				// A function that is asked about an error: isRetryable(err).
				b, ok := c.TypesInfo.TypeOf(n).(*types.Basic)
				found = found || ok && b.Kind() == types.Bool && len(n.Args) > 0
			}
		case *ast.SelectorExpr:
			found = found || n.Sel.Name == "Code" || n.Sel.Name == "SQLState"
		}
		return !found
	})
	return found
}
