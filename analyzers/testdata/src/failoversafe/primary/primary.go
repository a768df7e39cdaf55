// Package primary asks who is the primary.
package primary

import (
	"context"
	"database/sql"
	"sync"
)

var (
	standby bool
	once    sync.Once
	cached  bool
	fresh   bool
)

type store struct {
	db      *sql.DB
	primary bool
	now     bool
}

func newStore(db *sql.DB) (*store, error) {
	s := &store{db: db}
	var recovering bool
	if err := db.QueryRow(`SELECT pg_is_in_recovery()`).Scan(&recovering); err != nil { // want `error: cached-primary-flag: the answer to pg_is_in_recovery\(\) is kept in primary, and never asked for again`
		return nil, err
	}
	s.primary = !recovering
	db.QueryRow(`SELECT pg_is_in_recovery()`).Scan(&s.now)
	return s, nil
}

func (s *store) write() bool { return s.primary && s.now }

func (s *store) refresh(ctx context.Context) {
	s.db.QueryRowContext(ctx, `SELECT pg_is_in_recovery()`).Scan(&s.now)
}

func init() {
	var db *sql.DB
	db.QueryRow(`SELECT pg_is_in_recovery()`).Scan(&standby) // want `cached-primary-flag: .*kept in standby`
}

var (
	asked    sync.Once
	writable bool
)

func isWritable(db *sql.DB) bool {
	asked.Do(func() {
		var readOnly string
		if err := db.QueryRow(`SHOW transaction_read_only`).Scan(&readOnly); err == nil { // want `cached-primary-flag: .*kept in writable`
			writable = readOnly == "off"
		}
	})
	return writable
}

func isStandby(db *sql.DB) bool {
	once.Do(func() {
		db.QueryRow("select pg_is_in_recovery()").Scan(&cached) // want `cached-primary-flag`
	})
	return cached || standby
}

func update(db *sql.DB) {
	db.QueryRow("select pg_is_in_recovery()").Scan(&fresh)
}

func ask(db *sql.DB) bool {
	var now bool
	db.QueryRow("select pg_is_in_recovery()").Scan(&now)
	return now || fresh
}
