package catalog

import "slices"

// Runs lists the functions that run where an object is used, each once: a function itself; that of an operator; those that an aggregate is
// made of, that a body of BEGIN ATOMIC calls, or that the query of a view and what it reads do; and those in the conditions of a
// domain. Of objects within functions with other bodies nothing is known here (see [Func.Sends]).
func (c *Catalog) Runs(oid OID) []*Func {
	if oid < FirstUserOID {
		return nil
	}
	if r, ok := c.Get(oid).(*Relation); ok && r.Kind != View {
		return nil
	}
	var list []*Func
	seen := map[OID]bool{}
	var visit func(oid OID)
	refs := func(e *Expr) {
		for _, a := range e.Refs {
			visit(a.OID)
		}
	}
	visit = func(oid OID) {
		if oid < FirstUserOID || seen[oid] {
			return
		}
		seen[oid] = true
		switch o := c.Get(oid).(type) {
		case *Func:
			list = append(list, o)
			if o.Kind == Aggregate || o.BodyNode != nil {
				for _, d := range c.Dependencies(oid) {
					visit(d.Ref.OID)
				}
			}
		case *Other:
			if o.operator != nil {
				visit(o.operator.Function)
			}
		case *Relation:
			if o.Query != nil && o.Kind == View {
				for _, a := range o.Query.Refs {
					visit(a.OID)
				}
			}
		case *Type:
			for _, con := range c.Constraints(oid) {
				if con.Check != nil {
					refs(con.Check)
				}
			}
			visit(o.Base.OID)
		}
	}
	visit(oid)
	return slices.Clip(list)
}
