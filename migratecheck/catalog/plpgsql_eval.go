package catalog

import (
	"strconv"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// plKind is what a plValue holds.
type plKind int

const (
	plUnknown plKind = iota
	plNullKind
	plString
	plInteger
	plBoolean
	plArray
	plRecord
)

// plValue is a value as far as it can be told without running the code.
type plValue struct {
	kind plKind
	s    string
	i    int64
	b    bool
	list []plValue
	row  map[string]plValue
	oid  OID // of a reg… value or a row of a system catalog: what it names
}

func plNull() plValue         { return plValue{kind: plNullKind} }
func plText(s string) plValue { return plValue{kind: plString, s: s} }
func plInt(i int64) plValue   { return plValue{kind: plInteger, i: i} }
func plBool(b bool) plValue   { return plValue{kind: plBoolean, b: b} }
func plTexts(list []string) plValue {
	v := plValue{kind: plArray}
	for _, s := range list {
		v.list = append(v.list, plText(s))
	}
	return v
}

// plOID is an object's number, which prints as the object's name when it is cast to a reg… type.
func plOID(oid OID) plValue { return plValue{kind: plInteger, i: int64(oid), oid: oid} }

func (v plValue) known() bool { return v.kind != plUnknown }

// truth is what a condition does with the value: NULL is not true.
func (v plValue) truth() bool { return v.kind == plBoolean && v.b }

func (v plValue) typeRef() TypeRef {
	switch v.kind {
	case plString:
		return scalar(typeText)
	case plInteger:
		return scalar(typeInt4)
	case plBoolean:
		return scalar(typeBool)
	}
	return TypeRef{}
}

// text is the value as text, ok false when that is not known.
func (v plValue) text() (string, bool) {
	switch v.kind {
	case plString:
		return v.s, true
	case plInteger:
		return strconv.FormatInt(v.i, 10), true
	case plBoolean:
		return strconv.FormatBool(v.b), true
	}
	return "", false
}

// evalText evaluates an expression given as text.
func (r *codeRunner) evalText(expr string) plValue {
	stmts, err := pgast.Parse("SELECT " + expr)
	if err != nil || len(stmts) != 1 {
		return plValue{}
	}
	sel := stmts[0].Node.GetSelectStmt()
	if sel == nil || len(sel.TargetList) != 1 {
		return plValue{}
	}
	if len(sel.FromClause) > 0 || sel.WhereClause != nil {
		// IF count(*) > 0 FROM t: a whole query.
		rows, ok := r.selectRows(sel, nil)
		if ok && len(rows) == 1 && len(rows[0].values) == 1 {
			return rows[0].values[0]
		}
		return plValue{}
	}
	return r.eval(sel.TargetList[0].GetResTarget().GetVal())
}

func (r *codeRunner) eval(n *pgast.Node) plValue { return r.evalIn(n, nil) }

// What a body may build, by doubling a text in a loop say, is followed up to these sizes; beyond, the value is not known.
const (
	maxText  = 1 << 20 // bytes
	maxItems = 1 << 16
)

// bounded is a value that is small enough to go on with.
func bounded(v plValue) plValue {
	if len(v.s) > maxText || len(v.list) > maxItems {
		return plValue{}
	}
	return v
}

// evalIn evaluates an expression in which the columns of row may appear.
func (r *codeRunner) evalIn(n *pgast.Node, row *plScope) plValue {
	return bounded(r.evalNode(n, row))
}

func (r *codeRunner) evalNode(n *pgast.Node, row *plScope) plValue {
	switch n := n.GetNode().(type) {
	case *pgast.Node_AConst:
		switch k := n.AConst.Val.(type) {
		case *pgast.A_Const_Sval:
			return plText(k.Sval.Sval)
		case *pgast.A_Const_Ival:
			return plInt(int64(k.Ival.Ival))
		case *pgast.A_Const_Boolval:
			return plBool(k.Boolval.Boolval)
		}
		if n.AConst.Isnull {
			return plNull()
		}
	case *pgast.Node_ColumnRef:
		return r.evalColumn(stringList(n.ColumnRef.Fields), row)
	case *pgast.Node_ParamRef:
		return r.vars["$"+strconv.Itoa(int(n.ParamRef.Number))]
	case *pgast.Node_TypeCast:
		return r.evalCast(r.evalIn(n.TypeCast.Arg, row), n.TypeCast.TypeName)
	case *pgast.Node_CollateClause:
		return r.evalIn(n.CollateClause.Arg, row)
	case *pgast.Node_BoolExpr:
		return r.evalBool(n.BoolExpr, row)
	case *pgast.Node_NullTest:
		v := r.evalIn(n.NullTest.Arg, row)
		if !v.known() {
			return v
		}
		return plBool((v.kind == plNullKind) == (n.NullTest.Nulltesttype == pgast.NullTestType_IS_NULL))
	case *pgast.Node_BooleanTest:
		v := r.evalIn(n.BooleanTest.Arg, row)
		if !v.known() {
			return v
		}
		switch n.BooleanTest.Booltesttype {
		case pgast.BoolTestType_IS_TRUE:
			return plBool(v.truth())
		case pgast.BoolTestType_IS_NOT_TRUE:
			return plBool(!v.truth())
		case pgast.BoolTestType_IS_FALSE:
			return plBool(v.kind == plBoolean && !v.b)
		case pgast.BoolTestType_IS_NOT_FALSE:
			return plBool(!(v.kind == plBoolean && !v.b))
		}
		return plValue{}
	case *pgast.Node_AExpr:
		return r.evalOperator(n.AExpr, row)
	case *pgast.Node_CoalesceExpr:
		for _, arg := range n.CoalesceExpr.Args {
			if v := r.evalIn(arg, row); v.kind != plNullKind {
				return v
			}
		}
		return plNull()
	case *pgast.Node_CaseExpr:
		return r.evalCase(n.CaseExpr, row)
	case *pgast.Node_AArrayExpr:
		out := plValue{kind: plArray}
		for _, e := range n.AArrayExpr.Elements {
			v := r.evalIn(e, row)
			if !v.known() {
				return plValue{}
			}
			out.list = append(out.list, v)
		}
		return out
	case *pgast.Node_FuncCall:
		return r.evalFunction(n.FuncCall, row)
	case *pgast.Node_SubLink:
		return r.evalSubLink(n.SubLink, row)
	case *pgast.Node_SqlvalueFunction:
		if n.SqlvalueFunction.Op == pgast.SQLValueFunctionOp_SVFOP_CURRENT_SCHEMA {
			return r.currentSchemaName()
		}
	case *pgast.Node_AIndirection:
		v := r.evalIn(n.AIndirection.Arg, row)
		for _, ind := range n.AIndirection.Indirection {
			switch {
			case ind.GetString_() != nil && v.kind == plRecord:
				v = v.row[ind.GetString_().Sval]
			case ind.GetAIndices() != nil && v.kind == plArray && !ind.GetAIndices().IsSlice:
				i := r.evalIn(ind.GetAIndices().Uidx, row)
				if i.kind != plInteger {
					return plValue{}
				}
				if i.i < 1 || int(i.i) > len(v.list) {
					return plNull()
				}
				v = v.list[i.i-1]
			default:
				return plValue{}
			}
		}
		return v
	}
	return plValue{}
}

func (r *codeRunner) currentSchemaName() plValue {
	if s, ok := r.c.Get(r.c.currentSchema()).(*Schema); ok {
		return plText(s.Name)
	}
	return plNull()
}

func (r *codeRunner) evalColumn(names []string, row *plScope) plValue {
	if row != nil {
		if v, ok := row.column(names); ok {
			return v
		}
	}
	v, ok := r.vars[names[0]]
	if !ok {
		return plValue{}
	}
	for _, name := range names[1:] {
		if v.kind != plRecord {
			return plValue{}
		}
		v = v.row[name]
	}
	return v
}

func (r *codeRunner) evalCast(v plValue, t *pgast.TypeName) plValue {
	names := stringList(t.Names)
	name := names[len(names)-1]
	if v.kind == plNullKind || !v.known() {
		return v
	}
	switch name {
	case "text", "varchar", "name", "bpchar":
		if len(t.ArrayBounds) > 0 {
			return r.evalArrayText(v)
		}
		if s, ok := v.text(); ok {
			return plText(s)
		}
	case "int2", "int4", "int8", "oid":
		if v.kind == plInteger {
			return v
		}
		if s, ok := v.text(); ok && v.oid == 0 {
			if i, err := strconv.ParseInt(s, 10, 64); err == nil {
				return plInt(i)
			}
		}
		if v.oid != 0 {
			return plOID(v.oid)
		}
	case "bool":
		if v.kind == plBoolean {
			return v
		}
	case "regclass":
		if v.kind == plInteger {
			if rel := r.c.relationByOID(OID(v.i)); rel != nil {
				return plValue{kind: plString, s: r.c.visibleName(rel), oid: rel.OID}
			}
			return plValue{}
		}
		if s, ok := v.text(); ok {
			if schema, name, ok := splitQualified(s); ok {
				if rel := r.c.Relation(schema, name); rel != nil {
					return plValue{kind: plString, s: r.c.visibleName(rel), oid: rel.OID}
				}
				if rel := r.c.builtinRelation(schema, name); rel != nil {
					return plValue{kind: plString, s: rel.Name, oid: rel.OID}
				}
			}
		}
	case "regtype":
		if v.kind == plString {
			if schema, name, ok := splitQualified(v.s); ok {
				if t, ok := r.c.lookupType(schema, name); ok {
					return plValue{kind: plString, s: r.c.typeText(t), oid: t.OID}
				}
			}
		}
	case "regnamespace":
		if v.kind == plString {
			if s := r.c.SchemaNamed(v.s); s != nil {
				return plValue{kind: plString, s: s.Name, oid: s.OID}
			}
		}
		if v.kind == plInteger {
			if s, ok := r.c.Get(OID(v.i)).(*Schema); ok {
				return plValue{kind: plString, s: s.Name, oid: s.OID}
			}
		}
	case "char":
		return v
	}
	return plValue{}
}

// evalArrayText reads '{a,b}'::text[].
func (r *codeRunner) evalArrayText(v plValue) plValue {
	if v.kind == plArray {
		return v
	}
	s, ok := strings.CutPrefix(v.s, "{")
	if s2, ok2 := strings.CutSuffix(s, "}"); ok && ok2 && v.kind == plString && !strings.ContainsAny(s2, `"{}\`) && strings.Count(s2, ",") < maxItems {
		out := plValue{kind: plArray}
		if s2 == "" {
			return out
		}
		for _, item := range strings.Split(s2, ",") {
			out.list = append(out.list, plText(strings.TrimSpace(item)))
		}
		return out
	}
	return plValue{}
}

func (r *codeRunner) evalBool(n *pgast.BoolExpr, row *plScope) plValue {
	result := plValue{}
	unknown, null := false, false
	for _, arg := range n.Args {
		v := r.evalIn(arg, row)
		switch n.Boolop {
		case pgast.BoolExprType_NOT_EXPR:
			if v.kind == plBoolean {
				return plBool(!v.b)
			}
			return v
		case pgast.BoolExprType_AND_EXPR:
			if v.kind == plBoolean && !v.b {
				return plBool(false)
			}
		case pgast.BoolExprType_OR_EXPR:
			if v.truth() {
				return plBool(true)
			}
		}
		unknown = unknown || !v.known()
		null = null || v.kind == plNullKind
		result = v
	}
	switch {
	case unknown:
		return plValue{}
	case null:
		return plNull()
	}
	return result
}

func (r *codeRunner) evalOperator(n *pgast.A_Expr, row *plScope) plValue {
	_, name := splitOperator(n.Name)
	left := r.evalIn(n.Lexpr, row)
	switch n.Kind {
	case pgast.A_Expr_Kind_AEXPR_IN:
		return r.evalIn2(left, n.Rexpr.GetList().GetItems(), name, row)
	case pgast.A_Expr_Kind_AEXPR_OP_ANY:
		right := r.evalIn(n.Rexpr, row)
		if right.kind != plArray || name != "=" {
			return plValue{}
		}
		return anyEqual(left, right.list)
	case pgast.A_Expr_Kind_AEXPR_LIKE, pgast.A_Expr_Kind_AEXPR_ILIKE:
		right := r.evalIn(n.Rexpr, row)
		if left.kind != plString || right.kind != plString {
			return nullOrUnknown(left, right)
		}
		s, p := left.s, right.s
		if n.Kind == pgast.A_Expr_Kind_AEXPR_ILIKE {
			s, p = strings.ToLower(s), strings.ToLower(p)
		}
		return plBool(like(s, p) == !strings.HasPrefix(name, "!"))
	case pgast.A_Expr_Kind_AEXPR_BETWEEN, pgast.A_Expr_Kind_AEXPR_NOT_BETWEEN:
		bounds := n.Rexpr.GetList().GetItems()
		low, high := compare(">=", left, r.evalIn(bounds[0], row)), compare("<=", left, r.evalIn(bounds[1], row))
		not := n.Kind == pgast.A_Expr_Kind_AEXPR_NOT_BETWEEN
		switch {
		case low.kind == plBoolean && !low.b, high.kind == plBoolean && !high.b:
			return plBool(not)
		case low.kind == plBoolean && high.kind == plBoolean:
			return plBool(!not)
		}
		return nullOrUnknown(low, high)
	case pgast.A_Expr_Kind_AEXPR_OP:
	case pgast.A_Expr_Kind_AEXPR_NULLIF:
		if v := compare("=", left, r.evalIn(n.Rexpr, row)); v.truth() {
			return plNull()
		} else if v.known() {
			return left
		}
		return plValue{}
	default:
		return plValue{}
	}
	right := r.evalIn(n.Rexpr, row)
	if n.Lexpr == nil {
		if name == "-" && right.kind == plInteger {
			return plInt(-right.i)
		}
		return plValue{}
	}
	switch name {
	case "||":
		return concatenate(left, right)
	case "~", "!~", "~*", "!~*":
		return matches(name, left, right)
	}
	return compare(name, left, right)
}

func nullOrUnknown(values ...plValue) plValue {
	for _, v := range values {
		if v.kind == plNullKind {
			return plNull()
		}
	}
	return plValue{}
}

func (r *codeRunner) evalIn2(left plValue, items []*pgast.Node, name string, row *plScope) plValue {
	var list []plValue
	for _, item := range items {
		list = append(list, r.evalIn(item, row))
	}
	v := anyEqual(left, list)
	if name == "<>" && v.kind == plBoolean {
		v.b = !v.b
	}
	return v
}

func anyEqual(left plValue, list []plValue) plValue {
	unknown, null := false, false
	for _, item := range list {
		v := compare("=", left, item)
		if v.truth() {
			return v
		}
		unknown, null = unknown || !v.known(), null || v.kind == plNullKind
	}
	if unknown {
		return plValue{}
	}
	if null || left.kind == plNullKind {
		return plNull()
	}
	return plBool(false)
}

func concatenate(left, right plValue) plValue {
	switch {
	case left.kind == plArray && right.kind == plArray:
		return plValue{kind: plArray, list: append(append([]plValue(nil), left.list...), right.list...)}
	case left.kind == plArray && right.known():
		return plValue{kind: plArray, list: append(append([]plValue(nil), left.list...), right)}
	case right.kind == plArray && left.known():
		return plValue{kind: plArray, list: append([]plValue{left}, right.list...)}
	}
	l, ok1 := left.text()
	r, ok2 := right.text()
	if ok1 && ok2 {
		return plText(l + r)
	}
	return nullOrUnknown(left, right)
}

// compare is = < + and their like, on values of one kind.
func compare(op string, left, right plValue) plValue {
	if left.kind == plNullKind || right.kind == plNullKind {
		return plNull()
	}
	// A name of an object and its number are the same thing.
	if left.oid != 0 && right.oid != 0 {
		left, right = plInt(int64(left.oid)), plInt(int64(right.oid))
	}
	if left.kind != right.kind {
		switch {
		case left.kind == plInteger && right.kind == plString:
			if i, err := strconv.ParseInt(right.s, 10, 64); err == nil {
				right = plInt(i)
			}
		case left.kind == plString && right.kind == plInteger:
			if i, err := strconv.ParseInt(left.s, 10, 64); err == nil {
				left = plInt(i)
			}
		}
		if left.kind != right.kind {
			return plValue{}
		}
	}
	order := 0
	switch left.kind {
	case plString:
		order = strings.Compare(left.s, right.s)
	case plInteger:
		switch op {
		case "+":
			return plInt(left.i + right.i)
		case "-":
			return plInt(left.i - right.i)
		case "*":
			return plInt(left.i * right.i)
		case "/":
			if right.i != 0 {
				return plInt(left.i / right.i)
			}
			return plValue{}
		case "%":
			if right.i != 0 {
				return plInt(left.i % right.i)
			}
			return plValue{}
		}
		switch {
		case left.i < right.i:
			order = -1
		case left.i > right.i:
			order = 1
		}
	case plBoolean:
		if left.b != right.b {
			order = 1
		}
	default:
		return plValue{}
	}
	switch op {
	case "=":
		return plBool(order == 0)
	case "<>", "!=":
		return plBool(order != 0)
	}
	if left.kind == plString || left.kind == plBoolean {
		return plValue{} // the order of strings depends on the collation
	}
	switch op {
	case "<":
		return plBool(order < 0)
	case ">":
		return plBool(order > 0)
	case "<=":
		return plBool(order <= 0)
	case ">=":
		return plBool(order >= 0)
	}
	return plValue{}
}

// like matches a LIKE pattern.
func like(s, pattern string) bool {
	for pattern != "" {
		switch pattern[0] {
		case '%':
			for pattern != "" && pattern[0] == '%' {
				pattern = pattern[1:]
			}
			for i := 0; i <= len(s); i++ {
				if like(s[i:], pattern) {
					return true
				}
			}
			return false
		case '_':
			if s == "" {
				return false
			}
		case '\\':
			if len(pattern) > 1 {
				pattern = pattern[1:]
			}
			fallthrough
		default:
			if s == "" || s[0] != pattern[0] {
				return false
			}
		}
		s, pattern = s[1:], pattern[1:]
	}
	return s == ""
}

func (r *codeRunner) evalCase(n *pgast.CaseExpr, row *plScope) plValue {
	var test plValue
	if n.Arg != nil {
		test = r.evalIn(n.Arg, row)
	}
	for _, arg := range n.Args {
		w := arg.GetCaseWhen()
		v := r.evalIn(w.Expr, row)
		if n.Arg != nil {
			v = compare("=", test, v)
		}
		if !v.known() {
			return plValue{}
		}
		if v.truth() {
			return r.evalIn(w.Result, row)
		}
	}
	if n.Defresult == nil {
		return plNull()
	}
	return r.evalIn(n.Defresult, row)
}
