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
		if c.plainlyThere(n) {
			return nil
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
		return e
	}
	return nil
}

// plainlyThere reports whether a statement on one table, without queries in it, names only columns of that table: it then need
// not be bound, which takes looking up its functions and operators as well. What it says no of may be there all the same.
func (c *Catalog) plainlyThere(n *pgast.Node) bool {
	var rv *pgast.RangeVar
	var targets []*pgast.Node
	switch stmt := n.GetNode().(type) {
	case *pgast.Node_InsertStmt:
		s := stmt.InsertStmt
		if s.OnConflictClause != nil || len(s.SelectStmt.GetSelectStmt().GetValuesLists()) == 0 {
			return false
		}
		rv, targets = s.Relation, s.Cols
	case *pgast.Node_UpdateStmt:
		rv, targets = stmt.UpdateStmt.Relation, stmt.UpdateStmt.TargetList
	case *pgast.Node_DeleteStmt:
		rv = stmt.DeleteStmt.Relation
	default:
		return false
	}
	rel := c.findRelation(rv)
	if rel == nil {
		return false
	}
	for _, t := range targets {
		if rel.Column(t.GetResTarget().GetName()) == nil {
			return false
		}
	}
	item := rv.Relname
	if rv.Alias != nil {
		item = rv.Alias.Aliasname
	}
	plain, selects := true, 0
	pgast.WalkMessages(n, func(m pgast.Message) bool {
		switch m := m.(type) {
		case *pgast.RangeVar:
			plain = plain && m == rv
		case *pgast.SelectStmt:
			selects++
			plain = plain && selects == 1 && len(m.ValuesLists) > 0
		case *pgast.WithClause, *pgast.RangeFunction, *pgast.RangeSubselect, *pgast.RangeTableFunc:
			plain = false
		case *pgast.ColumnRef:
			names := stringsOf(m.Fields)
			plain = plain && len(names) == len(m.Fields) && (len(names) == 1 || len(names) == 2 && names[0] == item) && rel.Column(names[len(names)-1]) != nil
		}
		return plain
	})
	return plain
}

// missingRelation is the error of a statement in a body about the first relation that it reads, changes or locks and that does not exist.
// Columns are not looked at: names may be variables there.
func (c *Catalog) missingRelation(n *pgast.Node) error {
	if c.Open || c.hasUnknownExtension() {
		return nil
	}
	ctes := map[string]bool{}
	var relations []*pgast.RangeVar
	pgast.WalkMessages(n, func(m pgast.Message) bool {
		switch m := m.(type) {
		case *pgast.CommonTableExpr:
			ctes[m.Ctename] = true
		case *pgast.RangeVar:
			relations = append(relations, m)
		}
		return true
	})
	for _, rv := range relations {
		if rv.Schemaname == "" && ctes[rv.Relname] || rv.Schemaname == "pg_toast" || c.builtinRelation(rv.Schemaname, rv.Relname) != nil {
			continue
		}
		if _, err := c.lookupRelation(rv); err != nil {
			return err
		}
	}
	return nil
}
