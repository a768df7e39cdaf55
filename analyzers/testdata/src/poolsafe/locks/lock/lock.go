// Package lock locks on connections that others give it.
package lock

import (
	"context"
	"database/sql"
)

// Take locks: whoever made the connection knows where it goes.
func Take(ctx context.Context, conn *sql.Conn, id int64) error { // want Take:`locks on argument 1 in lock.go:[0-9]+`
	_, err := conn.ExecContext(ctx, `SELECT pg_advisory_lock($1)`, id)
	return err
}

// Named hands on.
func Named(ctx context.Context, conn *sql.Conn, name string) error { // want Named:`locks on argument 1`
	return take(ctx, conn, int64(len(name)))
}

func take(ctx context.Context, conn *sql.Conn, id int64) error {
	_, err := conn.ExecContext(ctx, `SELECT pg_advisory_lock($1)`, id)
	return err
}

// Hook is called by somebody.
var Hook = hooked

func hooked(ctx context.Context, conn *sql.Conn) error {
	_, err := conn.ExecContext(ctx, `SELECT pg_advisory_lock(7)`) // want `session-advisory-lock`
	return err
}
