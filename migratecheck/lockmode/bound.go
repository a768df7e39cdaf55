package lockmode

import (
	"math/big"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// impliesBound tells whether the valid CHECK constraints and NOT NULLs of a table prove that its rows are within the bounds of a
// partition, so that ATTACH PARTITION need not read it (PartConstraintImpliedByRelConstraint in
// src/backend/commands/tablecmds.c). Of what predicate_implied_by can prove, comparisons of the one key column with constants
// are understood: for RANGE, >= and < and the like; for LIST, = and IN.
func (a *analyzer) impliesBound(rel, parent *catalog.Relation, bound *pgast.PartitionBoundSpec) bool {
	key := a.keyColumn(rel, parent)
	if key == "" || bound == nil || bound.IsDefault {
		return false
	}
	terms := a.checkTerms(rel)
	switch bound.Strategy {
	case "r":
		if len(bound.Lowerdatums) != 1 || len(bound.Upperdatums) != 1 || !a.provedNotNull(rel, key) {
			return false
		}
		return impliesComparison(terms, key, ">=", bound.Lowerdatums[0]) && impliesComparison(terms, key, "<", bound.Upperdatums[0])
	case "l":
		nulls := false
		for _, n := range bound.Listdatums {
			nulls = nulls || n.GetAConst().GetIsnull()
		}
		return (nulls || a.provedNotNull(rel, key)) && impliesList(terms, key, bound.Listdatums)
	}
	return false
}

// excludes tells whether the CHECK constraints of the default partition already keep the rows of a new range partition out.
func (a *analyzer) excludes(def, parent *catalog.Relation, bound *pgast.PartitionBoundSpec) bool {
	key := a.keyColumn(def, parent)
	if key == "" || bound == nil || bound.Strategy != "r" || len(bound.Lowerdatums) != 1 || len(bound.Upperdatums) != 1 {
		return false
	}
	// The default's new constraint is NOT (key IS NOT NULL AND key >= lower AND key < upper): either half disproved is enough.
	terms := a.checkTerms(def)
	return impliesComparison(terms, key, "<", bound.Lowerdatums[0]) || impliesComparison(terms, key, ">=", bound.Upperdatums[0])
}

// keyColumn is the name of a one-column partition key, "" for other keys. The partition calls it the same.
func (a *analyzer) keyColumn(rel, parent *catalog.Relation) string {
	if rel == nil || parent == nil || parent.PartitionKey == nil || len(parent.PartitionKey.Columns) != 1 {
		return ""
	}
	col := parent.Att(parent.PartitionKey.Columns[0])
	if col == nil || rel.Column(col.Name) == nil {
		return ""
	}
	return col.Name
}

// checkTerms lists the AND terms of a table's valid CHECK constraints.
func (a *analyzer) checkTerms(rel *catalog.Relation) []*pgast.Node {
	var terms []*pgast.Node
	for _, con := range a.before.Constraints(rel.OID) {
		if con.Kind == catalog.Check && con.Valid && con.Check != nil {
			terms = append(terms, conjuncts(con.Check.Node)...)
		}
	}
	return terms
}

// comparison is column operator constant.
type comparison struct {
	op    string
	value *pgast.Node
}

// comparisons lists what a term says about a column: one comparison, or the two of a BETWEEN.
func comparisons(term *pgast.Node, column string) []comparison {
	e := term.GetAExpr()
	if e == nil || len(e.Name) == 0 {
		return nil
	}
	op := e.Name[len(e.Name)-1].GetString_().GetSval()
	switch e.Kind {
	case pgast.A_Expr_Kind_AEXPR_BETWEEN:
		if items := e.Rexpr.GetList().GetItems(); columnName(e.Lexpr) == column && len(items) == 2 {
			return []comparison{{">=", items[0]}, {"<=", items[1]}}
		}
	case pgast.A_Expr_Kind_AEXPR_OP:
		if columnName(e.Lexpr) == column {
			return []comparison{{op, e.Rexpr}}
		}
		if columnName(e.Rexpr) == column {
			if flipped := map[string]string{"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "="}[op]; flipped != "" {
				return []comparison{{flipped, e.Lexpr}}
			}
		}
	}
	return nil
}

// impliesComparison tells whether a term proves column op limit. MINVALUE and MAXVALUE need no proof.
func impliesComparison(terms []*pgast.Node, column, op string, limit *pgast.Node) bool {
	if word := columnName(limit); word == "minvalue" || word == "maxvalue" {
		return true
	}
	for _, term := range terms {
		for _, c := range comparisons(term, column) {
			order, ok := compareConstants(c.value, limit)
			if !ok {
				continue
			}
			switch {
			case op == ">=" && ((c.op == ">=" || c.op == ">" || c.op == "=") && order >= 0),
				op == "<" && (c.op == "<" && order <= 0 || (c.op == "<=" || c.op == "=") && order < 0):
				return true
			}
		}
	}
	return false
}

// impliesList tells whether a term says column = one of values, or column IN some of them.
func impliesList(terms []*pgast.Node, column string, values []*pgast.Node) bool {
	among := func(v *pgast.Node) bool {
		for _, value := range values {
			if order, ok := compareConstants(v, value); ok && order == 0 {
				return true
			}
		}
		return false
	}
	for _, term := range terms {
		for _, c := range comparisons(term, column) {
			if c.op == "=" && among(c.value) {
				return true
			}
		}
		e := term.GetAExpr()
		if e == nil || e.Kind != pgast.A_Expr_Kind_AEXPR_IN || columnName(e.Lexpr) != column || e.Name[0].GetString_().GetSval() != "=" {
			continue
		}
		all := true
		for _, item := range e.Rexpr.GetList().GetItems() {
			all = all && among(item)
		}
		if all {
			return true
		}
	}
	return false
}

// compareConstants orders two literals: numbers by value, dates and timestamps that ISO 8601 writes by their text. Of other
// strings only equality is known. ok is false when the order is not known.
func compareConstants(x, y *pgast.Node) (order int, ok bool) {
	a, aString, okA := literal(x)
	b, bString, okB := literal(y)
	if !okA || !okB {
		return 0, false
	}
	if !aString && !bString {
		p, okP := new(big.Rat).SetString(a)
		q, okQ := new(big.Rat).SetString(b)
		if !okP || !okQ {
			return 0, false
		}
		return p.Cmp(q), true
	}
	if a == b {
		return 0, true
	}
	if sameShape(a, b) {
		return strings.Compare(a, b), true
	}
	return 0, false
}

// literal is the text of a constant and whether it is a string, casts taken off.
func literal(n *pgast.Node) (text string, isString, ok bool) {
	for n.GetTypeCast() != nil {
		n = n.GetTypeCast().Arg
	}
	if e := n.GetAExpr(); e != nil && e.Lexpr == nil && len(e.Name) == 1 && e.Name[0].GetString_().GetSval() == "-" {
		text, isString, ok = literal(e.Rexpr)
		return "-" + text, isString, ok && !isString
	}
	c := n.GetAConst()
	if c == nil || c.Isnull {
		return "", false, false
	}
	switch v := c.Val.(type) {
	case *pgast.A_Const_Ival:
		return big.NewInt(int64(v.Ival.Ival)).String(), false, true
	case *pgast.A_Const_Fval:
		return v.Fval.Fval, false, true
	case *pgast.A_Const_Sval:
		return v.Sval.Sval, true, true
	}
	return "", false, false
}

// sameShape tells whether two strings are dates or timestamps as ISO 8601 writes them, digits in the same places and equal
// elsewhere, so that their order is that of their bytes.
func sameShape(a, b string) bool {
	if len(a) != len(b) || len(a) < len("2006-01-02") || a[4] != '-' || a[7] != '-' {
		return false
	}
	for i := range len(a) {
		x, y := a[i] >= '0' && a[i] <= '9', b[i] >= '0' && b[i] <= '9'
		if x != y || !x && a[i] != b[i] {
			return false
		}
	}
	return true
}
