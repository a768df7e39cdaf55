package localstate

import (
	"fmt"
	"go/ast"
	"go/types"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/callee"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/findings"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/syntax"
)

// constructor is a function of a library that makes something which keeps its state on the node.
type constructor struct {
	check, where string
	// unless is told of the call: whether it is given a place that nodes share. nil: it cannot be.
	unless func(*checker, *ast.CallExpr) bool
}

// libraries are the constructors by name. Sources: the documentation of each: gorilla/sessions ("FilesystemStore stores sessions in the
// filesystem"), alexedwards/scs ("By default … memstore, an in-memory session store"), gin-contrib/sessions/memstore, quasoft/memstore,
// gofiber's session and limiter ("Storage: … Default: in memory"), go-chi/httprate ("local in-memory counter"; WithLimitCounter), didip/tollbooth
// ("does not … share state"), ulule/limiter and sethvargo/go-limiter (memory stores), labstack/echo (RateLimiterMemoryStore).
var libraries = map[string]constructor{
	"github.com/gorilla/sessions.NewFilesystemStore":                       {"local-sessions", "in files of the node", nil},
	"github.com/gorilla/sessions.NewCookieStore":                           {"local-sessions", randomKey, (*checker).fixedKeys},
	"github.com/gorilla/securecookie.New":                                  {"local-sessions", randomKey, (*checker).fixedKeys},
	"github.com/gorilla/csrf.Protect":                                      {"local-sessions", randomKey, (*checker).fixedKeys},
	"github.com/gin-contrib/sessions/cookie.NewStore":                      {"local-sessions", randomKey, (*checker).fixedKeys},
	"github.com/gin-contrib/sessions/memstore.NewStore":                    {"local-sessions", inMemory, nil},
	"github.com/fasthttp/session/v2/providers/memory.New":                  {"local-sessions", inMemory, nil},
	"github.com/quasoft/memstore.NewMemoryStore":                           {"local-sessions", inMemory, nil},
	"github.com/alexedwards/scs/v2.New":                                    {"local-sessions", inMemory, (*checker).storeSet},
	"github.com/alexedwards/scs/v2/memstore.New":                           {"local-sessions", inMemory, nil},
	"github.com/alexedwards/scs/v2/memstore.NewWithCleanupInterval":        {"local-sessions", inMemory, nil},
	"github.com/gofiber/fiber/v2/middleware/session.New":                   {"local-sessions", inMemory, (*checker).storageGiven},
	"github.com/gofiber/fiber/v2/middleware/limiter.New":                   {"local-rate-limit", inMemory, (*checker).storageGiven},
	"github.com/go-chi/httprate.Limit":                                     {"local-rate-limit", inMemory, (*checker).counterGiven},
	"github.com/go-chi/httprate.LimitAll":                                  {"local-rate-limit", inMemory, (*checker).counterGiven},
	"github.com/go-chi/httprate.LimitBy":                                   {"local-rate-limit", inMemory, (*checker).counterGiven},
	"github.com/go-chi/httprate.LimitByIP":                                 {"local-rate-limit", inMemory, (*checker).counterGiven},
	"github.com/go-chi/httprate.LimitByRealIP":                             {"local-rate-limit", inMemory, (*checker).counterGiven},
	"github.com/go-chi/httprate.NewRateLimiter":                            {"local-rate-limit", inMemory, (*checker).counterGiven},
	"github.com/didip/tollbooth.NewLimiter":                                {"local-rate-limit", inMemory, nil},
	"github.com/didip/tollbooth/v7.NewLimiter":                             {"local-rate-limit", inMemory, nil},
	"github.com/didip/tollbooth/v8.NewLimiter":                             {"local-rate-limit", inMemory, nil},
	"github.com/ulule/limiter/v3/drivers/store/memory.NewStore":            {"local-rate-limit", inMemory, nil},
	"github.com/ulule/limiter/v3/drivers/store/memory.NewStoreWithOptions": {"local-rate-limit", inMemory, nil},
	"github.com/sethvargo/go-limiter/memorystore.New":                      {"local-rate-limit", inMemory, nil},
	"github.com/labstack/echo/v4/middleware.NewRateLimiterMemoryStore":     {"local-rate-limit", inMemory, nil},
	"github.com/labstack/echo/v4/middleware.NewRateLimiterMemoryStoreWithConfig": {
		"local-rate-limit", inMemory, nil},
}

const (
	inMemory  = "in the memory of the node"
	randomKey = "under a key that each process makes for itself"
)

// constructors reports what keeps sessions or counts requests on the node, wherever it is made.
func (c *checker) constructors() {
	if !slices.ContainsFunc(c.Pkg.Imports(), func(p *types.Package) bool { return strings.Contains(p.Path(), ".") }) {
		return
	}
	for cur := range c.Root.Preorder((*ast.CallExpr)(nil)) {
		call := cur.Node().(*ast.CallExpr)
		name := callee.Name(c.TypesInfo, call)
		made, ok := libraries[name]
		if !ok || made.unless != nil && made.unless(c, call) || c.inBranch(call) {
			continue
		}
		c.Report(findings.Finding{Check: made.check, Pos: call.Pos(), End: call.End(),
			Message: fmt.Sprintf("%s keeps %s", name, consequence(made.check, made.where)), Help: remedy(made.check, made.where)})
	}
}

func consequence(check, where string) string {
	if check == "local-sessions" {
		return "sessions " + where + ": a request that reaches another node finds none, and every deploy ends them all: users are logged out and lose what they had typed"
	}
	return "its counts " + where + ": with a second node each client may do twice as much, and every deploy begins at zero"
}

func remedy(check, where string) string {
	switch {
	case check != "local-sessions":
		return "Count in what the nodes share (Redis, or the load balancer's stick tables), or limit to the share of one node and say so."
	case where == randomKey:
		return "Read the key from the configuration, the same on all nodes."
	}
	return "Store sessions in the database or in Redis, or in a cookie that a key of all nodes signs."
}

// fixedKeys reports whether none of the keys that are given is made at random.
func (c *checker) fixedKeys(call *ast.CallExpr) bool {
	for _, arg := range call.Args {
		made, ok := c.Values.Resolve(arg).Expr.(*ast.CallExpr)
		if ok && callee.Name(c.TypesInfo, made) == "github.com/gorilla/securecookie.GenerateRandomKey" {
			return false
		}
	}
	return true
}

// storeSet reports whether the package gives some session manager a store.
func (c *checker) storeSet(*ast.CallExpr) bool {
	for cur := range c.Root.Preorder((*ast.AssignStmt)(nil)) {
		for _, lhs := range cur.Node().(*ast.AssignStmt).Lhs {
			if sel, ok := lhs.(*ast.SelectorExpr); ok && sel.Sel.Name == "Store" {
				return true
			}
		}
	}
	return false
}

// inBranch reports whether a call is made behind a condition or in a case: another store may be made elsewhere.
func (c *checker) inBranch(call *ast.CallExpr) bool {
	cur, ok := c.Root.FindNode(call)
	if !ok {
		return false
	}
	for up := range cur.Enclosing((*ast.CaseClause)(nil), (*ast.IfStmt)(nil), (*ast.FuncDecl)(nil), (*ast.FuncLit)(nil)) {
		switch up.Node().(type) {
		case *ast.CaseClause, *ast.IfStmt:
			return true
		}
		return false
	}
	return false
}

// storageGiven reports whether a configuration with a Storage is given, or one that is not a literal.
func (c *checker) storageGiven(call *ast.CallExpr) bool {
	for _, arg := range call.Args {
		lit, ok := c.Values.Resolve(arg).Expr.(*ast.CompositeLit)
		if !ok {
			return true
		}
		if syntax.Field(lit, "Storage") != nil || syntax.Field(lit, "Store") != nil {
			return true
		}
	}
	return false
}

// counterGiven reports whether an option names a counter, or the options are a list.
func (c *checker) counterGiven(call *ast.CallExpr) bool {
	if call.Ellipsis.IsValid() {
		return true
	}
	return slices.ContainsFunc(call.Args, func(arg ast.Expr) bool {
		option, ok := ast.Unparen(arg).(*ast.CallExpr)
		return ok && strings.Contains(types.ExprString(option.Fun), "LimitCounter")
	})
}
