package failoversafe

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/ast/inspector"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/callee"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/findings"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/syntax"
)

// opens is a fact about a function: it opens a pool of connections to PostgreSQL, and its package limits no connection's life.
type opens struct{ Call, Place string }

func (*opens) AFact() {}

func (o *opens) String() string { return "opens by " + o.Call }

// postgresDrivers are the names under which drivers of PostgreSQL are registered with database/sql.
var postgresDrivers = []string{"postgres", "pgx", "pgx/v5", "pq"}

// openers are the functions that open a pool of database/sql; the value is where the driver's name stands in the arguments, -1:
// it is PostgreSQL's alone.
var openers = map[string]int{
	"database/sql.Open":                      0,
	"github.com/jmoiron/sqlx.Open":           0,
	"github.com/jmoiron/sqlx.MustOpen":       0,
	"github.com/jmoiron/sqlx.Connect":        0,
	"github.com/jmoiron/sqlx.MustConnect":    0,
	"github.com/jmoiron/sqlx.ConnectContext": 1,
	"github.com/XSAM/otelsql.Open":           0,
	"github.com/jackc/pgx/v4/stdlib.OpenDB":  -1,
	"github.com/jackc/pgx/v5/stdlib.OpenDB":  -1,
}

// opensPostgres reports whether a call certainly opens a pool of database/sql to PostgreSQL.
func (c *checker) opensPostgres(call *ast.CallExpr, name string) bool {
	at, ok := openers[name]
	switch {
	case ok && at < 0:
		return true
	case ok && at < len(call.Args):
		driver, ok := c.constant(call.Args[at])
		return ok && slices.Contains(postgresDrivers, driver)
	case name == "database/sql.OpenDB" && len(call.Args) == 1:
		connector, ok := c.Values.Resolve(call.Args[0]).Expr.(*ast.CallExpr)
		if !ok {
			return false
		}
		switch callee.Name(c.TypesInfo, connector) {
		case "github.com/lib/pq.NewConnector", "github.com/jackc/pgx/v4/stdlib.GetConnector", "github.com/jackc/pgx/v5/stdlib.GetConnector":
			return true
		}
	}
	return false
}

// constant is the value of a constant string, also in a variable that is given no other.
func (c *checker) constant(e ast.Expr) (string, bool) {
	return c.Values.Constant(c.Values.Resolve(e).Expr)
}

// limitsLifetime reports whether the package calls SetConnMaxLifetime on anything, or hands it on. Which pool it is
// does not matter: whoever sets it on one has thought of it.
func (c *checker) limitsLifetime() bool {
	for cur := range c.Root.Preorder((*ast.SelectorExpr)(nil)) {
		if cur.Node().(*ast.SelectorExpr).Sel.Name == "SetConnMaxLifetime" {
			return true
		}
	}
	return false
}

const keptForEver = "keeps its connections for ever: those that a failover or a switchover behind DNS or a balancer does not cut stay with the old server, where every write fails or hangs until the service is restarted"

// learnOpens finds the functions that open a pool for whoever calls them, and exports what is known of them: in a package that serves
// nothing all of them, else those that hand the pool out.
func (c *checker) learnOpens() {
	c.opened = map[*types.Func]*opens{}
	for again := true; again; {
		again = false
		for _, fn := range c.Funcs {
			decl := c.Decls[fn]
			if c.opened[fn] != nil || c.serving && (!fn.Exported() || !returnsPool(fn) || c.Handlers.For(decl.Node()) != nil) {
				continue
			}
			for cur := range decl.Preorder((*ast.CallExpr)(nil)) {
				call := cur.Node().(*ast.CallExpr)
				if fact := c.opening(call, callee.Name(c.TypesInfo, call)); fact != nil && !c.closedHere(cur) {
					c.opened[fn], again = fact, true
					break
				}
			}
		}
	}
	for fn, fact := range c.opened {
		if fn.Exported() {
			c.ExportObjectFact(fn, fact)
		}
	}
}

// opening is what is known of a call that opens a pool, nil for others.
func (c *checker) opening(call *ast.CallExpr, name string) *opens {
	if c.opensPostgres(call, name) {
		return &opens{Call: name, Place: c.Place(call.Pos())}
	}
	fn := callee.Func(c.TypesInfo, call)
	if fn == nil || fn.Pkg() == nil {
		return nil
	}
	if fn.Pkg() == c.Pkg {
		return c.opened[fn]
	}
	var fact opens
	if c.ImportObjectFact(fn, &fact) {
		return &fact
	}
	return nil
}

// checkOpen reports a call that opens a pool, or calls a function that does, in a service. database/sql, SetConnMaxLifetime:
// "If d <= 0, connections are not closed due to a connection's age", which is the default.
func (c *checker) checkOpen(cur inspector.Cursor, name string) {
	call := cur.Node().(*ast.CallExpr)
	fact := c.opening(call, name)
	if fact == nil || !c.serving || c.closedHere(cur) {
		return
	}
	if fn, _ := c.declared(cur); fn != nil && c.opened[fn] != nil {
		return // reported where that is called
	}
	message := name + " opens a pool that " + keptForEver
	if fact.Call != name {
		message = fmt.Sprintf("%s opens a pool (%s, %s) that %s", name, fact.Call, fact.Place, keptForEver)
	}
	c.Report(findings.Finding{Check: "unlimited-connection-lifetime", Pos: call.Pos(), End: call.End(), Message: message,
		Help: "Call SetConnMaxLifetime(5 * time.Minute), say, on it."})
}

// closedHere reports whether the function that opens a pool also closes it, so that it does not live for long, or limits it to
// one connection, whose session it means to keep.
func (c *checker) closedHere(cur inspector.Cursor) bool {
	fn, ok := syntax.Enclosing(cur)
	if !ok {
		return false
	}
	var pool *types.Var
	switch n := cur.Parent().Node().(type) {
	case *ast.AssignStmt:
		pool = c.Values.Var(n.Lhs[0])
	case *ast.ValueSpec:
		pool = c.Values.Var(n.Names[0])
	}
	if pool == nil {
		return false
	}
	if c.OneConnection(pool) {
		return true
	}
	runs := c.runsService(fn)
	for cur := range fn.Preorder((*ast.CallExpr)(nil)) {
		call := cur.Node().(*ast.CallExpr)
		if x := syntax.Receiver(call, "Close"); x == nil || c.Values.Var(x) != pool {
			continue
		}
		for range cur.Enclosing((*ast.DeferStmt)(nil)) {
			if !runs {
				return true
			}
		}
	}
	return false
}

// runsService reports whether a function serves, or waits for what does: what it closes at its end has been open all along.
func (c *checker) runsService(fn inspector.Cursor) bool {
	for call := range fn.Preorder((*ast.CallExpr)(nil)) {
		switch callee.Last(callee.Name(c.TypesInfo, call.Node().(*ast.CallExpr))) {
		case "ListenAndServe", "ListenAndServeTLS", "Serve", "ServeTLS", "Run", "Start", "Wait":
			return true
		}
	}
	return false
}

func returnsPool(fn *types.Func) bool {
	for v := range fn.Signature().Results().Variables() {
		switch callee.NameOf(v.Type()) {
		case "database/sql.DB", "github.com/jmoiron/sqlx.DB":
			return true
		}
	}
	return false
}

// checkNoLimit reports a lifetime that is set to none.
func (c *checker) checkNoLimit(call *ast.CallExpr) {
	pool := syntax.Receiver(call, "SetConnMaxLifetime")
	if pool == nil || len(call.Args) != 1 || !c.importsPostgres() || c.OneConnection(c.Values.Var(pool)) {
		return
	}
	if d, ok := constant.Int64Val(c.valueOf(call.Args[0])); ok && d <= 0 {
		c.Report(findings.Finding{Check: "unlimited-connection-lifetime", Pos: call.Args[0].Pos(), End: call.Args[0].End(),
			Message: fmt.Sprintf("with SetConnMaxLifetime(%d) the pool %s", d, keptForEver),
			Help:    "Set some minutes."})
	}
}

// importsPostgres reports whether the package imports a driver of PostgreSQL: database/sql has others.
func (c *checker) importsPostgres() bool {
	return slices.ContainsFunc(c.Pkg.Imports(), func(p *types.Package) bool {
		return isPostgres(p.Path())
	})
}

func isPostgres(path string) bool {
	return path == "github.com/lib/pq" || strings.HasPrefix(path, "github.com/jackc/pgx")
}

// valueOf is the value of a constant expression, an unknown one for others.
func (c *checker) valueOf(e ast.Expr) constant.Value {
	if v := c.TypesInfo.Types[e].Value; v != nil {
		return constant.ToInt(v)
	}
	return constant.MakeInt64(1) // not a constant: taken to be a limit
}

// checkPoolConfigs reports pgxpool configurations that set no limit. pgxpool's default is an hour (defaultMaxConnLifetime, pool.go), and
// since 5.11.0 "non-positive MaxConnLifetime values" are "unlimited" (CHANGELOG.md); before, they closed each connection behind
// its first use.
func (c *checker) checkPoolConfigs() {
	for _, imported := range c.Pkg.Imports() {
		switch imported.Path() {
		case "github.com/jackc/pgx/v4/pgxpool", "github.com/jackc/pgx/v5/pgxpool":
		default:
			continue
		}
		config, ok := imported.Scope().Lookup("Config").(*types.TypeName)
		if !ok {
			continue
		}
		s, ok := config.Type().Underlying().(*types.Struct)
		if !ok {
			continue
		}
		for f := range s.Fields() {
			if f.Name() != "MaxConnLifetime" {
				continue
			}
			list, _ := c.Values.Of(f)
			for _, source := range list {
				if d, ok := constant.Int64Val(c.valueOf(source.Expr)); ok && d <= 0 {
					c.Report(findings.Finding{Check: "unlimited-connection-lifetime", Pos: source.Expr.Pos(), End: source.Expr.End(),
						Message: "since pgx 5.11 a pool with this MaxConnLifetime " + keptForEver + "; before, it closes every connection behind its first use",
						Help:    "Leave it out, for the default of an hour, or set some minutes."})
				}
			}
		}
	}
}
