// Package statements sends what needs a session.
package statements

import (
	"context"
	"database/sql"
	"fmt"
)

func settings(ctx context.Context, db *sql.DB, ms int) error {
	db.ExecContext(ctx, `SET statement_timeout = '5s'`)                         // want `warning: session-set: SET statement_timeout without LOCAL is the session's: behind PgBouncer`
	db.ExecContext(ctx, fmt.Sprintf("SET statement_timeout = %d", ms))          // want `session-set`
	db.ExecContext(ctx, `SET ROLE reader`)                                      // want `session-set: SET role`
	db.ExecContext(ctx, `SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY`) // want `session-set`
	db.ExecContext(ctx, `SET search_path = tenant`)                             // want `warning: session-search-path: SET search_path is the session's`
	db.ExecContext(ctx, `SELECT set_config('app.user', $1, false)`, ms)         // want `warning: session-set-config: set_config\(…, false\) is the session's: behind`
	db.ExecContext(ctx, `SELECT set_config('search_path', $1, false)`, "t")     // want `session-search-path`
	// PgBouncer keeps these.
	db.ExecContext(ctx, `SET TIME ZONE 'UTC'`)
	db.ExecContext(ctx, `SET application_name = 'a'; SET NAMES 'UTF8'; SET datestyle = 'ISO'`)
	db.ExecContext(ctx, `SELECT set_config('TimeZone', 'UTC', false)`)
	// These leave what everybody has.
	db.ExecContext(ctx, `RESET statement_timeout; SET lock_timeout TO DEFAULT; RESET ALL`)
	// Not known which.
	db.ExecContext(ctx, `SELECT set_config('app.user', $1, $2)`, ms, true)
	return nil
}

func settingsInTransaction(ctx context.Context, db *sql.DB) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	tx.ExecContext(ctx, `SET statement_timeout = '5s'`)              // want `session-set: SET statement_timeout without LOCAL is the session's, and stays after the transaction: behind`
	tx.ExecContext(ctx, "set session lock_timeout = '1s'")           // want `session-set`
	tx.ExecContext(ctx, `SET search_path TO tenant`)                 // want `session-search-path`
	tx.ExecContext(ctx, `SELECT set_config('app.user', 'a', false)`) // want `session-set-config`
	tx.ExecContext(ctx, `SET LOCAL statement_timeout = '5s'`)
	tx.ExecContext(ctx, `SELECT set_config('app.user', 'a', true)`)
	tx.ExecContext(ctx, `SET TRANSACTION ISOLATION LEVEL SERIALIZABLE`)
	tx.ExecContext(ctx, `SET CONSTRAINTS ALL DEFERRED`)
	return tx.Commit()
}

const both = `SET statement_timeout = '6s'` // want `session-set`

// sentTwice: a fix for one place would be wrong in the other.
func sentTwice(ctx context.Context, db *sql.DB) error {
	db.ExecContext(ctx, both)
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	tx.ExecContext(ctx, both)
	return tx.Commit()
}

func locks(ctx context.Context, db *sql.DB) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, `SELECT pg_advisory_lock($1)`, 1); err != nil { // want `warning: session-advisory-lock: pg_advisory_lock locks for the session`
		return err
	}
	var ok bool
	return db.QueryRowContext(ctx, `SELECT pg_try_advisory_lock_shared(1)`).Scan(&ok) // want `session-advisory-lock`
}

func lockInTransaction(ctx context.Context, db *sql.DB) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(1)`)
	tx.ExecContext(ctx, `SELECT pg_advisory_lock(1)`) // want `session-advisory-lock`
	return tx.Commit()
}

// held sets what it takes back, on a connection of its own.
func held(ctx context.Context, db *sql.DB) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() {
		conn.ExecContext(context.Background(), `RESET lock_timeout`)
		conn.Close()
	}()
	if _, err := conn.ExecContext(ctx, `SET lock_timeout = '1min'`); err != nil {
		return err
	}
	_, err = conn.ExecContext(ctx, `SET work_mem = '1GB'`) // want `session-set: SET work_mem`
	return err
}

func listen(ctx context.Context, db *sql.DB) error {
	db.ExecContext(ctx, `NOTIFY news`)
	_, err := db.ExecContext(ctx, `LISTEN news`) // want `warning: session-listen: LISTEN news is the session's`
	return err
}

func temporary(ctx context.Context, db *sql.DB) error {
	db.ExecContext(ctx, `CREATE TEMP TABLE a (i int)`)                // want `warning: session-temp-table: temporary table a is the session's: behind`
	db.ExecContext(ctx, `CREATE TEMP TABLE b (i int) ON COMMIT DROP`) // want `session-temp-table: this temporary table is dropped as soon as it is made`
	db.ExecContext(ctx, `CREATE TEMPORARY TABLE c AS SELECT 1`)       // want `session-temp-table`
	db.ExecContext(ctx, `SELECT 1 AS i INTO TEMP d`)                  // want `session-temp-table`
	db.ExecContext(ctx, `CREATE TABLE e (temp int)`)
	db.ExecContext(ctx, `BEGIN; CREATE TEMP TABLE f (i int) ON COMMIT DROP; COMMIT`)
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	tx.ExecContext(ctx, `CREATE TEMP TABLE g (i int)`) // want `session-temp-table: temporary table g is the session's, and stays after the transaction`
	tx.ExecContext(ctx, `CREATE TEMP TABLE h (i int) ON COMMIT DROP`)
	tx.ExecContext(ctx, `CREATE TEMP TABLE j ON COMMIT DROP AS SELECT 1`)
	tx.ExecContext(ctx, `CREATE TEMP TABLE k (i int)`)
	tx.ExecContext(ctx, `DROP TABLE k`)
	return tx.Commit()
}

func cursors(ctx context.Context, db *sql.DB) error {
	db.ExecContext(ctx, `DECLARE a CURSOR WITH HOLD FOR SELECT 1`) // want `warning: cursor-with-hold: cursor a WITH HOLD outlives its transaction`
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	tx.ExecContext(ctx, `DECLARE b CURSOR FOR SELECT 1`)
	tx.ExecContext(ctx, `DECLARE c SCROLL CURSOR WITHOUT HOLD FOR SELECT 1`)
	return tx.Commit()
}

func prepares(ctx context.Context, db *sql.DB) error {
	db.ExecContext(ctx, `PREPARE a AS SELECT 1`) // want `warning: sql-prepare: prepared statement a is the session's`
	_, err := db.ExecContext(ctx, `EXECUTE a`)   // said once, where it is prepared
	return err
}

func sequences(ctx context.Context, db *sql.DB) (id int, err error) {
	if err := db.QueryRowContext(ctx, `SELECT lastval()`).Scan(&id); err != nil { // want `warning: session-sequence: lastval is what this session drew last`
		return 0, err
	}
	db.ExecContext(ctx, `INSERT INTO child (parent) VALUES (currval('parent_id_seq'))`) // want `session-sequence`
	db.ExecContext(ctx, `INSERT INTO parent DEFAULT VALUES; INSERT INTO child (parent) VALUES (currval('parent_id_seq'))`)
	db.ExecContext(ctx, `SELECT nextval('s'), currval('s')`)
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return 0, err
	}
	tx.ExecContext(ctx, `INSERT INTO parent DEFAULT VALUES`)
	tx.QueryRowContext(ctx, `SELECT lastval()`).Scan(&id)
	return id, tx.Commit()
}

// UPDATE … SET and a column called temp are nothing of the kind.
func update(ctx context.Context, db *sql.DB) error {
	_, err := db.ExecContext(ctx, `UPDATE thing
		SET temp = 1`)
	return err
}
