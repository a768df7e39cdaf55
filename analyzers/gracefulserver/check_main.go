package gracefulserver

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/inspector"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/callee"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/findings"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/syntax"
)

// findMains marks main, and the functions behind whose call main waits for nothing.
func (c *checker) findMains() {
	c.mains = map[ast.Node]bool{}
	if c.Pkg.Name() != "main" {
		return
	}
	if fn, ok := c.Pkg.Scope().Lookup("main").(*types.Func); ok {
		if decl, ok := c.Decls[fn]; ok {
			c.markMain(decl)
		}
	}
}

func (c *checker) markMain(fn inspector.Cursor) {
	if c.mains[fn.Node()] {
		return
	}
	c.mains[fn.Node()] = true
	for cur := range fn.Preorder((*ast.CallExpr)(nil)) {
		called := callee.Func(c.TypesInfo, cur.Node().(*ast.CallExpr))
		if called == nil || !c.direct(cur, fn) {
			continue
		}
		if decl, ok := c.Decls[called]; ok && !c.waitsBehind(cur, fn) {
			c.markMain(decl)
		}
	}
}

// direct reports whether a call is made by a function itself: by no literal in it, no go and no defer statement.
func (c *checker) direct(cur, fn inspector.Cursor) bool {
	for ; cur != fn; cur = cur.Parent() {
		switch cur.Node().(type) {
		case *ast.FuncLit, *ast.GoStmt, *ast.DeferStmt:
			return false
		}
	}
	return true
}

// checkMainReturns reports a server that main serves itself, and that only goroutines shut down, for which main does not wait.
func (c *checker) checkMainReturns(s *server) {
	if s.auxiliary || s.escapes || len(s.shutdowns) == 0 {
		return
	}
	for _, cur := range s.shutdowns {
		if c.started(cur) == nil {
			return
		}
	}
	for _, serve := range s.serves {
		fn, ok := syntax.Enclosing(serve)
		if !ok || !c.direct(serve, fn) || c.waitsBehind(serve, fn) {
			continue
		}
		if !c.mains[fn.Node()] {
			c.exportEarly(fn, serve)
			continue
		}
		if _, _, fatal := c.fatal(serve); fatal {
			continue // reported as that
		}
		call := serve.Node()
		c.Report(findings.Finding{Check: "main-returns-before-shutdown", Pos: call.Pos(), End: call.End(),
			Message: "it returns as soon as Shutdown begins, and main then returns while Shutdown still waits in its goroutine: the requests in flight are lost at each deploy",
			Help:    "Wait for the goroutine behind it: close a channel when Shutdown has returned, and receive from it here. " + rewrite,
			Related: []analysis.RelatedInformation{{Pos: s.shutdowns[0].Node().Pos(), End: s.shutdowns[0].Node().End(), Message: "nobody waits for this"}},
			Fixes:   c.fixWait(s, serve)})
	}
}

// returnsEarly is a fact about a function: it serves, and returns when Shutdown begins, which only a goroutine that it has
// started waits for.
type returnsEarly struct{ Place string }

func (*returnsEarly) AFact() {}

func (*returnsEarly) String() string { return "returns when Shutdown begins" }

func (c *checker) exportEarly(fn, serve inspector.Cursor) {
	if obj := c.Func(fn.Node()); obj != nil && obj.Exported() && !c.Silent(obj.Pos()) {
		c.ExportObjectFact(obj, &returnsEarly{c.Place(serve.Node().Pos())})
	}
}

// checkMainCall reports a call by which main serves, of a function of another package that does not wait for Shutdown.
func (c *checker) checkMainCall(cur inspector.Cursor, name string) {
	called := callee.Func(c.TypesInfo, cur.Node().(*ast.CallExpr))
	if len(c.mains) == 0 || called == nil || called.Pkg() == nil || called.Pkg() == c.Pkg {
		return
	}
	var fact returnsEarly
	fn, ok := syntax.Enclosing(cur)
	if !ok || !c.mains[fn.Node()] || !c.ImportObjectFact(called, &fact) || !c.direct(cur, fn) || c.waitsBehind(cur, fn) {
		return
	}
	c.Report(findings.Finding{Check: "main-returns-before-shutdown", Pos: cur.Node().Pos(), End: cur.Node().End(),
		Message: fmt.Sprintf("%s (%s) returns as soon as Shutdown begins, and main then returns while Shutdown still waits in its goroutine: the requests in flight are lost at each deploy", name, fact.Place),
		Help:    "Let it wait, before it returns, for the goroutine that calls Shutdown. " + rewrite})
}

// started is the go statement by which a call runs beside the rest: of the literal around it, or the only one of the function
// around it, which nothing else calls.
func (c *checker) started(cur inspector.Cursor) *ast.GoStmt {
	for up := range cur.Enclosing((*ast.FuncLit)(nil), (*ast.FuncDecl)(nil), (*ast.GoStmt)(nil)) {
		switch n := up.Node().(type) {
		case *ast.GoStmt:
			return n
		case *ast.FuncDecl:
			fn := c.Func(n)
			if fn == nil {
				return nil
			}
			var started *ast.GoStmt
			for use := range c.Root.Preorder((*ast.Ident)(nil)) {
				if c.TypesInfo.Uses[use.Node().(*ast.Ident)] != fn {
					continue
				}
				call := callAround(use)
				if call == nil {
					return nil
				}
				stmt, ok := goOf(use)
				if !ok {
					return nil
				}
				started = stmt
			}
			return started
		}
	}
	return nil
}

// goOf is the go statement that calls the function an identifier names.
func goOf(use inspector.Cursor) (*ast.GoStmt, bool) {
	up := use.Parent()
	if _, ok := up.Node().(*ast.SelectorExpr); ok {
		up = up.Parent()
	}
	stmt, ok := up.Parent().Node().(*ast.GoStmt)
	return stmt, ok
}

// waitsBehind reports whether function fn may wait for something after a call in it: in a statement below, in what it defers, or
// because the call is made in a loop.
func (c *checker) waitsBehind(call, fn inspector.Cursor) bool {
	for cur := call; cur != fn; cur = cur.Parent() {
		switch n := cur.Node().(type) {
		case *ast.ForStmt, *ast.RangeStmt, *ast.SelectStmt:
			return true
		case *ast.IfStmt:
			if n.Body.Pos() > call.Node().Pos() && (c.waits(n.Body, 0) || n.Else != nil && c.waits(n.Else, 0)) {
				return true
			}
		case *ast.CaseClause, *ast.CommClause:
			continue // those behind it are other cases
		}
		if syntax.InList(cur) {
			for next, ok := cur.NextSibling(); ok; next, ok = next.NextSibling() {
				if c.waits(next.Node(), 0) {
					return true
				}
			}
		}
	}
	for cur := range fn.Preorder((*ast.DeferStmt)(nil)) {
		stmt := cur.Node().(*ast.DeferStmt)
		if lit, ok := stmt.Call.Fun.(*ast.FuncLit); ok && c.waits(lit.Body, 0) || !ok && c.waits(stmt.Call, 0) {
			return true
		}
	}
	return false
}

// waits reports whether a node may wait for a goroutine: it receives, or calls something that may.
func (c *checker) waits(n ast.Node, depth int) bool {
	found := false
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit, *ast.GoStmt:
			return false
		case *ast.SelectStmt, *ast.RangeStmt, *ast.SendStmt:
			found = true
		case *ast.UnaryExpr:
			found = found || n.Op == token.ARROW
		case *ast.CallExpr:
			found = found || c.mayWait(n, depth)
		}
		return !found
	})
	return found
}

func (c *checker) mayWait(call *ast.CallExpr, depth int) bool {
	if tv, ok := c.TypesInfo.Types[call.Fun]; ok && (tv.IsType() || tv.IsBuiltin()) {
		return false
	}
	if fn := c.local(call); fn != nil {
		return depth > 3 || c.waits(syntax.Body(fn), depth+1)
	}
	name := callee.Name(c.TypesInfo, call)
	if name == "" { // a function value
		return callee.TypeName(c.TypesInfo, call.Fun) != "context.CancelFunc"
	}
	if callee.Exits(name) || c.harmlessCall(call, 0) {
		return false
	}
	method := strings.ToLower(callee.Last(name))
	for _, word := range []string{"wait", "join", "shutdown", "stop", "drain", "finish", "done", "lock", "sleep", "do", "run", "serve"} {
		if strings.Contains(method, word) {
			return true
		}
	}
	return false
}

// fixWait waits for the goroutine that calls Shutdown, where that is certain to end: behind an if that ends the function on
// every other error.
func (c *checker) fixWait(s *server, serve inspector.Cursor) []analysis.SuggestedFix {
	if len(s.shutdowns) != 1 {
		return nil
	}
	start := c.started(s.shutdowns[0])
	lit, ok := start.Call.Fun.(*ast.FuncLit)
	assign, isAssign := serve.Parent().Node().(*ast.AssignStmt)
	if !ok || !isAssign {
		return nil
	}
	branchCur := serve.Parent().Parent()
	branch, ok := branchCur.Node().(*ast.IfStmt)
	if !ok || branch.Init != assign || branch.Else != nil || !syntax.Mentions(branch.Cond, "ErrServerClosed") || !c.leaves(branch.Body) || !syntax.InList(branchCur) {
		return nil
	}
	same := false // the goroutine is started in the block in which main serves
	for prev, ok := branchCur.PrevSibling(); ok; prev, ok = prev.PrevSibling() {
		same = same || prev.Node() == start
	}
	const name = "shutdownDone"
	if !same || !c.once(branchCur, "wait") || !c.free(branch.Pos(), name) {
		return nil
	}
	insert := func(at token.Pos, text string) analysis.TextEdit {
		return analysis.TextEdit{Pos: at, End: at, NewText: []byte(text)}
	}
	return []analysis.SuggestedFix{{Message: "Wait until Shutdown has returned", TextEdits: []analysis.TextEdit{
		insert(start.Pos(), name+" := make(chan struct{})\n"),
		insert(lit.Body.Lbrace+1, "\ndefer close("+name+")"),
		insert(branch.End(), "\n<-"+name),
	}}}
}

// leaves reports whether a block ends the function or the process.
func (c *checker) leaves(block *ast.BlockStmt) bool {
	switch s := syntax.Last(block.List).(type) {
	case *ast.ReturnStmt:
		return true
	case *ast.ExprStmt:
		if call, ok := s.X.(*ast.CallExpr); ok {
			name := callee.Name(c.TypesInfo, call)
			return callee.Exits(name) || name == "panic"
		}
	}
	return false
}
