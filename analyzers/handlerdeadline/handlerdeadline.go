package handlerdeadline

import (
	_ "embed"
	"fmt"
	"go/ast"
	"go/types"
	"maps"
	"slices"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/inspector"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/callee"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/code"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/contexts"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/findings"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/handlers"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/syntax"
)

//go:embed doc.go
var docgo string

// New makes the analyzer.
func New() *analysis.Analyzer {
	a := code.New(docgo, run)
	a.FactTypes = []analysis.Fact{new(waits), new(takes)}
	return a
}

// waits is a fact about a function: it waits for a server without a deadline, whatever context it is given.
type waits struct{ Call, Place string }

func (*waits) AFact() {}

func (w *waits) String() string { return "waits by " + w.Call }

// takes is a fact about a function: what waits in it does so for as long as the context in its first parameter lets it.
type takes struct{ Call string }

func (*takes) AFact() {}

func (t *takes) String() string { return "takes its deadline for " + t.Call }

type checker struct {
	*code.Package
	waits   map[*types.Func]*waits // of this package's functions
	takes   map[*types.Func]*takes
	outside map[*types.Package][]outsideCall
}

// outsideCall is a call, for a handler, of a function of another package that waits.
type outsideCall struct {
	call    *ast.CallExpr
	fn      *types.Func
	handler *handlers.Handler
	fact    *waits
}

// waitsOf is what is known of a function of this or another package, nil for nothing.
func (c *checker) waitsOf(fn *types.Func) *waits {
	var fact waits
	if fn == nil || fn.Pkg() == c.Pkg || !c.ImportObjectFact(fn, &fact) {
		return c.waits[fn]
	}
	return &fact
}

func (c *checker) takesOf(fn *types.Func) *takes {
	var fact takes
	if fn == nil || fn.Pkg() == c.Pkg || !c.ImportObjectFact(fn, &fact) {
		return c.takes[fn]
	}
	return &fact
}

// wait is a call that may wait for ever.
type wait struct {
	call *ast.CallExpr
	name string // what it calls
	ctx  ast.Expr
}

func run(pkg *code.Package) {
	c := &checker{
		Package: pkg,
		waits:   map[*types.Func]*waits{},
		takes:   map[*types.Func]*takes{},
		outside: map[*types.Package][]outsideCall{},
	}
	c.summarize()
	for cur := range c.Root.Preorder((*ast.CallExpr)(nil)) {
		if c.Silent(cur.Node().Pos()) {
			continue
		}
		fn := syntax.EnclosingFunc(cur)
		if fn == nil {
			continue
		}
		if h := c.Handlers.For(fn); h != nil {
			c.check(cur, h)
		}
	}
	c.reportOutside()
}

// reportOutside reports the calls of each other package once: what has to change is in that package, and a handler that waits
// rarely does so in one place.
func (c *checker) reportOutside() {
	for _, calls := range slices.SortedFunc(maps.Values(c.outside), func(a, b []outsideCall) int { return int(a[0].call.Pos() - b[0].call.Pos()) }) {
		first, functions, handled := calls[0], map[*types.Func]bool{}, map[*handlers.Handler]bool{}
		for _, call := range calls {
			functions[call.fn], handled[call.handler] = true, true
		}
		message := fmt.Sprintf("%s, which %s calls, waits in %s (%s) with nothing that ends it: "+lost, first.fn.Origin().FullName(), first.handler.Name, first.fact.Call, first.fact.Place, first.handler.Kind)
		if len(calls) > 1 {
			message += fmt.Sprintf("; in all %d calls of %d such functions of package %s, for %d handlers of this one", len(calls), len(functions), first.fn.Pkg().Name(), len(handled))
		}
		c.Report(findings.Finding{Check: "unbounded-context", Pos: first.call.Pos(), End: first.call.End(), Message: message,
			Help: "Let them take a context, and give them the handler's or one with a deadline."})
	}
}

// lost is what comes of it, for a kind of handler.
const lost = "when it does not answer, the %s never ends, and a node that is to leave waits for it until it is killed"

// check reports a call made for a handler.
func (c *checker) check(cur inspector.Cursor, h *handlers.Handler) {
	call := cur.Node().(*ast.CallExpr)
	if deferred(cur) || started(cur) {
		return
	}
	if name, server := withoutContext(c, call); name != "" {
		f := findings.Finding{Check: "call-without-context", Pos: call.Pos(), End: call.End(),
			Message: fmt.Sprintf("%s, on behalf of %s, waits for %s without a context: "+lost, name, h.Name, server, h.Kind),
			Help:    "Use " + alternative(name) + ", with the context of the " + string(h.Kind) + " or one that has a deadline."}
		if fix, ok := c.fix(call); ok {
			f.Fixes = append(f.Fixes, fix)
		}
		c.Report(f)
		return
	}
	w, server := c.waiting(call)
	if w.call == nil {
		if fn := callee.Func(c.TypesInfo, call); fn != nil && fn.Pkg() != c.Pkg {
			if fact := c.waitsOf(fn); fact != nil && !c.Suppressed(call.Pos(), "unbounded-context", "handlerdeadline") {
				c.outside[fn.Pkg()] = append(c.outside[fn.Pkg()], outsideCall{call, fn, h, fact})
			}
		}
		return
	}
	if !contexts.Of(c.TypesInfo, c.Values, w.ctx).Unbounded() {
		return
	}
	c.Report(findings.Finding{Check: "unbounded-context", Pos: w.ctx.Pos(), End: w.ctx.End(),
		Message: fmt.Sprintf("%s, on behalf of %s, waits for %s with a context that nothing ends: "+lost, w.name, h.Name, server, h.Kind),
		Help: fmt.Sprintf("Use %s; if the work has to be finished although the client has gone, context.WithTimeout(context.WithoutCancel(ctx), …).",
			requestContext(h))})
}

// requestContext says where a handler finds its context.
func requestContext(h *handlers.Handler) string {
	if h.Kind == handlers.HTTP {
		return "the request's Context()"
	}
	return "the context that the handler is given"
}

// deferred reports whether a call is that of a defer statement: what is put in order at the end gets a context of its own.
func deferred(cur inspector.Cursor) bool {
	_, ok := cur.Parent().Node().(*ast.DeferStmt)
	return ok
}

// started reports whether a call is that of a go statement: nobody waits for it here.
func started(cur inspector.Cursor) bool {
	_, ok := cur.Parent().Node().(*ast.GoStmt)
	return ok
}

// waiting recognises a call that waits as long as its context lets it: of a server's library, or of a function that hands its
// context on to one.
func (c *checker) waiting(call *ast.CallExpr) (w wait, server string) {
	name := callee.Name(c.TypesInfo, call)
	if server = serverOf(name); server == "" {
		fact := c.takesOf(callee.Func(c.TypesInfo, call))
		if fact == nil || len(call.Args) == 0 {
			return wait{}, ""
		}
		return wait{call, name, call.Args[0]}, "a server, in " + fact.Call
	}
	if arg := contexts.Arg(c.TypesInfo, call); arg != nil {
		return wait{call, name, arg}, server
	}
	return wait{}, ""
}

// summarize learns what the functions of the package do with contexts, and exports it for those that call them.
func (c *checker) summarize() {
	for again := true; again; {
		again = false
		for _, fn := range c.Funcs {
			again = c.learn(c.Decls[fn], fn) || again
		}
	}
	for _, fn := range c.Funcs {
		if !fn.Exported() || c.Handlers.For(c.Decl(fn)) != nil {
			continue // nobody else calls it, or it is reported where it waits
		}
		if w := c.waits[fn]; w != nil {
			c.ExportObjectFact(fn, w)
		}
		if t := c.takes[fn]; t != nil {
			c.ExportObjectFact(fn, t)
		}
	}
}

// learn looks at the calls of a function, and reports whether it has learned something new.
func (c *checker) learn(decl inspector.Cursor, fn *types.Func) bool {
	hadWaits, hadTakes := c.waits[fn] != nil, c.takes[fn] != nil
	if hadWaits && hadTakes {
		return false
	}
	decl.Inspect([]ast.Node{(*ast.CallExpr)(nil), (*ast.GoStmt)(nil)}, func(cur inspector.Cursor) bool {
		call, ok := cur.Node().(*ast.CallExpr)
		if !ok || handlers.Detaches(c.TypesInfo, call) {
			return false // a go statement, or what waits elsewhere
		}
		if !deferred(cur) {
			c.learnCall(call, fn)
		}
		return true
	})
	return !hadWaits && c.waits[fn] != nil || !hadTakes && c.takes[fn] != nil
}

func (c *checker) learnCall(call *ast.CallExpr, fn *types.Func) {
	name, _ := withoutContext(c, call)
	if w, _ := c.waiting(call); w.call != nil {
		ctx := contexts.Of(c.TypesInfo, c.Values, w.ctx)
		if ctx.Unbounded() {
			name = w.name
		}
		if ctx.Root == contexts.Parameter && !ctx.Deadline && firstParam(fn) == ctx.Param && c.takes[fn] == nil {
			c.takes[fn] = &takes{Call: w.name}
		}
	}
	if c.waits[fn] != nil {
		return
	}
	if name != "" {
		c.waits[fn] = &waits{Call: name, Place: c.Place(call.Pos())}
	} else if w := c.waitsOf(callee.Func(c.TypesInfo, call)); w != nil {
		c.waits[fn] = w
	}
}

func firstParam(fn *types.Func) *types.Var {
	params := fn.Signature().Params()
	if params.Len() == 0 || fn.Signature().Variadic() && params.Len() == 1 {
		return nil
	}
	return params.At(0)
}
