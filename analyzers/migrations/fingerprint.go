package migrations

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync"

	"git.sr.ht/~sourcehut/ha-go/internal/gitrepo"
	"git.sr.ht/~sourcehut/ha-go/internal/settings"
	"git.sr.ht/~sourcehut/ha-go/migratecheck"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source"
)

// Fingerprint writes to h everything besides Go files that decides what the analyzer says about a module: its migrations
// and schema.sql, the settings and the files they name, the package that reports each directory, the revision that the
// migrations are compared with, and where their history begins. What cannot be read counts as such: that is a diagnostic.
func Fingerprint(ctx context.Context, h hash.Hash, root string) {
	fmt.Fprintf(h, "module %q\n", root)
	var cfg migratecheck.Config
	if name := settings.Find(root, root); name != "" {
		hashFile(h, name)
		if s, err := settings.Load(name); err == nil {
			for _, named := range s.Names() {
				hashFile(h, named)
			}
		}
		var err error
		if cfg, err = new(settings.Flags).Config(root, root); err != nil {
			fmt.Fprintf(h, "settings: %v\n", err)
		}
	}
	rec := &recorder{fsys: os.DirFS(root), seen: map[string]string{}}
	sets, err := source.Config{Format: cfg.Format}.Discover(rec, ".")
	if err != nil {
		fmt.Fprintf(h, "migrations: %v\n", err)
	}
	m := newModule(root)
	for _, set := range sets {
		if set.SchemaFile != "" {
			rec.note(set.SchemaFile)
		}
		pkg, ok := m.reporter(set.Dir)
		fmt.Fprintf(h, "reporter of %q: %q %t\n", set.Dir, pkg, ok)
	}
	if pkg, ok := m.reporter("."); ok {
		fmt.Fprintf(h, "reporter of errors: %q\n", pkg)
	}
	rec.write(h)
	if len(sets) > 0 {
		hashHistory(ctx, h, &cfg, root, sets)
	}
}

// hashHistory writes the commits that the judgement of the migrations depends on.
func hashHistory(ctx context.Context, h hash.Hash, cfg *migratecheck.Config, root string, sets []source.Set) {
	commit, desc, err := migratecheck.BaseRevision(ctx, cfg, root)
	fmt.Fprintf(h, "base %q %q %v\n", commit, desc, err)
	repo, err := gitrepo.Open(ctx, root)
	if err != nil {
		fmt.Fprintf(h, "repository: %v\n", err)
		return
	}
	for _, set := range sets {
		if len(set.Migrations) > 0 {
			added, parent, err := repo.Added(ctx, path.Join(repo.Prefix, set.Migrations[0].File))
			fmt.Fprintf(h, "history of %q: %q %q %v\n", set.Dir, added, parent, err)
		}
	}
}

func hashFile(h hash.Hash, name string) {
	data, err := os.ReadFile(name)
	fmt.Fprintf(h, "file %q %d %t\n", name, len(data), err == nil)
	h.Write(data)
}

// recorder is a file system that remembers what was read through it, so that a fingerprint covers just what decides.
type recorder struct {
	fsys fs.FS
	mu   sync.Mutex
	seen map[string]string // path to digest
}

func (r *recorder) set(name, digest string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen[name] = digest
}

// note records a file that is not read now, but will be.
func (r *recorder) note(name string) {
	if f, err := r.Open(name); err == nil {
		_, _ = io.Copy(io.Discard, f)
		f.Close()
	}
}

// write adds what was read to a hash, in the order of names.
func (r *recorder) write(h hash.Hash) {
	names := make([]string, 0, len(r.seen))
	for name := range r.seen {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(h, "%q %s\n", name, r.seen[name])
	}
}

// Open implements fs.FS.
func (r *recorder) Open(name string) (fs.File, error) {
	f, err := r.fsys.Open(name)
	if err != nil {
		r.set(name, "error "+cause(err))
		return nil, err
	}
	return &recordedFile{File: f, name: name, rec: r, hash: sha256.New()}, nil
}

// Stat implements fs.StatFS. That a file is there, and what it is, may decide; its size and time do not.
func (r *recorder) Stat(name string) (fs.FileInfo, error) {
	info, err := fs.Stat(r.fsys, name)
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.seen[name]; !ok {
		if err != nil {
			r.seen[name] = "error " + cause(err)
		} else {
			r.seen[name] = "is " + info.Mode().Type().String()
		}
	}
	return info, err
}

// ReadDir implements fs.ReadDirFS. Of the names in a directory those count that may be migrations, or that tell whose they
// are (atlas.sum, tern.conf).
func (r *recorder) ReadDir(name string) ([]fs.DirEntry, error) {
	list, err := fs.ReadDir(r.fsys, name)
	if err != nil {
		r.set(name, "error "+cause(err))
		return list, err
	}
	var names []string
	for _, e := range list {
		base := e.Name()
		switch path.Ext(base) {
		case ".sql", ".py", ".sum", ".hcl", ".ini", ".conf":
		case ".go":
			if base[0] < '0' || base[0] > '9' {
				continue // goose's Go migrations are numbered
			}
		default:
			continue
		}
		names = append(names, fmt.Sprintf("%q %v", base, e.Type()))
	}
	if len(names) > 0 {
		r.set(name, strings.Join(names, " "))
	}
	return list, nil
}

// ReadLink implements fs.ReadLinkFS.
func (r *recorder) ReadLink(name string) (string, error) {
	to, err := fs.ReadLink(r.fsys, name)
	r.set(name+" ->", to)
	return to, err
}

// Lstat implements fs.ReadLinkFS.
func (r *recorder) Lstat(name string) (fs.FileInfo, error) { return fs.Lstat(r.fsys, name) }

func cause(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}

type recordedFile struct {
	fs.File
	name string
	rec  *recorder
	hash hash.Hash
}

// Read implements fs.File.
func (f *recordedFile) Read(p []byte) (int, error) {
	n, err := f.File.Read(p)
	f.hash.Write(p[:n])
	if err != nil {
		f.rec.set(f.name, hex.EncodeToString(f.hash.Sum(nil))+" "+err.Error())
	}
	return n, err
}
