package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// queryService is a service at v1 whose package api reads a column, with a pending migration.
func queryService(t *testing.T, migration, query string) string {
	t.Helper()
	files := map[string]string{
		"go.mod":                      "module example.org/svc\n\ngo 1.25\n",
		"migrations/0001_initial.sql": "-- +brant Up\nCREATE TABLE repo (id serial PRIMARY KEY, created timestamp NOT NULL);\n-- +brant Down\nDROP TABLE repo;\n",
		"api/api.go": "package api\n\nimport (\n\t\"context\"\n\t\"database/sql\"\n)\n\n" +
			"func Get(ctx context.Context, db *sql.DB) error {\n\t_, err := db.ExecContext(ctx, `\n\t\t" + query + "`)\n\treturn err\n}\n",
	}
	dir := released(t, files, files)
	writeAll(t, dir, map[string]string{"migrations/0002_change.sql": "-- +brant Up\nSET LOCAL lock_timeout = '2s';\n" + migration + "\n"})
	return dir
}

const onlyQueries = "-migrations.severity=error"

func TestGoVetChecksQueries(t *testing.T) {
	g := newGoVet(t)
	dir := queryService(t, "ALTER TABLE repo ADD COLUMN name text;", "UPDATE repo SET name = 'x'")
	r := g.run(dir, onlyQueries, "./...")
	require.Equal(t, 1, r.status, "%s%s", r.out, r.err)
	require.Contains(t, r.err, "api/api.go:10:19: error: needs-migration: on the schema before 0002_change.sql this UPDATE fails: column \"name\" of relation \"repo\" does not exist")
	require.Equal(t, 1, strings.Count(r.err, "needs-migration: "))

	// The migration comes first here: a warning, from another setting.
	writeAll(t, dir, map[string]string{".srhtvet.toml": "order = \"migrate-first\"\n"})
	r = g.run(dir, onlyQueries, "./...")
	require.Contains(t, r.err, "warning: needs-migration: ")
	require.Contains(t, r.err, "this code needs 0002_change.sql to have run before it starts")

	// Released, it is what the code was written for.
	commit(t, dir)
	git(t, dir, "tag", "v2")
	commit(t, dir)
	g.clean(dir)
}

func TestGoVetFixesRenamedColumn(t *testing.T) {
	g := newGoVet(t)
	dir := queryService(t, "ALTER TABLE repo RENAME COLUMN created TO linked;", "UPDATE repo SET created = now()")
	r := g.run(dir, onlyQueries, "-migrations.disable=compatibility", "./...")
	require.Equal(t, 1, r.status)
	require.Contains(t, r.err, "api/api.go:10:19: error: rename-column: on the schema after 0002_change.sql this UPDATE fails")
	if out, err := exec.Command("go", "env", "GOVERSION").Output(); err != nil || strings.HasPrefix(string(out), "go1.25") || len(g.toolchain) > 0 {
		return // go vet has -fix since 1.26
	}
	g.run(dir, "-fix", "./...")
	data, err := os.ReadFile(filepath.Join(dir, "api", "api.go"))
	require.NoError(t, err)
	require.Contains(t, string(data), "UPDATE repo SET linked = now()")
	sql, err := os.ReadFile(filepath.Join(dir, "migrations", "0002_change.sql"))
	require.NoError(t, err)
	require.Contains(t, string(sql), "RENAME COLUMN created TO linked", "no migration is edited")
	require.NotContains(t, g.run(dir, onlyQueries, "-migrations.disable=compatibility", "./...").err, "on the schema after")
}

// TestGoVetFixesWholeQuery: what go vet writes runs on the new schema, and its result has the names it had.
func TestGoVetFixesWholeQuery(t *testing.T) {
	g := newGoVet(t)
	if out, err := exec.Command("go", "env", "GOVERSION").Output(); err != nil || strings.HasPrefix(string(out), "go1.25") || len(g.toolchain) > 0 {
		return // go vet has -fix since 1.26
	}
	dir := queryService(t, "ALTER TABLE repo RENAME COLUMN created TO linked;\nALTER TABLE repo RENAME TO repository;",
		"SELECT created, count(*) FROM repo WHERE repo.created > $1 GROUP BY created ORDER BY created")
	g.run(dir, "-fix", "./...")
	data, err := os.ReadFile(filepath.Join(dir, "api", "api.go"))
	require.NoError(t, err)
	require.Contains(t, string(data), "SELECT linked AS created, count(*) FROM repository AS repo WHERE repo.linked > $1 GROUP BY linked ORDER BY created")
	require.NotContains(t, g.run(dir, onlyQueries, "-migrations.disable=compatibility", "./...").err, "on the schema after")
}

// TestGoVetFixesWhatTestsUse: a fix covers the queries of tests, and is not there where tests, also those that no build here
// has, read the text otherwise.
func TestGoVetFixesWhatTestsUse(t *testing.T) {
	g := newGoVet(t)
	if out, err := exec.Command("go", "env", "GOVERSION").Output(); err != nil || strings.HasPrefix(string(out), "go1.25") || len(g.toolchain) > 0 {
		return // go vet has -fix since 1.26
	}
	dir := queryService(t, "ALTER TABLE repo RENAME COLUMN created TO linked;", "SELECT created FROM repo")
	writeAll(t, dir, map[string]string{
		"api/clear.go": "package api\n\nimport \"database/sql\"\n\nconst (\n\tsent = \" WHERE created IS NULL\"\n\tasserted = \" WHERE created IS NOT NULL\"\n\ttagged = \" WHERE created > now()\"\n)\n\n" +
			"func clear(db *sql.DB) {\n\tdb.Exec(\"DELETE FROM repo\" + sent)\n\tdb.Exec(\"DELETE FROM repo\" + asserted)\n\tdb.Exec(\"DELETE FROM repo\" + tagged)\n}\n",
		"api/clear_test.go": "package api\n\nimport (\n\t\"database/sql\"\n\t\"testing\"\n)\n\nfunc TestClear(t *testing.T) {\n\tvar db *sql.DB\n\tdb.Exec(\"DELETE FROM repo\" + sent)\n" +
			"\tif asserted != \" WHERE created IS NOT NULL\" {\n\t\tt.Fatal(asserted)\n\t}\n}\n",
		"api/server_test.go": "//go:build server\n\npackage api\n\nimport \"testing\"\n\nfunc TestServer(t *testing.T) {\n\tt.Log(tagged)\n}\n",
	})
	g.run(dir, "-fix", "./...")
	data, err := os.ReadFile(filepath.Join(dir, "api", "clear.go"))
	require.NoError(t, err)
	require.Contains(t, string(data), "WHERE linked IS NULL")
	require.Contains(t, string(data), "WHERE created IS NOT NULL")
	require.Contains(t, string(data), "WHERE created > now()")
}

func TestPackagesCheckQueries(t *testing.T) {
	dir := queryService(t, "ALTER TABLE repo ADD COLUMN name text;", "UPDATE repo SET name = 'x'")
	r := srhtvet(t, dir, "-format", "json", "-disable", "missing-down", "./...")
	require.Equal(t, exitFindings, r.status, r.err)
	doc := parse(t, r)
	require.Equal(t, []string{"needs-migration"}, doc.rules())
}
