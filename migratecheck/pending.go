package migratecheck

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/gitrepo"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source"
)

// Pending says which migrations of a set are not released yet. They are those absent from, in this order: the revision
// that Config names; the newest tag reachable from HEAD that is not HEAD itself; the merge base with the default branch;
// without git, an empty history: all are pending.
type Pending struct {
	// Known is false when no base is known: everything is judged, each file as a unit of its own.
	Known bool
	// All is set by Config.All: everything is judged as if each file were the newest.
	All bool
	// Base describes what was taken, for a person: "tag 0.95.0", "merge base with origin/main (1a2b3c4)".
	Base string
	// Commit is the base's commit id, "" without git.
	Commit string
	// Released holds the text of every migration file of the base, by its path in the set's file system.
	Released map[string]string

	since string
	order []string
	// companions are, by migration file, the code files that were committed with it; only filled for code-with-migration.
	companions map[string][]string

	only map[string]bool // files named one by one: judged whether released or not
}

// Includes reports whether a migration is pending.
func (p *Pending) Includes(m *source.Migration) bool {
	if p.only != nil {
		for file := range p.only {
			if inFile(m, file) {
				return true
			}
		}
		return false
	}
	return !p.isReleased(m)
}

// isReleased reports whether a migration is known to be released. Of files named one by one that is another question than
// which of them are judged.
func (p *Pending) isReleased(m *source.Migration) bool {
	switch {
	case p.All || !p.Known:
		return false
	case p.since != "":
		return !slices.Contains(p.order, m.File)
	}
	_, released := p.Released[m.File]
	return released
}

// judgesReleased reports whether a released file was named, to be judged all the same.
func (p *Pending) judgesReleased(set *source.Set) bool {
	return slices.ContainsFunc(set.Migrations, func(m source.Migration) bool { return p.Includes(&m) && p.isReleased(&m) })
}

// base is a revision to compare with, found once for all sets of a tree.
type base struct {
	repo *gitrepo.Repo
	tree *gitrepo.Tree
	desc string
}

// resolved is a base that was found for a directory and what Config said then. Asking git takes longer than judging a small history.
type resolved struct {
	dir, base, revision string
	found               *base
}

// findBase resolves the revision whose migrations count as released; nil without git or when there is nothing to
// compare with.
func findBase(ctx context.Context, cfg *Config, dir string) (*base, error) {
	if r := cfg.resolved; r != nil && r.dir == dir && r.base == cfg.Base && r.revision == cfg.Revision {
		return r.found, nil
	}
	repo, err := gitrepo.Open(ctx, dir)
	if errors.Is(err, gitrepo.ErrNotRepository) {
		if cfg.Base != "" {
			return nil, fmt.Errorf("-base %s: %s is not in a git repository; use -since VERSION or -all", cfg.Base, dir)
		}
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	repo.At = cfg.Revision
	b := &base{repo: repo}
	commit := ""
	if cfg.Base != "" {
		if commit, err = repo.Resolve(ctx, cfg.Base); err != nil {
			return nil, fmt.Errorf("-base: %w", err)
		}
		b.desc = cfg.Base
	} else if tag, id, err := repo.NewestTag(ctx); err != nil {
		return nil, err
	} else if tag != "" {
		b.desc, commit = "tag "+tag, id
	} else if branch, id, err := repo.MergeBase(ctx); err != nil {
		return nil, err
	} else if shallow, _ := repo.Shallow(ctx); shallow && !cfg.All && cfg.Since == "" && (branch == "" || id == repo.Head(ctx)) {
		// Nothing would be pending, whatever this change holds.
		return nil, errors.New("this clone is shallow: the newest tag, or where this branch began, is not in it; fetch the history with `git fetch --unshallow --tags`, or name the released revision (-base, -old, or base in .srhtvet.toml)")
	} else if branch != "" {
		b.desc, commit = fmt.Sprintf("the merge base with %s (%.7s)", branch, id), id
	}
	if commit == "" {
		return b, nil
	}
	b.tree, err = repo.Tree(ctx, commit)
	return b, err
}

// BaseRevision names the commit that decides what is pending in dir, and describes it; both are "" without git or
// without anything to compare with. cfg remembers it for the calls that follow with the same directory. The vettool mixes it into its version, so that go vet's cache follows a moved tag.
func BaseRevision(ctx context.Context, cfg *Config, dir string) (commit, desc string, err error) {
	b, err := findBase(ctx, cfg, dir)
	if err != nil {
		return "", "", err
	}
	cfg.resolved = &resolved{dir, cfg.Base, cfg.Revision, b}
	if b == nil || b.tree == nil {
		return "", "", nil
	}
	return b.tree.Commit, b.desc, nil
}

// pending decides for one set.
func (b *base) pending(cfg *Config, set *source.Set) (*Pending, error) {
	p := &Pending{All: cfg.All, Released: map[string]string{}}
	if b != nil && b.tree != nil {
		p.Known, p.Base, p.Commit = true, b.desc, b.tree.Commit
		if err := b.released(set, p.Released); err != nil {
			return nil, err
		}
	}
	if i := indexOfVersion(set, cfg.Since); i >= 0 {
		p.Known, p.Base, p.since = true, "version "+cfg.Since, cfg.Since
		for _, m := range set.Migrations[i+1:] {
			p.order = append(p.order, m.File)
		}
	}
	if p.All {
		// Every file is judged as it was when it was new: a unit of its own.
		p.Known = false
		p.Base = "none: all migrations are judged"
	}
	return p, nil
}

// indexOfVersion is the place of a version in a set, -1 when it is not there or empty.
func indexOfVersion(set *source.Set, version string) int {
	return slices.IndexFunc(set.Migrations, func(m source.Migration) bool { return version != "" && sameVersion(m.Version, version) })
}

// checkSince refuses a version that none of the directories has. One that does not have it (an earlier tool's, beside the
// present one's) goes by the base.
func checkSince(cfg *Config, sets []selection) error {
	if cfg.Since == "" {
		return nil
	}
	var dirs []string
	for i := range sets {
		if indexOfVersion(&sets[i].Set, cfg.Since) >= 0 {
			return nil
		}
		if len(sets[i].Migrations) > 0 {
			dirs = append(dirs, sets[i].Dir)
		}
	}
	if len(dirs) == 0 {
		return nil // there are no migrations at all, which is said elsewhere
	}
	return fmt.Errorf("-since %s: no migration of that version in %s", cfg.Since, strings.Join(dirs, ", "))
}

// decidesBaseline reports whether a reference to an object that is not there shows that the history does not begin with an
// empty database, rather than that the file is wrong. Released files were applied, so they are right; a pending one may be
// wrong, unless not even one table was made before it. Without git, and without a version, nothing is known to be released,
// and a file is believed; but what the history itself has made and dropped, or made without the column, was not there before
// it.
func (p *Pending) decidesBaseline(f *File, e *catalog.Error, cat *catalog.Catalog) bool {
	_, released := p.Released[f.Migration.File]
	if p.since != "" {
		released = !slices.Contains(p.order, f.Migration.File)
	}
	if released || f.renamedFrom != "" {
		return true // whether it is judged (Config.All) or not
	}
	if cat.Seen(e.Object) && f.gap == 0 && !f.holes {
		return false
	}
	return p.since == "" && p.Commit == "" || !cat.MadeRelations()
}

func sameVersion(a, b string) bool {
	trim := func(s string) string { return strings.TrimLeft(strings.TrimPrefix(s, "V"), "0") }
	return a == b || trim(a) == trim(b)
}

// released reads the base's files of the set's directory.
func (b *base) released(set *source.Set, into map[string]string) error {
	dir := path.Join(b.repo.Prefix, set.Dir)
	inDir := func(name string) bool {
		return dir == "." || dir == "" || strings.HasPrefix(name, dir+"/")
	}
	if err := b.tree.Load(func(name string) bool {
		return inDir(name) && holdsMigration(name)
	}); err != nil {
		return err
	}
	if err := fs.WalkDir(b.tree, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !inDir(name) || !holdsMigration(name) {
			return err
		}
		data, err := b.tree.ReadFile(name)
		if err != nil {
			return nil // a symbolic link or submodule: not a migration of the base
		}
		into[strings.TrimPrefix(strings.TrimPrefix(name, b.repo.Prefix), "/")] = string(data)
		return nil
	}); err != nil || len(into) > 0 {
		return err
	}
	return b.releasedElsewhere(set, into)
}

// releasedElsewhere looks for the directory that a set's files were moved from: the one that holds the most files of their
// names, by then at least two of three of its own.
func (b *base) releasedElsewhere(set *source.Set, into map[string]string) error {
	byName := map[string]string{}
	for i := range set.Migrations {
		byName[path.Base(set.Migrations[i].File)] = set.Migrations[i].File
	}
	all, known := map[string]int{}, map[string][]string{}
	if err := fs.WalkDir(b.tree, ".", func(name string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && holdsMigration(name) && !isDownFile(name) {
			all[path.Dir(name)]++
			if byName[path.Base(name)] != "" {
				known[path.Dir(name)] = append(known[path.Dir(name)], name)
			}
		}
		return err
	}); err != nil {
		return err
	}
	from := ""
	for _, dir := range slices.Sorted(maps.Keys(known)) {
		if len(known[dir]) > len(known[from]) && 3*len(known[dir]) >= 2*all[dir] {
			from = dir
		}
	}
	moved := known[from]
	if err := b.tree.Load(func(name string) bool { return slices.Contains(moved, name) }); err != nil {
		return err
	}
	for _, name := range moved {
		if data, err := b.tree.ReadFile(name); err == nil {
			into[byName[path.Base(name)]] = string(data)
		}
	}
	return nil
}

// holdsMigration reports whether a file may be one of a set: SQL, alembic's Python, goose's Go.
func holdsMigration(name string) bool {
	switch path.Ext(name) {
	case ".sql", ".py", ".go":
		return true
	}
	return false
}

// isDownFile reports whether a file holds a way down only, as golang-migrate's do.
func isDownFile(name string) bool { return strings.HasSuffix(name, ".down.sql") }
