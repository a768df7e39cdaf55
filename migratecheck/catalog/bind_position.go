package catalog

import (
	"errors"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// locate gives an error a position, unless it has one: the innermost place that knows its own wins, as with
// parser_errposition.
func locate(err error, at int32) error {
	var e *Error
	if errors.As(err, &e) && e.Position == 0 && at >= 0 {
		e.Position = int(at) + 1
	}
	return err
}

// locationOf is exprLocation for the nodes that carry one; else it is where the surrounding one stands.
func locationOf(n *pgast.Node, around int32) int32 {
	at := int32(-1)
	switch n := n.GetNode().(type) {
	case *pgast.Node_ColumnRef:
		at = n.ColumnRef.Location
	case *pgast.Node_ParamRef:
		at = n.ParamRef.Location
	case *pgast.Node_AConst:
		at = n.AConst.Location
	case *pgast.Node_FuncCall:
		at = n.FuncCall.Location
	case *pgast.Node_TypeCast:
		if at = locationOf(n.TypeCast.Arg, -1); at < 0 {
			at = n.TypeCast.Location
		}
	case *pgast.Node_AExpr:
		at = n.AExpr.Location
	case *pgast.Node_SubLink:
		at = n.SubLink.Location
	case *pgast.Node_ResTarget:
		at = n.ResTarget.Location
	case *pgast.Node_CaseExpr:
		at = n.CaseExpr.Location
	case *pgast.Node_CoalesceExpr:
		at = n.CoalesceExpr.Location
	case *pgast.Node_MinMaxExpr:
		at = n.MinMaxExpr.Location
	case *pgast.Node_AArrayExpr:
		at = n.AArrayExpr.Location
	case *pgast.Node_RowExpr:
		at = n.RowExpr.Location
	case *pgast.Node_CollateClause:
		at = n.CollateClause.Location
	case *pgast.Node_RangeVar:
		at = n.RangeVar.Location
	case *pgast.Node_BoolExpr:
		at = n.BoolExpr.Location
	case *pgast.Node_NullTest:
		at = n.NullTest.Location
	}
	if at < 0 {
		return around
	}
	return at
}
