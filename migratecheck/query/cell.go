package query

import (
	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// cell is what a change puts into one column of one row.
type cell struct {
	kind cellKind
	// constant is the expression of a constantCell.
	constant *pgast.Node
	value    catalog.Value // of a given one
}

type cellKind int

const (
	untouched    cellKind = iota // UPDATE does not set it
	nullCell                     // NULL for certain
	constantCell                 // a constant, the statement's or the default
	freshCell                    // a value that no other row has
	computedCell                 // what a default computes
	givenCell                    // a value of the statement that is not known here
)

// rows counts the rows that a change lists, 1 for a query's or COPY's; of DO UPDATE those proposed.
func (w change) rows() int {
	n := 1
	for i := range w.Targets {
		n = max(n, len(w.Targets[i].Values))
	}
	if w.proposed != nil {
		n = max(n, w.proposed.rows())
	}
	return n
}

// cell tells what a column gets in a row, on the schema that the change meets.
func (w change) cell(column, row int) cell {
	t := w.Target(column)
	switch {
	case t == nil && w.Op != 'i':
		return cell{}
	case t == nil:
		return defaultCell(w.rel.Att(column))
	case w.proposed != nil && len(t.Values) == 1:
		if v := t.Values[0]; v.Excluded != 0 {
			return w.proposed.cell(v.Excluded, row)
		}
		row = 0
	}
	switch {
	case row >= len(t.Values):
		return cell{kind: givenCell} // COPY
	}
	v := t.Values[row]
	switch {
	case v.Default:
		return defaultCell(w.rel.Att(column))
	case v.Null:
		return cell{kind: nullCell, constant: v.Constant, value: v}
	case v.Constant != nil:
		return cell{kind: constantCell, constant: v.Constant, value: v}
	case v.Fresh:
		return cell{kind: freshCell, value: v}
	}
	return cell{kind: givenCell, value: v}
}

func defaultCell(col *catalog.Column) cell {
	switch {
	case col == nil:
		return cell{kind: computedCell}
	case col.Identity != 0:
		return cell{kind: freshCell}
	case col.Generated != 0:
		return cell{kind: computedCell}
	case col.Default == nil || isNull(col.Default):
		return cell{kind: nullCell, constant: nullConstant}
	case col.Default.Constant:
		return cell{kind: constantCell, constant: col.Default.Node}
	case callsVolatile(col.Default):
		return cell{kind: freshCell}
	}
	return cell{kind: computedCell}
}

// expr is what the cell holds in terms of the row that was there, nil when that is not known.
func (c cell) expr(col *catalog.Column) *pgast.Node {
	switch {
	case c.constant != nil:
		return c.constant
	case c.kind == givenCell:
		return c.value.Expr
	case c.kind == computedCell && col.Default != nil && col.Generated == 0:
		return col.Default.Node
	}
	return nil
}

var nullConstant = &pgast.Node{Node: &pgast.Node_AConst{AConst: &pgast.A_Const{Isnull: true}}}

// callsVolatile tells of a default that gives each row another value, as nextval() and gen_random_uuid() do.
func callsVolatile(e *catalog.Expr) bool {
	calls := false
	pgast.Walk(e.Node, func(n *pgast.Node) bool {
		calls = calls || n.GetFuncCall() != nil
		return !calls
	})
	return calls && e.Volatility == catalog.Volatile
}

// repeats reports whether a change may write the same key twice, or one that is there: it sets one of the columns, and in some
// row none of them is NULL (nulls: unless NULLs count as equal) or a value of its own.
func (w change) repeats(columns []int, nulls bool) bool {
	for row := range w.rows() {
		may, sets := true, false
		for _, n := range columns {
			if w.keeps(n, row) && !nulls {
				continue
			}
			switch w.cell(n, row).kind {
			case nullCell:
				may = may && nulls
				sets = true
			case freshCell:
				may = false
			case untouched:
			default:
				sets = true
			}
		}
		if may && sets && len(columns) > 0 {
			return true
		}
	}
	return false
}

// keeps reports whether an UPDATE leaves a column as it is or sets it to NULL, whatever decides which.
func (w change) keeps(column, row int) bool {
	t := w.Target(column)
	if w.Op != 'u' || t == nil || row >= len(t.Values) {
		return false
	}
	name := w.rel.Att(column).Name
	var kept func(n *pgast.Node) bool
	kept = func(n *pgast.Node) bool {
		for n.GetTypeCast() != nil {
			n = n.GetTypeCast().Arg
		}
		switch x := n.GetNode().(type) {
		case nil:
			return false
		case *pgast.Node_AConst:
			return x.AConst.Isnull
		case *pgast.Node_ColumnRef:
			f := x.ColumnRef.Fields
			return f[len(f)-1].GetString_().GetSval() == name && (len(f) == 1 || len(f) == 2 && f[0].GetString_().GetSval() == w.Alias)
		case *pgast.Node_CaseExpr:
			for _, arg := range x.CaseExpr.Args {
				if !kept(arg.GetCaseWhen().GetResult()) {
					return false
				}
			}
			return x.CaseExpr.Defresult == nil || kept(x.CaseExpr.Defresult)
		}
		return false
	}
	return kept(t.Values[row].Expr)
}
