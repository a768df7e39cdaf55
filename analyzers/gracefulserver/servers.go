package gracefulserver

import (
	"go/ast"
	"go/token"
	"go/types"
	"net"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/tools/go/ast/inspector"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/callee"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/imports"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/syntax"
)

const (
	serverType = "net/http.Server"
	shutdown   = "(*net/http.Server).Shutdown"
)

// serveMethods block until the server is shut down.
var serveMethods = []string{"ListenAndServe", "ListenAndServeTLS", "Serve", "ServeTLS"}

func isServe(name string) bool {
	method, ok := strings.CutPrefix(name, "(*net/http.Server).")
	return ok && slices.Contains(serveMethods, method)
}

// server is an http.Server in a variable or an unexported field of this package, all of whose uses are known.
type server struct {
	v         *types.Var
	serves    []inspector.Cursor // calls
	shutdowns []inspector.Cursor
	// escapes: given to something that may shut it down, or may be one that is known under another name.
	escapes bool
	// auxiliary: only metrics, profiles or health are served, or only to this machine.
	auxiliary bool
}

func (c *checker) findServers() {
	byVar := map[*types.Var]*server{}
	for cur := range c.Root.Preorder((*ast.Ident)(nil)) {
		id := cur.Node().(*ast.Ident)
		v, ok := c.TypesInfo.ObjectOf(id).(*types.Var)
		if !ok || v.Pkg() != c.Pkg || callee.NameOf(v.Type()) != serverType {
			continue
		}
		s := byVar[v]
		if s == nil {
			s = &server{v: v, escapes: v.Embedded() || !c.madeHere(v)}
			byVar[v] = s
			c.servers = append(c.servers, s)
		}
		c.use(s, cur)
	}
	for _, s := range c.servers {
		s.auxiliary = c.auxiliaryServer(s.v)
	}
}

// madeHere reports whether a variable holds only servers made for it in this package.
func (c *checker) madeHere(v *types.Var) bool {
	list, known := c.Values.Of(v)
	if !known {
		return false
	}
	for _, s := range list {
		if !isNil(c.TypesInfo, s.Expr) && c.literal(s.Expr) == nil {
			return false
		}
	}
	_, pointer := types.Unalias(v.Type()).(*types.Pointer)
	return len(list) > 0 || !pointer
}

// literal is the http.Server literal of an expression, or of the pointer to it.
func (c *checker) literal(e ast.Expr) *ast.CompositeLit {
	if lit := syntax.Literal(e); lit != nil && callee.TypeName(c.TypesInfo, lit) == serverType {
		return lit
	}
	return nil
}

// use classifies what the code does with a server at one place.
func (c *checker) use(s *server, cur inspector.Cursor) {
	expr := syntax.Named(cur)
	parent := expr.Parent()
	for {
		if _, ok := parent.Node().(*ast.ParenExpr); !ok {
			break
		}
		expr, parent = parent, parent.Parent()
	}
	switch n := parent.Node().(type) {
	case *ast.SelectorExpr: // srv.X
		c.useMember(s, parent)
	case *ast.AssignStmt:
		if !slices.ContainsFunc(n.Lhs, func(e ast.Expr) bool { return e == expr.Node() }) {
			s.escapes = true
		}
	case *ast.ValueSpec:
		if !slices.ContainsFunc(n.Names, func(id *ast.Ident) bool { return id == expr.Node() }) {
			s.escapes = true
		}
	case *ast.KeyValueExpr:
		if n.Key != expr.Node() {
			s.escapes = true
		}
	case *ast.Field: // where the field is declared
	case *ast.BinaryExpr: // srv != nil
		if n.Op != token.EQL && n.Op != token.NEQ {
			s.escapes = true
		}
	default:
		s.escapes = true
	}
}

func (c *checker) useMember(s *server, sel inspector.Cursor) {
	name := sel.Node().(*ast.SelectorExpr).Sel
	if _, field := c.TypesInfo.Uses[name].(*types.Var); field {
		return
	}
	call, ok := sel.Parent().Node().(*ast.CallExpr)
	switch {
	case !ok || call.Fun != sel.Node():
		s.escapes = true // a method value
	case name.Name == "Shutdown":
		s.shutdowns = append(s.shutdowns, sel.Parent())
	case slices.Contains(serveMethods, name.Name):
		s.serves = append(s.serves, sel.Parent())
	}
}

// serverOf is the server whose method a call calls, nil when not all of its uses are known.
func (c *checker) serverOf(call *ast.CallExpr) *server {
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok {
		return nil
	}
	v := c.Values.Var(sel.X)
	for _, s := range c.servers {
		if s.v == v {
			return s
		}
	}
	return nil
}

// auxiliaryServer reports whether each server that a variable holds serves nothing that a user would miss.
func (c *checker) auxiliaryServer(v *types.Var) bool {
	list, _ := c.Values.Of(v)
	found := false
	for _, s := range list {
		lit := c.literal(s.Expr)
		if lit == nil {
			continue
		}
		if !c.auxiliary(syntax.Field(lit, "Addr"), syntax.Field(lit, "Handler")) {
			return false
		}
		found = true
	}
	return found
}

// auxiliary reports whether what is served at an address (nil: not known) is nothing that a user would miss.
func (c *checker) auxiliary(addr, handler ast.Expr) bool {
	noHandler := handler == nil || isNil(c.TypesInfo, handler)
	local := c.loopback(addr)
	return noHandler && local || c.auxiliaryHandler(handler, local)
}

// beside reports whether a function serves something beside a service, by the names in it: profiles or metrics by way of
// http.DefaultServeMux, which others register; or a page for the browser that it opens, of the one user who runs it.
func (c *checker) beside(cur inspector.Cursor) bool {
	fn, ok := syntax.Enclosing(cur)
	if !ok {
		return false
	}
	for up := range cur.Enclosing((*ast.FuncDecl)(nil)) {
		if profiles.MatchString(up.Node().(*ast.FuncDecl).Name.Name) {
			return true
		}
	}
	opens := false
	ast.Inspect(syntax.Body(fn.Node()), func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		opens = opens || ok && browser.MatchString(syntax.Called(call))
		return !opens
	})
	return opens
}

var (
	profiles = regexp.MustCompile(`(?i)pprof|profil|metrics`)
	browser  = regexp.MustCompile(`(?i)browser`)
)

// loopback reports whether an address is a constant, or a constant host with a port filled in, that only this machine can reach.
func (c *checker) loopback(addr ast.Expr) bool {
	if addr == nil {
		return false
	}
	if call, ok := ast.Unparen(addr).(*ast.CallExpr); ok {
		if decl := c.Decl(callee.Func(c.TypesInfo, call)); decl != nil && len(decl.Body.List) == 1 {
			if ret, ok := decl.Body.List[0].(*ast.ReturnStmt); ok && len(ret.Results) == 1 {
				addr = ret.Results[0] // func address(port int) string
			}
		}
	}
	if call, ok := ast.Unparen(addr).(*ast.CallExpr); ok && callee.Name(c.TypesInfo, call) == "fmt.Sprintf" && len(call.Args) > 0 {
		addr = call.Args[0] // "127.0.0.1:%d"
	}
	text, ok := c.Values.Constant(addr)
	if !ok {
		return false
	}
	host, _, err := net.SplitHostPort(text)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// auxiliaryHandler reports whether a handler is one of metrics, profiles or health, or a mux that has only such; on an address that only
// this machine can reach (local), also the callback of a login by which a command gets its token (RFC 8252, section 7.3). nil is http.DefaultServeMux.
func (c *checker) auxiliaryHandler(h ast.Expr, local bool) bool {
	if h == nil || isNil(c.TypesInfo, h) {
		return c.auxiliaryMux("net/http.Handle", "net/http.HandleFunc", nil, local)
	}
	if v := c.Values.Var(h); v != nil && callee.NameOf(v.Type()) == "net/http.ServeMux" {
		return c.auxiliaryMux("(*net/http.ServeMux).Handle", "(*net/http.ServeMux).HandleFunc", v, local)
	}
	call, ok := c.Values.Resolve(h).Expr.(*ast.CallExpr)
	return ok && strings.HasPrefix(callee.Name(c.TypesInfo, call), "github.com/prometheus/client_golang/prometheus/promhttp.")
}

// auxiliaryMux reports whether a mux, in a variable or the default one, has only patterns of metrics, profiles and health.
func (c *checker) auxiliaryMux(handle, handleFunc string, mux *types.Var, local bool) bool {
	found := false
	for cur := range c.Root.Preorder((*ast.Ident)(nil)) {
		id := cur.Node().(*ast.Ident)
		if mux != nil {
			if c.TypesInfo.Uses[id] != mux {
				continue
			}
		} else if id.Name != "Handle" && id.Name != "HandleFunc" && id.Name != "DefaultServeMux" {
			continue
		}
		call := callAround(cur)
		if call == nil {
			if (mux != nil || id.Name == "DefaultServeMux") && c.givenAway(cur) {
				return false
			}
			continue
		}
		name := callee.Name(c.TypesInfo, call)
		if name != handle && name != handleFunc {
			if mux != nil {
				return false
			}
			continue
		}
		if len(call.Args) == 0 || !c.auxiliaryPattern(call.Args[0], local) {
			return false
		}
		found = true
	}
	return found || mux == nil && imports.Any(c.Files, "net/http/pprof", "expvar")
}

// callAround is the call X.Method(…) or Func(…) that an identifier is X, Method or Func of.
func callAround(cur inspector.Cursor) *ast.CallExpr {
	up := cur.Parent()
	if _, ok := up.Node().(*ast.SelectorExpr); ok {
		cur, up = up, up.Parent()
	}
	if call, ok := up.Node().(*ast.CallExpr); ok && call.Fun == cur.Node() {
		return call
	}
	return nil
}

// givenAway reports whether a mux is used other than as a server's handler, so that somebody may add to it.
func (c *checker) givenAway(cur inspector.Cursor) bool {
	up := cur.Parent()
	if _, ok := up.Node().(*ast.SelectorExpr); ok {
		cur, up = up, up.Parent()
	}
	if kv, ok := up.Node().(*ast.KeyValueExpr); ok {
		lit, ok := up.Parent().Node().(*ast.CompositeLit)
		return !ok || kv.Value != cur.Node() || callee.TypeName(c.TypesInfo, lit) != serverType
	}
	call, ok := up.Node().(*ast.CallExpr)
	return !ok || !undrainable[callee.Name(c.TypesInfo, call)]
}

// auxiliaryPattern reports whether a constant pattern is one of those that monitoring asks for, or a local callback.
func (c *checker) auxiliaryPattern(e ast.Expr, local bool) bool {
	text, _ := c.Values.Constant(e)
	_, p, found := strings.Cut(text, "/")
	if !found {
		return false
	}
	if local && strings.Contains(p, "callback") {
		return true
	}
	for _, prefix := range []string{"metrics", "debug/", "debug", "health", "live", "ready", "startup", "ping", "version", "-/"} {
		if strings.HasPrefix(p, prefix) {
			return true
		}
	}
	return false
}

func isNil(info *types.Info, e ast.Expr) bool {
	tv, ok := info.Types[e]
	return ok && tv.IsNil()
}
