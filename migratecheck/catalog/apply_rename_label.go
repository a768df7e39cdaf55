package catalog

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// labelRenamed follows a label of an enum to its new name. The server stores constants of an enum by number, so that defaults,
// conditions and views print the new name at once (RenameEnumLabel, src/backend/catalog/pg_enum.c).
type labelRenamed struct {
	c        *Catalog
	enum     OID
	in       *scope // what the expression may name, nothing for a column's default
	old, new string
}

// renameLabel changes the label wherever it is stored. It is called while the enum still has the old one. Labels inside of literals of
// arrays, and in the conditions of domains, stay what they were.
func (c *Catalog) renameLabel(enum OID, old, label string) {
	of := Address{OID: enum}
	var done []OID
	for _, d := range c.Dependents(of) {
		if slices.Contains(done, d.OID) {
			continue
		}
		done = append(done, d.OID)
		how := labelRenamed{c: c, enum: enum, old: old, new: label, in: &scope{}}
		switch o := c.Get(d.OID).(type) {
		case *Relation:
			if o.Index != nil {
				how.in = scopeOf(c.relationByOID(o.Index.Table))
			}
		case *Constraint:
			how.in = scopeOf(c.relationByOID(o.Table))
		case *Trigger:
			how.in = rowScope(c.relationByOID(o.Table))
		case *Policy:
			how.in = scopeOf(c.relationByOID(o.Table))
		}
		c.renameIn(d.OID, of, how)
	}
}

func (h labelRenamed) rename(n *pgast.Node) bool {
	if k := n.GetAConst(); k != nil {
		return h.renameConst(k) // a column's default, which would not refer to the enum if it were another's
	}
	b := h.c.newBinder()
	var constants []*pgast.A_Const
	b.literals = func(v value, target TypeRef) {
		if base := h.c.baseType(target); base.OID == h.enum && !base.Array {
			constants = append(constants, v.node.GetAConst())
		}
	}
	if n.GetSelectStmt() != nil {
		_, _ = b.bindQuery(n, nil) // it was bound before: an error is about names that are on their way
	} else {
		_, _ = b.bindExpr(n, h.in)
	}
	changed := false
	for _, k := range constants {
		changed = h.renameConst(k) || changed
	}
	return changed
}

func (h labelRenamed) renameConst(k *pgast.A_Const) bool {
	s := k.GetSval()
	if s == nil || s.Sval != h.old {
		return false
	}
	s.Sval = h.new
	return true
}
