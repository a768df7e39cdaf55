package gracefulserver

import (
	_ "embed"
	"go/ast"

	"golang.org/x/tools/go/analysis"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/callee"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/code"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/imports"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/passes"
)

//go:embed doc.go
var docgo string

// New makes the analyzer.
func New() *analysis.Analyzer {
	a := code.New(docgo, run)
	a.FactTypes = []analysis.Fact{new(returnsEarly)}
	return a
}

// rewrite shows what takes the place of most of this code. It is not a suggested fix: it needs a module more.
const rewrite = "drain.Main(ctx, drain.Config{}, httpdrain.Server(srv)) of git.sr.ht/~sourcehut/ha-go/drain does all of it: SIGTERM and SIGINT, a lame duck, a deadline, waiting."

type checker struct {
	*code.Package
	servers []*server
	signals []*notification
	mains   map[ast.Node]bool // functions whose return ends the process
	fixed   map[fixedIn]bool
	serving bool // something in the package accepts requests, mails or jobs
}

func run(pkg *code.Package) {
	if passes.TestSupport(pkg.Pkg.Path()) ||
		len(pkg.Handlers.Handlers) == 0 && len(pkg.AllObjectFacts()) == 0 && !imports.Any(pkg.Files, "net/http", "os/signal", "github.com/gin-gonic/gin") {
		return
	}
	c := &checker{Package: pkg, fixed: map[fixedIn]bool{}}
	c.findServers()
	c.findSignals()
	c.findMains()
	for _, s := range c.servers {
		c.checkNeverShutDown(s)
		c.checkMainReturns(s)
	}
	c.checkSignals()
	for cur := range c.Root.Preorder((*ast.CallExpr)(nil), (*ast.CompositeLit)(nil)) {
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
		if v := c.Values.Var(call.Fun); v != nil { // a literal in a variable
			if lit, ok := c.Values.Resolve(call.Fun).Expr.(*ast.FuncLit); ok {
				return lit
			}
		}
		return nil
	}
	if decl := c.Decl(fn); decl != nil {
		return decl
	}
	return nil
}
