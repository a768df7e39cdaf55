package sqlquery

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// check type-checks every package that was read, as far as that goes. Errors do not matter: what a missing import or a
// mistake leaves without a type is found by its syntax.
func (p *program) check() {
	for _, k := range p.order {
		if p.ctx.Err() != nil {
			return
		}
		p.checkPackage(k)
	}
}

func (p *program) checkPackage(k *pkg) {
	if k.types != nil || k.checking {
		return
	}
	k.checking = true
	k.info = newInfo()
	conf := types.Config{
		Importer:                 importer{p, k.module},
		FakeImportC:              true,
		IgnoreFuncBodies:         !k.bodies,
		DisableUnusedImportCheck: true,
		Error:                    func(error) {},
		Sizes:                    types.SizesFor("gc", p.build.GOARCH),
	}
	k.types, _ = conf.Check(k.path, p.fset, k.files, k.info)
	k.checking = false
	if k.types != nil {
		p.known[k.path] = k.types
	}
}

// imported is the package that an identifier names, nil when it names none; also where type checking gave up before it.
func (k *pkg) imported(id *ast.Ident) *types.Package {
	if obj, ok := k.info.Uses[id]; ok {
		name, _ := obj.(*types.PkgName)
		if name == nil {
			return nil
		}
		return name.Imported()
	}
	if name, ok := k.lookup(id).(*types.PkgName); ok {
		return name.Imported()
	}
	return nil
}

// lookup resolves an identifier by scope.
func (k *pkg) lookup(id *ast.Ident) types.Object {
	if k.types == nil {
		return nil
	}
	if scope := k.types.Scope().Innermost(id.Pos()); scope != nil {
		if _, obj := scope.LookupParent(id.Name, id.Pos()); obj != nil {
			return obj
		}
	}
	return k.types.Scope().Lookup(id.Name)
}

func newInfo() *types.Info {
	return &types.Info{
		Types:      map[ast.Expr]types.TypeAndValue{},
		Defs:       map[*ast.Ident]types.Object{},
		Uses:       map[*ast.Ident]types.Object{},
		Selections: map[*ast.SelectorExpr]*types.Selection{},
		Instances:  map[*ast.Ident]types.Instance{},
		Implicits:  map[ast.Node]types.Object{},
	}
}

// importer gives a package of module m what it imports.
type importer struct {
	p *program
	m *goModule
}

var errCycle = errors.New("an import cycle")

func (i importer) Import(importPath string) (*types.Package, error) {
	p := i.p
	if importPath == "unsafe" {
		return types.Unsafe, nil
	}
	if k := p.packages[importPath]; k != nil {
		if k.checking {
			return nil, errCycle
		}
		p.checkPackage(k)
	}
	if known := p.known[importPath]; known != nil {
		return known, nil
	}
	var made *types.Package
	if at := p.locate(i.m, importPath); at.dir != "" && at.std && standardTypes[importPath] {
		made = p.checkStandard(importPath, at.dir)
	}
	if made == nil {
		made = p.synthesize(i.m, importPath)
	}
	p.known[importPath] = made
	return made, nil
}

// standardTypes are the packages of the standard library whose types say what a query is given and where its result goes.
// They are read from the Go tree, without function bodies; what they import is read only when it is listed too. Everything
// else of the standard library is synthetic like a missing dependency, since checking it would take longer than all the rest.
var standardTypes = map[string]bool{
	"context": true, "database/sql": true, "database/sql/driver": true, "encoding/json": true, "errors": true, "fmt": true,
	"math/big": true, "net/netip": true, "os": true, "path": true, "path/filepath": true, "sort": true, "strconv": true,
	"strings": true, "bytes": true, "time": true, "io": true, "unicode/utf8": true, "math": true, "sync": true, "maps": true, "slices": true, "cmp": true, "iter": true,
}

func (p *program) checkStandard(importPath, dir string) *types.Package {
	files := p.parseDir(dir, false)
	conf := types.Config{Importer: importer{p, nil}, FakeImportC: true, IgnoreFuncBodies: true, DisableUnusedImportCheck: true,
		Error: func(error) {}, Sizes: types.SizesFor("gc", p.build.GOARCH)}
	made, _ := conf.Check(importPath, p.fset, files, nil)
	return made
}

// usage is what code takes from an import path.
type usage struct {
	names map[string]bool // selected from the package
	types map[string]bool // of these, the ones that stand where only a type can
	local map[string]int  // what files call the package, without a name in the import
}

// collectUses notes, for every import of the packages read, the names taken from it.
func (p *program) collectUses() {
	for _, k := range p.order {
		for _, f := range k.files {
			p.collectFile(f)
		}
	}
}

func (p *program) collectFile(f *ast.File) {
	byName := map[string]string{} // local name → import path
	selected := map[string]bool{}
	ast.Inspect(f, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok {
				selected[x.Name] = true
			}
		}
		return true
	})
	for _, spec := range f.Imports {
		importPath, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue
		}
		u := p.uses[importPath]
		if u == nil {
			u = &usage{map[string]bool{}, map[string]bool{}, map[string]int{}}
			p.uses[importPath] = u
		}
		if spec.Name != nil {
			byName[spec.Name.Name] = importPath
			continue
		}
		for _, name := range packageNames(importPath) {
			if selected[name] {
				byName[name] = importPath
				u.local[name]++
				break
			}
		}
	}
	take := func(e ast.Expr, isType bool) {
		if s, ok := e.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok && byName[x.Name] != "" {
				u := p.uses[byName[x.Name]]
				u.names[s.Sel.Name] = true
				if isType {
					u.types[s.Sel.Name] = true
				}
			}
		}
	}
	var asType func(e ast.Expr)
	asType = func(e ast.Expr) {
		switch e := e.(type) {
		case *ast.StarExpr:
			asType(e.X)
		case *ast.ParenExpr:
			asType(e.X)
		case *ast.Ellipsis:
			asType(e.Elt)
		case *ast.IndexExpr:
			asType(e.X)
			asType(e.Index)
		case *ast.IndexListExpr:
			asType(e.X)
			for _, x := range e.Indices {
				asType(x)
			}
		default:
			take(e, true)
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			take(n, false)
		case *ast.Field:
			asType(n.Type)
		case *ast.ValueSpec:
			asType(n.Type)
		case *ast.TypeSpec:
			asType(n.Type)
		case *ast.CompositeLit:
			asType(n.Type)
		case *ast.ArrayType:
			asType(n.Elt)
		case *ast.MapType:
			asType(n.Key)
			asType(n.Value)
		case *ast.ChanType:
			asType(n.Value)
		case *ast.TypeAssertExpr:
			asType(n.Type)
		case *ast.TypeSwitchStmt:
			for _, c := range n.Body.List {
				if c, ok := c.(*ast.CaseClause); ok {
					for _, e := range c.List {
						asType(e)
					}
				}
			}
		case *ast.CallExpr:
			if id, ok := n.Fun.(*ast.Ident); ok && (id.Name == "new" || id.Name == "make") && len(n.Args) > 0 {
				asType(n.Args[0])
			}
			if paren, ok := n.Fun.(*ast.ParenExpr); ok {
				if star, ok := paren.X.(*ast.StarExpr); ok { // (*T)(x)
					asType(star.X)
				}
			}
		case *ast.IndexExpr: // F[T], at worst a type too many
			asType(n.Index)
		}
		return true
	})
}

var majorVersion = regexp.MustCompile(`^v[0-9]+$`)

// packageNames are what the package at an import path may call itself, the likeliest first.
func packageNames(importPath string) []string {
	base := path.Base(importPath)
	if majorVersion.MatchString(base) {
		base = path.Base(path.Dir(importPath))
	}
	if i := strings.LastIndex(base, ".v"); i > 0 { // gopkg.in/yaml.v3
		base = base[:i]
	}
	names := []string{base}
	for _, cut := range []string{"go-", "golang-", "go"} {
		if s, ok := strings.CutPrefix(base, cut); ok && s != "" {
			names = append(names, s)
		}
	}
	for _, cut := range []string{"-go", ".go", "go"} {
		if s, ok := strings.CutSuffix(base, cut); ok && s != "" {
			names = append(names, s)
		}
	}
	for _, n := range names {
		if strings.ContainsAny(n, "-.") {
			names = append(names, strings.NewReplacer("-", "", ".", "").Replace(n), strings.NewReplacer("-", "_", ".", "_").Replace(n))
			if i := strings.LastIndexAny(n, "-."); i >= 0 {
				names = append(names, n[i+1:], n[:i])
			}
		}
	}
	return names
}

// synthesize makes a package out of what is taken from it: a name that stands for a type is an opaque type of that name, so
// that a variable declared with it is still known by it. Every other name is undefined, and what is made of it has no type.
func (p *program) synthesize(m *goModule, importPath string) *types.Package {
	name := ""
	if at := p.locate(m, importPath); at.std {
		name = path.Base(importPath)
		if majorVersion.MatchString(name) {
			name = path.Base(path.Dir(importPath))
		}
	} else if at.dir != "" {
		name = p.packageName(at.dir)
	}
	u := p.uses[importPath]
	if u != nil && name == "" {
		for local, n := range u.local {
			if n > u.local[name] || n == u.local[name] && local < name {
				name = local
			}
		}
	}
	if name == "" {
		name = packageNames(importPath)[0]
	}
	made := types.NewPackage(importPath, name)
	if u != nil {
		for t := range u.types {
			if token.IsIdentifier(t) {
				obj := types.NewTypeName(token.NoPos, made, t, nil)
				types.NewNamed(obj, opaque(importPath, t), nil)
				made.Scope().Insert(obj)
			}
		}
	}
	made.MarkComplete()
	return made
}

// opaque is what a type that cannot be seen is made of. Squirrel's and pgx's literals are what they are, since checking a literal of
// another form would give up in the middle of it.
func opaque(importPath, name string) types.Type {
	empty := types.NewInterfaceType(nil, nil).Complete()
	switch kind := sqlizerTypes[name]; {
	case importPath == "context" && name == "Context":
		return empty
	case strings.HasPrefix(importPath, "github.com/jackc/pgx/") && name == "Identifier":
		return types.NewSlice(types.Typ[types.String])
	case strings.HasPrefix(importPath, "github.com/jackc/pgx/") && strings.HasSuffix(name, "NamedArgs"):
		return types.NewMap(types.Typ[types.String], empty)
	case kind == "and" || kind == "or":
		return types.NewSlice(empty)
	case kind != "":
		return types.NewMap(types.Typ[types.String], empty)
	}
	return types.NewStruct(nil, nil)
}

// packageName reads what the package in a directory calls itself, "" when no file says.
func (p *program) packageName(dir string) string {
	entries, err := p.disk.readDir(dir)
	if err != nil {
		return ""
	}
	for _, e := range entries {
		name := e.Name()
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := p.disk.readFile(filepath.Join(dir, name))
		if err != nil {
			continue
		}
		if f, err := parser.ParseFile(token.NewFileSet(), name, text, parser.PackageClauseOnly); err == nil && f.Name.Name != "main" && f.Name.Name != "documentation" {
			return f.Name.Name
		}
	}
	return ""
}
