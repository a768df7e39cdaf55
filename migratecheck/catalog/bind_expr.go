package catalog

import (
	"slices"
	"strconv"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// bindExpr is transformExpr: names, types and dependencies of an expression.
func (b *binder) bindExpr(n *pgast.Node, s *scope) (value, error) {
	if n == nil || n.Node == nil {
		return value{}, nil
	}
	if err := b.enter(); err != nil {
		return value{}, err
	}
	defer b.leave()
	at := b.at
	b.at = locationOf(n, at)
	v, err := b.bindNode(n, s)
	if err == nil {
		err = b.failed
	}
	if err != nil {
		if err = b.goOn(locate(err, b.at)); err == nil {
			v = value{}
		}
	}
	v.at = b.at + 1
	if v.constant || b.operands != nil {
		v.node = n
	}
	b.at = at
	return v, err
}

func (b *binder) bindNode(n *pgast.Node, s *scope) (value, error) {
	switch n := n.Node.(type) {
	case *pgast.Node_AConst:
		return constant(n.AConst), nil
	case *pgast.Node_ColumnRef:
		return b.bindColumnRef(n.ColumnRef, s)
	case *pgast.Node_ParamRef:
		if i := int(n.ParamRef.Number); i >= 1 && i <= len(b.params) {
			return value{typ: b.params[i-1].typ}, nil
		}
		if b.body {
			return value{}, errorf("42P02", "there is no parameter $%d", n.ParamRef.Number)
		}
		return b.parameter(int(n.ParamRef.Number))
	case *pgast.Node_TypeCast:
		return b.bindCast(n.TypeCast, s)
	case *pgast.Node_AExpr:
		return b.bindAExpr(n.AExpr, s)
	case *pgast.Node_BoolExpr:
		if n.BoolExpr.Boolop == pgast.BoolExprType_NOT_EXPR {
			if sub := n.BoolExpr.Args[0].GetSubLink(); sub.GetSubLinkType() == pgast.SubLinkType_ANY_SUBLINK {
				b.negated = sub
			}
		}
		return b.boolOf(n.BoolExpr.Args, s, boolWord(n.BoolExpr.Boolop))
	case *pgast.Node_NullTest:
		v, err := b.bindExpr(n.NullTest.Arg, s)
		b.indeterminate(v)
		return value{typ: scalar(typeBool), notNull: true}, err
	case *pgast.Node_BooleanTest:
		_, err := b.boolOf([]*pgast.Node{n.BooleanTest.Arg}, s, "IS "+booleanTestWord(n.BooleanTest.Booltesttype))
		return value{typ: scalar(typeBool), notNull: true}, err
	case *pgast.Node_FuncCall:
		v, _, err := b.call(n.FuncCall, s)
		return v, err
	case *pgast.Node_SubLink:
		return b.bindSubLink(n.SubLink, s)
	case *pgast.Node_CaseExpr:
		return b.bindCase(n.CaseExpr, s)
	case *pgast.Node_CoalesceExpr:
		return b.common(n.CoalesceExpr.Args, s, "COALESCE")
	case *pgast.Node_MinMaxExpr:
		name := "GREATEST"
		if n.MinMaxExpr.Op == pgast.MinMaxOp_IS_LEAST {
			name = "LEAST"
		}
		return b.common(n.MinMaxExpr.Args, s, name)
	case *pgast.Node_AArrayExpr:
		return b.bindArray(n.AArrayExpr, s)
	case *pgast.Node_RowExpr:
		return b.bindRow(n.RowExpr.Args, s)
	case *pgast.Node_List: // a row in an IN list
		return b.bindRow(n.List.Items, s)
	case *pgast.Node_CollateClause:
		return b.bindCollate(n.CollateClause, s)
	case *pgast.Node_AIndirection:
		return b.bindIndirection(n.AIndirection, s)
	case *pgast.Node_SqlvalueFunction:
		b.noteVolatility(Stable)
		return value{typ: sqlValueType(n.SqlvalueFunction), notNull: true}, nil
	case *pgast.Node_GroupingFunc:
		for _, arg := range n.GroupingFunc.Args {
			if _, err := b.bindExpr(arg, s); err != nil {
				return value{}, err
			}
		}
		return value{typ: scalar(typeInt4)}, nil
	case *pgast.Node_NamedArgExpr:
		return b.bindExpr(n.NamedArgExpr.Arg, s)
	case *pgast.Node_XmlExpr:
		return b.bindXML(n.XmlExpr, s)
	case *pgast.Node_XmlSerialize:
		if _, err := b.bindExpr(n.XmlSerialize.Expr, s); err != nil {
			return value{}, err
		}
		t, err := b.c.resolveType(n.XmlSerialize.TypeName)
		return value{typ: t}, err
	case *pgast.Node_SetToDefault:
		return value{isDefault: true}, nil
	case *pgast.Node_CurrentOfExpr:
		return value{typ: scalar(typeBool)}, nil
	case *pgast.Node_ResTarget:
		return b.bindExpr(n.ResTarget.Val, s)
	case *pgast.Node_MultiAssignRef:
		if n.MultiAssignRef.Colno > 1 {
			return value{}, nil
		}
		return b.bindExpr(n.MultiAssignRef.Source, s)
	}
	return b.bindJSON(n, s)
}

// constant is make_const.
func constant(k *pgast.A_Const) value {
	v := value{constant: true, notNull: !k.Isnull, null: k.Isnull}
	if k.Isnull {
		v.typ = scalar(typeUnknown)
		return v
	}
	switch k := k.Val.(type) {
	case *pgast.A_Const_Ival:
		v.typ = scalar(typeInt4)
	case *pgast.A_Const_Fval:
		v.typ = scalar(typeNumeric)
		if _, err := strconv.ParseInt(k.Fval.Fval, 10, 64); err == nil {
			v.typ = scalar(typeInt8)
		}
	case *pgast.A_Const_Boolval:
		v.typ = scalar(typeBool)
	case *pgast.A_Const_Bsval:
		v.typ = scalar(typeBit)
	case *pgast.A_Const_Sval:
		v.typ = scalar(typeUnknown)
		v.literal = &k.Sval.Sval
	default:
		v.typ = scalar(typeUnknown)
	}
	return v
}

// boolOf binds the operands of AND, OR, NOT, IS TRUE, which must be boolean.
func (b *binder) boolOf(args []*pgast.Node, s *scope, what string) (value, error) {
	out := value{typ: scalar(typeBool), notNull: true}
	for _, arg := range args {
		v, err := b.bindExpr(arg, s)
		if err != nil {
			return value{}, err
		}
		if err := b.mustBe(v, typeBool, what); err != nil {
			return value{}, locate(err, locationOf(arg, b.at))
		}
		out.notNull, out.mayNull = out.notNull && v.notNull, out.mayNull || v.mayNull
	}
	return out, nil
}

// mustBe is coerce_to_boolean and coerce_to_specific_type: v stands where only the type goes.
func (b *binder) mustBe(v value, oid OID, what string) error {
	if !v.typ.known() {
		return nil
	}
	if !b.c.canCoerce(v.typ, scalar(oid), byAssignment) {
		return errorf("42804", "argument of %s must be type %s, not type %s", what, b.c.typeText(scalar(oid)), b.c.typeText(v.typ))
	}
	b.coerce(v, scalar(oid), byAssignment)
	return b.failed
}

func boolWord(op pgast.BoolExprType) string {
	switch op {
	case pgast.BoolExprType_OR_EXPR:
		return "OR"
	case pgast.BoolExprType_NOT_EXPR:
		return "NOT"
	}
	return "AND"
}

func booleanTestWord(t pgast.BoolTestType) string {
	switch t {
	case pgast.BoolTestType_IS_NOT_TRUE:
		return "NOT TRUE"
	case pgast.BoolTestType_IS_FALSE:
		return "FALSE"
	case pgast.BoolTestType_IS_NOT_FALSE:
		return "NOT FALSE"
	case pgast.BoolTestType_IS_UNKNOWN:
		return "UNKNOWN"
	case pgast.BoolTestType_IS_NOT_UNKNOWN:
		return "NOT UNKNOWN"
	}
	return "TRUE"
}

// condition binds a WHERE, ON, HAVING or CHECK expression, which must be boolean.
func (b *binder) condition(n *pgast.Node, s *scope, what string) error {
	if n == nil {
		return nil
	}
	aggregates := b.aggregates
	v, err := b.bindExpr(n, s)
	if err != nil {
		return err
	}
	if b.aggregates > aggregates && (what == "WHERE" || what == "JOIN/ON") {
		if what == "JOIN/ON" {
			what = "JOIN conditions"
		}
		return locate(errorf("42803", "aggregate functions are not allowed in %s", what), locationOf(n, b.at))
	}
	if err := b.mustBe(v, typeBool, what); err != nil {
		return locate(err, locationOf(n, b.at))
	}
	return nil
}

// bindAll binds a list of expressions.
func (b *binder) bindAll(nodes []*pgast.Node, s *scope) ([]value, error) {
	list := make([]value, 0, len(nodes))
	for _, n := range nodes {
		v, err := b.bindExpr(n, s)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, nil
}

// bindList is bindAll where t.* stands for all columns: VALUES (t.*), ROW(t.*) (transformExpressionList).
func (b *binder) bindList(nodes []*pgast.Node, s *scope) ([]value, error) {
	list := make([]value, 0, len(nodes))
	for _, n := range nodes {
		cols, _, star, err := b.star(n, s)
		if err != nil {
			return nil, err
		}
		for i := range cols {
			list = append(list, b.column(&cols[i]))
		}
		if star {
			continue
		}
		v, err := b.bindExpr(n, s)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, nil
}

func (b *binder) bindCase(n *pgast.CaseExpr, s *scope) (value, error) {
	var test value
	var err error
	if n.Arg != nil {
		if test, err = b.bindExpr(n.Arg, s); err != nil {
			return value{}, err
		}
		if test.typ.OID == typeUnknown {
			test = b.coerce(test, scalar(typeText), implicitly)
		}
	}
	// The default comes first, as in transformCaseExpr; it decides ties. Each result is what the conditions before it leave, and its
	// own lets through.
	results := []value{{typ: scalar(typeUnknown), null: true}}
	if n.Defresult != nil {
		leave := b.among(func() {
			for _, arg := range n.Args {
				b.notNullCase(n, arg, s, false)
			}
		})
		v, err := b.bindExpr(n.Defresult, s)
		leave()
		if err != nil {
			return value{}, err
		}
		results[0] = v
	}
	for i, arg := range n.Args {
		w := arg.GetCaseWhen()
		v, err := b.bindExpr(w.Expr, s)
		if err != nil {
			return value{}, err
		}
		if n.Arg != nil {
			if _, err := b.operator("", "=", test, v); err != nil {
				return value{}, err
			}
		} else if err := b.mustBe(v, typeBool, "CASE/WHEN"); err != nil {
			return value{}, err
		}
		leave := b.among(func() {
			for _, earlier := range n.Args[:i] {
				b.notNullCase(n, earlier, s, false)
			}
			b.notNullCase(n, arg, s, true)
		})
		v, err = b.bindExpr(w.Result, s)
		leave()
		if err != nil {
			return value{}, err
		}
		results = append(results, v)
	}
	out, err := b.unify(results, "CASE")
	out.notNull = allNotNull(results...)
	out.mayNull = slices.ContainsFunc(results, func(v value) bool { return v.mayNull || v.null })
	out.full = allFull(results)
	return out, err
}

// common binds COALESCE, GREATEST, LEAST.
func (b *binder) common(args []*pgast.Node, s *scope, what string) (value, error) {
	values, err := b.bindAll(args, s)
	if err != nil {
		return value{}, err
	}
	out, err := b.unify(values, what)
	// They answer NULL when all arguments are.
	out.notNull = slices.ContainsFunc(values, func(v value) bool { return v.notNull })
	out.mayNull = !slices.ContainsFunc(values, func(v value) bool { return !v.mayNull && !v.null })
	out.full = allFull(values)
	return out, err
}

// unify converts the values to their common type.
func (b *binder) unify(values []value, what string) (value, error) {
	types := make([]TypeRef, len(values))
	for i, v := range values {
		types[i] = v.typ
	}
	t, ok := b.c.commonType(types)
	if !ok {
		for _, v := range values {
			if v.typ.OID != typeUnknown && !b.c.canCoerce(v.typ, t, implicitly) {
				return value{}, errorf("42804", "%s types %s and %s cannot be matched", what, b.c.typeText(t), b.c.typeText(v.typ))
			}
		}
	}
	for _, v := range values {
		b.coerce(v, t, implicitly)
	}
	out := value{typ: t}
	for _, v := range values {
		if t.known() && b.c.isText(t) {
			out.held = holding(out.held, v.held)
		}
	}
	if t.known() && commonMod(values, t) != t.Mod {
		out.typ.Mod = -1
	}
	out.collation, out.explicit = b.collationOf(values, out.typ)
	return out, nil
}

// commonMod is the modifier that all values of the type share, -1 when they differ (select_common_typmod).
func commonMod(values []value, t TypeRef) int32 {
	mod, first := int32(-1), true
	for _, v := range values {
		switch {
		case v.typ.OID == typeUnknown && v.literal == nil && v.constant:
			continue // NULL
		case v.typ.bare() != t.bare():
			return -1
		case first:
			mod, first = v.typ.Mod, false
		case mod != v.typ.Mod:
			return -1
		}
	}
	return mod
}

// collationOf combines the collations of operands (src/backend/parser/parse_collate.c): an explicit one wins; different
// implicit ones leave it open.
func (b *binder) collationOf(values []value, result TypeRef) (string, bool) {
	ty := b.c.typeByOID(result.OID)
	if ty != nil && !ty.collatable && ty.Kind == BaseType || b.c.kindOf(result) == EnumType {
		return "", false
	}
	collation, first := "", true
	for _, v := range values {
		if v.explicit {
			return v.collation, true
		}
		vt := b.c.typeByOID(v.typ.OID)
		if v.constant || vt == nil || !vt.collatable && vt.Kind == BaseType {
			continue
		}
		switch {
		case first || collation == "":
			collation, first = v.collation, false
		case v.collation != "" && v.collation != collation:
			return "", false
		}
	}
	return collation, false
}

func (b *binder) bindArray(n *pgast.A_ArrayExpr, s *scope) (value, error) {
	values, err := b.bindAll(n.Elements, s)
	if err != nil {
		return value{}, err
	}
	if len(values) == 0 {
		return value{}, errorf("42P18", "cannot determine type of empty array")
	}
	all := true
	for _, v := range values {
		all = all && v.constant
	}
	out, err := b.unify(values, "ARRAY")
	if err != nil {
		return value{}, err
	}
	out.constant = all
	out.notNull, out.full = true, allNotNull(values...)
	if out.typ.known() {
		out.typ.Array = true
	}
	return out, nil
}

// bindRow is ROW(…): t.* inside is expanded.
func (b *binder) bindRow(args []*pgast.Node, s *scope) (value, error) {
	v := value{typ: scalar(typeRecord), notNull: true}
	values, err := b.bindList(args, s)
	if err != nil {
		return value{}, err
	}
	for i, f := range values {
		f.columns, f.id = nil, 0
		v.fields = append(v.fields, columnOfValue("f"+strconv.Itoa(i+1), f))
	}
	return v, nil
}

func (b *binder) bindCollate(n *pgast.CollateClause, s *scope) (value, error) {
	v, err := b.bindExpr(n.Arg, s)
	if err != nil {
		return value{}, err
	}
	names := stringList(n.Collname)
	collation, oid, err := b.c.resolveCollation(names)
	if err != nil {
		return value{}, err
	}
	b.ref(Address{OID: oid})
	if v.typ.OID == typeUnknown && v.param == 0 {
		v = b.coerce(v, scalar(typeText), implicitly)
	}
	if ty := b.c.typeByOID(b.c.baseType(v.typ).OID); ty != nil && !ty.collatable && !ty.Assumed && !v.typ.Array && ty.OID != typeUnknown {
		return value{}, errorf("42804", "collations are not supported by type %s", b.c.typeText(v.typ))
	}
	v.collation, v.explicit, v.columns = collation, true, nil
	return v, nil
}
