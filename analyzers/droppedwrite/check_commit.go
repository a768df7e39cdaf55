package droppedwrite

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/inspector"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/callee"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/findings"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/syntax"
)

// unchecked reports whether nothing looks at the result of a call: it is a statement, or what a defer or go statement runs.
// An assignment to _ is somebody's decision, and not reported.
func unchecked(call inspector.Cursor) bool {
	switch call.Parent().Node().(type) {
	case *ast.ExprStmt, *ast.DeferStmt, *ast.GoStmt:
		return true
	}
	return false
}

// uncheckedCommits reports commits whose error nobody looks at. TestCommitAfterCancel and TestCommitOfLostConnection show what
// that error tells.
func (c *checker) uncheckedCommits(fn *function) {
	for _, cm := range fn.commits {
		call := cm.cur.Node().(*ast.CallExpr)
		if !unchecked(cm.cur) && !c.overwritten(cm.cur) || c.noWrites(fn, cm) {
			continue
		}
		if cm.end && syntax.EnclosingFunc(cm.cur) != fn.node {
			continue // reported in the function literal that is deferred
		}
		f := findings.Finding{Check: "unchecked-commit", Pos: call.Pos(), End: call.End(),
			Message: "nobody looks whether this Commit succeeds: when a primary fails over, the connection is lost or the context ends, everything the transaction wrote is rolled back, and the caller goes on as if it had been written",
			Help:    "Return the error of Commit."}
		if cm.end {
			f.Help = "Commit at the end of the function and return the error; defer a Rollback, which does nothing after a Commit."
		} else if fix, ok := c.returnError(cm.cur, fn, "err := ", "Return the error of Commit"); ok {
			f.Fixes = append(f.Fixes, fix)
		}
		c.Report(f)
	}
	for _, cur := range fn.calls {
		if call := cur.Node().(*ast.CallExpr); unchecked(cur) && c.returnsError(call) && c.runsTx(cur, call) {
			f := findings.Finding{Check: "unchecked-commit", Pos: call.Pos(), End: call.Fun.End(),
				Message: "nobody looks whether this transaction is committed: when a primary fails over, the connection is lost or the context ends, everything it wrote is rolled back, and the caller goes on as if it had been written",
				Help:    "Return the error."}
			c.Report(f)
		}
	}
}

// returnsError reports whether the only result of a call is an error.
func (c *checker) returnsError(call *ast.CallExpr) bool {
	return callee.TypeName(c.TypesInfo, call) == "error"
}

// noWrites reports whether it can be seen that nothing is lost when a commit fails: its transaction only reads.
func (c *checker) noWrites(fn *function, cm commit) bool {
	if cm.tx == nil || cm.tx.IsField() {
		return false
	}
	for _, b := range fn.begins {
		if b.tx == cm.tx {
			return b.readOnly || c.onlyReads(cm.tx, fn.cur, 0)
		}
	}
	return false
}

// overwritten reports whether the error of a call is put into a variable that the next statement to name it overwrites.
func (c *checker) overwritten(call inspector.Cursor) bool {
	assign, ok := call.Parent().Node().(*ast.AssignStmt)
	if !ok || len(assign.Rhs) != 1 {
		return false
	}
	v := c.Values.Var(assign.Lhs[len(assign.Lhs)-1])
	if v == nil || v.IsField() || v.Parent() == c.Pass.Pkg.Scope() {
		return false
	}
	for next, ok := call.Parent().NextSibling(); ok; next, ok = next.NextSibling() {
		s, isStmt := next.Node().(ast.Stmt)
		if !isStmt {
			return false
		}
		if !c.names(s, v) {
			if _, jumps := s.(*ast.BranchStmt); jumps {
				return false
			}
			continue
		}
		again, ok := s.(*ast.AssignStmt)
		if !ok || again.Tok != token.ASSIGN && again.Tok != token.DEFINE {
			return false
		}
		for _, r := range again.Rhs {
			if c.names(r, v) {
				return false
			}
		}
		for _, l := range again.Lhs {
			if c.Values.Var(l) == v {
				return true
			}
		}
		return false
	}
	return false
}

// names reports whether a variable is named anywhere in a node.
func (c *checker) names(n ast.Node, v *types.Var) bool {
	found := false
	ast.Inspect(n, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && c.TypesInfo.ObjectOf(id) == v {
			found = true
		}
		if s, ok := n.(*ast.ReturnStmt); ok && len(s.Results) == 0 {
			found = true // it may be a result
		}
		return !found
	})
	return found
}

// txDone reports comparisons by which the error of a Commit that had nothing to commit any more reads as success.
//
// Source: database/sql's documentation of DB.BeginTx ("If the context is canceled, the sql package will roll back the
// transaction. Tx.Commit will return an error if the context provided to BeginTx is canceled") and of ErrTxDone; pgx's Tx.Commit
// ("Commit will return an error where errors.Is(ErrTxClosed) is true if the Tx is already closed"). TestCommitAfterCancel.
func (c *checker) txDone(fn *function) {
	fn.cur.Inspect([]ast.Node{(*ast.FuncLit)(nil), (*ast.IfStmt)(nil), (*ast.SwitchStmt)(nil)}, func(cur inspector.Cursor) bool {
		switch n := cur.Node().(type) {
		case *ast.FuncLit:
			return ast.Node(n) == fn.node
		case *ast.IfStmt:
			for _, cmp := range c.comparisons(n.Cond, false) {
				c.txDoneIf(fn, cur, n, cmp)
			}
		case *ast.SwitchStmt:
			c.txDoneSwitch(fn, cur, n)
		}
		return true
	})
}

// comparison is one of an error with sql.ErrTxDone or pgx.ErrTxClosed.
type comparison struct {
	expr     ast.Expr
	v        *types.Var // the error
	sentinel string
	equal    bool // the expression is true when it is that error
}

// comparisons are those in a condition whose outcome decides it: in && those for which not equal is demanded, in || those for
// which equal suffices.
func (c *checker) comparisons(e ast.Expr, not bool) []comparison {
	switch e := ast.Unparen(e).(type) {
	case *ast.UnaryExpr:
		if e.Op == token.NOT {
			return c.comparisons(e.X, !not)
		}
	case *ast.BinaryExpr:
		switch e.Op {
		case token.LAND, token.LOR:
			return append(c.comparisons(e.X, not), c.comparisons(e.Y, not)...)
		case token.EQL, token.NEQ:
			x, y := e.X, e.Y
			if c.sentinel(x) != "" {
				x, y = y, x
			}
			if name, v := c.sentinel(y), c.Values.Var(x); name != "" && v != nil {
				return []comparison{{e, v, name, (e.Op == token.EQL) != not}}
			}
		}
	case *ast.CallExpr:
		if len(e.Args) == 2 && callee.Name(c.TypesInfo, e) == "errors.Is" {
			if name, v := c.sentinel(e.Args[1]), c.Values.Var(e.Args[0]); name != "" && v != nil {
				return []comparison{{e, v, name, !not}}
			}
		}
	}
	return nil
}

// sentinel is the name of the error that means "this transaction is over", "" for other expressions.
func (c *checker) sentinel(e ast.Expr) string {
	sel, ok := ast.Unparen(e).(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != "ErrTxDone" && sel.Sel.Name != "ErrTxClosed" {
		return ""
	}
	if x, ok := sel.X.(*ast.Ident); ok {
		return x.Name + "." + sel.Sel.Name
	}
	return ""
}

func (c *checker) txDoneIf(fn *function, cur inspector.Cursor, n *ast.IfStmt, cmp comparison) {
	commit, only := c.fromCommit(fn, cur, n.Cond, cmp.v)
	if commit == nil {
		return
	}
	if cmp.equal {
		if !c.succeeds(n.Body, cmp.v) {
			return
		}
	} else if n.Else != nil && c.names(n.Else, cmp.v) || c.usedAfter(cur, fn, cmp.v) {
		return // it is looked at there
	}
	f := c.txDoneFinding(cmp, commit)
	if fix, ok := dropConjunct(n.Cond, cmp); ok && only && c.usedElsewhere(cmp.expr) {
		f.Fixes = append(f.Fixes, fix)
	}
	c.Report(f)
}

func (c *checker) txDoneFinding(cmp comparison, commit ast.Expr) findings.Finding {
	return findings.Finding{Check: "txdone-as-success", Pos: cmp.expr.Pos(), End: cmp.expr.End(),
		Message: fmt.Sprintf("%s from this Commit reads as success, but it means that the transaction was over before: when the request's context ends (a client leaves, a node is drained, a failover takes longer than the deadline), it has been rolled back, and the caller is told that its writes are there", cmp.sentinel),
		Help:    fmt.Sprintf("Return %s like any other error of Commit; only after a Rollback does it mean nothing.", cmp.sentinel),
		Related: []analysis.RelatedInformation{{Pos: commit.Pos(), End: commit.End(), Message: "the Commit"}}}
}

// fromCommit is the Commit whose error a variable may hold at a condition, nil for none; only, when it can be no other's.
func (c *checker) fromCommit(fn *function, cur inspector.Cursor, cond ast.Expr, v *types.Var) (commit ast.Expr, only bool) {
	use := cur
	if at, ok := cur.FindNode(cond); ok {
		use = at
	}
	list := c.reaching(v, use, fn.cur)
	for _, s := range list {
		if call, ok := ast.Unparen(s.Expr).(*ast.CallExpr); ok {
			if _, ok := c.commitOf(call); ok {
				return call, len(list) == 1
			}
		}
	}
	return nil, false
}

// succeeds reports whether a block returns no error, or forgets the one it has.
func (c *checker) succeeds(body *ast.BlockStmt, v *types.Var) bool {
	for _, s := range body.List {
		switch s := s.(type) {
		case *ast.ReturnStmt:
			if len(s.Results) == 0 {
				return false
			}
			id, ok := ast.Unparen(s.Results[len(s.Results)-1]).(*ast.Ident)
			return ok && id.Name == "nil"
		case *ast.AssignStmt:
			if len(s.Lhs) == 1 && len(s.Rhs) == 1 && c.Values.Var(s.Lhs[0]) == v {
				id, ok := s.Rhs[0].(*ast.Ident)
				return ok && id.Name == "nil"
			}
		case *ast.ExprStmt: // logs it, or so
		default:
			return false
		}
	}
	return false
}

// usedAfter reports whether a variable is named behind a statement of its function.
func (c *checker) usedAfter(cur inspector.Cursor, fn *function, v *types.Var) bool {
	end := cur.Node().End()
	found := false
	ast.Inspect(fn.node, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && id.Pos() > end && c.TypesInfo.Uses[id] == v {
			found = true
		}
		if s, ok := n.(*ast.ReturnStmt); ok && s.Pos() > end && len(s.Results) == 0 && named(fn.sig, v) {
			found = true
		}
		return !found
	})
	return found
}

// named reports whether a variable is a result of a function.
func named(sig *types.Signature, v *types.Var) bool {
	if sig == nil {
		return false
	}
	for r := range sig.Results().Variables() {
		if r == v {
			return true
		}
	}
	return false
}

func (c *checker) txDoneSwitch(fn *function, cur inspector.Cursor, n *ast.SwitchStmt) {
	for _, s := range n.Body.List {
		clause := s.(*ast.CaseClause)
		body := &ast.BlockStmt{List: clause.Body}
		for _, e := range clause.List {
			var list []comparison
			if n.Tag == nil {
				list = c.comparisons(e, false)
			} else if name, v := c.sentinel(e), c.Values.Var(n.Tag); name != "" && v != nil {
				list = []comparison{{e, v, name, true}}
			}
			for _, cmp := range list {
				if commit, _ := c.fromCommit(fn, cur, e, cmp.v); commit != nil && cmp.equal && c.succeeds(body, cmp.v) {
					c.Report(c.txDoneFinding(cmp, commit))
				}
			}
		}
	}
}

// dropConjunct takes "&& err != sql.ErrTxDone" out of a condition.
func dropConjunct(cond ast.Expr, cmp comparison) (analysis.SuggestedFix, bool) {
	and, ok := ast.Unparen(cond).(*ast.BinaryExpr)
	if !ok || and.Op != token.LAND || cmp.equal {
		return analysis.SuggestedFix{}, false
	}
	right := ast.Unparen(and.Y)
	if not, ok := right.(*ast.UnaryExpr); ok {
		right = ast.Unparen(not.X)
	}
	if right != cmp.expr {
		return analysis.SuggestedFix{}, false
	}
	return analysis.SuggestedFix{Message: "Return " + cmp.sentinel + " too",
		TextEdits: []analysis.TextEdit{{Pos: and.X.End(), End: and.Y.End()}}}, true
}

// usedElsewhere reports whether the packages that an expression names are named elsewhere in the file: the import stays used
// without it.
func (c *checker) usedElsewhere(e ast.Expr) bool {
	file := syntax.File(c.Files, e.Pos())
	all := true
	ast.Inspect(e, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if !ok {
			return true
		}
		pkg, ok := c.TypesInfo.Uses[id].(*types.PkgName)
		if !ok {
			return true
		}
		elsewhere := false
		ast.Inspect(file, func(n ast.Node) bool {
			if other, ok := n.(*ast.Ident); ok && c.TypesInfo.Uses[other] == pkg && (other.Pos() < e.Pos() || other.Pos() > e.End()) {
				elsewhere = true
			}
			return !elsewhere
		})
		all = all && elsewhere
		return true
	})
	return all
}
