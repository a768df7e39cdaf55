package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// compatFiles are a service without mistakes.
func compatFiles() map[string]string {
	return map[string]string{
		"go.mod":                      "module example.org/svc\n\ngo 1.25\n",
		"migrations/0001_initial.sql": "-- +brant Up\nCREATE TABLE repo (id serial PRIMARY KEY, name text);\n-- +brant Down\nDROP TABLE repo;\n",
		"api.go":                      goQuery("SELECT name FROM repo"),
	}
}

func goQuery(sql string) string {
	return "package svc\n\nimport \"database/sql\"\n\nfunc Get(db *sql.DB) error {\n\t_, err := db.Exec(`" + sql + "`)\n\treturn err\n}\n"
}

// TestCompatBadInput: one clear message each, with what to do.
func TestCompatBadInput(t *testing.T) {
	good := released(t, compatFiles(), compatFiles())
	fresh := tree(t, compatFiles())
	git(t, fresh, "init", "-q", "-b", "trunk")
	commit(t, fresh)
	shallow := filepath.Join(tree(t, nil), "clone")
	git(t, good, "clone", "-q", "--depth=1", "--no-tags", "file://"+good, shallow)
	bare := released(t, map[string]string{"go.mod": "module x\n", "a.go": "package x\n"}, map[string]string{"go.mod": "module x\n", "a.go": "package x\n"})
	noTree := filepath.Join(tree(t, nil), "svc.git")
	git(t, good, "clone", "-q", "--bare", "file://"+good, noTree)
	since := released(t, compatFiles(), compatFiles())
	writeAll(t, since, map[string]string{".srhtvet.toml": "since = '1'\n"})
	order := released(t, compatFiles(), compatFiles())
	writeAll(t, order, map[string]string{".srhtvet.toml": "order = 'code-first'\n"})
	for name, c := range map[string]struct {
		dir  string
		args []string
		want string
	}{
		"not a repository":     {tree(t, compatFiles()), nil, "is not in a git repository"},
		"nothing to compare":   {fresh, nil, "there is no old version to compare with: no tag before HEAD, and no other branch; name it with -old REVISION"},
		"unknown old revision": {good, []string{"-old", "v9"}, `-old: revision "v9" does not exist`},
		"unknown new revision": {good, []string{"-new", "v9"}, `-new: revision "v9" does not exist`},
		"a shallow clone":      {shallow, []string{"-old", "v1"}, "this clone is shallow; fetch it with `git fetch --unshallow --tags`"},
		"a bare repository":    {noTree, nil, noTree + " is a bare repository, which has no files to read: check a revision out, `git -C " + noTree + " worktree add DIR REVISION`, and run this in DIR"},
		"no migrations":        {bare, nil, "no migrations found"},
		"since in settings":    {since, nil, `says since = "1", which names no version of the code: name the old one with -old REVISION`},
		"unknown order":        {order, nil, `.srhtvet.toml:1: order: unknown order "code-first": use any or migrate-first`},
		"a file":               {good, []string{"api.go"}, "compat takes a directory: api.go is a file"},
		"two directories":      {good, []string{".", "."}, "compat takes one directory, not 2"},
		"unknown format":       {good, []string{"-format", "hmtl"}, `unknown format "hmtl"; did you mean html?`},
		"migrations elsewhere": {good, []string{"-migrations", "/"}, "-migrations: / is outside of"},
		"no such migrations":   {good, []string{"-migrations", "../nowhere"}, "-migrations: ../nowhere: no such file or directory"},
		"no such directory":    {good, []string{"nowhere"}, "nowhere: no such file or directory"},
		"no such schema":       {good, []string{"-schema", "nowhere.sql"}, "-schema: nowhere.sql: no such file or directory"},
		"no server":            {good, []string{"-verify=host=127.0.0.1 port=1 user=nobody password=hush connect_timeout=2"}, "-verify: "},
	} {
		t.Run(name, func(t *testing.T) {
			r := srhtvet(t, c.dir, append([]string{"compat"}, c.args...)...)
			require.Equal(t, exitFailed, r.status, "%s%s", r.out, r.err)
			require.Contains(t, r.err, c.want)
			require.Empty(t, r.out)
			require.NotContains(t, r.err, "hush")
			require.NotContains(t, r.err, "-base", "a flag that compat does not have")
		})
	}
}

// TestBareRepository: the other commands say it as well.
func TestBareRepository(t *testing.T) {
	good := released(t, compatFiles(), compatFiles())
	bare := filepath.Join(tree(t, nil), "svc.git")
	git(t, good, "clone", "-q", "--bare", "file://"+good, bare)
	for _, c := range [][]string{{"lint"}, {"queries"}} {
		r := srhtvet(t, bare, c...)
		require.Equal(t, exitFailed, r.status, "%v: %s%s", c, r.out, r.err)
		require.Contains(t, r.err, "is a bare repository")
		require.Empty(t, r.out)
	}
	r := srhtvet(t, filepath.Dir(bare), "lint", "svc.git")
	require.Contains(t, r.err, "is a bare repository")
}

// TestCompatGoesOn: what is wrong with one part does not hide the others, and is said.
func TestCompatGoesOn(t *testing.T) {
	broken := map[string]string{
		"migrations/0002_drop.sql": "-- +brant Up\nALTER TABLE repo DROP COLUMN name;\n",
	}
	for name, more := range map[string]map[string]string{
		"a dirty tree":         {},
		"a Go syntax error":    {"bad.go": "package svc\n\nfunc {\n"},
		"a type error":         {"bad.go": "package svc\n\nvar x int = undefined\n"},
		"a Python error":       {"bad.py": "class (:\n"},
		"no dependency at all": {"bad.go": "package svc\n\nimport \"example.org/missing\"\n\nvar x = missing.X\n"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := released(t, compatFiles(), compatFiles())
			writeAll(t, dir, broken)
			writeAll(t, dir, more)
			r := srhtvet(t, dir, "compat", "-severity", "error")
			require.Equal(t, exitFindings, r.status, "%s%s", r.out, r.err)
			require.Contains(t, r.out, "old code on the new schema, after 0002_drop.sql")
			if file := "bad.py"; more[file] != "" {
				require.Contains(t, r.out, "not looked at: "+file)
			}
		})
	}
	t.Run("a submodule", func(t *testing.T) {
		dir := released(t, compatFiles(), compatFiles())
		git(t, dir, "submodule", "--quiet", "add", "file://"+dir, "sub")
		commit(t, dir)
		git(t, dir, "tag", "v2")
		commit(t, dir)
		writeAll(t, dir, broken)
		r := srhtvet(t, dir, "compat")
		require.Equal(t, exitFindings, r.status, "%s%s", r.out, r.err)
		require.Contains(t, r.out, "not looked at: sub is a submodule: its files belong to another repository")
		require.Contains(t, r.out, "run srhtvet in sub")
	})
	t.Run("no Go files", func(t *testing.T) {
		files := compatFiles()
		delete(files, "api.go")
		dir := released(t, files, files)
		writeAll(t, dir, broken)
		r := srhtvet(t, dir, "compat")
		require.Equal(t, exitClean, r.status, "%s%s", r.out, r.err)
		require.Contains(t, r.out, "0 query sites found")
	})
}

// TestCompatChangesNothing: the repository is byte for byte what it was, and nothing is left behind.
func TestCompatChangesNothing(t *testing.T) {
	dir := released(t, compatFiles(), compatFiles())
	writeAll(t, dir, map[string]string{"migrations/0002_drop.sql": "-- +brant Up\nALTER TABLE repo DROP COLUMN name;\n", "untracked.txt": "x"})
	temp := t.TempDir()
	before := digest(t, dir)
	for _, args := range [][]string{{"compat"}, {"compat", "-old", "v1", "-new", "HEAD"}, {"compat", "-format", "html"}, {"lint"}} {
		cmd := start(t, dir, args...)
		cmd.Env = append(cmd.Env, "TMPDIR="+temp)
		r := finish(t, cmd)
		require.NotEqual(t, exitFailed, r.status, r.err)
		require.Equal(t, before, digest(t, dir), "after %v", args)
		left, err := os.ReadDir(temp)
		require.NoError(t, err)
		require.Empty(t, left, "after %v", args)
	}
}

// digest is a hash of every file below a directory, with its name, mode and modification time.
func digest(t *testing.T, dir string) string {
	t.Helper()
	h := sha256.New()
	require.NoError(t, filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		fmt.Fprintf(h, "%s %v %v\n", name, info.Mode(), info.ModTime())
		if e.Type().IsRegular() {
			data, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			h.Write(data)
		}
		return nil
	}))
	return hex.EncodeToString(h.Sum(nil))
}
