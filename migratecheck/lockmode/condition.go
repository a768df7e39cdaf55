package lockmode

import (
	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// readsAll tells whether a query must look at every row of a relation: no index could find the rows that its condition asks
// for. Where one could, the planner has a choice, and on a big table usually takes the index. A join is no such condition:
// without another one, both sides are read.
func readsAll(c *catalog.Catalog, rel *catalog.Relation, where *pgast.Node) bool {
	if where == nil {
		return true
	}
	if where.GetCurrentOfExpr() != nil || rel == nil || rel.Assumed || rel.Kind == catalog.View {
		return false // it may have any index
	}
	return !indexable(where, c.Indexes(rel.OID), rel)
}

// indexable tells whether some index finds the rows of a condition: of an AND any term's, of an OR all.
func indexable(n *pgast.Node, indexes []*catalog.Relation, rel *catalog.Relation) bool {
	if b := n.GetBoolExpr(); b != nil {
		switch b.Boolop {
		case pgast.BoolExprType_AND_EXPR:
			for _, arg := range b.Args {
				if indexable(arg, indexes, rel) {
					return true
				}
			}
			return false
		case pgast.BoolExprType_OR_EXPR:
			for _, arg := range b.Args {
				if !indexable(arg, indexes, rel) {
					return false
				}
			}
			return true
		}
	}
	for _, index := range indexes {
		if index.Index.Predicate != nil {
			if text, err := pgast.DeparseExpr(n); err == nil && text == index.Index.Predicate.SQL {
				return true
			}
			continue
		}
		if len(index.Index.Keys) > 0 && servedBy(n, index, index.Index.Keys[0], rel) {
			return true
		}
	}
	return false
}

// servedBy tells whether a term compares the first key of an index with something that is known before the scan begins.
func servedBy(n *pgast.Node, index *catalog.Relation, key catalog.IndexKey, rel *catalog.Relation) bool {
	isKey := func(side *pgast.Node) bool {
		if key.Expr != nil {
			text, err := pgast.DeparseExpr(side)
			return err == nil && text == key.Expr.SQL
		}
		col := rel.Att(key.Column)
		return col != nil && columnName(side) == col.Name
	}
	if nt := n.GetNullTest(); nt != nil {
		return nt.Nulltesttype == pgast.NullTestType_IS_NULL && isKey(nt.Arg)
	}
	e := n.GetAExpr()
	if e == nil || e.Lexpr == nil || e.Rexpr == nil || len(e.Name) == 0 {
		return columnName(n) != "" && isKey(n) // WHERE flag
	}
	btree := index.AccessMethod == "" || index.AccessMethod == "btree" || index.AccessMethod == "hash"
	switch e.Kind {
	case pgast.A_Expr_Kind_AEXPR_OP, pgast.A_Expr_Kind_AEXPR_OP_ANY, pgast.A_Expr_Kind_AEXPR_IN, pgast.A_Expr_Kind_AEXPR_BETWEEN,
		pgast.A_Expr_Kind_AEXPR_LIKE:
	default:
		return false
	}
	switch e.Name[len(e.Name)-1].GetString_().GetSval() {
	case "=", "<", ">", "<=", ">=", "BETWEEN", "~~":
	default:
		if btree {
			return false
		}
	}
	return isKey(e.Lexpr) && len(columnsOf(e.Rexpr)) == 0 || isKey(e.Rexpr) && len(columnsOf(e.Lexpr)) == 0
}
