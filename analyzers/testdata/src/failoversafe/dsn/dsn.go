// Package dsn has data source names in the code.
package dsn

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const fixed = "postgres://u@10.0.0.5:5432/app"

func open(ctx context.Context, host, user, more string, port int) {
	sql.Open("postgres", "host=db.example.org user=u dbname=app sslmode=disable") // want `warning: missing-connect-timeout: this DSN has no connect_timeout` `warning: single-database-host: this DSN knows db.example.org alone`
	sql.Open("postgres", "postgres://u@db.example.org/app?sslmode=disable")       // want `missing-connect-timeout` `single-database-host`
	sql.Open("pgx", fixed)                                                        // want `missing-connect-timeout` `single-database-host: this DSN knows 10.0.0.5 alone`
	pgxpool.New(ctx, "postgres://u@[2001:db8::1]:5432/app?connect_timeout=3")     // want `single-database-host: this DSN knows 2001:db8::1 alone`
	pgxpool.New(ctx, "postgres://a:1,b:2/app?target_session_attrs=read-write")    // want `missing-connect-timeout`
	pgxpool.New(ctx, "postgres://db/app?target_session_attrs=any&connect_timeout=3")
	sql.Open("postgres", "host=pgbouncer.example.org user=u connect_timeout=3")
	sql.Open("postgres", "postgres://db.example.org:6432/app?connect_timeout=3")
	dsn := fmt.Sprintf("host=%s port=%d user=%s dbname=app", host, port, user)
	sql.Open("postgres", dsn)                                                      // want `missing-connect-timeout`
	sql.Open("postgres", fmt.Sprintf("postgres://%s@%s:%d/app", user, host, port)) // want `missing-connect-timeout`
	sql.Open("postgres", fmt.Sprintf("postgres://%s@%s:%d/app?%s", user, host, port, more))
	sql.Open("postgres", fmt.Sprintf("postgres://%s", more))
	sql.Open("postgres", fmt.Sprintf("host=%s %s", host, more))
	sql.Open("postgres", host)

	// This machine answers at once, if only that nobody is there.
	sql.Open("postgres", "host=localhost user=u")
	sql.Open("postgres", "postgres://u@127.0.0.1/app")
	sql.Open("postgres", "postgresql:///app")
	sql.Open("postgres", "host=/run/postgresql dbname=app")
	sql.Open("mysql", "u@tcp(db.example.org)/app")

	pgx.Connect(context.Background(), fixed) // want `missing-connect-timeout` `single-database-host`
	deadline, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	pgx.Connect(deadline, fixed)
	pgx.Connect(ctx, fixed)
}
