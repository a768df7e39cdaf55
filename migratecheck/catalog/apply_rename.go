package catalog

import (
	"cmp"
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

func (c *Catalog) applyRename(stmt pgast.Stmt, s *pgast.RenameStmt, eff *Effects) error {
	switch s.RenameType {
	case pgast.ObjectType_OBJECT_TABLE, pgast.ObjectType_OBJECT_VIEW, pgast.ObjectType_OBJECT_MATVIEW, pgast.ObjectType_OBJECT_INDEX,
		pgast.ObjectType_OBJECT_SEQUENCE, pgast.ObjectType_OBJECT_FOREIGN_TABLE:
		r, err := c.relationToRename(s, s.RenameType, eff)
		if r == nil {
			return err
		}
		return c.renameRelation(r, s.Newname)
	case pgast.ObjectType_OBJECT_COLUMN, pgast.ObjectType_OBJECT_ATTRIBUTE:
		r, err := c.relationToRename(s, s.RelationType, eff)
		if r == nil {
			return err
		}
		if t := c.typeOfRelation(r); t != nil {
			return c.renameAttribute(t, s)
		}
		return c.renameColumn(r.OID, s.Subname, s.Newname, s.Relation.Inh, false)
	case pgast.ObjectType_OBJECT_TABCONSTRAINT:
		r, err := c.relationToRename(s, pgast.ObjectType_OBJECT_TABLE, eff)
		if r == nil {
			return err
		}
		return c.renameConstraint(r.OID, s.Subname, s.Newname, s.Relation.Inh, 0)
	case pgast.ObjectType_OBJECT_SCHEMA:
		return c.renameSchema(s.Subname, s.Newname)
	case pgast.ObjectType_OBJECT_TRIGGER, pgast.ObjectType_OBJECT_RULE, pgast.ObjectType_OBJECT_POLICY:
		r, err := c.relationToRename(s, pgast.ObjectType_OBJECT_TABLE, eff)
		if r == nil {
			return err
		}
		return c.renamePart(r, s)
	case pgast.ObjectType_OBJECT_ROLE, pgast.ObjectType_OBJECT_DATABASE, pgast.ObjectType_OBJECT_TABLESPACE:
		return nil
	}
	if s.RenameType == pgast.ObjectType_OBJECT_DOMCONSTRAINT {
		return c.renameDomainConstraint(s)
	}
	a, err := c.objectAddress(s.RenameType, s.Object, false)
	if err == nil && a.OID == 0 {
		a = c.assumeObject(s.RenameType, s.Object)
	}
	if err != nil || a.OID == 0 {
		return err
	}
	return c.renameObject(a.OID, s)
}

// renameAttribute renames an attribute of a composite type, with CASCADE also the columns of the tables of that type
// (renameatt_internal).
func (c *Catalog) renameAttribute(t *Type, s *pgast.RenameStmt) error {
	typed := c.typedTables(t)
	if len(typed) > 0 && s.Behavior != pgast.DropBehavior_DROP_CASCADE {
		return c.typedTableError(t)
	}
	for _, table := range typed {
		if err := c.renameColumn(table.OID, s.Subname, s.Newname, true, true); err != nil {
			return err
		}
	}
	return c.renameColumn(t.Relation, s.Subname, s.Newname, s.Relation.Inh, false)
}

// relationToRename finds the relation of a RENAME, nil without an error when IF EXISTS lets it pass.
func (c *Catalog) relationToRename(s *pgast.RenameStmt, t pgast.ObjectType, eff *Effects) (*Relation, error) {
	kind := Table
	if k, ok := dropKindOf(t); ok {
		kind = k.kinds[0]
	}
	if t == pgast.ObjectType_OBJECT_TYPE {
		kind = CompositeRel
	}
	r, err := c.lookupKind(s.Relation, kind)
	if err != nil {
		if s.MissingOk {
			eff.note("relation \"%s\" does not exist, skipping", s.Relation.Relname)
			return nil, nil
		}
		return nil, err
	}
	// ALTER INDEX … RENAME takes any relation (RangeVarCallbackForAlterRelation).
	if t != pgast.ObjectType_OBJECT_INDEX {
		err = checkObjectType(r, t)
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}

// renameRelation renames a table, view, sequence or index, with an index its constraint (RenameRelationInternal).
func (c *Catalog) renameRelation(r *Relation, name string) error {
	if _, err := c.checkRelationName(r.Schema, name, false, r.Index == nil && r.Kind != Sequence, nil); err != nil {
		return err
	}
	old := r.Name
	if r.Index != nil {
		if con := c.constraintOfIndex(r); con != nil {
			if c.constraintNamed(con.Table, name) != nil {
				return c.constraintExists(con.Table, name)
			}
			c.editConstraint(con.OID, func(con *Constraint) { con.Name = name })
		}
	}
	c.editRelation(r.OID, func(r *Relation) { r.Name = name })
	c.renameInExprs(Address{OID: r.OID}, relationRenamed{c: c, oid: r.OID, schema: c.NameOf(r.OID).Schema, old: old, new: c.NameOf(r.OID)})
	return nil
}

// renameColumn renames a column, in the children too (renameatt_internal).
func (c *Catalog) renameColumn(rel OID, old, name string, recurse, recursing bool) error {
	r := c.relation(rel)
	if r.OfType != 0 && !recursing {
		return errorf("42809", "cannot rename column of typed table")
	}
	switch r.Kind {
	case Sequence:
		return errorf("42809", "cannot rename columns of relation \"%s\"", r.Name)
	case Index, PartitionedIndex:
		return nil // attributes of indexes are not kept
	}
	if slices.Contains(systemColumns[:], old) {
		return errorf("0A000", "cannot rename system column \"%s\"", old)
	}
	col := c.findColumn(rel, old)
	if col == nil {
		e := errorf("42703", "column \"%s\" does not exist", old)
		e.Object = c.NameOf(rel)
		return e
	}
	children := c.Inheritors(rel)
	if !recurse && len(children) > 0 {
		return errorf("42P16", "inherited column \"%s\" must be renamed in child tables too", old)
	}
	if col.Inherited > 0 && !recursing {
		return errorf("42P16", "cannot rename inherited column \"%s\"", old)
	}
	if c.relation(rel).Column(name) != nil {
		return errorf("42701", "column \"%s\" of relation \"%s\" already exists", name, r.Name)
	}
	if slices.Contains(systemColumns[:], name) {
		return errorf("42701", "column name \"%s\" conflicts with a system column name", name)
	}
	for _, child := range children {
		if child.Column(old) != nil {
			if err := c.renameColumn(child.OID, old, name, true, true); err != nil {
				return err
			}
		}
	}
	num := col.Num
	c.editRelation(rel, func(r *Relation) {
		r.Columns[num-1].Name = name
		if r.Assumed {
			r.gone = append(slices.Clip(r.gone), old)
		}
	})
	c.renameInExprs(Address{rel, num}, columnRenamed{c: c, rel: rel, old: old, new: name})
	return nil
}

// renameConstraint renames a constraint, with its index when it has one, in the children too (rename_constraint_internal). root is
// the table it began with, 0 there.
func (c *Catalog) renameConstraint(table OID, old, name string, recurse bool, root OID) error {
	a := &alterTable{c: c, rel: table}
	con := a.findConstraint(old)
	r := c.relation(table)
	if con == nil {
		return errorf("42704", "constraint \"%s\" for table \"%s\" does not exist", old, r.Name)
	}
	if (con.Kind == Check || con.Kind == NotNullCon) && !con.NoInherit {
		children := c.Inheritors(table)
		if !recurse && len(children) > 0 {
			return errorf("42P16", "inherited constraint \"%s\" must be renamed in child tables too", old)
		}
		for _, child := range children {
			if c.constraintNamed(child.OID, old) != nil {
				if err := c.renameConstraint(child.OID, old, name, true, cmp.Or(root, table)); err != nil {
					return err
				}
			}
		}
		expected := 0 // parents that are renamed with it
		for _, p := range r.Inherits {
			if root != 0 && (p == root || c.inheritsFrom(c.relation(p), root)) {
				expected++
			}
		}
		if con.Inherited > expected {
			return errorf("42P16", "cannot rename inherited constraint \"%s\"", old)
		}
	}
	if index := c.relation(con.Index); index != nil && con.Kind != ForeignKey {
		return c.renameRelation(index, name)
	}
	if c.constraintNamed(table, name) != nil {
		return c.constraintExists(table, name)
	}
	c.editConstraint(con.OID, func(con *Constraint) { con.Name = name })
	if r.Assumed {
		c.editRelation(table, func(r *Relation) { r.goneConstraints = append(slices.Clip(r.goneConstraints), old) })
	}
	return nil
}

func (c *Catalog) renameSchema(old, name string) error {
	s, err := c.lookupSchema(old)
	if err != nil {
		return err
	}
	if c.SchemaNamed(name) != nil {
		return errorf("42P06", "schema \"%s\" already exists", name)
	}
	if len(name) > 3 && name[:3] == "pg_" {
		e := errorf("42939", "unacceptable schema name \"%s\"", name)
		e.Detail = "The prefix \"pg_\" is reserved for system schemas."
		return e
	}
	changed := *s
	changed.Name = name
	c.put(&changed)
	for _, o := range c.schemaMembers(s.OID) {
		if r, ok := o.(*Relation); ok {
			c.renameInExprs(Address{OID: r.OID}, relationRenamed{c: c, oid: r.OID, schema: old, old: r.Name, new: Name{name, r.Name}})
		}
	}
	return nil
}

// renamePart renames a trigger, rule or policy.
func (c *Catalog) renamePart(r *Relation, s *pgast.RenameStmt) error {
	var found Object
	for o := range c.childrenOf(r.OID) {
		var kind pgast.ObjectType
		var text string
		switch o.(type) {
		case *Trigger:
			kind, text = pgast.ObjectType_OBJECT_TRIGGER, "trigger \"%s\" for relation \"%s\" already exists"
		case *Rule:
			kind, text = pgast.ObjectType_OBJECT_RULE, "rule \"%s\" for relation \"%s\" already exists"
		case *Policy:
			kind, text = pgast.ObjectType_OBJECT_POLICY, "policy \"%s\" for table \"%s\" already exists"
		}
		if kind != s.RenameType {
			continue
		}
		switch o.ObjectName() {
		case s.Newname:
			return errorf("42710", text, s.Newname, r.Name)
		case s.Subname:
			found = o
		}
	}
	if found == nil {
		found = c.Get(c.assumePart(s.RenameType, r, s.Subname).OID)
	}
	switch o := found.(type) {
	case *Trigger:
		c.renameTrigger(o, s.Newname)
	case *Rule:
		changed := *o
		changed.Name = s.Newname
		c.put(&changed)
	case *Policy:
		changed := *o
		changed.Name = s.Newname
		c.put(&changed)
	default:
		if r.Assumed {
			return nil
		}
		switch s.RenameType {
		case pgast.ObjectType_OBJECT_TRIGGER:
			return errorf("42704", "trigger \"%s\" for table \"%s\" does not exist", s.Subname, r.Name)
		case pgast.ObjectType_OBJECT_RULE:
			return errorf("42704", "rule \"%s\" for relation \"%s\" does not exist", s.Subname, r.Name)
		}
		return errorf("42704", "policy \"%s\" for table \"%s\" does not exist", s.Subname, r.Name)
	}
	return nil
}

func (c *Catalog) renameTrigger(t *Trigger, name string) {
	changed := *t
	changed.Name = name
	c.put(&changed)
	if c.Version < 15 {
		return // the partitions' keep theirs (renametrig before 15)
	}
	for _, d := range c.Dependents(Address{OID: t.OID}) {
		if child, ok := c.Get(d.OID).(*Trigger); ok && child.Parent == t.OID {
			c.renameTrigger(child, name)
		}
	}
}

// renameObject renames what is found by its address.
func (c *Catalog) renameObject(oid OID, s *pgast.RenameStmt) error {
	switch o := c.Get(oid).(type) {
	case *Type:
		if c.nameTaken(o.Schema, s.Newname) {
			return errorf("42710", "type \"%s\" already exists", s.Newname)
		}
		changed := *o
		changed.Name = s.Newname
		c.put(&changed)
		if r := c.relation(o.Relation); r != nil {
			c.editRelation(r.OID, func(r *Relation) { r.Name = s.Newname })
		}
		c.renameInExprs(Address{OID: oid}, nameRenamed{old: o.Name, new: s.Newname, of: ClassType})
	case *Func:
		changed := *o
		changed.Name = s.Newname
		if other, taken := c.names.Get(nameKeyOf(&changed)); taken && other != oid {
			return errorf("42723", "function %s already exists in schema \"%s\"", c.signature(&changed), c.NameOf(o.Schema).Name)
		}
		c.put(&changed)
		c.renameInExprs(Address{OID: oid}, nameRenamed{old: o.Name, new: s.Newname, of: ClassFunction})
	case *Other:
		changed := *o
		changed.Name = s.Newname
		if _, taken := c.names.Get(nameKeyOf(&changed)); taken {
			return errorf("42710", "%s \"%s\" already exists", o.Kind, s.Newname)
		}
		c.put(&changed)
	default:
		return errorf(NotUnderstood, "RENAME of this kind of object is not followed")
	}
	return nil
}

func (c *Catalog) renameDomainConstraint(s *pgast.RenameStmt) error {
	a, err := c.objectAddress(pgast.ObjectType_OBJECT_DOMAIN, s.Object, false)
	if err != nil || a.OID == 0 {
		return err
	}
	name := c.NameOf(a.OID).Name
	con := c.constraintNamed(a.OID, s.Subname)
	if con == nil {
		return errorf("42704", "constraint \"%s\" for domain \"%s\" does not exist", s.Subname, name)
	}
	if c.constraintNamed(a.OID, s.Newname) != nil {
		return errorf("42710", "constraint \"%s\" for domain %s already exists", s.Newname, name)
	}
	c.editConstraint(con.OID, func(con *Constraint) { con.Name = s.Newname })
	return nil
}

// nameTaken tells whether a type or a relation with a row type has the name.
func (c *Catalog) nameTaken(schema OID, name string) bool {
	if _, taken := c.names.Get(nameKey(inTypes, schema, name)); taken {
		return true
	}
	oid, taken := c.names.Get(nameKey(inRelations, schema, name))
	if r := c.relation(oid); taken && r != nil {
		return r.Kind != Index && r.Kind != PartitionedIndex && r.Kind != Sequence
	}
	return false
}
