package lockmode

import (
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// children calls f for the direct parts of an expression, but not for the query of a SubLink.
func children(n *pgast.Node, f func(*pgast.Node)) {
	each := func(lists ...[]*pgast.Node) {
		for _, list := range lists {
			for _, n := range list {
				f(n)
			}
		}
	}
	one := func(nodes ...*pgast.Node) {
		for _, n := range nodes {
			if n != nil {
				f(n)
			}
		}
	}
	switch e := n.Node.(type) {
	case *pgast.Node_AExpr:
		one(e.AExpr.Lexpr, e.AExpr.Rexpr)
	case *pgast.Node_BoolExpr:
		each(e.BoolExpr.Args)
	case *pgast.Node_FuncCall:
		each(e.FuncCall.Args, e.FuncCall.AggOrder)
		one(e.FuncCall.AggFilter)
	case *pgast.Node_CaseExpr:
		one(e.CaseExpr.Arg, e.CaseExpr.Defresult)
		each(e.CaseExpr.Args)
	case *pgast.Node_CaseWhen:
		one(e.CaseWhen.Expr, e.CaseWhen.Result)
	case *pgast.Node_CoalesceExpr:
		each(e.CoalesceExpr.Args)
	case *pgast.Node_MinMaxExpr:
		each(e.MinMaxExpr.Args)
	case *pgast.Node_TypeCast:
		one(e.TypeCast.Arg)
	case *pgast.Node_NullTest:
		one(e.NullTest.Arg)
	case *pgast.Node_BooleanTest:
		one(e.BooleanTest.Arg)
	case *pgast.Node_AArrayExpr:
		each(e.AArrayExpr.Elements)
	case *pgast.Node_RowExpr:
		each(e.RowExpr.Args)
	case *pgast.Node_AIndirection:
		one(e.AIndirection.Arg)
		each(e.AIndirection.Indirection)
	case *pgast.Node_AIndices:
		one(e.AIndices.Lidx, e.AIndices.Uidx)
	case *pgast.Node_CollateClause:
		one(e.CollateClause.Arg)
	case *pgast.Node_ResTarget:
		one(e.ResTarget.Val)
	case *pgast.Node_MultiAssignRef:
		one(e.MultiAssignRef.Source)
	case *pgast.Node_SortBy:
		one(e.SortBy.Node)
	case *pgast.Node_List:
		each(e.List.Items)
	case *pgast.Node_NamedArgExpr:
		one(e.NamedArgExpr.Arg)
	case *pgast.Node_GroupingSet:
		each(e.GroupingSet.Content)
	case *pgast.Node_WindowDef:
		each(e.WindowDef.PartitionClause, e.WindowDef.OrderClause)
	case *pgast.Node_XmlExpr:
		each(e.XmlExpr.NamedArgs, e.XmlExpr.Args)
	case *pgast.Node_XmlSerialize:
		one(e.XmlSerialize.Expr)
	}
}

// columnsOf lists the names of the columns that an expression mentions, outside of its subqueries.
func columnsOf(n *pgast.Node) map[string]bool {
	names := map[string]bool{}
	var visit func(*pgast.Node)
	visit = func(n *pgast.Node) {
		if n == nil {
			return
		}
		if ref := n.GetColumnRef(); ref != nil && len(ref.Fields) > 0 {
			names[ref.Fields[len(ref.Fields)-1].GetString_().GetSval()] = true
		}
		if sub := n.GetSubLink(); sub != nil {
			visit(sub.Testexpr)
		}
		children(n, visit)
	}
	visit(n)
	return names
}

// mentionsKey tells whether a condition names a column of the partition key.
func mentionsKey(rel *catalog.Relation, where *pgast.Node) bool {
	if where == nil {
		return false
	}
	names := columnsOf(where)
	for _, num := range rel.PartitionKey.Columns {
		if col := rel.Att(num); col == nil || names[col.Name] {
			return true
		}
	}
	return false
}

// splitName splits what regclassin takes, s or schema.s, with quotes.
func splitName(text string) (schema, name string) {
	var parts []string
	var b strings.Builder
	quoted := false
	for _, r := range text {
		switch {
		case r == '"':
			quoted = !quoted
		case r == '.' && !quoted:
			parts = append(parts, b.String())
			b.Reset()
		case quoted:
			b.WriteRune(r)
		default:
			b.WriteString(strings.ToLower(string(r)))
		}
	}
	name = strings.TrimSpace(b.String())
	if len(parts) > 0 {
		schema = parts[len(parts)-1]
	}
	return schema, name
}

// namesOf reads a list of String nodes.
func namesOf(nodes []*pgast.Node) []string {
	var list []string
	for _, n := range nodes {
		list = append(list, n.GetString_().GetSval())
	}
	return list
}

// rangeVar makes a RangeVar of a dotted name.
func rangeVar(parts []string) *pgast.RangeVar {
	if len(parts) == 0 {
		return nil
	}
	rv := &pgast.RangeVar{Relname: parts[len(parts)-1], Inh: true}
	if len(parts) > 1 {
		rv.Schemaname = parts[len(parts)-2]
	}
	return rv
}
