// Package imports tells what a file imports, and makes a suggested fix that needs one more package of the standard library.
package imports

import (
	"go/ast"
	"go/token"
	"go/types"
	"strconv"
	"strings"

	"golang.org/x/tools/go/analysis"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/syntax"
)

// Any reports whether a file of the package imports one of these paths, or one below a path that ends in "/".
func Any(files []*ast.File, paths ...string) bool {
	for _, f := range files {
		for _, spec := range f.Imports {
			got := path(spec)
			for _, want := range paths {
				if got == want || strings.HasSuffix(want, "/") && strings.HasPrefix(got, want) {
					return true
				}
			}
		}
	}
	return false
}

// Use is the name by which code at a position can use a package of the standard library, and the edit that imports it where
// the file does not yet. It is not ok where the name means something else.
func Use(pass *analysis.Pass, pos token.Pos, pkg string) (name string, edits []analysis.TextEdit, ok bool) {
	file := syntax.File(pass.Files, pos)
	scope := pass.Pkg.Scope().Innermost(pos)
	if file == nil || scope == nil {
		return "", nil, false
	}
	name = pkg[strings.LastIndex(pkg, "/")+1:]
	for _, spec := range file.Imports {
		if path(spec) != pkg {
			continue
		}
		if spec.Name != nil {
			name = spec.Name.Name
		}
		_, obj := scope.LookupParent(name, pos)
		used, isPkg := obj.(*types.PkgName)
		return name, nil, isPkg && used.Imported().Path() == pkg
	}
	if _, obj := scope.LookupParent(name, token.NoPos); obj != nil || pass.Pkg.Scope().Lookup(name) != nil {
		return "", nil, false
	}
	edit, ok := add(file, pkg)
	return name, []analysis.TextEdit{edit}, ok
}

// Name is the name by which code at a position can use a package of the standard library that its file imports; not ok where it
// does not, or where the name means something else.
func Name(pass *analysis.Pass, pos token.Pos, pkg string) (name string, ok bool) {
	name, edits, ok := Use(pass, pos, pkg)
	return name, ok && len(edits) == 0
}

// add imports a package beside the others of the standard library.
func add(file *ast.File, pkg string) (analysis.TextEdit, bool) {
	var after ast.Spec // the last that sorts before it
	for _, decl := range file.Decls {
		imports, ok := decl.(*ast.GenDecl)
		if !ok || imports.Tok != token.IMPORT {
			break
		}
		if !imports.Lparen.IsValid() {
			continue
		}
		for _, spec := range imports.Specs {
			if p := path(spec.(*ast.ImportSpec)); !strings.Contains(p, ".") && p < pkg {
				after = spec
			}
		}
		if after == nil {
			at := imports.Lparen + 1
			return analysis.TextEdit{Pos: at, End: at, NewText: []byte("\n\t" + strconv.Quote(pkg))}, true
		}
		at := after.End()
		return analysis.TextEdit{Pos: at, End: at, NewText: []byte("\n\t" + strconv.Quote(pkg))}, true
	}
	if len(file.Imports) == 0 {
		return analysis.TextEdit{}, false
	}
	last := file.Imports[len(file.Imports)-1]
	if last.Comment != nil {
		return analysis.TextEdit{}, false
	}
	return analysis.TextEdit{Pos: last.End(), End: last.End(), NewText: []byte("\nimport " + strconv.Quote(pkg))}, true
}

func path(spec *ast.ImportSpec) string {
	p, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return ""
	}
	return p
}
