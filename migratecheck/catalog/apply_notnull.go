package catalog

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// Since PostgreSQL 18 the NOT NULL of a table's column is a row of pg_constraint, with a name, as a CHECK is (release notes of 18,
// E.1.3.5). Up to 17 it is a property of the column and nothing else. Where no other source is named the functions here follow
// AddRelationNotNullConstraints in src/backend/catalog/heap.c and ATExecSetNotNull in src/backend/commands/tablecmds.c of 18.

// firstNamedNotNull is the first major version in which it is so.
const firstNamedNotNull = 18

// notNullSpec is a NOT NULL of a CREATE TABLE or a new column, before it is made.
type notNullSpec struct {
	column, name string
	noInherit    bool
	// Of what comes from parents:
	inherited int
}

// notNullOf returns the constraint of a column, nil when it has none or the server is older.
func (c *Catalog) notNullOf(table OID, num int) *Constraint {
	if c.Version < firstNamedNotNull {
		return nil
	}
	for _, con := range c.Constraints(table) {
		if con.Kind == NotNullCon && con.Columns[0] == num {
			return con
		}
	}
	return nil
}

// putNotNull makes the constraint of a column; an empty name is chosen.
func (c *Catalog) putNotNull(table OID, num int, con Constraint) *Constraint {
	r := c.relation(table)
	if con.Name == "" {
		con.Name = c.chooseConstraintName(r.Name, r.Att(num).Name, "not_null", r.Schema)
	}
	con.OID, con.Kind, con.Table, con.Columns = c.newOID(), NotNullCon, table, []int{num}
	c.addConstraint(&con)
	if col := r.Att(num); !col.NotNull || col.NotNullUnproved == con.Valid {
		c.editColumn(table, num, func(col *Column) { col.NotNull, col.NotNullUnproved = true, !con.Valid })
	}
	return &con
}

// setNotNull makes a column NOT NULL, in the children too.
func (c *Catalog) setNotNull(table OID, num int, recurse bool) error {
	if c.Version >= firstNamedNotNull {
		return c.addNotNull(table, num, Constraint{Valid: true, Local: true}, recurse)
	}
	r := c.relation(table)
	name := r.Att(num).Name
	if !r.Att(num).NotNull {
		c.editColumn(table, num, func(col *Column) { col.NotNull = true })
	}
	if !recurse {
		return nil
	}
	for _, child := range c.Inheritors(table) {
		if col := child.Column(name); col != nil {
			if err := c.setNotNull(child.OID, col.Num, true); err != nil {
				return err
			}
		}
	}
	return nil
}

// addNotNull adds the constraint con to a column, or to what is known of the one that is there already, and to the children.
func (c *Catalog) addNotNull(table OID, num int, con Constraint, recurse bool) error {
	r := c.relation(table)
	if old := c.notNullOf(table, num); old != nil {
		return c.mergeNotNull(old, con)
	}
	children := c.Inheritors(table)
	if !recurse && len(children) > 0 && !con.NoInherit {
		if r.Kind == PartitionedTable {
			e := errorf("42P16", "constraint must be added to child tables too")
			e.Hint = "Do not specify the ONLY keyword."
			return e
		}
		con.NoInherit = true
	}
	if con.Name != "" && c.constraintNamed(table, con.Name) != nil {
		return c.constraintExists(table, con.Name)
	}
	made := c.putNotNull(table, num, con)
	if made.NoInherit {
		return nil
	}
	for _, child := range children {
		if col := child.Column(r.Att(num).Name); col != nil {
			if err := c.addNotNull(child.OID, col.Num, Constraint{Name: made.Name, Valid: made.Valid, Inherited: 1}, true); err != nil {
				return err
			}
		}
	}
	return nil
}

// mergeNotNull is AdjustNotNullInheritance (src/backend/catalog/pg_constraint.c).
func (c *Catalog) mergeNotNull(old *Constraint, con Constraint) error {
	r := c.relation(old.Table)
	switch {
	case old.NoInherit != con.NoInherit:
		return errorf("55000", "cannot change NO INHERIT status of NOT NULL constraint \"%s\" on relation \"%s\"", old.Name, r.Name)
	case con.Valid && !old.Valid:
		e := errorf("55000", "incompatible NOT VALID constraint \"%s\" on relation \"%s\"", old.Name, r.Name)
		e.Hint = "You might need to validate it using ALTER TABLE ... VALIDATE CONSTRAINT."
		return e
	case con.Local && con.Name != "" && con.Name != old.Name:
		e := errorf("55000", "cannot create not-null constraint \"%s\" on column \"%s\" of table \"%s\"", con.Name, r.Att(old.Columns[0]).Name, r.Name)
		e.Detail = "A not-null constraint named \"" + old.Name + "\" already exists for this column."
		return e
	}
	if con.Local && !old.Local || con.Inherited > 0 {
		c.editConstraint(old.OID, func(old *Constraint) {
			old.Local = old.Local || con.Local
			old.Inherited += con.Inherited
		})
	}
	return nil
}

// notNullConstraint is ADD CONSTRAINT … NOT NULL column.
func (a *alterTable) notNullConstraint(con *pgast.Constraint) error {
	c := a.c
	r := c.relation(a.rel)
	name := stringsOf(con.Keys)[0]
	if slices.Contains(systemColumns[:], name) {
		return errorf("0A000", "cannot add not-null constraint on system column \"%s\"", name)
	}
	if r.Kind == PartitionedTable && con.IsNoInherit {
		return errorf("0A000", "not-null constraints on partitioned tables cannot be NO INHERIT")
	}
	col, err := c.lookupColumn(a.rel, name)
	if err != nil {
		return err
	}
	return c.addNotNull(a.rel, col.Num, Constraint{Name: con.Conname, Valid: !con.SkipValidation, Local: true, NoInherit: con.IsNoInherit}, a.recurse)
}

// setColumnNotNull is ALTER COLUMN … SET NOT NULL, which validates what was not.
func (a *alterTable) setColumnNotNull(rel OID, col *Column) error {
	c := a.c
	if con := c.notNullOf(rel, col.Num); con != nil {
		if con.NoInherit && a.recurse {
			return errorf("0A000", "cannot change NO INHERIT status of NOT NULL constraint \"%s\" on relation \"%s\"", con.Name, c.relation(rel).Name)
		}
		if !con.Valid {
			return a.validateConstraint(rel, con.Name, a.recurse)
		}
	}
	return c.setNotNull(rel, col.Num, a.recurse)
}

// dropNotNullConstraint is dropconstraint_internal, for DROP NOT NULL and DROP CONSTRAINT.
func (a *alterTable) dropNotNullConstraint(con *Constraint, recursing bool) error {
	c := a.c
	r := c.relation(con.Table)
	col := *r.Att(con.Columns[0])
	if con.Inherited > 0 && !recursing {
		return errorf("42P16", "cannot drop inherited constraint \"%s\" of relation \"%s\"", con.Name, r.Name)
	}
	if err := c.needsNotNull(r, &col); err != nil {
		return err
	}
	if err := c.dropObject(Address{OID: con.OID}, false, a.eff); err != nil {
		return err
	}
	c.editColumn(r.OID, col.Num, func(col *Column) { col.NotNull, col.NotNullUnproved = false, false })
	if con.NoInherit {
		return nil
	}
	for _, child := range c.Inheritors(r.OID) {
		own := child.Column(col.Name)
		if own == nil {
			continue
		}
		below := c.notNullOf(child.OID, own.Num)
		if below == nil || below.Inherited == 0 {
			continue
		}
		if a.recurse && below.Inherited == 1 && !below.Local {
			if err := a.dropNotNullConstraint(below, true); err != nil {
				return err
			}
			continue
		}
		c.editConstraint(below.OID, func(con *Constraint) {
			con.Inherited--
			con.Local = con.Local || !a.recurse
		})
	}
	return nil
}

// validateNotNull is VALIDATE CONSTRAINT (QueueNNConstraintValidation), in the children too.
func (a *alterTable) validateNotNull(con *Constraint, recurse bool) error {
	c := a.c
	if con.Valid {
		return nil
	}
	if !con.NoInherit {
		children := c.Inheritors(con.Table)
		if len(children) > 0 && !recurse {
			return errorf("42P16", "constraint must be validated on child tables too")
		}
		for _, child := range children {
			col := child.Column(c.relation(con.Table).Att(con.Columns[0]).Name)
			if col == nil {
				continue
			}
			if own := c.notNullOf(child.OID, col.Num); own != nil {
				if err := a.validateNotNull(own, true); err != nil {
					return err
				}
			}
		}
	}
	c.editConstraint(con.OID, func(con *Constraint) { con.Valid = true })
	c.editColumn(con.Table, con.Columns[0], func(col *Column) { col.NotNullUnproved = false })
	return nil
}

// needsNotNull refuses to take NOT NULL from what relies on it.
func (c *Catalog) needsNotNull(r *Relation, col *Column) error {
	for _, index := range c.Indexes(r.OID) {
		for _, key := range index.Index.Keys {
			if key.Column != col.Num {
				continue
			}
			if index.Index.Primary {
				return errorf("42P16", "column \"%s\" is in a primary key", col.Name)
			}
			if r.ReplicaIndex == index.OID {
				return errorf("42P16", "column \"%s\" is in index used as replica identity", col.Name)
			}
		}
	}
	if col.Identity != 0 {
		return errorf("55000", "column \"%s\" of relation \"%s\" is an identity column", col.Name, r.Name)
	}
	return nil
}

// mergeNotNullsInto links the NOT NULL constraints of a new child with the parent's (MergeConstraintsIntoExisting).
func (c *Catalog) mergeNotNullsInto(child, parent OID) error {
	r, p := c.relation(child), c.relation(parent)
	for _, con := range c.Constraints(parent) {
		if con.Kind != NotNullCon || con.NoInherit {
			continue
		}
		col := r.Column(p.Att(con.Columns[0]).Name)
		if col == nil {
			continue
		}
		own := c.notNullOf(child, col.Num)
		switch {
		case own == nil: // of an assumed table
			continue
		case own.NoInherit:
			return errorf("42P17", "constraint \"%s\" conflicts with non-inherited constraint on child table \"%s\"", own.Name, r.Name)
		case con.Valid && !own.Valid:
			return errorf("42P17", "constraint \"%s\" conflicts with NOT VALID constraint on child table \"%s\"", own.Name, r.Name)
		}
		c.inheritConstraint(own, p)
	}
	return nil
}

// unlinkNotNulls is for the NOT NULL constraints what RemoveInheritance is.
func (c *Catalog) unlinkNotNulls(child OID, parent *Relation) {
	for _, con := range c.Constraints(child) {
		if con.Kind != NotNullCon || con.Inherited == 0 {
			continue
		}
		up := parent.Column(c.relation(child).Att(con.Columns[0]).Name)
		if up == nil {
			continue
		}
		if above := c.notNullOf(parent.OID, up.Num); above == nil || above.NoInherit {
			continue
		}
		c.disinheritConstraint(con)
	}
}

// notNull notes a NOT NULL of the new table: of a column definition, of the table (name and column given), or LIKE's.
func (b *newTable) notNull(spec notNullSpec) {
	if b.c.Version >= firstNamedNotNull {
		b.notNulls = append(b.notNulls, spec)
	}
}

// mergeNotNulls makes one of those of the same column, as far as they agree.
func (b *newTable) mergeNotNulls() ([]notNullSpec, error) {
	var merged []notNullSpec
	for _, spec := range b.notNulls {
		i := slices.IndexFunc(merged, func(o notNullSpec) bool { return o.column == spec.column })
		if i < 0 {
			merged = append(merged, spec)
			continue
		}
		have := &merged[i]
		switch {
		case have.noInherit != spec.noInherit:
			return nil, errorf("42601", "conflicting NO INHERIT declaration for not-null constraint on column \"%s\"", spec.column)
		case have.name == "":
			have.name = spec.name
		case spec.name != "" && spec.name != have.name:
			return nil, errorf("42601", "conflicting not-null constraint names \"%s\" and \"%s\"", have.name, spec.name)
		}
	}
	return merged, nil
}

// inheritedNotNulls lists those of the parents by column, with the name of the first.
func (b *newTable) inheritedNotNulls(parents []*Relation) []notNullSpec {
	var list []notNullSpec
	for _, p := range parents {
		for _, col := range p.Columns {
			con := b.c.notNullOf(p.OID, col.Num)
			if con == nil || con.NoInherit || col.Dropped {
				continue
			}
			if i := slices.IndexFunc(list, func(o notNullSpec) bool { return o.column == col.Name }); i >= 0 {
				list[i].inherited++
			} else {
				list = append(list, notNullSpec{column: col.Name, name: con.Name, inherited: 1})
			}
		}
	}
	return list
}

// makeNotNulls stores the NOT NULL constraints of a new table: its own first, then what is only inherited.
func (b *newTable) makeNotNulls(rel OID, parents []*Relation) error {
	if b.c.Version < firstNamedNotNull {
		return nil
	}
	c := b.c
	own, err := b.mergeNotNulls()
	if err != nil {
		return err
	}
	above := b.inheritedNotNulls(parents)
	for _, spec := range own {
		r := c.relation(rel)
		col := r.Column(spec.column)
		if col == nil {
			return errorf("42703", "column \"%s\" of relation \"%s\" does not exist", spec.column, r.Name)
		}
		if r.Kind == PartitionedTable && spec.noInherit {
			return errorf("0A000", "not-null constraints on partitioned tables cannot be NO INHERIT")
		}
		con := Constraint{Name: spec.name, Valid: true, Local: true, NoInherit: spec.noInherit}
		if i := slices.IndexFunc(above, func(o notNullSpec) bool { return o.column == spec.column }); i >= 0 {
			if spec.noInherit {
				return errorf("42804", "cannot define not-null constraint with NO INHERIT on column \"%s\"", spec.column)
			}
			con.Inherited = above[i].inherited
			above = slices.Delete(above, i, i+1)
		}
		if con.Name != "" {
			if old := c.constraintNamed(rel, con.Name); old != nil && old.Kind != NotNullCon {
				return errorf("23505", "duplicate key value violates unique constraint \"pg_constraint_conrelid_contypid_conname_index\"")
			} else if old != nil {
				return c.constraintExists(rel, con.Name)
			}
		}
		c.putNotNull(rel, col.Num, con)
	}
	for _, spec := range above {
		if c.constraintNamed(rel, spec.name) != nil {
			spec.name = ""
		}
		c.putNotNull(rel, c.relation(rel).Column(spec.column).Num, Constraint{Name: spec.name, Valid: true, Inherited: spec.inherited})
	}
	return nil
}
