// Package pgconn is a stub.
package pgconn

type PgError struct{ Code string }

func (e *PgError) Error() string { return "" }

func (e *PgError) SQLState() string { return e.Code }
