package migratecheck

import (
	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// massChange is a change of rows in proportion to a table that is older than the pending change.
type massChange struct {
	table catalog.OID
	// by is the INSERT, UPDATE, DELETE or MERGE: the statement, or what stands in its WITH.
	by *pgast.Node
	// read is set when the rows of the table are read, and others written; unless then, they are written themselves.
	read bool
	// over is set when the statement is run for each row of the table.
	over bool
}

// massChange reports whether a statement changes rows in proportion to a table that is older than the pending change. INSERT …
// VALUES and what is about few rows (see bounds) do not, unless they are run for each row of a query. Nor does what a body
// with COMMITs does: it is in batches.
func (s *Step) massChange() (m massChange, ok bool) {
	if s.Commits {
		return m, false
	}
	if query := s.Over.GetSelectStmt(); query != nil && query.GetLimitCount() == nil {
		if table, many := s.manyRows(query, nil); many && table != 0 && !s.IsNew(table) {
			return massChange{table: table, by: s.Stmt.Node, over: true}, true
		}
	}
	return s.massChangeIn(s.Stmt.Node, nil)
}

// massChangeIn is massChange of one statement or query; outer knows the WITH queries around it.
func (s *Step) massChangeIn(n *pgast.Node, outer *bounds) (m massChange, ok bool) {
	with := withOf(n)
	if with == nil && !mayChangeRows(n) {
		return m, false
	}
	b := s.bounds(with, outer)
	for _, cte := range with.GetCtes() {
		if m, ok := s.massChangeIn(cte.GetCommonTableExpr().Ctequery, b); ok {
			return m, true
		}
	}
	m.by = n
	var target *pgast.RangeVar
	switch n := n.GetNode().(type) {
	case *pgast.Node_CreateTableAsStmt:
		return s.massChangeIn(n.CreateTableAsStmt.Query, outer)
	case *pgast.Node_ExplainStmt:
		if !catalog.Runs(n.ExplainStmt) {
			return m, false
		}
		return s.massChangeIn(n.ExplainStmt.Query, outer)
	case *pgast.Node_InsertStmt:
		from, many := s.manyRows(n.InsertStmt.SelectStmt.GetSelectStmt(), b)
		if !many {
			return m, false
		}
		// What is read decides how long it takes; the table written may be new.
		if m.table, m.read = from, true; from != 0 && !s.IsNew(from) {
			return m, true
		}
		m.read, target = false, n.InsertStmt.Relation
	case *pgast.Node_MergeStmt:
		source, many := b.merge(n.MergeStmt)
		if !many {
			return m, false
		}
		if m.table, m.read = source, true; source != 0 && !s.IsNew(source) && onlyInserts(n.MergeStmt) {
			return m, true
		}
		m.read, target = false, n.MergeStmt.Relation
	case *pgast.Node_UpdateStmt:
		target = n.UpdateStmt.Relation
	case *pgast.Node_DeleteStmt:
		target = n.DeleteStmt.Relation
	default:
		return m, false
	}
	if m.by.GetInsertStmt() == nil && m.by.GetMergeStmt() == nil && b.change(n) {
		return m, false
	}
	rel := s.Before.Relation(target.GetSchemaname(), target.GetRelname())
	if rel == nil || !isTable(rel) || s.IsNew(rel.OID) {
		return m, false
	}
	m.table = rel.OID
	return m, true
}

// mayChangeRows tells the statements that massChangeIn looks into from the many that it does not.
func mayChangeRows(n *pgast.Node) bool {
	switch n.GetNode().(type) {
	case *pgast.Node_CreateTableAsStmt, *pgast.Node_ExplainStmt, *pgast.Node_InsertStmt, *pgast.Node_MergeStmt, *pgast.Node_UpdateStmt, *pgast.Node_DeleteStmt:
		return true
	}
	return false
}

// withOf is the WITH clause of a query or a change of rows.
func withOf(n *pgast.Node) *pgast.WithClause {
	switch n := n.GetNode().(type) {
	case *pgast.Node_SelectStmt:
		return n.SelectStmt.WithClause
	case *pgast.Node_InsertStmt:
		return n.InsertStmt.WithClause
	case *pgast.Node_UpdateStmt:
		return n.UpdateStmt.WithClause
	case *pgast.Node_DeleteStmt:
		return n.DeleteStmt.WithClause
	case *pgast.Node_MergeStmt:
		return n.MergeStmt.WithClause
	}
	return nil
}

// adds reports whether it only adds rows.
func (m massChange) adds() bool {
	return m.by.GetInsertStmt() != nil || m.by.GetMergeStmt() != nil && onlyInserts(m.by.GetMergeStmt())
}

// conditional reports whether a condition decides which rows it is about.
func (m massChange) conditional() bool {
	return m.by.GetMergeStmt() != nil || m.by.GetUpdateStmt().GetWhereClause() != nil || m.by.GetDeleteStmt().GetWhereClause() != nil ||
		m.by.GetInsertStmt().GetSelectStmt().GetSelectStmt().GetWhereClause() != nil
}

// onlyInserts reports whether a MERGE leaves the rows alone that it finds in its table.
func onlyInserts(n *pgast.MergeStmt) bool {
	for _, w := range n.MergeWhenClauses {
		switch w.GetMergeWhenClause().CommandType {
		case pgast.CmdType_CMD_UPDATE, pgast.CmdType_CMD_DELETE:
			return false
		}
	}
	return true
}

// manyRows reports whether a query yields rows in proportion to something that is not known to be small, and to which table,
// when it is one.
func (s *Step) manyRows(q *pgast.SelectStmt, outer *bounds) (table catalog.OID, many bool) {
	if q.GetOp() > pgast.SetOperation_SETOP_NONE {
		b := s.bounds(q.WithClause, outer)
		for _, part := range []*pgast.SelectStmt{q.Larg, q.Rarg} {
			if table, many := s.manyRows(part, b); many {
				return table, true
			}
		}
		return 0, false
	}
	if len(q.GetFromClause()) == 0 || countsOnly(q) {
		return 0, false
	}
	b := s.bounds(q.WithClause, outer)
	if b.query(q) {
		return 0, false
	}
	return b.bulk(), true
}

// countsOnly reports whether a query yields one row whatever the table holds: an aggregate of the usual names without GROUP BY.
func countsOnly(q *pgast.SelectStmt) bool {
	if len(q.GroupClause) > 0 {
		return false
	}
	for _, t := range q.TargetList {
		call := t.GetResTarget().GetVal().GetFuncCall()
		if names := words(call.GetFuncname()); len(names) > 0 && call.Over == nil {
			switch names[len(names)-1] {
			case "count", "max", "min", "sum", "avg", "array_agg", "string_agg", "json_agg", "jsonb_agg", "bool_and", "bool_or":
				return true
			}
		}
	}
	return false
}
