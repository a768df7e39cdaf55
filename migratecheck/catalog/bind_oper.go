package catalog

import (
	"slices"
	"strconv"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

func itoa(n int) string { return strconv.Itoa(n) }

// foundOperator is an operator with the OID of the catalog's own object, 0 for the server's.
type foundOperator struct {
	*Operator
	oid OID
}

// operatorsNamed lists the operators of a name along the search path, those with one operand or those with two. Do not
// change the list.
func (c *Catalog) operatorsNamed(schema, name string, prefix bool) []foundOperator {
	var list []foundOperator
	for _, s := range c.path(schema) {
		if s == pgCatalogOID {
			if known := loadOperators()[operatorKey{name, prefix}]; list == nil {
				list = slices.Clip(known)
			} else {
				list = append(list, known...)
			}
		}
		c.names.beginning(nameKey(inOthers, s, "operator\x00"+name+"("), func(_ string, oid OID) bool {
			if o, ok := c.Get(oid).(*Other); ok && o.operator != nil && o.operator.Left.known() != prefix && !o.operator.shell {
				list = append(list, foundOperator{o.operator, oid})
			}
			return true
		})
	}
	return list
}

// resolveOperator is oper() and left_oper() (src/backend/parser/parse_oper.c). left is zero for a prefix operator when
// prefix is set.
func (c *Catalog) resolveOperator(schema, name string, prefix bool, left, right TypeRef) (foundOperator, []foundOperator, callKind) {
	all := c.operatorsNamed(schema, name, prefix)
	actual := []TypeRef{left.bare(), right.bare()}
	if prefix {
		actual = actual[1:]
	}
	argsOf := func(o foundOperator) []TypeRef {
		if prefix {
			return []TypeRef{o.Right}
		}
		return []TypeRef{o.Left, o.Right}
	}
	exact := func(args []TypeRef) (foundOperator, bool) {
		for _, o := range all {
			if sameTypes(argsOf(o), args) {
				return o, true
			}
		}
		return foundOperator{}, false
	}
	if o, ok := exact(actual); ok {
		return o, all, callFunction
	}
	// An unknown literal is first tried as the other operand's type, domains as their base types.
	if !prefix && actual[0].known() && actual[1].known() {
		try := slices.Clone(actual)
		switch {
		case try[0].OID == typeUnknown && try[1].OID != typeUnknown:
			try[0] = try[1]
		case try[1].OID == typeUnknown && try[0].OID != typeUnknown:
			try[1] = try[0]
		}
		if o, ok := exact(try); ok {
			return o, all, callFunction
		}
		for i := range try {
			try[i] = c.baseType(try[i]).bare()
		}
		if try[0] == try[1] {
			if o, ok := exact(try); ok {
				return o, all, callFunction
			}
		}
	}
	var fit []candidate
	index := map[*Func]foundOperator{}
	for _, o := range all {
		args := argsOf(o)
		ok := true
		for i, t := range args {
			ok = ok && c.canCoerce(actual[i], t, implicitly)
		}
		if ok && c.polymorphismFits(args, actual) {
			f := &Func{Returns: o.Result} // a stand-in: bestCandidate only compares arguments
			index[f] = o
			fit = append(fit, candidate{f: f, args: args})
		}
	}
	switch {
	case len(fit) == 0:
		return foundOperator{}, all, callMissing
	case len(fit) == 1:
		return index[fit[0].f], all, callFunction
	case slices.ContainsFunc(actual, func(t TypeRef) bool { return !t.known() }):
		some := make([]foundOperator, len(fit))
		for i, cand := range fit {
			some[i] = index[cand.f]
		}
		return foundOperator{}, some, callUnsure
	}
	if best, ok := c.bestCandidate(fit, actual); ok {
		return index[best.f], all, callFunction
	}
	return foundOperator{}, all, callAmbiguous
}

// operator binds left op right and notes what it needs.
func (b *binder) operator(schema, name string, left, right value) (value, error) {
	return b.applyOperator(schema, name, false, left, right)
}

func (b *binder) applyOperator(schema, name string, prefix bool, left, right value) (value, error) {
	// record = record compares field by field.
	if left.typ.OID == typeRecord && right.typ.OID == typeRecord && len(left.fields) > 0 && len(left.fields) == len(right.fields) && !prefix {
		for i := range left.fields {
			if _, err := b.operator(schema, name, left.fields[i].value(), right.fields[i].value()); err != nil {
				return value{}, err
			}
		}
		return value{typ: scalar(typeBool)}, nil
	}
	v, _, err := b.findOperator(schema, name, prefix, left, right)
	return v, err
}

// findOperator is applyOperator for operands that are no rows, and tells the operator, nil when it is not certain.
func (b *binder) findOperator(schema, name string, prefix bool, left, right value) (value, *Operator, error) {
	if !prefix {
		b.compared(name, left, right)
	}
	o, some, kind := b.c.resolveOperator(schema, name, prefix, left.typ, right.typ)
	switch kind {
	case callMissing:
		if b.c.assumedType(left.typ) || b.c.assumedType(right.typ) || b.c.hasUnknownExtension() || b.c.Open && len(b.c.operatorsNamed("", name, true))+len(b.c.operatorsNamed("", name, false)) == 0 {
			b.unsure("which operator %s is", name)
			return value{}, nil, nil
		}
		text := name + " " + b.c.typeText(right.typ)
		if !prefix {
			text = b.c.typeText(left.typ) + " " + text
		}
		if schema != "" {
			text = strings.Replace(text, name, schema+"."+name, 1)
		}
		return value{}, nil, &Error{
			Code: "42883", Message: "operator does not exist: " + text,
			Hint: "No operator matches the given name and argument types. You might need to add explicit type casts.",
		}
	case callAmbiguous:
		text := name + " " + b.c.typeText(right.typ)
		if !prefix {
			text = b.c.typeText(left.typ) + " " + text
		}
		return value{}, nil, &Error{
			Code: "42725", Message: "operator is not unique: " + text,
			Hint: "Could not choose a best candidate operator. You might need to add explicit type casts.",
		}
	case callUnsure:
		v := value{typ: some[0].Result}
		for _, o := range some {
			b.noteVolatility(o.Volatility)
			if o.Result != v.typ || isPolymorphic(o.Result) {
				v.typ = TypeRef{}
			}
		}
		return v, nil, nil
	}
	b.ref(Address{OID: o.oid})
	b.noteVolatility(o.Volatility)
	declared, actual, values := []TypeRef{o.Right}, []TypeRef{right.typ}, []value{right}
	if !prefix {
		declared, actual, values = []TypeRef{o.Left, o.Right}, []TypeRef{left.typ, right.typ}, []value{left, right}
	}
	for i, v := range values {
		t := declared[i]
		if isPolymorphic(t) {
			t = b.c.polymorphic(t, declared, actual)
		}
		if t.known() && t.OID != typeAny {
			b.operand(v, t)
			b.coerce(v, t, implicitly)
		}
	}
	out := value{typ: b.c.polymorphic(o.Result, declared, actual)}
	out.collation, out.explicit = b.collationOf(values, out.typ)
	if neverNull(name, o.oid) {
		out.notNull, out.mayNull = allNotNull(values...), anyMayNull(values...)
	}
	return out, o.Operator, b.failed
}

// splitOperator splits an operator's possibly qualified name.
func splitOperator(nodes []*pgast.Node) (schema, name string) {
	names := stringList(nodes)
	if len(names) == 0 {
		return "", "="
	}
	if len(names) > 1 {
		schema = names[len(names)-2]
	}
	return schema, names[len(names)-1]
}

// bindAExpr is transformAExprOp and its siblings.
func (b *binder) bindAExpr(n *pgast.A_Expr, s *scope) (value, error) {
	schema, name := splitOperator(n.Name)
	boolean := value{typ: scalar(typeBool)}
	switch n.Kind {
	case pgast.A_Expr_Kind_AEXPR_OP:
		return b.bindOperator(n, schema, name, s)
	case pgast.A_Expr_Kind_AEXPR_OP_ANY, pgast.A_Expr_Kind_AEXPR_OP_ALL:
		left, err := b.bindExpr(n.Lexpr, s)
		if err != nil {
			return value{}, err
		}
		right, err := b.bindExpr(n.Rexpr, s)
		if err != nil {
			return value{}, err
		}
		elem := right
		elem.param = 0 // it is not the parameter that is compared, but its elements
		switch t := b.c.baseType(right.typ); {
		case right.typ.OID == typeUnknown:
		case t.Array:
			elem.typ = t.element()
		case t.OID == 22:
			elem.typ = scalar(typeInt2)
		case t.OID == 30:
			elem.typ = scalar(typeOID)
		case t.known() && !b.c.assumedType(t) && t.OID != typeAnyarray:
			return value{}, errorf("42809", "op ANY/ALL (array) requires array on right side")
		default:
			elem.typ = TypeRef{}
		}
		elem.constant, elem.literal = false, nil
		_, o, err := b.findOperator(schema, name, false, left, elem)
		if err == nil && o != nil && o.Result != scalar(typeBool) {
			err = errorf("42809", "op ANY/ALL (array) requires operator to yield boolean")
		}
		// A literal or parameter becomes an array of what the operator takes (make_scalar_array_op).
		if err == nil && o != nil && right.typ.OID == typeUnknown {
			want := o.Right
			if isPolymorphic(want) {
				want = b.c.polymorphic(want, []TypeRef{o.Left, o.Right}, []TypeRef{left.typ, elem.typ})
			}
			switch {
			case b.c.baseType(want).Array:
				err = errorf("42704", "could not find array type for data type %s", b.c.typeText(want))
			case !isPolymorphic(want) && want.known():
				b.coerce(right, arrayOf(want), implicitly)
				err = b.failed
			}
		}
		return boolean, err
	case pgast.A_Expr_Kind_AEXPR_IN:
		left, err := b.bindExpr(n.Lexpr, s)
		if err != nil {
			return value{}, err
		}
		values, err := b.bindAll(n.Rexpr.GetList().GetItems(), s)
		if err != nil {
			return value{}, err
		}
		boolean.notNull, boolean.mayNull = left.notNull && allNotNull(values...), left.mayNull
		return boolean, b.bindIn(schema, name, left, values)
	case pgast.A_Expr_Kind_AEXPR_BETWEEN, pgast.A_Expr_Kind_AEXPR_NOT_BETWEEN, pgast.A_Expr_Kind_AEXPR_BETWEEN_SYM, pgast.A_Expr_Kind_AEXPR_NOT_BETWEEN_SYM:
		left, err := b.bindExpr(n.Lexpr, s)
		if err != nil {
			return value{}, err
		}
		ops := []string{">=", "<="}
		if n.Kind == pgast.A_Expr_Kind_AEXPR_NOT_BETWEEN || n.Kind == pgast.A_Expr_Kind_AEXPR_NOT_BETWEEN_SYM {
			ops = []string{"<", ">"}
		}
		boolean.notNull, boolean.mayNull = left.notNull, left.mayNull
		for i, bound := range n.Rexpr.GetList().GetItems() {
			v, err := b.bindExpr(bound, s)
			if err != nil {
				return value{}, err
			}
			if _, err := b.operator("", ops[i%2], b.again(left), v); err != nil {
				return value{}, err
			}
			boolean.notNull = boolean.notNull && v.notNull
		}
		return boolean, nil
	case pgast.A_Expr_Kind_AEXPR_NULLIF:
		left, err := b.bindExpr(n.Lexpr, s)
		if err != nil {
			return value{}, err
		}
		right, err := b.bindExpr(n.Rexpr, s)
		if err != nil {
			return value{}, err
		}
		_, o, err := b.findOperator(schema, name, false, left, right)
		if err != nil {
			return value{}, err
		}
		// The result is the left operand as the operator takes it.
		switch left = b.again(left); {
		case left.typ.OID == typeUnknown:
			left.typ = scalar(typeText)
		case o != nil && !isPolymorphic(o.Left) && o.Left.bare() != left.typ.bare():
			left.typ = o.Left
		}
		return value{typ: left.typ, collation: left.collation, mayNull: true}, nil
	case pgast.A_Expr_Kind_AEXPR_DISTINCT, pgast.A_Expr_Kind_AEXPR_NOT_DISTINCT:
		name = "="
		fallthrough
	default: // LIKE, ILIKE, SIMILAR TO
		v, err := b.bindOperator(n, schema, name, s)
		if err == nil && (n.Kind == pgast.A_Expr_Kind_AEXPR_DISTINCT || n.Kind == pgast.A_Expr_Kind_AEXPR_NOT_DISTINCT) {
			v = boolean
			v.notNull = true
		}
		return v, err
	}
}

func (b *binder) bindOperator(n *pgast.A_Expr, schema, name string, s *scope) (value, error) {
	right, err := b.bindExpr(n.Rexpr, s)
	if err != nil {
		return value{}, err
	}
	if n.Lexpr == nil {
		return b.applyOperator(schema, name, true, value{}, right)
	}
	left, err := b.bindExpr(n.Lexpr, s)
	if err != nil {
		return value{}, err
	}
	return b.operator(schema, name, left, right)
}

// bindIn is transformAExprIn: the items get one common type when they have one, else each is compared by itself.
func (b *binder) bindIn(schema, name string, left value, values []value) error {
	if left.typ.OID != typeRecord {
		types := []TypeRef{left.typ}
		constant := true
		for _, v := range values {
			types = append(types, v.typ)
			constant = constant && v.typ.OID != typeRecord
		}
		if t, ok := b.c.commonType(types); ok && t.known() && constant && len(values) > 1 {
			for _, v := range values {
				b.compared(name, left, v)
				b.coerce(v, t.bare(), implicitly)
			}
			_, err := b.operator(schema, name, left, value{typ: t.bare()})
			return err
		}
	}
	for _, v := range values {
		if _, err := b.operator(schema, name, left, v); err != nil {
			return err
		}
	}
	return nil
}
