package queries

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
)

// A fix must not break what the compiler does not see here: files that build constraints leave out, tests of the package in the
// pass that is without them, and tests that expect a text without naming the constant it comes from (a mock of the database).

// unseenFiles parses the Go files beside those of the pass, once. What cannot be read as a whole is read as far as it goes.
func (f *fixer) unseenFiles() []*ast.File {
	if f.unseen != nil || len(f.pass.Files) == 0 {
		return f.unseen
	}
	f.unseen = []*ast.File{}
	seen := map[string]bool{}
	for _, file := range f.pass.Files {
		seen[f.pass.Fset.Position(file.Package).Filename] = true
	}
	dir := filepath.Dir(f.pass.Fset.Position(f.pass.Files[0].Package).Filename)
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		name := filepath.Join(dir, e.Name())
		if seen[name] || filepath.Ext(name) != ".go" {
			continue
		}
		data, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		if file, _ := parser.ParseFile(token.NewFileSet(), name, data, parser.SkipObjectResolution); file != nil && file.Name != nil {
			f.unseen = append(f.unseen, file)
			f.tests = append(f.tests, texts(file, name, nil)...)
		}
	}
	for _, file := range f.pass.Files {
		f.tests = append(f.tests, texts(file, f.pass.Fset.Position(file.Package).Filename, f.isSite)...)
	}
	return f.unseen
}

// isSite reports whether a call is a site.
func (f *fixer) isSite(call *ast.CallExpr) bool {
	return slices.ContainsFunc(f.found.Sites, func(s query.Site) bool { return f.found.Pos(s.Pos) == call.Pos() })
}

// texts are the strings of several words in a file of tests, but for those that are sent by calls of their own.
func texts(file *ast.File, name string, sends func(*ast.CallExpr) bool) []string {
	if !strings.HasSuffix(name, "_test.go") {
		return nil
	}
	var list []string
	ast.Inspect(file, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok && sends != nil && sends(call) {
			return false
		}
		lit, _ := n.(*ast.BasicLit)
		if text := words(lit); strings.Contains(text, " ") {
			list = append(list, text)
		}
		return true
	})
	return list
}

// words is a string with one space between its words, and without the backslashes of a regular expression.
func words(lit *ast.BasicLit) string {
	if lit == nil || lit.Kind != token.STRING {
		return ""
	}
	s, _ := strconv.Unquote(lit.Value)
	return strings.Join(strings.Fields(strings.ReplaceAll(s, `\`, "")), " ")
}

// usedUnseen reports whether a file beside those of the pass names an object of the package.
func (f *fixer) usedUnseen(obj types.Object) bool {
	if obj.Parent() != f.pass.Pkg.Scope() {
		return false
	}
	used := false
	for _, file := range f.unseenFiles() {
		if file.Name.Name != f.pass.Pkg.Name() {
			continue // tests from outside see exported names only
		}
		ast.Inspect(file, func(n ast.Node) bool {
			id, ok := n.(*ast.Ident)
			used = used || ok && id.Name == obj.Name()
			return !used
		})
	}
	return used
}

// expected reports whether a test has a text, or a part of it that names what a fix is to give another name.
func (f *fixer) expected(lit *ast.BasicLit, old string) bool {
	f.unseenFiles()
	text := words(lit)
	return slices.ContainsFunc(f.tests, func(test string) bool {
		return strings.Contains(test, old) && (strings.Contains(text, test) || strings.Contains(text, " ") && strings.Contains(test, text))
	})
}
