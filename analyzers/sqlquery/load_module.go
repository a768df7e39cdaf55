package sqlquery

import (
	"go/build"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"sort"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// goModule is one module of the user's.
type goModule struct {
	dir, path string
	// versions are the versions that the build selects, by module path; replaced are directories that stand in for modules.
	versions map[string]string
	replaced map[string]string
	vendor   string // the vendor directory, "" when there is none
}

// modules finds the modules below the program's directory: each go.mod, and the directory itself when there is none.
func (p *program) findModules() error {
	var dirs []string
	err := p.disk.walk(p.dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			if name == p.dir {
				return err
			}
			p.gap(p.rel(name), "cannot be read: "+plain(err))
			return fs.SkipDir
		}
		if p.ctx.Err() != nil {
			return p.ctx.Err()
		}
		if d.IsDir() {
			if name != p.dir && skipDir(d.Name()) {
				return fs.SkipDir
			}
			dirs = append(dirs, name)
			return nil
		}
		if d.Name() == "go.mod" {
			p.modules = append(p.modules, p.readModule(filepath.Dir(name), name))
		}
		return nil
	})
	if err != nil {
		return err
	}
	if len(p.modules) == 0 || p.modules[0].dir != p.dir && !p.inModule(p.dir) {
		if m := p.enclosingModule(); m != nil {
			p.modules = append(p.modules, m)
		} else {
			p.modules = append(p.modules, &goModule{dir: p.dir, versions: map[string]string{}, replaced: map[string]string{}})
		}
	}
	sort.Slice(p.modules, func(i, j int) bool { return len(p.modules[i].dir) > len(p.modules[j].dir) })
	p.dirs = dirs
	return nil
}

func (p *program) inModule(dir string) bool {
	for _, m := range p.modules {
		if m.dir == dir {
			return true
		}
	}
	return false
}

// enclosingModule is the module that the directory is a part of, nil when it is of none.
func (p *program) enclosingModule() *goModule {
	for dir := filepath.Dir(p.dir); ; dir = filepath.Dir(dir) {
		name := filepath.Join(dir, "go.mod")
		if p.disk.isFile(name) {
			return p.readModule(dir, name)
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}

// skipDir says which directories the go command leaves out of ./... as well, and vendor.
func skipDir(name string) bool {
	return name == "vendor" || name == "testdata" || name == "node_modules" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")
}

// moduleOf is the innermost module that a directory belongs to.
func (p *program) moduleOf(dir string) *goModule {
	for _, m := range p.modules { // longest first
		if dir == m.dir || strings.HasPrefix(dir, m.dir+string(filepath.Separator)) || strings.HasSuffix(m.dir, string(filepath.Separator)) && strings.HasPrefix(dir, m.dir) {
			return m
		}
	}
	return nil
}

// readModule reads a go.mod as far as it can be.
func (p *program) readModule(dir, name string) *goModule {
	m := &goModule{dir: dir, versions: map[string]string{}, replaced: map[string]string{}}
	if p.disk.isFile(filepath.Join(dir, "vendor", "modules.txt")) {
		m.vendor = filepath.Join(dir, "vendor")
	}
	text, err := p.disk.readFile(name)
	if err != nil {
		p.gap(p.rel(name), "cannot be read: "+plain(err))
		return m
	}
	f, err := modfile.ParseLax(name, text, nil)
	if err != nil {
		p.gap(p.rel(name), "is not understood: "+plain(err))
		m.path = modfile.ModulePath(text)
		return m
	}
	// ParseLax leaves replacements out, which only count in a main module; this is one.
	if strict, err := modfile.Parse(name, text, nil); err == nil {
		f = strict
	}
	if f.Module != nil {
		m.path = f.Module.Mod.Path
	}
	for _, r := range f.Require {
		m.versions[r.Mod.Path] = r.Mod.Version
	}
	if f.Go == nil || semver.Compare("v"+f.Go.Version, "v1.17") < 0 {
		p.selectVersions(m)
	}
	for _, r := range f.Replace {
		if v, ok := m.versions[r.Old.Path]; r.Old.Version != "" && (!ok || v != r.Old.Version) {
			continue
		}
		if r.New.Version == "" {
			target := filepath.FromSlash(r.New.Path)
			if !filepath.IsAbs(target) {
				target = filepath.Join(dir, target)
			}
			m.replaced[r.Old.Path] = target
		} else {
			m.replaced[r.Old.Path] = p.cached(r.New.Path, r.New.Version)
			m.versions[r.Old.Path] = r.New.Version
		}
	}
	return m
}

// selectVersions adds what the requirements require, the highest version of each, from the go.mod files in the module
// cache: before Go 1.17 a go.mod listed direct dependencies only (https://go.dev/ref/mod#minimal-version-selection).
func (p *program) selectVersions(m *goModule) {
	seen := map[module.Version]bool{}
	var queue []module.Version
	for path, version := range m.versions {
		queue = append(queue, module.Version{Path: path, Version: version})
	}
	for len(queue) > 0 {
		mod := queue[0]
		queue = queue[1:]
		if seen[mod] {
			continue
		}
		seen[mod] = true
		if semver.Compare(m.versions[mod.Path], mod.Version) < 0 {
			m.versions[mod.Path] = mod.Version
		}
		escaped, err1 := module.EscapePath(mod.Path)
		version, err2 := module.EscapeVersion(mod.Version)
		if err1 != nil || err2 != nil {
			continue
		}
		text, err := os.ReadFile(filepath.Join(p.modCache, "cache", "download", filepath.FromSlash(escaped), "@v", version+".mod"))
		if err != nil {
			continue
		}
		f, err := modfile.ParseLax("go.mod", text, nil)
		if err != nil {
			continue
		}
		for _, r := range f.Require {
			queue = append(queue, r.Mod)
		}
	}
}

// cached is where the module cache keeps a version, whether or not it is there.
func (p *program) cached(path, version string) string {
	escaped, err := module.EscapePath(path)
	if err != nil {
		return ""
	}
	v, err := module.EscapeVersion(version)
	if err != nil {
		return ""
	}
	return filepath.Join(p.modCache, filepath.FromSlash(escaped)+"@"+v)
}

// place is where the source of an import path is.
type place struct {
	dir string // "" when it is not on this machine
	// module is the path of the module, with its version in name; both "" for the user's own and the standard library.
	module, name string
	std          bool
}

// locate finds the source of an import path, as imported by a package of module m.
func (p *program) locate(m *goModule, importPath string) place {
	for _, own := range p.modules {
		if own.path != "" && within(importPath, own.path) {
			dir := filepath.Join(own.dir, filepath.FromSlash(strings.TrimPrefix(strings.TrimPrefix(importPath, own.path), "/")))
			if p.disk.isDir(dir) {
				return place{dir: dir}
			}
		}
	}
	if first, _, _ := strings.Cut(importPath, "/"); !strings.Contains(first, ".") {
		if dir := filepath.Join(p.goRoot, "src", filepath.FromSlash(importPath)); p.goRoot != "" && p.disk.isDir(dir) {
			return place{dir: dir, std: true}
		}
		return place{std: true}
	}
	if m == nil {
		return place{}
	}
	if m.vendor != "" { // what the go command takes when there is one
		if dir := filepath.Join(m.vendor, filepath.FromSlash(importPath)); p.disk.isDir(dir) {
			mod := m.requirement(importPath)
			return place{dir: dir, module: mod, name: mod + "@" + m.versions[mod]}
		}
	}
	best := ""
	for mod := importPath; mod != "." && mod != "/"; mod = path.Dir(mod) {
		_, required := m.versions[mod]
		_, replaced := m.replaced[mod]
		if !required && !replaced {
			continue
		}
		if best == "" {
			best = mod
		}
		sub := filepath.FromSlash(strings.TrimPrefix(strings.TrimPrefix(importPath, mod), "/"))
		at := place{module: mod, name: mod + "@" + m.versions[mod]}
		for _, dir := range []string{m.replaced[mod], p.cached(mod, m.versions[mod])} {
			if dir != "" && p.disk.isDir(filepath.Join(dir, sub)) {
				at.dir = filepath.Join(dir, sub)
				return at
			}
			if replaced {
				break
			}
		}
	}
	at := place{module: best}
	if best != "" {
		at.name = best + "@" + m.versions[best]
	}
	return at
}

// requirement is the longest required module path that an import path can belong to.
func (m *goModule) requirement(importPath string) string {
	for mod := importPath; mod != "." && mod != "/"; mod = path.Dir(mod) {
		if _, ok := m.versions[mod]; ok {
			return mod
		}
	}
	return importPath
}

func within(importPath, module string) bool {
	return importPath == module || strings.HasPrefix(importPath, module+"/")
}

// buildContext is the go command's idea of which files belong to a package, from the environment.
func buildContext(list []string) build.Context {
	c := build.Default
	c.CgoEnabled = true // a file that needs cgo is read like any other
	set := func(to *string, name, otherwise string) {
		if v := env(list, name); v != "" {
			*to = v
		} else {
			*to = otherwise
		}
	}
	set(&c.GOOS, "GOOS", runtime.GOOS)
	set(&c.GOARCH, "GOARCH", runtime.GOARCH)
	for _, flag := range strings.Fields(env(list, "GOFLAGS")) {
		if tags, ok := strings.CutPrefix(strings.TrimPrefix(flag, "-"), "-tags="); ok {
			c.BuildTags = strings.Split(tags, ",")
		} else if tags, ok := strings.CutPrefix(flag, "-tags="); ok {
			c.BuildTags = strings.Split(tags, ",")
		}
	}
	return c
}
