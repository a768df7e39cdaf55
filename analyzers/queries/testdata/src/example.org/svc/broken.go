// Package svc is what the analyzer looks at: broken.go has what it reports, silent.go what it must not report.
package svc

import (
	"context"
	"database/sql"
	"time"

	sq "github.com/Masterminds/squirrel"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jmoiron/sqlx"

	"example.org/svc/store"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/gate"
)

// On the schema that the migrations make the column has another name, which is the fix.
func renamed(ctx context.Context, db *sql.DB, id int) error {
	_, err := db.ExecContext(ctx, `UPDATE tracker
		SET created = now() WHERE id = $1`, id) // want `error: rename-column: on the schema after 0003_kind.sql this UPDATE fails: column "created" of relation "tracker" does not exist\n\tUse the new name: linked instead of created.`
	return err
}

// Of the new name the old schema knows nothing: no fix for that, since there is nothing wrong with the code.
func early(ctx context.Context, db *sql.DB, id int) (at time.Time, err error) {
	err = db.QueryRowContext(ctx, "SELECT linked FROM tracker WHERE id = $1", id).Scan(&at) // want `error: rename-column: on the schema before 0002_linked.sql this SELECT fails: column "linked" does not exist in tracker`
	return at, err
}

// Of two texts the one is changed that needs it.
func either(ctx context.Context, db *sql.DB, asc bool) error {
	order := " ORDER BY created" // want `error: rename-column: on the schema after 0003_kind.sql this SELECT fails: column "created" does not exist in tracker`
	if asc {
		order = " ORDER BY id"
	}
	_, err := db.QueryContext(ctx, "SELECT id FROM tracker"+order)
	return err
}

func needs(ctx context.Context, pool *pgxpool.Pool) error {
	_, err := pool.Exec(ctx, "UPDATE tracker SET kind = 1") // want `error: needs-migration: on the schema before 0002_linked.sql this UPDATE fails: column "kind" of relation "tracker" does not exist\n\tSplit it over releases:`
	return err
}

func wrapped(ctx context.Context, db *sql.DB) error {
	return store.Exec(ctx, db, "DELETE FROM tracker WHERE kind = 1") // want `error: needs-migration: .* this DELETE fails: column "kind" does not exist in tracker`
}

func named(ctx context.Context, db *sql.DB) error {
	_, err := db.ExecContext(ctx, "DELETE FROM "+store.Table()+" WHERE nmae = 'x'") // want `error: broken-query: this DELETE fails: column "nmae" does not exist in tracker\n\tNothing that is pending`
	return err
}

func built(db *sql.DB) error {
	_, err := sq.Select("id", "kind").From("tracker").Where(sq.Eq{"name": "x"}).RunWith(db).Query() // want `error: needs-migration: .* this SELECT fails: column "kind" does not exist in tracker`
	return err
}

// row has no place for a column of the query.
type row struct {
	ID   int    `db:"id"`
	Name string `db:"name"`
}

func collected(ctx context.Context, pool *pgxpool.Pool) ([]row, error) {
	rows, err := pool.Query(ctx, "SELECT id, name, description FROM tracker") // want `error: broken-query: .*description`
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[row])
}

// An integer has no place in a time.
func scanned(db *sqlx.DB) (at time.Time, err error) {
	err = db.Get(&at, "SELECT id FROM tracker LIMIT 1") // want `error: broken-query: .*time.Time`
	return at, err
}

// A gate tells what each of the texts may meet; this one asks for too little.
func gated(ctx context.Context, g *gate.Gate, db *sql.DB) error {
	column := "name"
	if g.AtLeast(2) {
		column = "kind" // want `error: needs-migration: on the schema after 0002_linked.sql this SELECT fails: column "kind" does not exist in tracker`
	}
	_, err := db.QueryContext(ctx, "SELECT "+column+" FROM tracker")
	return err
}

// Until the gate has read the version again, the branch for the old schema runs on the new one.
func stale(ctx context.Context, g *gate.Gate, db *sql.DB) error {
	if g.AtLeast(2) {
		_, err := db.ExecContext(ctx, "UPDATE tracker SET linked = now()")
		return err
	}
	_, err := db.ExecContext(ctx, "UPDATE tracker SET created = now()") // want `warning: stale-gate: on the schema after 0002_linked.sql this UPDATE fails: column "created"`
	return err
}
