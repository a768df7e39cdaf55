package migratecheck

import (
	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// massChange reports whether a statement changes rows in proportion to a table that is older than the pending change,
// and which. INSERT … VALUES and a WHERE that picks rows by the whole primary key do not.
func massChange(s *Step) (target catalog.OID, ok bool) {
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
	if rel == nil || !isTable(rel) || s.IsNew(rel.OID) || picksByKey(s.Before, rel, where) {
		return 0, false
	}
	return rel.OID, true
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
// constant (k = 1, k IN (1, 2)).
func picksByKey(c *catalog.Catalog, rel *catalog.Relation, where *pgast.Node) bool {
	if where == nil {
		return false
	}
	fixed := map[string]bool{}
	collectFixed(where, fixed)
	for _, ix := range c.Indexes(rel.OID) {
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

func collectFixed(n *pgast.Node, fixed map[string]bool) {
	if b := n.GetBoolExpr(); b != nil && b.Boolop == pgast.BoolExprType_AND_EXPR {
		for _, a := range b.Args {
			collectFixed(a, fixed)
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
	if ref == nil || !isConstant(e.Rexpr) {
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
