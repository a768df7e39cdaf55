package failoversafe

import (
	_ "embed"
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/inspector"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/callee"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/code"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/handlers"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/imports"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/passes"
)

//go:embed doc.go
var docgo string

// New makes the analyzer.
func New() *analysis.Analyzer {
	a := code.New(docgo, run)
	a.FactTypes = []analysis.Fact{new(opens), new(serves)}
	return a
}

// serves is a fact about a package: it accepts requests, mails or jobs, so what it and its importers open is open for long.
type serves struct{}

func (*serves) AFact() {}

func (*serves) String() string { return "serves" }

type checker struct {
	*code.Package
	opened  map[*types.Func]*opens // functions of this package that open a pool for their callers
	serving bool
}

func run(pkg *code.Package) {
	c := &checker{Package: pkg}
	c.serving = c.isService()
	facts := len(c.AllObjectFacts()) > 0
	if passes.TestSupport(pkg.Pkg.Path()) || !facts && !imports.Any(pkg.Files, "database/sql", "github.com/jackc/", "github.com/jmoiron/sqlx", "github.com/lib/pq",
		"github.com/redis/", "github.com/go-redis/", "google.golang.org/grpc", "net/http", "net") {
		return
	}
	limited := c.limitsLifetime()
	if !limited {
		c.learnOpens()
	}
	for cur := range c.Root.Preorder((*ast.CallExpr)(nil), (*ast.IfStmt)(nil), (*ast.SwitchStmt)(nil)) {
		switch n := cur.Node().(type) {
		case *ast.CallExpr:
			name := callee.Name(c.TypesInfo, n)
			if !limited {
				c.checkOpen(cur, name)
			}
			c.checkNoLimit(n)
			c.checkDSN(n, name)
			c.checkPrimary(cur, name)
			if name == "time.Sleep" {
				c.checkSleep(cur)
			}
		case *ast.IfStmt:
			c.checkFinalIf(cur)
		case *ast.SwitchStmt:
			c.checkFinalSwitch(cur)
		}
	}
	c.checkPoolConfigs()
}

// isService reports whether this package, or one of the module that it imports, accepts work from outside.
func (c *checker) isService() bool {
	own := len(c.Handlers.Handlers) > 0
	for cur := range c.Root.Preorder((*ast.CallExpr)(nil)) {
		if own {
			break
		}
		if _, ok := ast.Unparen(cur.Node().(*ast.CallExpr).Fun).(*ast.SelectorExpr); ok {
			own = handlers.Accepts(callee.Name(c.TypesInfo, cur.Node().(*ast.CallExpr)))
		}
	}
	if own && !passes.TestSupport(c.Pkg.Path()) {
		c.ExportPackageFact(new(serves))
		return true
	}
	for _, imported := range c.Pkg.Imports() {
		if c.ImportPackageFact(imported, new(serves)) {
			return true
		}
	}
	return own
}

// declared is the declaration around a node.
func (c *checker) declared(cur inspector.Cursor) (*types.Func, inspector.Cursor) {
	for up := range cur.Enclosing((*ast.FuncDecl)(nil)) {
		return c.Func(up.Node()), up
	}
	return nil, inspector.Cursor{}
}
