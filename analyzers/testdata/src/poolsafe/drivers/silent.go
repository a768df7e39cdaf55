// Package drivers runs behind PgBouncer 1.21, which follows statements that have names.
package drivers

import (
	"context"
	"database/sql"

	"github.com/jackc/pgx/v5"
)

func follows(ctx context.Context, db *sql.DB, dsn string) {
	pgx.Connect(ctx, dsn)
	sql.Open("postgres", dsn) // want `driver-prepared-statement: lib/pq prepares each query with arguments, without a name`
	sql.Open("postgres", "host=/tmp binary_parameters=yes")
	db.PrepareContext(ctx, `SELECT 1`)
}
