package gate

import (
	"context"
	"errors"
)

// SQLSTATEs that a query may get for no other reason than that the schema is not the one it was written for
// (PostgreSQL 15 manual, appendix A).
const (
	undefinedTable = "42P01"
)

// schemaErrors tells which errors a change of the schema explains, on either side of it.
func schemaError(code string) bool {
	switch code {
	case undefinedTable,
		"42703", // undefined_column
		"42704", // undefined_object: a type, a constraint named in ON CONFLICT
		"42883", // undefined_function
		"3F000", // invalid_schema_name
		"42P10", // invalid_column_reference: no unique index for ON CONFLICT
		"42702", // ambiguous_column
		"42804", // datatype_mismatch
		"42846", // cannot_coerce
		"22P02", // invalid_text_representation: a label that an enum does not have yet, or any more
		"23502", // not_null_violation: a column that is left out and has no default any more
		"428C9", // generated_always: a column that is generated now
		"0A000", // feature_not_supported: "cached plan must not change result type"
		"42809": // wrong_object_type: a table that is a view now
		return true
	}
	return false
}

// codeOf is the SQLSTATE of an error, "" when it carries none. The drivers' errors have this method: pgx's
// pgconn.PgError, and lib/pq's Error since v1.10.
func codeOf(err error) string {
	var e interface{ SQLState() string }
	if errors.As(err, &e) {
		return e.SQLState()
	}
	return ""
}

// Stale reports whether err may come from a schema that is not what the gate last read, so that a Refresh, and another try
// when it finds a change, make sense. It asks nothing. Some such errors have other causes as well: a value that no label of
// an enum matches, a NULL in a column that never took one.
func (g *Gate) Stale(err error) bool { return schemaError(codeOf(err)) }

// Do calls f with the schema as it was last read. When f fails with an error that a change of the schema explains, it reads
// the version, and calls f once more if that has changed. A failed f must leave nothing behind: give it a transaction
// of its own, begun in f. The error is that of the last call of f; errors.Join'ed with the read's when that failed.
func (g *Gate) Do(ctx context.Context, f func(Schema) error) error {
	before := g.Now()
	err := f(before)
	if err == nil || !g.Stale(err) {
		return err
	}
	if readErr := g.Refresh(ctx); readErr != nil {
		return errors.Join(err, readErr)
	}
	if after := g.Now(); !after.same(before) {
		return f(after)
	}
	return err
}
