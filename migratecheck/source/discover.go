package source

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Config says how to read. The zero value detects everything.
type Config struct {
	// Format is the name of the Format to read every file as; empty detects it for each directory, from the files'
	// names and annotations.
	Format string
	// Workers is how many files are read at once; 0 is as many as there are CPUs to run on.
	Workers int
}

// Discover is Config{}.Discover.
func Discover(fsys fs.FS, root string) ([]Set, error) { return Config{}.Discover(fsys, root) }

// Discover finds every directory of migrations at or below root ("." for all of fsys) and reads it. Directories named
// vendor, node_modules, testdata and those whose name begins with a dot or an underscore are passed over, unless root
// itself is one; links to directories are not followed: one that leads to migrations elsewhere is a Set that says no more. The sets are sorted by directory. Directories that could not
// be looked into are Problems of sets without a Format. The error is that of root itself, or an unknown Format.
func (c Config) Discover(fsys fs.FS, root string) ([]Set, error) {
	root = path.Clean(root)
	formats, err := c.formats()
	if err != nil {
		return nil, err
	}
	info, err := fs.Stat(fsys, root)
	if err != nil {
		return nil, fmt.Errorf("looking for migrations: %w", err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("looking for migrations: %s is not a directory", root)
	}
	r := &reader{fsys: fsys, formats: formats, forced: c.Format != "", workers: c.Workers}
	if err := r.walk(root, root); err != nil {
		return nil, fmt.Errorf("looking for migrations: %w", err)
	}
	for _, link := range r.unfollowed() {
		r.sets = append(r.sets, Set{Dir: link, Link: true})
	}
	slices.SortStableFunc(r.sets, func(a, b Set) int { return cmp.Compare(a.Dir, b.Dir) })
	return r.sets, nil
}

func (c Config) formats() ([]Format, error) {
	if c.Format == "" {
		return Formats(), nil
	}
	f, err := LookupFormat(c.Format)
	if err != nil {
		return nil, err
	}
	return []Format{f}, nil
}

// reader reads directories.
type reader struct {
	fsys    fs.FS
	formats []Format
	forced  bool
	workers int
	sets    []Set
	walked  []string // the directories
	links   []string // to directories, in those
}

// walk reads the directory and those below.
func (r *reader) walk(root, dir string) error {
	entries, err := fs.ReadDir(r.fsys, dir)
	if err != nil {
		if dir == root {
			return err
		}
		r.sets = append(r.sets, Set{Dir: dir, Problems: []Problem{{
			Pos: Position{File: dir}, Reason: "cannot list the directory: " + cause(err), Err: err,
		}}})
		return nil
	}
	d := &directory{fsys: r.fsys, path: dir, entries: entries, workers: r.workers, isRoot: dir == root}
	r.noteLinks(d)
	set, claimed := r.readDir(d)
	if claimed || len(set.Problems) > 0 {
		r.sets = append(r.sets, set)
	}
	if claimed && d.format.recursive {
		return nil
	}
	for _, e := range entries {
		if e.IsDir() && !passedOver(e.Name()) {
			if err := r.walk(root, path.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// passedOver says whether a directory holds other people's files or fixtures.
func passedOver(name string) bool {
	switch name {
	case "vendor", "node_modules", "testdata", "__pycache__":
		return true
	}
	return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")
}

// readDir reads one directory; claimed is false when no format takes it for migrations.
func (r *reader) readDir(d *directory) (set Set, claimed bool) {
	set.Dir = d.path
	files, problems := d.candidates(r.formats)
	format := r.detect(d, files)
	if format == nil {
		format = r.onlyGo(d)
	}
	if format == nil {
		// Nothing readable is a migration, but what could not be read may have been meant as one.
		for _, p := range problems {
			if _, ok := plainName(path.Base(p.Pos.File)); d.isRoot || ok && soundsLikeMigrations(d.path) {
				set.Problems = append(set.Problems, p)
			}
		}
		return set, false
	}
	d.format = format
	if format.recursive {
		more, p := d.below(d.path, d.entries, format.ext)
		set.Problems = append(set.Problems, p...)
		loaded, p := d.loadAll(more)
		files, problems = append(files, loaded...), append(problems, p...)
	}
	set.Format = format.Name
	for _, p := range problems {
		if path.Ext(p.Pos.File) == format.ext {
			set.Problems = append(set.Problems, p)
		}
	}
	files = slices.DeleteFunc(files, func(f File) bool { return path.Ext(f.Path) != format.ext })
	set.SchemaFile = schemaFile(d)
	d.assemble(files, &set)
	return set, len(files) > 0 || len(set.Migrations) > 0
}

// onlyGo is goose when the directory holds numbered Go files: whether they are migrations shows when they are read.
func (r *reader) onlyGo(d *directory) *Format {
	for _, file := range d.extra(".go") {
		if _, ok := gooseName(strings.TrimSuffix(path.Base(file), ".go") + ".sql"); !ok {
			continue
		}
		return r.named("goose")
	}
	return nil
}

// detect is the format with the surest claim.
func (r *reader) detect(d *directory, files []File) *Format {
	var best *Format
	var bestClaim claim
	var bestCount int
	for i := range r.formats {
		f := &r.formats[i]
		sure, count := claimNone, 0
		for j := range files {
			file := &files[j]
			name := path.Base(file.Path)
			if path.Ext(name) != f.ext {
				continue
			}
			switch c := f.claim(name, file.Text); {
			case r.forced && f.name != nil:
				if _, ok := f.name(name); ok {
					sure, count = max(sure, claimOwn), count+1
				}
			case r.forced:
				sure, count = max(sure, claimOwn), count+1
			case c == claimNone || c < sure:
			case c == sure:
				count++
			default:
				sure, count = c, 1
			}
		}
		if sure == claimNone {
			continue
		}
		if sure > bestClaim || sure == bestClaim && count > bestCount {
			best, bestClaim, bestCount = f, sure, count
		}
	}
	if r.forced || bestClaim > claimDigits {
		return best
	}
	// At most a number before the name.
	switch {
	case len(files) > 0 && d.has("atlas.sum"):
		return r.named("atlas")
	case bestCount >= 2 || d.isRoot || soundsLikeMigrations(d.path):
		return best
	}
	return nil
}

// named is the format of that name, if it is one of those to be considered.
func (r *reader) named(name string) *Format {
	for i := range r.formats {
		if r.formats[i].Name == name {
			return &r.formats[i]
		}
	}
	return nil
}

// soundsLikeMigrations says whether a directory that holds a single numbered .sql file is one of migrations.
func soundsLikeMigrations(dir string) bool {
	for _, word := range []string{"migrat", "schema", "upgrade", "update", "version", "patch", "delta", "sql", "db"} {
		if strings.Contains(strings.ToLower(path.Base(dir)), word) {
			return true
		}
	}
	return false
}

// schemaFile finds schema.sql in the directory or in the three above it.
func schemaFile(d *directory) string {
	dir := d.path
	for range 4 {
		name := path.Join(dir, "schema.sql")
		if info, err := fs.Stat(d.fsys, name); err == nil && info.Mode().IsRegular() {
			return name
		}
		if dir == "." || strings.HasPrefix(dir, "..") {
			break
		}
		dir = path.Dir(dir)
	}
	return ""
}

// cause is the file system's error without the operation and path, which the Problem has already.
func cause(err error) string {
	var e *fs.PathError
	if errors.As(err, &e) {
		return e.Err.Error()
	}
	return err.Error()
}
