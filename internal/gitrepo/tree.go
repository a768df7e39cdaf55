package gitrepo

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os/exec"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Tree is the tree of a commit as a read-only file system, from the top of the repository. Files are read when opened.
// Symbolic links and submodules appear as irregular files that cannot be read.
type Tree struct {
	repo   *Repo
	ctx    context.Context
	Commit string
	files  map[string]entry
	dirs   map[string][]fs.DirEntry
}

type entry struct {
	mode fs.FileMode
	id   string
	size int64
	name string
	data []byte // set once read through Load
}

// Tree lists a commit. ctx bounds this call and the reads to come.
func (r *Repo) Tree(ctx context.Context, commit string) (*Tree, error) {
	out, err := run(ctx, r.Root, "ls-tree", "-r", "-l", "-z", "--full-tree", commit)
	if err != nil {
		return nil, err
	}
	t := &Tree{repo: r, ctx: ctx, Commit: commit, files: map[string]entry{}, dirs: map[string][]fs.DirEntry{".": nil}}
	for _, rec := range strings.Split(out, "\x00") {
		meta, name, ok := strings.Cut(rec, "\t")
		f := strings.Fields(meta)
		if !ok || len(f) != 4 {
			continue
		}
		e := entry{id: f[2], name: path.Base(name)}
		switch {
		case f[1] != "blob":
			e.mode = fs.ModeIrregular
		case f[0] == "120000":
			e.mode = fs.ModeSymlink
		}
		e.size, _ = strconv.ParseInt(f[3], 10, 64)
		t.files[name] = e
		t.addToDir(name, e)
	}
	for _, list := range t.dirs {
		slices.SortFunc(list, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	}
	return t, nil
}

func (t *Tree) addToDir(name string, e fs.DirEntry) {
	dir := path.Dir(name)
	_, seen := t.dirs[dir]
	t.dirs[dir] = append(t.dirs[dir], e)
	if !seen && dir != "." {
		t.addToDir(dir, entry{mode: fs.ModeDir | 0o755, name: path.Base(dir)})
	}
}

// Irregular lists, sorted, the symbolic links and the submodules below a directory ("" is the top), which cannot be read.
func (t *Tree) Irregular(dir string) (links, submodules []string) {
	for name, e := range t.files {
		switch {
		case dir != "" && !strings.HasPrefix(name, dir+"/"):
		case e.mode == fs.ModeSymlink:
			links = append(links, name)
		case e.mode == fs.ModeIrregular:
			submodules = append(submodules, name)
		}
	}
	slices.Sort(links)
	slices.Sort(submodules)
	return links, submodules
}

// Open implements fs.FS.
func (t *Tree) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	if list, ok := t.dirs[name]; ok {
		return &openDir{entry{mode: fs.ModeDir | 0o755, name: path.Base(name)}, list, 0}, nil
	}
	data, err := t.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return &openFile{t.files[name], bytes.NewReader(data)}, nil
}

// ReadDir implements fs.ReadDirFS.
func (t *Tree) ReadDir(name string) ([]fs.DirEntry, error) {
	list, ok := t.dirs[name]
	if !ok {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrNotExist}
	}
	return slices.Clone(list), nil
}

// ReadFile implements fs.ReadFileFS.
func (t *Tree) ReadFile(name string) ([]byte, error) {
	e, ok := t.files[name]
	switch {
	case !ok:
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	case e.data != nil:
		return bytes.Clone(e.data), nil
	case e.mode != 0:
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	out, err := run(t.ctx, t.repo.Root, "cat-file", "blob", e.id)
	if err != nil {
		return nil, &fs.PathError{Op: "read", Path: t.Commit + ":" + name, Err: err}
	}
	return []byte(out), nil
}

// Load reads every regular file for which want is true in one go, so that opening it later starts no process.
func (t *Tree) Load(want func(name string) bool) error {
	var names []string
	for name, e := range t.files {
		if e.mode == 0 && e.data == nil && want(name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	var in strings.Builder
	for _, name := range names {
		in.WriteString(t.files[name].id + "\n")
	}
	cmd := exec.CommandContext(t.ctx, "git", "cat-file", "--batch")
	cmd.Dir = t.repo.Root
	cmd.Stdin = strings.NewReader(in.String())
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("reading %d files of %s: %w", len(names), t.Commit, err)
	}
	for _, name := range names {
		nl := bytes.IndexByte(out, '\n')
		if nl < 0 {
			return fmt.Errorf("reading %s of %s: git's answer ends early", name, t.Commit)
		}
		f := strings.Fields(string(out[:nl]))
		if len(f) != 3 {
			return fmt.Errorf("reading %s of %s: %s", name, t.Commit, out[:nl])
		}
		size, err := strconv.Atoi(f[2])
		if err != nil || len(out) < nl+1+size+1 {
			return fmt.Errorf("reading %s of %s: git's answer ends early", name, t.Commit)
		}
		e := t.files[name]
		e.data = out[nl+1 : nl+1+size : nl+1+size]
		t.files[name] = e
		out = out[nl+1+size+1:]
	}
	return nil
}

func (e entry) Name() string               { return e.name }
func (e entry) IsDir() bool                { return e.mode.IsDir() }
func (e entry) Type() fs.FileMode          { return e.mode.Type() }
func (e entry) Info() (fs.FileInfo, error) { return e, nil }
func (e entry) Size() int64                { return e.size }
func (e entry) Mode() fs.FileMode          { return e.mode | 0o444 }
func (e entry) ModTime() time.Time         { return time.Time{} }
func (e entry) Sys() any                   { return nil }

type openFile struct {
	entry
	*bytes.Reader
}

func (f *openFile) Stat() (fs.FileInfo, error) { return f.entry, nil }
func (f *openFile) Size() int64                { return f.entry.size }
func (f *openFile) Close() error               { return nil }

type openDir struct {
	entry
	list []fs.DirEntry
	next int
}

func (d *openDir) Stat() (fs.FileInfo, error) { return d.entry, nil }
func (d *openDir) Close() error               { return nil }
func (d *openDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.name, Err: fs.ErrInvalid}
}

// ReadDir implements fs.ReadDirFile.
func (d *openDir) ReadDir(n int) ([]fs.DirEntry, error) {
	rest := d.list[d.next:]
	if n > 0 {
		if len(rest) == 0 {
			return nil, io.EOF
		}
		rest = rest[:min(n, len(rest))]
	}
	d.next += len(rest)
	return slices.Clone(rest), nil
}
