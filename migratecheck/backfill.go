package migratecheck

import (
	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// massChange reports whether a statement changes rows in proportion to a table that is older than the pending change,
// and which. INSERT … VALUES and a WHERE that picks rows by the whole primary key do not, unless they are run for each row
// of a query. Nor does what a body with COMMITs does: it is in batches.
func massChange(s *Step) (target catalog.OID, ok bool) {
	if s.Commits {
		return 0, false
	}
	if s.Over != nil {
		return manyRows(s, s.Over.GetSelectStmt())
	}
	n := s.Stmt.Node
	var rv *pgast.RangeVar
	var where *pgast.Node
	switch {
	case n.GetUpdateStmt() != nil:
		rv, where = n.GetUpdateStmt().Relation, n.GetUpdateStmt().WhereClause
	case n.GetDeleteStmt() != nil:
		rv, where = n.GetDeleteStmt().Relation, n.GetDeleteStmt().WhereClause
	case n.GetInsertStmt() != nil:
		sel := n.GetInsertStmt().SelectStmt.GetSelectStmt()
		if sel == nil || len(sel.ValuesLists) > 0 || len(sel.FromClause) == 0 {
			return 0, false
		}
		rv = n.GetInsertStmt().Relation
		// What is read decides how long it takes; the table written may be new.
		if from := firstTable(s, sel.FromClause); from != 0 && !s.IsNew(from) {
			return from, true
		}
	}
	if rv == nil {
		return 0, false
	}
	rel := s.Before.Relation(rv.Schemaname, rv.Relname)
	if rel == nil || !isTable(rel) || s.IsNew(rel.OID) || picksByKey(s, rel, where) {
		return 0, false
	}
	return rel.OID, true
}

// manyRows reports whether a query yields rows in proportion to a table that is older than the pending change, and which.
func manyRows(s *Step, q *pgast.SelectStmt) (target catalog.OID, ok bool) {
	if q.GetLimitCount() != nil || len(q.GetValuesLists()) > 0 {
		return 0, false
	}
	target = firstTable(s, q.GetFromClause())
	rel := s.relation(target)
	if rel == nil || s.IsNew(target) || picksByKey(s, rel, q.WhereClause) || countsOnly(q) {
		return 0, false
	}
	return target, true
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

// picksByKey reports whether the condition fixes every column of the primary key, or of one unique constraint, to a
// constant (k = 1, k IN (1, 2)) or, in a body, to a variable of it.
func picksByKey(s *Step, rel *catalog.Relation, where *pgast.Node) bool {
	if where == nil {
		return false
	}
	known := isConstant
	if s.Via != "" && !joins(s.Stmt.Node) {
		known = func(n *pgast.Node) bool { return isConstant(n) || isVariable(n, rel) }
	}
	fixed := map[string]bool{}
	collectFixed(where, fixed, known)
	for _, ix := range s.Before.Indexes(rel.OID) {
		if !ix.Index.Unique || ix.Index.Predicate != nil {
			continue
		}
		all := len(ix.Index.Keys) > 0
		for _, k := range ix.Index.Keys {
			col := rel.Att(k.Column)
			all = all && col != nil && fixed[col.Name]
		}
		if all {
			return true
		}
	}
	return false
}

// joins reports whether a statement reads other tables than the one it changes, so that a name may be their columns'.
func joins(n *pgast.Node) bool {
	return len(n.GetUpdateStmt().GetFromClause()) > 0 || len(n.GetDeleteStmt().GetUsingClause()) > 0
}

// isVariable reports whether a name in a body is none of the table's columns.
func isVariable(n *pgast.Node, rel *catalog.Relation) bool {
	names := words(n.GetColumnRef().GetFields())
	switch len(names) {
	case 1:
		return rel.Column(names[0]) == nil
	case 2:
		return names[0] != rel.Name && rel.Column(names[0]) == nil
	}
	return false
}

func collectFixed(n *pgast.Node, fixed map[string]bool, known func(*pgast.Node) bool) {
	if b := n.GetBoolExpr(); b != nil && b.Boolop == pgast.BoolExprType_AND_EXPR {
		for _, a := range b.Args {
			collectFixed(a, fixed, known)
		}
		return
	}
	e := n.GetAExpr()
	if e == nil || e.Kind != pgast.A_Expr_Kind_AEXPR_OP && e.Kind != pgast.A_Expr_Kind_AEXPR_IN {
		return
	}
	if len(e.Name) != 1 || e.Name[0].GetString_().GetSval() != "=" {
		return
	}
	ref := e.Lexpr.GetColumnRef()
	if ref == nil || !known(e.Rexpr) {
		return
	}
	if f := ref.Fields; len(f) > 0 {
		fixed[f[len(f)-1].GetString_().GetSval()] = true
	}
}

func isConstant(n *pgast.Node) bool {
	switch {
	case n.GetAConst() != nil:
		return true
	case n.GetTypeCast() != nil:
		return isConstant(n.GetTypeCast().Arg)
	case n.GetList() != nil:
		for _, item := range n.GetList().Items {
			if !isConstant(item) {
				return false
			}
		}
		return true
	}
	return false
}
