package catalog

import (
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// defNames reads the argument of an option that names a type or other object.
func defNames(d *pgast.DefElem) []*pgast.Node {
	switch arg := d.Arg.GetNode().(type) {
	case *pgast.Node_TypeName:
		return arg.TypeName.Names
	case *pgast.Node_List:
		return arg.List.Items
	case *pgast.Node_String_:
		return []*pgast.Node{d.Arg}
	}
	return nil
}

// applyCreateRange is DefineRange: the type, its multirange type (14 and later), and the functions that construct both.
func (c *Catalog) applyCreateRange(n *pgast.CreateRangeStmt) error {
	schema, name, shell, err := c.newTypeName(n.TypeName)
	if err != nil {
		return err
	}
	t := &Type{Schema: schema, Name: name, Kind: RangeType}
	var multirange []*pgast.Node
	var deps []Address
	for _, p := range n.Params {
		d := p.GetDefElem()
		switch d.Defname {
		case "subtype":
			tn := d.Arg.GetTypeName()
			if tn == nil {
				tn = &pgast.TypeName{Names: defNames(d)}
			}
			if t.Subtype, err = c.resolveType(tn); err != nil {
				return err
			}
			t.Subtype = t.Subtype.bare()
		case "multirange_type_name":
			if c.Version < 14 { // multiranges came with 14
				return errorf("42601", "type attribute %s not recognized", quoteMessage(d.Defname))
			}
			multirange = defNames(d)
		case "collation":
			var oid OID
			if _, oid, err = c.resolveCollation(stringList(defNames(d))); err != nil {
				return err
			}
			deps = append(deps, Address{OID: oid})
		case "subtype_diff", "canonical":
			if list := c.functionsNamed(splitName(defNames(d))); len(list) == 1 {
				deps = append(deps, Address{OID: list[0].OID})
			}
		case "subtype_opclass":
			// Found or not, only its name would be kept.
		default:
			return errorf("42601", "type attribute %s not recognized", quoteMessage(d.Defname))
		}
	}
	if !t.Subtype.known() {
		return errorf("42601", "type attribute \"subtype\" is required")
	}
	multiSchema, multiName := schema, multirangeName(name)
	if multirange != nil {
		rv := rangeVarOf(multirange)
		if multiSchema, err = c.creationSchema(rv); err != nil {
			return err
		}
		multiName = rv.Relname
	}
	t.OID = c.typeOID(shell)
	if c.Version >= 14 {
		if _, taken := c.typeIn(multiSchema, multiName); taken {
			e := c.typeExists(multiSchema, multiName).(*Error)
			if multirange == nil {
				e.Detail = "Failed while creating a multirange type for type " + quoteMessage(name) + "."
				e.Hint = "You can manually specify a multirange type name using the \"multirange_type_name\" attribute."
			}
			return e
		}
		t.multirange = c.newOID()
	}
	c.put(t)
	at := Address{OID: t.OID}
	c.addDep(at, Address{OID: t.Subtype.OID}, DepNormal)
	c.addDeps(at, deps, DepNormal)
	construct := func(owner OID, schema OID, name, body string, strict bool, args ...FuncArg) {
		f := &Func{
			OID: c.newOID(), Schema: schema, Name: name, Kind: Function, Args: args, Returns: scalar(owner), Language: "internal",
			Volatility: Immutable, Strict: strict, Parallel: 's', Body: body,
		}
		c.put(f)
		c.addFunctionDeps(f)
		c.addDep(Address{OID: f.OID}, Address{OID: owner}, DepInternal)
	}
	in := func(t TypeRef) FuncArg { return FuncArg{Type: t, Mode: 'i'} }
	construct(t.OID, schema, name, "range_constructor2", false, in(t.Subtype), in(t.Subtype))
	construct(t.OID, schema, name, "range_constructor3", false, in(t.Subtype), in(t.Subtype), in(scalar(typeText)))
	if t.multirange == 0 {
		return nil
	}
	m := &Type{OID: t.multirange, Schema: multiSchema, Name: multiName, Kind: MultirangeType, Range: t.OID}
	c.put(m)
	c.addDep(Address{OID: m.OID}, at, DepInternal)
	construct(m.OID, multiSchema, multiName, "multirange_constructor0", true)
	construct(m.OID, multiSchema, multiName, "multirange_constructor1", true, in(scalar(t.OID)))
	construct(m.OID, multiSchema, multiName, "multirange_constructor2", true, FuncArg{Type: arrayOf(scalar(t.OID)), Mode: 'v'})
	return nil
}

// multirangeName is makeMultirangeTypeName: "range" in the name becomes "multirange", else "_multirange" is appended.
func multirangeName(name string) string {
	if i := strings.Index(name, "range"); i >= 0 {
		return clipName(name[:i]+"multi"+name[i:], 63)
	}
	return clipName(name, 63-len("_multirange")) + "_multirange"
}

// splitName splits a list of String nodes into schema and name.
func splitName(nodes []*pgast.Node) (schema, name string) {
	rv := rangeVarOf(nodes)
	return rv.Schemaname, rv.Relname
}
