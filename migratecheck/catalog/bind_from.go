package catalog

import (
	"errors"
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// from is transformFromClause: it fills the scope's namespace.
func (b *binder) from(list []*pgast.Node, s *scope) error {
	for _, n := range list {
		// Items further right see those to the left when LATERAL.
		items, err := b.fromItem(n, s)
		if err != nil {
			return err
		}
		if err := b.addItems(s, items); err != nil {
			return err
		}
	}
	return nil
}

func (b *binder) addItems(s *scope, items []*rangeItem) error {
	for _, it := range items {
		for _, old := range s.items {
			if it.name != "" && it.relVisible && old.relVisible && old.name == it.name && !(it.rel != nil && old.rel != nil && it.rel != old.rel && it.schema != "alias" && old.schema != "alias") {
				return errorf("42712", "table name %s specified more than once", quoteMessage(it.name))
			}
		}
		s.items = append(s.items, it)
	}
	return nil
}

// fromItem binds one item; a join answers its inputs too.
func (b *binder) fromItem(n *pgast.Node, s *scope) ([]*rangeItem, error) {
	if err := b.enter(); err != nil {
		return nil, err
	}
	defer b.leave()
	switch n := n.GetNode().(type) {
	case *pgast.Node_RangeVar:
		it, err := b.rangeVar(n.RangeVar, s)
		if err != nil {
			return nil, err
		}
		return []*rangeItem{it}, nil
	case *pgast.Node_RangeSubselect:
		if n.RangeSubselect.Alias == nil && b.c.Version < 16 { // the grammar is 16's (gram.y of 15, table_ref)
			what := "subquery"
			if len(n.RangeSubselect.Subquery.GetSelectStmt().GetValuesLists()) > 0 {
				what = "VALUES"
			}
			return nil, errorf("42601", "%s in FROM must have an alias", what)
		}
		outer := &scope{parent: s.parent, ctes: s.ctes}
		if n.RangeSubselect.Lateral {
			outer = s
		}
		q, err := b.bindQuery(n.RangeSubselect.Subquery, outer)
		if err != nil {
			return nil, err
		}
		it := &rangeItem{cols: derived(q.cols), open: q.open, colsVisible: true, answers: q.answers}
		b.identify(it)
		return b.aliased(it, n.RangeSubselect.Alias, "")
	case *pgast.Node_RangeFunction:
		return b.rangeFunction(n.RangeFunction, s)
	case *pgast.Node_RangeTableFunc:
		return b.xmlTable(n.RangeTableFunc, s)
	case *pgast.Node_RangeTableSample:
		if _, err := b.bindAll(n.RangeTableSample.Args, s); err != nil {
			return nil, err
		}
		return b.fromItem(n.RangeTableSample.Relation, s)
	case *pgast.Node_JoinExpr:
		return b.join(n.JoinExpr, s)
	}
	return nil, errorf(NotUnderstood, "an item in FROM that is not followed")
}

// aliased gives an item its alias, or the name it has without one.
func (b *binder) aliased(it *rangeItem, alias *pgast.Alias, name string) ([]*rangeItem, error) {
	it.name = name
	if alias != nil {
		it.name, it.schema = alias.Aliasname, "alias"
		cols, err := renamed(it.cols, stringList(alias.Colnames), alias.Aliasname, it.open, false)
		if err != nil {
			return nil, err
		}
		it.cols = cols
	}
	it.relVisible = it.name != ""
	return []*rangeItem{it}, nil
}

// rangeVar finds a CTE or relation.
func (b *binder) rangeVar(rv *pgast.RangeVar, s *scope) (*rangeItem, error) {
	if rv.Schemaname == "" {
		if cte := s.cte(rv.Relname); cte != nil {
			if cte.rowless {
				return nil, locate(errorf("0A000", "WITH query %s does not have a RETURNING clause", quoteMessage(cte.name)), rv.Location)
			}
			it := &rangeItem{cols: slices.Clone(cte.cols), open: cte.open, colsVisible: true}
			b.identify(it)
			items, err := b.aliased(it, rv.Alias, rv.Relname)
			if err != nil {
				return nil, err
			}
			return items[0], nil
		}
	}
	rel, err := b.relation(rv)
	if err != nil {
		return nil, err
	}
	b.reads(rel, rv)
	items, err := b.aliased(b.readItem(rel), rv.Alias, rv.Relname)
	if err != nil {
		return nil, err
	}
	return items[0], nil
}

// readItem is relationItem for a relation whose rows are read. Which columns of a view may be NULL its query tells.
func (b *binder) readItem(rel *Relation) *rangeItem {
	it := relationItem(rel, rel.Name, "")
	b.checked(it)
	if rel.Kind == View && b.ask != nil {
		for i, col := range b.c.viewOutput(rel) {
			if i < len(it.cols) {
				it.cols[i].notNull, it.cols[i].mayNull = col.notNull, col.mayNull
			}
		}
	}
	b.identify(it)
	return it
}

// derived are the columns of a query as a subquery or CTE offers them: no longer a table's own.
func derived(cols []boundColumn) []boundColumn {
	out := slices.Clone(cols)
	for i := range out {
		out[i] = boundColumn{name: out[i].name, typ: out[i].typ, collation: out[i].collation, fields: out[i].fields, origin: out[i].origin, held: out[i].held, full: out[i].full, notNull: out[i].notNull, mayNull: out[i].mayNull || out[i].null}
	}
	return out
}

// reads notes that a statement names a relation.
func (b *binder) reads(rel *Relation, rv *pgast.RangeVar) {
	at := b.at
	b.at = rv.Location
	b.ref(Address{OID: rel.OID})
	b.at = at
	if rel.Assumed {
		b.unsure("the columns of %s", quoteMessage(rel.Name))
	}
}

// relation finds what a FROM item names. That its schema is missing is no error of its own there (parserOpenTable).
func (b *binder) relation(rv *pgast.RangeVar) (*Relation, error) {
	rel, err := b.existing(rv)
	var e *Error
	if errors.As(err, &e) && e.Code == "3F000" {
		err = locate(&Error{Code: "42P01", Message: "relation " + quoteMessage(rangeVarName(rv)) + " does not exist", Object: Name{rv.Schemaname, rv.Relname}}, rv.Location)
	}
	return b.orUnknown(rel, rv, err)
}

// openRelation is relation for commands other than queries.
func (b *binder) openRelation(rv *pgast.RangeVar) (*Relation, error) {
	rel, err := b.existing(rv)
	return b.orUnknown(rel, rv, err)
}

// orUnknown stands a table of which nothing is known in for one that is missing.
func (b *binder) orUnknown(rel *Relation, rv *pgast.RangeVar, err error) (*Relation, error) {
	if err == nil {
		return rel, nil
	}
	if err := b.goOn(locate(err, rv.Location)); err != nil {
		return nil, err
	}
	return &Relation{Name: rv.Relname, Kind: Table, Assumed: true}, nil
}

func (b *binder) existing(rv *pgast.RangeVar) (*Relation, error) {
	rel := b.c.builtinRelation(rv.Schemaname, rv.Relname)
	if found := b.c.findRelation(rv); found != nil && (rel == nil || found.Persistence == Temporary) {
		rel = found
	}
	if rel == nil {
		var err error
		if rel, err = b.c.lookupRelation(rv); err != nil {
			return nil, locate(err, rv.Location)
		}
	}
	switch rel.Kind {
	case Index, PartitionedIndex:
		return nil, errorf("42809", "cannot open relation %s", quoteMessage(rel.Name))
	case CompositeRel:
		return nil, errorf("42809", "cannot open relation %s", quoteMessage(rel.Name))
	case Sequence:
		if len(rel.Columns) == 0 {
			seq := *rel
			seq.Columns = []Column{
				{Num: 1, Name: "last_value", Type: scalar(typeInt8)}, {Num: 2, Name: "log_cnt", Type: scalar(typeInt8)},
				{Num: 3, Name: "is_called", Type: scalar(typeBool)},
			}
			rel = &seq
		}
	}
	return rel, nil
}

// rangeFunction is transformRangeFunction: functions in FROM, which may refer to items to their left.
func (b *binder) rangeFunction(n *pgast.RangeFunction, s *scope) ([]*rangeItem, error) {
	it := &rangeItem{colsVisible: true}
	name := ""
	for _, fn := range splitUnnest(n.Functions) {
		pair := fn.GetList().GetItems()
		if len(pair) == 0 {
			continue
		}
		defs := n.Coldeflist
		if len(pair) > 1 && len(pair[1].GetList().GetItems()) > 0 {
			defs = pair[1].GetList().Items
		}
		cols, open, fname, isScalar, err := b.functionColumns(pair[0], defs, n, s)
		if err != nil {
			return nil, err
		}
		if name == "" {
			name = fname
		}
		it.scalar = isScalar && len(n.Functions) == 1
		it.cols = append(it.cols, cols...)
		it.open = it.open || open
	}
	if n.Ordinality {
		it.cols = append(it.cols, boundColumn{name: "ordinality", typ: scalar(typeInt8)})
		it.scalar = false
	}
	return b.aliased(it, n.Alias, name)
}

// splitUnnest makes unnest(a, b) the several unnest() calls that it stands for in FROM (transformRangeFunction).
func splitUnnest(functions []*pgast.Node) []*pgast.Node {
	var out []*pgast.Node
	for _, fn := range functions {
		items := fn.GetList().GetItems()
		call := items[0].GetFuncCall()
		if call == nil || len(call.Args) < 2 || len(call.Funcname) != 1 || call.Funcname[0].GetString_().GetSval() != "unnest" {
			out = append(out, fn)
			continue
		}
		for _, arg := range call.Args {
			one := &pgast.FuncCall{Funcname: call.Funcname, Args: []*pgast.Node{arg}, Location: call.Location}
			list := &pgast.List{Items: []*pgast.Node{{Node: &pgast.Node_FuncCall{FuncCall: one}}}}
			out = append(out, &pgast.Node{Node: &pgast.Node_List{List: list}})
		}
	}
	return out
}

func (b *binder) functionColumns(call *pgast.Node, defs []*pgast.Node, n *pgast.RangeFunction, s *scope) (cols []boundColumn, open bool, name string, isScalar bool, err error) {
	var v value
	var f *Func
	if fc := call.GetFuncCall(); fc != nil {
		v, f, err = b.call(fc, s)
	} else {
		v, err = b.bindExpr(call, s)
	}
	if err != nil {
		return nil, false, "", false, err
	}
	name = b.outputName(call)
	if len(defs) > 0 {
		for _, d := range defs {
			def := d.GetColumnDef()
			t, err := b.c.resolveType(def.TypeName)
			if err != nil {
				return nil, false, "", false, err
			}
			b.refType(t)
			cols = append(cols, boundColumn{name: def.Colname, typ: t})
		}
		return cols, false, name, false, nil
	}
	if v.fields != nil {
		return v.fields, false, name, false, nil
	}
	if rel := b.c.compositeOf(v.typ); rel != nil {
		it := relationItem(rel, "", "")
		// References to its columns are to the type's (process_function_rte_ref in src/backend/catalog/dependency.c).
		return it.cols, it.open, name, false, nil
	}
	if !v.typ.known() {
		b.unsure("the columns of %s", name)
		return nil, true, name, false, nil
	}
	if v.typ.OID == typeRecord {
		if f != nil && !f.Assumed {
			return nil, false, "", false, errorf("42601", "a column definition list is required for functions returning \"record\"")
		}
		return nil, true, name, false, nil
	}
	column := name
	if f != nil {
		if out := f.outputs(); len(out) == 1 && out[0].Name != "" {
			column = out[0].Name
			return []boundColumn{{name: column, typ: v.typ, collation: v.collation}}, false, name, true, nil
		}
	}
	if n.Alias != nil && len(n.Functions) == 1 {
		column = n.Alias.Aliasname
	}
	return []boundColumn{{name: column, typ: v.typ, collation: v.collation}}, false, name, true, nil
}

// xmlTable is transformRangeTableFunc.
func (b *binder) xmlTable(n *pgast.RangeTableFunc, s *scope) ([]*rangeItem, error) {
	if _, err := b.bindAll([]*pgast.Node{n.Docexpr, n.Rowexpr}, s); err != nil {
		return nil, err
	}
	if _, err := b.bindAll(n.Namespaces, s); err != nil {
		return nil, err
	}
	it := &rangeItem{colsVisible: true}
	for _, node := range n.Columns {
		col := node.GetRangeTableFuncCol()
		t := scalar(typeInt4)
		if !col.ForOrdinality {
			var err error
			if t, err = b.c.resolveType(col.TypeName); err != nil {
				return nil, err
			}
		}
		if _, err := b.bindAll([]*pgast.Node{col.Colexpr, col.Coldefexpr}, s); err != nil {
			return nil, err
		}
		it.cols = append(it.cols, boundColumn{name: col.Colname, typ: t})
	}
	return b.aliased(it, n.Alias, "xmltable")
}

// join is the JoinExpr case of transformFromClauseItem.
func (b *binder) join(n *pgast.JoinExpr, s *scope) ([]*rangeItem, error) {
	left, err := b.fromItem(n.Larg, s)
	if err != nil {
		return nil, err
	}
	// The right side sees the left, when LATERAL.
	rightScope := &scope{parent: s.parent, ctes: s.ctes, items: append(append([]*rangeItem(nil), s.items...), left...)}
	right, err := b.fromItem(n.Rarg, rightScope)
	if err != nil {
		return nil, err
	}
	// What the condition sees may be NULL only in what comes out.
	both := &scope{parent: s.parent, ctes: s.ctes}
	if err := b.addItems(both, left); err != nil {
		return nil, err
	}
	if err := b.addItems(both, right); err != nil {
		return nil, err
	}
	lcols, lopen := visibleColumns(left)
	rcols, ropen := visibleColumns(right)
	using := stringList(n.UsingClause)
	if n.IsNatural {
		for _, l := range lcols {
			for _, r := range rcols {
				if l.name == r.name {
					using = append(using, l.name)
					if b.ask != nil {
						b.ask.natural = append(b.ask.natural, NaturalColumn{Name: l.name, Refs: slices.Concat(l.refs, r.refs), Offset: int(locationOf(n.Rarg, b.at))})
					}
					break
				}
			}
		}
		if lopen || ropen {
			b.unsure("the columns of a NATURAL JOIN")
		}
	}
	leftNulls := n.Jointype == pgast.JoinType_JOIN_RIGHT || n.Jointype == pgast.JoinType_JOIN_FULL
	rightNulls := n.Jointype == pgast.JoinType_JOIN_LEFT || n.Jointype == pgast.JoinType_JOIN_FULL
	out := &rangeItem{colsVisible: true, open: lopen || ropen}
	merged := map[string]bool{}
	for _, name := range using {
		col, err := b.merge(n, name, lcols, rcols, lopen, ropen)
		if err != nil {
			return nil, err
		}
		merged[name] = true
		out.cols = append(out.cols, col)
	}
	for i, side := range [][]boundColumn{lcols, rcols} {
		for _, col := range side {
			if !merged[col.name] {
				if i == 0 && leftNulls || i == 1 && rightNulls {
					col.notNull, col.mayNull = false, true
				}
				out.cols = append(out.cols, col)
			}
		}
	}
	if n.Quals != nil {
		if err := b.condition(n.Quals, both, "JOIN/ON"); err != nil {
			return nil, err
		}
	}
	items := make([]*rangeItem, 0, len(both.items)+2)
	for i, it := range both.items {
		in := *it
		in.colsVisible = false
		if i < len(left) && leftNulls || i >= len(left) && rightNulls {
			in.cols = slices.Clone(in.cols)
			for j := range in.cols {
				in.cols[j].notNull, in.cols[j].mayNull = false, true
			}
		}
		if n.Alias != nil {
			in.relVisible = false
		}
		items = append(items, &in)
	}
	if n.JoinUsingAlias != nil {
		items = append(items, &rangeItem{name: n.JoinUsingAlias.Aliasname, schema: "alias", relVisible: true, cols: out.cols[:len(using)]})
	}
	if n.Alias != nil {
		named, err := b.aliased(out, n.Alias, "")
		if err != nil {
			return nil, err
		}
		return append(items, named...), nil
	}
	return append(items, out), nil
}

// visibleColumns lists the columns that the items offer by unqualified name.
func visibleColumns(items []*rangeItem) (cols []boundColumn, open bool) {
	for _, it := range items {
		if it.colsVisible {
			cols = append(cols, it.cols...)
			open = open || it.open
		}
	}
	return cols, open
}

// merge makes the one column of a USING or NATURAL join.
func (b *binder) merge(n *pgast.JoinExpr, name string, lcols, rcols []boundColumn, lopen, ropen bool) (boundColumn, error) {
	find := func(cols []boundColumn, open bool, side string) (*boundColumn, error) {
		var found *boundColumn
		for i := range cols {
			if cols[i].name != name {
				continue
			}
			if found != nil {
				return nil, errorf("42702", "common column name %s appears more than once in %s table", quoteMessage(name), side)
			}
			found = &cols[i]
		}
		if found == nil && !open {
			item := n.Larg
			if side == "right" {
				item = n.Rarg
			}
			e := errorf("42703", "column %s specified in USING clause does not exist in %s table", quoteMessage(name), side)
			e.Column = name
			return nil, b.goOn(locate(e, locationOf(item, b.at)))
		}
		return found, nil
	}
	l, err := find(lcols, lopen, "left")
	if err != nil {
		return boundColumn{}, err
	}
	r, err := find(rcols, ropen, "right")
	if err != nil {
		return boundColumn{}, err
	}
	if l == nil || r == nil {
		b.unsure("the type of %s in USING", quoteMessage(name))
		return boundColumn{name: name, id: b.newID()}, nil
	}
	wide := b.wide
	b.wide = wide || n.IsNatural // the text names none of its columns, as with a star
	lv, rv := b.column(l), b.column(r)
	b.wide = wide
	if _, err := b.operator("", "=", lv, rv); err != nil {
		return boundColumn{}, err
	}
	v, err := b.unify([]value{lv, rv}, "JOIN/USING")
	if err != nil {
		return boundColumn{}, err
	}
	col := boundColumn{name: name, typ: v.typ, collation: v.collation, id: b.newID()}
	if n.Jointype == pgast.JoinType_JOIN_INNER && l.typ.bare() != v.typ.bare() && r.typ.bare() == v.typ.bare() {
		l = r // the one that needs no conversion (buildMergedJoinVar)
	}
	switch n.Jointype {
	case pgast.JoinType_JOIN_RIGHT:
		col.refs, col.origin, col.held, col.notNull, col.mayNull = r.refs, r.origin, r.held, r.notNull, r.mayNull
	case pgast.JoinType_JOIN_FULL:
		col.refs = append(append([]Address(nil), l.refs...), r.refs...)
		col.notNull = l.notNull && r.notNull
	default:
		col.refs, col.origin, col.held, col.notNull, col.mayNull = l.refs, l.origin, l.held, l.notNull, l.mayNull
		if n.Jointype == pgast.JoinType_JOIN_INNER { // its rows are those where both are equal
			col.notNull, col.mayNull = true, false
		}
	}
	if len(col.refs) == 1 && (n.Jointype == pgast.JoinType_JOIN_RIGHT && r.typ.bare() != v.typ.bare() || n.Jointype != pgast.JoinType_JOIN_RIGHT && l.typ.bare() != v.typ.bare()) {
		col.origin = Address{} // converted
	}
	return col, nil
}
