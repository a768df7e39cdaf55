// Package handlers finds the functions that serve something from outside: a request, a mail, a job. What they start and do
// not finish is what a node loses when it leaves.
package handlers

import (
	"go/ast"
	"go/types"
	"reflect"
	"slices"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/inspect"
	"golang.org/x/tools/go/ast/inspector"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/callee"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/passes"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/syntax"
)

// Kind is what a handler serves.
type Kind string

const (
	HTTP    Kind = "HTTP request"
	GraphQL Kind = "GraphQL request"
	GRPC    Kind = "gRPC request"
	SMTP    Kind = "mail"
	Job     Kind = "job"
)

// Handler is a function that serves something.
type Handler struct {
	Kind Kind
	Func ast.Node // *ast.FuncDecl or *ast.FuncLit
	// Name is how messages call it: "handler (*mutationResolver).CreateTracker", "the function literal in main that handles
	// HTTP requests".
	Name string
	// Cancels: the context that it is given ends when it returns. Of HTTP, that is the request's.
	Cancels bool
}

// Result is what Analyzer finds in one package.
type Result struct {
	// Handlers are sorted by position.
	Handlers []*Handler

	serving map[ast.Node]*Handler
	calls   map[ast.Node][]ast.Node // from what serves to what it calls; a function literal is its own, as if it were called
	depth   map[ast.Node]int
}

// For is a handler that function fn (*ast.FuncDecl, *ast.FuncLit) works for: what fn does happens before the handler has
// returned. It is fn itself, or calls fn, directly or through functions of the same package or a function literal that it
// passes on; of several, the first. It is nil when no such handler is known: of a function that only a go statement
// starts, or that other packages call.
func (r *Result) For(fn ast.Node) *Handler { return r.serving[fn] }

// Near is For, but nil for what is more than that many calls away from any handler: the longer the way, the less certain that
// a request takes it.
func (r *Result) Near(fn ast.Node, calls int) *Handler {
	if d, ok := r.depth[fn]; !ok || d > calls {
		return nil
	}
	return r.serving[fn]
}

// measure counts the calls between handlers and what works for them.
func (r *Result) measure() {
	r.depth = map[ast.Node]int{}
	var next []ast.Node
	for _, h := range r.Handlers {
		next = append(next, h.Func)
	}
	for d := 0; len(next) > 0; d++ {
		var further []ast.Node
		for len(next) > 0 {
			fn := next[0]
			next = next[1:]
			if _, ok := r.depth[fn]; ok {
				continue
			}
			r.depth[fn] = d
			for _, called := range r.calls[fn] {
				if _, isLit := called.(*ast.FuncLit); isLit {
					next = append(next, called)
				} else {
					further = append(further, called)
				}
			}
		}
		next = further
	}
}

// Analyzer finds handlers. It reports nothing.
var Analyzer = &analysis.Analyzer{
	Name:             "handlers",
	Doc:              "find the functions that serve requests, mails and jobs",
	URL:              "https://git.sr.ht/~sourcehut/ha-go",
	Requires:         []*analysis.Analyzer{inspect.Analyzer},
	ResultType:       reflect.TypeFor[*Result](),
	RunDespiteErrors: true,
	Run:              run,
}

func run(pass *analysis.Pass) (any, error) {
	if passes.Foreign(pass) {
		return &Result{serving: map[ast.Node]*Handler{}}, nil // nobody asks
	}
	f := &finder{pass: pass, decls: map[*types.Func]*ast.FuncDecl{}, result: &Result{serving: map[ast.Node]*Handler{}, calls: map[ast.Node][]ast.Node{}}}
	root := pass.ResultOf[inspect.Analyzer].(*inspector.Inspector).Root()
	for cur := range root.Preorder((*ast.FuncDecl)(nil)) {
		decl := cur.Node().(*ast.FuncDecl)
		if fn, ok := pass.TypesInfo.Defs[decl.Name].(*types.Func); ok && decl.Body != nil {
			f.decls[fn] = decl
		}
	}
	for cur := range root.Preorder((*ast.FuncDecl)(nil), (*ast.FuncLit)(nil), (*ast.CallExpr)(nil)) {
		f.visit(cur)
	}
	for _, h := range f.result.Handlers {
		f.serve(h.Func, h)
	}
	f.result.measure()
	return f.result, nil
}

type finder struct {
	pass   *analysis.Pass
	decls  map[*types.Func]*ast.FuncDecl
	result *Result
}

func (f *finder) visit(cur inspector.Cursor) {
	switch n := cur.Node().(type) {
	case *ast.FuncDecl:
		if n.Body == nil {
			return
		}
		fn, ok := f.pass.TypesInfo.Defs[n.Name].(*types.Func)
		if !ok {
			return
		}
		if kind := kindOf(fn); kind != "" {
			f.add(&Handler{Kind: kind, Func: n, Name: nameOf(fn), Cancels: kind == GraphQL || kind == GRPC || kind == Job && callee.TakesContext(fn.Signature())})
		}
	case *ast.FuncLit:
		if sig, ok := f.pass.TypesInfo.TypeOf(n).(*types.Signature); ok && isHTTP(sig) {
			f.add(&Handler{Kind: HTTP, Func: n, Name: litName(cur, HTTP)})
		}
	case *ast.CallExpr:
		list, cancels := jobArgs(f.pass.TypesInfo, n)
		for _, arg := range list {
			switch arg := ast.Unparen(arg).(type) {
			case *ast.FuncLit:
				f.add(&Handler{Kind: Job, Func: arg, Name: litName(cur, Job), Cancels: cancels})
			case *ast.Ident, *ast.SelectorExpr:
				if fn, ok := used(f.pass.TypesInfo, arg).(*types.Func); ok && f.decls[fn.Origin()] != nil {
					f.add(&Handler{Kind: Job, Func: f.decls[fn.Origin()], Name: nameOf(fn), Cancels: cancels})
				}
			}
		}
	}
}

func (f *finder) add(h *Handler) {
	if !slices.ContainsFunc(f.result.Handlers, func(known *Handler) bool { return known.Func == h.Func }) {
		f.result.Handlers = append(f.result.Handlers, h)
	}
}

// serve marks a function, and what it calls before it returns.
func (f *finder) serve(fn ast.Node, h *Handler) {
	if f.result.serving[fn] != nil {
		return
	}
	f.result.serving[fn] = h
	ast.Inspect(syntax.Body(fn), func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			for _, arg := range n.Call.Args {
				f.calls(fn, arg, h)
			}
			return false
		case *ast.FuncLit:
			f.called(fn, n, h)
			return false
		case *ast.ReturnStmt:
			return true
		case *ast.CallExpr:
			if Detaches(f.pass.TypesInfo, n) {
				return false
			}
			if called := callee.Func(f.pass.TypesInfo, n); called != nil && f.decls[called] != nil {
				f.called(fn, f.decls[called], h)
			}
		}
		return true
	})
}

// called marks a function that another one calls.
func (f *finder) called(by, fn ast.Node, h *Handler) {
	f.result.calls[by] = append(f.result.calls[by], fn)
	f.serve(fn, h)
}

// calls marks what an expression in a function calls, other than function literals.
func (f *finder) calls(by ast.Node, e ast.Expr, h *Handler) {
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.CallExpr:
			if called := callee.Func(f.pass.TypesInfo, n); called != nil && f.decls[called] != nil {
				f.called(by, f.decls[called], h)
			}
		}
		return true
	})
}

// Detaches reports whether a call runs the functions that it is given at some later time, after it has returned.
func Detaches(info *types.Info, call *ast.CallExpr) bool {
	switch callee.Name(info, call) {
	case "time.AfterFunc", "context.AfterFunc":
		return true
	}
	list, _ := jobArgs(info, call)
	return len(list) > 0
}

func used(info *types.Info, e ast.Expr) types.Object {
	switch e := e.(type) {
	case *ast.Ident:
		return info.Uses[e]
	case *ast.SelectorExpr:
		return info.Uses[e.Sel]
	}
	return nil
}
