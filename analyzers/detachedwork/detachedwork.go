package detachedwork

import (
	_ "embed"
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/inspect"
	"golang.org/x/tools/go/ast/inspector"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/findings"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/handlers"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/values"
)

//go:embed doc.go
var docgo string

// New makes the analyzer.
func New() *analysis.Analyzer {
	a := findings.New(docgo, run, inspect.Analyzer, handlers.Analyzer, values.Analyzer)
	a.FactTypes = []analysis.Fact{new(acts), new(starts), new(detaches)}
	return a
}

// reach is how many calls away from a handler is looked at: further ones are often not made for a request at all.
const reach = 3

type checker struct {
	*findings.Pass
	root     inspector.Cursor
	handlers *handlers.Result
	values   *values.Result
	decls    map[*types.Func]*ast.FuncDecl // with a body
	funcs    []*types.Func                 // the keys of decls, by position

	acting map[*types.Func]*acts // what is known of functions so far; see actsOf
	locks  map[*types.Func]*locked
}

func run(pass *findings.Pass) {
	c := &checker{
		Pass:     pass,
		root:     pass.ResultOf[inspect.Analyzer].(*inspector.Inspector).Root(),
		handlers: pass.ResultOf[handlers.Analyzer].(*handlers.Result),
		values:   pass.ResultOf[values.Analyzer].(*values.Result),
		decls:    map[*types.Func]*ast.FuncDecl{},
		acting:   map[*types.Func]*acts{},
		locks:    map[*types.Func]*locked{},
	}
	for _, file := range pass.Files {
		for _, d := range file.Decls {
			decl, ok := d.(*ast.FuncDecl)
			if !ok || decl.Body == nil {
				continue
			}
			if fn, ok := pass.TypesInfo.Defs[decl.Name].(*types.Func); ok {
				c.decls[fn] = decl
				c.funcs = append(c.funcs, fn)
			}
		}
	}
	c.goroutines()
	c.sends()
	c.closes()
}
