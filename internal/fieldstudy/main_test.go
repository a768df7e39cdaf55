package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// repository is a service of three commits: its first, one that does nothing to the schema, and one whose two migrations
// expand and contract at once.
func repository(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	run := func(args ...string) {
		_, err := git(context.Background(), dir, nil, args...)
		require.NoError(t, err)
	}
	commit := func(title string, files map[string]string) {
		for name, text := range files {
			name = filepath.Join(dir, filepath.FromSlash(name))
			require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
			require.NoError(t, os.WriteFile(name, []byte(text), 0o644))
		}
		run("add", "-A")
		run("commit", "-q", "-m", title)
	}
	code := func(query string) string {
		return "package svc\n\nimport \"database/sql\"\n\nfunc Add(db *sql.DB) error {\n\t_, err := db.Exec(`" + query + "`)\n\treturn err\n}\n"
	}
	run("init", "-q", "-b", "main")
	commit("begin", map[string]string{
		"go.mod":                  "module example.org/svc\n\ngo 1.25\n",
		"migrations/0001_new.sql": "-- +brant Up\nCREATE TABLE item (id serial PRIMARY KEY);\n-- +brant Down\nDROP TABLE item;\n",
		"svc.go":                  code("INSERT INTO item DEFAULT VALUES"),
	})
	run("tag", "v1")
	commit("say more", map[string]string{"README": "a service\n"})
	commit("name items", map[string]string{
		"migrations/0002_name.sql":     "-- +brant Up\nALTER TABLE item ADD COLUMN name text;\n-- +brant Down\nALTER TABLE item DROP COLUMN name;\n",
		"migrations/0003_required.sql": "-- +brant Up\nALTER TABLE item ALTER COLUMN name SET NOT NULL;\n-- +brant Down\nALTER TABLE item ALTER COLUMN name DROP NOT NULL;\n",
		"svc.go":                       code("INSERT INTO item (name) VALUES ('x')"),
	})
	run("tag", "v2")
	return dir
}

func rows(t *testing.T, cfg config) string {
	t.Helper()
	var out strings.Builder
	require.NoError(t, run(context.Background(), cfg, &out))
	return out.String()
}

func TestStudy(t *testing.T) {
	dir, kept := repository(t), t.TempDir()
	tool := filepath.Join(t.TempDir(), "srhtvet")
	require.NoError(t, build(context.Background(), tool))

	got := rows(t, config{repository: dir, tool: tool, out: kept, prefixes: true, draw: 9, seed: 1})
	require.Equal(t, 1, strings.Count(got, "name items"), "the commit that touches migrations")
	require.NotContains(t, got, "say more")
	require.Contains(t, got, "| 0002_name.sql, 0003_required.sql | ✔ 1 | ✘ 1 of 1 | ✘ 1 of 1 | ✔ 1 | `needs-migration` 0002_name.sql:2 (new/old 1); `set-not-null` 0003_required.sql:2 (old/new 1) | 1 of 1, 1 of 1 |")
	require.Contains(t, got, "with 0002_name.sql | 0002_name.sql | ✔ 1 | ✔ 1 | ✔ 1 | ✔ 1 |  | 1 of 1, 1 of 1 |", "the expanding step alone")
	require.Contains(t, got, "2 of 2 findings, drawn with seed 1")
	reports, err := filepath.Glob(filepath.Join(kept, "*"))
	require.NoError(t, err)
	require.Len(t, reports, 4, "text and JSON of two pairs")

	tags := rows(t, config{repository: dir, tool: tool, tags: "v*"})
	require.Contains(t, tags, "| 1 | v1..v2 | 0002_name.sql, 0003_required.sql |")
	named := rows(t, config{repository: dir, tool: tool, pairs: []string{"v2..v1", "v1..nowhere"}})
	require.Contains(t, named, "not judged: srhtvet: -new: revision")
}
