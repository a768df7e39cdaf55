package migratecheck

import (
	"regexp"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// maxBatch is the number of rows up to which a LIMIT makes a batch: what Step.Sized calls some milliseconds.
const maxBatch = 10_000

// bounds finds out whether a query or change is about few rows whatever its tables hold: a condition fixes every column of
// a unique index to a constant, to a variable of the body it stands in, or to a column of something that has few rows
// itself, such as a subquery with a LIMIT.
type bounds struct {
	s     *Step
	ctes  map[string]bool // whether each WITH query has few rows
	items []*boundItem
	conds []*pgast.Node
	outer *bounds
}

// boundItem is a table, WITH query or subquery in FROM.
type boundItem struct {
	name string
	rel  *catalog.Relation // nil of what is no table
	few  bool
}

func (s *Step) bounds(with *pgast.WithClause, outer *bounds) *bounds {
	b := &bounds{s: s, ctes: map[string]bool{}, outer: outer}
	if outer != nil {
		for name, few := range outer.ctes {
			b.ctes[name] = few
		}
	}
	for _, n := range with.GetCtes() {
		cte := n.GetCommonTableExpr()
		b.ctes[cte.Ctename] = !with.Recursive && b.inner(cte.Ctequery)
	}
	return b
}

// inner tells of a query inside of this one.
func (b *bounds) inner(n *pgast.Node) bool {
	if q := n.GetSelectStmt(); q != nil {
		return b.s.bounds(q.WithClause, b).query(q)
	}
	return b.s.bounds(nil, b).change(n)
}

// change reports whether an UPDATE or DELETE is about few rows of its table.
func (b *bounds) change(n *pgast.Node) bool {
	u, d := n.GetUpdateStmt(), n.GetDeleteStmt()
	switch {
	case u != nil:
		b.add(u.FromClause)
		return b.target(u.Relation, u.WhereClause)
	case d != nil:
		b.add(d.UsingClause)
		return b.target(d.Relation, d.WhereClause)
	}
	return false
}

func (b *bounds) target(rv *pgast.RangeVar, where *pgast.Node) bool {
	target := b.table(rv)
	b.conds = conjuncts(where, b.conds)
	b.settle()
	return target.few
}

// query reports whether a SELECT yields few rows.
func (b *bounds) query(q *pgast.SelectStmt) bool {
	if q.GetLimitCount() != nil && !b.inLoop() {
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

var loopWord = regexp.MustCompile(`(?i)\bloop\b`)

// inLoop reports whether a body may run the statement again and again: batches without a COMMIT are one transaction.
func (b *bounds) inLoop() bool {
	return b.s.Via != "" && (b.s.Via != "DO block" || loopWord.MatchString(b.s.text.SQL))
}

func (b *bounds) add(from []*pgast.Node) {
	for _, n := range from {
		switch {
		case n.GetRangeVar() != nil:
			b.table(n.GetRangeVar())
		case n.GetRangeSubselect() != nil:
			sub := n.GetRangeSubselect()
			b.items = append(b.items, &boundItem{name: sub.GetAlias().GetAliasname(), few: !sub.Lateral && b.inner(sub.Subquery)})
		case n.GetJoinExpr() != nil:
			j := n.GetJoinExpr()
			b.add([]*pgast.Node{j.Larg, j.Rarg})
			if j.Jointype == pgast.JoinType_JOIN_INNER {
				b.conds = conjuncts(j.Quals, b.conds)
			}
		default:
			b.items = append(b.items, &boundItem{})
		}
	}
}

func (b *bounds) table(rv *pgast.RangeVar) *boundItem {
	it := &boundItem{name: rv.GetAlias().GetAliasname()}
	if it.name == "" {
		it.name = rv.GetRelname()
	}
	few, isCTE := b.ctes[rv.GetRelname()]
	if rv.GetSchemaname() == "" && isCTE {
		it.few = few
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
	for _, n := range b.conds {
		b.fix(it, n, fixed)
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
	if isConstant(n) {
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
	return b.inner(sub.Subselect) && !b.correlated(sub.Subselect)
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
