package droppedwrite

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/inspector"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/callee"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/findings"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/syntax"
)

// openTx says why a transaction is open where a call stands.
type openTx struct {
	// at is where it begins, or the parameter by which it is given.
	at ast.Node
	// commit is the Commit that follows; nil when somebody else commits.
	commit ast.Node
}

// openAt finds the transaction of this function that is open at a call.
func (c *checker) openAt(fn *function, at inspector.Cursor) (openTx, bool) {
	for _, b := range fn.begins {
		if b.readOnly || !reaches(b.cur, at) {
			continue
		}
		over := false
		var next *commit
		for i, cm := range fn.commits {
			switch {
			case cm.tx != b.tx:
			case cm.end:
				next = &fn.commits[i]
			case reaches(b.cur, cm.cur) && reaches(cm.cur, at):
				over = true
			case reaches(at, cm.cur) && next == nil:
				next = &fn.commits[i]
			}
		}
		if over || next == nil || c.onlyReads(b.tx, fn.cur, 0) || c.rolledBack(fn, b.tx, b.cur, at) {
			continue
		}
		return openTx{b.cur.Node(), next.cur.Node()}, true
	}
	if tx, at := c.txParam(fn); tx != nil && len(fn.commits) == 0 && !c.onlyReads(tx, fn.cur, 0) {
		return openTx{at, nil}, true
	}
	return openTx{}, false
}

// rolledBack reports whether a transaction is rolled back on the way to a call.
func (c *checker) rolledBack(fn *function, tx *types.Var, from, at inspector.Cursor) bool {
	for _, cur := range fn.calls {
		call := cur.Node().(*ast.CallExpr)
		if x := syntax.Receiver(call, "Rollback"); x == nil || c.Values.Var(x) != tx {
			continue
		}
		if _, deferred := cur.Parent().Node().(*ast.DeferStmt); !deferred && reaches(from, cur) && reaches(cur, at) {
			return true
		}
	}
	return false
}

// txParam is the parameter by which a function literal gets a transaction that whoever calls it commits afterwards:
// database.WithTx(ctx, opts, func(tx *sql.Tx) error { … }).
func (c *checker) txParam(fn *function) (*types.Var, ast.Node) {
	lit, ok := fn.node.(*ast.FuncLit)
	if !ok || fn.sig == nil {
		return nil, nil
	}
	call, ok := fn.cur.Parent().Node().(*ast.CallExpr)
	if !ok || call.Fun == ast.Expr(lit) || readOnly(call) {
		return nil, nil
	}
	for p := range fn.sig.Params().Variables() {
		if c.isTx(p.Type()) {
			return p, call.Fun
		}
	}
	return nil, nil
}

// effects reports what leaves the process while a transaction is open, or after a commit that nobody looked at.
func (c *checker) effects(fn *function) {
	for _, e := range fn.effects {
		call := e.cur.Node().(*ast.CallExpr)
		if c.failing(e.cur) {
			continue
		}
		if tx, ok := c.openAt(fn, e.cur); ok {
			f := findings.Finding{Check: "effect-in-transaction", Pos: call.Pos(), End: call.End(),
				Message: "this sends " + e.what + " before its transaction is committed: when the commit fails (a failover, a lost connection, a serialization failure), that is out and what it speaks of was never written",
				Help:    "Do it after the Commit has returned nil; if it must not get lost either, write it into a table in the same transaction and send it from there."}
			f.Related = append(f.Related, analysis.RelatedInformation{Pos: tx.at.Pos(), End: tx.at.End(), Message: "the transaction begins"})
			if tx.commit != nil {
				f.Related = append(f.Related, analysis.RelatedInformation{Pos: tx.commit.Pos(), End: tx.commit.End(), Message: "the transaction is committed"})
			}
			c.Report(f)
			continue
		}
		for _, cm := range fn.commits {
			if _, stmt := cm.cur.Parent().Node().(*ast.ExprStmt); !stmt || cm.end || c.noWrites(fn, cm) || !reaches(cm.cur, e.cur) {
				continue
			}
			c.Report(findings.Finding{Check: "effect-after-unchecked-commit", Pos: call.Pos(), End: call.End(),
				Message: "this sends " + e.what + " whether or not the transaction before it was committed: when a primary fails over at that moment, that is out and what it speaks of was never written",
				Help:    "Return the error of Commit before anything is sent.",
				Related: []analysis.RelatedInformation{{Pos: cm.cur.Node().Pos(), End: cm.cur.Node().End(), Message: "the Commit"}}})
			break
		}
	}
}

// failing reports whether a call stands where an error has happened: in the body of an if err != nil. What is sent there takes something back or
// tells of the failure.
func (c *checker) failing(at inspector.Cursor) bool {
	child := at
	for up := at.Parent(); up.Node() != nil; child, up = up, up.Parent() {
		switch n := up.Node().(type) {
		case *ast.FuncLit, *ast.FuncDecl:
			return false
		case *ast.IfStmt:
			if child.Node() == ast.Node(n.Body) && c.errorSeen(n.Cond) {
				return true
			}
		}
	}
	return false
}

// errorSeen recognises err != nil.
func (c *checker) errorSeen(cond ast.Expr) bool {
	found := false
	ast.Inspect(cond, func(n ast.Node) bool {
		b, ok := n.(*ast.BinaryExpr)
		found = found || ok && b.Op == token.NEQ && callee.TypeName(c.TypesInfo, b.X) == "error"
		return !found
	})
	return found
}
