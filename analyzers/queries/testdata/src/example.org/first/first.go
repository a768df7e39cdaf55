// Package first is of a service that never starts new code on an old schema.
package first

import "database/sql"

func needs(db *sql.DB) error {
	_, err := db.Exec("UPDATE tracker SET kind = 1") // want `warning: needs-migration: .* this code needs 0002_kind.sql to have run before it starts`
	return err
}

func broken(db *sql.DB) error {
	_, err := db.Exec("UPDATE tracker SET knid = 1") // want `error: broken-query: .* column "knid"`
	return err
}

func fine(db *sql.DB) error {
	_, err := db.Exec("UPDATE tracker SET name = 'x'")
	return err
}
