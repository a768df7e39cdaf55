package sqlquery

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const sends = "package svc\n\nimport \"database/sql\"\n\nfunc f(db *sql.DB) { db.Exec(\"DELETE FROM t\") }\n"

// load reads a tree and makes sure that it was left as it was.
func load(t *testing.T, dir string) *Tree {
	t.Helper()
	snapshot := func() string {
		var b strings.Builder
		require.NoError(t, filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
			if info, err := os.Lstat(name); err == nil {
				b.WriteString(name + info.Mode().String() + info.ModTime().String() + "\n")
			}
			return nil
		}))
		return b.String()
	}
	before := snapshot()
	tree, err := Load(context.Background(), Config{Dir: dir, Env: []string{"HOME=" + t.TempDir()}})
	require.NoError(t, err)
	require.Equal(t, before, snapshot())
	return tree
}

func TestBadInput(t *testing.T) {
	for name, c := range map[string]struct {
		tree  string
		sites int
		gap   string // "" when there is none
	}{
		"nothing":        {"-- readme --\n", 0, ""},
		"no go.mod":      {"-- go.mod --\n-- a.go --\n" + sends, 1, ""},
		"broken go.mod":  {"-- go.mod --\nrequire (\n-- a.go --\n" + sends, 1, "go.mod"},
		"syntax error":   {"-- a.go --\n" + sends + "-- b.go --\npackage svc\n\nfunc g( {\n", 1, "b.go"},
		"no Go at all":   {"-- a.go --\n" + sends + "-- b.go --\n\x00\x01\xff", 1, "b.go"},
		"two packages":   {"-- a.go --\n" + sends + "-- b.go --\n" + strings.Replace(sends, "package svc", "package other", 1), 2, ""},
		"type errors":    {"-- a.go --\n" + sends + "\nvar x nonesuch = 1 + \"\"\n", 1, ""},
		"import cycle":   {"-- a/a.go --\npackage a\n\nimport _ \"svc/b\"\n-- b/b.go --\npackage b\n\nimport _ \"svc/a\"\n-- c.go --\n" + sends, 1, ""},
		"other system":   {"-- a_plan9.go --\n" + sends, 0, ""},
		"a test":         {"-- a_test.go --\n" + sends, 0, ""},
		"testdata":       {"-- testdata/a.go --\n" + sends + "-- vendor/x/a.go --\n" + sends, 0, ""},
		"nested module":  {"-- go.mod --\nmodule svc\n-- a.go --\n" + sends + "-- tools/go.mod --\nmodule tools\n-- tools/a.go --\n" + sends, 2, ""},
		"endless code":   {"-- a.go --\n" + sends + "\nfunc g(db *sql.DB) { for { g(db); db.Exec(\"UPDATE t SET a = 1\") } }\n", 2, ""},
		"never returns":  {"-- a.go --\n" + sends + "\nfunc die() { panic(1) }\nfunc g(db *sql.DB) { die(); db.Exec(\"UPDATE t SET a = 1\") }\n", 2, ""},
		"missing module": {"-- go.mod --\nmodule svc\n\nrequire example.com/x v1.0.0\n-- a.go --\n" + sends + "-- b.go --\npackage svc\n\nimport _ \"example.com/x/y\"\n", 1, "example.com/x@v1.0.0"},
		"generated":      {"-- go.mod --\nmodule svc\n-- a.go --\n" + sends + "-- b.go --\npackage svc\n\nimport _ \"svc/gen\"\n", 1, "svc/gen"},
		"a library":      {"-- go.mod --\nmodule svc\n\nrequire gorm.io/gorm v1.0.0\n-- a.go --\npackage svc\n\nimport _ \"gorm.io/gorm\"\n", 0, "gorm.io/gorm"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			writeTree(t, dir, c.tree)
			tree := load(t, dir)
			require.Len(t, tree.Sites, c.sites)
			if c.gap == "" {
				require.Empty(t, tree.Gaps)
				return
			}
			var names []string
			for _, g := range tree.Gaps {
				names = append(names, g.Name)
			}
			require.Contains(t, names, c.gap)
		})
	}
}

func TestUnreadable(t *testing.T) {
	_, err := Load(context.Background(), Config{Dir: filepath.Join(t.TempDir(), "nothere")})
	require.ErrorContains(t, err, "no such file")
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	_, err = Load(context.Background(), Config{Dir: file})
	require.ErrorContains(t, err, "is not a directory")

	dir := t.TempDir()
	writeTree(t, dir, "-- a.go --\n"+sends)
	require.NoError(t, os.Symlink(dir, filepath.Join(dir, "loop")))
	require.NoError(t, os.Symlink("nowhere", filepath.Join(dir, "b.go")))
	require.Len(t, load(t, dir).Sites, 1)

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = Load(ctx, Config{Dir: dir})
	require.ErrorIs(t, err, context.Canceled)
}

// TestSubdirectory reads a part of a module: what the rest of it declares is known.
func TestSubdirectory(t *testing.T) {
	dir := t.TempDir()
	writeTree(t, dir, "-- go.mod --\nmodule svc\n-- names/n.go --\npackage names\n\nconst Table = \"t\"\n-- sub/a.go --\npackage sub\n\nimport (\n\t\"database/sql\"\n\t\"svc/names\"\n)\n\nfunc f(db *sql.DB) { db.Exec(\"DELETE FROM \" + names.Table) }\n")
	sites := load(t, filepath.Join(dir, "sub")).Sites
	require.Len(t, sites, 1)
	require.Equal(t, "a.go", sites[0].Pos.File)
	require.Len(t, sites[0].Variants, 1)
	require.Equal(t, "DELETE FROM t", sites[0].Variants[0].SQL)
}
