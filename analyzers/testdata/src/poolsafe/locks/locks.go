// Package locks takes advisory locks on single connections.
package locks

import (
	"context"
	"database/sql"

	"poolsafe/locks/lock"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

func outOfPool(ctx context.Context, pool *pgxpool.Pool) error {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	_, err = conn.Exec(ctx, `SELECT pg_advisory_lock(1)`) // want `warning: session-advisory-lock: pg_advisory_lock locks for the session`
	return err
}

func under(ctx context.Context, pool *pgxpool.Pool) error {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	_, err = conn.Conn().Exec(ctx, `SELECT pg_advisory_lock(1)`) // want `session-advisory-lock`
	return err
}

func byHelper(ctx context.Context, db *sql.DB) error {
	conn, err := acquire(ctx, db)
	if err != nil {
		return err
	}
	return lockOn(ctx, conn)
}

func acquire(ctx context.Context, db *sql.DB) (*sql.Conn, error) {
	if db == nil {
		return nil, sql.ErrConnDone
	}
	return db.Conn(ctx)
}

// lockOn is given one of a pool.
func lockOn(ctx context.Context, conn *sql.Conn) error {
	_, err := conn.ExecContext(ctx, `SELECT pg_advisory_lock(1)`) // want `session-advisory-lock`
	return err
}

type leader struct{ conn *sql.Conn }

func (l *leader) start(ctx context.Context, db *sql.DB) (err error) {
	l.conn, err = db.Conn(ctx)
	return err
}

func (l *leader) lead(ctx context.Context) error {
	_, err := l.conn.ExecContext(ctx, `SELECT pg_advisory_lock(1)`) // want `session-advisory-lock`
	return err
}

func far(ctx context.Context, db *sql.DB) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	return lock.Take(ctx, conn, 1) // want `session-advisory-lock: poolsafe/locks/lock.Take locks for the session \(lock.go:[0-9]+\) on this connection, which is a pool's`
}

// The pool serves others as well.
func main() {
	ctx := context.Background()
	db, err := sql.Open("postgres", "")
	if err != nil {
		return
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return
	}
	conn.ExecContext(ctx, `SELECT pg_advisory_lock(1)`) // want `session-advisory-lock`
	serve(db)
}

func serve(*sql.DB) {}

// Silent from here on: who makes a connection for a lock says where it goes.

func pinned(dsn string) (*sql.DB, error) {
	db, err := sql.Open("postgres", dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	_, err = db.Exec(`SET search_path TO pg_temp`)
	return db, err
}

func own(ctx context.Context, dsn string) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, `SELECT pg_advisory_lock(1)`)
	return err
}

func ownPool(ctx context.Context, dsn string) error {
	db, err := sql.Open("postgres", dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	_, err = conn.ExecContext(ctx, `SELECT pg_advisory_lock(1)`)
	return err
}

type migrator struct{ conn *pgx.Conn }

func newMigrator(conn *pgx.Conn) *migrator { return &migrator{conn} }

func (m *migrator) migrate(ctx context.Context) error { return acquireLock(ctx, m.conn) }

func acquireLock(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, `SELECT pg_advisory_lock(1)`)
	return err
}

func Exported(ctx context.Context, conn *sql.Conn) error { // want Exported:`locks on argument 1`
	return lock.Named(ctx, conn, "a")
}
