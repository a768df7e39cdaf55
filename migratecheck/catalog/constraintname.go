package catalog

import (
	"cmp"
	"slices"
	"strings"
)

// NamedConstraint is what an error of the server can name: a constraint, or a unique index without one.
type NamedConstraint struct {
	Table   Name      // of a domain's constraint, the domain
	Objects []Address // the constraint or index, and the table
}

// ConstraintsNamed lists the constraints and unique indexes of a name, in any schema.
func (c *Catalog) ConstraintsNamed(name string) []NamedConstraint {
	var list []NamedConstraint
	c.names.Ascend(string([]byte{inSchemas}), func(key string, oid OID) bool {
		if key[0] != inSchemas {
			return false
		}
		prefix := nameKey(inConstraints, oid, name+"\x00")
		c.names.Ascend(prefix, func(key string, oid OID) bool {
			if !strings.HasPrefix(key, prefix) {
				return false
			}
			if con, ok := c.Get(oid).(*Constraint); ok {
				of := cmp.Or(con.Table, con.Domain)
				list = append(list, NamedConstraint{c.NameOf(of), []Address{{OID: con.OID}, {OID: of}}})
			}
			return true
		})
		if idx, ok := c.names.Get(nameKey(inRelations, oid, name)); ok {
			if r, ok := c.Get(idx).(*Relation); ok && r.Index != nil && r.Index.Unique && !slices.ContainsFunc(list, func(n NamedConstraint) bool { return n.Objects[1].OID == r.Index.Table }) {
				list = append(list, NamedConstraint{c.NameOf(r.Index.Table), []Address{{OID: r.OID}, {OID: r.Index.Table}}})
			}
		}
		return true
	})
	return list
}
