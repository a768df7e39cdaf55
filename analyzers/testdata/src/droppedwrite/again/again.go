// Package again gives what it writes to functions that run it again.
package again

import (
	"context"
	"database/sql"
	"errors"
	"log"

	"droppedwrite/again/attempt"
	"droppedwrite/again/retry"

	"github.com/jackc/pgx/v5/pgconn"
)

const pay = `UPDATE account SET n = n - 1 WHERE id = 1`

// own is like attempt.Do, in this package.
func own(n int, f func() error) (err error) {
	for range n {
		err = f()
		if err != nil {
			log.Print(err)
		} else {
			break
		}
	}
	return err
}

func literal(ctx context.Context, db *sql.DB) error {
	return own(3, func() error {
		_, err := db.ExecContext(ctx, pay) // want `warning: retried-write: this write is sent again after any error`
		return err
	})
}

func variable(db *sql.DB) error {
	op := func() error {
		_, err := db.Exec(pay) // want `retried-write`
		return err
	}
	return own(3, op)
}

type bank struct{ db *sql.DB }

func (b *bank) pay() error {
	_, err := b.db.Exec(pay) // want `retried-write`
	return err
}

func (b *bank) method() error { return own(3, b.pay) }

// Of another package.
func far(ctx context.Context, db *sql.DB, r *attempt.Retrier) error {
	if err := attempt.Do(ctx, 3, func(ctx context.Context) error {
		_, err := db.ExecContext(ctx, pay) // want `retried-write`
		return err
	}); err != nil {
		return err
	}
	if err := attempt.Thrice(func() error {
		_, err := db.Exec(pay) // want `retried-write`
		return err
	}); err != nil {
		return err
	}
	_, err := attempt.Value(func() (sql.Result, error) {
		return db.Exec(pay) // want `retried-write`
	})
	if err != nil {
		return err
	}
	return r.Run(func() error {
		_, err := db.Exec(pay) // want `retried-write`
		return err
	})
}

// A transaction of the module's own.
func inTx(db *sql.DB, f func(*sql.Tx) error) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}

func transaction(db *sql.DB) error {
	return own(3, func() error {
		return inTx(db, func(tx *sql.Tx) error { // want `warning: retried-commit`
			_, err := tx.Exec(pay)
			return err
		})
	})
}

// Silent from here on.

func repeatable(db *sql.DB) error {
	return own(3, func() error {
		_, err := db.Exec(`UPDATE account SET name = 'x' WHERE id = 1`)
		return err
	})
}

func refused(err error) bool {
	var pgErr *pgconn.PgError
	return errors.As(err, &pgErr) && pgErr.Code == "40001"
}

func safe(db *sql.DB) error {
	return attempt.Safe(3, func() error {
		_, err := db.Exec(pay)
		return err
	}, refused)
}

func refusedOnly(db *sql.DB) error {
	return retry.Do(func() error {
		_, err := db.Exec(pay)
		return err
	})
}

func once(db *sql.DB) error {
	if err := attempt.Poll(func() error {
		_, err := db.Exec(pay)
		return err
	}); err != nil {
		return err
	}
	return attempt.Each(nil, func() error {
		_, err := db.Exec(pay)
		return err
	})
}

// Only the ping is tried again.
func waits(db *sql.DB) error {
	if err := own(3, db.Ping); err != nil {
		return err
	}
	_, err := db.Exec(pay)
	return err
}

func savepoint(tx *sql.Tx) error {
	return own(3, func() error {
		return nested(tx, func(tx *sql.Tx) error {
			_, err := tx.Exec(pay)
			return err
		})
	})
}

func nested(tx *sql.Tx, f func(*sql.Tx) error) error {
	if _, err := tx.Exec(`SAVEPOINT s`); err != nil {
		return err
	}
	if err := f(tx); err != nil {
		_, back := tx.Exec(`ROLLBACK TO SAVEPOINT s`)
		return errors.Join(err, back)
	}
	_, err := tx.Exec(`RELEASE SAVEPOINT s`)
	return err
}
