package catalog

import "git.sr.ht/~sourcehut/ha-go/internal/pgast"

// mutable tells whether an expression may answer differently another time, as the server asks it of what is to be an index or
// a partition key: of the planned expression, in which simple SQL functions have been replaced by their bodies
// (contain_mutable_functions_after_planning, src/backend/optimizer/util/clauses.c; CheckMutability before 17).
func (c *Catalog) mutable(e *Expr, rel *Relation) bool {
	if e.Volatility == Immutable || e.Unknown {
		return false
	}
	b := c.newBinder()
	b.inline = true
	if _, err := b.bindExpr(e.Node, scopeOf(rel)); err != nil {
		return true
	}
	return b.volatility != Immutable && !b.unknown
}

// inlined is how volatile a call is once the planner has put the function's body in its place (inline_function): of a SQL
// function that is one expression, the body's volatility unless that is more than what was declared.
func (b *binder) inlined(f *Func) Volatility {
	if f.Volatility == Immutable || f.Language != "sql" || f.Kind != Function || f.SecurityDefiner || f.ReturnsSet || len(f.Settings) > 0 ||
		len(f.outputs()) > 0 || b.depth > maxInline {
		return f.Volatility
	}
	body := soleExpression(f)
	if body == nil {
		return f.Volatility
	}
	declared := b.c.bodyBinder(f)
	in := b.c.bodyBinder(f)
	in.inline, in.depth = true, b.depth+1
	v, err := in.bindExpr(body, &scope{})
	if _, again := declared.bindExpr(body, &scope{}); err == nil {
		err = again
	}
	switch {
	case err != nil || in.aggregates > 0 || in.windows > 0 || in.sets > 0 || in.subqueries > 0:
		return f.Volatility
	case v.typ.known() && v.typ.OID != typeUnknown && v.typ.bare() != f.Returns.bare():
		return f.Volatility
	case in.unknown:
		b.unsure("what function %s does", quoteMessage(f.Name))
	case declared.volatility != f.Volatility && moreVolatile(declared.volatility, f.Volatility) == declared.volatility:
		return f.Volatility // the body is more than what the function says
	}
	return in.volatility
}

// maxInline bounds how deep functions are looked into that call each other.
const maxInline = 20

// soleExpression is the expression that a SQL function is, nil when it is more than SELECT expression.
func soleExpression(f *Func) *pgast.Node {
	if f.BodyNode != nil {
		return f.BodyNode.GetReturnStmt().GetReturnval()
	}
	stmts, err := pgast.Parse(f.Body)
	if err != nil || len(stmts) != 1 {
		return nil
	}
	s := stmts[0].Node.GetSelectStmt()
	if s == nil || s.Op != pgast.SetOperation_SETOP_NONE || len(s.TargetList) != 1 || len(s.FromClause) > 0 || s.WhereClause != nil ||
		len(s.GroupClause) > 0 || s.HavingClause != nil || len(s.WindowClause) > 0 || len(s.SortClause) > 0 || s.LimitCount != nil ||
		s.LimitOffset != nil || s.WithClause != nil || len(s.DistinctClause) > 0 || len(s.ValuesLists) > 0 || s.IntoClause != nil || len(s.LockingClause) > 0 {
		return nil
	}
	return s.TargetList[0].GetResTarget().GetVal()
}
