// Package commits has transactions whose end is looked at, and some whose end is not.
package commits

import (
	"context"
	"database/sql"
	"errors"
	"log"

	"github.com/jackc/pgx/v5"
)

type store struct {
	db *sql.DB
	tx *sql.Tx
}

func dropped(db *sql.DB) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	if _, err := tx.Exec(`UPDATE thing SET a = 1`); err != nil {
		return err
	}
	tx.Commit() // want `error: unchecked-commit: nobody looks whether this Commit succeeds: when a primary fails over`
	return nil
}

func droppedOfTwo(ctx context.Context, db *pgx.Conn) (id int, name string, err error) {
	tx, err := db.Begin(ctx)
	if err != nil {
		return 0, "", err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM thing`); err != nil {
		return 0, "", err
	}
	if id == 0 {
		tx.Commit(ctx) // want `unchecked-commit`
	}
	return id, name, nil
}

func noError(db *sql.DB) {
	tx, err := db.Begin()
	if err != nil {
		return
	}
	tx.Exec(`DELETE FROM thing`) // want `unchecked-exec`
	tx.Commit()                  // want `unchecked-commit`
}

func deferred(db *sql.DB) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Commit() // want `unchecked-commit: .*\n\tCommit at the end of the function`
	_, err = tx.Exec(`DELETE FROM thing`)
	return err
}

func deferredLiteral(db *sql.DB) (err error) {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			tx.Rollback()
			return
		}
		tx.Commit() // want `unchecked-commit`
	}()
	_, err = tx.Exec(`DELETE FROM thing`)
	return err
}

func overwritten(db *sql.DB) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	_, err = tx.Exec(`DELETE FROM thing`) // want `unchecked-exec: .*\n\tLook at the error before`
	err = tx.Commit()                     // want `unchecked-commit`
	err = db.Ping()
	return err
}

func (s *store) field() error {
	s.tx.Commit() // want `unchecked-commit`
	return nil
}

// What is looked at.

func returned(db *sql.DB) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err = tx.Exec(`DELETE FROM thing`); err != nil {
		return err
	}
	err = tx.Commit()
	log.Print("done")
	return err
}

func deferredAndReturned(db *sql.DB) (err error) {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer func() {
		err = tx.Commit()
	}()
	_, err = tx.Exec(`DELETE FROM thing`)
	return err
}

// decided has thought about it.
func decided(db *sql.DB) {
	tx, _ := db.Begin()
	_, _ = tx.Exec(`DELETE FROM thing`)
	_ = tx.Commit()
}

// What only reads loses nothing.

func reads(db *sql.DB) (n, m int, err error) {
	tx, err := db.Begin()
	if err != nil {
		return 0, 0, err
	}
	if err := tx.QueryRow(`SELECT count(*) FROM thing`).Scan(&n); err != nil {
		tx.Rollback()
		return 0, 0, err
	}
	m, err = count(tx)
	tx.Commit()
	return n, m, err
}

func count(tx *sql.Tx) (m int, err error) {
	err = tx.QueryRow(`SELECT count(*) FROM other`).Scan(&m)
	return m, err
}

func readOnly(ctx context.Context, db *sql.DB) error {
	tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer tx.Commit()
	return unknown(tx)
}

var unknown func(*sql.Tx) error

func insertsByQuery(db *sql.DB) (id int, err error) {
	tx, err := db.Begin()
	if err != nil {
		return 0, err
	}
	err = tx.QueryRow(`INSERT INTO thing (a) VALUES (1) RETURNING id`).Scan(&id)
	tx.Commit() // want `unchecked-commit`
	return id, err
}

// Errors that read as success.

func withTx(ctx context.Context, db *sql.DB, fn func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	err = fn(tx)
	var txErr error
	if err != nil {
		txErr = tx.Rollback()
	} else {
		txErr = tx.Commit()
	}
	if txErr != nil && txErr != sql.ErrTxDone { // want `error: txdone-as-success: sql.ErrTxDone from this Commit reads as success`
		panic(txErr)
	}
	return err
}

func direct(tx *sql.Tx) error {
	if err := tx.Commit(); err != nil && err != sql.ErrTxDone { // want `txdone-as-success`
		return err
	}
	return nil
}

func isNot(ctx context.Context, tx pgx.Tx) error {
	if err := tx.Commit(ctx); err != nil && !errors.Is(err, pgx.ErrTxClosed) { // want `txdone-as-success: pgx.ErrTxClosed`
		return err
	}
	return nil
}

func is(tx *sql.Tx) error {
	err := tx.Commit()
	if errors.Is(err, sql.ErrTxDone) { // want `txdone-as-success`
		return nil
	}
	return err
}

func either(tx *sql.Tx) error {
	err := tx.Commit()
	if err == nil || err == sql.ErrTxDone { // want `txdone-as-success`
		return nil
	}
	return err
}

func forgets(tx *sql.Tx) error {
	err := tx.Commit()
	if err == sql.ErrTxDone { // want `txdone-as-success`
		log.Print("already done")
		err = nil
	}
	return err
}

func cases(tx *sql.Tx) error {
	switch err := tx.Commit(); err {
	case nil, sql.ErrTxDone: // want `txdone-as-success`
		return nil
	default:
		return err
	}
}

// Not these.

func rollback(tx *sql.Tx) error {
	if err := tx.Rollback(); err != nil && err != sql.ErrTxDone {
		return err
	}
	return nil
}

func rollbackAfterCommit(tx *sql.Tx) error {
	err := tx.Commit()
	if err != nil {
		if err = tx.Rollback(); err != nil && err != sql.ErrTxDone {
			return err
		}
	}
	return err
}

func logged(tx *sql.Tx) error {
	err := tx.Commit()
	if err != nil && err != sql.ErrTxDone {
		log.Print(err)
	}
	return err
}

func translated(tx *sql.Tx) error {
	err := tx.Commit()
	if errors.Is(err, sql.ErrTxDone) {
		return context.Canceled
	}
	return err
}

func otherwise(tx *sql.Tx) error {
	if err := tx.Commit(); err != nil && !errors.Is(err, sql.ErrTxDone) {
		return err
	} else if err != nil {
		return context.Canceled
	}
	return nil
}
