// Package contexts tells what ends a context: a deadline, a signal, a request, or nothing.
package contexts

import (
	"go/ast"
	"go/types"
	"go/version"

	"golang.org/x/tools/go/analysis"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/callee"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/imports"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/syntax"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/values"
)

// Root is where a context begins.
type Root int

const (
	Unknown    Root = iota
	Background      // context.Background, TODO, WithoutCancel: nothing ends it
	Request         // (*http.Request).Context: the end of the connection or of the handler
	Parameter       // a parameter of the function
)

// Context is what is known of one.
type Context struct {
	Root Root
	// Param is the parameter of Root Parameter; the *http.Request of Root Request when it is a variable.
	Param *types.Var
	// Deadline: made by WithTimeout or WithDeadline on the way.
	Deadline bool
	// Cancel: made by WithCancel, errgroup.WithContext: somebody may end it.
	Cancel bool
	// Signal is the call of signal.NotifyContext on the way.
	Signal *ast.CallExpr
	// Made is the expression at the root: the call of context.Background.
	Made ast.Expr
}

// Unbounded reports whether it is certain that nothing ends the context.
func (c Context) Unbounded() bool {
	return c.Root == Background && !c.Deadline && !c.Cancel && c.Signal == nil
}

// Of traces an expression through the variables and fields of its package. When variables have several values, all must be alike in
// what Context says for it to be said.
func Of(info *types.Info, vals *values.Result, e ast.Expr) Context {
	t := tracer{info: info, values: vals, seen: map[*types.Var]bool{}}
	return t.of(values.Source{Expr: e})
}

// Arg is the context among the arguments of a call, nil when there is none.
func Arg(info *types.Info, call *ast.CallExpr) ast.Expr {
	for _, arg := range call.Args {
		if callee.TypeName(info, arg) == "context.Context" {
			return arg
		}
	}
	return nil
}

// WithoutCancel wraps a context in context.WithoutCancel; not ok before Go 1.21, or where the file does not import context.
func WithoutCancel(pass *analysis.Pass, ctx ast.Expr) (edits []analysis.TextEdit, ok bool) {
	name, ok := imports.Name(pass, ctx.Pos(), "context")
	if v := pass.TypesInfo.FileVersions[syntax.File(pass.Files, ctx.Pos())]; !ok || v != "" && version.Compare(v, "go1.21") < 0 {
		return nil, false
	}
	return []analysis.TextEdit{
		{Pos: ctx.Pos(), End: ctx.Pos(), NewText: []byte(name + ".WithoutCancel(")},
		{Pos: ctx.End(), End: ctx.End(), NewText: []byte(")")},
	}, true
}

type tracer struct {
	info   *types.Info
	values *values.Result
	seen   map[*types.Var]bool
}

func (t *tracer) of(s values.Source) Context {
	e := ast.Unparen(s.Expr)
	if call, ok := e.(*ast.CallExpr); ok {
		return t.call(call, s.Index)
	}
	v := t.values.Var(e)
	if v == nil || t.seen[v] {
		return Context{}
	}
	t.seen[v] = true
	defer delete(t.seen, v)
	list, known := t.values.Of(v)
	if !known {
		if len(list) == 0 && !v.IsField() && callee.NameOf(v.Type()) == "context.Context" {
			return Context{Root: Parameter, Param: v} // or a package's variable that another package sets: as little known
		}
		return Context{}
	}
	var all Context
	for i, s := range list {
		c := t.of(s)
		switch {
		case i == 0:
			all = c
		case c.Root != all.Root || c.Param != all.Param || c.Deadline != all.Deadline || c.Cancel != all.Cancel || (c.Signal == nil) != (all.Signal == nil):
			return Context{}
		}
	}
	return all
}

func (t *tracer) call(call *ast.CallExpr, index int) Context {
	name := callee.Name(t.info, call)
	parent := func() Context {
		if len(call.Args) == 0 || index > 0 && name != "golang.org/x/sync/errgroup.WithContext" {
			return Context{}
		}
		return t.of(values.Source{Expr: call.Args[0]})
	}
	switch name {
	case "context.Background", "context.TODO":
		return Context{Root: Background, Made: call}
	case "context.WithoutCancel":
		return Context{Root: Background, Made: call}
	case "context.WithValue":
		return parent()
	case "context.WithCancel", "context.WithCancelCause", "golang.org/x/sync/errgroup.WithContext":
		c := parent()
		c.Cancel = true
		return c
	case "context.WithTimeout", "context.WithDeadline", "context.WithTimeoutCause", "context.WithDeadlineCause":
		c := parent()
		c.Deadline = true
		return c
	case "os/signal.NotifyContext":
		c := parent()
		c.Signal = call
		return c
	case "(*net/http.Request).Context":
		c := Context{Root: Request, Made: call}
		if sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok {
			c.Param = t.values.Var(sel.X)
		}
		return c
	}
	return Context{}
}
