package detachedwork

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/callee"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/syntax"
)

// awaited reports whether somebody may wait for detached work, or it ends with what it works for: it marks itself as done in a
// WaitGroup, it watches a context's end, it serves a connection, or the function that starts it waits for something
// afterwards or shares a channel with it. Each is a guess in favour of silence.
func (c *checker) awaited(d detached) bool {
	seen := map[ast.Node]bool{}
	if d.body != nil && c.marksDone(d.body, seen, 3) {
		return true
	}
	body := syntax.Body(d.fn)
	return c.waitsAfter(body, d.at) || c.pumps(d) || c.sharesChannel(d, body)
}

// marksDone looks for wg.Done() and for a receive from a context's Done, in code and in what it calls.
func (c *checker) marksDone(body ast.Node, seen map[ast.Node]bool, depth int) bool {
	if seen[body] {
		return false
	}
	seen[body] = true
	found := false
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ExprStmt:
			found = found || isDone(n.X)
		case *ast.DeferStmt:
			found = found || isDone(n.Call)
		case *ast.UnaryExpr:
			found = found || n.Op == token.ARROW && isDone(n.X)
		case *ast.CallExpr:
			if fn := callee.Func(c.TypesInfo, n); fn != nil && c.Decl(fn) != nil && depth > 0 {
				found = found || c.marksDone(c.Decl(fn).Body, seen, depth-1)
			}
		}
		return !found
	})
	return found
}

// isDone recognises a call of a method Done, whatever its type: sync.WaitGroup's, a wrapper's, a context's. As a statement it
// is no context's.
func isDone(e ast.Expr) bool {
	call, ok := ast.Unparen(e).(*ast.CallExpr)
	return ok && len(call.Args) == 0 && syntax.Receiver(call, "Done") != nil
}

// waitsAfter reports whether a function waits for anything after it has started work: it receives from a channel, ranges over one,
// or calls a method Wait.
func (c *checker) waitsAfter(body ast.Node, started ast.Node) bool {
	found := false
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case nil:
			return false
		case *ast.GoStmt:
			return false
		case *ast.UnaryExpr:
			found = found || n.Op == token.ARROW && n.Pos() > started.Pos()
		case *ast.RangeStmt:
			if t := c.TypesInfo.TypeOf(n.X); t != nil && n.End() > started.Pos() {
				_, isChan := t.Underlying().(*types.Chan)
				found = found || isChan
			}
		case *ast.CallExpr:
			if n == started {
				return false
			}
			found = found || n.Pos() > started.Pos() && syntax.Receiver(n, "Wait") != nil
		}
		return !found
	})
	return found
}

// pumps reports whether work uses a connection, a stream or a pipe: it ends with it.
func (c *checker) pumps(d detached) bool {
	found := false
	look := func(n ast.Node) bool {
		if e, ok := n.(*ast.Ident); ok {
			if v, ok := c.TypesInfo.Uses[e].(*types.Var); ok && isConnection(v.Type()) {
				found = true
			}
		}
		return !found
	}
	if d.body != nil {
		ast.Inspect(d.body, look)
	}
	if d.call != nil && !found {
		ast.Inspect(d.call, look)
	}
	return found
}

func isConnection(t types.Type) bool {
	name := callee.NameOf(t)
	switch name {
	case "net.Conn", "net.TCPConn", "net.UnixConn", "crypto/tls.Conn", "net.PacketConn", "net.UDPConn", "io.PipeReader", "io.PipeWriter",
		"bufio.ReadWriter", "io.ReadWriteCloser", "net/http.ResponseWriter", "net/http.Flusher",
		"golang.org/x/crypto/ssh.Channel", "golang.org/x/crypto/ssh.Session", "golang.org/x/crypto/ssh.Client":
		return true
	}
	return strings.Contains(name, "websocket") && strings.HasSuffix(name, "Conn") ||
		strings.HasPrefix(name, "google.golang.org/grpc.") && strings.Contains(name, "Stream") ||
		strings.HasSuffix(name, "Stream") || strings.HasSuffix(name, "Session") ||
		strings.Contains(name, "_") && strings.HasSuffix(name, "Server") // grpc's generated Greeter_ChatServer
}

// sharesChannel reports whether work and the function that starts it, or that function's caller, know the same channel, which the
// function does more with than make it.
func (c *checker) sharesChannel(d detached, body ast.Node) bool {
	channels := map[*types.Var]bool{}
	collect := func(n ast.Node) bool {
		if e, ok := n.(*ast.Ident); ok {
			if v, ok := c.TypesInfo.Uses[e].(*types.Var); ok && !v.IsField() && v.Parent() != c.Pkg.Scope() && v.Pos() < d.at.Pos() {
				if _, isChan := v.Type().Underlying().(*types.Chan); isChan {
					channels[v] = true
				}
			}
		}
		return true
	}
	ast.Inspect(d.at, collect)
	if len(channels) == 0 {
		return false
	}
	for v := range channels {
		if list, known := c.Values.Of(v); !known || len(list) == 0 {
			return true // a parameter
		}
	}
	shared := false
	ast.Inspect(body, func(n ast.Node) bool {
		if n == d.at {
			return false
		}
		if e, ok := n.(*ast.Ident); ok {
			if v, ok := c.TypesInfo.Uses[e].(*types.Var); ok && channels[v] {
				shared = true
			}
		}
		return !shared
	})
	return shared
}
