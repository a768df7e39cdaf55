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
	v, err := b.bindNode(n, s)
	if err == nil {
		err = b.failed
	}
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
		return value{}, nil
	case *pgast.Node_TypeCast:
		return b.bindCast(n.TypeCast, s)
	case *pgast.Node_AExpr:
		return b.bindAExpr(n.AExpr, s)
	case *pgast.Node_BoolExpr:
		return b.boolOf(n.BoolExpr.Args, s)
	case *pgast.Node_NullTest:
		return b.boolOf([]*pgast.Node{n.NullTest.Arg}, s)
	case *pgast.Node_BooleanTest:
		return b.boolOf([]*pgast.Node{n.BooleanTest.Arg}, s)
	case *pgast.Node_FuncCall:
		return b.bindFuncCall(n.FuncCall, s, false)
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
		return value{typ: sqlValueType(n.SqlvalueFunction)}, nil
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
		return value{}, nil
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
	v := value{constant: true}
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

// boolOf binds the operands of AND, OR, NOT, IS NULL, IS TRUE.
func (b *binder) boolOf(args []*pgast.Node, s *scope) (value, error) {
	for _, arg := range args {
		if _, err := b.bindExpr(arg, s); err != nil {
			return value{}, err
		}
	}
	return value{typ: scalar(typeBool)}, nil
}

// condition binds a WHERE, ON, HAVING or CHECK expression, which must be boolean.
func (b *binder) condition(n *pgast.Node, s *scope, what string) error {
	if n == nil {
		return nil
	}
	v, err := b.bindExpr(n, s)
	if err != nil {
		return err
	}
	if !v.typ.known() {
		return nil
	}
	if !b.c.canCoerce(v.typ, scalar(typeBool), byAssignment) {
		return errorf("42804", "argument of %s must be type boolean, not type %s", what, b.c.typeText(v.typ))
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

// coerce converts v to the type for the context, noting what that runs and needs.
func (b *binder) coerce(v value, target TypeRef, context coercionContext) value {
	if !target.known() {
		return value{constant: v.constant}
	}
	out := value{typ: target, constant: v.constant, literal: v.literal}
	if !v.typ.known() {
		return out
	}
	if v.typ.OID == typeUnknown {
		// A literal becomes a constant of the type at once, whatever its in function is like.
		if v.literal != nil {
			b.regConstant(*v.literal, target)
			if err := b.c.checkEnumLabel(*v.literal, target); err != nil && b.failed == nil {
				b.failed = err
			}
		}
		b.refType(target)
		return out
	}
	if v.typ.bare() != target.bare() {
		volatility := b.c.coercionVolatility(v.typ, target, context)
		b.noteVolatility(volatility)
		if volatility != Immutable {
			out.constant = false
		}
		if _, cast := b.c.coercion(v.typ, target, context); cast != nil && cast.Function != 0 {
			b.ref(Address{OID: cast.Function})
		} else {
			b.refType(target)
		}
	}
	return out
}

// bindCast is transformTypeCast.
func (b *binder) bindCast(n *pgast.TypeCast, s *scope) (value, error) {
	target, err := b.c.resolveType(n.TypeName)
	if err != nil {
		return value{}, err
	}
	// ARRAY[…]::t[] gives the type to the elements.
	if arr := n.Arg.GetAArrayExpr(); arr != nil && target.Array {
		all := true
		for _, e := range arr.Elements {
			v, err := b.bindExpr(e, s)
			if err != nil {
				return value{}, err
			}
			all = all && v.constant
			if e.GetAArrayExpr() == nil {
				b.coerce(v, target.element(), explicitly)
			}
		}
		b.refType(target)
		return value{typ: target, constant: all}, nil
	}
	v, err := b.bindExpr(n.Arg, s)
	if err != nil {
		return value{}, err
	}
	if !b.c.canCoerce(v.typ, target, explicitly) && !b.rowCoerces(v, target) {
		return value{}, errorf("42846", "cannot cast type %s to %s", b.c.typeText(v.typ), b.c.typeText(target))
	}
	out := b.coerce(v, target, explicitly)
	if c := b.c.typeByOID(target.OID); c == nil || c.collatable || target.Array {
		out.collation = v.collation
	}
	return out, nil
}

func (b *binder) rowCoerces(v value, target TypeRef) bool {
	return v.typ.OID == typeRecord && !v.typ.Array && b.c.compositeOf(target) != nil
}

// regConstant notes the object that a constant of a reg… type names (find_expr_references_walker, case Const).
func (b *binder) regConstant(text string, target TypeRef) {
	if target.Array {
		return
	}
	switch target.OID {
	case typeRegclass:
		schema, name, ok := splitQualified(text)
		if !ok {
			return
		}
		if r := b.c.Relation(schema, name); r != nil {
			b.ref(Address{OID: r.OID})
		} else if b.c.builtinRelation(schema, name) == nil {
			b.unknown = b.unknown || b.c.Open
		}
	case 2206: // regtype
		schema, name, ok := splitQualified(text)
		if t, found := b.c.lookupType(schema, name); ok && found {
			b.refType(t)
		}
	case typeRegproc:
		schema, name, ok := splitQualified(text)
		if list := b.c.functionsNamed(schema, name); ok && len(list) == 1 {
			b.ref(Address{OID: list[0].OID})
		}
	case 4089: // regnamespace
		if s := b.c.SchemaNamed(text); s != nil {
			b.ref(Address{OID: s.OID})
		}
	}
}

// checkEnumLabel is enum_in (src/backend/utils/adt/enum.c): the label must exist, and must not be one that ALTER TYPE …
// ADD VALUE added in the transaction that is still open.
func (c *Catalog) checkEnumLabel(label string, target TypeRef) error {
	base := c.baseType(target)
	t := c.typeByOID(base.OID)
	if t == nil || base.Array || t.Kind != EnumType || t.Assumed {
		return nil
	}
	if !slices.Contains(t.Labels, label) {
		return errorf("22P02", "invalid input value for enum %s: %s", c.typeText(base), quoteMessage(label))
	}
	if !slices.Contains(t.added, label) || !c.InTransaction() {
		return nil
	}
	before, existed := c.tx[0].State.Get(t.OID).(*Type)
	if !existed && c.Version >= 17 {
		return nil // since 17 the values of a type that is new itself may be used
	}
	if !existed || !slices.Contains(before.Labels, label) {
		return &Error{
			Code: "55P04", Message: "unsafe use of new value " + quoteMessage(label) + " of enum type " + c.typeText(base),
			Hint: "New enum values must be committed before they can be used.",
		}
	}
	return nil
}

// checkRegclass is regclassin: the relation that a literal names must exist.
func (b *binder) checkRegclass(text string) error {
	if text == "" || text == "-" || text[0] >= '0' && text[0] <= '9' {
		return nil
	}
	schema, name, ok := splitQualified(text)
	if !ok {
		return errorf("42602", "invalid name syntax")
	}
	if b.c.Relation(schema, name) != nil || b.c.builtinRelation(schema, name) != nil {
		return nil
	}
	if schema != "" && b.c.SchemaNamed(schema) == nil && !b.c.Open {
		return errorf("3F000", "schema %s does not exist", quoteMessage(schema))
	}
	if b.c.assumeRelation(&pgast.RangeVar{Schemaname: schema, Relname: name}, Sequence) != nil {
		b.unknown = true
		return nil
	}
	if schema != "" {
		name = schema + "." + name
	}
	return &Error{Code: "42P01", Message: "relation " + quoteMessage(name) + " does not exist", Object: Name{schema, name}}
}

func (b *binder) bindCase(n *pgast.CaseExpr, s *scope) (value, error) {
	var test value
	var err error
	if n.Arg != nil {
		if test, err = b.bindExpr(n.Arg, s); err != nil {
			return value{}, err
		}
		if test.typ.OID == typeUnknown {
			test.typ = scalar(typeText)
		}
	}
	var results []value
	// The default comes first, as in transformCaseExpr; it decides ties.
	if n.Defresult != nil {
		v, err := b.bindExpr(n.Defresult, s)
		if err != nil {
			return value{}, err
		}
		results = append(results, v)
	} else {
		results = append(results, value{typ: scalar(typeUnknown)})
	}
	for _, arg := range n.Args {
		w := arg.GetCaseWhen()
		v, err := b.bindExpr(w.Expr, s)
		if err != nil {
			return value{}, err
		}
		if n.Arg != nil {
			if _, err := b.operator("", "=", test, v); err != nil {
				return value{}, err
			}
		} else if v.typ.known() && !b.c.canCoerce(v.typ, scalar(typeBool), byAssignment) {
			return value{}, errorf("42804", "argument of CASE/WHEN must be type boolean, not type %s", b.c.typeText(v.typ))
		}
		if v, err = b.bindExpr(w.Result, s); err != nil {
			return value{}, err
		}
		results = append(results, v)
	}
	return b.unify(results, "CASE")
}

// common binds COALESCE, GREATEST, LEAST.
func (b *binder) common(args []*pgast.Node, s *scope, what string) (value, error) {
	values, err := b.bindAll(args, s)
	if err != nil {
		return value{}, err
	}
	return b.unify(values, what)
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
	if out.typ.known() {
		out.typ.Array = true
	}
	return out, nil
}

// bindRow is ROW(…): t.* inside is expanded.
func (b *binder) bindRow(args []*pgast.Node, s *scope) (value, error) {
	v := value{typ: scalar(typeRecord)}
	values, err := b.bindList(args, s)
	if err != nil {
		return value{}, err
	}
	for i, f := range values {
		v.fields = append(v.fields, boundColumn{name: "f" + strconv.Itoa(i+1), typ: f.typ, collation: f.collation})
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
	if v.typ.OID == typeUnknown {
		v = b.coerce(v, scalar(typeText), implicitly)
	}
	if ty := b.c.typeByOID(b.c.baseType(v.typ).OID); ty != nil && !ty.collatable && !ty.Assumed && !v.typ.Array {
		return value{}, errorf("42804", "collations are not supported by type %s", b.c.typeText(v.typ))
	}
	v.collation, v.explicit, v.columns = collation, true, nil
	return v, nil
}

// bindIndirection is transformIndirection: subscripts and fields.
func (b *binder) bindIndirection(n *pgast.A_Indirection, s *scope) (value, error) {
	v, err := b.bindExpr(n.Arg, s)
	if err != nil {
		return value{}, err
	}
	subscripts, slice := 0, false
	apply := func() error {
		if subscripts == 0 {
			return nil
		}
		v, err = b.subscript(v, slice)
		subscripts, slice = 0, false
		return err
	}
	for _, ind := range n.Indirection {
		switch ind := ind.Node.(type) {
		case *pgast.Node_AIndices:
			for _, idx := range []*pgast.Node{ind.AIndices.Lidx, ind.AIndices.Uidx} {
				if _, err := b.bindExpr(idx, s); err != nil {
					return value{}, err
				}
			}
			subscripts++
			slice = slice || ind.AIndices.IsSlice
		case *pgast.Node_String_:
			if err := apply(); err != nil {
				return value{}, err
			}
			if v, err = b.field(v, ind.String_.Sval); err != nil {
				return value{}, err
			}
		}
	}
	return v, apply()
}

func (b *binder) subscript(v value, slice bool) (value, error) {
	if !v.typ.known() {
		return value{}, nil
	}
	t := b.c.baseType(v.typ)
	if t.Array {
		if t.Mod == -1 && v.typ.Mod != -1 {
			t.Mod = v.typ.Mod
		}
		if slice {
			return value{typ: t, collation: v.collation}, nil
		}
		return value{typ: t.element(), collation: v.collation}, nil
	}
	switch ty := b.c.typeByOID(t.OID); {
	case t.OID == 3802: // jsonb
		return value{typ: t}, nil
	case ty != nil && ty.element.known():
		return value{typ: ty.element}, nil
	case ty != nil && (ty.Assumed || ty.OID >= FirstUserOID && ty.Kind == BaseType):
		return value{}, nil
	}
	return value{}, errorf("42804", "cannot subscript type %s because it does not support subscripting", b.c.typeText(v.typ))
}

// field is (v).name.
func (b *binder) field(v value, name string) (value, error) {
	for _, f := range v.fields {
		if f.name == name {
			return value{typ: f.typ, collation: f.collation}, nil
		}
	}
	if rel := b.c.compositeOf(v.typ); rel != nil {
		if col := rel.Column(name); col != nil {
			b.ref(Address{rel.OID, col.Num})
			return value{typ: col.Type, collation: col.Collation}, nil
		}
		if !rel.Assumed {
			for _, f := range b.c.functionsNamed("", name) {
				if in := f.inputs(); len(in) == 1 && in[0].Type.OID == v.typ.OID {
					b.ref(Address{OID: f.OID})
					return value{typ: f.Returns}, nil
				}
			}
			return value{}, errorf("42703", "column %s not found in data type %s", quoteMessage(name), b.c.typeText(v.typ))
		}
	}
	if v.typ.known() && v.typ.OID != typeRecord && !b.c.assumedType(v.typ) && b.c.compositeOf(v.typ) == nil {
		return value{}, errorf("42809", "column notation .%s applied to type %s, which is not a composite type", name, b.c.typeText(v.typ))
	}
	if v.typ.OID == typeRecord && v.fields != nil {
		return value{}, errorf("42703", "could not identify column %s in record data type", quoteMessage(name))
	}
	b.unknown = true
	return value{}, nil
}

// bindSubLink is transformSubLink.
func (b *binder) bindSubLink(n *pgast.SubLink, s *scope) (value, error) {
	b.subqueries++
	q, err := b.bindQuery(n.Subselect, s)
	if err != nil {
		return value{}, err
	}
	switch n.SubLinkType {
	case pgast.SubLinkType_EXISTS_SUBLINK:
		return value{typ: scalar(typeBool)}, nil
	case pgast.SubLinkType_EXPR_SUBLINK, pgast.SubLinkType_ARRAY_SUBLINK:
		if q.open {
			return value{}, nil
		}
		if len(q.cols) != 1 {
			return value{}, errorf("42601", "subquery must return only one column")
		}
		b.sublinkNames[n] = q.cols[0].name
		v := value{typ: q.cols[0].typ, collation: q.cols[0].collation}
		if n.SubLinkType == pgast.SubLinkType_ARRAY_SUBLINK && v.typ.known() {
			v.typ.Array = true
		}
		return v, nil
	case pgast.SubLinkType_ANY_SUBLINK, pgast.SubLinkType_ALL_SUBLINK, pgast.SubLinkType_ROWCOMPARE_SUBLINK:
		op := "="
		schema := ""
		if names := stringList(n.OperName); len(names) > 0 {
			op = names[len(names)-1]
			if len(names) > 1 {
				schema = names[len(names)-2]
			}
		}
		left := []*pgast.Node{n.Testexpr}
		if row := n.Testexpr.GetRowExpr(); row != nil {
			left = row.Args
		}
		values, err := b.bindAll(left, s)
		if err != nil {
			return value{}, err
		}
		if !q.open && len(q.cols) < len(values) {
			return value{}, errorf("42601", "subquery has too few columns")
		}
		if !q.open && len(q.cols) > len(values) && len(values) > 0 {
			return value{}, errorf("42601", "subquery has too many columns")
		}
		for i, v := range values {
			if i >= len(q.cols) {
				break
			}
			if _, err := b.operator(schema, op, v, value{typ: q.cols[i].typ}); err != nil {
				return value{}, err
			}
		}
		return value{typ: scalar(typeBool)}, nil
	}
	return value{}, nil
}

// sqlValueType is the type of CURRENT_DATE and its like (transformSQLValueFunction).
func sqlValueType(n *pgast.SQLValueFunction) TypeRef {
	mod := n.Typmod
	switch n.Op {
	case pgast.SQLValueFunctionOp_SVFOP_CURRENT_DATE:
		return scalar(typeDate)
	case pgast.SQLValueFunctionOp_SVFOP_CURRENT_TIME:
		return scalar(typeTimetz)
	case pgast.SQLValueFunctionOp_SVFOP_CURRENT_TIME_N:
		return TypeRef{OID: typeTimetz, Mod: mod}
	case pgast.SQLValueFunctionOp_SVFOP_CURRENT_TIMESTAMP:
		return scalar(typeTimestamptz)
	case pgast.SQLValueFunctionOp_SVFOP_CURRENT_TIMESTAMP_N:
		return TypeRef{OID: typeTimestamptz, Mod: mod}
	case pgast.SQLValueFunctionOp_SVFOP_LOCALTIME:
		return scalar(typeTime)
	case pgast.SQLValueFunctionOp_SVFOP_LOCALTIME_N:
		return TypeRef{OID: typeTime, Mod: mod}
	case pgast.SQLValueFunctionOp_SVFOP_LOCALTIMESTAMP:
		return scalar(typeTimestamp)
	case pgast.SQLValueFunctionOp_SVFOP_LOCALTIMESTAMP_N:
		return TypeRef{OID: typeTimestamp, Mod: mod}
	}
	return scalar(typeName) // CURRENT_USER, CURRENT_CATALOG, CURRENT_SCHEMA, …
}

func (b *binder) bindXML(n *pgast.XmlExpr, s *scope) (value, error) {
	for _, list := range [][]*pgast.Node{n.NamedArgs, n.Args} {
		if _, err := b.bindAll(list, s); err != nil {
			return value{}, err
		}
	}
	if n.Op == pgast.XmlExprOp_IS_DOCUMENT {
		return value{typ: scalar(typeBool)}, nil
	}
	if n.Op == pgast.XmlExprOp_IS_XMLPARSE {
		b.noteVolatility(Stable)
	}
	return value{typ: scalar(typeXML)}, nil
}
