package main

import (
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"
)

// As for package datadriven: go test ./cmd/srhtvet -run TestCompat -rewrite, and the difference is reviewed.
var rewrite = flag.Bool("rewrite", false, "write what the commands print into testdata/compat")

// released makes a repository with one commit, tagged v1, and a work tree of the new version.
func released(t *testing.T, old, new map[string]string) string {
	t.Helper()
	dir := tree(t, old)
	git(t, dir, "init", "-q")
	commit(t, dir)
	git(t, dir, "tag", "v1")
	commit(t, dir)
	for name := range old {
		if _, kept := new[name]; !kept {
			require.NoError(t, os.Remove(filepath.Join(dir, filepath.FromSlash(name))))
		}
	}
	writeAll(t, dir, new)
	return dir
}

// TestCompat runs the command on services of two versions: testdata/compat/*.txtar hold files below old/ and new/ (what is
// below both/ is in either), and after each "$ srhtvet …" what the command prints; "# exit 0" says how it ends besides.
func TestCompat(t *testing.T) {
	names, err := filepath.Glob("testdata/compat/*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, names)
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			t.Parallel()
			ar, err := txtar.ParseFile(name)
			require.NoError(t, err)
			old, new := map[string]string{}, map[string]string{}
			for _, f := range ar.Files {
				side, path, _ := strings.Cut(f.Name, "/")
				switch side {
				case "old":
					old[path] = string(f.Data)
				case "new":
					new[path] = string(f.Data)
				case "both":
					old[path], new[path] = string(f.Data), string(f.Data)
				}
			}
			dir := released(t, old, new)
			changed := false
			for i := range ar.Files {
				f := &ar.Files[i]
				line, ok := strings.CutPrefix(f.Name, "$ srhtvet ")
				if !ok {
					continue
				}
				line, status, known := strings.Cut(line, " # exit ")
				r := srhtvet(t, dir, strings.Fields(line)...)
				require.NotEqual(t, exitFailed, r.status, r.err)
				if known {
					require.Equal(t, status, strconv.Itoa(r.status), "srhtvet %s: exit status", line)
				}
				got := strings.ReplaceAll(r.out, dir, "$DIR")
				if *rewrite {
					changed = changed || got != string(f.Data)
					f.Data = []byte(got)
					continue
				}
				require.Equal(t, string(f.Data), got, "srhtvet %s; on standard error: %s", line, r.err)
			}
			if changed {
				require.NoError(t, os.WriteFile(name, txtar.Format(ar), 0o644))
			}
		})
	}
}

// TestCompatPage: where the two versions of the code have something else to write instead, the page says which is whose, as the
// text does.
func TestCompatPage(t *testing.T) {
	files := compatFiles()
	dir := released(t, files, files)
	writeAll(t, dir, map[string]string{"migrations/0002_drop.sql": "-- +brant Up\nALTER TABLE repo DROP COLUMN name;\n-- +brant Down\nALTER TABLE repo ADD COLUMN name text;\n"})
	text, page := srhtvet(t, dir, "compat").out, srhtvet(t, dir, "compat", "-format", "html").out
	for _, who := range []string{"for the old code on the new schema", "for the new code on the new schema"} {
		require.Contains(t, text, who+":")
		require.Contains(t, page, `<b>Instead</b> <span class="soft">`+who+`</span>`)
	}
	git(t, dir, "rm", "-q", "--cached", "api.go")
	require.NoError(t, os.Remove(filepath.Join(dir, "api.go")))
	require.Contains(t, srhtvet(t, dir, "compat", "-format", "html").out, `<b>Instead</b><pre>`, "there is only one")
}
