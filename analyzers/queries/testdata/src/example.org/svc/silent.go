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

// What both schemas have.
func both(ctx context.Context, db *sql.DB, id int) (name string, err error) {
	err = db.QueryRowContext(ctx, "SELECT name FROM tracker WHERE id = $1", id).Scan(&name)
	return name, err
}

// A column that is added has a default, and nobody counts the columns.
func updated(ctx context.Context, pool *pgxpool.Pool) error {
	_, err := pool.Exec(ctx, "UPDATE tracker SET name = $1, description = ''", "x")
	return err
}

func throughWrapper(ctx context.Context, db *sql.DB) error {
	return store.Exec(ctx, db, "DELETE FROM tracker WHERE id = $1", 1)
}

func ofTable(ctx context.Context, db *sql.DB) error {
	_, err := db.ExecContext(ctx, "DELETE FROM "+store.Table())
	return err
}

func chained(db *sql.DB, name *string) error {
	q := sq.Select("id").From("tracker")
	if name != nil {
		q = q.Where(sq.Eq{"name": *name})
	}
	_, err := q.RunWith(db).Query()
	return err
}

func collectedWhole(ctx context.Context, pool *pgxpool.Pool) ([]row, error) {
	rows, err := pool.Query(ctx, "SELECT id, name FROM tracker")
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[row])
}

// NULL has a place in a pointer.
func nullable(db *sqlx.DB) (description *string, err error) {
	err = db.Get(&description, "SELECT description FROM tracker LIMIT 1")
	return description, err
}

// Each way on the schemas that it is for; an error of a late one makes the gate ask again.
func bothWays(ctx context.Context, g *gate.Gate, db *sql.DB) (at time.Time, kind int, err error) {
	err = g.Do(ctx, func(schema gate.Schema) error {
		q := "SELECT created"
		if schema.AtLeast(2) {
			q = "SELECT linked"
		}
		dests := []any{&at}
		if schema.AtLeast(3) {
			q += ", kind"
			dests = append(dests, &kind)
		}
		return db.QueryRowContext(ctx, q+" FROM tracker").Scan(dests...)
	})
	return at, kind, err
}

// Nothing is known of this text, or not enough.
func unknown(ctx context.Context, db *sql.DB, query, table string) {
	db.ExecContext(ctx, query)
	db.ExecContext(ctx, "DELETE FROM "+table)
}

// What looks like SQL and is not sent.
const note = "SELECT nothing FROM nowhere"

// A method of the same name that takes no SQL.
type engine struct{}

func (engine) Exec(ctx context.Context, query string) error { return nil }

func graph(ctx context.Context, e engine) error {
	return e.Exec(ctx, "query { tracker { nothing } }")
}
