// Package golang needs sessions by calls of drivers.
package golang

import (
	"context"
	"database/sql"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/lib/pq"
)

func receivers(ctx context.Context, dsn string, conn *pgx.Conn) {
	pq.NewListener(dsn, time.Second, time.Minute, nil) // want `warning: session-listen: NewListener waits for notifications to its session`
	conn.WaitForNotification(ctx)                      // want `session-listen`
}

const dsn = "postgres://localhost/db?options=-csearch_path%3Dtenant"

func connections(ctx context.Context, host string) {
	sql.Open("postgres", dsn)                            // want `warning: session-search-path: search_path in a connection string`
	pgx.Connect(ctx, "host="+host+" search_path=tenant") // want `session-search-path`
	cfg, _ := pgx.ParseConfig("host=" + host)
	cfg.RuntimeParams["search_path"] = "tenant" // want `session-search-path: search_path as a parameter of the connection`
	cfg.RuntimeParams["application_name"] = "a"
	_ = &pgx.ConnConfig{RuntimeParams: map[string]string{"search_path": "tenant"}} // want `session-search-path`
	sql.Open("postgres", "host=/tmp application_name=search_path")
}

// Without a key in the settings it is not known what the pooler follows.
func drivers(ctx context.Context, db *sql.DB) {
	pgx.Connect(ctx, "host=/tmp")
	db.Prepare(`SELECT 1`)
}
