// Package drivers runs behind PgBouncer 1.21.
package drivers

import (
	"context"
	"database/sql"

	"github.com/jackc/pgx/v5"
)

func follows(ctx context.Context, db *sql.DB, dsn string) {
	pgx.Connect(ctx, dsn)
	sql.Open("postgres", dsn)
	db.PrepareContext(ctx, `SELECT 1`)
}
