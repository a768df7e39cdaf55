package detachedwork

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/ast/inspector"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/callee"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/findings"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/syntax"
)

// guarded is select { case <-ch: default: close(ch) }, or its like with the close behind the select.
type guarded struct {
	sel   *ast.SelectStmt
	ch    ast.Expr
	close *ast.CallExpr
	// whole: the select does nothing else.
	whole bool
}

// closes reports channels that are closed when they were not closed a moment before.
func (c *checker) closes() {
	for cur := range c.Root.Preorder((*ast.SelectStmt)(nil)) {
		g, ok := c.guardedClose(cur)
		if !ok || !c.isShared(cur) {
			continue
		}
		f := findings.Finding{Check: "racy-close", Pos: g.close.Pos(), End: g.close.End(),
			Message: fmt.Sprintf("two callers can both find %[1]s open, and the second to close it panics: a program that is told to stop twice (by a signal and by an error, say) dies there with all that it was finishing", types.ExprString(g.ch)),
			Help:    "Close it in a sync.Once, or while holding a mutex."}
		if fix, ok := c.onceFix(g); ok {
			f.Fixes = append(f.Fixes, fix)
		}
		c.Report(f)
	}
}

// guardedClose recognises the shape.
func (c *checker) guardedClose(cur inspector.Cursor) (g guarded, ok bool) {
	g.sel = cur.Node().(*ast.SelectStmt)
	if len(g.sel.Body.List) != 2 {
		return g, false
	}
	var receive, other *ast.CommClause
	for _, s := range g.sel.Body.List {
		clause := s.(*ast.CommClause)
		switch comm := clause.Comm.(type) {
		case nil:
			other = clause
		case *ast.ExprStmt:
			if u, ok := ast.Unparen(comm.X).(*ast.UnaryExpr); ok && u.Op == token.ARROW {
				receive, g.ch = clause, u.X
			}
		case *ast.AssignStmt:
			if u, ok := ast.Unparen(comm.Rhs[0]).(*ast.UnaryExpr); ok && u.Op == token.ARROW {
				receive, g.ch = clause, u.X
			}
		}
	}
	if receive == nil || other == nil || c.Values.Var(g.ch) == nil {
		return g, false
	}
	for _, s := range other.Body {
		if g.close = c.closeOf(s, g.ch); g.close != nil {
			g.whole = len(receive.Body) == 0 && len(other.Body) == 1
			return g, true
		}
	}
	if !returns(receive.Body) || returns(other.Body) {
		return g, false
	}
	for next, ok := cur.NextSibling(); ok; next, ok = next.NextSibling() {
		if s, isStmt := next.Node().(ast.Stmt); isStmt {
			if g.close = c.closeOf(s, g.ch); g.close != nil {
				return g, true
			}
		}
	}
	return g, false
}

// closeOf is the statement close(ch).
func (c *checker) closeOf(s ast.Stmt, ch ast.Expr) *ast.CallExpr {
	e, ok := s.(*ast.ExprStmt)
	if !ok {
		return nil
	}
	call, ok := ast.Unparen(e.X).(*ast.CallExpr)
	if !ok || len(call.Args) != 1 || callee.Name(c.TypesInfo, call) != "close" || types.ExprString(call.Args[0]) != types.ExprString(ch) {
		return nil
	}
	return call
}

func returns(list []ast.Stmt) bool {
	_, ok := syntax.Last(list).(*ast.ReturnStmt)
	return ok
}

// isShared reports whether two goroutines may get to a node at once: its function is exported, or called in two places, or handed
// out; and nothing around it, nor in all that call it, keeps them apart.
func (c *checker) isShared(cur inspector.Cursor) bool {
	var lit *ast.FuncLit
	at := cur
	for up := range cur.Enclosing((*ast.FuncDecl)(nil), (*ast.FuncLit)(nil)) {
		if c.keepsApart(up.Node(), at.Node().Pos()) {
			return false
		}
		if decl, ok := up.Node().(*ast.FuncDecl); ok {
			fn := c.Func(decl)
			return fn != nil && lit == nil && c.called(fn)
		}
		at = up
		if lit == nil {
			lit = up.Node().(*ast.FuncLit)
			if _, returned := up.Parent().Node().(*ast.ReturnStmt); returned {
				return true
			}
		}
		if call, ok := up.Parent().Node().(*ast.CallExpr); ok && c.isOnce(call) {
			return false
		}
	}
	return false
}

// called reports whether two goroutines may call a function at once.
func (c *checker) called(fn *types.Func) bool {
	if strings.HasSuffix(fn.Name(), "Locked") {
		return false
	}
	if fn.Exported() {
		return true
	}
	open, public := 0, false
	for cur := range c.Root.Preorder((*ast.Ident)(nil)) {
		id := cur.Node().(*ast.Ident)
		if used, ok := c.TypesInfo.Uses[id].(*types.Func); !ok || used.Origin() != fn || c.Silent(id.Pos()) {
			continue
		}
		in := syntax.EnclosingFunc(cur)
		if in == nil || c.keepsApart(in, id.Pos()) || c.inOnce(cur) {
			continue
		}
		open++
		if decl, ok := in.(*ast.FuncDecl); ok {
			public = public || decl.Name.IsExported()
		}
	}
	return open > 1 || public
}

// inOnce reports whether a function is named as an argument of (*sync.Once).Do and its like, or called in its literal.
func (c *checker) inOnce(cur inspector.Cursor) bool {
	for up := range cur.Enclosing((*ast.CallExpr)(nil)) {
		if c.isOnce(up.Node().(*ast.CallExpr)) {
			return true
		}
	}
	return false
}

// isOnce recognises (*sync.Once).Do, sync.OnceFunc and their like.
func (c *checker) isOnce(call *ast.CallExpr) bool {
	return strings.HasPrefix(callee.Bare(callee.Name(c.TypesInfo, call)), "sync.Once")
}

// keepsApart reports whether a function, before a position, locks something or swaps an atomic value, or recovers from panics.
func (c *checker) keepsApart(fn ast.Node, pos token.Pos) bool {
	found := false
	ast.Inspect(syntax.Body(fn), func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || found {
			return !found
		}
		switch f := ast.Unparen(call.Fun).(type) {
		case *ast.Ident:
			found = f.Name == "recover" || call.Pos() < pos && f.Name == "lock"
		case *ast.SelectorExpr:
			if call.Pos() < pos {
				switch f.Sel.Name {
				case "Lock", "TryLock", "lock", "CompareAndSwap", "Swap":
					found = true
				default:
					found = strings.HasPrefix(f.Sel.Name, "CompareAndSwap") || strings.HasPrefix(f.Sel.Name, "Swap")
				}
			}
		}
		return !found
	})
	return found
}
