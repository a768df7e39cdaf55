package detachedwork

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/callee"
)

// hold is a mutex that is held.
type hold struct {
	mutex  *types.Var
	shared bool // for reading
	at     token.Pos
}

// lockWalker follows the statements of a function in order and knows which mutexes are held at each. A branch that does not
// go on is forgotten; behind others a mutex is held when it is on all of them.
type lockWalker struct {
	c *checker
	// send is told of a send that waits until somebody receives; via names the function that sends when it is not this one.
	send func(at ast.Node, ch *types.Var, held []hold, via string)
}

// block returns what is held behind a list of statements, and whether control gets there.
func (w *lockWalker) block(list []ast.Stmt, held []hold) (after []hold, ends bool) {
	for _, s := range list {
		if held, ends = w.stmt(s, held); ends {
			return held, true
		}
	}
	return held, false
}

func (w *lockWalker) stmt(s ast.Stmt, held []hold) (after []hold, ends bool) {
	switch s := s.(type) {
	case *ast.ExprStmt:
		if call, ok := ast.Unparen(s.X).(*ast.CallExpr); ok {
			return w.call(call, held)
		}
		w.calls(s, held)
	case *ast.SendStmt:
		w.calls(s.Value, held)
		if ch := w.c.Values.Var(s.Chan); ch != nil {
			w.send(s, ch, held, "")
		}
	case *ast.BlockStmt:
		return w.block(s.List, held)
	case *ast.LabeledStmt:
		return w.stmt(s.Stmt, held)
	case *ast.IfStmt:
		if s.Init != nil {
			held, _ = w.stmt(s.Init, held)
		}
		w.calls(s.Cond, held)
		branches := [][]ast.Stmt{s.Body.List, nil}
		if s.Else != nil {
			branches[1] = []ast.Stmt{s.Else}
		}
		return w.branches(branches, held)
	case *ast.ForStmt:
		w.block(s.Body.List, held)
	case *ast.RangeStmt:
		w.calls(s.X, held)
		w.block(s.Body.List, held)
	case *ast.SwitchStmt:
		return w.clauses(s.Body, held)
	case *ast.TypeSwitchStmt:
		return w.clauses(s.Body, held)
	case *ast.SelectStmt:
		if len(s.Body.List) == 1 { // the same as the operation itself
			if only := s.Body.List[0].(*ast.CommClause); only.Comm != nil {
				held, _ = w.stmt(only.Comm, held)
			}
		}
		return w.clauses(s.Body, held)
	case *ast.ReturnStmt:
		w.calls(s, held)
		return held, true
	case *ast.BranchStmt:
		return held, s.Tok != token.FALLTHROUGH
	case *ast.DeferStmt, *ast.GoStmt:
		// a deferred Unlock holds to the end
	case nil:
	default:
		w.calls(s, held)
	}
	return held, false
}

func (w *lockWalker) clauses(body *ast.BlockStmt, held []hold) ([]hold, bool) {
	var branches [][]ast.Stmt
	complete := false
	for _, clause := range body.List {
		switch clause := clause.(type) {
		case *ast.CaseClause:
			branches = append(branches, clause.Body)
			complete = complete || clause.List == nil
		case *ast.CommClause:
			branches = append(branches, clause.Body)
			complete = true
		}
	}
	if !complete {
		branches = append(branches, nil)
	}
	return w.branches(branches, held)
}

func (w *lockWalker) branches(list [][]ast.Stmt, held []hold) (after []hold, ends bool) {
	ends = true
	for _, branch := range list {
		h, over := w.block(branch, slices.Clone(held))
		if over {
			continue
		}
		if ends {
			after, ends = h, false
			continue
		}
		after = slices.DeleteFunc(after, func(x hold) bool {
			return !slices.ContainsFunc(h, func(y hold) bool { return x.mutex == y.mutex })
		})
	}
	return after, ends
}

// calls looks at the calls in an expression, or in a statement of no consequence for locks.
func (w *lockWalker) calls(n ast.Node, held []hold) {
	if n == nil {
		return
	}
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.CallExpr:
			w.called(n, held)
		}
		return true
	})
}

func (w *lockWalker) called(call *ast.CallExpr, held []hold) {
	fn := callee.Func(w.c.TypesInfo, call)
	if fn == nil || w.c.Decl(fn) == nil {
		return
	}
	for _, ch := range w.c.lockedBy(fn).sends {
		w.send(call, ch, held, fn.Name())
	}
}

func (w *lockWalker) call(call *ast.CallExpr, held []hold) (after []hold, ends bool) {
	switch mutex, op := w.c.mutexOp(call); op {
	case "Lock", "RLock":
		return append(slices.Clone(held), hold{mutex, op == "RLock", call.Pos()}), false
	case "Unlock", "RUnlock":
		return slices.DeleteFunc(slices.Clone(held), func(h hold) bool { return h.mutex == mutex }), false
	}
	w.calls(call, held)
	if fn := callee.Func(w.c.TypesInfo, call); fn != nil && w.c.Decl(fn) != nil {
		by := w.c.lockedBy(fn)
		held = slices.DeleteFunc(slices.Clone(held), func(h hold) bool { _, locks := by.locks[h.mutex]; return by.unlocks[h.mutex] && !locks })
	}
	return held, callee.Name(w.c.TypesInfo, call) == "panic"
}
