package gracefulserver

import (
	_ "embed"
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/inspect"
	"golang.org/x/tools/go/ast/inspector"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/callee"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/findings"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/handlers"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/imports"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/passes"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/values"
)

//go:embed doc.go
var docgo string

// New makes the analyzer.
func New() *analysis.Analyzer {
	a := findings.New(docgo, run, inspect.Analyzer, handlers.Analyzer, values.Analyzer)
	a.FactTypes = []analysis.Fact{new(returnsEarly)}
	return a
}

// rewrite shows what takes the place of most of this code. It is not a suggested fix: it needs a module more.
const rewrite = "drain.Main(ctx, drain.Config{}, httpdrain.Server(srv)) of git.sr.ht/~sourcehut/ha-go/drain does all of it: SIGTERM and SIGINT, a lame duck, a deadline, waiting."

type checker struct {
	*findings.Pass
	root     inspector.Cursor
	handlers *handlers.Result
	values   *values.Result
	servers  []*server
	decls    map[*types.Func]inspector.Cursor
	signals  []*notification
	mains    map[ast.Node]bool // functions whose return ends the process
	fixed    map[fixedIn]bool
	serving  bool // something in the package accepts requests, mails or jobs
}

func run(pass *findings.Pass) {
	if passes.TestSupport(pass.Pkg.Path()) {
		return
	}
	handled := pass.ResultOf[handlers.Analyzer].(*handlers.Result)
	if len(handled.Handlers) == 0 && len(pass.AllObjectFacts()) == 0 && !imports.Any(pass.Files, "net/http", "os/signal", "github.com/gin-gonic/gin") {
		return
	}
	c := &checker{
		Pass:     pass,
		root:     pass.ResultOf[inspect.Analyzer].(*inspector.Inspector).Root(),
		handlers: handled,
		values:   pass.ResultOf[values.Analyzer].(*values.Result),
		decls:    map[*types.Func]inspector.Cursor{},
		fixed:    map[fixedIn]bool{},
	}
	for cur := range c.root.Preorder((*ast.FuncDecl)(nil)) {
		if fn, ok := c.TypesInfo.Defs[cur.Node().(*ast.FuncDecl).Name].(*types.Func); ok {
			c.decls[fn] = cur
		}
	}
	c.findServers()
	c.findSignals()
	c.findMains()
	for _, s := range c.servers {
		c.checkNeverShutDown(s)
		c.checkMainReturns(s)
	}
	c.checkSignals()
	for cur := range c.root.Preorder((*ast.CallExpr)(nil), (*ast.CompositeLit)(nil)) {
		if c.Silent(cur.Node().Pos()) {
			continue
		}
		switch n := cur.Node().(type) {
		case *ast.CompositeLit:
			c.checkTimeouts(n)
		case *ast.CallExpr:
			name := callee.Name(c.TypesInfo, n)
			c.checkMainCall(cur, name)
			switch {
			case name == shutdown:
				c.checkShutdown(cur)
			case undrainable[name]:
				c.checkUndrainable(cur, name)
			case isServe(name):
				c.checkServerClosed(cur)
			case callee.Exits(name):
				c.checkExit(cur, name)
			}
		}
	}
}

// local is the function of this package that a call calls, or the literal that it calls where it stands.
func (c *checker) local(call *ast.CallExpr) ast.Node {
	if lit, ok := ast.Unparen(call.Fun).(*ast.FuncLit); ok {
		return lit
	}
	fn := callee.Func(c.TypesInfo, call)
	if fn == nil {
		if v := c.values.Var(call.Fun); v != nil { // a literal in a variable
			if lit, ok := c.values.Resolve(call.Fun).Expr.(*ast.FuncLit); ok {
				return lit
			}
		}
		return nil
	}
	if decl, ok := c.decls[fn]; ok && decl.Node().(*ast.FuncDecl).Body != nil {
		return decl.Node()
	}
	return nil
}

// enclosing is the innermost function around a node, with its cursor.
func enclosing(cur inspector.Cursor) (inspector.Cursor, bool) {
	for up := range cur.Enclosing((*ast.FuncDecl)(nil), (*ast.FuncLit)(nil)) {
		if up != cur {
			return up, true
		}
	}
	return inspector.Cursor{}, false
}
