package localstate

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
	a.FactTypes = []analysis.Fact{new(writesFile)}
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
}

func run(pass *findings.Pass) {
	c := &checker{
		Pass:     pass,
		root:     pass.ResultOf[inspect.Analyzer].(*inspector.Inspector).Root(),
		handlers: pass.ResultOf[handlers.Analyzer].(*handlers.Result),
		values:   pass.ResultOf[values.Analyzer].(*values.Result),
		decls:    map[*types.Func]*ast.FuncDecl{},
	}
	for _, file := range pass.Files {
		for _, d := range file.Decls {
			if decl, ok := d.(*ast.FuncDecl); ok && decl.Body != nil {
				if fn, ok := pass.TypesInfo.Defs[decl.Name].(*types.Func); ok {
					c.decls[fn] = decl
				}
			}
		}
	}
	c.constructors()
	c.limiters()
	c.files()
	c.sockets()
	if len(c.handlers.Handlers) > 0 {
		c.state()
	}
}
