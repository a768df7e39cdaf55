package droppedwrite

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// open connects to a database of its own with a table t that is empty.
func open(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", pgtest.Shared(t, pgtest.Config{}).Database(t))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	_, err = db.Exec(`CREATE TABLE t (a int)`)
	require.NoError(t, err)
	return db
}

func count(t *testing.T, db *sql.DB) (n int) {
	t.Helper()
	require.NoError(t, db.QueryRow(`SELECT count(*) FROM t`).Scan(&n))
	return n
}

// terminate does to a connection what a failover does, and returns when its backend is gone.
func terminate(t *testing.T, db *sql.DB, pid int) {
	t.Helper()
	_, err := db.Exec(`SELECT pg_terminate_backend($1)`, pid)
	require.NoError(t, err)
	for there := true; there; {
		require.NoError(t, db.QueryRow(`SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1)`, pid).Scan(&there))
	}
}

// TestCommitAfterCancel shows what ErrTxDone from Commit means, which core-go's WithTx takes for success (txdone-as-success).
func TestCommitAfterCancel(t *testing.T) {
	db := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	tx, err := db.BeginTx(ctx, nil)
	require.NoError(t, err)
	_, err = tx.ExecContext(ctx, `INSERT INTO t VALUES (1)`)
	require.NoError(t, err)
	cancel() // the client has gone
	// Until database/sql has rolled back by itself it returns the context's error.
	for err = tx.Commit(); !errors.Is(err, sql.ErrTxDone); err = tx.Commit() {
		require.ErrorIs(t, err, context.Canceled)
	}
	require.Zero(t, count(t, db), "what was inserted is gone")
}

// TestCommitOfLostConnection shows that Commit is where a lost connection shows (unchecked-commit).
func TestCommitOfLostConnection(t *testing.T) {
	db := open(t)
	tx, err := db.Begin()
	require.NoError(t, err)
	var pid int
	require.NoError(t, tx.QueryRow(`INSERT INTO t VALUES (1) RETURNING pg_backend_pid()`).Scan(&pid))
	terminate(t, db, pid)
	require.Error(t, tx.Commit())
	require.Zero(t, count(t, db))
}

// TestRowsOfLostConnection shows that a loop over rows ends as if there were no more, and that only Err tells
// (unchecked-rows-err).
func TestRowsOfLostConnection(t *testing.T) {
	const all = 1_000_000
	db := open(t)
	rows, err := db.Query(`SELECT pg_backend_pid(), repeat('x', 100) FROM generate_series(1, $1)`, all)
	require.NoError(t, err)
	n, pid, text := 0, 0, ""
	for rows.Next() {
		require.NoError(t, rows.Scan(&pid, &text))
		if n++; n == 1 {
			terminate(t, db, pid)
		}
	}
	require.Less(t, n, all)
	require.NoError(t, rows.Close(), "Close does not tell")
	require.Error(t, rows.Err())
}
