package gracefulserver

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/inspector"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/callee"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/findings"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/handlers"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/imports"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/syntax"
)

// notification is a call of signal.Notify or signal.NotifyContext.
type notification struct {
	cur     inspector.Cursor
	call    *ast.CallExpr
	channel ast.Expr   // of Notify
	signals []ast.Expr // none: all of them
	known   bool       // signals are all there are
}

func (c *checker) findSignals() {
	for cur := range c.Root.Preorder((*ast.CallExpr)(nil)) {
		call := cur.Node().(*ast.CallExpr)
		name := callee.Name(c.TypesInfo, call)
		c.serving = c.serving || handlers.Accepts(name)
		if name != "os/signal.Notify" && name != "os/signal.NotifyContext" || len(call.Args) == 0 {
			continue
		}
		n := &notification{cur: cur, call: call, signals: call.Args[1:], known: !call.Ellipsis.IsValid()}
		if name == "os/signal.Notify" {
			n.channel = call.Args[0]
		}
		c.signals = append(c.signals, n)
	}
}

// covers reports whether a notification takes one of these signals, or may do so.
func (c *checker) covers(n *notification, names ...string) bool {
	if len(n.signals) == 0 || !n.known {
		return true
	}
	return slices.ContainsFunc(n.signals, func(e ast.Expr) bool {
		name := c.signal(e)
		return name == "" || slices.Contains(names, name)
	})
}

// signal is the full name of a signal, "" when it is not known.
func (c *checker) signal(e ast.Expr) string {
	sel, ok := c.Values.Resolve(e).Expr.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	x, ok := sel.X.(*ast.Ident)
	if !ok {
		return ""
	}
	pkg, ok := c.TypesInfo.Uses[x].(*types.PkgName)
	if !ok {
		return ""
	}
	return pkg.Imported().Path() + "." + sel.Sel.Name
}

var (
	interrupt = []string{"os.Interrupt", "syscall.SIGINT", "golang.org/x/sys/unix.SIGINT"}
	terminate = []string{"syscall.SIGTERM", "golang.org/x/sys/unix.SIGTERM"}
)

func (c *checker) checkSignals() {
	termHandled := slices.ContainsFunc(c.signals, func(n *notification) bool { return c.covers(n, terminate...) })
	for _, n := range c.signals {
		if !termHandled && c.serving && c.covers(n, interrupt...) {
			c.reportTerm(n)
		}
		if n.channel != nil {
			c.checkChannel(n)
		}
	}
}

// reportTerm: os/signal, "Default behavior of signals in Go programs": "A SIGHUP, SIGINT, or SIGTERM signal causes the program to
// exit". systemd.kill(5): KillSignal= "Defaults to SIGTERM"; start-stop-daemon(8): --stop sends TERM; sv(8): down sends TERM.
func (c *checker) reportTerm(n *notification) {
	f := findings.Finding{Check: "sigterm-not-handled", Pos: n.call.Pos(), End: n.call.End(),
		Message: "SIGINT is handled, but not SIGTERM, by which systemd, OpenRC, runit and container runtimes stop a service: the process ends at once, and every request and job in flight is lost at each deploy",
		Help:    "Handle syscall.SIGTERM as well. " + rewrite}
	last := n.signals[len(n.signals)-1]
	if name, edits, ok := imports.Use(c.Pass.Pass, last.Pos(), "syscall"); ok {
		f.Fixes = []analysis.SuggestedFix{{Message: "Handle SIGTERM as well",
			TextEdits: append(edits, analysis.TextEdit{Pos: last.End(), End: last.End(), NewText: []byte(", " + name + ".SIGTERM")})}}
	}
	c.Report(f)
}

func (c *checker) checkChannel(n *notification) {
	v := c.Values.Var(n.channel)
	made, ok := ast.Unparen(n.channel).(*ast.CallExpr)
	if v != nil {
		list, known := c.Values.Of(v)
		if !known || len(list) != 1 {
			return
		}
		made, ok = ast.Unparen(list[0].Expr).(*ast.CallExpr)
	}
	if !ok || callee.Name(c.TypesInfo, made) != "make" {
		return
	}
	caught := "a signal"
	if len(n.signals) > 0 && n.known {
		var names []string
		for _, s := range n.signals {
			names = append(names, types.ExprString(s))
		}
		caught = strings.Join(names, ", ")
	}
	if v == nil || !c.read(v, n) {
		if !c.serving && len(c.Handlers.Handlers) == 0 {
			return // a program that shields itself from a signal, on purpose
		}
		if !c.covers(n, slices.Concat(interrupt, terminate)...) {
			return // SIGHUP, SIGPIPE: caught in order to be without effect
		}
		c.Report(findings.Finding{Check: "unread-signal-channel", Pos: n.call.Pos(), End: n.call.End(),
			Message: "nobody reads the channel that takes " + caught + ": the process does not stop when it is told to, is killed in the end, and everything in flight is lost at each deploy",
			Help:    "Receive from the channel, then call Shutdown. " + rewrite})
		return
	}
	if len(made.Args) == 1 || len(made.Args) == 2 && isZero(c.TypesInfo, made.Args[1]) {
		f := findings.Finding{Check: "unbuffered-signal-channel", Pos: n.channel.Pos(), End: n.channel.End(),
			Message: "package signal does not wait for a receiver: " + caught + " is dropped unless somebody receives from this unbuffered channel at that moment, the process goes on, and is killed with its requests in flight",
			Help:    "Give the channel room for one: make(chan os.Signal, 1)."}
		if len(made.Args) == 1 {
			f.Fixes = []analysis.SuggestedFix{{Message: "Make room for one signal",
				TextEdits: []analysis.TextEdit{{Pos: made.Rparen, End: made.Rparen, NewText: []byte(", 1")}}}}
		}
		c.Report(f)
	}
}

func isZero(info *types.Info, e ast.Expr) bool {
	v := info.Types[e].Value
	return v != nil && v.ExactString() == "0"
}

// read reports whether a channel may be received from: every use but its assignments and signal's own functions counts.
func (c *checker) read(v *types.Var, n *notification) bool {
	for cur := range c.Root.Preorder((*ast.Ident)(nil)) {
		id := cur.Node().(*ast.Ident)
		if c.TypesInfo.Uses[id] != v {
			continue
		}
		expr := syntax.Named(cur)
		switch parent := expr.Parent().Node().(type) {
		case *ast.CallExpr:
			switch callee.Name(c.TypesInfo, parent) {
			case "os/signal.Notify", "os/signal.Stop", "close":
				continue
			}
		case *ast.AssignStmt:
			if slices.ContainsFunc(parent.Lhs, func(e ast.Expr) bool { return e == expr.Node() }) {
				continue
			}
		case *ast.KeyValueExpr:
			if parent.Key == expr.Node() {
				continue
			}
		case *ast.SendStmt:
			if parent.Chan == expr.Node() {
				continue
			}
		}
		return true
	}
	return false
}

// received is the variable or field of a channel that a statement of the form <-ch, x := <-ch or <-ctx.Done() receives from;
// for the latter the context, and done.
func (c *checker) received(stmt ast.Stmt) (v *types.Var, done bool) {
	var e ast.Expr
	switch s := stmt.(type) {
	case *ast.ExprStmt:
		e = s.X
	case *ast.AssignStmt:
		if len(s.Rhs) == 1 {
			e = s.Rhs[0]
		}
	}
	u, ok := ast.Unparen(e).(*ast.UnaryExpr)
	if e == nil || !ok || u.Op != token.ARROW {
		return nil, false
	}
	if call, ok := ast.Unparen(u.X).(*ast.CallExpr); ok {
		sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
		if !ok || sel.Sel.Name != "Done" || callee.TypeName(c.TypesInfo, sel.X) != "context.Context" {
			return nil, false
		}
		return c.Values.Var(sel.X), true
	}
	return c.Values.Var(u.X), false
}

// signalled reports whether a statement waits for a signal that ends the process.
func (c *checker) signalled(stmt ast.Stmt) bool {
	v, done := c.received(stmt)
	if v == nil {
		return false
	}
	for _, n := range c.signals {
		if n.channel == nil {
			if done && c.covers(n, slices.Concat(interrupt, terminate)...) && c.Values.Resolve(identOf(stmt)).Expr == n.call {
				return true
			}
		} else if !done && c.Values.Var(n.channel) == v && c.onlyStops(n) {
			return true
		}
	}
	return false
}

// onlyStops reports whether every signal of a notification is one that asks the process to stop.
func (c *checker) onlyStops(n *notification) bool {
	stops := append(slices.Concat(interrupt, terminate), "syscall.SIGQUIT", "syscall.SIGKILL", "os.Kill", "syscall.SIGHUP")
	return len(n.signals) > 0 && n.known && c.covers(n, slices.Concat(interrupt, terminate)...) &&
		!slices.ContainsFunc(n.signals, func(e ast.Expr) bool { return !slices.Contains(stops, c.signal(e)) })
}

// identOf is ctx of <-ctx.Done().
func identOf(stmt ast.Stmt) ast.Expr {
	var found ast.Expr
	ast.Inspect(stmt, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok && found == nil {
			if sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok {
				found = sel.X
			}
		}
		return found == nil
	})
	return found
}
