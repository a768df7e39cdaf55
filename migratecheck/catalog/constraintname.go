package catalog

import (
	"cmp"
	"slices"
)

// NamedConstraint is what an error of the server can name: a constraint, or a unique index without one.
type NamedConstraint struct {
	Table   Name      // of a domain's constraint, the domain
	Objects []Address // the constraint or index, and the table
}

// ConstraintsNamed lists the constraints and unique indexes of a name, in any schema. It looks at every object.
func (c *Catalog) ConstraintsNamed(name string) []NamedConstraint {
	var list []NamedConstraint
	var indexes []*Relation
	for o := range c.All() {
		switch o := o.(type) {
		case *Constraint:
			if o.Name == name {
				of := cmp.Or(o.Table, o.Domain)
				list = append(list, NamedConstraint{c.NameOf(of), []Address{{OID: o.OID}, {OID: of}}})
			}
		case *Relation:
			if o.Name == name && o.Index != nil && o.Index.Unique {
				indexes = append(indexes, o)
			}
		}
	}
	for _, r := range indexes {
		if !slices.ContainsFunc(list, func(n NamedConstraint) bool { return n.Objects[1].OID == r.Index.Table }) {
			list = append(list, NamedConstraint{c.NameOf(r.Index.Table), []Address{{OID: r.OID}, {OID: r.Index.Table}}})
		}
	}
	return list
}
