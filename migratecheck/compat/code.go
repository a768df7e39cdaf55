package compat

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/analyzers/sqlquery"
	"git.sr.ht/~sourcehut/ha-go/internal/gitrepo"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source/sqlalchemy"
)

// ReadCode finds the queries of the code in a directory, Go and Python. What cannot be looked at is a Gap of the result;
// the error says that the directory cannot be read, or is ctx's.
func ReadCode(ctx context.Context, dir string) (*Code, error) {
	return readCode(ctx, sqlquery.Config{Dir: dir}, os.DirFS(dir))
}

// ReadRevision is ReadCode for a commit of the repository that the directory is in, as it stood there. Nothing is checked
// out: the files are read out of the repository, which is not changed.
func ReadRevision(ctx context.Context, repo *gitrepo.Repo, commit, dir string) (*Code, error) {
	tree, err := repo.Tree(ctx, commit)
	if err != nil {
		return nil, err
	}
	below, err := SlashRel(repo.Root, dir)
	if err != nil {
		return nil, err
	}
	// The module around the directory is read whole, since its packages import each other.
	if err := tree.Load(tellsOfQueries); err != nil {
		return nil, err
	}
	files, err := fs.Sub(tree, below)
	if err != nil {
		return nil, err
	}
	code, err := readCode(ctx, sqlquery.Config{Dir: dir, Root: repo.Root, Tree: tree}, files)
	if err != nil {
		return nil, err
	}
	links, submodules := tree.Irregular(strings.TrimPrefix(below, "."))
	for _, name := range links {
		if tellsOfQueries(name) {
			code.Gaps = append(code.Gaps, Gap{Reason: name + " is a symbolic link, which is not followed"})
		}
	}
	for _, name := range submodules {
		code.Gaps = append(code.Gaps, Gap{Reason: name + " is a submodule: its files belong to another repository, so that all that a work tree has of them counts as new here; run srhtvet in " + name + ", which has revisions of its own"})
	}
	return code, nil
}

func readCode(ctx context.Context, golang sqlquery.Config, files fs.FS) (*Code, error) {
	code := &Code{Files: files}
	if _, err := fs.Stat(files, "."); err != nil {
		code.Gaps = append(code.Gaps, Gap{Reason: "the directory is not there in this version"})
		return code, nil
	}
	tree, err := sqlquery.Load(ctx, golang)
	if err != nil {
		return nil, err
	}
	code.Sites = tree.Sites
	for _, g := range tree.Gaps {
		code.Gaps = append(code.Gaps, Gap{Reason: g.Name + ": " + g.Reason})
	}
	python, err := sqlalchemy.Read(files, ".")
	if err != nil {
		return nil, fmt.Errorf("reading Python: %w", err)
	}
	code.Sites = append(code.Sites, python.Sites...)
	for _, g := range python.Gaps {
		code.Gaps = append(code.Gaps, Gap{query.Position(g.Pos), g.Reason})
	}
	return code, nil
}

// tellsOfQueries reports whether a file can hold a query or a migration, or says how those that can are built: Go,
// Python (scripts without an ending too) and SQL.
func tellsOfQueries(name string) bool {
	switch base := path.Base(name); path.Ext(base) {
	case ".go", ".py", ".sql", ".mod", ".sum", ".work", ".toml", ".ini", "":
		return true
	default:
		return base == "modules.txt"
	}
}

// SlashRel is the slash-separated way from a directory to a file or directory in it, whatever symbolic links lead to both.
func SlashRel(base, name string) (string, error) {
	if real, err := filepath.EvalSymlinks(name); err == nil {
		name = real
	}
	if real, err := filepath.EvalSymlinks(base); err == nil {
		base = real
	}
	rel, err := filepath.Rel(base, name)
	if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return "", fmt.Errorf("%s is outside of %s", name, base)
	}
	return filepath.ToSlash(rel), nil
}
