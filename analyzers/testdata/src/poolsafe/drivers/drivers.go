// Package drivers runs behind PgBouncer 1.20.
package drivers

import (
	"context"
	"database/sql"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

func connect(ctx context.Context, dsn string) {
	pgx.Connect(ctx, dsn) // want `warning: driver-prepared-statement: pgx prepares each statement under a name and keeps it`
	pgxpool.New(ctx, dsn) // want `driver-prepared-statement`
	pgxpool.New(ctx, dsn+"?default_query_exec_mode=exec")
	sql.Open("pgx", dsn)      // want `driver-prepared-statement: pgx`
	sql.Open("postgres", dsn) // want `driver-prepared-statement: lib/pq prepares each query with arguments, without a name, in one round trip`
	sql.Open("postgres", "host=/tmp binary_parameters=yes")
	sql.Open("sqlite3", dsn)
}

func prepare(ctx context.Context, db *sql.DB) error {
	db.PrepareContext(ctx, `SELECT 1`) // want `driver-prepared-statement: a prepared statement is the session's`
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	tx.PrepareContext(ctx, `SELECT 1`)
	return tx.Commit()
}
