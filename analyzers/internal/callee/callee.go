// Package callee tells which function a call calls, also where the package of the function could not be loaded.
package callee

import (
	"go/ast"
	"go/types"
	"strings"

	"golang.org/x/tools/go/types/typeutil"
)

// Name is the full name of the function or method that is called: "net/http.ListenAndServe", "(*net/http.Server).Shutdown",
// "(io.Writer).Write" through an interface, "panic" for a builtin. A function of a package that could not be loaded is named
// by its import path. "" is a function value, a conversion, or a method of a type that is not known.
func Name(info *types.Info, call *ast.CallExpr) string {
	switch f := typeutil.Callee(info, call).(type) {
	case *types.Func:
		return f.Origin().FullName()
	case *types.Builtin:
		return f.Name()
	}
	return path(info, call.Fun)
}

// Func is the function or method that is called when it is known statically; nil through a function value. Methods of
// interfaces are functions without a body anywhere.
func Func(info *types.Info, call *ast.CallExpr) *types.Func {
	if f, ok := typeutil.Callee(info, call).(*types.Func); ok {
		return f.Origin()
	}
	return nil
}

// path names what a selector selects from an imported package, which may be one that is not there.
func path(info *types.Info, e ast.Expr) string {
	switch e := ast.Unparen(e).(type) {
	case *ast.IndexExpr: // instantiated
		return path(info, e.X)
	case *ast.IndexListExpr:
		return path(info, e.X)
	case *ast.SelectorExpr:
		if x, ok := e.X.(*ast.Ident); ok {
			if pkg, ok := info.Uses[x].(*types.PkgName); ok {
				if _, ok := info.Uses[e.Sel].(*types.Var); ok {
					return "" // a function value
				}
				return pkg.Imported().Path() + "." + e.Sel.Name
			}
		}
	}
	return ""
}

// TypeName is the full name of the type of an expression, without pointers and arguments: "net/http.Server"; "" when it has
// none or is not known.
func TypeName(info *types.Info, e ast.Expr) string {
	if t := info.TypeOf(e); t != nil {
		return NameOf(t)
	}
	return ""
}

// NameOf is the full name of a type, without pointers and arguments; "" when it has none.
func NameOf(t types.Type) string {
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		t = p.Elem()
	}
	named, ok := types.Unalias(t).(*types.Named)
	if !ok {
		return ""
	}
	obj := named.Obj()
	if obj.Pkg() == nil {
		return obj.Name() // error
	}
	return obj.Pkg().Path() + "." + obj.Name()
}

// Exits reports whether a function, named as Name does, ends the process at once. os.Exit: "The program terminates immediately;
// deferred functions are not run." log.Fatal and those of logrus, zap, klog and glog call it.
func Exits(name string) bool {
	switch name {
	case "os.Exit", "syscall.Exit":
		return true
	}
	i := strings.LastIndex(name, ".")
	switch name[i+1:] {
	case "Fatal", "Fatalf", "Fatalln", "Fatalw":
	default:
		return false
	}
	if i < 0 {
		return false
	}
	typ := Bare(name[:i])
	for _, pkg := range []string{"log", "github.com/sirupsen/logrus", "go.uber.org/zap", "k8s.io/klog/v2", "github.com/golang/glog"} {
		if rest, ok := strings.CutPrefix(typ, pkg); ok && (rest == "" || rest[0] == '.') {
			return true
		}
	}
	return false
}

// Bare is a full name that begins with its import path: "net/http.Server).Shutdown" of a method.
func Bare(name string) string { return strings.TrimLeft(name, "(*") }

// Last is the last part of a full name: the function or method alone.
func Last(name string) string { return name[strings.LastIndex(name, ".")+1:] }
