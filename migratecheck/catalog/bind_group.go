package catalog

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// groupInfo is what GROUP BY names: table columns, and other expressions by their text.
type groupInfo struct {
	columns map[Address]bool
	exprs   map[string]bool
	// unsure: a grouped output could not be looked through; nothing is checked.
	unsure bool
}

// groupBy is transformGroupClause.
func (b *binder) groupBy(list []*pgast.Node, s *scope, q *boundQuery, exprs []*pgast.Node) error {
	s.groups = &groupInfo{columns: map[Address]bool{}, exprs: map[string]bool{}}
	for _, n := range list {
		if err := b.groupItem(n, s, q, exprs); err != nil {
			return err
		}
	}
	return nil
}

func (b *binder) groupItem(n *pgast.Node, s *scope, q *boundQuery, exprs []*pgast.Node) error {
	if set := n.GetGroupingSet(); set != nil {
		for _, n := range set.Content {
			if err := b.groupItem(n, s, q, exprs); err != nil {
				return err
			}
		}
		return nil
	}
	if row := n.GetRowExpr(); row != nil && row.RowFormat == pgast.CoercionForm_COERCE_IMPLICIT_CAST {
		for _, n := range row.Args {
			if err := b.groupItem(n, s, q, exprs); err != nil {
				return err
			}
		}
		return nil
	}
	v, err := b.outputOrExpr(n, s, q, true)
	if err == nil {
		err = b.goOn(b.sortable(v.typ, v.origin, apart, locationOf(n, b.at)))
	}
	if err != nil {
		return err
	}
	g := s.groups
	if k := n.GetAConst().GetIval(); k != nil {
		if i := int(k.Ival) - 1; i >= 0 && i < len(exprs) && !q.open {
			if exprs[i] != nil {
				g.add(b, exprs[i], s)
			}
			for _, a := range q.cols[i].refs {
				g.columns[a] = true
			}
		}
		return nil
	}
	if g.add(b, n, s) {
		return nil
	}
	if ref := n.GetColumnRef(); ref != nil && len(ref.Fields) == 1 {
		name := ref.Fields[0].GetString_().GetSval()
		for i, col := range q.cols {
			if col.name == name && i < len(exprs) && exprs[i] != nil {
				g.add(b, exprs[i], s)
				return nil
			}
		}
		g.unsure = true
	}
	return nil
}

// add notes an expression as grouped; false when it is a name that FROM does not know.
func (g *groupInfo) add(b *binder, n *pgast.Node, s *scope) bool {
	if ref := n.GetColumnRef(); ref != nil {
		col, it := b.peek(ref, s)
		if col == nil {
			return false
		}
		for _, a := range col.refs {
			g.columns[a] = true
		}
		g.exprs[it.name+"."+col.name] = true
		g.exprs[col.name] = true
		return true
	}
	g.exprs[canonicalSQL(n)] = true
	return true
}

// peek finds a column of this query level without noting anything.
func (b *binder) peek(ref *pgast.ColumnRef, s *scope) (*boundColumn, *rangeItem) {
	names := stringList(ref.Fields)
	if len(names) == 0 || ref.Fields[len(ref.Fields)-1].GetAStar() != nil {
		return nil, nil
	}
	for _, it := range s.items {
		if len(names) == 1 && it.colsVisible || len(names) > 1 && it.relVisible && it.name == names[len(names)-2] {
			if col, _ := it.find(names[len(names)-1]); col != nil {
				return col, it
			}
		}
	}
	return nil, nil
}

// checkGrouping is parseCheckAggregates: columns outside aggregates must be grouped, or depend on a grouped primary key;
// of such a key the query then depends (check_functional_grouping in src/backend/catalog/pg_constraint.c).
func (b *binder) checkGrouping(n *pgast.SelectStmt, s *scope, q *boundQuery, exprs []*pgast.Node) error {
	if s.groups == nil || s.groups.unsure || b.ask != nil && len(b.ask.errors) > 0 {
		return nil // a column that is missing may have been grouped by
	}
	for _, it := range s.items {
		if it.open {
			return nil
		}
	}
	for i, e := range exprs {
		if e != nil {
			if err := b.ungrouped(e, s); err != nil {
				return err
			}
			continue
		}
		if i < len(q.cols) && len(q.cols[i].refs) == 1 {
			if err := b.groupedColumn(&q.cols[i], "", s); err != nil {
				return err
			}
		}
	}
	for _, sort := range n.SortClause {
		e := sort.GetSortBy().GetNode()
		if ref := e.GetColumnRef(); ref != nil && len(ref.Fields) == 1 && slices.ContainsFunc(q.cols, func(col boundColumn) bool { return col.name == ref.Fields[0].GetString_().GetSval() }) {
			continue // an output column
		}
		if err := b.ungrouped(e, s); err != nil {
			return err
		}
	}
	return b.ungrouped(n.HavingClause, s)
}

// ungrouped checks the columns in an expression.
func (b *binder) ungrouped(n *pgast.Node, s *scope) error {
	if n == nil {
		return nil
	}
	var err error
	pgast.Walk(n, func(n *pgast.Node) bool {
		if err != nil {
			return false
		}
		switch x := n.Node.(type) {
		case *pgast.Node_ColumnRef:
			if col, it := b.peek(x.ColumnRef, s); col != nil && !s.groups.exprs[it.name+"."+col.name] {
				err = b.groupedColumn(col, it.name, s)
			}
			return false
		case *pgast.Node_FuncCall:
			if x.FuncCall.Over == nil && b.isAggregate(x.FuncCall) {
				return false
			}
		case *pgast.Node_SubLink, *pgast.Node_GroupingFunc, *pgast.Node_JsonObjectAgg, *pgast.Node_JsonArrayAgg:
			return false
		}
		if len(s.groups.exprs) > 0 && n.GetAConst() == nil && n.GetString_() == nil {
			switch n.Node.(type) {
			case *pgast.Node_AExpr, *pgast.Node_FuncCall, *pgast.Node_TypeCast, *pgast.Node_CaseExpr, *pgast.Node_CoalesceExpr, *pgast.Node_AIndirection, *pgast.Node_BoolExpr:
				if s.groups.exprs[canonicalSQL(n)] {
					return false
				}
			}
		}
		return true
	})
	return err
}

func (b *binder) isAggregate(n *pgast.FuncCall) bool {
	if n.AggStar || n.AggDistinct || n.AggFilter != nil || len(n.AggOrder) > 0 || n.AggWithinGroup {
		return true
	}
	names := stringList(n.Funcname)
	schema := ""
	if len(names) > 1 {
		schema = names[len(names)-2]
	}
	for _, f := range b.c.functionsNamed(schema, names[len(names)-1]) {
		if f.Kind == Aggregate {
			return true
		}
	}
	return b.c.mayHaveFunction(schema, names[len(names)-1]) && len(b.c.functionsNamed(schema, names[len(names)-1])) == 0
}

func (b *binder) groupedColumn(col *boundColumn, table string, s *scope) error {
	if len(col.refs) == 0 {
		if s.groups.exprs[col.name] || table == "" {
			return nil
		}
		return groupingError(table, col.name)
	}
	for _, a := range col.refs {
		if s.groups.columns[a] {
			return nil
		}
	}
	rel := b.c.relationByOID(col.refs[0].OID)
	if rel == nil {
		return nil
	}
	for _, con := range b.c.Constraints(rel.OID) {
		if con.Kind != PrimaryKey || con.Deferrable {
			continue
		}
		all := true
		for _, num := range con.Columns {
			all = all && s.groups.columns[Address{rel.OID, num}]
		}
		if all {
			b.ref(Address{OID: con.OID})
			return nil
		}
	}
	if table == "" {
		table = rel.Name
	}
	return groupingError(table, col.name)
}

func groupingError(table, column string) error {
	name := column
	if table != "" {
		name = table + "." + column
	}
	return errorf("42803", "column %s must appear in the GROUP BY clause or be used in an aggregate function", quoteMessage(name))
}
