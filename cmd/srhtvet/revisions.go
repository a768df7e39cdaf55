package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/gitrepo"
	"git.sr.ht/~sourcehut/ha-go/internal/settings"
)

// revision is the code of a git revision, written to a directory of its own.
type revision struct {
	dir    string   // where what corresponds to the directory that was asked for is
	left   []string // files that were not written: symbolic links and submodules
	remove func()
}

// checkout writes the files of a commit that tell about its queries and migrations to a temporary directory. The module
// around dir is written whole, since packages of it import each other. The repository is only read.
func checkout(ctx context.Context, repo *gitrepo.Repo, commit, dir string) (*revision, error) {
	tree, err := repo.Tree(ctx, commit)
	if err != nil {
		return nil, err
	}
	top := dir
	if root := settings.ModuleRoot(dir); root != "" && within(repo.Root, root) {
		top = root
	}
	prefix, err := slashRel(repo.Root, top)
	if err != nil {
		return nil, err
	}
	below, err := slashRel(repo.Root, dir)
	if err != nil {
		return nil, err
	}
	temp, err := os.MkdirTemp("", "srhtvet-")
	if err != nil {
		return nil, err
	}
	rev := &revision{dir: filepath.Join(temp, filepath.FromSlash(below)), remove: func() { os.RemoveAll(temp) }}
	if rev.left, err = tree.Export(prefix, temp, tellsOfQueries); err == nil {
		err = os.MkdirAll(rev.dir, 0o700) // the revision may not have it
	}
	if err != nil {
		rev.remove()
		return nil, fmt.Errorf("writing the files of %.7s to a temporary directory: %w", commit, err)
	}
	return rev, nil
}

// tellsOfQueries reports whether a file can hold a query or a migration, or says how those that can are built: Go,
// Python (scripts without an ending too) and SQL.
func tellsOfQueries(name string) bool {
	switch base := path.Base(name); path.Ext(base) {
	case ".go", ".py", ".sql", ".mod", ".sum", ".work", ".toml", ".ini":
		return true
	case "":
		return true
	default:
		return base == "modules.txt"
	}
}

func slashRel(base, name string) (string, error) {
	// git names the work tree by its real path.
	if real, err := filepath.EvalSymlinks(name); err == nil {
		name = real
	}
	if real, err := filepath.EvalSymlinks(base); err == nil {
		base = real
	}
	rel, err := filepath.Rel(base, name)
	if err != nil || strings.HasPrefix(rel, "..") {
		return "", fmt.Errorf("%s is outside of the repository %s", name, base)
	}
	return filepath.ToSlash(rel), nil
}

// openRepository finds the repository around dir for a command that cannot do without.
func openRepository(ctx context.Context, command, dir string) (*gitrepo.Repo, error) {
	repo, err := gitrepo.Open(ctx, dir)
	if errors.Is(err, gitrepo.ErrNotRepository) {
		return nil, fmt.Errorf("%s compares revisions, and %s is not in a git repository", command, dir)
	}
	return repo, err
}
