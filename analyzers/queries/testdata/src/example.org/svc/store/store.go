// Package store has wrappers: facts carry them to the packages that call them.
package store

import (
	"context"
	"database/sql"
)

// Exec passes its text on.
func Exec(ctx context.Context, db *sql.DB, query string, args ...any) error {
	_, err := db.ExecContext(ctx, query, args...)
	return err
}

// Table is the name of a table.
func Table() string { return "tracker" }
