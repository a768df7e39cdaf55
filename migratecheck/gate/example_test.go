package gate_test

import (
	"context"
	"database/sql"
	"log/slog"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/gate"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// A service opens the gate beside its pool, and lets it read on for as long as it runs.
func Example() {
	serve := func(ctx context.Context, db *sql.DB) error {
		g, err := gate.Open(ctx, gate.SQL(db), gate.Config{Logger: slog.Default()})
		if err != nil {
			return err
		}
		ended := make(chan error, 1)
		go func() { ended <- g.Run(ctx) }()
		defer func() { <-ended }() // it returns when ctx is done

		return linked(ctx, db, g, 1)
	}
	_ = serve
}

// linked reads a column that migration 9 renames.
func linked(ctx context.Context, db *sql.DB, g *gate.Gate, id int) error {
	return g.Do(ctx, func(schema gate.Schema) error {
		query := "SELECT created FROM tracker WHERE id = $1"
		if schema.AtLeast(9) {
			query = "SELECT linked FROM tracker WHERE id = $1"
		}
		var at sql.NullTime
		return db.QueryRowContext(ctx, query, id).Scan(&at)
	})
}

// With pgx, a function of a few lines is the Querier.
func ExampleQueryFunc() {
	open := func(ctx context.Context, pool *pgxpool.Pool) (*gate.Gate, error) {
		query := gate.QueryFunc(func(ctx context.Context, query string) ([]string, error) {
			rows, err := pool.Query(ctx, query)
			if err != nil {
				return nil, err
			}
			return pgx.CollectRows(rows, pgx.RowTo[string])
		})
		return gate.Open(ctx, query, gate.Config{Tool: gate.Brant})
	}
	_ = open
}
