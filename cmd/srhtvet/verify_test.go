package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/internal/pgtest"
)

// verifiable is a service with a query that the pending migration breaks, and one that it does not.
func verifiable(t *testing.T) string {
	t.Helper()
	files := compatFiles()
	files["other.go"] = "package svc\n\nimport \"database/sql\"\n\nfunc Count(db *sql.DB) (n int, err error) {\n\terr = db.QueryRow(`SELECT count(*) FROM repo WHERE id > $1`, 0).Scan(&n)\n\treturn n, err\n}\n"
	dir := released(t, files, files)
	writeAll(t, dir, map[string]string{"migrations/0002_drop.sql": "-- +brant Up\nALTER TABLE repo DROP COLUMN name;\n"})
	return dir
}

func TestCompatVerify(t *testing.T) {
	server := pgtest.Shared(t, pgtest.Config{})
	database := server.Database(t)
	for name, flag := range map[string]string{"throwaway": "-verify", "a server of one's own": "-verify=" + server.DSN(database)} {
		t.Run(name, func(t *testing.T) {
			r := srhtvet(t, verifiable(t), "compat", flag, "-format", "json")
			require.Equal(t, exitFindings, r.status, r.err)
			var doc struct {
				Services []struct {
					Verified struct{ Server, Agreed, Disagreed, NotProved, Undecided int }
				}
			}
			require.NoError(t, json.Unmarshal([]byte(r.out), &doc))
			got := doc.Services[0].Verified
			// Two queries of two versions on two schemas. The new code's own mistake has no schema to succeed on, so that
			// nothing follows from what happens to it on the old one.
			require.Equal(t, [4]int{7, 0, 1, 0}, [4]int{got.Agreed, got.Disagreed, got.NotProved, got.Undecided}, "%s", r.out)
			require.NotZero(t, got.Server)
		})
	}
	require.Empty(t, scratch(t, server, database), "scratch databases are left")

	// A migration that the server refuses is said, whatever we think of it.
	dir := verifiable(t)
	writeAll(t, dir, map[string]string{"migrations/0003_bad.sql": "-- +brant Up\nALTER TABLE nowhere ADD COLUMN a text;\n"})
	r := srhtvet(t, dir, "compat", "-verify="+server.DSN(database))
	require.Equal(t, exitFailed, r.status)
	require.Contains(t, r.err, "the server refuses ALTER TABLE nowhere ADD COLUMN a text")
	require.Contains(t, r.out, "old code on the new schema", "the static verdict is there all the same")
	require.Empty(t, scratch(t, server, database))
}

// TestCompatVerifySaysItOnce: what is not proved of a query on every schema and in both versions is one line.
func TestCompatVerifySaysItOnce(t *testing.T) {
	server := pgtest.Shared(t, pgtest.Config{})
	files := map[string]string{"go.mod": "module example.org/svc\n\ngo 1.25\n", "migrations/0001_repo.sql": "-- +brant Up\nCREATE TABLE repo (id serial PRIMARY KEY, name text);\n",
		"repo.go": goQuery("UPDATE repo SET id = id + 1"), "other.go": "package svc\n\nimport \"database/sql\"\n\nfunc Any(db *sql.DB, q string) { db.Exec(q) }\n"}
	dir := released(t, files, files)
	writeAll(t, dir, map[string]string{"migrations/0002_more.sql": "-- +brant Up\nALTER TABLE repo ADD COLUMN more text;\n"})
	r := srhtvet(t, dir, "compat", "-verify="+server.DSN(server.Database(t)))
	require.Equal(t, exitClean, r.status, r.err)
	require.Equal(t, 1, strings.Count(r.out, "not proved (4 verdicts): repo.go:6: no values were found with which it succeeds on its own schema: 23505"), r.out)
	require.Equal(t, 1, strings.Count(r.out, "  not proved"), r.out)
	require.Contains(t, r.err, "nothing breaks of what was checked; 2 query sites were not checked")
}

// TestCompatVerifyInterrupted: Ctrl-C leaves no database behind.
func TestCompatVerifyInterrupted(t *testing.T) {
	server := pgtest.Shared(t, pgtest.Config{})
	database := server.Database(t)
	dir := verifiable(t)
	// The second migration takes as long as it is let.
	writeAll(t, dir, map[string]string{"migrations/0003_slow.sql": "-- +brant Up\nSELECT pg_sleep(600);\n"})
	cmd := start(t, dir, "compat", "-verify="+server.DSN(database))
	var errs bytes.Buffer
	cmd.Stderr = &errs
	require.NoError(t, cmd.Start())
	require.Eventually(t, func() bool { return len(scratch(t, server, database)) >= 3 }, time.Minute, 20*time.Millisecond, "%s", &errs)
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	require.Error(t, cmd.Wait())
	require.Equal(t, exitInterrupted, cmd.ProcessState.ExitCode(), "%s", &errs)
	require.Empty(t, scratch(t, server, database), "%s", &errs)
}

// scratch lists the databases that -verify has made.
func scratch(t *testing.T, server *pgtest.Server, database string) []string {
	t.Helper()
	conn := pgtest.Connect(t, server.DSN(database))
	defer conn.Close(context.Background())
	rows, err := conn.Query(context.Background(), `SELECT datname FROM pg_database WHERE datname LIKE 'srhtvet\_verify\_%'`)
	require.NoError(t, err)
	defer rows.Close()
	var list []string
	for rows.Next() {
		var name string
		require.NoError(t, rows.Scan(&name))
		list = append(list, name)
	}
	require.NoError(t, rows.Err())
	return list
}

// TestCompatVerifyCarriesRows: that the rows hold another text is shown by rows that were there before the migration.
func TestCompatVerifyCarriesRows(t *testing.T) {
	server := pgtest.Shared(t, pgtest.Config{})
	database := server.Database(t)
	files := compatFiles()
	files["api.go"] = "package svc\n\nimport \"database/sql\"\n\nfunc Count(db *sql.DB) (n int, err error) {\n\terr = db.QueryRow(`SELECT count(*) FROM repo WHERE name = 'x'`).Scan(&n)\n\treturn n, err\n}\n"
	dir := released(t, files, files)
	writeAll(t, dir, map[string]string{"migrations/0002_upper.sql": "-- +brant Up\nALTER TABLE repo ALTER name TYPE varchar USING upper(name);\n"})
	r := srhtvet(t, dir, "compat", "-verify="+server.DSN(database), "-format", "json")
	require.Equal(t, exitFindings, r.status, r.err)
	var doc struct {
		Services []struct {
			Verified struct{ Agreed, Disagreed, NotProved, Undecided int }
		}
	}
	require.NoError(t, json.Unmarshal([]byte(r.out), &doc))
	got := doc.Services[0].Verified
	require.Equal(t, [4]int{4, 0, 0, 0}, [4]int{got.Agreed, got.Disagreed, got.NotProved, got.Undecided}, "%s", r.out)
	require.Empty(t, scratch(t, server, database))
}
