package poolsafe

import (
	"fmt"
	"go/ast"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/ast/inspector"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/callee"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/findings"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/syntax"
)

// locks is a fact about a function: it takes an advisory lock of the session on a connection that it is given.
type locks struct {
	Param int
	Place string
}

func (*locks) AFact() {}

func (l *locks) String() string { return fmt.Sprintf("locks on argument %d in %s", l.Param, l.Place) }

// origin is where a connection comes from.
type origin int

const (
	unknown origin = iota
	// pooled: out of a pool of the program's, which is where a PgBouncer would be.
	pooled
	// apart: made for what it is used for; or given by callers, and by none in this package out of a pool. Who makes it says where
	// it goes.
	apart
)

// isConn reports whether a type, by its name, is one connection.
func isConn(name string) bool {
	return name == "database/sql.Conn" || name == "github.com/jmoiron/sqlx.Conn" ||
		strings.HasPrefix(name, "github.com/jackc/pgx/") && (strings.HasSuffix(name, ".Conn") || strings.HasSuffix(name, ".PgConn"))
}

// isPool reports whether a type, by its name, is a pool that may be limited to one connection.
func isPool(name string) bool {
	return name == "database/sql.DB" || name == "github.com/jmoiron/sqlx.DB"
}

// held is the one connection that a statement is sent on, nil when a pool or a transaction sends it.
func (c *checker) held(s statement) ast.Expr { return c.sender(s, isConn) }

// sender is what sends a statement, of some types; nil when something else does.
func (c *checker) sender(s statement, is func(typeName string) bool) ast.Expr {
	pos := c.found.Pos(s.site.Pos)
	cur, ok := c.Root.FindByPos(pos, pos)
	if !pos.IsValid() || !ok {
		return nil
	}
	for up := range cur.Enclosing((*ast.CallExpr)(nil)) {
		if sel, ok := ast.Unparen(up.Node().(*ast.CallExpr).Fun).(*ast.SelectorExpr); ok && is(callee.TypeName(c.TypesInfo, sel.X)) {
			return sel.X
		}
	}
	return nil
}

// single reports whether a statement is sent by a pool that the package limits to one connection, so that it has the same session each time.
func (c *checker) single(s statement) bool {
	x := c.sender(s, isPool)
	return x != nil && c.OneConnection(c.Values.Var(x))
}

// origin is where a connection comes from. The parameters that it is, of functions of this package, are added to params.
func (c *checker) origin(conn ast.Expr, params map[*types.Var]bool, depth int) origin {
	e := c.Values.Resolve(conn).Expr
	if call, ok := e.(*ast.CallExpr); ok {
		return c.originOf(call, params, depth)
	}
	v := c.Values.Var(e)
	if v == nil || depth == 0 {
		return unknown
	}
	if fn, i := c.owner(v); fn != nil {
		params[v] = true
		return c.givenTo(fn, i, params, depth-1)
	}
	list, _ := c.Values.Of(v)
	if len(list) == 0 {
		return unknown
	}
	of := apart
	for _, s := range list {
		switch c.origin(s.Expr, params, depth-1) {
		case pooled:
			return pooled
		case unknown:
			of = unknown
		}
	}
	return of
}

// originOf is the origin of the connection that a call returns.
func (c *checker) originOf(call *ast.CallExpr, params map[*types.Var]bool, depth int) origin {
	name := callee.Name(c.TypesInfo, call)
	last := callee.Last(name)
	x := syntax.Receiver(call, last)
	switch {
	case strings.HasPrefix(name, "github.com/jackc/pgx/") && strings.HasPrefix(last, "Connect") && isConn(first(c.TypesInfo.TypeOf(call))):
		return apart
	case x == nil:
	case last == "Conn" && callee.TypeName(c.TypesInfo, x) == "database/sql.DB", last == "Connx":
		if c.servesOnly(x) {
			return apart
		}
		return pooled
	case last == "Acquire" && strings.HasSuffix(callee.TypeName(c.TypesInfo, x), "pgxpool.Pool"):
		return pooled
	case (last == "Conn" || last == "PgConn" || last == "Hijack") && isConn(callee.TypeName(c.TypesInfo, x)):
		return c.origin(x, params, depth-1)
	}
	if depth == 0 {
		return unknown
	}
	decl := c.Decl(callee.Func(c.TypesInfo, call))
	if decl == nil {
		return unknown
	}
	of := unknown
	ast.Inspect(decl.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ReturnStmt:
			if len(n.Results) == 0 || c.TypesInfo.Types[n.Results[0]].IsNil() {
				return true
			}
			if from := c.origin(n.Results[0], params, depth-1); of == unknown || from == pooled {
				of = from
			}
		}
		return true
	})
	return of
}

// first is the full name of a type, of the first of several.
func first(t types.Type) string {
	if tuple, ok := t.(*types.Tuple); ok && tuple.Len() > 0 {
		t = tuple.At(0).Type()
	}
	if t == nil {
		return ""
	}
	return callee.NameOf(t)
}

// servesOnly reports whether a pool is opened for one connection: nothing is done with it but to open, set up and close it and to take
// a connection.
func (c *checker) servesOnly(pool ast.Expr) bool {
	opened, ok := c.Values.Resolve(pool).Expr.(*ast.CallExpr)
	v := c.Values.Var(pool)
	if !ok || v == nil || v.IsField() || !strings.HasPrefix(callee.Last(callee.Name(c.TypesInfo, opened)), "Open") {
		return false
	}
	for cur := range c.Root.Preorder((*ast.Ident)(nil)) {
		if c.TypesInfo.Uses[cur.Node().(*ast.Ident)] != v {
			continue
		}
		sel, ok := cur.Parent().Node().(*ast.SelectorExpr)
		if !ok {
			return false
		}
		switch name := sel.Sel.Name; {
		case name == "Conn", name == "Connx", name == "Close", name == "Ping", name == "PingContext", strings.HasPrefix(name, "Set"):
		default:
			return false
		}
	}
	return true
}

// owner is the declared function that a variable is a parameter of, and which; nil for others.
func (c *checker) owner(v *types.Var) (*types.Func, int) {
	for _, fn := range c.Funcs {
		if decl := c.Decl(fn); v.Pos() < decl.Pos() || v.Pos() >= decl.End() {
			continue
		}
		if i := slices.Index(slices.Collect(fn.Signature().Params().Variables()), v); i >= 0 {
			return fn, i
		}
	}
	return nil, 0
}

// givenTo is the origin of what the package gives a function as an argument. A function that is also a value may be given anything.
func (c *checker) givenTo(fn *types.Func, arg int, params map[*types.Var]bool, depth int) origin {
	for cur := range c.Root.Preorder((*ast.Ident)(nil)) {
		id := cur.Node().(*ast.Ident)
		if used, ok := c.TypesInfo.Uses[id].(*types.Func); !ok || used.Origin() != fn || c.Silent(id.Pos()) {
			continue
		}
		named := syntax.Named(cur)
		call, ok := named.Parent().Node().(*ast.CallExpr)
		if !ok || call.Fun != named.Node() || arg >= len(call.Args) {
			return unknown
		}
		if c.origin(call.Args[arg], params, depth) == pooled {
			return pooled
		}
	}
	return apart
}

// typed reports whether the type of what sends a statement is known; its package may be missing.
func (c *checker) typed(s statement) bool {
	var names []string
	c.sender(s, func(name string) bool {
		names = append(names, name)
		return false
	})
	return len(names) == 0 || names[0] != ""
}

// locksApart reports whether a lock of the session is taken on a connection that is apart, and exports that of the functions whose
// callers decide.
func (c *checker) locksApart(s statement) bool {
	conn := c.held(s)
	params := map[*types.Var]bool{}
	if conn == nil || c.origin(conn, params, 4) != apart {
		return false
	}
	c.exportLocks(params, c.Place(c.found.Pos(s.site.Pos)))
	return true
}

func (c *checker) exportLocks(params map[*types.Var]bool, place string) {
	for v := range params {
		if fn, i := c.owner(v); fn.Exported() {
			c.ExportObjectFact(fn, &locks{i, place})
		}
	}
}

// checkGiven finds connections out of a pool that are given to a function of another package that locks on them.
func (c *checker) checkGiven(cur inspector.Cursor) {
	call := cur.Node().(*ast.CallExpr)
	fn := callee.Func(c.TypesInfo, call)
	var fact locks
	if fn == nil || fn.Pkg() == c.Pkg || !c.ImportObjectFact(fn, &fact) || fact.Param >= len(call.Args) {
		return
	}
	arg, params := call.Args[fact.Param], map[*types.Var]bool{}
	switch c.origin(arg, params, 4) {
	case pooled:
		c.reportAt(findings.Finding{Check: "session-advisory-lock", Pos: arg.Pos(), End: arg.End(),
			Message: fmt.Sprintf("%s locks for the session (%s) on this connection, which is a pool's: ", callee.Name(c.TypesInfo, call), fact.Place) + lockLost, Help: lockHelp})
	case apart:
		c.exportLocks(params, fact.Place)
	}
}
