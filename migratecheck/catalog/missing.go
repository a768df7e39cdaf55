package catalog

import (
	"errors"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// Missing looks into a statement that reads or changes rows, which Apply does not do, for tables and columns that do not
// exist, and returns what PostgreSQL would answer (42P01, 42703, 3F000), nil otherwise: for statements of another kind, for
// other mistakes, and in an open catalog. The catalog is left as it is.
func (c *Catalog) Missing(n *pgast.Node) *Error {
	if c.Open {
		return nil
	}
	var err error
	switch stmt := n.GetNode().(type) {
	case *pgast.Node_SelectStmt, *pgast.Node_InsertStmt, *pgast.Node_UpdateStmt, *pgast.Node_DeleteStmt, *pgast.Node_MergeStmt:
		if n.GetSelectStmt().GetIntoClause() != nil {
			return nil // it makes a table, so Apply binds it
		}
		scratch := c
		if c.hasUnknownExtension() {
			scratch = c.Clone() // what is assumed on the way must not stay
		}
		_, err = scratch.newBinder().bindQuery(n, nil)
	case *pgast.Node_CopyStmt:
		if stmt.CopyStmt.Relation != nil {
			_, err = c.Clone().lookupRelation(stmt.CopyStmt.Relation)
		}
	}
	var e *Error
	if !errors.As(err, &e) {
		return nil
	}
	switch e.Code {
	case "42P01", "42703", "3F000":
		if !recursive(n) {
			return e
		}
	}
	return nil
}

// recursive reports whether a statement has a WITH RECURSIVE, whose queries may name each other in any order, and columns that
// SEARCH and CYCLE make: the binder knows neither.
func recursive(n *pgast.Node) bool {
	found := false
	pgast.WalkMessages(n, func(m pgast.Message) bool {
		if with, ok := m.(*pgast.WithClause); ok && with.Recursive {
			found = true
		}
		return !found
	})
	return found
}
