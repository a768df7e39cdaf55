package localstate

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/ast/inspector"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/callee"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/findings"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/handlers"
)

// writesFile is a fact about a function: it writes a file at a place of its own choice.
type writesFile struct{ By, Place string }

func (*writesFile) AFact() {}

func (w *writesFile) String() string { return "writes by " + w.By }

// creators make files; the number is that of the argument that names what is made.
var creators = map[string]int{
	"os.Create": 0, "os.WriteFile": 0, "os.OpenFile": 0, "os.Mkdir": 0, "os.MkdirAll": 0, "os.Rename": 1, "os.Symlink": 1, "os.Link": 1,
	"io/ioutil.WriteFile":                   0,
	"github.com/go-git/go-git/v5.PlainInit": 0, "github.com/go-git/go-git/v5.PlainClone": 0, "github.com/go-git/go-git/v5.PlainCloneContext": 1,
}

// files reports what request handlers write to the disk, and exports what other functions do.
func (c *checker) files() {
	if len(c.handlers.Handlers) == 0 && !slices.ContainsFunc(c.Pkg.Imports(), func(p *types.Package) bool { return p.Path() == "os" || p.Path() == "io/ioutil" }) {
		return
	}
	direct := map[ast.Node]bool{} // functions that were reported
	for cur := range c.root.Preorder((*ast.CallExpr)(nil)) {
		call := cur.Node().(*ast.CallExpr)
		name := callee.Name(c.TypesInfo, call)
		arg, ok := creators[name]
		if !ok || arg >= len(call.Args) || name == "os.OpenFile" && !c.opensToWrite(call) {
			continue
		}
		in := handlers.Enclosing(cur)
		if in == nil || direct[in] || !c.kept(call.Args[arg], in, 6) {
			continue
		}
		direct[in] = true
		h := c.handlers.Near(in, reach)
		if h != nil && h.Kind != handlers.Job {
			c.Report(findings.Finding{Check: "local-file", Pos: call.Pos(), End: call.End(),
				Message: fmt.Sprintf("%s, on behalf of %s, makes %s on the disk of this node: a request that reaches another node does not find it, and it goes when the node does",
					name, h.Name, types.ExprString(call.Args[arg])), Help: fileHelp})
			continue
		}
		decl, isDecl := in.(*ast.FuncDecl)
		if !isDecl || h != nil || c.Silent(call.Pos()) || c.Suppressed(call.Pos(), "local-file", "localstate") {
			continue
		}
		if fn, ok := c.TypesInfo.Defs[decl.Name].(*types.Func); ok && fn.Exported() {
			at := c.Fset.Position(call.Pos())
			c.ExportObjectFact(fn, &writesFile{name, fmt.Sprintf("%s:%d", filepath.Base(at.Filename), at.Line)})
		}
	}
	for cur := range c.root.Preorder((*ast.CallExpr)(nil)) {
		c.farFile(cur)
	}
}

const fileHelp = "Store it where all nodes see it: in the database, or in an object store; in a file system that they share, say so in a suppression comment."

// farFile reports the call of another package's function that writes a file.
func (c *checker) farFile(cur inspector.Cursor) {
	call := cur.Node().(*ast.CallExpr)
	fn := callee.Func(c.TypesInfo, call)
	if fn == nil || fn.Pkg() == nil || fn.Pkg() == c.Pkg || len(c.handlers.Handlers) == 0 {
		return
	}
	var fact writesFile
	in := handlers.Enclosing(cur)
	if in == nil || !c.ImportObjectFact(fn, &fact) {
		return
	}
	if h := c.handlers.Near(in, reach); h != nil && h.Kind != handlers.Job {
		c.Report(findings.Finding{Check: "local-file", Pos: call.Pos(), End: call.End(),
			Message: fmt.Sprintf("%s, which %s calls, writes to the disk of this node (%s at %s): a request that reaches another node does not find it, and it goes when the node does",
				callee.Name(c.TypesInfo, call), h.Name, fact.By, fact.Place), Help: fileHelp})
	}
}

// opensToWrite reports whether the flags of os.OpenFile are known to create.
func (c *checker) opensToWrite(call *ast.CallExpr) bool {
	if len(call.Args) < 2 {
		return false
	}
	found := false
	ast.Inspect(call.Args[1], func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok && sel.Sel.Name == "O_CREATE" {
			found = true
		}
		return !found
	})
	return found
}

// passing are words in the names of places whose files nobody misses.
var passing = []string{"tmp", "temp", "cache", "scratch", "log", "pid", "socket", "sock", "lock", "debug", "dump", "profile"}

// kept reports whether a path is one of files that are to stay: not in a temporary directory, nor removed by the function that
// makes it, nor wholly up to the caller.
func (c *checker) kept(path ast.Expr, fn ast.Node, depth int) bool {
	if named(types.ExprString(path), passing) || c.removes(fn, path) {
		return false
	}
	return c.base(path, depth, false)
}

// base follows a path to its first part; inside: something is made below it.
func (c *checker) base(path ast.Expr, depth int, inside bool) bool {
	if depth == 0 {
		return false
	}
	if tv := c.TypesInfo.Types[path]; tv.Value != nil && tv.Value.Kind() == constant.String {
		text := constant.StringVal(tv.Value)
		return !named(text, passing) && !strings.HasPrefix(text, "/dev/") && !strings.HasPrefix(text, "/proc/") && !strings.HasPrefix(text, "/sys/")
	}
	switch e := ast.Unparen(path).(type) {
	case *ast.BinaryExpr:
		return e.Op == token.ADD && c.base(e.X, depth-1, true)
	case *ast.SelectorExpr:
		return !named(e.Sel.Name, passing)
	case *ast.CallExpr:
		switch callee.Name(c.TypesInfo, e) {
		case "path/filepath.Join", "path.Join":
			return len(e.Args) > 1 && c.base(e.Args[0], depth-1, true)
		case "path/filepath.Clean", "path.Clean", "path/filepath.Dir", "path.Dir":
			return len(e.Args) == 1 && c.base(e.Args[0], depth-1, inside)
		case "fmt.Sprintf":
			if len(e.Args) > 0 {
				if tv := c.TypesInfo.Types[e.Args[0]]; tv.Value != nil && tv.Value.Kind() == constant.String {
					text := constant.StringVal(tv.Value)
					if strings.HasPrefix(text, "%") {
						return len(e.Args) > 1 && c.base(e.Args[1], depth-1, true)
					}
					return !named(text, passing)
				}
			}
			return false
		}
		return inside && c.isSetting(e)
	case *ast.Ident:
		v := c.values.Var(e)
		if v == nil || named(v.Name(), passing) {
			return false
		}
		if v.Parent() == c.Pkg.Scope() {
			return true // a setting
		}
		list, known := c.values.Of(v)
		return known && len(list) == 1 && list[0].Index == 0 && c.base(list[0].Expr, depth-1, inside)
	}
	return false
}

// isSetting recognises the call that looks a directory up: os.Getenv, conf.Get("git.sr.ht", "repos"), os.UserHomeDir.
func (c *checker) isSetting(call *ast.CallExpr) bool {
	switch name := callee.Name(c.TypesInfo, call); name {
	case "os.Getenv", "os.LookupEnv", "os.UserHomeDir", "os.Getwd":
		return true
	default:
		sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
		return ok && (sel.Sel.Name == "Get" || sel.Sel.Name == "GetString" || sel.Sel.Name == "String") && len(call.Args) > 0 && c.text(call.Args[len(call.Args)-1]) != "" &&
			!named(c.text(call.Args[len(call.Args)-1]), passing)
	}
}

// removes reports whether a function removes files: what it writes is in passing.
func (c *checker) removes(fn ast.Node, path ast.Expr) bool {
	found := false
	ast.Inspect(handlers.Body(fn), func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok && !found {
			switch callee.Name(c.TypesInfo, call) {
			case "os.Remove", "os.RemoveAll":
				// On a way that failed, too, but not of something else: what is replaced is kept.
				found = len(call.Args) == 1 && sharesRoot(call.Args[0], path)
			}
		}
		return !found
	})
	return found
}

func sharesRoot(a, b ast.Expr) bool {
	x, y := types.ExprString(a), types.ExprString(b)
	return x == y || strings.HasPrefix(y, x) || strings.Contains(y, "("+x+",")
}

// named reports whether a name has one of some words, whatever its case.
func named(name string, words []string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(name, w) })
}
