package catalog

import "git.sr.ht/~sourcehut/ha-go/internal/pgast"

// Which results cannot be NULL. PostgreSQL does not ask; this is for callers that put a result where NULL does not fit.
// notNull is set only where it is certain: columns that are NOT NULL and not on the outer side of a join, constants, what
// COALESCE ends with one of them, and what WHERE lets through.

// neverNull names the operators of the server whose result is NULL only when an operand is.
func neverNull(name string, oid OID) bool {
	if oid != 0 {
		return false
	}
	switch name {
	case "=", "<>", "<", ">", "<=", ">=", "+", "-", "*", "/", "%", "||", "~~", "!~~", "~~*", "!~~*", "~", "!~", "~*", "!~*":
		return true
	}
	return false
}

// narrow marks the output columns that WHERE keeps from being NULL.
func (b *binder) narrow(n *pgast.SelectStmt, s *scope, q *boundQuery) {
	for _, g := range n.GroupClause {
		if g.GetGroupingSet() != nil {
			for i := range q.cols {
				q.cols[i].notNull = false
			}
			return
		}
	}
	b.notNullBy(n.WhereClause, s, q.cols)
	for _, f := range n.FromClause {
		b.notNullByJoin(f, s, q.cols)
	}
}

func (b *binder) notNullByJoin(n *pgast.Node, s *scope, cols []boundColumn) {
	j := n.GetJoinExpr()
	if j == nil || j.Jointype != pgast.JoinType_JOIN_INNER {
		return
	}
	b.notNullBy(j.Quals, s, cols)
	b.notNullByJoin(j.Larg, s, cols)
	b.notNullByJoin(j.Rarg, s, cols)
}

// notNullBy marks the columns of cols that are not NULL where the condition holds.
func (b *binder) notNullBy(n *pgast.Node, s *scope, cols []boundColumn) {
	mark := func(e *pgast.Node) {
		for e.GetTypeCast() != nil {
			e = e.GetTypeCast().Arg
		}
		ref := e.GetColumnRef()
		if ref == nil {
			return
		}
		if col, _ := b.peek(ref, s); col != nil && col.id != 0 {
			for i := range cols {
				if cols[i].id == col.id {
					cols[i].notNull = true
				}
			}
		}
	}
	switch n := n.GetNode().(type) {
	case *pgast.Node_BoolExpr:
		if n.BoolExpr.Boolop == pgast.BoolExprType_AND_EXPR {
			for _, arg := range n.BoolExpr.Args {
				b.notNullBy(arg, s, cols)
			}
		}
	case *pgast.Node_NullTest:
		if n.NullTest.Nulltesttype == pgast.NullTestType_IS_NOT_NULL {
			mark(n.NullTest.Arg)
		}
	case *pgast.Node_ColumnRef:
		mark(&pgast.Node{Node: n})
	case *pgast.Node_AExpr:
		_, name := splitOperator(n.AExpr.Name)
		switch n.AExpr.Kind {
		case pgast.A_Expr_Kind_AEXPR_OP, pgast.A_Expr_Kind_AEXPR_LIKE, pgast.A_Expr_Kind_AEXPR_ILIKE:
			if neverNull(name, 0) {
				mark(n.AExpr.Lexpr)
				mark(n.AExpr.Rexpr)
			}
		case pgast.A_Expr_Kind_AEXPR_OP_ANY, pgast.A_Expr_Kind_AEXPR_IN, pgast.A_Expr_Kind_AEXPR_BETWEEN:
			mark(n.AExpr.Lexpr)
		}
	}
}
