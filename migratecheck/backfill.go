package migratecheck

import (
	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// massChange reports whether a statement changes rows in proportion to a table that is older than the pending change,
// and which. INSERT … VALUES and what is about few rows (see bounds) do not, unless they are run for each row of a query. Nor
// does what a body with COMMITs does: it is in batches.
func massChange(s *Step) (target catalog.OID, ok bool) {
	if s.Commits {
		return 0, false
	}
	if s.Over != nil {
		return manyRows(s, s.Over.GetSelectStmt())
	}
	n := s.Stmt.Node
	if sel := n.GetInsertStmt().GetSelectStmt().GetSelectStmt(); sel != nil {
		if len(sel.ValuesLists) > 0 || len(sel.FromClause) == 0 || s.bounds(n.GetInsertStmt().WithClause, nil).inner(n.GetInsertStmt().SelectStmt) {
			return 0, false
		}
		// What is read decides how long it takes; the table written may be new.
		if from := firstTable(s, sel.FromClause); from != 0 && !s.IsNew(from) {
			return from, true
		}
		return s.changed(n.GetInsertStmt().Relation)
	}
	switch u, d := n.GetUpdateStmt(), n.GetDeleteStmt(); {
	case u != nil && !s.bounds(u.WithClause, nil).change(n):
		return s.changed(u.Relation)
	case d != nil && !s.bounds(d.WithClause, nil).change(n):
		return s.changed(d.Relation)
	}
	return 0, false
}

// changed is the table older than the pending change that a statement writes.
func (s *Step) changed(rv *pgast.RangeVar) (table catalog.OID, ok bool) {
	rel := s.Before.Relation(rv.GetSchemaname(), rv.GetRelname())
	if rel == nil || !isTable(rel) || s.IsNew(rel.OID) {
		return 0, false
	}
	return rel.OID, true
}

// manyRows reports whether a query yields rows in proportion to a table that is older than the pending change, and which.
func manyRows(s *Step, q *pgast.SelectStmt) (target catalog.OID, ok bool) {
	if q.GetLimitCount() != nil || len(q.GetValuesLists()) > 0 {
		return 0, false
	}
	b := s.bounds(q.GetWithClause(), nil)
	if b.query(q) || countsOnly(q) {
		return 0, false
	}
	for _, it := range b.items {
		if it.rel != nil && !it.few && isTable(it.rel) {
			return it.rel.OID, !s.IsNew(it.rel.OID)
		}
	}
	return 0, false
}

// countsOnly reports whether a query yields one row whatever the table holds: an aggregate of the usual names without GROUP BY.
func countsOnly(q *pgast.SelectStmt) bool {
	if len(q.GroupClause) > 0 || len(q.TargetList) == 0 {
		return false
	}
	for _, t := range q.TargetList {
		names := words(t.GetResTarget().GetVal().GetFuncCall().GetFuncname())
		if len(names) == 0 {
			return false
		}
		switch names[len(names)-1] {
		case "count", "max", "min", "sum", "avg", "array_agg", "string_agg", "json_agg", "jsonb_agg", "bool_and", "bool_or":
		default:
			return false
		}
	}
	return true
}

func firstTable(s *Step, from []*pgast.Node) catalog.OID {
	for _, f := range from {
		if rv := f.GetRangeVar(); rv != nil {
			if rel := s.Before.Relation(rv.Schemaname, rv.Relname); rel != nil && isTable(rel) {
				return rel.OID
			}
		}
		if j := f.GetJoinExpr(); j != nil {
			if oid := firstTable(s, []*pgast.Node{j.Larg, j.Rarg}); oid != 0 {
				return oid
			}
		}
	}
	return 0
}
