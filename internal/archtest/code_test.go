package archtest

import (
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"path"
	"slices"
	"strings"
	"testing"
)

// checkSkips reports tests that skip themselves. Only package need does that, so that CI=true can make it a failure.
func checkSkips(t *testing.T, root string) []string {
	var problems []string
	for _, file := range parse(t, root) {
		if within(path.Dir(file.name), "internal/need/...") || within(path.Dir(file.name), "internal/pgtest/...") {
			continue
		}
		tests := testingValues(file)
		ast.Inspect(file.File, func(n ast.Node) bool {
			if value, name, ok := selected(n); ok && tests[value] && slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, name) {
				problems = append(problems, file.at(n.Pos(), "%s.%s: a missing program is need.Missing's affair, anything else has no reason to skip", value, name))
			}
			return true
		})
	}
	return problems
}

// testingValues are the names of parameters of a type of package testing.
func testingValues(file source) map[string]bool {
	names := map[string]bool{}
	ast.Inspect(file.File, func(n ast.Node) bool {
		if f, ok := n.(*ast.Field); ok && strings.HasPrefix(strings.TrimPrefix(types.ExprString(f.Type), "*"), "testing.") {
			for _, name := range f.Names {
				names[name.Name] = true
			}
		}
		return true
	})
	return names
}

// selected takes apart a call of the form value.name(…).
func selected(n ast.Node) (value, name string, ok bool) {
	call, ok := n.(*ast.CallExpr)
	if !ok {
		return "", "", false
	}
	selector, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return "", "", false
	}
	ident, ok := selector.X.(*ast.Ident)
	if !ok {
		return "", "", false
	}
	return ident.Name, selector.Sel.Name, true
}

// checkSleeps reports time.Sleep in tests, which makes them slow and still not sure, and in functions that have a
// context, which it does not heed. In a bubble of testing/synctest it costs no time and is how the clock is moved.
func checkSleeps(t *testing.T, root string) []string {
	var problems []string
	for _, file := range parse(t, root) {
		report := func(where string) func(ast.Node) bool {
			return func(n ast.Node) bool {
				value, name, ok := selected(n)
				if ok && value == "time" && name == "Sleep" {
					problems = append(problems, file.at(n.Pos(), "time.Sleep in %s", where))
				}
				return !ok || value != "synctest" || name != "Test"
			}
		}
		if file.test() {
			ast.Inspect(file.File, report("a test"))
			continue
		}
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && slices.ContainsFunc(f.Type.Params.List, func(p *ast.Field) bool { return types.ExprString(p.Type) == "context.Context" }) {
				ast.Inspect(f, report("a function with a context"))
			}
		}
	}
	return problems
}

// checkInits reports init functions: what runs at import cannot be configured, ordered or left out.
// inits are the files that may have an init function, and why there is no other way.
func inits() map[string]string {
	return map[string]string{
		"analyzers/golangci/golangci.go": "golangci-lint finds a plugin by what its package registers when it is linked",
	}
}

func checkInits(t *testing.T, root string) []string {
	var problems []string
	for _, file := range parse(t, root) {
		for _, decl := range file.Decls {
			if inits()[file.name] != "" {
				continue
			}
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				problems = append(problems, file.at(f.Pos(), "an init function"))
			}
		}
	}
	return problems
}

// state lists the package-level variables that do change, and why there is no other way.
func state() map[string]string {
	return map[string]string{
		"internal/pgtest.running": "package testing has no place to keep a server from one test to the next",
	}
}

// checkState reports package-level variables that are changed: assigned, indexed into on the left of an assignment, their
// address taken, emptied, or called with a method that has a pointer receiver. What other packages do to an exported
// variable is not seen.
func checkState(t *testing.T, root string) []string {
	var problems []string
	for _, files := range byPackage(parse(t, root)) {
		info := resolve(files)
		for _, file := range files {
			ast.Inspect(file.File, func(n ast.Node) bool {
				for _, changed := range changes(n, info) {
					v := packageVariable(changed, info)
					if v == nil || state()[path.Dir(file.name)+"."+v.Name()] != "" {
						continue
					}
					problems = append(problems, file.at(n.Pos(), "changes the package-level variable %s", v.Name()))
				}
				return true
			})
		}
	}
	slices.Sort(problems)
	return slices.Compact(problems)
}

// byPackage groups the files that are not tests by directory.
func byPackage(all []source) map[string][]source {
	packages := map[string][]source{}
	for _, file := range all {
		if !file.test() && !strings.HasSuffix(file.name, "_gen.go") {
			packages[path.Dir(file.name)] = append(packages[path.Dir(file.name)], file)
		}
	}
	return packages
}

type noImports struct{}

func (noImports) Import(path string) (*types.Package, error) {
	return nil, errors.New("not needed")
}

// resolve finds out which names mean which variables. Imports stay unresolved, and what depends on them is an error
// that is ignored, so nothing needs compiling.
func resolve(files []source) *types.Info {
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}, Selections: map[*ast.SelectorExpr]*types.Selection{}}
	config := types.Config{Importer: noImports{}, Error: func(error) {}, FakeImportC: true}
	var syntax []*ast.File
	for _, file := range files {
		syntax = append(syntax, file.File)
	}
	_, _ = config.Check("p", files[0].fset, syntax, info)
	return info
}

// changes lists the expressions whose value the node changes or lets be changed.
func changes(n ast.Node, info *types.Info) []ast.Expr {
	switch n := n.(type) {
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE {
			return n.Lhs
		}
	case *ast.IncDecStmt:
		return []ast.Expr{n.X}
	case *ast.RangeStmt:
		if n.Tok == token.ASSIGN {
			return slices.DeleteFunc([]ast.Expr{n.Key, n.Value}, func(e ast.Expr) bool { return e == nil })
		}
	case *ast.UnaryExpr:
		if n.Op == token.AND {
			return []ast.Expr{n.X}
		}
	case *ast.CallExpr:
		switch f := n.Fun.(type) {
		case *ast.Ident:
			if builtin, ok := info.Uses[f].(*types.Builtin); ok && slices.Contains([]string{"delete", "clear", "copy"}, builtin.Name()) {
				return n.Args[:1]
			}
		case *ast.SelectorExpr:
			if s := info.Selections[f]; s != nil && s.Kind() == types.MethodVal && !isPointer(s.Recv()) && isPointer(s.Obj().Type().(*types.Signature).Recv().Type()) {
				return []ast.Expr{f.X}
			}
		}
	}
	return nil
}

func isPointer(t types.Type) bool {
	_, ok := t.Underlying().(*types.Pointer)
	return ok
}

// packageVariable is the package-level variable that the expression is, or is a part of, or nil.
func packageVariable(e ast.Expr, info *types.Info) *types.Var {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			if v, ok := info.Uses[x].(*types.Var); ok && v.Pkg() != nil && v.Parent() == v.Pkg().Scope() {
				return v
			}
			return nil
		case *ast.IndexExpr:
			e = x.X
		case *ast.SelectorExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		case *ast.SliceExpr:
			e = x.X
		default:
			return nil
		}
	}
}

func TestNoSkips(t *testing.T) { check(checkSkips).holds(t) }

func TestSkipsAreSeen(t *testing.T) {
	check(checkSkips).finds(t, `
-- a/a_test.go --
package a

import "testing"

func TestA(t *testing.T) {
	t.Skip("later")
	t.Run("inner", func(inner *testing.T) { inner.SkipNow() })
}

func helper(tb testing.TB, scanner interface{ Skip(int) }) {
	tb.Skipf("%d", 1)
	scanner.Skip(1)
}
-- internal/need/need.go --
package need

import "testing"

func Missing(t testing.TB) { t.Skip() }
`,
		"a/a_test.go:6: t.Skip: a missing program is need.Missing's affair, anything else has no reason to skip",
		"a/a_test.go:7: inner.SkipNow: a missing program is need.Missing's affair, anything else has no reason to skip",
		"a/a_test.go:11: tb.Skipf: a missing program is need.Missing's affair, anything else has no reason to skip",
	)
}

func TestNoSleeps(t *testing.T) { check(checkSleeps).holds(t) }

func TestSleepsAreSeen(t *testing.T) {
	check(checkSleeps).finds(t, `
-- a/a_test.go --
package a

func TestA(t *testing.T) {
	time.Sleep(time.Second)
	synctest.Test(t, func(t *testing.T) { time.Sleep(time.Second) })
}
-- a/a.go --
package a

func deaf(ctx context.Context) { time.Sleep(1) }

func simple() { time.Sleep(1) }
`,
		"a/a.go:3: time.Sleep in a function with a context",
		"a/a_test.go:4: time.Sleep in a test",
	)
}

func TestNoInitFunctions(t *testing.T) { check(checkInits).holds(t) }

func TestInitFunctionIsSeen(t *testing.T) {
	check(checkInits).finds(t, `
-- a/a.go --
package a

func init() {}

type t struct{}

func (t) init() {}
`,
		"a/a.go:3: an init function")
}

func TestNoPackageLevelState(t *testing.T) { check(checkState).holds(t) }

func TestPackageLevelStateIsSeen(t *testing.T) {
	const head = `
-- a/a.go --
package a

import "errors"

var table = map[string]int{"a": 1}
var ErrFixed = errors.New("never assigned")
var count int
var pool holder

type holder struct{ list []int }

func (h *holder) add(n int) { h.list = append(h.list, n) }

func (h holder) size() int { return len(h.list) }

func reads() (int, int) { return table["a"] + count, pool.size() }

func shadows() (count int) {
	count = 1
	table := map[string]int{}
	table["b"] = 2
	return count
}
`
	check(checkState).finds(t, head)
	for i, change := range []struct{ code, name string }{
		{`table["b"] = 2`, "table"},
		{`delete(table, "a")`, "table"},
		{`count++`, "count"},
		{`count = 1`, "count"},
		{`_ = &count`, "count"},
		{`pool.add(1)`, "pool"},
		{`pool.list[0] = 1`, "pool"},
		{`for count = range 3 {}`, "count"},
	} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			check(checkState).finds(t, head+"-- a/b.go --\npackage a\n\nfunc change() { "+change.code+" }\n",
				"a/b.go:3: changes the package-level variable "+change.name)
		})
	}
}
