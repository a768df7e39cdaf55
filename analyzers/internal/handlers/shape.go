package handlers

import (
	"fmt"
	"go/ast"
	"go/types"
	"strings"

	"golang.org/x/tools/go/ast/inspector"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/callee"
)

// kindOf tells a handler by its shape.
func kindOf(fn *types.Func) Kind {
	sig := fn.Signature()
	switch {
	case isHTTP(sig):
		return HTTP
	case sig.Recv() == nil:
		return ""
	case isResolver(sig):
		return GraphQL
	case isGRPC(sig):
		return GRPC
	case isSMTP(fn):
		return SMTP
	case isWorker(fn):
		return Job
	}
	return ""
}

// isHTTP: func(http.ResponseWriter, *http.Request), and the contexts of the common frameworks.
func isHTTP(sig *types.Signature) bool {
	params := sig.Params()
	switch params.Len() {
	case 3:
		return callee.NameOf(params.At(0).Type()) == "net/http.ResponseWriter" && callee.NameOf(params.At(1).Type()) == "net/http.Request" &&
			callee.NameOf(params.At(2).Type()) == "github.com/julienschmidt/httprouter.Params"
	case 2:
		if name := callee.NameOf(params.At(0).Type()); strings.HasPrefix(name, "github.com/labstack/echo/") {
			// What oapi-codegen's strict server calls: (echo.Context, Request) (Response, error).
			return strings.HasSuffix(name, ".Context") && sig.Recv() != nil && sig.Results().Len() == 2 && callee.ReturnsError(sig)
		}
		return callee.NameOf(params.At(0).Type()) == "net/http.ResponseWriter" && callee.NameOf(params.At(1).Type()) == "net/http.Request"
	case 1:
		switch name := callee.NameOf(params.At(0).Type()); {
		case strings.HasPrefix(name, "github.com/gin-gonic/gin.Context"), name == "github.com/valyala/fasthttp.RequestCtx":
			return sig.Results().Len() == 0
		case strings.HasPrefix(name, "github.com/labstack/echo/") && strings.HasSuffix(name, ".Context"),
			strings.HasPrefix(name, "github.com/gofiber/fiber/") && strings.HasSuffix(name, ".Ctx"):
			return sig.Results().Len() == 1
		}
	}
	return false
}

// isResolver: gqlgen's resolvers are methods of structs like mutationResolver, which embed the *Resolver that its user
// writes; they take a context first and return an error last.
func isResolver(sig *types.Signature) bool {
	if !strings.HasSuffix(callee.NameOf(sig.Recv().Type()), "Resolver") || !callee.TakesContext(sig) || !callee.ReturnsError(sig) {
		return false
	}
	return embeds(sig.Recv().Type(), func(name string) bool { return strings.HasSuffix(name, "Resolver") })
}

// isGRPC: a method (ctx, *Request) (*Response, error) of a type that embeds a generated Unimplemented…Server.
func isGRPC(sig *types.Signature) bool {
	if !callee.TakesContext(sig) || !callee.ReturnsError(sig) || sig.Params().Len() != 2 || sig.Results().Len() != 2 {
		return false
	}
	return embeds(sig.Recv().Type(), func(name string) bool {
		return strings.HasPrefix(name, "Unimplemented") && strings.HasSuffix(name, "Server")
	})
}

// embeds reports whether a struct, or what a pointer points to, embeds a type of such a name.
func embeds(t types.Type, named func(string) bool) bool {
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		t = p.Elem()
	}
	s, ok := t.Underlying().(*types.Struct)
	if !ok {
		return false
	}
	for f := range s.Fields() {
		if f.Embedded() && named(f.Name()) {
			return true
		}
	}
	return false
}

// isSMTP: a method of emersion/go-smtp's Session (https://pkg.go.dev/github.com/emersion/go-smtp#Session), by its shape: the
// library need not be loaded.
func isSMTP(fn *types.Func) bool {
	switch fn.Name() {
	case "Mail", "Rcpt", "Data", "LMTPData":
	default:
		return false
	}
	recv := fn.Signature().Recv().Type()
	for _, name := range []string{"Mail", "Rcpt", "Data", "Reset", "Logout"} {
		if obj, _, _ := types.LookupFieldOrMethod(recv, true, fn.Pkg(), name); obj == nil {
			return false
		}
	}
	return callee.ReturnsError(fn.Signature())
}

// isWorker: the methods by which job queues call a worker: river's Work, asynq's ProcessTask, gocelery's RunTask.
func isWorker(fn *types.Func) bool {
	params := fn.Signature().Params()
	switch fn.Name() {
	case "Work":
		return params.Len() == 2 && strings.HasSuffix(callee.NameOf(params.At(1).Type()), "/river.Job")
	case "ProcessTask":
		return params.Len() == 2 && strings.HasSuffix(callee.NameOf(params.At(1).Type()), "/asynq.Task")
	case "RunTask":
		obj, _, _ := types.LookupFieldOrMethod(fn.Signature().Recv().Type(), true, fn.Pkg(), "ParseKwargs")
		return params.Len() == 0 && obj != nil
	}
	return false
}

// jobArgs are the arguments of a call that a queue will run as jobs: dowork's NewTask, Enqueue and Submit take func(ctx)
// error, gocelery registers functions by name, asynq's ServeMux by pattern or as a HandlerFunc, river makes a worker of one (WorkFunc).
// cancels: the queue cancels their context when they return, as asynq and river do; one of dowork's may live on.
func jobArgs(info *types.Info, call *ast.CallExpr) (list []ast.Expr, cancels bool) {
	name := callee.Name(info, call)
	switch {
	case strings.Contains(name, "/dowork.") && hasSuffix(name, ".NewTask", ".Enqueue", ".Submit"),
		strings.Contains(name, "/gocelery.") && hasSuffix(name, ".Register"):
	case strings.Contains(name, "/asynq.") && hasSuffix(name, ".HandleFunc", ".HandlerFunc"),
		hasSuffix(name, "/river.WorkFunc"):
		cancels = true
	default:
		return nil, false
	}
	for _, arg := range call.Args {
		if _, ok := types.Unalias(typeOf(info, arg)).Underlying().(*types.Signature); ok {
			list = append(list, arg)
		} else if _, ok := ast.Unparen(arg).(*ast.FuncLit); ok {
			list = append(list, arg)
		}
	}
	return list, cancels
}

func typeOf(info *types.Info, e ast.Expr) types.Type {
	if t := info.TypeOf(e); t != nil {
		return t
	}
	return types.Typ[types.Invalid]
}

func hasSuffix(s string, list ...string) bool {
	for _, suffix := range list {
		if strings.HasSuffix(s, suffix) {
			return true
		}
	}
	return false
}

// nameOf names a function as its package's authors write it.
func nameOf(fn *types.Func) string {
	recv := fn.Signature().Recv()
	if recv == nil {
		return "handler " + fn.Name()
	}
	local := func(*types.Package) string { return "" }
	name := types.TypeString(recv.Type(), local)
	if strings.HasPrefix(name, "*") {
		name = "(" + name + ")"
	}
	return "handler " + name + "." + fn.Name()
}

func litName(cur inspector.Cursor, kind Kind) string {
	for up := range cur.Enclosing((*ast.FuncDecl)(nil)) {
		return fmt.Sprintf("the function literal in %s that handles %ss", up.Node().(*ast.FuncDecl).Name.Name, kind)
	}
	return fmt.Sprintf("the function literal that handles %ss", kind)
}

// Accepts reports whether a function, named as callee.Name does, accepts requests, mails or jobs, or ends that: what has such a
// call is a service.
func Accepts(name string) bool {
	switch callee.Last(name) {
	case "ListenAndServe", "ListenAndServeTLS", "Serve", "ServeTLS", "GracefulStop", "Shutdown", "StartWorker", "StartWorkerWithContext", "StopWorker":
		return !strings.HasPrefix(name, "net/http/cgi.") && !strings.HasPrefix(name, "net/http/fcgi.")
	case "Join":
		return strings.Contains(name, "/dowork.") // work.Join
	case "Run", "RunTLS", "RunUnix", "RunFd", "RunListener":
		return strings.HasPrefix(name, "(*github.com/gin-gonic/gin.Engine).")
	}
	return false
}
