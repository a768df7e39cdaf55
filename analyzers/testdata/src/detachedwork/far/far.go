// Package far is called by handlers of another package.
package far

import (
	"context"
	"database/sql"
)

type Store struct{ db *sql.DB }

func (s *Store) Remove(id int) error { // want Remove:`acts by .*Exec`
	_, err := s.db.Exec(`DELETE FROM t WHERE id = $1`, id)
	return err
}

func (s *Store) RemoveContext(ctx context.Context, id int) error { // want RemoveContext:`acts by .*ExecContext`
	_, err := s.db.ExecContext(ctx, `DELETE FROM t WHERE id = $1`, id)
	return err
}

func (s *Store) Later(id int) { // want Later:`detaches .*Exec`
	go s.Remove(id)
}

func (s *Store) Count() (n int) {
	s.db.QueryRow(`SELECT count(*) FROM t`).Scan(&n)
	return n
}

// Go starts f and forgets it.
func Go(f func()) { // want Go:`starts parameter 0`
	go func() {
		defer func() { recover() }()
		f()
	}()
}

// StartCleanup belongs to the program, not to whoever calls it.
func (s *Store) StartCleanup() {
	go s.Remove(0)
}
