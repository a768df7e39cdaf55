// Package code is how the analyzers that report by checks see a package of Go code: with what other analyzers know of it.
package code

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/inspect"
	"golang.org/x/tools/go/ast/inspector"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/findings"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/handlers"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/syntax"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/values"
)

// Package is one package, for one analyzer.
type Package struct {
	*findings.Pass
	Root     inspector.Cursor
	Handlers *handlers.Result
	Values   *values.Result
	// Decls are the functions of the package that have a body; Funcs are its keys, by position.
	Decls map[*types.Func]inspector.Cursor
	Funcs []*types.Func
}

// New makes an analyzer, as findings.New does, that looks at a Package.
func New(docgo string, run func(*Package), requires ...*analysis.Analyzer) *analysis.Analyzer {
	requires = append(requires, inspect.Analyzer, handlers.Analyzer, values.Analyzer)
	return findings.New(docgo, func(pass *findings.Pass) { run(of(pass)) }, requires...)
}

func of(pass *findings.Pass) *Package {
	p := &Package{
		Pass:     pass,
		Root:     pass.ResultOf[inspect.Analyzer].(*inspector.Inspector).Root(),
		Handlers: pass.ResultOf[handlers.Analyzer].(*handlers.Result),
		Values:   pass.ResultOf[values.Analyzer].(*values.Result),
		Decls:    map[*types.Func]inspector.Cursor{},
	}
	for cur := range p.Root.Preorder((*ast.FuncDecl)(nil)) {
		decl := cur.Node().(*ast.FuncDecl)
		if fn := p.Func(decl); fn != nil && decl.Body != nil {
			p.Decls[fn] = cur
			p.Funcs = append(p.Funcs, fn)
		}
	}
	return p
}

// Decl is the declaration of a function of this package, nil of others and of those without a body.
func (p *Package) Decl(fn *types.Func) *ast.FuncDecl {
	if cur, ok := p.Decls[fn]; ok {
		return cur.Node().(*ast.FuncDecl)
	}
	return nil
}

// Func is the function that a node (*ast.FuncDecl) declares, nil of other nodes.
func (p *Package) Func(n ast.Node) *types.Func {
	if decl, ok := n.(*ast.FuncDecl); ok {
		fn, _ := p.TypesInfo.Defs[decl.Name].(*types.Func)
		return fn
	}
	return nil
}

// Signature is that of a function (*ast.FuncDecl, *ast.FuncLit), nil when it is not known.
func (p *Package) Signature(fn ast.Node) *types.Signature {
	if lit, ok := fn.(*ast.FuncLit); ok {
		sig, _ := p.TypesInfo.TypeOf(lit).(*types.Signature)
		return sig
	}
	if fn := p.Func(fn); fn != nil {
		return fn.Signature()
	}
	return nil
}

// OneConnection reports whether the package limits a pool of connections to one: who does that means to keep its session.
func (p *Package) OneConnection(pool *types.Var) bool {
	if pool == nil {
		return false
	}
	for cur := range p.Root.Preorder((*ast.CallExpr)(nil)) {
		call := cur.Node().(*ast.CallExpr)
		if x := syntax.Receiver(call, "SetMaxOpenConns"); x == nil || p.Values.Var(x) != pool || len(call.Args) != 1 {
			continue
		}
		if v := p.TypesInfo.Types[call.Args[0]].Value; v != nil && v.ExactString() == "1" {
			return true
		}
	}
	return false
}
