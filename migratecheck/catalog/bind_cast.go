package catalog

import (
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// coerce converts v to the type for the context, noting what that runs and needs.
func (b *binder) coerce(v value, target TypeRef, context coercionContext) value {
	if !target.known() {
		return value{constant: v.constant, param: v.param, null: v.null, notNull: v.notNull, mayNull: v.mayNull, full: v.full, node: v.node, fresh: v.fresh}
	}
	out := value{typ: target, constant: v.constant, literal: v.literal, param: v.param, null: v.null, notNull: v.notNull, mayNull: v.mayNull, full: v.full, node: v.node, fresh: v.fresh}
	if !v.typ.known() {
		return out
	}
	if v.typ.OID == typeUnknown {
		// A literal becomes a constant of the type at once, whatever its in function is like.
		if v.literal != nil {
			b.literal(v, target)
		}
		b.decide(v, target)
		b.refType(target)
		return out
	}
	if b.c.isText(target) {
		out.held = v.held
	}
	if context != explicitly && v.typ.bare() == target.bare() {
		out.origin, out.id = v.origin, v.id
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
	if arr := n.Arg.GetAArrayExpr(); arr != nil && b.c.baseType(target).Array {
		elem := b.c.baseType(target).element()
		all := true
		for _, e := range arr.Elements {
			v, err := b.bindExpr(e, s)
			if err != nil {
				return value{}, err
			}
			all = all && v.constant
			if e.GetAArrayExpr() == nil {
				b.coerce(v, elem, explicitly)
			}
		}
		b.refType(target)
		return value{typ: target, constant: all, notNull: true}, nil
	}
	v, err := b.bindExpr(n.Arg, s)
	if err != nil {
		return value{}, err
	}
	if !b.c.canCoerce(v.typ, target, explicitly) && !b.rowCoerces(v, target) {
		return value{}, errorf("42846", "cannot cast type %s to %s", b.c.typeText(v.typ), b.c.typeText(target))
	}
	b.convertsLater(n.Arg, v.typ, target)
	out := b.coerce(v, target, explicitly)
	if b.failed != nil {
		return value{}, b.failed
	}
	if c := b.c.typeByOID(target.OID); c == nil || c.collatable || target.Array {
		out.collation = v.collation
	}
	return out, nil
}

func (b *binder) rowCoerces(v value, target TypeRef) bool {
	return v.typ.OID == typeRecord && !v.typ.Array && b.c.compositeOf(target) != nil
}

// literal converts the text of a literal, as the type's in function would.
func (b *binder) literal(v value, target TypeRef) {
	text := *v.literal
	if b.literals != nil {
		b.literals(v, target)
	}
	b.regConstant(text, target)
	err := b.c.checkEnumLabel(text, target)
	if err == nil && target.OID == typeRegclass && !target.Array && b.ask != nil {
		err = b.checkRegclass(text)
	}
	if err == nil {
		err = b.c.checkLiteral(text, target)
	}
	if err != nil && b.failed == nil {
		at := b.at
		if v.at > 0 {
			at = v.at - 1
		}
		b.failed = locate(err, at)
	}
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
			if b.c.Open {
				b.unsure("whether there is a relation %s", quoteMessage(text))
			}
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
// ADD VALUE added in the transaction that is still open, under this name or another.
func (c *Catalog) checkEnumLabel(label string, target TypeRef) error {
	base := c.baseType(target)
	t := c.typeByOID(base.OID)
	if t == nil || base.Array || t.Kind != EnumType {
		return nil
	}
	if !slices.Contains(t.Labels, label) {
		if t.Assumed {
			return nil
		}
		return errorf("22P02", "invalid input value for enum %s: %s", c.typeText(base), quoteMessage(label))
	}
	i := slices.Index(t.added, label)
	if i < 0 || !c.InTransaction() {
		return nil
	}
	before, existed := c.tx[0].State.Get(t.OID).(*Type)
	if !existed && c.Version >= 17 {
		return nil // since 17 the values of a type that is new itself may be used
	}
	if !existed || i >= len(before.added) { // whatever it was called before: the server asks which one it is (EnumUncommitted)
		return &Error{
			Code: unsafeNewValue, Message: "unsafe use of new value " + quoteMessage(label) + " of enum type " + c.typeText(base),
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
	if strings.Contains(text, "/*") { // no name, but the place of one, in a template that code fills in (as sqlc's users do)
		b.unsure("which relation %s stands for", quoteMessage(text))
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
		b.unsure("whether there is a sequence %s", quoteMessage(text))
		return nil
	}
	if schema != "" {
		name = schema + "." + name
	}
	return &Error{Code: "42P01", Message: "relation " + quoteMessage(name) + " does not exist", Object: Name{schema, name}}
}

// serialSequence is pg_get_serial_sequence(table, column) (src/backend/utils/adt/ruleutils.c), which looks for the names when it is
// called: the first is read as an identifier, the second is the name itself.
func (b *binder) serialSequence(args []value) error {
	if b.ask == nil || len(args) != 2 || args[0].literal == nil {
		return nil
	}
	if err := b.checkRegclass(*args[0].literal); err != nil {
		return locate(err, args[0].at-1)
	}
	schema, name, _ := splitQualified(*args[0].literal)
	rel := b.c.Relation(schema, name)
	if rel == nil || args[1].literal == nil {
		return nil
	}
	b.refAt(Address{OID: rel.OID}, args[0].at-1)
	col := rel.Column(*args[1].literal)
	switch {
	case col != nil:
		b.refAt(Address{rel.OID, col.Num}, args[1].at-1)
	case !rel.Assumed || rel.lost(*args[1].literal):
		return locate(b.missingColumn(rel, *args[1].literal), args[1].at-1)
	}
	return nil
}

// convertsLater notes the literals of a text, one of several, that are no labels of the enum it is cast to: only a row that has such a one
// fails.
func (b *binder) convertsLater(n *pgast.Node, from, target TypeRef) {
	if category, _ := b.c.typeCategory(from); b.ask == nil || category != 'S' {
		return
	}
	for _, n := range results(n, nil) {
		if s := n.GetAConst().GetSval(); s != nil {
			if err := b.c.checkEnumLabel(s.Sval, target); err != nil {
				b.ask.atRun = append(b.ask.atRun, asError(locate(err, n.GetAConst().Location)))
			}
		}
	}
}

// results lists the expressions that an expression answers one of.
func results(n *pgast.Node, list []*pgast.Node) []*pgast.Node {
	switch x := n.GetNode().(type) {
	case *pgast.Node_CaseExpr:
		for _, arg := range x.CaseExpr.Args {
			list = results(arg.GetCaseWhen().GetResult(), list)
		}
		return results(x.CaseExpr.Defresult, list)
	case *pgast.Node_CoalesceExpr:
		for _, arg := range x.CoalesceExpr.Args {
			list = results(arg, list)
		}
		return list
	case *pgast.Node_TypeCast:
		return results(x.TypeCast.Arg, list)
	case nil:
		return list
	}
	return append(list, n)
}
