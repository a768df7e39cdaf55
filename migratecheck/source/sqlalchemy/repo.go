package sqlalchemy

import (
	"path"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source/internal/python"
)

// repo is all Python files of one Read; it is the host of their code.
type repo struct {
	modules []*python.Module
	byPath  map[string]*python.Module
	dirs    map[string]bool // those above the modules
	running map[*python.Module]*python.Interp
	lines   map[*python.Module][]int

	created map[*python.Column]int // in which order columns were made
	mapped  map[*python.Class]*model
	tables  []*python.Table
	tableAt map[*python.Table]place
	mappers []imperative
	written written

	evaluated map[*python.Node]bool // the calls met while functions are scanned; nil before and after
	found     map[*python.Node]*found
	texts     map[textKey]*text
	backrefs  map[string]bool // attributes that relationships of other classes make

	sites []query.Site
	gaps  []Gap
}

// place is a node in its file.
type place struct {
	mod *python.Module
	n   *python.Node
}

// imperative is a call of mapper(Class, table).
type imperative struct {
	class *python.Class
	table *python.Table
}

func newRepo(modules []*python.Module) *repo {
	r := &repo{
		modules: modules,
		byPath:  map[string]*python.Module{},
		dirs:    map[string]bool{},
		running: map[*python.Module]*python.Interp{},
		lines:   map[*python.Module][]int{},
		created: map[*python.Column]int{},
		mapped:  map[*python.Class]*model{},
		tableAt: map[*python.Table]place{},
		found:   map[*python.Node]*found{},
		texts:   map[textKey]*text{},

		backrefs: map[string]bool{},
	}
	for _, m := range modules {
		r.byPath[m.Path] = m
		for dir := path.Dir(m.Path); !r.dirs[dir]; dir = path.Dir(dir) {
			r.dirs[dir] = true
		}
	}
	return r
}

// run runs the top level of every file, as if each were imported.
func (r *repo) run() {
	for _, m := range r.modules {
		if m.ErrorAt >= 0 {
			r.gaps = append(r.gaps, Gap{Pos: r.pos(m, m.ErrorAt), Reason: "Python would not compile this"})
		}
		r.load(m)
	}
}

// load runs a file's top level once, behind those of the packages it lies in, as Python's import does.
func (r *repo) load(m *python.Module) {
	if r.running[m] != nil {
		return
	}
	for _, dir := range ancestors(m.Path) {
		if init := r.byPath[path.Join(dir, "__init__.py")]; init != nil && init != m {
			r.load(init)
		}
	}
	if r.running[m] != nil {
		return
	}
	m.Env = python.NewEnv(nil)
	m.Env.Set("__name__", python.Plain(strings.ReplaceAll(strings.TrimSuffix(m.Path, ".py"), "/", ".")))
	x := &python.Interp{State: &python.State{Host: r}, Mod: m, Env: m.Env}
	r.running[m] = x
	x.Block(m.Root)
}

// ancestors are the directories above a file, outermost first, "." among them.
func ancestors(name string) []string {
	var out []string
	for dir := path.Dir(name); ; dir = path.Dir(dir) {
		out = append([]string{dir}, out...)
		if dir == "." || dir == "/" {
			return out
		}
	}
}

// find is the file or package that `import name` finds from m. Python looks below the directories of sys.path, which
// are taken to be those above m that are no packages themselves, and their src directories; the outermost comes first.
func (r *repo) find(m *python.Module, name string) *namespace {
	if rest := strings.TrimLeft(name, "."); rest != name {
		dir := path.Dir(m.Path)
		for range len(name) - len(rest) - 1 {
			dir = path.Dir(dir)
		}
		return r.at(path.Join(dir, strings.ReplaceAll(rest, ".", "/")))
	}
	below := strings.ReplaceAll(name, ".", "/")
	for _, dir := range ancestors(m.Path) {
		if r.byPath[path.Join(dir, "__init__.py")] != nil {
			continue
		}
		for _, base := range []string{dir, path.Join(dir, "src")} {
			if n := r.at(path.Join(base, below)); n != nil {
				return n
			}
		}
	}
	return nil
}

// at is the module at a path without .py: a file, a package, or a directory of either.
func (r *repo) at(name string) *namespace {
	if m := r.byPath[path.Join(name, "__init__.py")]; m != nil {
		return &namespace{r: r, dir: name, mod: m}
	}
	if m := r.byPath[name+".py"]; m != nil {
		return &namespace{r: r, mod: m}
	}
	if r.dirs[name] {
		return &namespace{r: r, dir: name}
	}
	return nil
}

// namespace is a module of the repository as a value. dir is set for a package, mod nil for one without __init__.py.
type namespace struct {
	r   *repo
	dir string
	mod *python.Module
}

func (n *namespace) get(name string) (python.Value, bool) {
	if n.mod != nil {
		n.r.load(n.mod)
		if v, ok := n.mod.Env.Vars[name]; ok {
			return v, true
		}
	}
	if n.dir != "" {
		if sub := n.r.at(path.Join(n.dir, name)); sub != nil {
			return sub, true
		}
	}
	return nil, false
}

func (n *namespace) Attribute(_ *python.Interp, name string) python.Value {
	if v, ok := n.get(name); ok {
		return v
	}
	return python.Unknown{Why: "the name " + name + ", which its module does not define where it could be followed"}
}

func (n *namespace) CallMethod(*python.Interp, string, python.Args) python.Value {
	return python.Unknown{Why: "a module's method"}
}

// Names are what `from … import *` takes.
func (n *namespace) Names() map[string]python.Value {
	out := map[string]python.Value{}
	if n.mod == nil {
		return out
	}
	n.r.load(n.mod)
	for name, v := range n.mod.Env.Vars {
		if !strings.HasPrefix(name, "_") {
			out[name] = v
		}
	}
	return out
}

// ImportName implements python.Host.
func (r *repo) ImportName(m *python.Module, name string) python.Value {
	dots := len(name) - len(strings.TrimLeft(name, "."))
	words := strings.Split(name[dots:], ".")
	for i := len(words); i > 0; i-- {
		found := r.find(m, name[:dots]+strings.Join(words[:i], "."))
		if found == nil || found.mod == m && found.dir == "" {
			continue
		}
		var v python.Value = found
		for _, word := range words[i:] {
			n, ok := v.(*namespace)
			if !ok {
				return python.Unknown{Why: "a part of " + name}
			}
			v = n.Attribute(nil, word)
		}
		if found.mod != nil {
			r.load(found.mod)
		}
		return v
	}
	return nil
}

// Gap implements python.Host: what a module's top level does is of no interest but for the classes it defines.
func (r *repo) Gap(*python.Interp, *python.Node, string, bool) {}

// pos is the position of a byte.
func (r *repo) pos(m *python.Module, at int) query.Position {
	starts := r.lines[m]
	if starts == nil {
		starts = []int{0}
		for i := range len(m.Text) {
			if m.Text[i] == '\n' {
				starts = append(starts, i+1)
			}
		}
		r.lines[m] = starts
	}
	low, high := 0, len(starts)
	for high-low > 1 {
		if mid := (low + high) / 2; starts[mid] <= at {
			low = mid
		} else {
			high = mid
		}
	}
	return query.Position{File: m.Path, Line: low + 1, Column: at - starts[low] + 1}
}
