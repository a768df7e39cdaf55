package catalog

import (
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// serverForm is SQL as far as it can be told from what the server prints of it (src/backend/utils/adt/ruleutils.c), which
// is what parse analysis made of it: types are coerced, stars and numbers resolved, constants in the spelling of their
// type's output function. TestSchemaDriftOfDump holds it against pg_dump.
type serverForm struct {
	// shape is the SQL without its constants, and of queries without what aliases and plain columns of the output are.
	shape     string
	constants []literal
	// columns are the columns that a query uses, sources what its plain output columns are; nil when not known.
	columns, sources []string
	// unsure: not all of shape could be made alike.
	unsure bool
}

// differs reports whether the two certainly are not the same SQL.
func (f *serverForm) differs(g *serverForm) bool {
	known := func(a, b []string) bool { return a != nil && b != nil && !slices.Equal(a, b) }
	switch {
	case known(f.columns, g.columns) || known(f.sources, g.sources):
		return true
	case f.unsure || g.unsure:
		return false
	case f.shape != g.shape || len(f.constants) != len(g.constants):
		return true
	}
	for i := range f.constants {
		if f.constants[i].differs(g.constants[i]) {
			return true
		}
	}
	return false
}

// serverForm puts nodes into this form. A constant that has no type of its own is of the type that is given, "" when that
// is not known.
func (c *Catalog) serverForm(typ string, nodes ...*pgast.Node) *serverForm {
	f := &serverForm{}
	p := canonicalPrinter{form: f}
	for _, n := range nodes {
		p.node(n)
		p.WriteByte('\n')
	}
	f.shape = p.String()
	for i := range f.constants {
		k := &f.constants[i]
		if k.typ == "" {
			k.typ = typ
		}
		k.typ = c.plainType(k.typ)
	}
	return f
}

// plainType is the built-in type whose spelling the constants of a type have: of a domain the one below, of an enum text.
func (c *Catalog) plainType(name string) string {
	for range 32 {
		bare := strings.TrimSuffix(name, "[]")
		t := c.typeCalled(bare)
		switch {
		case t != nil && t.Kind == EnumType:
			return "text" + name[len(bare):]
		case t == nil || t.Kind != DomainType:
			return name
		}
		name = c.typeName(t.Base) + name[len(bare):]
	}
	return name
}

// typeCalled finds a type of the history's own by its name, whatever its schema.
func (c *Catalog) typeCalled(name string) *Type {
	for o := range c.All() {
		if t, ok := o.(*Type); ok && t.Name == name && t.OID >= FirstUserOID {
			return t
		}
	}
	return nil
}

// typeName is a type's own name (int4, not integer), with [] behind that of an array.
func (c *Catalog) typeName(t TypeRef) string {
	o, ok := c.Get(t.OID).(*Type)
	if !ok {
		return ""
	}
	if t.Array {
		return o.Name + "[]"
	}
	return o.Name
}

// boundForm is the serverForm of a partition's bound.
func (c *Catalog) boundForm(part *Relation) *serverForm {
	typ := ""
	for _, p := range part.Inherits {
		// The columns of a longer key may be of different types, and constants say so themselves or not at all.
		if parent := c.relation(p); parent != nil && parent.PartitionKey != nil && len(parent.PartitionKey.Columns) == 1 {
			if col := parent.Att(parent.PartitionKey.Columns[0]); col != nil {
				typ = c.typeName(col.Type)
			}
		}
	}
	return c.serverForm(typ, &pgast.Node{Node: &pgast.Node_PartitionBoundSpec{PartitionBoundSpec: part.Bound.Node}})
}

// viewForm is the serverForm of a view's query.
func (c *Catalog) viewForm(view *Relation) *serverForm {
	f := c.serverForm("", view.Query.Node)
	b := c.newBinder()
	b.ask = &asked{}
	q, err := b.bindQuery(view.Query.Node, nil)
	if err != nil || q.open || len(b.ask.unknown) > 0 || len(q.cols) != len(view.Columns) {
		return f
	}
	name := func(a Address) string {
		if rel, ok := c.Get(a.OID).(*Relation); ok && a.Column > 0 {
			return c.NameOf(a.OID).String() + "." + rel.Att(a.Column).Name
		}
		return c.NameOf(a.OID).String()
	}
	f.columns, f.sources = []string{}, []string{}
	for _, use := range b.ask.uses {
		if _, ok := c.Get(use.Address.OID).(*Relation); ok {
			f.columns = append(f.columns, name(use.Address))
		}
	}
	slices.Sort(f.columns)
	f.columns = slices.Compact(f.columns)
	for i, col := range q.cols {
		if col.origin.OID != 0 {
			f.sources = append(f.sources, view.Columns[i].Name+" "+name(col.origin))
		}
	}
	slices.Sort(f.sources)
	return f
}

// serverCasts are types to which the server casts by itself (pg_cast.castcontext 'i'): whether such a cast was written or
// is the server's does not show.
var serverCasts = [...]string{"int4", "int8", "numeric", "float4", "float8", "timestamp", "timestamptz", "interval", "timetz", "oid", "regclass", "inet", "varbit", "citext"}

// asServer prints what a serverForm has alike; false leaves the message to the rules for all SQL.
func (b *canonicalPrinter) asServer(m protoreflect.Message) bool {
	switch x := m.Interface().(type) {
	case *pgast.Node:
		cast := x.GetTypeCast()
		if cast == nil {
			return false
		}
		arg := cast.Arg
		for arg.GetTypeCast() != nil {
			arg = arg.GetTypeCast().Arg
		}
		name := castName(cast.TypeName)
		switch {
		case arg.GetAConst() != nil:
			b.typed(arg.GetAConst(), name)
		case cast.Arg.GetColumnRef() != nil && isStar(cast.Arg):
			b.wholeRow(cast.Arg.GetColumnRef()) // t.*::t is what t alone means
		case slices.Contains(serverCasts[:], strings.TrimSuffix(name, "[]")):
			b.node(cast.Arg)
		default:
			return false
		}
	case *pgast.A_Const:
		b.typed(x, "")
	case *pgast.Integer, *pgast.Float: // bounds of partitions
		return false
	case *pgast.ResTarget:
		b.node(x.Val)
	case *pgast.SelectStmt:
		b.query(x)
	case *pgast.CaseExpr:
		fields := []protoreflect.Name{}
		if isNullConst(x.Defresult) { // the server adds ELSE NULL
			fields = append(fields, "defresult")
		}
		b.WriteString("CaseExpr(")
		b.rest(m, fields...)
		b.WriteByte(')')
	case *pgast.JoinExpr:
		b.WriteString("JoinExpr(")
		if x.IsNatural || len(x.UsingClause) > 0 {
			b.WriteString("using;")
		}
		b.rest(m, "alias", "join_using_alias", "is_natural", "using_clause", "rtindex")
		b.WriteByte(')')
	case *pgast.RangeFunction, *pgast.RangeSubselect:
		b.WriteString(string(m.Descriptor().Name()) + "(")
		b.rest(m, "alias")
		b.WriteByte(')')
	case *pgast.SortBy:
		dir := ""
		if x.SortbyDir == pgast.SortByDir_SORTBY_DESC {
			dir = " desc"
		}
		first := x.SortbyNulls == pgast.SortByNulls_SORTBY_NULLS_FIRST
		if x.SortbyNulls <= pgast.SortByNulls_SORTBY_NULLS_DEFAULT {
			first = dir != ""
		}
		b.WriteString("sort(")
		b.node(x.Node)
		b.WriteString(dir + strconv.FormatBool(first))
		for _, part := range x.UseOp {
			b.node(part)
		}
		b.WriteByte(')')
	case *pgast.SubLink:
		b.WriteString("SubLink(")
		if len(x.OperName) == 1 && x.OperName[0].GetString_().GetSval() == "=" && x.SubLinkType == pgast.SubLinkType_ANY_SUBLINK {
			b.rest(m, "oper_name") // = ANY (SELECT …) is IN
		} else {
			b.rest(m)
		}
		b.WriteByte(')')
	case *pgast.RowExpr:
		b.WriteString("row(")
		b.list(x.Args)
		b.WriteByte(')')
	case *pgast.BoolExpr:
		if x.Boolop == pgast.BoolExprType_NOT_EXPR {
			return false
		}
		b.WriteString(x.Boolop.String() + "(")
		b.list(flat(x.Boolop, x.Args))
		b.WriteByte(')')
	case *pgast.A_Expr:
		made := analysed(x)
		if made == nil {
			return false
		}
		b.node(made)
	default:
		return false
	}
	return true
}

// castName is the last part of a type's name, with [] behind that of an array.
func castName(t *pgast.TypeName) string {
	names := stringsOf(t.GetNames())
	if len(names) == 0 {
		return ""
	}
	if len(t.ArrayBounds) > 0 {
		return names[len(names)-1] + "[]"
	}
	return names[len(names)-1]
}

func isStar(n *pgast.Node) bool {
	ref := n.GetColumnRef()
	return ref != nil && ref.Fields[len(ref.Fields)-1].GetAStar() != nil
}

// wholeRow prints t.* as t.
func (b *canonicalPrinter) wholeRow(ref *pgast.ColumnRef) {
	if len(ref.Fields) > 1 {
		b.WriteString("col(" + ref.Fields[len(ref.Fields)-2].GetString_().GetSval() + ")")
		return
	}
	b.WriteString("col(*)")
}

func (b *canonicalPrinter) list(nodes []*pgast.Node) {
	for _, n := range nodes {
		b.node(n)
		b.WriteByte(' ')
	}
}

// flat takes (a AND b) AND c for a AND b AND c, as the grammar does (makeAndExpr).
func flat(op pgast.BoolExprType, args []*pgast.Node) []*pgast.Node {
	var list []*pgast.Node
	for _, arg := range args {
		if made := analysed(arg.GetAExpr()); made != nil {
			arg = made
		}
		if inner := arg.GetBoolExpr(); inner != nil && inner.Boolop == op {
			list = append(list, flat(op, inner.Args)...)
		} else {
			list = append(list, arg)
		}
	}
	return list
}

// typed prints a constant of a type, "" when none is written.
func (b *canonicalPrinter) typed(k *pgast.A_Const, typ string) {
	if k.Isnull {
		b.WriteString("null")
		return
	}
	b.WriteByte('?')
	b.form.constants = append(b.form.constants, literal{text: canonicalText(k), typ: typ, kind: constantKind(k)})
}

// analysed is what parse analysis makes of an operator, nil when it stays (transformAExprIn, transformAExprBetween,
// transformAExprOp of src/backend/parser/parse_expr.c).
func analysed(x *pgast.A_Expr) *pgast.Node {
	if x == nil {
		return nil
	}
	expr := func(kind pgast.A_Expr_Kind, name string, l, r *pgast.Node) *pgast.Node {
		return &pgast.Node{Node: &pgast.Node_AExpr{AExpr: &pgast.A_Expr{Kind: kind, Lexpr: l, Rexpr: r,
			Name: []*pgast.Node{{Node: &pgast.Node_String_{String_: &pgast.String{Sval: name}}}}}}}
	}
	op := func(name string, l, r *pgast.Node) *pgast.Node { return expr(pgast.A_Expr_Kind_AEXPR_OP, name, l, r) }
	boolean := func(kind pgast.BoolExprType, args ...*pgast.Node) *pgast.Node {
		return &pgast.Node{Node: &pgast.Node_BoolExpr{BoolExpr: &pgast.BoolExpr{Boolop: kind, Args: args}}}
	}
	and, or := pgast.BoolExprType_AND_EXPR, pgast.BoolExprType_OR_EXPR
	name := ""
	if len(x.Name) > 0 {
		name = x.Name[len(x.Name)-1].GetString_().GetSval()
	}
	v, items := x.Lexpr, x.Rexpr.GetList().GetItems()
	within := func(low, high *pgast.Node) *pgast.Node { return boolean(and, op(">=", v, low), op("<=", v, high)) }
	outside := func(low, high *pgast.Node) *pgast.Node { return boolean(or, op("<", v, low), op(">", v, high)) }
	left, right := x.Lexpr.GetRowExpr(), x.Rexpr.GetRowExpr()
	switch {
	case x.Kind == pgast.A_Expr_Kind_AEXPR_IN && len(items) == 1:
		return op(name, v, items[0])
	case x.Kind == pgast.A_Expr_Kind_AEXPR_NOT_DISTINCT:
		return boolean(pgast.BoolExprType_NOT_EXPR, expr(pgast.A_Expr_Kind_AEXPR_DISTINCT, name, v, x.Rexpr))
	case x.Kind == pgast.A_Expr_Kind_AEXPR_SIMILAR:
		return op(name, v, x.Rexpr)
	case x.Kind == pgast.A_Expr_Kind_AEXPR_OP && left != nil && right != nil && len(left.Args) == len(right.Args) && (name == "=" || name == "<>"):
		var pairs []*pgast.Node
		for i := range left.Args {
			pairs = append(pairs, op(name, left.Args[i], right.Args[i]))
		}
		return boolean(map[string]pgast.BoolExprType{"=": and, "<>": or}[name], pairs...)
	case len(items) != 2:
		return nil
	case x.Kind == pgast.A_Expr_Kind_AEXPR_BETWEEN:
		return within(items[0], items[1])
	case x.Kind == pgast.A_Expr_Kind_AEXPR_NOT_BETWEEN:
		return outside(items[0], items[1])
	case x.Kind == pgast.A_Expr_Kind_AEXPR_BETWEEN_SYM:
		return boolean(or, within(items[0], items[1]), within(items[1], items[0]))
	case x.Kind == pgast.A_Expr_Kind_AEXPR_NOT_BETWEEN_SYM:
		return boolean(and, outside(items[0], items[1]), outside(items[1], items[0]))
	}
	return nil
}

// query prints a SELECT: of its output what is computed, and what it groups and sorts by as the expressions that numbers
// and names of output columns stand for. In a set operation the server prints numbers.
func (b *canonicalPrinter) query(x *pgast.SelectStmt) {
	b.WriteString("SelectStmt(targets=")
	for _, t := range x.TargetList {
		val := t.GetResTarget().GetVal()
		if val.GetColumnRef() == nil && !isStar(val.GetTypeCast().GetArg()) {
			b.node(val)
			b.WriteByte(' ')
		}
	}
	leftmost := x
	for leftmost.Larg != nil {
		leftmost = leftmost.Larg
	}
	item := func(n *pgast.Node, grouping bool) {
		i := output(leftmost.TargetList, n, grouping)
		switch {
		case i < 0:
			b.form.unsure = true
		case x.Larg != nil && i > 0:
			b.WriteString("#" + strconv.Itoa(i))
		case i > 0:
			b.node(leftmost.TargetList[i-1].GetResTarget().GetVal())
		default:
			b.node(n)
		}
	}
	b.WriteString(";group=")
	for _, n := range x.GroupClause {
		item(n, true)
		b.WriteByte(' ')
	}
	b.WriteString(";distinct=")
	for _, n := range x.DistinctClause {
		item(n, false)
		b.WriteByte(' ')
	}
	b.WriteString(";sort=")
	for _, n := range x.SortClause {
		s := pgast.Clone(n.GetSortBy())
		s.Node = &pgast.Node{}
		b.message(s.ProtoReflect())
		item(n.GetSortBy().GetNode(), false)
		b.WriteByte(' ')
	}
	b.WriteByte(';')
	b.rest(x.ProtoReflect(), "target_list", "group_clause", "distinct_clause", "sort_clause")
	b.WriteByte(')')
}

// output is the number of the output column that an item of GROUP BY, ORDER BY or DISTINCT ON means, 0 when it is an
// expression of its own, -1 when that cannot be told (findTargetlistEntrySQL92 of parse_clause.c).
func output(targets []*pgast.Node, n *pgast.Node, grouping bool) int {
	star := slices.IndexFunc(targets, func(t *pgast.Node) bool { return isStar(t.GetResTarget().GetVal()) })
	if k := n.GetAConst(); k.GetIval() != nil {
		i := int(k.GetIval().GetIval())
		if i < 1 || i > len(targets) || star >= 0 && star < i {
			return -1
		}
		return i
	}
	ref := n.GetColumnRef()
	if ref == nil || len(ref.Fields) != 1 {
		return 0
	}
	name := ref.Fields[0].GetString_().GetSval()
	for i, t := range targets {
		res := t.GetResTarget()
		val := res.GetVal().GetColumnRef()
		called := res.GetName()
		if called == "" && val != nil {
			called = val.Fields[len(val.Fields)-1].GetString_().GetSval()
		}
		if called != name {
			continue
		}
		if grouping && val == nil && mentionsColumn(res.Val, name) {
			return 0 // a column of FROM comes first
		}
		if star >= 0 && star < i {
			return -1
		}
		return i + 1
	}
	return 0
}

// mentionsColumn reports whether an expression names a column.
func mentionsColumn(n *pgast.Node, name string) bool {
	found := false
	pgast.Walk(n, func(n *pgast.Node) bool {
		if ref := n.GetColumnRef(); ref != nil && ref.Fields[len(ref.Fields)-1].GetString_().GetSval() == name {
			found = true
		}
		return !found
	})
	return found
}
