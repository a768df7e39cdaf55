package catalog

import "git.sr.ht/~sourcehut/ha-go/internal/pgast"

// bindIndirection is transformIndirection: subscripts and fields.
func (b *binder) bindIndirection(n *pgast.A_Indirection, s *scope) (value, error) {
	v, err := b.bindExpr(n.Arg, s)
	if err != nil {
		return value{}, err
	}
	return b.indirect(v, n, s)
}

// indirect takes the part of v that the subscripts and fields name.
func (b *binder) indirect(v value, n *pgast.A_Indirection, s *scope) (value, error) {
	var err error
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
				i, err := b.bindExpr(idx, s)
				if err != nil {
					return value{}, err
				}
				switch base := b.c.baseType(v.typ); {
				case idx == nil:
				case base.OID == typeJSONB && !base.Array:
					if i.typ.OID == typeUnknown {
						b.coerce(i, scalar(typeText), implicitly)
					}
				case v.typ.known():
					b.coerce(i, scalar(typeInt4), byAssignment)
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
			return value{}, &Error{Code: "42703", Message: "column " + quoteMessage(name) + " not found in data type " + b.c.typeText(v.typ), Object: b.c.nameOf(rel), Column: name}
		}
	}
	if v.typ.known() && v.typ.OID != typeRecord && !b.c.assumedType(v.typ) && b.c.compositeOf(v.typ) == nil {
		return value{}, errorf("42809", "column notation .%s applied to type %s, which is not a composite type", name, b.c.typeText(v.typ))
	}
	if v.typ.OID == typeRecord && v.fields != nil {
		return value{}, &Error{Code: "42703", Message: "could not identify column " + quoteMessage(name) + " in record data type", Column: name}
	}
	b.unsure("the field %s of a row", quoteMessage(name))
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
		return value{typ: scalar(typeBool), notNull: true}, nil
	case pgast.SubLinkType_EXPR_SUBLINK, pgast.SubLinkType_ARRAY_SUBLINK:
		if q.open {
			return value{}, nil
		}
		if len(q.cols) != 1 {
			return value{}, errorf("42601", "subquery must return only one column")
		}
		b.sublinkNames[n] = q.cols[0].name
		v := value{typ: q.cols[0].typ, collation: q.cols[0].collation, mayNull: !q.answers || q.cols[0].mayNull || q.cols[0].null}
		if n.SubLinkType == pgast.SubLinkType_ARRAY_SUBLINK && v.typ.known() {
			v.typ.Array = true
			v.notNull, v.mayNull, v.full = true, false, q.cols[0].notNull
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
			if _, err := b.operator(schema, op, v, q.cols[i].value()); err != nil {
				return value{}, err
			}
		}
		if b.ask != nil && !q.open && len(values) == 1 && len(q.cols) == 1 && (n == b.negated || n.SubLinkType == pgast.SubLinkType_ALL_SUBLINK && op == "<>") {
			b.ask.notIn = append(b.ask.notIn, NotIn{Offset: int(max(n.Location, 0)), NotNull: q.cols[0].notNull})
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
