package failoversafe

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
	a.FactTypes = []analysis.Fact{new(opens), new(serves)}
	return a
}

// serves is a fact about a package: it accepts requests, mails or jobs, so what it and its importers open is open for long.
type serves struct{}

func (*serves) AFact() {}

func (*serves) String() string { return "serves" }

type checker struct {
	*findings.Pass
	root     inspector.Cursor
	handlers *handlers.Result
	values   *values.Result
	decls    map[*types.Func]inspector.Cursor
	funcs    []*types.Func          // the keys of decls, by position
	opened   map[*types.Func]*opens // functions of this package that open a pool for their callers
	serving  bool
}

func run(pass *findings.Pass) {
	c := &checker{
		Pass:     pass,
		root:     pass.ResultOf[inspect.Analyzer].(*inspector.Inspector).Root(),
		handlers: pass.ResultOf[handlers.Analyzer].(*handlers.Result),
		values:   pass.ResultOf[values.Analyzer].(*values.Result),
		decls:    map[*types.Func]inspector.Cursor{},
	}
	c.serving = c.isService()
	facts := len(c.AllObjectFacts()) > 0
	if passes.TestSupport(pass.Pkg.Path()) || !facts && !imports.Any(pass.Files, "database/sql", "github.com/jackc/", "github.com/jmoiron/sqlx", "github.com/lib/pq",
		"github.com/redis/", "github.com/go-redis/", "google.golang.org/grpc", "net/http", "net") {
		return
	}
	for cur := range c.root.Preorder((*ast.FuncDecl)(nil)) {
		if fn, ok := c.TypesInfo.Defs[cur.Node().(*ast.FuncDecl).Name].(*types.Func); ok {
			c.decls[fn] = cur
			c.funcs = append(c.funcs, fn)
		}
	}
	limited := c.limitsLifetime()
	if !limited {
		c.learnOpens()
	}
	for cur := range c.root.Preorder((*ast.CallExpr)(nil), (*ast.IfStmt)(nil), (*ast.SwitchStmt)(nil)) {
		switch n := cur.Node().(type) {
		case *ast.CallExpr:
			name := callee.Name(c.TypesInfo, n)
			if !limited {
				c.checkOpen(cur, name)
			}
			c.checkNoLimit(n, name)
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
	own := len(c.handlers.Handlers) > 0
	for cur := range c.root.Preorder((*ast.CallExpr)(nil)) {
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

// enclosing is the innermost function around a node, with its cursor.
func enclosing(cur inspector.Cursor) (inspector.Cursor, bool) {
	for up := range cur.Enclosing((*ast.FuncDecl)(nil), (*ast.FuncLit)(nil)) {
		if up != cur {
			return up, true
		}
	}
	return inspector.Cursor{}, false
}

// declared is the declaration around a node.
func (c *checker) declared(cur inspector.Cursor) (*types.Func, inspector.Cursor) {
	for up := range cur.Enclosing((*ast.FuncDecl)(nil)) {
		fn, _ := c.TypesInfo.Defs[up.Node().(*ast.FuncDecl).Name].(*types.Func)
		return fn, up
	}
	return nil, inspector.Cursor{}
}
