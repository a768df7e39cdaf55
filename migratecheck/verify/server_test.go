package verify

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"git.sr.ht/~sourcehut/ha-go/internal/pgtest"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// open asks a server of a user's own, as a role that may create databases and nothing else.
func open(t *testing.T) (*Server, *pgx.Conn) {
	t.Helper()
	own := pgtest.Start(t, pgtest.Config{})
	admin := pgtest.Connect(t, own.DSN("postgres"))
	exec(t, admin, "CREATE ROLE ci LOGIN CREATEDB PASSWORD 'geheim'")
	s, err := Open(t.Context(), Config{DSN: dsnOf(own, "ci")})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s, admin
}

func dsnOf(own *pgtest.Server, role string) string {
	return fmt.Sprintf("host=%s port=5432 user=%s password=geheim dbname=postgres sslmode=disable", own.SocketDir(), role)
}

func exec(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	_, err := conn.Exec(t.Context(), sql)
	require.NoError(t, err)
}

func databases(t *testing.T, conn *pgx.Conn) []string {
	t.Helper()
	rows, err := conn.Query(t.Context(), "SELECT datname FROM pg_database ORDER BY 1")
	require.NoError(t, err)
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return list
}

func steps(sql ...string) []Step {
	var list []Step
	for _, s := range sql {
		list = append(list, Step{SQL: s, Tx: 1})
	}
	return list
}

func state(t *testing.T, s *Server, from *State, sql ...string) *State {
	t.Helper()
	st, err := s.State(t.Context(), from, fmt.Sprintf("after %d", len(s.databases)), steps(sql...))
	require.NoError(t, err)
	return st
}

func judge(t *testing.T, home, away *State, site *query.Site) Outcome {
	t.Helper()
	hints, err := away.Hints(t.Context())
	require.NoError(t, err)
	w, err := home.Prove(t.Context(), site, hints)
	require.NoError(t, err)
	out, err := away.Judge(t.Context(), w)
	require.NoError(t, err)
	return out
}

func TestStatesFollowEachOtherAndAreGoneAfterClose(t *testing.T) {
	s, admin := open(t)
	before := state(t, s, nil, `CREATE TABLE t (id serial PRIMARY KEY, name text NOT NULL, age int)`, `CREATE UNIQUE INDEX u ON t (name)`)
	insert := site("INSERT INTO t (name) VALUES ($1)")
	upsert := site("INSERT INTO t (name) VALUES ($1) ON CONFLICT (name) DO NOTHING")
	require.Nil(t, judge(t, before, before, insert).Variants[0].Failure)

	required := state(t, s, before, `ALTER TABLE t ADD email text NOT NULL`)
	require.Equal(t, "23502", judge(t, before, required, insert).Variants[0].Failure.Code)
	unindexed, err := s.State(t.Context(), before, "unindexed", []Step{{SQL: "DROP INDEX CONCURRENTLY u"}})
	require.NoError(t, err)
	f := judge(t, before, unindexed, upsert).Variants[0].Failure
	require.Equal(t, "42P10", f.Code, "preparing does not see it, planning does")
	require.True(t, f.Planned)
	reused := state(t, s, before, `ALTER TABLE t RENAME name TO nick`, `ALTER TABLE t ADD name text`)
	require.Equal(t, []string{"t.name"}, judge(t, before, reused, site("SELECT name FROM t")).Variants[0].Denotes)
	require.Empty(t, judge(t, before, required, site("SELECT name FROM t")).Variants[0].Denotes)

	require.Len(t, databases(t, admin), 7)
	require.NoError(t, s.Close())
	require.NoError(t, s.Close())
	require.Equal(t, []string{"postgres", "template0", "template1"}, databases(t, admin))
	_, err = s.State(t.Context(), nil, "late", nil)
	require.ErrorIs(t, err, errClosed)
}

func TestAViewInTheNameOfARenamedTableMeansTheTable(t *testing.T) {
	s, _ := open(t)
	before := state(t, s, nil, `CREATE TABLE t (id int PRIMARY KEY, a text, b text)`)
	query := site("SELECT id, a FROM t WHERE a = $1")
	split := state(t, s, before, `ALTER TABLE t RENAME TO t2`, `CREATE VIEW t AS SELECT * FROM t2`)
	require.Empty(t, judge(t, before, split, query).Variants[0].Denotes)
	swapped := state(t, s, before, `ALTER TABLE t RENAME TO t2`, `CREATE VIEW t AS SELECT id, b AS a FROM t2`)
	require.Equal(t, []string{"t.a"}, judge(t, before, swapped, query).Variants[0].Denotes)
	fewer := state(t, s, before, `ALTER TABLE t RENAME TO t2`, `CREATE VIEW t AS SELECT * FROM t2 WHERE id > 5`)
	require.Equal(t, []string{"t.a", "t.id"}, judge(t, before, fewer, query).Variants[0].Denotes)
}

func TestAnIntegerIsBoundAsDigits(t *testing.T) {
	s, _ := open(t)
	before := state(t, s, nil, `CREATE TABLE t (id int PRIMARY KEY, b int)`)
	after := state(t, s, before, `ALTER TABLE t ALTER b TYPE text`)
	for _, sql := range []string{"UPDATE t SET b = $1", "INSERT INTO t (id, b) VALUES (1000, $1)"} {
		update := site(sql)
		require.Equal(t, "22P02", judge(t, after, before, update).Variants[0].Failure.Code)
		update.Variants[0].Args = []query.GoType{{Name: "int", Kind: query.Int, Bits: 64}}
		require.Nil(t, judge(t, after, before, update).Variants[0].Failure)
	}
}

// psycopg2 puts 1 into the text, where it is an integer; lib/pq and pgx leave the type of a parameter to the server.
func TestPythonSendsLiterals(t *testing.T) {
	s, _ := open(t)
	st := state(t, s, nil, `CREATE TABLE t (id int PRIMARY KEY, b text)`)
	count := site("SELECT id FROM t WHERE b = $1 OR b = 'it''s $1'")
	count.Variants[0].Args = []query.GoType{{Name: "int", Kind: query.Int, Bits: 64}}
	hints, err := st.Hints(t.Context())
	require.NoError(t, err)
	for lang, unproved := range map[string]string{"go": "", "python": "it fails on its own schema: 42883: operator does not exist: text = integer"} {
		count.Lang = lang
		w, err := st.Prove(t.Context(), count, hints)
		require.NoError(t, err)
		require.Equal(t, unproved, w.Unproved(), lang)
	}
}

func TestCloseAfterCancelDropsEverything(t *testing.T) {
	s, admin := open(t)
	first := state(t, s, nil, "CREATE TABLE t (id int)")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := s.State(ctx, first, "slow", []Step{{SQL: "SELECT pg_sleep(60)"}})
		done <- err
	}()
	require.Eventually(t, func() bool {
		var n int
		err := admin.QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'").Scan(&n)
		return err == nil && n == 1
	}, time.Minute, 10*time.Millisecond)
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
	require.NoError(t, s.Close())
	require.Equal(t, []string{"postgres", "template0", "template1"}, databases(t, admin))
}

func TestOpenDropsWhatKilledRunsLeft(t *testing.T) {
	own := pgtest.Start(t, pgtest.Config{})
	admin := pgtest.Connect(t, own.DSN("postgres"))
	exec(t, admin, "CREATE ROLE ci LOGIN CREATEDB PASSWORD 'geheim'")
	exec(t, admin, "CREATE DATABASE srhtvet_verify_0123abcd_1 OWNER ci")
	exec(t, admin, "CREATE DATABASE srhtvet_verify_0123abcd_2") // another's
	exec(t, admin, "CREATE DATABASE srhtvet_verify_mine OWNER ci")
	alive, err := Open(t.Context(), Config{DSN: dsnOf(own, "ci")})
	require.NoError(t, err)
	state(t, alive, nil)
	var log bytes.Buffer
	s, err := Open(t.Context(), Config{DSN: dsnOf(own, "ci"), Log: slog.New(slog.NewTextHandler(&log, nil))})
	require.NoError(t, err)
	require.Equal(t, []string{"postgres", "srhtvet_verify_" + alive.id + "_1", "srhtvet_verify_0123abcd_2", "srhtvet_verify_mine", "template0", "template1"}, sortedByKind(databases(t, admin)))
	require.NoError(t, s.Close())
	require.NoError(t, alive.Close())
}

// sortedByKind puts the database whose name is random where the test expects it.
func sortedByKind(list []string) []string {
	for i, name := range list {
		if strings.HasPrefix(name, prefix) && !strings.Contains(name, "0123abcd") && name != prefix+"mine" && i > 1 {
			list[1], list[i] = list[i], list[1]
		}
	}
	return list
}

func TestNoPasswordInErrors(t *testing.T) {
	s, _ := open(t)
	for _, dsn := range []string{
		"host=/nowhere user=ci password=geheim dbname=postgres",
		"postgres://ci:geheim@127.0.0.1:1/postgres?sslmode=disable",
		"postgres://ci:geheim@127.0.0.1:x/postgres",
	} {
		_, err := Open(t.Context(), Config{DSN: dsn})
		require.Error(t, err)
		require.NotContains(t, err.Error(), "geheim")
	}
	require.NotContains(t, s.scrub(fmt.Errorf("it said geheim")).Error(), "geheim")
}

func TestRoleMustBeAllowedToCreateDatabases(t *testing.T) {
	own := pgtest.Start(t, pgtest.Config{})
	exec(t, pgtest.Connect(t, own.DSN("postgres")), "CREATE ROLE ci LOGIN PASSWORD 'geheim'")
	_, err := Open(t.Context(), Config{DSN: dsnOf(own, "ci")})
	require.ErrorContains(t, err, `ALTER ROLE "ci" CREATEDB`)
}

func TestScriptsKeepToTheirDatabase(t *testing.T) {
	s, admin := open(t)
	exec(t, admin, "CREATE DATABASE precious")
	st, err := s.State(t.Context(), nil, "baseline", []Step{
		{SQL: "CREATE ROLE app"}, {SQL: "DROP DATABASE precious"}, {SQL: "CREATE TABLE t (id int); ALTER SYSTEM SET fsync = off; CREATE TABLE u (id int)"},
		{SQL: "GRANT SELECT ON t TO app; CREATE TABLE v (id int)"}, {SQL: "ALTER TABLE t OWNER TO app"}, {SQL: "COPY t TO PROGRAM 'touch /tmp/x'"},
	})
	require.NoError(t, err)
	require.Len(t, st.Skipped, 6)
	require.Contains(t, databases(t, admin), "precious")
	require.Nil(t, judge(t, st, st, site("SELECT id FROM u")).Variants[0].Failure)
	_, err = s.State(t.Context(), st, "broken", steps("CREATE TABLE t (id int)"))
	var b *BuildError
	require.ErrorAs(t, err, &b)
	require.Equal(t, "42P07", b.Failure.Code)
}

func TestThrowawayCluster(t *testing.T) {
	needServer(t)
	s, err := Open(t.Context(), Config{Launcher: launcher})
	require.NoError(t, err)
	dir := s.cluster.Dir()
	st, err := s.State(t.Context(), nil, "baseline", []Step{
		{SQL: "CREATE TABLE t (id int)", Tx: 1}, {SQL: "ALTER TABLE t OWNER TO whoever; GRANT SELECT ON t TO another", Tx: 1},
		{SQL: "CREATE EXTENSION pgcrypto"}, {SQL: "CREATE EXTENSION pg_stat_statements"}, {SQL: "CREATE ROLE app"},
		{SQL: "COMMENT ON EXTENSION plpgsql IS 'x'"},
	})
	require.NoError(t, err)
	require.Len(t, st.Skipped, 4, "%v", st.Skipped)
	require.Nil(t, judge(t, st, st, site("SELECT gen_random_bytes(4)")).Variants[0].Failure)
	out := judge(t, st, st, site("SELECT pg_read_file('/etc/passwd')"))
	require.Contains(t, out.Variants[0].NotProved, "permission denied", "what is judged is not run as a superuser")
	require.NoError(t, s.Close())
	require.NoDirExists(t, dir)
	_, err = Open(t.Context(), Config{})
	require.ErrorContains(t, err, "Divert")
}

func TestRoleMissingReadsTheServersWords(t *testing.T) {
	conn := pgtest.Connect(t, pgtest.Shared(t, pgtest.Config{}).Database(t))
	_, err := conn.Exec(t.Context(), `GRANT "no such" TO postgres`)
	f, err := refusal(t.Context(), err)
	require.NoError(t, err)
	require.True(t, roleMissing(f))
}
