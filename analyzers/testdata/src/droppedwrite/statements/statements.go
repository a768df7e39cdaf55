// Package statements has writes whose errors are lost, loops over rows, and retries.
package statements

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

func execs(ctx context.Context, db *sql.DB, table string) error {
	db.Exec(`INSERT INTO log (a) VALUES (1)`)                 // want `warning: unchecked-exec: nobody looks whether this write is done`
	db.ExecContext(ctx, fmt.Sprintf(`DELETE FROM %s`, table)) // want `unchecked-exec`
	go db.Exec(`UPDATE thing SET a = 1`)                      // want `unchecked-exec`
	stmt, err := db.Prepare(`INSERT INTO log (a) VALUES ($1)`)
	if err != nil {
		return err
	}
	stmt.Exec(1)                               // want `unchecked-exec`
	_, err = db.Exec(`UPDATE thing SET a = 1`) // want `unchecked-exec`
	_, err = db.Exec(`UPDATE thing SET b = 1`)
	return err
}

func batches(ctx context.Context, conn *pgx.Conn, tx pgx.Tx) error {
	b := &pgx.Batch{}
	b.Queue(`INSERT INTO log (a) VALUES (1)`)
	conn.SendBatch(ctx, b).Close() // want `unchecked-exec: nobody looks whether the statements of this batch`
	results := conn.SendBatch(ctx, b)
	defer results.Close()             // want `unchecked-exec`
	tx.Exec(ctx, `DELETE FROM thing`) // want `unchecked-exec`
	return nil
}

func fine(ctx context.Context, db *sql.DB, conn *pgx.Conn) error {
	db.Exec(`SET search_path = x`)
	db.Exec(`CREATE TABLE IF NOT EXISTS thing (a int)`)
	_, _ = db.Exec(`DELETE FROM session WHERE expires < now()`)
	defer db.Exec(`DELETE FROM lock`)
	if _, err := db.Exec(`DELETE FROM thing`); err != nil {
		return err
	}
	b := &pgx.Batch{}
	results := conn.SendBatch(ctx, b)
	defer results.Close()
	if _, err := results.Exec(); err != nil {
		return err
	}
	_, err := db.Exec(`DELETE FROM other`)
	if err != nil {
		return err
	}
	_, err = db.Exec(`DELETE FROM third`)
	return err
}

func names(db *sql.DB) ([]string, error) {
	rows, err := db.Query(`SELECT name FROM thing`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []string
	for rows.Next() { // want `warning: unchecked-rows-err: this loop also ends when the connection is lost`
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		list = append(list, name)
	}
	return list, nil
}

func pgxNames(ctx context.Context, conn *pgx.Conn, each func(string)) {
	rows, err := conn.Query(ctx, `SELECT name FROM thing`)
	if err != nil {
		return
	}
	for rows.Next() { // want `unchecked-rows-err`
		var name string
		if err := rows.Scan(&name); err != nil {
			return
		}
		each(name)
	}
	rows.Close()
}

func asked(db *sql.DB) (list []string, err error) {
	rows, err := db.Query(`SELECT name FROM thing`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		list = append(list, name)
	}
	return list, rows.Err()
}

func askedBySomebody(db *sql.DB, finish func(*sql.Rows) error) error {
	rows, err := db.Query(`SELECT name FROM thing`)
	if err != nil {
		return err
	}
	for rows.Next() {
	}
	return finish(rows)
}

func first(db *sql.DB) (name string, err error) {
	rows, err := db.Query(`SELECT name FROM thing`)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	for rows.Next() {
		return name, rows.Scan(&name)
	}
	return "", sql.ErrNoRows
}

func retry(db *sql.DB) (err error) {
	for i := 0; i < 5; i++ {
		if _, err = db.Exec(`INSERT INTO log (a) VALUES (1)`); err == nil { // want `warning: retried-write: this write is sent again after any error`
			return nil
		}
		time.Sleep(time.Second)
	}
	return err
}

func retryForEver(db *sql.DB) {
	for {
		_, err := db.Exec(`UPDATE thing SET n = n + 1`) // want `retried-write`
		if err != nil {
			time.Sleep(time.Second)
			continue
		}
		break
	}
}

func retryLibrary(db *sql.DB) error {
	return backoff.Retry(func() error {
		_, err := db.Exec(`INSERT INTO log (a) VALUES (1)`) // want `retried-write`
		return err
	}, nil)
}

func retryCommit(db *sql.DB, fn func(*sql.Tx) error) (err error) {
	for range 3 {
		var tx *sql.Tx
		if tx, err = db.Begin(); err != nil {
			return err
		}
		if err = fn(tx); err != nil {
			tx.Rollback()
			return err
		}
		if err = tx.Commit(); err == nil { // want `warning: retried-commit: the transaction is run again after any error of this Commit`
			return nil
		}
	}
	return err
}

// What may be tried again.

func retryRepeatable(db *sql.DB) (err error) {
	for i := 0; i < 5; i++ {
		if _, err = db.Exec(`INSERT INTO log (id) VALUES (1) ON CONFLICT DO NOTHING`); err == nil {
			return nil
		}
	}
	for i := 0; i < 5; i++ {
		if _, err = db.Exec(`UPDATE thing SET n = 1 WHERE id = 2`); err == nil {
			return nil
		}
	}
	return err
}

func retryRefused(db *sql.DB) (err error) {
	for range 3 {
		_, err = db.Exec(`INSERT INTO log (a) VALUES (1)`)
		if err == nil {
			return nil
		}
		var pgErr *pgconn.PgError
		if !errors.As(err, &pgErr) || pgErr.Code != "40001" {
			return err
		}
	}
	return err
}

func retryLibraryPermanent(db *sql.DB) error {
	return backoff.Retry(func() error {
		if _, err := db.Exec(`INSERT INTO log (a) VALUES (1)`); err != nil {
			return backoff.Permanent(err)
		}
		return nil
	}, nil)
}

// each is no retry.
func each(db *sql.DB, list []string) error {
	for i := 0; i < len(list); i++ {
		if _, err := db.Exec(`INSERT INTO log (a) VALUES ($1)`, list[i]); err != nil {
			return err
		}
	}
	for i := 0; i < 5; i++ {
		if _, err := db.Exec(`INSERT INTO log (a) VALUES ($1)`, i); err != nil {
			continue
		}
	}
	for {
		if _, err := db.Exec(`INSERT INTO log (a) VALUES (1)`); err != nil {
			return err
		}
	}
}
