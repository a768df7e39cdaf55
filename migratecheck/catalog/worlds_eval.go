package catalog

import (
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// truths are what a condition may be in a world.
type truths uint8

const (
	isTrue truths = 1 << iota
	isFalse
	isNull
	anyTruth = isTrue | isFalse | isNull
)

func truthOf(b bool) truths {
	if b {
		return isTrue
	}
	return isFalse
}

func (t truths) not() truths {
	out := t & isNull
	if t&isTrue != 0 {
		out |= isFalse
	}
	if t&isFalse != 0 {
		out |= isTrue
	}
	return out
}

// sight is from where an expression looks at the row.
type sight int

const (
	checkAfter  sight = iota // a CHECK on the row that is written
	checkBefore              // a CHECK on the row that was there
	ofStatement              // the statement's own expressions, in which other tables may appear
)

// truth is what a condition may be.
func (w *worlds) truth(n *pgast.Node, at sight) truths {
	switch x := n.GetNode().(type) {
	case *pgast.Node_AConst:
		switch {
		case x.AConst.Isnull:
			return isNull
		case x.AConst.GetBoolval() != nil:
			return truthOf(x.AConst.GetBoolval().Boolval)
		}
	case *pgast.Node_ColumnRef:
		if v := w.operand(n, at); v != nil && v.class == truthClass {
			return w.here(v, func(region int) truths { return [...]truths{isNull, isTrue, isFalse}[region] })
		}
	case *pgast.Node_BoolExpr:
		return w.boolean(x.BoolExpr, at)
	case *pgast.Node_NullTest:
		want := x.NullTest.Nulltesttype == pgast.NullTestType_IS_NULL
		if isCondition(x.NullTest.Arg) {
			t := w.truth(x.NullTest.Arg, at)
			return pick(t, func(t truths) bool { return (t == isNull) == want })
		}
		if v := w.operand(x.NullTest.Arg, at); v != nil {
			return w.here(v, func(region int) truths { return truthOf((region == 0) == want) })
		}
	case *pgast.Node_BooleanTest:
		is, not := isNull, false
		switch x.BooleanTest.Booltesttype {
		case pgast.BoolTestType_IS_TRUE, pgast.BoolTestType_IS_NOT_TRUE:
			is, not = isTrue, x.BooleanTest.Booltesttype == pgast.BoolTestType_IS_NOT_TRUE
		case pgast.BoolTestType_IS_FALSE, pgast.BoolTestType_IS_NOT_FALSE:
			is, not = isFalse, x.BooleanTest.Booltesttype == pgast.BoolTestType_IS_NOT_FALSE
		case pgast.BoolTestType_IS_NOT_UNKNOWN:
			not = true
		}
		return pick(w.truth(x.BooleanTest.Arg, at), func(t truths) bool { return (t == is) != not })
	case *pgast.Node_AExpr:
		if t, ok := w.comparison(x.AExpr, at); ok {
			return t
		}
	}
	return w.whole(n, at)
}

// pick is what a test of a condition may be that is never NULL itself.
func pick(t truths, is func(truths) bool) truths {
	var out truths
	for _, one := range []truths{isTrue, isFalse, isNull} {
		if t&one != 0 {
			out |= truthOf(is(one))
		}
	}
	return out
}

func (w *worlds) boolean(n *pgast.BoolExpr, at sight) truths {
	if n.Boolop == pgast.BoolExprType_NOT_EXPR {
		return w.truth(n.Args[0], at).not()
	}
	// a OR b is NOT (NOT a AND NOT b).
	or := n.Boolop == pgast.BoolExprType_OR_EXPR
	out := isTrue
	for _, arg := range n.Args {
		t := w.truth(arg, at)
		if or {
			t = t.not()
		}
		var next truths
		if out&isFalse != 0 || t&isFalse != 0 {
			next |= isFalse
		}
		if out&isTrue != 0 && t&isTrue != 0 {
			next |= isTrue
		}
		if out&isNull != 0 && t&(isNull|isTrue) != 0 || t&isNull != 0 && out&(isNull|isTrue) != 0 {
			next |= isNull
		}
		out = next
	}
	if or {
		out = out.not()
	}
	return out
}

// isCondition tells of an expression that is true or false by its form.
func isCondition(n *pgast.Node) bool {
	switch n.GetNode().(type) {
	case *pgast.Node_BoolExpr, *pgast.Node_NullTest, *pgast.Node_BooleanTest:
		return true
	}
	return false
}

// comparison is an operand against constants. ok is false when it is none, and is then taken as a whole.
func (w *worlds) comparison(e *pgast.A_Expr, at sight) (t truths, ok bool) {
	op := operatorOf(e)
	switch e.Kind {
	case pgast.A_Expr_Kind_AEXPR_OP:
		if isCondition(e.Lexpr) && isCondition(e.Rexpr) && (op == "=" || op == "<>") {
			return same(w.truth(e.Lexpr, at), w.truth(e.Rexpr, at), op == "="), true
		}
		if flip, known := map[string]string{"=": "=", "<>": "<>", "<": ">", ">": "<", "<=": ">=", ">=": "<="}[op]; known && e.Lexpr != nil {
			if t, ok := w.compare(e.Lexpr, op, []*pgast.Node{e.Rexpr}, at); ok {
				return t, true
			}
			return w.compare(e.Rexpr, flip, []*pgast.Node{e.Lexpr}, at)
		}
	case pgast.A_Expr_Kind_AEXPR_IN:
		t, ok = w.compare(e.Lexpr, "=", e.Rexpr.GetList().GetItems(), at)
		if op == "<>" {
			t = t.not()
		}
		return t, ok
	case pgast.A_Expr_Kind_AEXPR_OP_ANY, pgast.A_Expr_Kind_AEXPR_OP_ALL:
		array := e.Rexpr
		for array.GetTypeCast() != nil {
			array = array.GetTypeCast().Arg
		}
		list := array.GetAArrayExpr()
		all := e.Kind == pgast.A_Expr_Kind_AEXPR_OP_ALL
		if list == nil || all && op != "<>" || !all && op != "=" {
			return 0, false
		}
		t, ok = w.compare(e.Lexpr, "=", list.Elements, at)
		if all {
			t = t.not()
		}
		return t, ok
	case pgast.A_Expr_Kind_AEXPR_BETWEEN, pgast.A_Expr_Kind_AEXPR_NOT_BETWEEN:
		bounds := e.Rexpr.GetList().GetItems()
		if len(bounds) != 2 {
			return 0, false
		}
		low, ok1 := w.compare(e.Lexpr, ">=", bounds[:1], at)
		high, ok2 := w.compare(e.Lexpr, "<=", bounds[1:], at)
		t = both(low, high)
		if e.Kind == pgast.A_Expr_Kind_AEXPR_NOT_BETWEEN {
			t = t.not()
		}
		return t, ok1 && ok2
	case pgast.A_Expr_Kind_AEXPR_DISTINCT, pgast.A_Expr_Kind_AEXPR_NOT_DISTINCT:
		v, k, ok := w.against(e.Lexpr, e.Rexpr, at)
		if !ok {
			return 0, false
		}
		want := e.Kind == pgast.A_Expr_Kind_AEXPR_NOT_DISTINCT
		return w.here(v, func(region int) truths { return truthOf((region == v.region(k)) == want) }), true
	}
	return 0, false
}

// both is a AND b of two comparisons of one operand, each of which is one thing in a world.
func both(a, b truths) truths {
	switch {
	case a == isNull || b == isNull:
		return isNull
	case a == isFalse || b == isFalse:
		return isFalse
	case a == isTrue && b == isTrue:
		return isTrue
	}
	return anyTruth
}

// same is a = b (or a <> b) of two conditions.
func same(a, b truths, equal bool) truths {
	var out truths
	if (a|b)&isNull != 0 {
		out |= isNull
	}
	if a&b&(isTrue|isFalse) != 0 {
		out |= truthOf(equal)
	}
	if a&isTrue != 0 && b&isFalse != 0 || a&isFalse != 0 && b&isTrue != 0 {
		out |= truthOf(!equal)
	}
	return out
}

// against is an operand and a constant of its class.
func (w *worlds) against(operand, constant *pgast.Node, at sight) (*worldVar, worldConstant, bool) {
	v := w.operand(operand, at)
	if v == nil || v.class == anyClass {
		return nil, worldConstant{}, false
	}
	k, ok := v.constant(constant)
	if !ok {
		return nil, worldConstant{}, false
	}
	if w.collecting {
		v.add(k)
	}
	return v, k, true
}

// compare is the comparison of an operand with constants, any of which may agree.
func (w *worlds) compare(operand *pgast.Node, op string, list []*pgast.Node, at sight) (truths, bool) {
	var v *worldVar
	var constants []worldConstant
	for _, n := range list {
		found, k, ok := w.against(operand, n, at)
		if !ok || found.class != numberClass && op != "=" && op != "<>" {
			return 0, false
		}
		v, constants = found, append(constants, k)
	}
	if v == nil {
		return 0, false
	}
	return w.here(v, func(region int) truths {
		out := isFalse
		for _, k := range constants {
			if k.null || region == 0 {
				out = isNull
				continue
			}
			order := region - v.region(k)
			holds := false
			switch op {
			case "=":
				holds = order == 0
			case "<>":
				holds = order != 0
			case "<":
				holds = order < 0
			case ">":
				holds = order > 0
			case "<=":
				holds = order <= 0
			case ">=":
				holds = order >= 0
			}
			if holds {
				return isTrue
			}
		}
		return out
	}), true
}

// here asks about the region that a variable is in.
func (w *worlds) here(v *worldVar, f func(region int) truths) truths {
	if w.collecting {
		return anyTruth
	}
	return f(v.at)
}

// whole is a condition that is not looked into: the same wherever it stands, and NULL when a column that a comparison of the
// server's own has beside it is.
func (w *worlds) whole(n *pgast.Node, at sight) truths {
	v := w.variable(n, at, &domain{class: truthClass})
	if v == nil {
		return anyTruth
	}
	t := w.here(v, func(region int) truths { return [...]truths{isNull, isTrue, isFalse}[region] })
	if e := n.GetAExpr(); e != nil && e.Kind == pgast.A_Expr_Kind_AEXPR_OP && slices.Contains([]string{"=", "<>", "<", ">", "<=", ">="}, operatorOf(e)) {
		for _, side := range []*pgast.Node{e.Lexpr, e.Rexpr} {
			if o := w.operand(side, at); side.GetColumnRef() != nil && o != nil && !w.collecting && o.at == 0 {
				return isNull
			}
		}
	}
	return t
}

// functionDomain is how the values of a function of the server are told apart.
func functionDomain(name string) *domain {
	switch name {
	case "char_length", "character_length", "length", "octet_length", "bit_length", "cardinality", "array_length", "num_nulls", "num_nonnulls":
		return &domain{class: numberClass, whole: true}
	case "lower", "upper", "btrim", "ltrim", "rtrim", "jsonb_typeof", "json_typeof":
		return &domain{class: textClass}
	}
	return &domain{}
}

// operand is the variable of an expression, nil when it is not of the row, or may be another each time.
func (w *worlds) operand(n *pgast.Node, at sight) *worldVar {
	for n.GetTypeCast() != nil && n.GetTypeCast().Arg.GetAConst() == nil {
		inner := n.GetTypeCast().Arg
		v := w.operand(inner, at)
		if v == nil || v.class != textClass || v.labels != nil || !v.keeps(n.GetTypeCast().TypeName) {
			break
		}
		n = inner
	}
	if n.GetColumnRef() != nil {
		col := w.column(n, at)
		if col == nil {
			return nil
		}
		return w.columnVar(col, at == checkAfter && w.touched(col.Num))
	}
	d := &domain{}
	if call := n.GetFuncCall(); call != nil {
		names := stringList(call.Funcname)
		if len(names) == 1 || names[0] == "pg_catalog" {
			d = functionDomain(names[len(names)-1])
		}
	}
	return w.variable(n, at, d)
}

// column is the row's column that a name in an expression denotes.
func (w *worlds) column(n *pgast.Node, at sight) *Column {
	names := stringList(n.GetColumnRef().Fields)
	// In the statement a bare name that more than one table has would be ambiguous: it is the row's if the row has it.
	if at == ofStatement && len(names) > 1 && (len(names) > 2 || names[0] != w.row.Alias) {
		return nil
	}
	return w.row.Relation.Column(names[len(names)-1])
}

// touched reports whether the statement sets a column, which of a new row it always does.
func (w *worlds) touched(column int) bool {
	_, ok := w.row.Cells[column]
	return ok || !w.row.Old
}

func columnKey(col *Column, after bool) string {
	if after {
		return "after #" + itoa(col.Num)
	}
	return "before #" + itoa(col.Num)
}

func (w *worlds) columnVar(col *Column, after bool) *worldVar {
	key := columnKey(col, after)
	if v := w.keys[key]; v != nil {
		return v
	}
	d := w.doms["#"+itoa(col.Num)]
	if d == nil {
		d = w.c.domainOf(col.Type)
		if col.Collation != "" && d.class == textClass {
			d = &domain{} // equal under it may be what differs
		}
		w.doms["#"+itoa(col.Num)] = d
	}
	return w.newVar(key, &worldVar{domain: d, column: col, after: after})
}

func (w *worlds) newVar(key string, v *worldVar) *worldVar {
	w.keys[key] = v
	w.vars = append(w.vars, v)
	return v
}

// variable is that of an expression with no subquery; one in the statement must not call functions either, for what such a one answers
// may be another each time.
func (w *worlds) variable(n *pgast.Node, at sight, d *domain) *worldVar {
	whose, fixed := true, true
	touched := false
	pgast.Walk(n, func(n *pgast.Node) bool {
		switch {
		case n.GetSubLink() != nil, n.GetFuncCall() != nil && at == ofStatement:
			fixed = false
		case n.GetColumnRef() != nil:
			col := w.column(n, at)
			whose = whose && col != nil
			touched = touched || col != nil && w.touched(col.Num)
		}
		return true
	})
	if !fixed || n.GetAConst() != nil {
		return nil
	}
	key := "before "
	switch {
	case at == checkAfter && touched:
		key = "after "
	case !whose:
		text, err := pgast.DeparseExpr(n)
		if err != nil {
			return nil
		}
		key = "statement " + text
	}
	name := ""
	if !strings.HasPrefix(key, "statement") {
		name = canonicalSQL(n)
	}
	if d.class == truthClass {
		key = "whether " + key // the same text may be looked into elsewhere
	}
	if v := w.keys[key+name]; v != nil {
		return v
	}
	dom := d
	if name != "" && d.class != truthClass {
		if known := w.doms[name]; known != nil {
			dom = known
		} else {
			w.doms[name] = d
		}
	}
	return w.newVar(key+name, &worldVar{domain: dom, after: at == checkAfter && touched})
}

// value are the regions that an expression of the statement may put a column into.
func (w *worlds) value(n *pgast.Node, v *worldVar) uint64 {
	all := v.all()
	if n == nil {
		return all
	}
	if k, ok := v.constant(n); ok {
		if w.collecting {
			v.add(k)
			return all
		}
		return 1 << v.region(k)
	}
	switch x := n.GetNode().(type) {
	case *pgast.Node_AConst:
		if x.AConst.Isnull {
			return 1
		}
		return all &^ 1
	case *pgast.Node_TypeCast:
		if k := x.TypeCast.Arg.GetAConst(); k != nil {
			if k.Isnull {
				return 1
			}
			return all &^ 1
		}
		return nullness(w.value(x.TypeCast.Arg, v), all)
	case *pgast.Node_ColumnRef:
		col := w.column(n, ofStatement)
		if col == nil || !w.row.Old {
			return all
		}
		was := w.columnVar(col, false)
		switch {
		case w.collecting:
			return all
		case was.domain == v.domain:
			return 1 << was.at
		case was.at == 0:
			return 1
		}
		return all &^ 1
	case *pgast.Node_CaseExpr:
		var out uint64
		for _, arg := range x.CaseExpr.Args {
			when := arg.GetCaseWhen()
			t := anyTruth
			if x.CaseExpr.Arg == nil {
				t = w.truth(when.Expr, ofStatement)
			}
			if result := w.value(when.Result, v); t&isTrue != 0 {
				out |= result
			}
			if t == isTrue {
				return out
			}
		}
		if x.CaseExpr.Defresult == nil {
			return out | 1
		}
		return out | w.value(x.CaseExpr.Defresult, v)
	case *pgast.Node_CoalesceExpr:
		var out uint64
		for _, arg := range x.CoalesceExpr.Args {
			m := w.value(arg, v)
			if out |= m &^ 1; m&1 == 0 {
				return out
			}
		}
		return out | 1
	case *pgast.Node_SqlvalueFunction:
		return all &^ 1
	case *pgast.Node_FuncCall:
		names := stringList(x.FuncCall.Funcname)
		if (len(names) == 1 || names[0] == "pg_catalog") && slices.Contains(neverNullCalls[:], names[len(names)-1]) {
			return all &^ 1
		}
	}
	return all
}

// neverNullCalls are functions of the server without arguments that answer something.
var neverNullCalls = [...]string{"now", "clock_timestamp", "statement_timestamp", "transaction_timestamp", "timeofday", "gen_random_uuid", "random"}

// nullness keeps of a value only whether it is NULL.
func nullness(m, all uint64) uint64 {
	out := m & 1
	if m&^1 != 0 {
		out |= all &^ 1
	}
	return out
}
