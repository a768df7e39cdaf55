package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestBadFiles: one clear error each, exit 2, and the other files still linted.
func TestBadFiles(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		make  func(t *testing.T, dir string)
		want  string
	}{
		"binary":            {files: map[string]string{"m/0002_b.sql": "\x7fELF\x00\x00\x01"}, want: "m/0002_b.sql"},
		"UTF-16":            {files: map[string]string{"m/0002_b.sql": "\xff\xfeA\x00"}, want: "UTF-16"},
		"invalid UTF-8":     {files: map[string]string{"m/0002_b.sql": "SELECT '\xe9t\xe9';"}, want: "m/0002_b.sql:1:9: invalid UTF-8"},
		"loop of links":     {make: link("0002_b.sql", "m/0002_b.sql"), want: "m/0002_b.sql"},
		"dangling link":     {make: link("nowhere", "m/0002_b.sql"), want: "m/0002_b.sql"},
		"directory loop":    {make: link("..", "m/again")},
		"a directory":       {files: map[string]string{"m/0002_b.sql/x": ""}},
		"binary Python":     {files: map[string]string{"m/0002_b.sql": "a\x00b", "m/x.py": "\x00"}, want: "m/0002_b.sql"},
		"unreadable in all": {files: map[string]string{"n/0001_b.sql": "\x00", "n/0002_b.sql": dropSQL}, want: "n/0001_b.sql"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := tree(t, map[string]string{"m/0001_a.sql": goodSQL, "m/0003_c.sql": "-- +brant Up\nALTER TABEL t;\n"})
			writeAll(t, dir, c.files)
			if c.make != nil {
				c.make(t, dir)
			}
			r := srhtvet(t, dir, "lint", "-format", "json", "-q")
			require.Contains(t, parse(t, r).rules(), "syntax-error", "the other files are judged")
			if c.want == "" {
				require.Empty(t, r.err)
				return
			}
			require.Equal(t, exitFailed, r.status)
			require.Contains(t, r.err, c.want)
			require.Equal(t, 1, strings.Count(r.err, "\n"), r.err)
		})
	}
}

func link(to, name string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		require.NoError(t, os.Symlink(to, filepath.Join(dir, name)))
	}
}

// TestBadPaths: what is named and not there is said, and the rest is judged all the same.
func TestBadPaths(t *testing.T) {
	dir := tree(t, map[string]string{"m/0001_a.sql": goodSQL, "m/0003_c.sql": "-- +brant Up\nALTER TABEL t;\n", "empty/x.txt": ""})
	for paths, want := range map[string]string{
		"nowhere m":                    "srhtvet: nowhere: no such file or directory\n",
		"m/0003_c.sql m/0009_none.sql": "srhtvet: m/0009_none.sql: no such file or directory\n",
		"m empty nowhere":              "srhtvet: nowhere: no such file or directory\nsrhtvet: no migrations in empty\n",
		"m empty/x.txt":                "srhtvet: empty/x.txt: no migration by its name: they are .sql files, and alembic's revisions .py; -source FORMAT reads a file of any name\n",
	} {
		r := srhtvet(t, dir, append([]string{"lint", "-format", "json", "-q"}, strings.Fields(paths)...)...)
		require.Equal(t, exitFailed, r.status, paths)
		require.Equal(t, want, r.err, paths)
		require.Contains(t, parse(t, r).rules(), "syntax-error", paths)
	}
	r := srhtvet(t, dir, "lint", "-format", "json", "-q", "nowhere", "neither")
	require.Equal(t, exitFailed, r.status)
	require.Equal(t, "srhtvet: nowhere: no such file or directory\nsrhtvet: neither: no such file or directory\n", r.err)
	require.Empty(t, r.out)
}

// TestLinkElsewhere: migrations behind a link are not followed, which is said and is no failure; named, they are judged.
func TestLinkElsewhere(t *testing.T) {
	shared := tree(t, map[string]string{"migrations/0001_a.sql": "-- +brant Up\nALTER TABEL t;\n"})
	dir := tree(t, map[string]string{"m/0001_a.sql": goodSQL})
	link(filepath.Join(shared, "migrations"), "link")(t, dir)
	link("..", "m/up")(t, dir)
	const note = "srhtvet: link: a link to migrations elsewhere, which is not followed: name the directory it leads to, or the link itself\n"

	r := srhtvet(t, dir, "lint", "-format", "json")
	require.Equal(t, exitClean, r.status, r.err)
	require.Equal(t, 1, strings.Count(r.err, note), r.err)
	require.Equal(t, 1, strings.Count(r.err, "not followed"), r.err)

	r = srhtvet(t, dir, "lint", "-format", "json", ".", "link")
	require.Equal(t, exitFindings, r.status, r.err)
	require.NotContains(t, r.err, "not followed")
	require.Contains(t, parse(t, r).rules(), "syntax-error")

	require.NoError(t, os.RemoveAll(filepath.Join(dir, "m")))
	r = srhtvet(t, dir, "lint", "-format", "json", ".")
	require.Equal(t, exitFailed, r.status)
	require.Contains(t, r.err, note)
	require.Contains(t, r.err, "no migrations in .")
}

func TestNoPermission(t *testing.T) {
	dir := tree(t, map[string]string{"m/0001_a.sql": goodSQL, "m/0002_b.sql": goodSQL, "m/0003_c.sql": "-- +brant Up\nALTER TABEL t;\n"})
	require.NoError(t, os.Chmod(filepath.Join(dir, "m/0002_b.sql"), 0))
	cmd := start(t, dir, "lint", "-format", "json", "-q", "m")
	asNobody(t, cmd, dir)
	r := finish(t, cmd)
	require.Equal(t, exitFailed, r.status, r.err)
	require.Contains(t, r.err, "0002_b.sql: cannot read the file: permission denied")
	require.Contains(t, parse(t, r).rules(), "syntax-error")
}

func TestHugeFile(t *testing.T) {
	dir := tree(t, map[string]string{
		"m/0001_a.sql": goodSQL,
		"m/0002_b.sql": "-- +brant Up\nINSERT INTO t (id, a) VALUES\n" + strings.Repeat("(1, 'some text to fill the line with'),\n", 250_000) + "(2, 'x');\n",
		"m/0003_c.sql": "-- +brant Up\nSELECT " + strings.Repeat("1+", 100_000) + "1;\n",
		"m/0004_d.sql": "-- +brant Up\nALTER TABEL t;\n",
	})
	r := srhtvet(t, dir, "lint", "-format", "json", "-q", "-severity", "info")
	require.Equal(t, exitFindings, r.status, r.err)
	doc := parse(t, r)
	require.Contains(t, doc.rules(), "syntax-error")
	require.Contains(t, doc.rules(), "not-understood", "a statement that would crash the parser is not handed to it")
	require.Less(t, len(r.out), 100_000, "no finding holds the file")
}

func TestEmptyDirectory(t *testing.T) {
	dir := tree(t, nil)
	r := srhtvet(t, dir, "lint", dir)
	require.Equal(t, exitFailed, r.status)
	require.Contains(t, r.err, "no migrations in "+dir)
	require.Equal(t, 1, strings.Count(r.err, "\n"))
}

func TestNotARepository(t *testing.T) {
	dir := tree(t, map[string]string{"migrations/0001_a.sql": goodSQL, "migrations/0002_b.sql": dropSQL})
	r := srhtvet(t, dir, "lint", "-format", "json")
	require.Contains(t, r.err, "no git")
	require.Equal(t, 2, parse(t, r).Files, "everything is pending")
}

func TestShallowClone(t *testing.T) {
	dir := service(t, map[string]string{"migrations/0002_drop.sql": dropSQL})
	clone := filepath.Join(t.TempDir(), "clone")
	git(t, dir, "clone", "-q", "--depth", "1", "file://"+dir, clone)
	r := srhtvet(t, clone, "lint", "-base", "v1")
	require.Equal(t, exitFailed, r.status)
	require.Contains(t, r.err, "this clone is shallow")
	for _, command := range []string{"lint", "compat"} {
		r = srhtvet(t, clone, command)
		require.Equal(t, exitFailed, r.status, "%s would find nothing pending, whatever there is: %s", command, r.out)
		require.Contains(t, r.err, "fetch the history with `git fetch --unshallow --tags`")
	}
	r = srhtvet(t, clone, "lint", "-all", "-format", "json")
	require.Equal(t, exitFindings, r.status, r.err)
	require.Equal(t, 2, parse(t, r).Files)
}
