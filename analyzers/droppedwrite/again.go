package droppedwrite

import (
	"fmt"
	"go/ast"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/ast/inspector"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/callee"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/syntax"
)

// reruns is a fact about a function: it calls one of its parameters again after any error.
type reruns struct{ Param int }

func (*reruns) AFact() {}

func (r *reruns) String() string { return fmt.Sprintf("runs argument %d again", r.Param) }

// handed is a function that may fail, given to another function as an argument.
type handed struct {
	call *ast.CallExpr
	arg  int
	to   ast.Node   // what is given: *ast.FuncLit or *ast.FuncDecl; nil for a parameter
	v    *types.Var // the parameter
}

// attempt is what a function may do with its parameter: call it.
type attempt struct {
	cur inspector.Cursor
	v   *types.Var
}

// learnReruns learns which functions of the package run one of their parameters again after any error, exports it, and notes
// which functions are run again.
func (c *checker) learnReruns() {
	owners := map[*types.Var]*types.Func{} // of parameters that may fail
	for _, fn := range c.Funcs {
		for p := range fn.Signature().Params().Variables() {
			if mayFail(p.Type()) {
				owners[p] = fn
			}
		}
	}
	given, attempts := c.functionsGiven(owners)
	learn := func(v *types.Var) bool {
		fn := owners[v]
		if c.reruns[fn] != nil {
			return false
		}
		params := slices.Collect(fn.Signature().Params().Variables())
		c.reruns[fn] = &reruns{slices.Index(params, v)}
		return true
	}
	for more := true; more; {
		more = false
		for _, g := range given {
			switch {
			case !c.runsAgain(g):
			case g.to == nil:
				more = learn(g.v) || more
			case c.again[g.to] == nil:
				c.again[g.to], more = g.call, true
			}
		}
		for _, a := range attempts {
			more = c.retried(a.cur) && learn(a.v) || more
		}
	}
	for _, fn := range c.Funcs {
		if r := c.reruns[fn]; r != nil && fn.Exported() {
			c.ExportObjectFact(fn, r)
		}
	}
}

func mayFail(t types.Type) bool {
	sig, ok := t.Underlying().(*types.Signature)
	return ok && callee.ReturnsError(sig)
}

// functionsGiven lists the functions that may fail and are given to others, and the calls of parameters of such a type.
func (c *checker) functionsGiven(params map[*types.Var]*types.Func) (given []handed, attempts []attempt) {
	for cur := range c.Root.Preorder((*ast.CallExpr)(nil)) {
		call := cur.Node().(*ast.CallExpr)
		if id, ok := call.Fun.(*ast.Ident); ok && len(params) > 0 {
			if v := c.Values.Var(id); v != nil && params[v] != nil {
				attempts = append(attempts, attempt{cur, v})
			}
		}
		for i, arg := range call.Args {
			arg = ast.Unparen(arg)
			switch arg.(type) {
			case *ast.FuncLit, *ast.Ident, *ast.SelectorExpr:
			default:
				continue
			}
			if t := c.TypesInfo.TypeOf(arg); t == nil || !mayFail(t) {
				continue
			}
			g := handed{call: call, arg: i}
			if v := c.Values.Var(arg); v != nil && params[v] != nil {
				g.v = v
			} else if lit, ok := c.Values.Resolve(arg).Expr.(*ast.FuncLit); ok {
				g.to = lit
			} else if decl := c.Decl(c.named(arg)); decl != nil {
				g.to = decl
			} else {
				continue
			}
			given = append(given, g)
		}
	}
	return given, attempts
}

// named is the function or method that an expression names without calling it, nil for others.
func (c *checker) named(e ast.Expr) *types.Func {
	id, ok := e.(*ast.Ident)
	if sel, isSel := e.(*ast.SelectorExpr); isSel {
		id, ok = sel.Sel, true
	}
	if !ok {
		return nil
	}
	fn, _ := c.TypesInfo.Uses[id].(*types.Func)
	return fn
}

// runsAgain reports whether a function is given to a retry library, or to a function that does the same, and nothing there looks at which
// error it is.
func (c *checker) runsAgain(g handed) bool {
	fn := callee.Func(c.TypesInfo, g.call)
	name := strings.ToLower(callee.Name(c.TypesInfo, g.call))
	switch {
	case fn != nil && c.own(fn.Pkg()):
		if r := c.rerunsOf(fn); r == nil || r.Param != g.arg {
			return false
		}
	case strings.Contains(name, "/go-retry."): // github.com/sethvargo/go-retry runs again what is marked
		if g.to == nil || !syntax.Mentions(g.to, "RetryableError") {
			return false
		}
	case strings.Contains(name, "/backoff"), strings.Contains(name, "/retry-go"), strings.Contains(name, "/retry."):
	default:
		return false
	}
	return !c.classifies(g.call) && (g.to == nil || !c.classifies(g.to))
}

// own reports whether a package is of this module, so that facts say what its functions do.
func (c *checker) own(pkg *types.Package) bool {
	if pkg == nil {
		return false
	}
	module, _, _ := strings.Cut(c.Pkg.Path(), "/")
	if c.Module != nil && c.Module.Path != "" {
		module = c.Module.Path
	}
	return pkg.Path() == module || strings.HasPrefix(pkg.Path(), module+"/")
}

// rerunsOf is what is known of a function of this or another package, nil for nothing.
func (c *checker) rerunsOf(fn *types.Func) *reruns {
	if fn == nil || fn.Pkg() == c.Pkg {
		return c.reruns[fn]
	}
	var fact reruns
	if c.ImportObjectFact(fn, &fact) {
		return &fact
	}
	return nil
}
