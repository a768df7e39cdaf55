package migrations

import (
	"bufio"
	"bytes"
	"go/build"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// module is a module's tree on disk: which directories may hold migrations, and which package reports them. It looks no
// further than it is asked, since go vet starts a process for each package.
type module struct {
	root string
	dirs map[string]*directory
}

// directory is what is known about one directory, by its slash-separated path from the root.
type directory struct {
	below     []string // names of the directories of the module in it
	goFiles   []string
	sqlFiles  []string // .sql and .py
	nested    bool     // the root of another module
	goPackage *bool    // whether it is a package, once asked
}

func newModule(root string) *module {
	return &module{root: root, dirs: map[string]*directory{}}
}

func (m *module) path(dir string) string { return filepath.Join(m.root, filepath.FromSlash(dir)) }

// dir lists a directory; nothing is in one that cannot be read.
func (m *module) dir(name string) *directory {
	if d, ok := m.dirs[name]; ok {
		return d
	}
	d := new(directory)
	m.dirs[name] = d
	entries, err := os.ReadDir(m.path(name))
	if err != nil {
		return d
	}
	for _, e := range entries {
		switch base := e.Name(); {
		case e.IsDir():
			if !passedOver(base) {
				d.below = append(d.below, base)
			}
		case base == "go.mod":
			d.nested = name != "."
		case strings.HasSuffix(base, ".go"):
			d.goFiles = append(d.goFiles, base)
		case strings.HasSuffix(base, ".sql"), strings.HasSuffix(base, ".py"):
			d.sqlFiles = append(d.sqlFiles, base)
		}
	}
	return d
}

// passedOver says which directories hold neither packages nor migrations of the module (go help packages, "Directory and
// file names that begin with …"; source.Discover).
func passedOver(name string) bool {
	return name == "vendor" || name == "testdata" || name == "node_modules" || name == "__pycache__" ||
		strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")
}

// owns reports whether a directory is the module's, and not that of a module within.
func (m *module) owns(dir string) bool {
	for ; dir != "."; dir = path.Dir(dir) {
		if m.dir(dir).nested {
			return false
		}
	}
	return true
}

// candidates lists the directories that may be directories of migrations: those that hold .sql or .py files, and those
// above them, because some tools read a whole tree as one history.
func (m *module) candidates() []string {
	found := map[string]bool{".": true}
	var walk func(dir string)
	walk = func(dir string) {
		d := m.dir(dir)
		if d.nested {
			return
		}
		if len(d.sqlFiles) > 0 {
			for up := dir; !found[up]; up = path.Dir(up) {
				found[up] = true
			}
		}
		for _, name := range d.below {
			walk(path.Join(dir, name))
		}
	}
	walk(".")
	list := make([]string, 0, len(found))
	for dir := range found {
		list = append(list, dir)
	}
	slices.Sort(list)
	return list
}

// reporter is the directory of the package that reports the migrations in dir; ok is false when the module has none.
func (m *module) reporter(dir string) (pkg string, ok bool) {
	if pkg := m.embedder(dir); pkg != "" {
		return pkg, true
	}
	// Nearest: the fewest steps up and down the tree. Among equals, the fewest up, then by name.
	ups := []string{dir}
	for up := dir; up != "."; {
		up = path.Dir(up)
		ups = append(ups, up)
	}
	for distance, more := 0, true; more; distance++ {
		more = false
		for up, from := range ups {
			down := distance - up
			if down < 0 {
				more = true
				break
			}
			pkg, deeper := m.packageBelow(from, down)
			if pkg != "" {
				return pkg, true
			}
			more = more || deeper
		}
	}
	return "", false
}

// packageBelow is the first package exactly depth levels below dir; deeper is whether there are directories at that level.
func (m *module) packageBelow(dir string, depth int) (pkg string, deeper bool) {
	d := m.dir(dir)
	if d.nested {
		return "", false
	}
	if depth == 0 {
		if m.isPackage(dir) {
			return dir, true
		}
		return "", true
	}
	for _, name := range d.below {
		pkg, more := m.packageBelow(path.Join(dir, name), depth-1)
		if pkg != "" {
			return pkg, true
		}
		deeper = deeper || more
	}
	return "", deeper
}

// isPackage reports whether go vet ./... visits the directory: it holds a Go file that is not excluded on this platform.
func (m *module) isPackage(dir string) bool {
	d := m.dir(dir)
	if d.goPackage == nil {
		yes := slices.ContainsFunc(d.goFiles, func(name string) bool { return m.builds(dir, name) })
		d.goPackage = &yes
	}
	return *d.goPackage
}

func (m *module) builds(dir, file string) bool {
	match, err := build.Default.MatchFile(m.path(dir), file)
	return err == nil && match
}

// embedder is the directory of the package that embeds a migration of dir, the nearest if several do, "" for none. A
// package can embed only what is in its directory or below (package embed, "Directives").
func (m *module) embedder(dir string) string {
	var files []string
	for from := dir; ; from = path.Dir(from) {
		for _, name := range m.dir(from).goFiles {
			patterns := embedPatterns(filepath.Join(m.path(from), name))
			if len(patterns) == 0 || !m.builds(from, name) {
				continue
			}
			if files == nil {
				files = m.migrationFiles(dir)
			}
			for _, file := range files {
				if embeds(patterns, strings.TrimPrefix(file, strings.TrimPrefix(from+"/", "./"))) {
					return from
				}
			}
		}
		if from == "." {
			return ""
		}
	}
}

// migrationFiles lists .sql and .py files in dir, else below it.
func (m *module) migrationFiles(dir string) []string {
	d := m.dir(dir)
	var list []string
	for _, name := range d.sqlFiles {
		list = append(list, path.Join(dir, name))
	}
	if len(list) > 0 {
		return list
	}
	for _, name := range d.below {
		list = append(list, m.migrationFiles(path.Join(dir, name))...)
	}
	return list
}

// embedPatterns reads the //go:embed directives of a Go file.
func embedPatterns(name string) []string {
	data, err := os.ReadFile(name)
	if err != nil || !bytes.Contains(data, []byte("//go:embed")) {
		return nil
	}
	var list []string
	sc := bufio.NewScanner(bytes.NewReader(data))
	sc.Buffer(nil, len(data)+1)
	for sc.Scan() {
		rest, ok := strings.CutPrefix(strings.TrimLeft(sc.Text(), " \t"), "//go:embed")
		if !ok {
			continue
		}
		for rest = strings.TrimSpace(rest); rest != ""; rest = strings.TrimSpace(rest) {
			pattern := rest
			if quoted, err := strconv.QuotedPrefix(rest); err == nil {
				rest = rest[len(quoted):]
				pattern, _ = strconv.Unquote(quoted)
			} else if i := strings.IndexAny(rest, " \t"); i >= 0 {
				pattern, rest = rest[:i], rest[i:]
			} else {
				rest = ""
			}
			list = append(list, strings.TrimPrefix(pattern, "all:"))
		}
	}
	return list
}

// embeds reports whether a pattern matches the file or a directory that holds it.
func embeds(patterns []string, file string) bool {
	for name := file; name != "."; name = path.Dir(name) {
		for _, p := range patterns {
			if ok, err := path.Match(p, name); ok && err == nil {
				return true
			}
		}
	}
	return false
}

// isTestOnly reports whether the Go files are an external test package (package a_test) in a directory that holds another
// package as well, so that go vet visits the directory a second time for them.
func (m *module) isTestOnly(dir string, names []string) bool {
	external := func(name string) bool {
		if !strings.HasSuffix(name, "_test.go") {
			return false
		}
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(m.path(dir), name), nil, parser.PackageClauseOnly)
		return err == nil && strings.HasSuffix(f.Name.Name, "_test")
	}
	for _, name := range names {
		if !external(filepath.Base(name)) {
			return false
		}
	}
	return slices.ContainsFunc(m.dir(dir).goFiles, func(name string) bool {
		return !external(name) && m.builds(dir, name)
	})
}

// relative is the slash-separated path of a directory from the root; ok is false outside it.
func (m *module) relative(dir string) (string, bool) {
	rel, err := filepath.Rel(m.root, dir)
	if err != nil {
		return "", false
	}
	rel = filepath.ToSlash(rel)
	return rel, fs.ValidPath(rel)
}
