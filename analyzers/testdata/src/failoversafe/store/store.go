// Package store opens pools, and serves nothing.
package store

import "database/sql"

// Open limits nothing.
func Open(dsn string) (*sql.DB, error) { // want Open:`opens by database/sql.Open`
	return sql.Open("postgres", dsn)
}

type Store struct{ db *sql.DB }

func New(dsn string) (*Store, error) { // want New:`opens by database/sql.Open`
	db, err := sql.Open("pgx", dsn)
	return &Store{db}, err
}

// Dial opens by another function.
func Dial(dsn string) (*Store, error) { // want Dial:`opens by database/sql.Open`
	return dial(dsn)
}

func dial(dsn string) (*Store, error) { return New(dsn) }

// Ask closes what it opens.
func Ask(dsn string) error {
	db, err := sql.Open("postgres", dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	return db.Ping()
}

func Other(dsn string) (*sql.DB, error) { return sql.Open("sqlite3", dsn) }
