package sqlquery

import (
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
)

// maxScanned bounds the packages of dependencies whose imports are looked at.
const maxScanned = 3000

// understood are the libraries whose calls are known by name, so that their source says nothing more.
var understood = []string{"github.com/lib/pq", "github.com/jackc/pgx", "github.com/jackc/pgconn", "github.com/jackc/pgtype", "github.com/jmoiron/sqlx",
	"github.com/Masterminds/squirrel", "github.com/jackc/puddle"}

// silent are large modules without SQL of their own; what they import is not followed either.
var silent = []string{"golang.org/x", "google.golang.org", "cloud.google.com", "k8s.io", "sigs.k8s.io", "github.com/aws", "github.com/Azure",
	"github.com/prometheus", "go.opentelemetry.io", "github.com/grpc-ecosystem"}

// ourselves are packages of this module that services import; they send nothing of the service's.
var ourselves = []string{"git.sr.ht/~sourcehut/ha-go"}

// notUnderstood are libraries that write SQL which is not in the code.
var notUnderstood = []string{"gorm.io/gorm", "github.com/jinzhu/gorm", "entgo.io/ent", "github.com/uptrace/bun", "xorm.io/xorm", "github.com/go-pg/pg",
	"github.com/doug-martin/goqu", "github.com/volatiletech/sqlboiler", "github.com/aarondl/sqlboiler", "github.com/stephenafamo/bob",
	"github.com/go-jet/jet", "github.com/upper/db", "github.com/gobuffalo/pop", "github.com/huandu/go-sqlbuilder", "github.com/go-gorp/gorp",
	"github.com/georgysavva/scany", "github.com/blockloop/scan", "github.com/gocraft/dbr", "github.com/go-rel/rel"}

// HasFacts reports whether a package of a dependency may have facts for those that import it: it imports a library that
// talks to databases, and is none itself. What a package hands on from others is for the caller to know.
func HasFacts(importPath string, imports []string) bool {
	return !isOneOf(importPath, understood) && !isOneOf(importPath, silent) && slices.ContainsFunc(imports, talksToDatabases)
}

// talksToDatabases reports whether a package that imports this path may send SQL.
func talksToDatabases(importPath string) bool {
	return importPath == "database/sql" || isOneOf(importPath, understood) || strings.Contains(importPath, "squirrel")
}

func isOneOf(importPath string, modules []string) bool {
	return slices.ContainsFunc(modules, func(m string) bool { return within(importPath, m) })
}

// dependency is a package outside the user's modules.
type dependency struct {
	path     string
	module   *goModule // the user's module that selects its version
	place    place
	imports  []string
	relevant bool
}

// readDependencies reads the packages outside the directory that matter: of the user's modules all that are imported, of
// others those that import, directly or through others, a package that talks to databases. The imports of all are read, the
// bodies of these alone.
func (p *program) readDependencies() {
	deps := map[string]*dependency{}
	var next []*dependency
	add := func(m *goModule, importPath string) {
		if deps[importPath] != nil || p.packages[importPath] != nil || importPath == "C" {
			return
		}
		first, _, _ := strings.Cut(importPath, "/")
		own := p.isOwn(importPath)
		if !own && (!strings.Contains(first, ".") || p.cfg.WithoutDependencies) {
			return
		}
		d := &dependency{path: importPath, module: m, relevant: own}
		deps[importPath] = d
		next = append(next, d)
	}
	for _, k := range p.order {
		for _, path := range imports(k.files) {
			add(k.module, path)
			for _, lib := range notUnderstood {
				if within(path, lib) {
					p.gap(lib, "a library that writes SQL itself: what is sent through it is not seen")
				}
			}
		}
	}
	direct := len(next)
	for level := 0; len(next) > 0; level++ {
		now := next
		next = nil
		each(len(now), func(i int) {
			d := now[i]
			if d.place = p.locate(d.module, d.path); d.place.dir != "" && !isOneOf(d.path, understood) && !isOneOf(d.path, silent) {
				d.imports = p.importsOf(d.place.dir)
			}
		})
		for i, d := range now {
			if d.place.dir == "" && level == 0 && i < direct && !isOneOf(d.path, understood) && !isOneOf(d.path, ourselves) {
				switch {
				case p.isOwn(d.path):
					p.gap(d.path, "no Go files here, so its types are not seen (generated, and not committed?)")
				case d.place.name != "":
					p.gap(d.place.name, "not on this machine, so neither the SQL it sends nor its types are seen")
				default:
					p.gap(d.path, "required by no go.mod, so neither the SQL it sends nor its types are seen")
				}
			}
			for _, path := range d.imports {
				if len(deps) < maxScanned {
					add(d.module, path)
				}
			}
		}
	}
	for again := true; again; {
		again = false
		for _, d := range deps {
			if d.relevant || isOneOf(d.path, understood) || isOneOf(d.path, notUnderstood) {
				continue
			}
			for _, path := range d.imports {
				if talksToDatabases(path) || deps[path] != nil && deps[path].relevant {
					d.relevant, again = true, true
					break
				}
			}
		}
	}
	var list []*dependency
	for _, d := range deps {
		if d.relevant && d.place.dir != "" {
			list = append(list, d)
		}
	}
	slices.SortFunc(list, func(a, b *dependency) int { return strings.Compare(a.path, b.path) })
	read := make([]*pkg, len(list))
	each(len(list), func(i int) {
		d := list[i]
		k := &pkg{path: d.path, dir: d.place.dir, module: d.module, place: d.place, bodies: true}
		for _, f := range p.parseDir(d.place.dir, false) {
			if len(k.files) == 0 || f.Name.Name == k.files[0].Name.Name {
				k.files = append(k.files, f)
			}
		}
		read[i] = k
	})
	for _, k := range read {
		if len(k.files) > 0 {
			p.packages[k.path] = k
			p.order = append(p.order, k)
		}
	}
}

// isOwn reports whether an import path lies in one of the user's modules.
func (p *program) isOwn(importPath string) bool {
	return slices.ContainsFunc(p.modules, func(m *goModule) bool { return m.path != "" && within(importPath, m.path) })
}

// importsOf reads what the files of a directory import.
func (p *program) importsOf(dir string) []string {
	entries, err := p.disk.readDir(dir)
	if err != nil {
		return nil
	}
	var list []string
	fset := token.NewFileSet()
	for _, e := range entries {
		name := e.Name()
		if e.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "_") || strings.HasPrefix(name, ".") {
			continue
		}
		text, err := p.disk.readFile(filepath.Join(dir, name))
		if err != nil {
			continue
		}
		f, err := parser.ParseFile(fset, name, text, parser.ImportsOnly)
		if f == nil || err != nil && f.Name == nil {
			continue
		}
		for _, spec := range f.Imports {
			list = append(list, strings.Trim(spec.Path.Value, "\"`"))
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}
