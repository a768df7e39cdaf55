package gitrepo

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// commit writes files into a repository at dir and commits them, with a tag when one is given.
func commit(t *testing.T, dir string, files map[string]string, tag string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	git(t, dir, "add", "-A")
	git(t, dir, "commit", "-q", "-m", "x")
	if tag != "" {
		git(t, dir, "tag", "-a", "-m", tag, tag)
	}
}

func git(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=t", "-c", "user.email=t@t.example", "-c", "init.defaultBranch=main"}, args...)...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

func TestRepo(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	_, err := Open(ctx, dir)
	require.ErrorIs(t, err, ErrNotRepository)

	git(t, dir, "init", "-q")
	r, err := Open(ctx, dir)
	require.NoError(t, err)
	tag, _, err := r.NewestTag(ctx)
	require.NoError(t, err)
	require.Empty(t, tag, "an empty repository has no tag")

	commit(t, dir, map[string]string{"schema.sql": "a"}, "")
	root := r.Head(ctx)
	commit(t, dir, map[string]string{"svc/migrations/0001_a.sql": "one", "svc/ä b.sql": ""}, "1.0")
	first := r.Head(ctx)
	tag, _, err = r.NewestTag(ctx)
	require.NoError(t, err)
	require.Empty(t, tag, "a tag on HEAD does not count")
	commit(t, dir, map[string]string{"svc/migrations/0001_a.sql": "two"}, "")
	tag, id, err := r.NewestTag(ctx)
	require.NoError(t, err)
	require.Equal(t, "1.0", tag)
	require.Equal(t, first, id, "the commit, not the tag object")

	added, parent, err := r.Added(ctx, "svc/migrations/0001_a.sql")
	require.NoError(t, err)
	require.Equal(t, first, added)
	require.Equal(t, root, parent)

	changed, err := r.Changed(ctx, first)
	require.NoError(t, err)
	require.Equal(t, []string{"svc/migrations/0001_a.sql", "svc/ä b.sql"}, changed)
	changed, err = r.Changed(ctx, root)
	require.NoError(t, err)
	require.Equal(t, []string{"schema.sql"}, changed, "a root commit")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "new"), nil, 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "schema.sql"), []byte("b"), 0o644))
	changed, err = r.Changed(ctx, "")
	require.NoError(t, err)
	require.Equal(t, []string{"new", "schema.sql"}, changed, "what is not committed")
	git(t, dir, "checkout", "-q", "schema.sql")
	require.NoError(t, os.Remove(filepath.Join(dir, "new")))

	tree, err := r.Tree(ctx, first)
	require.NoError(t, err)
	require.NoError(t, fstest.TestFS(tree, "schema.sql", "svc/migrations/0001_a.sql", "svc/ä b.sql"))
	require.NoError(t, tree.Load(func(string) bool { return true }))
	require.NoError(t, fstest.TestFS(tree, "schema.sql", "svc/migrations/0001_a.sql", "svc/ä b.sql"))
	text, err := tree.ReadFile("svc/migrations/0001_a.sql")
	require.NoError(t, err)
	require.Equal(t, "one", string(text))

	_, err = r.Resolve(ctx, "nonesuch")
	require.ErrorContains(t, err, `revision "nonesuch" does not exist`)

	sub, err := Open(ctx, filepath.Join(dir, "svc"))
	require.NoError(t, err)
	require.Equal(t, "svc", sub.Prefix)

	git(t, dir, "switch", "-q", "-c", "topic")
	commit(t, dir, map[string]string{"x": ""}, "")
	branch, base, err := sub.MergeBase(ctx)
	require.NoError(t, err)
	require.Equal(t, "main", branch)
	main, err := r.Resolve(ctx, "main")
	require.NoError(t, err)
	require.Equal(t, main, base)

	shallow := filepath.Join(t.TempDir(), "shallow")
	git(t, dir, "clone", "-q", "--depth", "1", "file://"+dir, shallow)
	s, err := Open(ctx, shallow)
	require.NoError(t, err)
	_, err = s.Resolve(ctx, "1.0")
	require.ErrorContains(t, err, "git fetch --unshallow")
}

func TestTreeAtRevision(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	git(t, dir, "init", "-q")
	require.NoError(t, os.Symlink("a.go", filepath.Join(dir, "link.go")))
	commit(t, dir, map[string]string{"a.go": "package a\n", "sub/b.go": "package b\n"}, "")
	commit(t, dir, map[string]string{"a.go": "package later\n"}, "")
	repo, err := Open(ctx, dir)
	require.NoError(t, err)
	repo.At = "HEAD~1"
	tree, err := repo.Tree(ctx, repo.Head(ctx))
	require.NoError(t, err)
	require.NoError(t, tree.Load(func(name string) bool { return filepath.Ext(name) == ".go" }))
	data, err := tree.ReadFile("a.go")
	require.NoError(t, err)
	require.Equal(t, "package a\n", string(data), "the revision's text, not the work tree's")
	links, submodules := tree.Irregular("")
	require.Equal(t, []string{"link.go"}, links)
	require.Empty(t, submodules)
	links, _ = tree.Irregular("sub")
	require.Empty(t, links)
}

// TestNotOwned makes git take the repository for somebody else's (as its own t0033 does): the command that helps is said.
func TestNotOwned(t *testing.T) {
	dir := t.TempDir()
	git(t, dir, "init", "-q")
	t.Setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
	t.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
	_, err := Open(t.Context(), dir)
	require.ErrorContains(t, err, "dubious ownership")
	require.ErrorContains(t, err, "; if you trust it: git config --global --add safe.directory ")
}

// Where there can be no repository git is not asked; where there may be one it is.
func TestGitIsNotAskedOutside(t *testing.T) {
	bin, asked := t.TempDir(), filepath.Join(t.TempDir(), "asked")
	require.NoError(t, os.WriteFile(filepath.Join(bin, "git"), []byte("#!/bin/sh\n: >'"+asked+"'\necho 'fatal: not a git repository' >&2; exit 128\n"), 0o755))
	t.Setenv("PATH", bin)
	top := t.TempDir()
	below := filepath.Join(top, "svc", "migrations")
	require.NoError(t, os.MkdirAll(below, 0o755))
	link := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(below, link))
	isAsked := func(dir string) bool {
		_ = os.Remove(asked)
		_, err := Open(t.Context(), dir)
		require.ErrorIs(t, err, ErrNotRepository)
		_, err = os.Stat(asked)
		return err == nil
	}
	require.False(t, isAsked(below))
	require.False(t, isAsked(link))
	t.Setenv("GIT_DIR", filepath.Join(top, "elsewhere"))
	require.True(t, isAsked(below))
	t.Setenv("GIT_DIR", "")
	require.NoError(t, os.WriteFile(filepath.Join(top, "HEAD"), nil, 0o644))
	require.True(t, isAsked(below), "a bare repository")
	require.NoError(t, os.Remove(filepath.Join(top, "HEAD")))
	require.NoError(t, os.WriteFile(filepath.Join(top, ".git"), []byte("gitdir: elsewhere\n"), 0o644))
	require.True(t, isAsked(below), "a work tree's .git is a file")
	require.True(t, isAsked(link), "a link into it")
}
