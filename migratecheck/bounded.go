package migratecheck

import (
	"maps"
	"strconv"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// maxBatch is the number of rows up to which a LIMIT makes a batch: what Step.Sized calls some milliseconds.
const maxBatch = 10_000

// bounds finds out whether a query or change is about few rows whatever its tables hold: a condition fixes every column of
// a unique index to a constant or a short range, to a variable of the body it stands in, or to a column of something that has few rows
// itself, such as a subquery with a LIMIT.
type bounds struct {
	s     *Step
	ctes  map[string]boundCTE
	items []*boundItem
	conds []*pgast.Node
	outer *bounds
}

// boundItem is a table, WITH query or subquery in FROM.
type boundItem struct {
	name string
	rel  *catalog.Relation // nil of what is no table
	few  bool
	bulk catalog.OID // the table that decides how many rows a WITH query or subquery has, 0 when there is none, or not one
}

// boundCTE is what is known of a WITH query.
type boundCTE struct {
	few  bool
	bulk catalog.OID
}

func (s *Step) bounds(with *pgast.WithClause, outer *bounds) *bounds {
	b := &bounds{s: s, ctes: map[string]boundCTE{}, outer: outer}
	if outer != nil {
		maps.Copy(b.ctes, outer.ctes)
	}
	for _, n := range with.GetCtes() {
		cte := n.GetCommonTableExpr()
		if with.Recursive {
			b.ctes[cte.Ctename] = boundCTE{}
			continue
		}
		few, bulk := b.inner(cte.Ctequery)
		b.ctes[cte.Ctename] = boundCTE{few, bulk}
	}
	return b
}

// inner tells of a query inside of this one whether it has few rows, and the table that decides how many.
func (b *bounds) inner(n *pgast.Node) (few bool, bulk catalog.OID) {
	if q := n.GetSelectStmt(); q != nil {
		in := b.s.bounds(q.WithClause, b)
		return in.query(q), in.bulk()
	}
	in := b.s.bounds(withOf(n), b)
	return in.change(n), in.bulk()
}

// innerFew is inner for those who only ask whether there are few rows.
func (b *bounds) innerFew(n *pgast.Node) bool {
	few, _ := b.inner(n)
	return few
}

// bulk is the first table that decides how many rows there are, 0 when none is known.
func (b *bounds) bulk() catalog.OID {
	for _, it := range b.items {
		switch {
		case it.few:
		case it.rel != nil && isTable(it.rel):
			return it.rel.OID
		case it.bulk != 0:
			return it.bulk
		}
	}
	return 0
}

// change reports whether an INSERT, UPDATE, DELETE or MERGE is about few rows.
func (b *bounds) change(n *pgast.Node) bool {
	switch n := n.GetNode().(type) {
	case *pgast.Node_InsertStmt:
		table, many := b.s.manyRows(n.InsertStmt.SelectStmt.GetSelectStmt(), b)
		if many {
			b.items = append(b.items, &boundItem{bulk: table})
		}
		return !many
	case *pgast.Node_UpdateStmt:
		b.add(n.UpdateStmt.FromClause)
		return b.target(n.UpdateStmt.Relation, n.UpdateStmt.WhereClause)
	case *pgast.Node_DeleteStmt:
		b.add(n.DeleteStmt.UsingClause)
		return b.target(n.DeleteStmt.Relation, n.DeleteStmt.WhereClause)
	case *pgast.Node_MergeStmt:
		_, many := b.merge(n.MergeStmt)
		return !many
	}
	return false
}

// merge reports whether a MERGE is about many rows, and which table decides how many it reads. It changes each row once at
// most, and no row more than its source has ("MERGE command cannot affect row a second time", PostgreSQL 15 manual, MERGE).
func (b *bounds) merge(n *pgast.MergeStmt) (source catalog.OID, many bool) {
	b.add([]*pgast.Node{n.SourceRelation})
	read := len(b.items)
	target := b.table(n.Relation)
	b.conds = conjuncts(n.JoinCondition, b.conds)
	b.settle()
	many = false
	for _, it := range b.items[:read] {
		many = many || !it.few
	}
	all := &bounds{items: b.items[:read]}
	acts, inserts := false, false
	for _, w := range n.MergeWhenClauses {
		command := w.GetMergeWhenClause().CommandType
		acts = acts || command != pgast.CmdType_CMD_NOTHING
		inserts = inserts || command == pgast.CmdType_CMD_INSERT
	}
	return all.bulk(), many && acts && (inserts || !target.few)
}

func (b *bounds) target(rv *pgast.RangeVar, where *pgast.Node) bool {
	target := b.table(rv)
	b.conds = conjuncts(where, b.conds)
	b.settle()
	return target.few
}

// query reports whether a SELECT yields few rows.
func (b *bounds) query(q *pgast.SelectStmt) bool {
	if q.GetLimitCount() != nil && !b.s.Loop { // batches without a COMMIT are one transaction
		if k := q.LimitCount.GetAConst(); k.GetIval() != nil && k.GetIval().Ival <= maxBatch {
			return true
		}
	}
	if len(q.GetValuesLists()) > 0 {
		return true
	}
	b.add(q.GetFromClause())
	b.conds = conjuncts(q.GetWhereClause(), b.conds)
	b.settle()
	for _, it := range b.items {
		if !it.few {
			return false
		}
	}
	return len(b.items) > 0
}

func (b *bounds) add(from []*pgast.Node) {
	for _, n := range from {
		switch {
		case n.GetRangeVar() != nil:
			b.table(n.GetRangeVar())
		case n.GetRangeSubselect() != nil:
			sub := n.GetRangeSubselect()
			few, bulk := b.inner(sub.Subquery)
			b.items = append(b.items, &boundItem{name: sub.GetAlias().GetAliasname(), few: few && !sub.Lateral, bulk: bulk})
		case n.GetJoinExpr() != nil:
			j := n.GetJoinExpr()
			b.add([]*pgast.Node{j.Larg, j.Rarg})
			if j.Jointype == pgast.JoinType_JOIN_INNER {
				b.conds = conjuncts(j.Quals, b.conds)
			}
		default:
			b.items = append(b.items, &boundItem{name: n.GetRangeFunction().GetAlias().GetAliasname(), few: fewItems(n.GetRangeFunction())})
		}
	}
}

func (b *bounds) table(rv *pgast.RangeVar) *boundItem {
	it := &boundItem{name: rv.GetAlias().GetAliasname()}
	if it.name == "" {
		it.name = rv.GetRelname()
	}
	if cte, ok := b.ctes[rv.GetRelname()]; ok && rv.GetSchemaname() == "" {
		it.few, it.bulk = cte.few, cte.bulk
	} else {
		it.rel = b.s.Before.Relation(rv.GetSchemaname(), rv.GetRelname())
	}
	b.items = append(b.items, it)
	return it
}

// settle finds the tables that have few rows because others have.
func (b *bounds) settle() {
	for again := true; again; {
		again = false
		for _, it := range b.items {
			if !it.few && it.rel != nil && b.byKey(it) {
				it.few, again = true, true
			}
		}
	}
}

// byKey reports whether the conditions fix every column of a unique index of the table, or the row's place in it.
func (b *bounds) byKey(it *boundItem) bool {
	fixed := map[string]bool{}
	ranges := map[string]*keyRange{}
	for _, n := range b.conds {
		b.fix(it, n, fixed)
		b.narrow(it, n, ranges)
	}
	for name, r := range ranges {
		if r.low != nil && r.high != nil && *r.high-*r.low < maxBatch {
			fixed[name] = true
		}
	}
	if fixed["ctid"] {
		return true
	}
	for _, ix := range b.s.Before.Indexes(it.rel.OID) {
		all := ix.Index.Unique && ix.Index.Predicate == nil && len(ix.Index.Keys) > 0
		for _, k := range ix.Index.Keys {
			col := it.rel.Att(k.Column)
			all = all && col != nil && fixed[col.Name]
		}
		if all {
			return true
		}
	}
	return false
}

// fix notes the columns of a table that one condition leaves few values.
func (b *bounds) fix(it *boundItem, n *pgast.Node, fixed map[string]bool) {
	if sub := n.GetSubLink(); sub.GetSubLinkType() == pgast.SubLinkType_ANY_SUBLINK {
		if op := words(sub.OperName); (len(op) == 0 || op[0] == "=") && b.fewValues(sub) {
			for _, side := range append(sub.Testexpr.GetRowExpr().GetArgs(), sub.Testexpr) {
				fixed[b.columnOf(it, side)] = true
			}
		}
		return
	}
	e := n.GetAExpr()
	if op := words(e.GetName()); len(op) != 1 || op[0] != "=" {
		return
	}
	switch e.Kind {
	case pgast.A_Expr_Kind_AEXPR_OP, pgast.A_Expr_Kind_AEXPR_IN, pgast.A_Expr_Kind_AEXPR_OP_ANY:
		if b.known(it, e.Rexpr) {
			fixed[b.columnOf(it, e.Lexpr)] = true
		}
		if e.Kind == pgast.A_Expr_Kind_AEXPR_OP && b.known(it, e.Lexpr) {
			fixed[b.columnOf(it, e.Rexpr)] = true
		}
	}
}

// keyRange is what conditions leave of an integer column, both ends included.
type keyRange struct{ low, high *int64 }

// narrow notes the constants between which one condition leaves an integer column.
func (b *bounds) narrow(it *boundItem, n *pgast.Node, ranges map[string]*keyRange) {
	e := n.GetAExpr()
	if e == nil {
		return
	}
	note := func(side *pgast.Node, op string, value *pgast.Node) {
		name := b.columnOf(it, side)
		v, ok := integerConstant(value)
		col := it.rel.Column(name)
		if !ok || col == nil || integerRank(b.s.Before.FormatType(col.Type)) == 0 {
			return
		}
		r := ranges[name]
		if r == nil {
			r = &keyRange{}
			ranges[name] = r
		}
		switch op {
		case ">":
			v++
			fallthrough
		case ">=":
			r.low = &v
		case "<":
			v--
			fallthrough
		case "<=":
			r.high = &v
		}
	}
	switch op := words(e.Name); e.Kind {
	case pgast.A_Expr_Kind_AEXPR_BETWEEN:
		if ends := e.Rexpr.GetList().GetItems(); len(ends) == 2 {
			note(e.Lexpr, ">=", ends[0])
			note(e.Lexpr, "<=", ends[1])
		}
	case pgast.A_Expr_Kind_AEXPR_OP:
		mirrored := map[string]string{"<": ">", "<=": ">=", ">": "<", ">=": "<="}
		if len(op) == 1 {
			note(e.Lexpr, op[0], e.Rexpr)
			note(e.Rexpr, mirrored[op[0]], e.Lexpr)
		}
	}
}

// integerConstant is the value of an integer that is written down.
func integerConstant(n *pgast.Node) (int64, bool) {
	c := uncast(n).GetAConst()
	if i := c.GetIval(); i != nil {
		return int64(i.Ival), true
	}
	v, err := strconv.ParseInt(c.GetFval().GetFval(), 10, 64) // one that is wider than 32 bits
	return v, err == nil
}

// columnOf is the column of a table that an expression is, "" when it is none.
func (b *bounds) columnOf(it *boundItem, n *pgast.Node) string {
	names := words(n.GetColumnRef().GetFields())
	switch {
	case len(names) == 0:
		return ""
	case len(names) > 1 && names[len(names)-2] != it.name:
		return ""
	}
	if name := names[len(names)-1]; name == "ctid" || it.rel.Column(name) != nil {
		return name
	}
	return ""
}

// known reports whether an expression has few values: constants, a variable of a body, a column of what has few rows.
func (b *bounds) known(it *boundItem, n *pgast.Node) bool {
	if isConstant(n) || n.GetParamRef() != nil {
		return true
	}
	if sub := n.GetSubLink(); sub != nil {
		switch sub.SubLinkType {
		case pgast.SubLinkType_EXPR_SUBLINK:
			return !b.correlated(sub.Subselect)
		case pgast.SubLinkType_ARRAY_SUBLINK:
			return b.fewValues(sub)
		}
		return false
	}
	names := words(n.GetColumnRef().GetFields())
	if len(names) == 0 {
		return false
	}
	variable := b.s.Via != ""
	for _, other := range b.items {
		own := other.rel != nil && other.rel.Column(names[len(names)-1]) != nil
		if len(names) > 1 {
			own = names[len(names)-2] == other.name
		} else if other.rel == nil && other != it {
			variable = false // nobody knows its columns
		}
		if own {
			variable = false
			if other != it && other.few {
				return true
			}
		}
		if other.rel != nil && len(names) > 1 && other.rel.Column(names[0]) != nil {
			variable = false // a field of a column
		}
	}
	return variable
}

// fewValues reports whether a subquery in an expression has few rows, the same for all rows around it.
func (b *bounds) fewValues(sub *pgast.SubLink) bool {
	return b.innerFew(sub.Subselect) && !b.correlated(sub.Subselect)
}

// correlated reports whether a subquery may depend on the row of the query around it.
func (b *bounds) correlated(n *pgast.Node) bool {
	own := &bounds{s: b.s, ctes: b.ctes}
	pgast.Walk(n, func(n *pgast.Node) bool {
		if n.GetRangeVar() != nil || n.GetRangeSubselect() != nil {
			own.add([]*pgast.Node{n})
		}
		return true
	})
	found := false
	pgast.Walk(n, func(n *pgast.Node) bool {
		names := words(n.GetColumnRef().GetFields())
		if len(names) > 0 && !own.has(names) && b.has(names) {
			found = true
		}
		return !found
	})
	return found
}

// has reports whether a name may be a column of what is in FROM.
func (b *bounds) has(names []string) bool {
	for _, it := range b.items {
		switch {
		case len(names) > 1 && names[len(names)-2] == it.name, len(names) == 1 && (it.rel == nil || it.rel.Column(names[0]) != nil || names[0] == "ctid"):
			return true
		}
	}
	return false
}

// conjuncts adds the parts of a condition that must all hold.
func conjuncts(n *pgast.Node, list []*pgast.Node) []*pgast.Node {
	if and := n.GetBoolExpr(); and != nil && and.Boolop == pgast.BoolExprType_AND_EXPR {
		for _, arg := range and.Args {
			list = conjuncts(arg, list)
		}
		return list
	}
	if n != nil {
		list = append(list, n)
	}
	return list
}

// fewItems reports whether functions in FROM take apart constants that somebody has written down: unnest(ARRAY['a', 'b']); or count to few.
func fewItems(n *pgast.RangeFunction) bool {
	for _, f := range n.GetFunctions() {
		for _, item := range f.GetList().GetItems() {
			call := item.GetFuncCall()
			name := words(call.GetFuncname())
			if len(name) > 0 && name[len(name)-1] == "generate_series" {
				if !shortSeries(call.Args) {
					return false
				}
				continue
			}
			for _, arg := range call.GetArgs() {
				if !isConstant(arg) {
					return false
				}
			}
			if call == nil && item.GetNode() != nil || len(name) > 0 && !takesApart[name[len(name)-1]] {
				return false
			}
		}
	}
	return n != nil
}

// shortSeries reports whether generate_series counts integers that are written down, up to maxBatch of them.
func shortSeries(args []*pgast.Node) bool {
	if len(args) < 2 {
		return false
	}
	from, ok1 := integerConstant(args[0])
	to, ok2 := integerConstant(args[1])
	return ok1 && ok2 && max(to-from, from-to) < maxBatch
}

// takesApart are the functions that return no more rows than their argument has parts.
var takesApart = map[string]bool{
	"unnest": true, "string_to_table": true, "regexp_split_to_table": true,
	"json_array_elements": true, "json_array_elements_text": true, "json_each": true, "json_each_text": true, "json_to_recordset": true,
	"jsonb_array_elements": true, "jsonb_array_elements_text": true, "jsonb_each": true, "jsonb_each_text": true, "jsonb_to_recordset": true,
}

// isConstant reports whether an expression is made of constants only.
func isConstant(n *pgast.Node) bool {
	var items []*pgast.Node
	switch {
	case n.GetAConst() != nil:
		return true
	case n.GetTypeCast() != nil:
		return isConstant(n.GetTypeCast().Arg)
	case n.GetList() != nil:
		items = n.GetList().Items
	case n.GetAArrayExpr() != nil:
		items = n.GetAArrayExpr().Elements
	default:
		return false
	}
	for _, item := range items {
		if !isConstant(item) {
			return false
		}
	}
	return true
}
