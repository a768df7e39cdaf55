package catalog

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// This file holds what an open catalog takes to have been there because a statement needs it (see also lookup.go).

// WithAssumed is the catalog before a statement, with what the statement has shown to be in it: what after, the catalog behind
// it, had to assume. It is c itself when that is nothing; else a clone.
func (c *Catalog) WithAssumed(after *Catalog) *Catalog {
	var found []Object
	for a, b := c.log, after.log; a != b; {
		if b == nil || a != nil && a.depth > b.depth {
			a = a.prev
			continue
		}
		if b.assumed != nil {
			found = append(found, b.assumed)
		}
		b = b.prev
	}
	if len(found) == 0 {
		return c
	}
	with := c.Clone()
	for i := len(found) - 1; i >= 0; i-- { // oldest first
		o := found[i]
		with.assume(withAssumed(with.Get(o.ObjectID()), o))
	}
	return with
}

// IsAssumed reports whether nobody has seen an object come: an open catalog has it because a statement needs it.
func IsAssumed(o Object) bool {
	switch o := o.(type) {
	case *Schema:
		return o.Assumed
	case *Relation:
		return o.Assumed
	case *Constraint:
		return o.Assumed
	case *Type:
		return o.Assumed
	case *Func:
		return o.Assumed
	case *Trigger:
		return o.Assumed
	case *Rule:
		return o.Assumed
	case *Policy:
		return o.Assumed
	case *Extension:
		return o.Assumed
	case *Other:
		return o.Assumed
	}
	return false
}

// assumeObject makes up what a DROP or a RENAME names and an open catalog has not seen; the address is empty when it may not be
// there, or nothing is kept of its kind.
func (c *Catalog) assumeObject(kind pgast.ObjectType, object *pgast.Node) Address {
	if !c.Open {
		return Address{}
	}
	var o Object
	switch kind {
	case pgast.ObjectType_OBJECT_FUNCTION, pgast.ObjectType_OBJECT_PROCEDURE, pgast.ObjectType_OBJECT_AGGREGATE, pgast.ObjectType_OBJECT_ROUTINE:
		return c.assumeRoutine(kind, object.GetObjectWithArgs())
	case pgast.ObjectType_OBJECT_TRIGGER, pgast.ObjectType_OBJECT_RULE, pgast.ObjectType_OBJECT_POLICY:
		names := stringList(object.GetList().GetItems())
		rel, err := c.lookupRelation(rangeVarOf(object.GetList().GetItems()[:len(names)-1]))
		if err != nil {
			return Address{}
		}
		return c.assumePart(kind, rel, names[len(names)-1])
	case pgast.ObjectType_OBJECT_EXTENSION:
		o = &Extension{OID: c.newOID(), Name: object.GetString_().GetSval(), Assumed: true}
	default:
		other := c.otherToAssume(kind, object)
		if other == nil {
			return Address{}
		}
		other.OID, other.Assumed = c.newOID(), true
		o = other
	}
	return c.assumeUnseen(o)
}

// otherToAssume is what assumeObject makes up of a kind of which little more than the name is known, nil for what is the server's own
// or not kept. Which operands an operator has, and which function, no query is told: it is assumed only to go.
func (c *Catalog) otherToAssume(kind pgast.ObjectType, object *pgast.Node) *Other {
	o := &Other{Kind: otherKind(kind)}
	names := []string{object.GetString_().GetSval()}
	if items := object.GetList().GetItems(); len(items) > 0 && kind != pgast.ObjectType_OBJECT_CAST {
		names = stringList(items)
	}
	switch kind {
	case pgast.ObjectType_OBJECT_OPERATOR:
		args := object.GetObjectWithArgs().GetObjargs()
		if len(args) != 2 {
			return nil
		}
		names = stringList(object.GetObjectWithArgs().GetObjname())
		op := &Operator{Name: names[len(names)-1], Left: c.namedType(args[0]), Right: c.namedType(args[1])}
		ofServer := func(f foundOperator) bool {
			return f.oid < FirstUserOID && f.Left.bare() == op.Left && f.Right.bare() == op.Right
		}
		if !op.Right.known() || slices.ContainsFunc(c.operatorsNamed("", op.Name, !op.Left.known()), ofServer) {
			return nil
		}
		o.Kind, o.Name = "operator", c.operatorSignature(op)
	case pgast.ObjectType_OBJECT_CAST:
		items := object.GetList().GetItems()
		from, to := c.namedType(items[0]), c.namedType(items[1])
		if !from.known() || !to.known() || c.cast(from, to) != nil {
			return nil
		}
		o.Kind, o.Name = "cast", c.castName(from, to)
		return o
	case pgast.ObjectType_OBJECT_OPCLASS, pgast.ObjectType_OBJECT_OPFAMILY:
		o.opclass, names = &operatorClass{method: names[0]}, names[1:]
	case pgast.ObjectType_OBJECT_PUBLICATION, pgast.ObjectType_OBJECT_SUBSCRIPTION, pgast.ObjectType_OBJECT_EVENT_TRIGGER, pgast.ObjectType_OBJECT_FDW,
		pgast.ObjectType_OBJECT_FOREIGN_SERVER, pgast.ObjectType_OBJECT_LANGUAGE, pgast.ObjectType_OBJECT_ACCESS_METHOD:
		o.Name = names[0] // they are in no schema
		if o.Kind == "language" && builtinLanguage(o.Name) {
			return nil
		}
		return o
	}
	if o.Kind == "" {
		return nil
	}
	if o.Name == "" {
		o.Name = names[len(names)-1]
	}
	if o.Kind == "collation" && knownCollation(o.Name) {
		return nil
	}
	o.Schema = c.currentSchema()
	if len(names) > 1 {
		s, err := c.lookupSchema(names[len(names)-2])
		if err != nil {
			return nil
		}
		o.Schema = s.OID
	}
	if o.Schema < FirstUserOID && o.Schema != publicOID {
		return nil // pg_catalog's
	}
	return o
}

// namedType is the type that an operand's node names, zero for NONE and for one that is not there.
func (c *Catalog) namedType(n *pgast.Node) TypeRef {
	if n.GetTypeName() == nil {
		return TypeRef{}
	}
	t, err := c.resolveType(n.GetTypeName())
	if err != nil {
		return TypeRef{}
	}
	return t.bare()
}

// assumeUnseen stores o unless something of its name has come or gone.
func (c *Catalog) assumeUnseen(o Object) Address {
	key := nameKeyOf(o)
	if key.namespace == 0 {
		key = partKeyOf(o)
	}
	if !c.assumable(key) {
		return Address{}
	}
	c.assume(o)
	return Address{OID: o.ObjectID()}
}

// assumeEnum makes an enum of a type that nobody has seen created, with a label that a statement needs ("" when it needs none).
func (c *Catalog) assumeEnum(old *Type, label string) *Type {
	if old.Kind == EnumType && (label == "" || slices.Contains(old.Labels, label)) {
		return old
	}
	t := *old
	t.Kind = EnumType
	if label != "" {
		t.Labels = append(slices.Clone(t.Labels), label)
	}
	c.assume(&t)
	return &t
}

// partKeyOf is the key under which a trigger, rule or policy counts as gone: they have their names within a relation.
func partKeyOf(o Object) fullName {
	switch o := o.(type) {
	case *Trigger:
		return nameKey(inOthers, o.Table, "trigger\x00"+o.Name)
	case *Rule:
		return nameKey(inOthers, o.Table, "rule\x00"+o.Name)
	case *Policy:
		return nameKey(inOthers, o.Table, "policy\x00"+o.Name)
	}
	return fullName{}
}

func (c *Catalog) assumeRoutine(kind pgast.ObjectType, o *pgast.ObjectWithArgs) Address {
	names := stringList(o.GetObjname())
	if len(names) == 0 {
		return Address{}
	}
	f := &Func{Name: names[len(names)-1], Kind: Function, Language: "plpgsql", Volatility: Volatile, Parallel: 'u', Assumed: true}
	switch kind {
	case pgast.ObjectType_OBJECT_PROCEDURE:
		f.Kind = Procedure
	case pgast.ObjectType_OBJECT_AGGREGATE:
		f.Kind = Aggregate
	}
	f.Schema = c.currentSchema()
	if len(names) > 1 {
		s, err := c.lookupSchema(names[len(names)-2])
		if err != nil {
			return Address{}
		}
		f.Schema = s.OID
	}
	for _, n := range o.GetObjargs() {
		t, err := c.findType(n.GetTypeName())
		if err != nil {
			return Address{}
		}
		f.Args = append(f.Args, FuncArg{Type: t, Mode: 'i'})
	}
	f.OID = c.newOID()
	return c.assumeUnseen(f)
}

// assumePart makes up a trigger, rule or policy of a relation that nobody has seen created.
func (c *Catalog) assumePart(kind pgast.ObjectType, rel *Relation, name string) Address {
	if !rel.Assumed {
		return Address{}
	}
	var o Object
	switch kind {
	case pgast.ObjectType_OBJECT_TRIGGER:
		o = &Trigger{OID: c.newOID(), Table: rel.OID, Name: name, Enabled: 'O', Assumed: true}
	case pgast.ObjectType_OBJECT_RULE:
		o = &Rule{OID: c.newOID(), Table: rel.OID, Name: name, Enabled: 'O', Assumed: true}
	default:
		o = &Policy{OID: c.newOID(), Table: rel.OID, Name: name, Permissive: true, Assumed: true}
	}
	return c.assumeUnseen(o)
}
