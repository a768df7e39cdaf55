package catalog

import "git.sr.ht/~sourcehut/ha-go/internal/pgast"

// outputName is FigureColname (src/backend/parser/parse_target.c): what a column without AS is called.
func (b *binder) outputName(n *pgast.Node) string {
	if name, strength := b.figureName(n); strength > 0 {
		return name
	}
	return "?column?"
}

// figureName returns a name and how good it is: 0 none, 1 only better than nothing, 2 good.
func (b *binder) figureName(n *pgast.Node) (string, int) {
	if n == nil {
		return "", 0
	}
	switch n := n.Node.(type) {
	case *pgast.Node_ColumnRef:
		for i := len(n.ColumnRef.Fields) - 1; i >= 0; i-- {
			if s := n.ColumnRef.Fields[i].GetString_(); s != nil {
				return s.Sval, 2
			}
		}
	case *pgast.Node_AIndirection:
		for i := len(n.AIndirection.Indirection) - 1; i >= 0; i-- {
			if s := n.AIndirection.Indirection[i].GetString_(); s != nil {
				return s.Sval, 2
			}
		}
		return b.figureName(n.AIndirection.Arg)
	case *pgast.Node_FuncCall:
		names := n.FuncCall.Funcname
		return names[len(names)-1].GetString_().GetSval(), 2
	case *pgast.Node_AExpr:
		if n.AExpr.Kind == pgast.A_Expr_Kind_AEXPR_NULLIF {
			return "nullif", 2
		}
	case *pgast.Node_TypeCast:
		name, strength := b.figureName(n.TypeCast.Arg)
		if strength <= 1 {
			if names := n.TypeCast.TypeName.GetNames(); len(names) > 0 {
				return names[len(names)-1].GetString_().GetSval(), 1
			}
		}
		return name, strength
	case *pgast.Node_CollateClause:
		return b.figureName(n.CollateClause.Arg)
	case *pgast.Node_GroupingFunc:
		return "grouping", 2
	case *pgast.Node_SubLink:
		switch n.SubLink.SubLinkType {
		case pgast.SubLinkType_EXISTS_SUBLINK:
			return "exists", 2
		case pgast.SubLinkType_ARRAY_SUBLINK:
			return "array", 2
		case pgast.SubLinkType_EXPR_SUBLINK:
			if name := b.sublinkNames[n.SubLink]; name != "" {
				return name, 2
			}
		}
	case *pgast.Node_CaseExpr:
		name, strength := b.figureName(n.CaseExpr.Defresult)
		if strength <= 1 {
			return "case", 1
		}
		return name, strength
	case *pgast.Node_AArrayExpr:
		return "array", 2
	case *pgast.Node_RowExpr:
		return "row", 2
	case *pgast.Node_CoalesceExpr:
		return "coalesce", 2
	case *pgast.Node_MinMaxExpr:
		if n.MinMaxExpr.Op == pgast.MinMaxOp_IS_LEAST {
			return "least", 2
		}
		return "greatest", 2
	case *pgast.Node_SqlvalueFunction:
		return sqlValueName(n.SqlvalueFunction.Op), 2
	case *pgast.Node_XmlExpr:
		switch n.XmlExpr.Op {
		case pgast.XmlExprOp_IS_XMLCONCAT:
			return "xmlconcat", 2
		case pgast.XmlExprOp_IS_XMLELEMENT:
			return "xmlelement", 2
		case pgast.XmlExprOp_IS_XMLFOREST:
			return "xmlforest", 2
		case pgast.XmlExprOp_IS_XMLPARSE:
			return "xmlparse", 2
		case pgast.XmlExprOp_IS_XMLPI:
			return "xmlpi", 2
		case pgast.XmlExprOp_IS_XMLROOT:
			return "xmlroot", 2
		}
	case *pgast.Node_XmlSerialize:
		return "xmlserialize", 2
	case *pgast.Node_JsonObjectConstructor:
		return "json_object", 2
	case *pgast.Node_JsonArrayConstructor, *pgast.Node_JsonArrayQueryConstructor:
		return "json_array", 2
	case *pgast.Node_JsonObjectAgg:
		return "json_objectagg", 2
	case *pgast.Node_JsonArrayAgg:
		return "json_arrayagg", 2
	}
	return "", 0
}

func sqlValueName(op pgast.SQLValueFunctionOp) string {
	switch op {
	case pgast.SQLValueFunctionOp_SVFOP_CURRENT_DATE:
		return "current_date"
	case pgast.SQLValueFunctionOp_SVFOP_CURRENT_TIME, pgast.SQLValueFunctionOp_SVFOP_CURRENT_TIME_N:
		return "current_time"
	case pgast.SQLValueFunctionOp_SVFOP_CURRENT_TIMESTAMP, pgast.SQLValueFunctionOp_SVFOP_CURRENT_TIMESTAMP_N:
		return "current_timestamp"
	case pgast.SQLValueFunctionOp_SVFOP_LOCALTIME, pgast.SQLValueFunctionOp_SVFOP_LOCALTIME_N:
		return "localtime"
	case pgast.SQLValueFunctionOp_SVFOP_LOCALTIMESTAMP, pgast.SQLValueFunctionOp_SVFOP_LOCALTIMESTAMP_N:
		return "localtimestamp"
	case pgast.SQLValueFunctionOp_SVFOP_CURRENT_ROLE:
		return "current_role"
	case pgast.SQLValueFunctionOp_SVFOP_CURRENT_USER:
		return "current_user"
	case pgast.SQLValueFunctionOp_SVFOP_USER:
		return "user"
	case pgast.SQLValueFunctionOp_SVFOP_SESSION_USER:
		return "session_user"
	case pgast.SQLValueFunctionOp_SVFOP_CURRENT_CATALOG:
		return "current_catalog"
	case pgast.SQLValueFunctionOp_SVFOP_CURRENT_SCHEMA:
		return "current_schema"
	}
	return "?column?"
}
