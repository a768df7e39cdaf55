package sqlquery

import (
	"context"
	"go/token"
	"go/types"
	"path/filepath"
	"reflect"

	"golang.org/x/tools/go/analysis"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/passes"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
)

// Result is what one package sends.
type Result struct {
	// Sites are sorted by position. Their files are named as the file set names them, with slashes.
	Sites []query.Site

	fset *token.FileSet
}

// Pos is the place of a position in the file set of the pass; NoPos when it lies in no file of it (a .sql file, a dependency).
func (r *Result) Pos(at query.Position) token.Pos {
	pos := token.NoPos
	r.fset.Iterate(func(f *token.File) bool {
		if filepath.ToSlash(f.Name()) != at.File || at.Line > f.LineCount() || at.Line < 1 {
			return true
		}
		pos = f.LineStart(at.Line) + token.Pos(at.Column-1)
		return false
	})
	return pos
}

// Analyzer finds the SQL of a package. It reports nothing: others require it, and share what it finds.
var Analyzer = &analysis.Analyzer{
	Name: "sqlquery",
	Doc: `find the SQL that Go code sends

The result lists every place that sends SQL, with the texts it may send: of database/sql, pgx, lib/pq, sqlx, squirrel,
SourceHut's core-go, and of functions that pass their parameters on to one of these, in other packages too. It reports
nothing itself; "srhtvet queries" prints what it finds.`,
	URL:              "https://git.sr.ht/~sourcehut/ha-go",
	ResultType:       reflect.TypeFor[*Result](),
	RunDespiteErrors: true,
	FactTypes:        []analysis.Fact{new(Wrapper), new(Returns), new(Mapped)},
	Run:              run,
}

func run(pass *analysis.Pass) (any, error) {
	if passes.Foreign(pass) && !mayHaveFacts(pass) {
		return &Result{fset: pass.Fset}, nil
	}
	p := &program{ctx: context.Background(), fset: pass.Fset, packages: map[string]*pkg{}}
	p.known = map[string]*types.Package{pass.Pkg.Path(): pass.Pkg}
	for _, imp := range pass.Pkg.Imports() {
		p.known[imp.Path()] = imp
	}
	p.uses = map[string]*usage{}
	k := &pkg{path: pass.Pkg.Path(), own: true, bodies: true, files: pass.Files, types: pass.Pkg, info: pass.TypesInfo}
	if len(pass.Files) > 0 {
		k.dir = filepath.Dir(pass.Fset.Position(pass.Files[0].Pos()).Filename)
	}
	p.packages[k.path] = k
	p.order = []*pkg{k}
	p.collectUses()
	m := newMachine(p)
	m.pass = pass
	m.runAll()
	m.exportFacts(pass)
	return &Result{Sites: m.sites(), fset: pass.Fset}, nil
}

// mayHaveFacts reports whether a dependency has anything to tell those that import it.
func mayHaveFacts(pass *analysis.Pass) bool {
	if pass.Module == nil || pass.Module.Version == "" {
		return false // the standard library
	}
	var imports []string
	for _, imp := range pass.Pkg.Imports() {
		imports = append(imports, imp.Path())
	}
	return HasFacts(pass.Pkg.Path(), imports) || len(pass.AllObjectFacts()) > 0
}
