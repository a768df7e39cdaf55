package compat

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

// Tree is the code of a git revision, written to a directory of its own.
type Tree struct {
	// Dir is what corresponds to the directory that was asked for. It is there, and empty, when the revision has none.
	Dir string
	// Left are the files that were not written: symbolic links and submodules.
	Left []string
	temp string
}

// Remove removes the directory. The zero Tree has none.
func (t *Tree) Remove() error {
	if t.temp == "" {
		return nil
	}
	return os.RemoveAll(t.temp)
}

// Checkout writes the files of a commit that tell about its queries and migrations to a temporary directory. The module
// around dir is written whole, since packages of it import each other. The repository is only read; the caller removes the
// result.
func Checkout(ctx context.Context, repo *gitrepo.Repo, commit, dir string) (*Tree, error) {
	tree, err := repo.Tree(ctx, commit)
	if err != nil {
		return nil, err
	}
	top := dir
	if root := settings.ModuleRoot(dir); root != "" && isWithin(repo.Root, root) {
		top = root
	}
	prefix, err := SlashRel(repo.Root, top)
	if err != nil {
		return nil, err
	}
	below, err := SlashRel(repo.Root, dir)
	if err != nil {
		return nil, err
	}
	temp, err := os.MkdirTemp("", "srhtvet-")
	if err != nil {
		return nil, err
	}
	out := &Tree{Dir: filepath.Join(temp, filepath.FromSlash(below)), temp: temp}
	if out.Left, err = tree.Export(prefix, temp, tellsOfQueries); err == nil {
		err = os.MkdirAll(out.Dir, 0o700) // the revision may not have it
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("writing the files of %.7s to a temporary directory: %w", commit, err), out.Remove())
	}
	return out, nil
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

// SlashRel is the slash-separated way from a directory to a file or directory in it, whatever symbolic links lead to both.
func SlashRel(base, name string) (string, error) {
	// git names the work tree by its real path.
	if real, err := filepath.EvalSymlinks(name); err == nil {
		name = real
	}
	if real, err := filepath.EvalSymlinks(base); err == nil {
		base = real
	}
	rel, err := filepath.Rel(base, name)
	if err != nil || strings.HasPrefix(rel, "..") {
		return "", fmt.Errorf("%s is outside of %s", name, base)
	}
	return filepath.ToSlash(rel), nil
}

// isWithin reports whether a path is dir or below it.
func isWithin(dir, name string) bool {
	_, err := SlashRel(dir, name)
	return err == nil
}
