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
		return Address{}
	}
	return c.assumeUnseen(o)
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
