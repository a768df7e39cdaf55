package sqlquery

import (
	"context"
	"errors"
	"go/ast"
	"go/build"
	"go/parser"
	"go/scanner"
	"go/token"
	"go/types"
	"io/fs"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
)

// program is all Go code that one Load reads. It is used by one goroutine, but for parsing.
type program struct {
	ctx      context.Context
	dir      string
	disk     disk
	cfg      Config
	build    build.Context
	goRoot   string
	modCache string

	modules []*goModule
	dirs    []string
	fset    *token.FileSet
	// packages are those with syntax, by import path; own ones sorted in order.
	packages map[string]*pkg
	order    []*pkg
	// known are the packages that others import, by import path, synthetic ones included.
	known map[string]*types.Package
	uses  map[string]*usage // what the user's code takes from each import path

	gaps   []Gap
	noting sync.Mutex // guards gaps while files are parsed side by side
}

// pkg is a package whose source was read.
type pkg struct {
	path   string
	dir    string
	module *goModule
	place  place // of a dependency
	own    bool
	bodies bool // function bodies are checked and analysed
	files  []*ast.File
	types  *types.Package
	info   *types.Info

	checking bool
}

func newProgram(ctx context.Context, dir string, cfg Config) (*program, error) {
	p := &program{ctx: ctx, dir: dir, disk: disk{cfg.Root, cfg.Tree}, cfg: cfg, build: buildContext(cfg.Env), fset: token.NewFileSet(),
		packages: map[string]*pkg{}, known: map[string]*types.Package{}, uses: map[string]*usage{}}
	p.goRoot = env(cfg.Env, "GOROOT")
	if p.goRoot == "" {
		p.goRoot = runtimeRoot()
	}
	p.modCache = env(cfg.Env, "GOMODCACHE")
	if p.modCache == "" {
		gopath := env(cfg.Env, "GOPATH")
		if gopath == "" {
			gopath = filepath.Join(env(cfg.Env, "HOME"), "go")
		}
		p.modCache = filepath.Join(filepath.SplitList(gopath)[0], "pkg", "mod")
	}
	return p, p.findModules()
}

// runtimeRoot finds the Go tree that the go command belongs to, without running it; "" when there is none.
func runtimeRoot() string {
	if name, err := exec.LookPath("go"); err == nil {
		if real, err := filepath.EvalSymlinks(name); err == nil {
			if root := filepath.Dir(filepath.Dir(real)); (disk{}).isDir(filepath.Join(root, "src", "database", "sql")) {
				return root
			}
		}
	}
	return ""
}

func (p *program) gap(name, reason string) {
	g := Gap{Name: name, Reason: reason}
	if !slices.Contains(p.gaps, g) {
		p.gaps = append(p.gaps, g)
	}
}

// rel is a file's name as a Position has it.
func (p *program) rel(name string) string {
	if r, err := filepath.Rel(p.dir, name); err == nil {
		return filepath.ToSlash(r)
	}
	return filepath.ToSlash(name)
}

// plain is an error's text without the name of the file, which stands beside it.
func plain(err error) string {
	var perr *fs.PathError
	if errors.As(err, &perr) {
		return perr.Err.Error()
	}
	return err.Error()
}

// read parses the user's packages and, of what they import, the packages that may send SQL themselves.
func (p *program) read() error {
	type job struct {
		dir   string
		files []*ast.File
	}
	jobs := make([]job, len(p.dirs))
	each(len(p.dirs), func(i int) {
		jobs[i] = job{p.dirs[i], p.parseDir(p.dirs[i], true)}
	})
	if err := p.ctx.Err(); err != nil {
		return err
	}
	for _, j := range jobs {
		m := p.moduleOf(j.dir)
		if len(j.files) == 0 || m == nil {
			continue
		}
		sub, _ := filepath.Rel(m.dir, j.dir)
		importPath := path.Join(m.path, filepath.ToSlash(sub))
		// Two packages in one directory are an error of the user's; both are read.
		byName := map[string][]*ast.File{}
		for _, f := range j.files {
			byName[f.Name.Name] = append(byName[f.Name.Name], f)
		}
		var names []string
		for name := range byName {
			names = append(names, name)
		}
		sort.Slice(names, func(a, b int) bool {
			if len(byName[names[a]]) != len(byName[names[b]]) {
				return len(byName[names[a]]) > len(byName[names[b]])
			}
			return names[a] < names[b]
		})
		for i, name := range names {
			at := importPath
			if i > 0 {
				at += " [" + name + "]"
			}
			k := &pkg{path: at, dir: j.dir, module: m, own: true, bodies: true, files: byName[name]}
			p.packages[at] = k
			p.order = append(p.order, k)
		}
	}
	p.readDependencies()
	p.collectUses()
	return nil
}

// each calls f for 0 … n-1 on all CPUs and returns when all are done.
func each(n int, f func(int)) {
	var next sync.Mutex
	i := -1
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), n) {
		wg.Go(func() {
			for {
				next.Lock()
				i++
				at := i
				next.Unlock()
				if at >= n {
					return
				}
				f(at)
			}
		})
	}
	wg.Wait()
}

// parseDir parses the files of a directory that belong to the build, tests apart.
func (p *program) parseDir(dir string, own bool) []*ast.File {
	if p.ctx.Err() != nil {
		return nil
	}
	entries, err := p.disk.readDir(dir)
	if err != nil {
		return nil
	}
	var files []*ast.File
	for _, e := range entries {
		name := e.Name()
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "_") || strings.HasPrefix(name, ".") {
			continue
		}
		if !e.Type().IsRegular() && e.Type()&fs.ModeSymlink == 0 {
			continue
		}
		full := filepath.Join(dir, name)
		text, err := p.disk.readFile(full)
		if err != nil {
			p.note(own, full, "cannot be read: "+plain(err))
			continue
		}
		if !p.inBuild(dir, name, text) {
			continue
		}
		f, err := parser.ParseFile(p.fset, full, text, parser.SkipObjectResolution|parser.ParseComments)
		if err != nil {
			var list scanner.ErrorList
			if errors.As(err, &list) && len(list) > 0 {
				p.note(own, full, "a syntax error in line "+strconv.Itoa(list[0].Pos.Line)+" ("+list[0].Msg+"): what stands near it may be missing")
			}
		}
		if f != nil && f.Name != nil && f.Name.Name != "" && f.Name.Name != "_" {
			files = append(files, f)
		}
	}
	return files
}

func (p *program) note(own bool, file, reason string) {
	if own {
		p.noting.Lock()
		defer p.noting.Unlock()
		p.gap(p.rel(file), reason)
	}
}

// inBuild says whether a file belongs to the build: its name and its //go:build line (MatchFile would open it again).
func (p *program) inBuild(dir, name string, text []byte) bool {
	if strings.Contains(name, "_") || strings.Contains(string(text[:min(len(text), 4096)]), "//go:build") {
		c := p.build
		c.OpenFile = p.disk.open
		if ok, err := c.MatchFile(dir, name); err == nil {
			return ok
		}
	}
	return true
}

// imports are the import paths of some files.
func imports(files []*ast.File) []string {
	var list []string
	for _, f := range files {
		for _, spec := range f.Imports {
			if s, err := strconv.Unquote(spec.Path.Value); err == nil {
				list = append(list, s)
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}
