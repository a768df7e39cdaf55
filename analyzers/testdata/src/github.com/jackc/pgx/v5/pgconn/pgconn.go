// Package pgconn stands in for github.com/jackc/pgx/v5/pgconn.
package pgconn

type CommandTag struct{}

func (CommandTag) RowsAffected() int64 { return 0 }

type PgError struct{ Code string }

func (*PgError) Error() string { return "" }

func (e *PgError) SQLState() string { return e.Code }
