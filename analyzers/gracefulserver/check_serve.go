package gracefulserver

import (
	"go/ast"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/inspector"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/callee"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/findings"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/imports"
)

// undrainable are functions that make an http.Server of their own and do not let go of it.
// Sources: net/http, ListenAndServe: "server := &Server{Addr: addr, Handler: handler}; return server.ListenAndServe()"; gin's
// documentation, "Graceful restart or stop", has users make their own http.Server in place of Run.
var undrainable = map[string]bool{
	"net/http.ListenAndServe":                        true,
	"net/http.ListenAndServeTLS":                     true,
	"net/http.Serve":                                 true,
	"net/http.ServeTLS":                              true,
	"(*github.com/gin-gonic/gin.Engine).Run":         true,
	"(*github.com/gin-gonic/gin.Engine).RunTLS":      true,
	"(*github.com/gin-gonic/gin.Engine).RunUnix":     true,
	"(*github.com/gin-gonic/gin.Engine).RunFd":       true,
	"(*github.com/gin-gonic/gin.Engine).RunListener": true,
}

const lostAtStop = "when the process is told to stop, every request in flight is cut, at each deploy"

func (c *checker) checkUndrainable(cur inspector.Cursor, name string) {
	call := cur.Node().(*ast.CallExpr)
	if len(call.Args) > 1 {
		switch name {
		case "net/http.ListenAndServe":
			if c.auxiliary(call.Args[0], call.Args[1]) {
				return
			}
		case "net/http.ListenAndServeTLS":
			if c.auxiliary(call.Args[0], call.Args[len(call.Args)-1]) {
				return
			}
		default:
			if c.auxiliaryHandler(call.Args[1], false) {
				return
			}
		}
	}
	if c.beside(cur) {
		return
	}
	c.Report(findings.Finding{Check: "undrainable-server", Pos: call.Pos(), End: call.End(),
		Message: name + " keeps its http.Server to itself, so nothing can call Shutdown: " + lostAtStop,
		Help: "Make an http.Server with ReadHeaderTimeout, serve with it in a goroutine, and on SIGTERM call its Shutdown with a deadline and wait until it has returned.\n" +
			rewrite})
}

func (c *checker) checkNeverShutDown(s *server) {
	if s.escapes || s.auxiliary || len(s.shutdowns) > 0 {
		return
	}
	for _, serve := range s.serves {
		c.Report(findings.Finding{Check: "shutdown-never-called", Pos: serve.Node().Pos(), End: serve.Node().End(),
			Message: s.v.Name() + " serves, and nothing in the package calls its Shutdown: " + lostAtStop,
			Help:    "Serve in a goroutine, and on SIGTERM call " + s.v.Name() + ".Shutdown with a deadline and wait until it has returned.\n" + rewrite})
	}
}

// checkTimeouts: net/http, Server.ReadHeaderTimeout: "If zero, the value of ReadTimeout is used. If negative, or if zero and
// ReadTimeout is zero or negative, there is no timeout."
func (c *checker) checkTimeouts(lit *ast.CompositeLit) {
	if callee.TypeName(c.TypesInfo, lit) != serverType {
		return
	}
	for _, e := range lit.Elts {
		kv, ok := e.(*ast.KeyValueExpr)
		if !ok {
			return
		}
		key, ok := kv.Key.(*ast.Ident)
		if !ok || key.Name == "ReadHeaderTimeout" || key.Name == "ReadTimeout" {
			return
		}
		if key.Name == "Addr" && c.loopback(kv.Value) {
			return
		}
	}
	if c.Values.Assigned(c.TypesInfo.TypeOf(lit), "ReadHeaderTimeout", "ReadTimeout") {
		return
	}
	f := findings.Finding{Check: "missing-read-header-timeout", Pos: lit.Pos(), End: lit.Type.End(),
		Message: "this http.Server waits for ever for a request's header: clients that connect and send nothing take the node's file descriptors, and it refuses everybody else while its process looks healthy",
		Help:    "Set ReadHeaderTimeout (10 s, say). It leaves long uploads and responses alone."}
	if name, edits, ok := imports.Use(c.Pass.Pass, lit.Pos(), "time"); ok {
		at, text := lit.Rbrace, "ReadHeaderTimeout: 10 * "+name+".Second"
		if n := len(lit.Elts); n > 0 {
			at = lit.Elts[n-1].End()
			separator := ", "
			if c.Fset.Position(lit.Rbrace).Line > c.Fset.Position(at).Line {
				separator = ",\n" // the comma behind the last element ends this one
			}
			text = separator + text
		}
		f.Fixes = []analysis.SuggestedFix{{Message: "Set ReadHeaderTimeout",
			TextEdits: append(edits, analysis.TextEdit{Pos: at, End: at, NewText: []byte(text)})}}
	}
	c.Report(f)
}
