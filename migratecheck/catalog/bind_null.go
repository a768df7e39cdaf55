package catalog

import (
	"maps"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

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

// strictFunctions are functions of the server whose result is NULL only when an argument is. (pg_proc.proisstrict says the other
// direction: array_length, substring with a pattern, and to_char and extract of infinity are strict, and answer NULL to more.)
var strictFunctions = map[string]bool{
	"abs": true, "ascii": true, "btrim": true, "ceil": true, "ceiling": true, "char_length": true, "character_length": true, "chr": true,
	"date_trunc": true, "decode": true, "encode": true, "floor": true, "hashtext": true, "initcap": true,
	"left": true, "length": true, "lower": true, "lpad": true, "ltrim": true, "md5": true, "mod": true, "octet_length": true, "position": true,
	"power": true, "repeat": true, "replace": true, "reverse": true, "right": true, "round": true, "rpad": true, "rtrim": true,
	"sha256": true, "sign": true, "split_part": true, "sqrt": true, "starts_with": true, "strpos": true, "substr": true,
	"timezone": true, "to_json": true, "to_jsonb": true, "to_timestamp": true, "translate": true, "trunc": true, "upper": true,
}

func allNotNull(list ...value) bool {
	return !slices.ContainsFunc(list, func(v value) bool { return !v.notNull })
}

// allFull: each of the values is NULL, or an array without NULLs.
func allFull(list []value) bool {
	return !slices.ContainsFunc(list, func(v value) bool {
		return !v.full && !v.null && (v.literal == nil || strings.Contains(strings.ToUpper(*v.literal), "NULL"))
	})
}

func anyMayNull(list ...value) bool {
	return slices.ContainsFunc(list, func(v value) bool { return v.mayNull || v.null })
}

// nulls tells whether a column of FROM cannot be NULL, or may be, in the rows at hand.
func (b *binder) nulls(col *boundColumn) (notNull, mayNull bool) {
	if col.notNull || b.present[col.id] {
		return true, false
	}
	if !col.mayNull {
		return false, false
	}
	rel := b.c.relationByOID(col.origin.OID)
	if rel == nil || len(col.refs) == 0 {
		return false, true
	}
	if att := rel.Att(col.origin.Column); att != nil && b.c.refusesNull(rel, att) {
		return false, false // unless an outer join finds no row
	}
	return false, true
}

// refusesNull reports whether a domain or a CHECK keeps NULL out of a column that is not NOT NULL.
func (c *Catalog) refusesNull(rel *Relation, col *Column) bool {
	for t := col.Type; !t.Array; {
		d := c.typeByOID(t.OID)
		if d == nil || d.Kind != DomainType {
			break
		}
		if d.NotNull {
			return true
		}
		t = d.Base
	}
	return slices.ContainsFunc(c.Constraints(rel.OID), func(con *Constraint) bool {
		return con.Kind == Check && con.Check != nil && slices.Contains(con.Check.Refs, Address{rel.OID, col.Num})
	})
}

// among lets note say which columns are not NULL, until leave is called.
func (b *binder) among(note func()) (leave func()) {
	outside := b.present
	b.present = maps.Clone(outside)
	note()
	return func() { b.present = outside }
}

// narrow notes which columns WHERE and the joins keep from being NULL.
func (b *binder) narrow(n *pgast.SelectStmt, s *scope) {
	b.notNullBy(n.WhereClause, s, true)
	b.notNullByJoins(n.FromClause, s)
}

// widen forgets it for grouping sets, which leave out some of the columns.
func widen(n *pgast.SelectStmt, q *boundQuery) {
	for _, g := range n.GroupClause {
		if g.GetGroupingSet() != nil {
			for i := range q.cols {
				q.cols[i].notNull, q.cols[i].mayNull = false, false
			}
			return
		}
	}
}

func (b *binder) notNullByJoins(list []*pgast.Node, s *scope) {
	for _, n := range list {
		if j := n.GetJoinExpr(); j != nil && j.Jointype == pgast.JoinType_JOIN_INNER {
			b.notNullBy(j.Quals, s, true)
			b.notNullByJoins([]*pgast.Node{j.Larg, j.Rarg}, s)
		}
	}
}

// notNullCase is notNullBy for a WHEN that lets a row through, or does not.
func (b *binder) notNullCase(n *pgast.CaseExpr, arg *pgast.Node, s *scope, through bool) {
	when := arg.GetCaseWhen().GetExpr()
	if n.Arg == nil {
		b.notNullBy(when, s, through)
	} else if through {
		b.isPresent(n.Arg, s) // it equals something
	}
}

func (b *binder) isPresent(e *pgast.Node, s *scope) {
	for e.GetTypeCast() != nil {
		e = e.GetTypeCast().Arg
	}
	ref := e.GetColumnRef()
	if ref == nil {
		return
	}
	if col, _ := b.peek(ref, s); col != nil && col.id != 0 {
		if b.present == nil {
			b.present = map[int]bool{}
		}
		b.present[col.id] = true
	}
}

// notNullBy notes the columns that are not NULL where the condition holds or, with holds unset, where it does not: is false or NULL.
func (b *binder) notNullBy(n *pgast.Node, s *scope, holds bool) {
	switch n := n.GetNode().(type) {
	case *pgast.Node_BoolExpr:
		switch n.BoolExpr.Boolop {
		case pgast.BoolExprType_AND_EXPR, pgast.BoolExprType_OR_EXPR:
			if holds == (n.BoolExpr.Boolop == pgast.BoolExprType_AND_EXPR) {
				for _, arg := range n.BoolExpr.Args {
					b.notNullBy(arg, s, holds)
				}
			}
		case pgast.BoolExprType_NOT_EXPR:
			if holds {
				b.notNullBy(n.BoolExpr.Args[0], s, false)
			}
		}
	case *pgast.Node_NullTest:
		if holds == (n.NullTest.Nulltesttype == pgast.NullTestType_IS_NOT_NULL) {
			b.isPresent(n.NullTest.Arg, s)
		}
	case *pgast.Node_ColumnRef:
		if holds {
			b.isPresent(&pgast.Node{Node: n}, s)
		}
	case *pgast.Node_AExpr:
		if !holds {
			return
		}
		_, name := splitOperator(n.AExpr.Name)
		switch n.AExpr.Kind {
		case pgast.A_Expr_Kind_AEXPR_OP, pgast.A_Expr_Kind_AEXPR_LIKE, pgast.A_Expr_Kind_AEXPR_ILIKE:
			if neverNull(name, 0) {
				b.isPresent(n.AExpr.Lexpr, s)
				b.isPresent(n.AExpr.Rexpr, s)
			}
		case pgast.A_Expr_Kind_AEXPR_OP_ANY, pgast.A_Expr_Kind_AEXPR_IN, pgast.A_Expr_Kind_AEXPR_BETWEEN:
			b.isPresent(n.AExpr.Lexpr, s)
		}
	}
}
