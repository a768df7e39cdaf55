// Package tested has texts that tests read as well.
package tested

import "database/sql"

const asserted = " WHERE note IS NOT NULL" // want `rename-column`

const elsewhere = " WHERE note IS NULL" // want `rename-column`

const windows = " WHERE note = 'windows'" // want `rename-column`

const free = " WHERE note = 'free'" // want `rename-column`

func clear(db *sql.DB) {
	db.Exec("DELETE FROM list" + asserted)
	db.Exec("DELETE FROM list" + elsewhere)
	db.Exec("DELETE FROM list" + windows)
	db.Exec("DELETE FROM list" + free)
}

// A mock of the database expects these texts.
func mocked(db *sql.DB) {
	db.Exec("UPDATE list SET note = 'x' WHERE id = 1") // want `rename-column`
	db.Exec(`
		INSERT INTO list (id, note) VALUES ($1, $2)`, 1, "a") // want `rename-column`
}
