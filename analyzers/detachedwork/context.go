package detachedwork

import (
	"fmt"
	"go/ast"
	"go/types"
	"strings"

	"golang.org/x/tools/go/analysis"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/callee"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/contexts"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/findings"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/handlers"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/syntax"
)

// outlived reports what detached work does with the context of what its handler served. Sources that it is cancelled then:
// net/http, Request.Context ("the context is canceled … when the ServeHTTP method returns"; TestContextEndsWithHandler shows it);
// grpc-go, internal/transport/http2_server.go, deleteStream; river, internal/jobexecutor/job_executor.go (defer cancel());
// asynq, processor.go, exec (deferred cancel()).
func (c *checker) outlived(d detached, h *handlers.Handler, deeds []deed) {
	var first *deed
	var edits []analysis.TextEdit
	fixable := true
	for i := range deeds {
		ctx := deeds[i].ctx
		if ctx == nil || !c.ofRequest(ctx, d, h, 3) {
			continue
		}
		if first == nil {
			first = &deeds[i]
		}
		edit, ok := c.withoutCancel(ctx, d)
		fixable = fixable && ok
		edits = append(edits, edit...)
	}
	if first == nil {
		return
	}
	f := findings.Finding{Check: "request-context-outlived", Pos: first.ctx.Pos(), End: first.ctx.End(),
		Message: fmt.Sprintf("%s, in a goroutine that nobody waits for, is given the context of the %s, which is cancelled as soon as %s returns: %s is cut off or never begun, now and then on any day",
			first.By, h.Kind, h.Name, first.What),
		Help: "Give it context.WithTimeout(context.WithoutCancel(ctx), …), or do it before the handler returns."}
	if fixable {
		f.Fixes = []analysis.SuggestedFix{{Message: "Let the goroutine's context outlive the request", TextEdits: edits}}
	}
	c.Report(f)
}

// contextRoot is the parameter that a context is or is made from, nil for others.
func (c *checker) contextRoot(ctx ast.Expr) *types.Var {
	if cx := contexts.Of(c.TypesInfo, c.Values, ctx); cx.Root == contexts.Parameter {
		return cx.Param
	}
	return nil
}

// ofRequest reports whether a context, in detached work, ends when its handler returns.
func (c *checker) ofRequest(ctx ast.Expr, d detached, h *handlers.Handler, depth int) bool {
	switch cx := contexts.Of(c.TypesInfo, c.Values, ctx); cx.Root {
	case contexts.Request:
		return c.incoming(cx)
	case contexts.Parameter:
		if arg := c.argument(cx.Param, d); arg != nil {
			return depth > 0 && c.ofRequest(arg, d, h, depth-1)
		}
		return c.carries(cx.Param, h, depth)
	}
	return false
}

// incoming reports whether a request is one that is being served: a parameter, or a framework's.
func (c *checker) incoming(cx contexts.Context) bool {
	if cx.Param != nil {
		list, known := c.Values.Of(cx.Param)
		return !known && len(list) == 0
	}
	call, ok := cx.Made.(*ast.CallExpr)
	if !ok {
		return false
	}
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok {
		return false
	}
	from, ok := ast.Unparen(sel.X).(*ast.CallExpr) // echo: c.Request().Context()
	return ok && strings.HasSuffix(callee.Name(c.TypesInfo, from), ".Context).Request")
}

// argument is what a parameter of the function literal that a go statement runs is given.
func (c *checker) argument(param *types.Var, d detached) ast.Expr {
	if d.call == nil {
		return nil
	}
	lit, ok := ast.Unparen(d.call.Fun).(*ast.FuncLit)
	if !ok {
		return nil
	}
	i := 0
	for _, field := range lit.Type.Params.List {
		for _, name := range field.Names {
			if c.TypesInfo.Defs[name] == param && i < len(d.call.Args) {
				return d.call.Args[i]
			}
			i++
		}
		i += max(0, 1-len(field.Names))
	}
	return nil
}

// carries reports whether a parameter is the context that a handler is given, or that a handler passes on to a function of
// this package.
func (c *checker) carries(param *types.Var, h *handlers.Handler, depth int) bool {
	if c.paramOf(h.Func, param) >= 0 {
		return h.Cancels
	}
	if depth == 0 {
		return false
	}
	for _, fn := range c.Funcs {
		if i := c.paramOf(c.Decl(fn), param); i >= 0 {
			return c.calledWith(fn, i, depth-1)
		}
	}
	return false
}

// paramOf is which parameter of a function a variable is, -1 for none.
func (c *checker) paramOf(fn ast.Node, v *types.Var) int {
	sig := c.Signature(fn)
	if sig == nil {
		return -1
	}
	for i := range sig.Params().Len() {
		if sig.Params().At(i) == v {
			return i
		}
	}
	return -1
}

// calledWith reports whether some handler of the package calls a function with its request's context as an argument.
func (c *checker) calledWith(fn *types.Func, arg, depth int) bool {
	for cur := range c.Root.Preorder((*ast.CallExpr)(nil)) {
		call := cur.Node().(*ast.CallExpr)
		if callee.Func(c.TypesInfo, call) != fn || arg >= len(call.Args) {
			continue
		}
		in := syntax.EnclosingFunc(cur)
		if in == nil {
			continue
		}
		if h := c.Handlers.For(in); h != nil && c.ofRequest(call.Args[arg], detached{}, h, depth) {
			return true
		}
	}
	return false
}

// withoutCancel wraps a context where that takes no deadline away.
func (c *checker) withoutCancel(ctx ast.Expr, d detached) ([]analysis.TextEdit, bool) {
	if cx := contexts.Of(c.TypesInfo, c.Values, ctx); cx.Deadline || cx.Cancel {
		return nil, false
	}
	if arg := c.argument(c.contextRoot(ctx), d); arg != nil {
		ctx = arg
	}
	return contexts.WithoutCancel(c.Pass.Pass, ctx)
}
