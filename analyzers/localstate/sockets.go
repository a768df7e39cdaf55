package localstate

import (
	"fmt"
	"go/ast"
	"go/types"
	"regexp"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/callee"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/findings"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/syntax"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/values"
)

// sockets reports listeners on unix sockets whose file may be there already.
func (c *checker) sockets() {
	for cur := range c.Root.Preorder((*ast.CallExpr)(nil)) {
		call := cur.Node().(*ast.CallExpr)
		network, addr := c.listens(call)
		if addr == nil || !strings.HasPrefix(c.text(network), "unix") || c.text(network) == "unixgram" {
			continue
		}
		if text := c.text(addr); strings.HasPrefix(text, "@") || strings.HasPrefix(text, "\x00") || !c.lasting(addr, 4) || c.unlinks(syntax.EnclosingFunc(cur), addr) {
			continue
		}
		c.Report(findings.Finding{Check: "stale-socket", Pos: call.Pos(), End: call.End(),
			Message: fmt.Sprintf("the socket %s stays when the process is killed (SIGKILL, out of memory, power), and the next start fails with \"address already in use\": the node stays down until somebody removes the file", types.ExprString(addr)),
			Help:    "Before listening, dial it: when nobody answers, os.Remove it. Or let systemd make the socket (ListenStream=, RemoveOnStop=yes)."})
	}
}

// listens recognises a call that listens: which arguments say on what.
func (c *checker) listens(call *ast.CallExpr) (network, addr ast.Expr) {
	switch callee.Name(c.TypesInfo, call) {
	case "net.Listen":
		if len(call.Args) == 2 {
			return call.Args[0], call.Args[1]
		}
	case "(*net.ListenConfig).Listen":
		if len(call.Args) == 3 {
			return call.Args[1], call.Args[2]
		}
	case "net.ListenUnix":
		if len(call.Args) != 2 {
			return nil, nil
		}
		if lit := syntax.Literal(c.Values.Resolve(call.Args[1]).Expr); lit != nil {
			return call.Args[0], syntax.Field(lit, "Name")
		}
	}
	return nil, nil
}

// text is the value of a constant string, "" for others.
func (c *checker) text(e ast.Expr) string {
	text, _ := c.Values.Constant(e)
	return text
}

// configures recognises types, by their names, whose fields are settings.
var configures = regexp.MustCompile(`(?i)conf|cfg|opt|setting|flag|param|listener|server|service|daemon|app`)

// lasting reports whether a path is the same at the next start, for all that can be seen: a constant, a setting, a parameter; not
// in a directory made for this run.
func (c *checker) lasting(path ast.Expr, depth int) bool {
	if depth == 0 {
		return false
	}
	if c.text(path) != "" {
		return true
	}
	switch e := ast.Unparen(path).(type) {
	case *ast.SelectorExpr:
		v := c.Values.Var(e)
		if v == nil || !v.IsField() {
			return true
		}
		list, _ := c.Values.Of(v)
		if len(list) == 0 { // given in another package: the same at each start in what configures a service, perhaps not in others
			return configures.MatchString(callee.Last(callee.TypeName(c.TypesInfo, e.X)))
		}
		return !slices.ContainsFunc(list, func(s values.Source) bool { return s.Index > 0 || !c.lasting(s.Expr, depth-1) })
	case *ast.BinaryExpr:
		return c.lasting(e.X, depth-1) && c.lasting(e.Y, depth-1)
	case *ast.Ident:
		v := c.Values.Var(e)
		if v == nil {
			return false
		}
		list, known := c.Values.Of(v)
		if len(list) == 0 {
			return !known // a parameter
		}
		for _, s := range list {
			if s.Index > 0 || !c.lasting(s.Expr, depth-1) {
				return false
			}
		}
		return true
	case *ast.CallExpr:
		switch callee.Name(c.TypesInfo, e) {
		case "path/filepath.Join", "path.Join":
			for _, arg := range e.Args {
				if !c.lasting(arg, depth-1) {
					return false
				}
			}
			return true
		case "strings.TrimPrefix", "path/filepath.Clean", "os.Getenv":
			return true
		}
	}
	return false
}

// unlinks reports whether the function, what it calls in this package, or whatever in the package names the same path removes files.
func (c *checker) unlinks(fn ast.Node, addr ast.Expr) bool {
	name := lastName(addr)
	for cur := range c.Root.Preorder((*ast.CallExpr)(nil)) {
		call := cur.Node().(*ast.CallExpr)
		switch callee.Name(c.TypesInfo, call) {
		case "os.Remove", "os.RemoveAll", "syscall.Unlink", "golang.org/x/sys/unix.Unlink", "os.Rename":
		default:
			continue
		}
		in := syntax.EnclosingFunc(cur)
		if in == fn || len(call.Args) > 0 && lastName(call.Args[0]) == name || in != nil && fn != nil && c.callOf(fn, in).IsValid() {
			return true
		}
	}
	return false
}

// lastName is the name of a variable or field in an expression, "" for none.
func lastName(e ast.Expr) string {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return types.ExprString(e)
}
