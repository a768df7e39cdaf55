package catalog

import (
	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

func (c *Catalog) applySetSchema(stmt pgast.Stmt, s *pgast.AlterObjectSchemaStmt, eff *Effects) error {
	if kind, ok := dropKindOf(s.ObjectType); ok && s.Relation != nil {
		r, err := c.lookupKind(s.Relation, kind.kinds[0])
		if err != nil {
			if s.MissingOk {
				eff.note("relation \"%s\" does not exist, skipping", s.Relation.Relname)
				return nil
			}
			return err
		}
		return c.moveRelation(r, s)
	}
	a, err := c.objectAddress(s.ObjectType, s.Object, false)
	if err != nil || a.OID == 0 {
		return err
	}
	to, err := c.lookupSchema(s.Newschema)
	if err != nil {
		return err
	}
	return c.moveObject(a.OID, to)
}

// moveRelation is AlterTableNamespace: indexes, constraints and owned sequences go along.
func (c *Catalog) moveRelation(r *Relation, s *pgast.AlterObjectSchemaStmt) error {
	if err := checkObjectType(r, s.ObjectType); err != nil {
		return err
	}
	if r.Index != nil {
		e := errorf("42809", "cannot change schema of index \"%s\"", r.Name)
		e.Hint = "Change the schema of the table instead."
		return e
	}
	if r.Seq != nil && r.Seq.OwnedBy.OID != 0 {
		e := errorf("0A000", "cannot move an owned sequence into another schema")
		e.Detail = "Sequence \"" + r.Name + "\" is linked to table \"" + c.NameOf(r.Seq.OwnedBy.OID).Name + "\"."
		return e
	}
	to, err := c.lookupSchema(s.Newschema)
	if err != nil {
		return err
	}
	switch {
	case to.Name == tempSchema || r.Persistence == Temporary:
		return errorf("0A000", "cannot move objects into or out of temporary schemas")
	case to.OID == r.Schema:
		return nil
	}
	if err := c.relocate(r, to); err != nil {
		return err
	}
	for _, index := range c.Indexes(r.OID) {
		if err := c.relocate(index, to); err != nil {
			return err
		}
	}
	for _, con := range c.Constraints(r.OID) {
		c.editConstraint(con.OID, func(con *Constraint) { con.schema = to.OID })
	}
	for _, seq := range c.ownedSequences(r.OID) {
		if err := c.relocate(seq, to); err != nil {
			return err
		}
	}
	return nil
}

func (c *Catalog) relocate(r *Relation, to *Schema) error {
	if _, taken := c.names.Get(nameKey(inRelations, to.OID, r.Name)); taken {
		return errorf("42P07", "relation \"%s\" already exists in schema \"%s\"", r.Name, to.Name)
	}
	from := c.NameOf(r.OID).Schema
	c.editRelation(r.OID, func(r *Relation) { r.Schema = to.OID })
	c.renameInExprs(Address{OID: r.OID}, relationRenamed{c: c, oid: r.OID, schema: from, old: r.Name, new: Name{to.Name, r.Name}})
	return nil
}

// moveObject is AlterObjectNamespace.
func (c *Catalog) moveObject(oid OID, to *Schema) error {
	switch o := c.Get(oid).(type) {
	case *Type:
		if o.Schema == to.OID {
			return nil
		}
		if c.nameTaken(to.OID, o.Name) {
			return errorf("42710", "type \"%s\" already exists in schema \"%s\"", o.Name, to.Name)
		}
		changed := *o
		changed.Schema = to.OID
		c.put(&changed)
		if r := c.relation(o.Relation); r != nil {
			c.editRelation(r.OID, func(r *Relation) { r.Schema = to.OID })
		}
		for _, con := range c.Constraints(oid) {
			c.editConstraint(con.OID, func(con *Constraint) { con.schema = to.OID })
		}
	case *Func:
		changed := *o
		changed.Schema = to.OID
		if other, taken := c.names.Get(nameKeyOf(&changed)); taken && other != oid {
			return errorf("42723", "function %s already exists in schema \"%s\"", c.signature(o), to.Name)
		}
		c.put(&changed)
	case *Other:
		if o.Schema == 0 {
			return nil // a cast: it has none
		}
		changed := *o
		changed.Schema = to.OID
		if other, taken := c.names.Get(nameKeyOf(&changed)); taken && other != oid && o.opclass == nil && o.operator == nil {
			return errorf("42710", "%s \"%s\" already exists in schema \"%s\"", o.Kind, o.Name, to.Name)
		}
		c.put(&changed)
	case *Relation:
		return c.relocate(o, to)
	case *Extension:
		changed := *o
		changed.Schema = to.OID
		c.put(&changed)
		c.dropDeps(oid, func(d Dep) bool { return d.Ref.OID == o.Schema })
		c.addDep(Address{OID: oid}, Address{OID: to.OID}, DepNormal)
		for _, d := range c.Dependents(Address{OID: oid}) {
			if d.Type == DepExtension {
				if err := c.moveObject(d.OID, to); err != nil {
					return err
				}
			}
		}
	default:
		return errorf(NotUnderstood, "SET SCHEMA of this kind of object is not followed")
	}
	return nil
}
