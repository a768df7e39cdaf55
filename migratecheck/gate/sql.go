package gate

import (
	"context"
	"database/sql"
)

// SQL makes a Querier of a *sql.DB, or of another pool with its method. Do not give it a *sql.Tx or a *sql.Conn that may be
// in a transaction: such a one sees what is not committed.
func SQL(db interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}) Querier {
	return QueryFunc(func(ctx context.Context, query string) (out []string, err error) {
		rows, err := db.QueryContext(ctx, query)
		if err != nil {
			return nil, err
		}
		defer rows.Close()
		for rows.Next() {
			var s string
			if err := rows.Scan(&s); err != nil {
				return nil, err
			}
			out = append(out, s)
		}
		return out, rows.Err()
	})
}
