package gracefulserver

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

func (c *checker) checkExit(cur inspector.Cursor, name string) {
	call := cur.Node().(*ast.CallExpr)
	fn, ok := syntax.Enclosing(cur)
	if !ok {
		return
	}
	if h := c.Handlers.For(fn.Node()); h != nil && !imports.Any(c.Files, "net/http/cgi", "net/http/fcgi") {
		c.Report(findings.Finding{Check: "exit-in-handler", Pos: call.Pos(), End: call.End(),
			Message: fmt.Sprintf("%s, on behalf of %s, ends the process: every other request and job in flight on the node is lost with this one", name, h.Name),
			Help:    "Answer with an error, and let the process live."})
		return
	}
	if c.onSignal(cur, fn) {
		c.Report(findings.Finding{Check: "exit-on-signal", Pos: call.Pos(), End: call.End(),
			Message: name + " ends the process as soon as the signal has come: what the server has in flight is cut at each deploy",
			Help:    "Stop accepting, wait for what is in flight with a deadline (Shutdown of an http.Server), then let main return. " + rewrite})
		return
	}
	if what := c.skips(cur, fn); what != "" {
		c.Report(findings.Finding{Check: "exit-skips-deferred", Pos: call.Pos(), End: call.End(),
			Message: fmt.Sprintf("%s ends the process without running deferred functions, so %s, deferred above, never runs, and what it should bring to an end is lost", name, what),
			Help:    "Return an error, and exit in main alone, where nothing is deferred."})
	}
}

// onSignal reports whether an exit is what the code does about a signal, with nothing before it that could drain.
func (c *checker) onSignal(cur, fn inspector.Cursor) bool {
	if !c.serving || c.drains() {
		return false
	}
	for cur != fn {
		parent := cur.Parent()
		switch parent.Node().(type) {
		case *ast.IfStmt, *ast.SwitchStmt, *ast.TypeSwitchStmt, *ast.CaseClause, *ast.GoStmt, *ast.DeferStmt:
			return false // only sometimes: a second signal, say
		}
		list := syntax.Statements(parent.Node())
		at := slices.IndexFunc(list, func(s ast.Stmt) bool { return s == cur.Node() })
		for i := at - 1; i >= 0; i-- {
			if c.signalled(list[i]) {
				return c.receives() == 1
			}
			if !c.harmless(list[i], 0) {
				return false
			}
		}
		if clause, ok := parent.Node().(*ast.CommClause); ok && clause.Comm != nil && c.signalled(clause.Comm) {
			return c.receives() == 1
		}
		cur = parent
	}
	return false
}

// drains reports whether something in the package shuts a server down.
func (c *checker) drains() bool {
	for cur := range c.Root.Preorder((*ast.SelectorExpr)(nil)) {
		switch cur.Node().(*ast.SelectorExpr).Sel.Name {
		case "Shutdown", "GracefulStop", "ShutdownWithContext", "ShutdownWithTimeout":
			return true
		}
	}
	return false
}

// receives counts the places where signals are received: behind the second one the first may have led to a drain.
func (c *checker) receives() int {
	n := 0
	for cur := range c.Root.Preorder((*ast.ExprStmt)(nil), (*ast.AssignStmt)(nil)) {
		if c.signalled(cur.Node().(ast.Stmt)) {
			n++
		}
	}
	return n
}

// harmless reports whether everything that a node calls only logs, prints, formats or cleans up: nothing of it can wait for a
// request.
func (c *checker) harmless(n ast.Node, depth int) bool {
	ok := true
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit, *ast.GoStmt, *ast.SendStmt, *ast.SelectStmt, *ast.RangeStmt:
			ok = false
		case *ast.UnaryExpr:
			ok = ok && n.Op != token.ARROW
		case *ast.CallExpr:
			ok = ok && c.harmlessCall(n, depth)
		}
		return ok
	})
	return ok
}

func (c *checker) harmlessCall(call *ast.CallExpr, depth int) bool {
	if tv, ok := c.TypesInfo.Types[call.Fun]; ok && (tv.IsType() || tv.IsBuiltin()) {
		return true
	}
	name := callee.Name(c.TypesInfo, call)
	if name == "" {
		return false
	}
	switch callee.Last(name) {
	case "Error", "String", "Sync":
		return true
	}
	for _, pkg := range []string{"log", "log/slog", "fmt", "os", "os/signal", "strings", "strconv", "errors", "syscall",
		"github.com/sirupsen/logrus", "go.uber.org/zap", "runtime", "path/filepath"} {
		if rest, ok := strings.CutPrefix(callee.Bare(name), pkg+"."); ok && !strings.Contains(rest, "/") {
			return true
		}
	}
	switch name {
	case "(*net/http.Server).Close", "(*database/sql.DB).Close", "(net.Listener).Close", "time.Now", "time.Since":
		return true
	}
	if fn := c.local(call); fn != nil && depth < 3 {
		return c.harmless(syntax.Body(fn), depth+1)
	}
	return false
}

// skips names a deferred call of weight that an exit behind a running server skips; "" when there is none.
func (c *checker) skips(cur, fn inspector.Cursor) string {
	exit, deferred := cur.Node(), ""
	for ; cur != fn; cur = cur.Parent() {
		for sibling, ok := cur.PrevSibling(); ok; sibling, ok = sibling.PrevSibling() {
			if stmt, ok := sibling.Node().(*ast.DeferStmt); ok && syntax.InList(sibling) {
				if name := c.ending(stmt.Call); name != "" {
					deferred = name
				}
			}
		}
	}
	if deferred == "" {
		return ""
	}
	running := false
	ast.Inspect(syntax.Body(fn.Node()), func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if ok && call.Pos() < exit.Pos() {
			name := callee.Name(c.TypesInfo, call)
			running = running || isServe(name) || undrainable[name]
		}
		return true
	})
	if !running {
		return ""
	}
	return deferred
}

// ending is the name of a call, or of one in the function literal that is called, which brings work to an end.
func (c *checker) ending(call *ast.CallExpr) string {
	found := ""
	ast.Inspect(call, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || found != "" {
			return found == ""
		}
		sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
		if !ok {
			return true
		}
		switch sel.Sel.Name {
		case "Shutdown", "GracefulStop", "Flush", "ForceFlush", "Wait", "Join", "Drain":
			found = types.ExprString(sel)
		}
		return true
	})
	return found
}

// checkServerClosed looks at what is done about the error of Serve and its like. net/http: "When Shutdown is called, Serve,
// ServeTLS, ListenAndServe, and ListenAndServeTLS immediately return ErrServerClosed. Make sure the program doesn't exit and waits
// instead for Shutdown to return."
func (c *checker) checkServerClosed(cur inspector.Cursor) {
	call := cur.Node().(*ast.CallExpr)
	s := c.serverOf(call)
	if s == nil || len(s.shutdowns) == 0 || s.auxiliary {
		return
	}
	exit, fix, ok := c.fatal(cur)
	if !ok {
		return
	}
	f := findings.Finding{Check: "fatal-on-server-closed", Pos: call.Pos(), End: call.End(),
		Message: fmt.Sprintf("it returns ErrServerClosed as soon as Shutdown begins, and %s then ends the process: the requests that Shutdown waits for are lost at each deploy", exit),
		Help:    "Let http.ErrServerClosed pass, and wait until Shutdown has returned before main does. " + rewrite}
	if len(fix) > 0 {
		f.Fixes = []analysis.SuggestedFix{{Message: "Let ErrServerClosed pass", TextEdits: fix}}
	}
	c.Report(f)
}

// fatal reports whether the process ends whenever a call returns an error, by what, and how to let ErrServerClosed pass.
func (c *checker) fatal(serve inspector.Cursor) (exit string, fix []analysis.TextEdit, ok bool) {
	parent := serve.Parent()
	switch n := parent.Node().(type) {
	case *ast.CallExpr: // log.Fatal(srv.ListenAndServe())
		name := callee.Name(c.TypesInfo, n)
		if !callee.Exits(name) && name != "panic" || !slices.Contains(n.Args, serve.Node().(ast.Expr)) {
			return "", nil, false
		}
		stmt, isStmt := parent.Parent().Node().(*ast.ExprStmt)
		if test := c.notClosed(serve.Node().Pos(), "err"); isStmt && test != "" && len(n.Args) == 1 {
			call := serve.Node()
			if outer := c.text(stmt.Pos(), call.Pos()); outer != "" {
				fix = []analysis.TextEdit{{Pos: stmt.Pos(), End: call.Pos(), NewText: []byte("if err := ")},
					{Pos: call.End(), End: stmt.End(), NewText: []byte("; " + test + " {\n" + outer + "err" + c.text(call.End(), stmt.End()) + "\n}")}}
			}
		}
		return name, fix, true
	case *ast.AssignStmt:
		if len(n.Lhs) != 1 {
			return "", nil, false
		}
		branch, isIf := parent.Parent().Node().(*ast.IfStmt)
		if !isIf || branch.Init != n {
			next, more := parent.NextSibling()
			if branch, isIf = nil, false; more {
				branch, isIf = next.Node().(*ast.IfStmt)
			}
			if !isIf || branch.Init != nil {
				return "", nil, false
			}
		}
		return c.fatalBranch(branch, n.Lhs[0])
	}
	return "", nil, false
}

// fatalBranch: if err != nil { …; log.Fatal(err) }
func (c *checker) fatalBranch(branch *ast.IfStmt, err ast.Expr) (exit string, fix []analysis.TextEdit, ok bool) {
	cond, isBinary := ast.Unparen(branch.Cond).(*ast.BinaryExpr)
	v := c.Values.Var(err)
	if !isBinary || cond.Op != token.NEQ || v == nil || c.Values.Var(cond.X) != v || !isNil(c.TypesInfo, cond.Y) {
		return "", nil, false
	}
	for _, stmt := range branch.Body.List {
		if syntax.Mentions(stmt, "ErrServerClosed") {
			return "", nil, false
		}
		expr, isExpr := stmt.(*ast.ExprStmt)
		if !isExpr {
			continue
		}
		if call, isCall := expr.X.(*ast.CallExpr); isCall {
			if name := callee.Name(c.TypesInfo, call); callee.Exits(name) || name == "panic" {
				if test := c.notClosed(cond.Pos(), v.Name()); test != "" {
					fix = []analysis.TextEdit{{Pos: cond.End(), End: cond.End(), NewText: []byte(" && " + test)}}
				}
				return name, fix, true
			}
		}
	}
	return "", nil, false
}

// notClosed is the test that an error is not ErrServerClosed; "" when it cannot be written with what is imported.
func (c *checker) notClosed(pos token.Pos, err string) string {
	http, ok := imports.Name(c.Pass.Pass, pos, "net/http")
	if !ok {
		return ""
	}
	if name, ok := imports.Name(c.Pass.Pass, pos, "errors"); ok {
		return "!" + name + ".Is(" + err + ", " + http + ".ErrServerClosed)"
	}
	return err + " != " + http + ".ErrServerClosed"
}

// text is the source between two positions, "" when it cannot be read.
func (c *checker) text(from, to token.Pos) string {
	f := c.Fset.File(from)
	if f == nil {
		return ""
	}
	src, err := c.ReadFile(f.Name())
	if err != nil || f.Offset(to) > len(src) {
		return ""
	}
	return string(src[f.Offset(from):f.Offset(to)])
}
