// Package store is called by handlers of another package.
package store

import (
	"context"
	"database/sql"
)

type Store struct{ DB *sql.DB }

// Show hands its context on.
func (s *Store) Show(ctx context.Context, id int) error { // want Show:`takes its deadline for .*QueryRowContext`
	var name string
	return s.DB.QueryRowContext(ctx, `SELECT name FROM thing WHERE id = $1`, id).Scan(&name)
}

// Twice does so through Show.
func (s *Store) Twice(ctx context.Context, id int) error { // want Twice:`takes its deadline for .*Show`
	return s.Show(context.WithValue(ctx, "a", 1), id)
}

// Bounded brings a deadline of its own.
func (s *Store) Bounded(ctx context.Context, id int) error {
	ctx2, cancel := context.WithTimeout(ctx, 1000)
	defer cancel()
	return s.Show(ctx2, id)
}

// Count waits whatever it is given.
func (s *Store) Count() (n int, err error) { // want Count:`waits by .*QueryRow`
	err = s.DB.QueryRow(`SELECT count(*) FROM thing`).Scan(&n)
	return n, err
}

// Refresh does so through Count.
func (s *Store) Refresh() error { // want Refresh:`waits by .*QueryRow`
	_, err := s.Count()
	return err
}

// Later starts it and does not wait.
func (s *Store) Later() {
	go s.Count()
}
