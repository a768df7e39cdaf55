package gate_test

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"git.sr.ht/~sourcehut/ha-go/internal/pgtest"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/gate"
	"github.com/cockroachdb/datadriven"
	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// open is a pool on a fresh database.
func open(t testing.TB) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", pgtest.Shared(t, pgtest.Config{}).Database(t))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// TestTools reads the version tables of every tool; see testdata/tools.txt.
func TestTools(t *testing.T) {
	db := open(t)
	datadriven.RunTest(t, "testdata/tools.txt", func(t *testing.T, d *datadriven.TestData) string {
		switch d.Cmd {
		case "fresh":
			db = open(t)
		case "sql":
			_, err := db.ExecContext(t.Context(), d.Input)
			require.NoError(t, err)
		case "read":
			var c gate.Config
			for _, a := range d.CmdArgs {
				switch a.Key {
				case "tool":
					c.Tool = gate.Tool(a.Vals[0])
				case "floor":
					c.Floor, _ = strconv.ParseInt(a.Vals[0], 10, 64)
				case "revisions":
					c.Revisions = a.Vals
				case "table":
					c.Table = strings.ReplaceAll(a.Vals[0], "_", " ")
				}
			}
			g, err := gate.Open(t.Context(), gate.SQL(db), c)
			if err != nil {
				return fmt.Sprintf("error: %v\n", err)
			}
			s := g.Now()
			out := s.String() + ":"
			for n := range int64(5) {
				if s.AtLeast(n) {
					out += fmt.Sprint(" ", n)
				}
			}
			return out + "\n"
		default:
			d.Fatalf(t, "unknown directive %s", d.Cmd)
		}
		return ""
	})
}

// TestUncommitted: what a migration does is not claimed before its transaction commits, nor after it was rolled back.
func TestUncommitted(t *testing.T) {
	db := open(t)
	_, err := db.Exec("CREATE TABLE brant_db_version (version_id bigint NOT NULL); INSERT INTO brant_db_version VALUES (8)")
	require.NoError(t, err)
	g, err := gate.Open(t.Context(), gate.SQL(db), gate.Config{Throttle: 1})
	require.NoError(t, err)
	for _, commit := range []bool{false, true} {
		tx, err := db.Begin()
		require.NoError(t, err)
		_, err = tx.Exec("CREATE TABLE made (a int); UPDATE brant_db_version SET version_id = 9")
		require.NoError(t, err)
		require.NoError(t, g.Refresh(t.Context()))
		require.False(t, g.AtLeast(9))
		if commit {
			require.NoError(t, tx.Commit())
		} else {
			require.NoError(t, tx.Rollback())
		}
		require.NoError(t, g.Refresh(t.Context()))
		require.Equal(t, commit, g.AtLeast(9))
	}
}

// TestDo walks through a rename, there and back, under a service that reads by both names and never re-reads by itself.
func TestDo(t *testing.T) {
	db := open(t)
	_, err := db.Exec(`CREATE TABLE brant_db_version (version_id bigint NOT NULL); INSERT INTO brant_db_version VALUES (8);
		CREATE TABLE tracker (id int, created int); INSERT INTO tracker VALUES (1, 17)`)
	require.NoError(t, err)
	g, err := gate.Open(t.Context(), gate.SQL(db), gate.Config{Throttle: 1})
	require.NoError(t, err)
	calls := 0
	ask := func() int {
		var value int
		calls = 0
		require.NoError(t, g.Do(t.Context(), func(s gate.Schema) error {
			calls++
			column := "created"
			if s.AtLeast(9) {
				column = "linked"
			}
			return db.QueryRow("SELECT "+column+" FROM tracker WHERE id = $1", 1).Scan(&value)
		}))
		return value
	}
	require.Equal(t, 17, ask())
	require.Equal(t, 1, calls)
	for _, step := range []string{
		"ALTER TABLE tracker RENAME COLUMN created TO linked; UPDATE brant_db_version SET version_id = 9",
		"ALTER TABLE tracker RENAME COLUMN linked TO created; UPDATE brant_db_version SET version_id = 8",
	} {
		_, err = db.Exec(step)
		require.NoError(t, err)
		require.Equal(t, 17, ask())
		require.Equal(t, 2, calls, step)
		require.Equal(t, 17, ask())
		require.Equal(t, 1, calls, step)
	}

	// An error that no change explains is not tried again, nor is one that another schema might explain and does not.
	calls = 0
	for _, query := range []string{"SELECT 1/0", "SELECT nonsense"} {
		calls = 0
		require.Error(t, g.Do(t.Context(), func(gate.Schema) error {
			calls++
			_, err := db.Exec(query)
			return err
		}))
		require.Equal(t, 1, calls, query)
	}
}

// TestLate: until it reads again, a gate lets code for the old schema in, and a query of it fails. Do tries again what such an error
// ends, but not what another does, nor in a transaction that the error has ended. srhtvet's stale-gate counts on all of this.
func TestLate(t *testing.T) {
	db := open(t)
	_, err := db.Exec(`CREATE TABLE brant_db_version (version_id bigint NOT NULL); INSERT INTO brant_db_version VALUES (8);
		CREATE TABLE tracker (id int, created int)`)
	require.NoError(t, err)
	migrated := func() *gate.Gate {
		_, err := db.Exec("UPDATE brant_db_version SET version_id = 8")
		require.NoError(t, err)
		g, err := gate.Open(t.Context(), gate.SQL(db), gate.Config{Throttle: 1})
		require.NoError(t, err)
		_, err = db.Exec("UPDATE brant_db_version SET version_id = 9")
		require.NoError(t, err)
		return g
	}
	_, err = db.Exec("ALTER TABLE tracker RENAME COLUMN created TO linked; ALTER TABLE tracker ADD CHECK (linked > 0)")
	require.NoError(t, err)
	var server interface{ SQLState() string }

	g := migrated()
	require.False(t, g.AtLeast(9))
	_, err = db.Exec("UPDATE tracker SET created = 1")
	require.ErrorAs(t, err, &server)
	require.Equal(t, "42703", server.SQLState())
	require.NoError(t, g.Refresh(t.Context()))
	require.True(t, g.AtLeast(9))

	g = migrated()
	calls := 0
	err = g.Do(t.Context(), func(s gate.Schema) error {
		calls++
		if s.AtLeast(9) {
			return nil
		}
		_, err := db.Exec("INSERT INTO tracker (linked) VALUES (0)")
		return err
	})
	require.ErrorAs(t, err, &server)
	require.Equal(t, "23514", server.SQLState())
	require.Equal(t, 1, calls, "a CHECK's refusal may have any reason")

	g = migrated()
	tx, err := db.Begin()
	require.NoError(t, err)
	err = g.Do(t.Context(), func(s gate.Schema) error {
		column := "created"
		if s.AtLeast(9) {
			column = "linked"
		}
		_, err := tx.Exec("UPDATE tracker SET " + column + " = 1")
		return err
	})
	require.ErrorAs(t, err, &server)
	require.Equal(t, "25P02", server.SQLState(), "in_failed_sql_transaction")
	require.NoError(t, tx.Rollback())
}

// TestPgx reads through pgx's own interface.
func TestPgx(t *testing.T) {
	dsn := pgtest.Shared(t, pgtest.Config{}).Database(t)
	conn := pgtest.Connect(t, dsn)
	_, err := conn.Exec(t.Context(), "CREATE TABLE schema_version (version int4 not null); INSERT INTO schema_version VALUES (3)")
	require.NoError(t, err)
	g, err := gate.Open(t.Context(), pgxQuery(conn), gate.Config{})
	require.NoError(t, err)
	require.Equal(t, "tern 3", g.Now().String())
	require.EqualValues(t, 3, g.Now().Version())
}

// TestNotReadable: a table that may not be read is an error, not a fresh database.
func TestNotReadable(t *testing.T) {
	dsn := pgtest.Shared(t, pgtest.Config{}).Database(t)
	conn := pgtest.Connect(t, dsn)
	_, err := conn.Exec(t.Context(), "CREATE TABLE schema_version (version int4 not null); CREATE ROLE gate_reader; SET ROLE gate_reader")
	require.NoError(t, err)
	t.Cleanup(func() {
		_, err := conn.Exec(context.Background(), "RESET ROLE; DROP ROLE gate_reader")
		require.NoError(t, err)
	})
	_, err = gate.Open(t.Context(), pgxQuery(conn), gate.Config{})
	require.ErrorContains(t, err, "permission denied")
}

func pgxQuery(conn *pgx.Conn) gate.Querier {
	return gate.QueryFunc(func(ctx context.Context, query string) ([]string, error) {
		rows, err := conn.Query(ctx, query)
		if err != nil {
			return nil, err
		}
		return pgx.CollectRows(rows, pgx.RowTo[string])
	})
}
