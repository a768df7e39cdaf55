package detachedwork

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/callee"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/findings"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/syntax"
)

// starts is a fact about a function: it runs one of its parameters in a goroutine that it does not wait for.
type starts struct{ Param int }

func (*starts) AFact() {}

func (s *starts) String() string { return fmt.Sprintf("starts parameter %d", s.Param) }

// detaches is a fact about a function: it starts a goroutine that acts, and that nobody waits for.
type detaches struct{ What, By, Place string }

func (*detaches) AFact() {}

func (d *detaches) String() string { return "detaches " + d.By }

// detached is work that goes on when the function which started it has returned, for all that can be seen there.
type detached struct {
	at   ast.Node      // the go statement, or the call of a helper that starts it
	call *ast.CallExpr // what runs: of a function literal or of a function; nil when body says it all
	body ast.Node      // of a function literal, or of a function of this package; nil when it is elsewhere
	fn   ast.Node      // the function that starts it
}

// goroutines reports what handlers detach.
func (c *checker) goroutines() {
	helpers := map[*types.Func]int{}
	local := map[*types.Func]*detaches{}
	var list []detached
	for cur := range c.Root.Preorder((*ast.GoStmt)(nil)) {
		n := cur.Node().(*ast.GoStmt)
		d := detached{at: n, call: n.Call, fn: syntax.EnclosingFunc(cur)}
		if lit, ok := ast.Unparen(n.Call.Fun).(*ast.FuncLit); ok {
			d.body = lit.Body
		} else if fn := callee.Func(c.TypesInfo, n.Call); fn != nil && c.Decl(fn) != nil {
			d.body = c.Decl(fn).Body
		}
		if d.fn == nil || c.awaited(d) {
			continue
		}
		list = append(list, d)
		if fn, param, ok := c.startsParam(cur, d); ok {
			helpers[fn] = param
			if fn.Exported() {
				c.ExportObjectFact(fn, &starts{param})
			}
		}
	}
	for _, d := range list {
		c.detach(d, local)
	}
	for cur := range c.Root.Preorder((*ast.CallExpr)(nil)) {
		call := cur.Node().(*ast.CallExpr)
		body := c.given(cur, call, helpers)
		if body == nil {
			continue
		}
		d := detached{at: call, body: body, fn: syntax.EnclosingFunc(cur)}
		if d.fn != nil && !c.awaited(d) {
			c.detach(d, local)
		}
	}
	c.far(local)
}

// detach reports what a handler detaches, and remembers what another function does for those that call it.
func (c *checker) detach(d detached, local map[*types.Func]*detaches) {
	deeds := c.deedsOf(d)
	if len(deeds) == 0 {
		return
	}
	deed := deeds[0]
	h := c.Handlers.Near(d.fn, reach)
	if h == nil {
		if fn := c.Func(d.fn); fn != nil && fn.Exported() && !c.Silent(d.at.Pos()) && !isEntry(fn) &&
			!c.Suppressed(d.at.Pos(), "unwaited-goroutine", "detachedwork") {
			local[fn] = &detaches{deed.What, deed.By, c.Place(d.at.Pos())}
		}
		return
	}
	c.outlived(d, h, deeds)
	c.Report(findings.Finding{Check: "unwaited-goroutine", Pos: d.at.Pos(), End: headEnd(d.at),
		Message: fmt.Sprintf("nobody waits for this goroutine, which %s starts for %s (%s): "+endsFirst, h.Name, deed.What, deed.By, h.Kind),
		Help:    waitHelp})
}

// endsFirst is what comes of it, for a kind of handler.
const endsFirst = "the %s ends before it does, so a node that has drained exits in the middle of it, at every deploy"

const waitHelp = "Do it before the handler returns; or count it in a sync.WaitGroup that the program waits for between Shutdown and exit; or store a job in the database in the handler's transaction, and let a worker do it."

// far exports what functions do and detach, and reports calls of those of other packages.
func (c *checker) far(local map[*types.Func]*detaches) {
	for _, fn := range c.Funcs {
		if d := local[fn]; d != nil {
			c.ExportObjectFact(fn, d)
		}
		if fn.Exported() && !c.Silent(fn.Pos()) {
			if a := c.actsOf(fn); a != nil {
				c.ExportObjectFact(fn, a)
			}
		}
	}
	if len(c.Handlers.Handlers) == 0 {
		return
	}
	for cur := range c.Root.Preorder((*ast.CallExpr)(nil)) {
		call := cur.Node().(*ast.CallExpr)
		fn := callee.Func(c.TypesInfo, call)
		if fn == nil || fn.Pkg() == c.Pkg {
			continue
		}
		var fact detaches
		if !c.ImportObjectFact(fn, &fact) {
			continue
		}
		in := syntax.EnclosingFunc(cur)
		if in == nil {
			continue
		}
		if h := c.Handlers.Near(in, reach); h != nil {
			c.Report(findings.Finding{Check: "unwaited-goroutine", Pos: call.Pos(), End: call.End(),
				Message: fmt.Sprintf("%s, which %s calls, starts a goroutine (%s) that nobody waits for, for %s (%s): "+endsFirst,
					callee.Name(c.TypesInfo, call), h.Name, fact.Place, fact.What, fact.By, h.Kind),
				Help: waitHelp})
		}
	}
}

// isEntry reports whether a function is called once, when the program starts: its goroutines are the program's.
func isEntry(fn *types.Func) bool {
	for _, word := range []string{"New", "Start", "Run", "Serve", "Listen", "Init", "Open", "Main", "Must", "Watch"} {
		if hasWord(fn.Name(), word) {
			return true
		}
	}
	return false
}

// deedsOf lists what detached work does.
func (c *checker) deedsOf(d detached) []deed {
	if d.call == nil {
		return c.deeds(d.body)
	}
	if lit, ok := ast.Unparen(d.call.Fun).(*ast.FuncLit); ok {
		return c.deeds(lit.Body)
	}
	if one, ok := c.deed(d.call); ok {
		return []deed{one}
	}
	return nil
}

// startsParam recognises the go statement of a helper that runs one of its parameters.
func (c *checker) startsParam(cur inspector.Cursor, d detached) (fn *types.Func, param int, ok bool) {
	if fn = c.Func(d.fn); fn == nil {
		return nil, 0, false
	}
	for call := range cur.Preorder((*ast.CallExpr)(nil)) { // that of the go statement first
		if v := c.Values.Var(call.Node().(*ast.CallExpr).Fun); v != nil {
			if param = c.paramOf(d.fn, v); param >= 0 {
				return fn, param, true
			}
		}
	}
	return nil, 0, false
}

// given is the body of the function that a call detaches: a literal given to a helper that runs it in a goroutine, or to
// time.AfterFunc when nobody can stop the timer; nil for other calls.
func (c *checker) given(cur inspector.Cursor, call *ast.CallExpr, helpers map[*types.Func]int) ast.Node {
	at := -1
	if callee.Name(c.TypesInfo, call) == "time.AfterFunc" {
		if _, ok := cur.Parent().Node().(*ast.ExprStmt); ok {
			at = 1
		}
	} else if fn := callee.Func(c.TypesInfo, call); fn != nil {
		var fact starts
		if param, ok := helpers[fn]; ok {
			at = param
		} else if fn.Pkg() != c.Pkg && c.ImportObjectFact(fn, &fact) {
			at = fact.Param
		}
	}
	if at < 0 || at >= len(call.Args) {
		return nil
	}
	if lit, ok := ast.Unparen(call.Args[at]).(*ast.FuncLit); ok {
		return lit.Body
	}
	return nil
}

// headEnd is the end of a node's first line of meaning: a goroutine's whole body need not be underlined.
func headEnd(n ast.Node) token.Pos {
	g, ok := n.(*ast.GoStmt)
	if !ok {
		return n.End()
	}
	if lit, ok := ast.Unparen(g.Call.Fun).(*ast.FuncLit); ok {
		return lit.Type.End()
	}
	return n.End()
}
