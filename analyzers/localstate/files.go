package localstate

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/ast/inspector"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/callee"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/findings"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/handlers"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/imports"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/syntax"
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
	if len(c.Handlers.Handlers) == 0 && !imports.Any(c.Files, "os", "io/ioutil") {
		return
	}
	direct := map[ast.Node]bool{} // functions that were reported
	for cur := range c.Root.Preorder((*ast.CallExpr)(nil)) {
		call := cur.Node().(*ast.CallExpr)
		name := callee.Name(c.TypesInfo, call)
		arg, ok := creators[name]
		if !ok || arg >= len(call.Args) || name == "os.OpenFile" && !c.opensToWrite(call) {
			continue
		}
		in := syntax.EnclosingFunc(cur)
		if in == nil || direct[in] || !c.kept(call.Args[arg], in, 6) {
			continue
		}
		direct[in] = true
		h := c.Handlers.Near(in, reach)
		if h != nil && h.Kind != handlers.Job {
			c.Report(findings.Finding{Check: "local-file", Pos: call.Pos(), End: call.End(),
				Message: fmt.Sprintf("%s, on behalf of %s, makes %s on the disk of this node: "+notThere, name, h.Name, types.ExprString(call.Args[arg])), Help: fileHelp})
			continue
		}
		fn := c.Func(in)
		if fn == nil || h != nil || c.Silent(call.Pos()) || c.Suppressed(call.Pos(), "local-file", "localstate") {
			continue
		}
		if fn.Exported() {
			c.ExportObjectFact(fn, &writesFile{name, c.Place(call.Pos())})
		}
	}
	for cur := range c.Root.Preorder((*ast.CallExpr)(nil)) {
		c.farFile(cur)
	}
}

const (
	notThere = "a request that reaches another node does not find it, and it goes when the node does"
	fileHelp = "Store it where all nodes see it: in the database, or in an object store; in a file system that they share, say so in a suppression comment."
)

// farFile reports the call of another package's function that writes a file.
func (c *checker) farFile(cur inspector.Cursor) {
	call := cur.Node().(*ast.CallExpr)
	fn := callee.Func(c.TypesInfo, call)
	if fn == nil || fn.Pkg() == nil || fn.Pkg() == c.Pkg || len(c.Handlers.Handlers) == 0 {
		return
	}
	var fact writesFile
	in := syntax.EnclosingFunc(cur)
	if in == nil || !c.ImportObjectFact(fn, &fact) {
		return
	}
	if h := c.Handlers.Near(in, reach); h != nil && h.Kind != handlers.Job {
		c.Report(findings.Finding{Check: "local-file", Pos: call.Pos(), End: call.End(),
			Message: fmt.Sprintf("%s, which %s calls, writes to the disk of this node (%s at %s): "+notThere,
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
	if text, ok := c.Values.Constant(path); ok {
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
			if len(e.Args) == 0 {
				return false
			}
			text, ok := c.Values.Constant(e.Args[0])
			if strings.HasPrefix(text, "%") {
				return len(e.Args) > 1 && c.base(e.Args[1], depth-1, true)
			}
			return ok && !named(text, passing)
		}
		return inside && c.isSetting(e)
	case *ast.Ident:
		v := c.Values.Var(e)
		if v == nil || named(v.Name(), passing) {
			return false
		}
		if v.Parent() == c.Pkg.Scope() {
			return true // a setting
		}
		list, known := c.Values.Of(v)
		return known && len(list) == 1 && list[0].Index == 0 && c.base(list[0].Expr, depth-1, inside)
	}
	return false
}

// isSetting recognises the call that looks a directory up: os.Getenv, conf.Get("git.sr.ht", "repos"), os.UserHomeDir.
func (c *checker) isSetting(call *ast.CallExpr) bool {
	switch callee.Name(c.TypesInfo, call) {
	case "os.Getenv", "os.LookupEnv", "os.UserHomeDir", "os.Getwd":
		return true
	}
	if syntax.Receiver(call, "Get", "GetString", "String") == nil || len(call.Args) == 0 {
		return false
	}
	key := c.text(call.Args[len(call.Args)-1])
	return key != "" && !named(key, passing)
}

// removes reports whether a function removes files: what it writes is in passing.
func (c *checker) removes(fn ast.Node, path ast.Expr) bool {
	found := false
	ast.Inspect(syntax.Body(fn), func(n ast.Node) bool {
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
