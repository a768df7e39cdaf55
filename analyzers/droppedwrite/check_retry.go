package droppedwrite

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/inspector"

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
		isCommit = isCommit || c.writesInTx(cur, call)
		if !isExec && !isCommit || isExec && (!writes(text) || repeatable(text) || c.inTx(call)) {
			continue
		}
		if !c.retried(cur) {
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
		if by := c.again[fn.node]; by != nil && (by.Pos() > call.Pos() || by.End() < call.End()) {
			f.Related = append(f.Related, analysis.RelatedInformation{Pos: by.Pos(), End: by.End(), Message: "it is run again here"})
		}
		c.Report(f)
	}
}

// writesInTx reports whether a call runs a function literal in a transaction of its own, and the literal writes what cannot be
// written twice.
func (c *checker) writesInTx(cur inspector.Cursor, call *ast.CallExpr) bool {
	lit, ok := c.txLit(cur, call)
	if !ok || c.inTx(call) || slices.ContainsFunc(call.Args, func(arg ast.Expr) bool { return c.isTx(c.TypesInfo.TypeOf(arg)) }) {
		return false // a savepoint: a lost connection takes all of the transaction along
	}
	found := false
	ast.Inspect(lit.Node(), func(n ast.Node) bool {
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

// retried reports whether a call stands in a loop that tries again after its error, or in a function that is run again, and nothing
// there looks at which error it is.
func (c *checker) retried(cur inspector.Cursor) bool {
	if loop, ok := c.attempts(cur); ok {
		return c.goesOn(cur, loop) && !c.classifies(loop.Node())
	}
	return c.again[syntax.EnclosingFunc(cur)] != nil
}

// attempts is the innermost loop around a call in its function when it counts attempts, or has no end: for {}, for i := 0; i < 5; i++,
// for range 3.
func (c *checker) attempts(cur inspector.Cursor) (inspector.Cursor, bool) {
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
//	if err := call; err == nil { return … }         (or break; also err == nil || last)
//	if err := call; err != nil { …; continue }      with the loop left behind it
//	if err := call; err != nil { … } else { break }
//
// with the call before the if statement, in it, or in its condition.
func (c *checker) goesOn(call, loop inspector.Cursor) bool {
	var v *types.Var
	var test inspector.Cursor
	stmt := call.Parent()
	if assign, ok := stmt.Node().(*ast.AssignStmt); ok {
		if v = c.Values.Var(assign.Lhs[len(assign.Lhs)-1]); v == nil {
			return false
		}
		if n, ok := stmt.Parent().Node().(*ast.IfStmt); ok && n.Init == ast.Stmt(assign) {
			test = stmt.Parent()
		} else if test, ok = stmt.NextSibling(); !ok {
			return false
		}
	} else {
		for _, ok := stmt.Node().(ast.Expr); ok; _, ok = stmt.Node().(ast.Expr) {
			stmt = stmt.Parent()
		}
		test = stmt
	}
	n, ok := test.Node().(*ast.IfStmt)
	if !ok {
		return false
	}
	behind := syntax.LeavesLoop(syntax.Last(syntax.Body(loop.Node()).List))
	last := syntax.Last(n.Body.List)
	switch c.asks(n.Cond, func(e ast.Expr) bool { return e == call.Node() || v != nil && c.Values.Var(e) == v }) {
	case token.EQL: // err == nil: out; else around again
		return syntax.LeavesLoop(last) && !behind
	case token.NEQ: // err != nil: around again; else out
		if s, ok := last.(*ast.BranchStmt); ok && s.Tok == token.CONTINUE && behind {
			return true
		}
		otherwise, ok := n.Else.(*ast.BlockStmt)
		return ok && syntax.LeavesLoop(syntax.Last(otherwise.List)) && !syntax.LeavesLoop(last) && !behind
	}
	return false
}

// asks is how a condition compares an error with nil, alone or so that it is true (==) of each success, or of errors only (!=); 0 when it does not.
func (c *checker) asks(cond ast.Expr, isErr func(ast.Expr) bool) token.Token {
	b, ok := ast.Unparen(cond).(*ast.BinaryExpr)
	if !ok {
		return 0
	}
	switch b.Op {
	case token.EQL, token.NEQ:
		if isErr(ast.Unparen(b.X)) && c.TypesInfo.Types[b.Y].IsNil() {
			return b.Op
		}
	case token.LOR:
		if c.asks(b.X, isErr) == token.EQL || c.asks(b.Y, isErr) == token.EQL {
			return token.EQL
		}
	case token.LAND:
		if c.asks(b.X, isErr) == token.NEQ || c.asks(b.Y, isErr) == token.NEQ {
			return token.NEQ
		}
	}
	return 0
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
			case last == "Is" && len(n.Args) == 2 && c.ofContext(n.Args[1]): // whoever waits has gone: that says nothing of the server
				return false
			case last == "As", last == "AsType", last == "Is", last == "Permanent", last == "Unrecoverable", last == "RetryIf":
				found = true
			default:
				// A function that is asked about an error: isRetryable(err).
				b, ok := c.TypesInfo.TypeOf(n).(*types.Basic)
				found = found || ok && b.Kind() == types.Bool && slices.ContainsFunc(n.Args, c.isError)
			}
		case *ast.SelectorExpr:
			found = found || n.Sel.Name == "Code" || n.Sel.Name == "SQLState"
		}
		return !found
	})
	return found
}

// ofContext recognises context.Canceled and context.DeadlineExceeded.
func (c *checker) ofContext(e ast.Expr) bool {
	sel, ok := ast.Unparen(e).(*ast.SelectorExpr)
	if !ok {
		return false
	}
	obj := c.TypesInfo.Uses[sel.Sel]
	return obj != nil && obj.Pkg() != nil && obj.Pkg().Path() == "context"
}

// isError reports whether an expression is an error, or may be one: its type is not known.
func (c *checker) isError(e ast.Expr) bool {
	t := c.TypesInfo.TypeOf(e)
	return t == nil || t == types.Typ[types.Invalid] || types.Implements(t, types.Universe.Lookup("error").Type().Underlying().(*types.Interface))
}
