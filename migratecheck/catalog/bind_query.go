package catalog

import (
	"slices"
	"strconv"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// boundQuery is what a query answers.
type boundQuery struct {
	cols []boundColumn
	open bool // a star over something with unknown columns: cols is incomplete
	// aggregates: it has aggregate functions of its own level.
	aggregates bool
	// answers: there is a row for certain, whatever the tables hold.
	answers bool
}

// bindQuery binds a statement that answers rows: SELECT, VALUES, or in a WITH also INSERT, UPDATE, DELETE … RETURNING.
func (b *binder) bindQuery(n *pgast.Node, parent *scope) (*boundQuery, error) {
	if err := b.enter(); err != nil {
		return nil, err
	}
	defer b.leave()
	switch n := n.GetNode().(type) {
	case *pgast.Node_SelectStmt:
		return b.bindSelect(n.SelectStmt, parent)
	case *pgast.Node_InsertStmt:
		return b.bindInsert(n.InsertStmt, parent)
	case *pgast.Node_UpdateStmt:
		return b.bindUpdate(n.UpdateStmt, parent)
	case *pgast.Node_DeleteStmt:
		return b.bindDelete(n.DeleteStmt, parent)
	case *pgast.Node_MergeStmt:
		return b.bindMerge(n.MergeStmt, parent)
	}
	return nil, errorf(NotUnderstood, "a query of a kind that is not followed")
}

func (b *binder) bindSelect(n *pgast.SelectStmt, parent *scope) (*boundQuery, error) {
	q, err := b.bindUnsettled(n, parent)
	if err == nil {
		err = b.settle(q)
	}
	return q, err
}

// bindUnsettled is bindSelect for a query whose literals get their types from what is around it: of SELECT they stay
// unknown (ParseState.p_resolve_unknowns).
func (b *binder) bindUnsettled(n *pgast.SelectStmt, parent *scope) (*boundQuery, error) {
	s := &scope{parent: parent}
	if err := b.with(n.WithClause, s); err != nil {
		return nil, err
	}
	switch {
	case n.Op != pgast.SetOperation_SETOP_NONE && n.Op != pgast.SetOperation_SET_OPERATION_UNDEFINED:
		return b.bindSetOperation(n, s)
	case len(n.ValuesLists) > 0:
		return b.bindValues(n, s)
	}
	aggregates, grouped := b.aggregates, b.grouped
	b.aggregates, b.grouped = 0, len(n.GroupClause) > 0
	defer func() { b.aggregates, b.grouped = aggregates, grouped }()
	if err := b.from(n.FromClause, s); err != nil {
		return nil, err
	}
	b.narrow(n, s)
	q, exprs, err := b.targets(n.TargetList, s)
	if err != nil {
		return nil, err
	}
	if err := b.condition(n.WhereClause, s, "WHERE"); err != nil {
		return nil, err
	}
	if err := b.groupBy(n.GroupClause, s, q, exprs); err != nil {
		return nil, err
	}
	if err := b.condition(n.HavingClause, s, "HAVING"); err != nil {
		return nil, err
	}
	for _, w := range n.WindowClause {
		if err := b.window(w.GetWindowDef(), s); err != nil {
			return nil, err
		}
	}
	if err := b.orderBy(n.SortClause, s, q); err != nil {
		return nil, err
	}
	if err := b.distinct(n.DistinctClause, s, q); err != nil {
		return nil, err
	}
	if err := b.limits(n, s); err != nil {
		return nil, err
	}
	q.aggregates = b.aggregates > 0
	q.answers = unlimited(n) && n.HavingClause == nil && len(n.GroupClause) == 0 && (q.aggregates || n.WhereClause == nil && allAnswer(n.FromClause, s))
	widen(n, q)
	if len(n.GroupClause) > 0 || q.aggregates || n.HavingClause != nil {
		if err := b.checkGrouping(n, s, q, exprs); err != nil {
			return nil, err
		}
	}
	return q, nil
}

// unlimited reports whether neither LIMIT nor OFFSET leaves out the first row.
func unlimited(n *pgast.SelectStmt) bool {
	k := n.LimitCount.GetAConst()
	return n.LimitOffset == nil && (n.LimitCount == nil || k.GetIsnull() || k.GetIval().GetIval() > 0)
}

// allAnswer reports whether all that is joined in FROM has a row for certain.
func allAnswer(from []*pgast.Node, s *scope) bool {
	return len(from) == len(s.items) && !slices.ContainsFunc(s.items, func(it *rangeItem) bool { return !it.answers })
}

// limits is transformLimitClause.
func (b *binder) limits(n *pgast.SelectStmt, s *scope) error {
	for i, e := range []*pgast.Node{n.LimitOffset, n.LimitCount} {
		v, err := b.bindExpr(e, s)
		if err != nil {
			return err
		}
		if e == nil || v.null { // LIMIT ALL
			continue
		}
		if err := b.mustBe(v, typeInt8, [2]string{"OFFSET", "LIMIT"}[i]); err != nil {
			return err
		}
	}
	return nil
}

// settle gives unknown literals in the output the type text (resolveTargetListUnknowns).
func (b *binder) settle(q *boundQuery) error {
	for i := range q.cols {
		if col := &q.cols[i]; col.typ.OID == typeUnknown {
			b.coerce(col.value(), scalar(typeText), implicitly)
			col.typ = scalar(typeText)
		}
	}
	return b.failed
}

// targets is transformTargetList. exprs holds the expression behind each column, nil for those of a star.
func (b *binder) targets(list []*pgast.Node, s *scope) (*boundQuery, []*pgast.Node, error) {
	q := &boundQuery{}
	var exprs []*pgast.Node
	for _, n := range list {
		t := n.GetResTarget()
		if t == nil {
			continue
		}
		cols, open, star, err := b.star(t.Val, s)
		if err != nil {
			if err = b.goOn(locate(err, t.Location)); err != nil {
				return nil, nil, err
			}
			open = true
		}
		if star {
			b.starred(t.Val, s, cols)
			at := b.at
			b.at = t.Location
			b.wide = true
			for _, col := range cols {
				for _, a := range col.refs {
					b.ref(a)
				}
				col.star = true
				col.notNull, col.mayNull = b.nulls(&col)
				q.cols = append(q.cols, col)
				exprs = append(exprs, nil)
			}
			b.at, b.wide = at, false
			q.open = q.open || open
			continue
		}
		v, err := b.bindExpr(t.Val, s)
		if err != nil {
			return nil, nil, err
		}
		name := t.Name
		if name == "" {
			name = b.outputName(t.Val)
		}
		q.cols = append(q.cols, columnOfValue(name, v))
		exprs = append(exprs, t.Val)
	}
	return q, exprs, nil
}

// star expands *, t.* and (expr).*.
func (b *binder) star(n *pgast.Node, s *scope) (cols []boundColumn, open, star bool, err error) {
	if ref := n.GetColumnRef(); ref != nil && ref.Fields[len(ref.Fields)-1].GetAStar() != nil {
		names := stringList(ref.Fields[:len(ref.Fields)-1])
		if len(names) == 0 {
			any := false
			for _, it := range s.items {
				if it.colsVisible && !it.lateralOnly {
					any = true
					cols = append(cols, shown(it.cols)...)
					open = open || it.open
				}
			}
			if !any {
				return nil, false, true, errorf("42601", "SELECT * with no tables specified is not valid")
			}
			if open {
				b.unsure("the columns of *")
			}
			return cols, open, true, nil
		}
		schema := ""
		if len(names) > 1 {
			schema = names[len(names)-2]
		}
		it, err := b.item(s, schema, names[len(names)-1])
		if err != nil {
			return nil, false, true, err
		}
		if it == nil {
			if v, ok := b.paramNamed(names); ok {
				cols, open := b.fieldsOf(v)
				return cols, open, true, nil
			}
			return nil, false, true, b.missingTable(s, schema, names[len(names)-1])
		}
		if it.open {
			b.unsure("the columns of %s.*", names[len(names)-1])
		}
		return shown(it.cols), it.open, true, nil
	}
	if ind := n.GetAIndirection(); ind != nil && len(ind.Indirection) > 0 && ind.Indirection[len(ind.Indirection)-1].GetAStar() != nil {
		inner := ind.Arg
		if len(ind.Indirection) > 1 {
			inner = &pgast.Node{Node: &pgast.Node_AIndirection{AIndirection: &pgast.A_Indirection{Arg: ind.Arg, Indirection: ind.Indirection[:len(ind.Indirection)-1]}}}
		}
		v, err := b.bindExpr(inner, s)
		if err != nil {
			return nil, false, true, err
		}
		cols, open := b.fieldsOf(v)
		return cols, open, true, nil
	}
	return nil, false, false, nil
}

// shown are the columns that a * stands for.
func shown(cols []boundColumn) []boundColumn {
	if !slices.ContainsFunc(cols, func(col boundColumn) bool { return col.hidden }) {
		return cols
	}
	return slices.DeleteFunc(slices.Clone(cols), func(col boundColumn) bool { return col.hidden })
}

// fieldsOf lists the fields of a row value.
func (b *binder) fieldsOf(v value) (cols []boundColumn, open bool) {
	if v.fields != nil {
		return v.fields, false
	}
	if rel := b.c.compositeOf(v.typ); rel != nil {
		it := relationItem(rel, "", "")
		return it.cols, it.open
	}
	b.unsure("the fields of a row")
	return nil, true
}

// outputOrExpr is findTargetlistEntrySQL92, and tells the value. In GROUP BY a column of FROM hides an output column of its name.
func (b *binder) outputOrExpr(n *pgast.Node, s *scope, q *boundQuery, group bool) (value, error) {
	if ref := n.GetColumnRef(); ref != nil && len(ref.Fields) == 1 && ref.Fields[0].GetString_() != nil {
		name := ref.Fields[0].GetString_().Sval
		fromInput := false
		if group {
			_, ok, err := b.columnNamed(&scope{items: s.items}, name)
			if err != nil {
				return value{}, err
			}
			fromInput = ok
		}
		if !fromInput {
			for i := range q.cols {
				if q.cols[i].name == name {
					return q.cols[i].value(), nil
				}
			}
		}
	}
	if k := n.GetAConst(); k != nil {
		if i := k.GetIval(); i != nil || k.GetVal() == nil && !k.Isnull {
			pos := int(i.GetIval())
			if (pos < 1 || pos > len(q.cols)) && !q.open {
				clause := "ORDER BY"
				if group {
					clause = "GROUP BY"
				}
				return value{}, errorf("42P10", "%s position %d is not in select list", clause, pos)
			}
			if pos < 1 || pos > len(q.cols) || q.open {
				return value{}, nil
			}
			return q.cols[pos-1].value(), nil
		}
	}
	return b.bindExpr(n, s)
}

// bindValues binds VALUES (…), (…): the columns are column1, column2, ….
func (b *binder) bindValues(n *pgast.SelectStmt, s *scope) (*boundQuery, error) {
	var columns [][]value
	for i, list := range n.ValuesLists {
		items := list.GetList().GetItems()
		values, err := b.bindList(items, s)
		if err != nil {
			return nil, err
		}
		if i > 0 && len(values) != len(columns) {
			return nil, errorf("42601", "VALUES lists must all be the same length")
		}
		for j, v := range values {
			if i == 0 {
				columns = append(columns, nil)
			}
			columns[j] = append(columns[j], v)
		}
	}
	q := &boundQuery{answers: unlimited(n)}
	for i, values := range columns {
		v, err := b.unify(values, "VALUES")
		if err != nil {
			return nil, err
		}
		q.cols = append(q.cols, columnOfValue("column"+strconv.Itoa(i+1), v))
	}
	if err := b.orderBy(n.SortClause, s, q); err != nil {
		return nil, err
	}
	return q, b.limits(n, s)
}

// bindSetOperation is transformSetOperationStmt: UNION, INTERSECT, EXCEPT.
func (b *binder) bindSetOperation(n *pgast.SelectStmt, s *scope) (*boundQuery, error) {
	left, err := b.bindArm(n.Larg, s)
	if err != nil {
		return nil, err
	}
	right, err := b.bindArm(n.Rarg, s)
	if err != nil {
		return nil, err
	}
	op := "UNION"
	switch n.Op {
	case pgast.SetOperation_SETOP_INTERSECT:
		op = "INTERSECT"
	case pgast.SetOperation_SETOP_EXCEPT:
		op = "EXCEPT"
	}
	q, err := b.mergeArms(left, right, op)
	if err != nil {
		return nil, err
	}
	for i, col := range q.cols {
		if n.Op == pgast.SetOperation_SETOP_UNION && n.All {
			break
		}
		at := b.at
		if left.cols[i].at > 0 {
			at = left.cols[i].at - 1
		}
		if err := b.goOn(b.sortable(col.typ, left.cols[i].origin, apart, at)); err != nil {
			return nil, err
		}
	}
	q.answers = unlimited(n) && n.Op == pgast.SetOperation_SETOP_UNION && (left.answers || right.answers)
	// ORDER BY over a set operation knows the output columns only.
	out := &scope{parent: s.parent, items: []*rangeItem{{cols: q.cols, colsVisible: true, open: q.open}}}
	if err := b.orderBy(n.SortClause, out, q); err != nil {
		return nil, err
	}
	return q, b.limits(n, s)
}

// bindArm binds one side of a set operation. Its columns' literals stay unknown, to be settled with the other side's.
func (b *binder) bindArm(n *pgast.SelectStmt, s *scope) (*boundQuery, error) {
	if err := b.enter(); err != nil {
		return nil, err
	}
	defer b.leave()
	return b.bindUnsettled(n, s)
}

func (b *binder) mergeArms(left, right *boundQuery, op string) (*boundQuery, error) {
	q := &boundQuery{open: left.open || right.open}
	if !q.open && len(left.cols) != len(right.cols) {
		return nil, errorf("42601", "each %s query must have the same number of columns", op)
	}
	for i, l := range left.cols {
		col := boundColumn{name: l.name}
		if i < len(right.cols) && !left.open && !right.open {
			r := right.cols[i]
			v, err := b.unify([]value{l.value(), r.value()}, op)
			if err != nil {
				return nil, err
			}
			col.typ, col.collation, col.held, col.notNull = v.typ, v.collation, v.held, l.notNull && r.notNull
			col.mayNull = l.mayNull || l.null || r.mayNull || r.null
			if l.origin == r.origin {
				col.origin = l.origin
			}
		}
		q.cols = append(q.cols, col)
	}
	return q, nil
}

// with binds the CTEs of a WITH clause into s.
func (b *binder) with(w *pgast.WithClause, s *scope) error {
	if w == nil {
		return nil
	}
	s.ctes = map[string]*boundCTE{}
	b.nested++
	defer func() { b.nested-- }()
	for _, cte := range inOrder(w) {
		if s.ctes[cte.Ctename] != nil {
			return errorf("42712", "WITH query name %s specified more than once", quoteMessage(cte.Ctename))
		}
		bound, err := b.cte(cte, w.Recursive, s)
		if err != nil {
			return err
		}
		s.ctes[cte.Ctename] = bound
	}
	return nil
}

// inOrder lists the CTEs so that each comes after those it reads, which WITH RECURSIVE allows in any order
// (TopologicalSort in src/backend/parser/parse_cte.c).
func inOrder(w *pgast.WithClause) []*pgast.CommonTableExpr {
	list := make([]*pgast.CommonTableExpr, len(w.Ctes))
	for i, n := range w.Ctes {
		list[i] = n.GetCommonTableExpr()
	}
	if !w.Recursive || len(list) == 1 {
		return list
	}
	var out []*pgast.CommonTableExpr
	for len(list) > 0 {
		next := slices.IndexFunc(list, func(cte *pgast.CommonTableExpr) bool {
			return !slices.ContainsFunc(list, func(other *pgast.CommonTableExpr) bool {
				return other != cte && namesRelation(cte.Ctequery, other.Ctename)
			})
		})
		next = max(next, 0) // those that read each other are an error, which is found as it comes
		out = append(out, list[next])
		list = slices.Delete(list, next, next+1)
	}
	return out
}

func namesRelation(n *pgast.Node, name string) bool {
	found := false
	pgast.Walk(n, func(n *pgast.Node) bool {
		if rv := n.GetRangeVar(); rv != nil && rv.Schemaname == "" && rv.Relname == name {
			found = true
		}
		return !found
	})
	return found
}

func (b *binder) cte(cte *pgast.CommonTableExpr, recursive bool, s *scope) (*boundCTE, error) {
	name := func(q *boundQuery) (*boundCTE, error) {
		cols, err := renamed(q.cols, stringList(cte.Aliascolnames), cte.Ctename, q.open, true)
		if err != nil {
			return nil, err
		}
		return &boundCTE{name: cte.Ctename, cols: derived(cols), open: q.open, rowless: !answersRows(cte.Ctequery)}, nil
	}
	sel := cte.Ctequery.GetSelectStmt()
	if recursive && sel != nil && sel.Op == pgast.SetOperation_SETOP_UNION {
		// The columns come from the part that does not recurse; then the whole is bound with itself visible.
		inner := &scope{parent: s.parent, ctes: map[string]*boundCTE{}}
		for k, v := range s.ctes {
			inner.ctes[k] = v
		}
		if err := b.with(sel.WithClause, inner); err != nil {
			return nil, err
		}
		first, err := b.bindArm(sel.Larg, inner)
		if err != nil {
			return nil, err
		}
		if err := b.settle(first); err != nil {
			return nil, err
		}
		for i := range first.cols {
			first.cols[i].notNull, first.cols[i].mayNull = false, false
		}
		self, err := name(first)
		if err != nil {
			return nil, err
		}
		// The part that recurses may name the columns that SEARCH and CYCLE add, but its * does not stand for them.
		inside := &boundCTE{name: self.name, cols: slices.Clone(self.cols), open: self.open}
		if err := b.searchCycle(cte, inside); err != nil {
			return nil, err
		}
		for i := len(self.cols); i < len(inside.cols); i++ {
			inside.cols[i].hidden = true
		}
		inner.ctes[cte.Ctename] = inside
		second, err := b.bindArm(sel.Rarg, inner)
		if err != nil {
			return nil, err
		}
		if !first.open && !second.open && len(first.cols) != len(second.cols) {
			return nil, errorf("42601", "each UNION query must have the same number of columns")
		}
		if err := b.searchCycle(cte, self); err != nil {
			return nil, err
		}
		return self, nil
	}
	q, err := b.bindQuery(cte.Ctequery, &scope{parent: s.parent, ctes: s.ctes})
	if err != nil {
		return nil, err
	}
	return name(q)
}

// answersRows tells of a statement in WITH that another may read: one that changes rows must have RETURNING.
func answersRows(n *pgast.Node) bool {
	switch n := n.GetNode().(type) {
	case *pgast.Node_InsertStmt:
		return len(n.InsertStmt.ReturningList) > 0
	case *pgast.Node_UpdateStmt:
		return len(n.UpdateStmt.ReturningList) > 0
	case *pgast.Node_DeleteStmt:
		return len(n.DeleteStmt.ReturningList) > 0
	}
	return true
}

// searchCycle adds the columns of SEARCH and CYCLE clauses.
func (b *binder) searchCycle(cte *pgast.CommonTableExpr, bound *boundCTE) error {
	if c := cte.SearchClause; c != nil {
		t := scalar(typeRecord)
		if !c.SearchBreadthFirst {
			t.Array = true
		}
		bound.cols = append(bound.cols, boundColumn{name: c.SearchSeqColumn, typ: t})
	}
	if c := cte.CycleClause; c != nil {
		mark := scalar(typeBool)
		if c.CycleMarkValue != nil {
			v, err := b.bindExpr(c.CycleMarkValue, nil)
			if err != nil {
				return err
			}
			d, err := b.bindExpr(c.CycleMarkDefault, nil)
			if err != nil {
				return err
			}
			if v, err = b.unify([]value{v, d}, "CYCLE"); err != nil {
				return err
			}
			mark = v.typ
		}
		path := scalar(typeRecord)
		path.Array = true
		bound.cols = append(bound.cols, boundColumn{name: c.CycleMarkColumn, typ: mark}, boundColumn{name: c.CyclePathColumn, typ: path})
	}
	return nil
}

// renamed applies the column names of an alias.
func renamed(cols []boundColumn, names []string, table string, open, cte bool) ([]boundColumn, error) {
	out := append([]boundColumn(nil), cols...)
	if len(names) > len(cols) && !open {
		what := "table " + quoteMessage(table)
		if cte {
			what = "WITH query " + quoteMessage(table)
		}
		return nil, errorf("42P10", "%s has %d columns available but %d columns specified", what, len(cols), len(names))
	}
	for i, name := range names {
		if i < len(out) {
			out[i].name = name
		}
	}
	return out, nil
}

// queryColumns binds a query that is about to be stored or made into a table, and lists its output columns.
func (c *Catalog) queryColumns(q *pgast.Node) (cols []Column, refs []Address, unknown bool, err error) {
	b := c.newBinder()
	bound, err := b.bindQuery(q, nil)
	if err == nil {
		err = b.failed
	}
	if err != nil {
		return nil, nil, false, err
	}
	for i, col := range bound.cols {
		cols = append(cols, Column{Num: i + 1, Name: col.name, Type: col.typ, Collation: col.collation, Local: true, Stats: -1})
	}
	return cols, b.sortedRefs(), b.unknown || bound.open, nil
}
