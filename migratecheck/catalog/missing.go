package catalog

import (
	"cmp"
	"errors"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// Missing looks into a statement that reads, changes, locks or counts rows, which Apply does not do, for tables and columns that do not
// exist, and returns what PostgreSQL would answer (42P01, 42703, 3F000), nil otherwise: for statements of another kind, for
// other mistakes, and in an open catalog. The catalog is left as it is.
func (c *Catalog) Missing(n *pgast.Node) *Error {
	if c.Open {
		return nil
	}
	var err error
	for query := n; query != nil; query = queryOf(query) {
		n = query
	}
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
			err = c.missingColumns(stmt.CopyStmt.Relation, stmt.CopyStmt.Attlist)
		}
	case *pgast.Node_LockStmt:
		if !c.InTransaction() && !c.wrapped {
			return nil // the server refuses that first
		}
		for _, t := range stmt.LockStmt.Relations {
			err = cmp.Or(err, c.missingColumns(t.GetRangeVar(), nil))
		}
	case *pgast.Node_VacuumStmt:
		for _, t := range stmt.VacuumStmt.Rels {
			if rv := t.GetVacuumRelation().GetRelation(); rv != nil {
				err = cmp.Or(err, c.missingColumns(rv, t.GetVacuumRelation().VaCols))
			}
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

// queryOf is the query that a statement explains, prepares or declares a cursor for, nil when it does none of that.
func queryOf(n *pgast.Node) *pgast.Node {
	switch n := n.GetNode().(type) {
	case *pgast.Node_ExplainStmt:
		return n.ExplainStmt.Query
	case *pgast.Node_PrepareStmt:
		return n.PrepareStmt.Query
	case *pgast.Node_DeclareCursorStmt:
		return n.DeclareCursorStmt.Query
	}
	return nil
}

// missingColumns is the error of naming a relation and columns of it.
func (c *Catalog) missingColumns(rv *pgast.RangeVar, columns []*pgast.Node) error {
	if rv.Schemaname == "pg_toast" || c.builtinRelation(rv.Schemaname, rv.Relname) != nil {
		return nil
	}
	rel, err := c.Clone().lookupRelation(rv)
	if err != nil {
		return err
	}
	for _, name := range stringsOf(columns) {
		if rel.Column(name) == nil {
			e := errorf("42703", "column %s of relation %s does not exist", quoteMessage(name), quoteMessage(rel.Name))
			e.Object, e.Column = c.NameOf(rel.OID), name
			return e
		}
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
