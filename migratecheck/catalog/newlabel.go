package catalog

import "git.sr.ht/~sourcehut/ha-go/internal/pgast"

// UnsafeLabel is the error (55P04) that the server answers a statement which makes a value of an enum's label, when the
// label was added in the transaction that began at the schema since and is still open; nil when it makes none. Of a
// query all constants are looked at that become the enum's, of DDL those that the server converts when it runs (defaults,
// conditions, bodies in SQL); what only running a query would convert (text::enum) is not. The error's Position is in
// the body where the constant is in one. The catalog stays as it is.
func (c *Catalog) UnsafeLabel(stmt pgast.Stmt, since *Catalog) *Error {
	within := c.Clone()
	within.tx = []savepoint{{State: since}}
	switch stmt.Node.GetNode().(type) {
	case *pgast.Node_DoStmt, *pgast.Node_CallStmt, *pgast.Node_SelectStmt, *pgast.Node_InsertStmt, *pgast.Node_UpdateStmt,
		*pgast.Node_DeleteStmt, *pgast.Node_MergeStmt:
		// Applying would run the functions that they call.
	default:
		if _, _, err := within.After(stmt); err != nil && asError(err).Code == unsafeNewValue {
			return asError(err)
		}
	}
	a, err := within.Analyze(stmt, Ask{All: true})
	if err != nil {
		if e := asError(err); e.Code == unsafeNewValue {
			return e
		}
		return nil
	}
	for _, e := range a.Errors {
		if e.Code == unsafeNewValue {
			return e
		}
	}
	return nil
}

// unsafeNewValue is ERRCODE_UNSAFE_NEW_ENUM_VALUE_USAGE.
const unsafeNewValue = "55P04"
