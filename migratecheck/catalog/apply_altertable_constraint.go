package catalog

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// prepareConstraint sorts ADD CONSTRAINT into its pass.
func (a *alterTable) prepareConstraint(cmd *pgast.AlterTableCmd) (pass int, run func() error, err error) {
	c, con := a.c, cmd.Def.GetConstraint()
	if err := a.allow(cmd, Table, PartitionedTable, ForeignTable); err != nil {
		return 0, nil, err
	}
	switch con.Contype {
	case pgast.ConstrType_CONSTR_CHECK:
		return passAddOtherConstraint, func() error { return a.addCheck(con) }, nil
	case pgast.ConstrType_CONSTR_NOTNULL:
		return passColumnAttrs, func() error { return a.notNullConstraint(con) }, nil
	case pgast.ConstrType_CONSTR_FOREIGN:
		return passAddOtherConstraint, func() error {
			r := c.relation(a.rel)
			if r.Kind == PartitionedTable && !a.recurse {
				return errorf("42809", "cannot use ONLY for foreign key on partitioned table \"%s\" referencing relation \"%s\"", r.Name, con.Pktable.GetRelname())
			}
			if r.Kind == ForeignTable {
				return errorf("0A000", "foreign key constraints are not supported on foreign tables")
			}
			return c.addForeignKey(a.rel, con, a.eff)
		}, nil
	case pgast.ConstrType_CONSTR_PRIMARY, pgast.ConstrType_CONSTR_UNIQUE, pgast.ConstrType_CONSTR_EXCLUSION:
		if con.Indexname != "" {
			return passAddIndexConstraint, func() error { return a.useIndex(con) }, nil
		}
		required := a.requiredKeys(con)
		return passAddIndex, func() error {
			r := c.relation(a.rel)
			if r.Kind == ForeignTable {
				return errorf("0A000", "primary key or unique constraints are not supported on foreign tables")
			}
			for _, num := range required {
				if col := r.Att(num); col != nil && !col.NotNull {
					return errorf("42P16", "primary key column \"%s\" is not marked NOT NULL", col.Name)
				}
			}
			return c.addIndexConstraint(a.rel, con, !a.recurse, a.eff)
		}, nil
	}
	return 0, nil, errorf(NotUnderstood, "ADD CONSTRAINT of this kind is not followed")
}

// requiredKeys lists the columns of a new primary key for which the statement adds no NOT NULL, since PostgreSQL 18: those that
// have it as the statement begins, whatever another subcommand makes of it (ATPrepAddPrimaryKey).
func (a *alterTable) requiredKeys(con *pgast.Constraint) []int {
	if con.Contype != pgast.ConstrType_CONSTR_PRIMARY || a.c.Version < firstNamedNotNull {
		return nil
	}
	var list []int
	for _, name := range stringsOf(con.Keys) {
		if col := a.c.relation(a.rel).Column(name); col != nil && col.NotNull {
			list = append(list, col.Num)
		}
	}
	return list
}

func (a *alterTable) addCheck(con *pgast.Constraint) error {
	if !a.recurse && !con.IsNoInherit && len(a.c.Inheritors(a.rel)) > 0 {
		return errorf("42P16", "constraint must be added to child tables too")
	}
	_, err := a.c.addCheck(a.rel, con, nil, true, a.recurse, a.eff)
	return err
}

// useIndex is ADD CONSTRAINT … USING INDEX: the index becomes the constraint's and takes its name
// (transformIndexConstraint, ATExecAddIndexConstraint).
func (a *alterTable) useIndex(con *pgast.Constraint) error {
	c := a.c
	r := c.relation(a.rel)
	if r.Kind == PartitionedTable {
		return errorf("0A000", "ALTER TABLE / ADD CONSTRAINT USING INDEX is not supported on partitioned tables")
	}
	oid, ok := c.names.Get(nameKey(inRelations, r.Schema, con.Indexname))
	index := c.relation(oid)
	if !ok {
		if index = c.assumeRelation(&pgast.RangeVar{Schemaname: c.NameOf(r.Schema).Schema, Relname: con.Indexname}, Index); index == nil {
			return errorf("42704", "index \"%s\" does not exist", con.Indexname)
		}
		index = c.editRelation(index.OID, func(index *Relation) {
			index.Index = &IndexAttrs{Table: r.OID, Unique: true, Valid: true, Immediate: true}
		})
		index.AccessMethod = "btree"
	}
	if index.Index == nil {
		return errorf("42809", "\"%s\" is not an index", con.Indexname)
	}
	if err := a.usableIndex(r, index); err != nil {
		return err
	}
	primary := con.Contype == pgast.ConstrType_CONSTR_PRIMARY
	if primary && c.primaryKey(r.OID) != nil {
		return errorf("42P16", "multiple primary keys for table \"%s\" are not allowed", r.Name)
	}
	name := con.Conname
	if name == "" {
		name = index.Name
	}
	if c.constraintNamed(r.OID, name) != nil {
		return c.constraintExists(r.OID, name)
	}
	if name != index.Name {
		a.eff.note("ALTER TABLE / ADD CONSTRAINT USING INDEX will rename index \"%s\" to \"%s\"", index.Name, name)
		if _, err := c.checkNewRelation(r.Schema, name, false, false, a.eff); err != nil {
			return err
		}
	}
	index = c.editRelation(index.OID, func(index *Relation) {
		x := *index.Index
		x.Primary, x.Immediate = primary, !con.Deferrable
		index.Name, index.Index = name, &x
	})
	made := &Constraint{
		OID: c.newOID(), Name: name, Kind: Unique, Table: r.OID, Index: index.OID, Valid: true, Local: true, NoInherit: true,
		Deferrable: con.Deferrable, Deferred: con.Initdeferred,
	}
	if primary {
		made.Kind = PrimaryKey
	}
	for _, key := range index.Index.Keys {
		made.Columns = append(made.Columns, key.Column)
		if primary {
			if err := c.setNotNull(r.OID, key.Column, a.recurse); err != nil {
				return err
			}
		}
	}
	c.dropDeps(index.OID, func(d Dep) bool { return d.Ref.OID == r.OID && d.Type == DepAuto })
	c.addIndexedConstraint(made, index)
	c.addDep(Address{OID: index.OID}, Address{OID: made.OID}, DepInternal)
	return nil
}

func (a *alterTable) usableIndex(r, index *Relation) error {
	x := index.Index
	plain := func(code, text string) error {
		e := errorf(code, text, index.Name)
		e.Detail = "Cannot create a primary key or unique constraint using such an index."
		return e
	}
	if a.c.constraintOfIndex(index) != nil {
		return errorf("55000", "index \"%s\" is already associated with a constraint", index.Name)
	}
	if x.Table != r.OID {
		return errorf("55000", "index \"%s\" does not belong to table \"%s\"", index.Name, r.Name)
	}
	switch {
	case !x.Valid:
		return errorf("55000", "index \"%s\" is not valid", index.Name)
	case !x.Unique:
		return plain("42809", "\"%s\" is not a unique index")
	case slices.ContainsFunc(x.Keys, func(k IndexKey) bool { return k.Expr != nil }):
		return plain("42809", "index \"%s\" contains expressions")
	case x.Predicate != nil:
		return plain("42809", "\"%s\" is a partial index")
	}
	for i, key := range x.Keys {
		if key.OpClass != "" || key.Collation != "" || key.Desc || key.NullsFirst {
			return plain("42809", "index \"%s\" column number "+itoa(i+1)+" does not have default sorting behavior")
		}
	}
	return nil
}

func (a *alterTable) noConstraint(name string) error {
	e := errorf("42704", "constraint \"%s\" of relation \"%s\" does not exist", name, a.c.relation(a.rel).Name)
	e.Object = Name{Name: name}
	return e
}

// findConstraint finds a constraint of the table; of an assumed table that was never seen to have it, one is assumed:
// nothing more is known of it than its name.
func (a *alterTable) findConstraint(name string) *Constraint {
	c := a.c
	if con := c.constraintNamed(a.rel, name); con != nil {
		return con
	}
	r := c.relation(a.rel)
	if !r.Assumed || slices.Contains(r.goneConstraints, name) {
		return nil
	}
	con := &Constraint{OID: c.newOID(), Name: name, Kind: Check, Table: a.rel, Valid: true, Local: true, Check: &Expr{Unknown: true, Volatility: Immutable}, Assumed: true}
	c.assume(con)
	c.addDep(Address{OID: con.OID}, Address{OID: a.rel}, DepAuto)
	return con
}

// dropConstraint is ATExecDropConstraint.
func (a *alterTable) dropConstraint(cmd *pgast.AlterTableCmd) error {
	c := a.c
	con := a.findConstraint(cmd.Name)
	r := c.relation(a.rel)
	if con == nil {
		if cmd.MissingOk {
			a.eff.note("constraint \"%s\" of relation \"%s\" does not exist, skipping", cmd.Name, r.Name)
			return nil
		}
		return a.noConstraint(cmd.Name)
	}
	if con.Kind == NotNullCon {
		return a.dropNotNullConstraint(con, false)
	}
	if con.Inherited > 0 {
		return errorf("42P16", "cannot drop inherited constraint \"%s\" of relation \"%s\"", con.Name, r.Name)
	}
	if r.Assumed {
		c.editRelation(a.rel, func(r *Relation) { r.goneConstraints = append(slices.Clip(r.goneConstraints), con.Name) })
	}
	if con.Kind == Check && !con.NoInherit {
		if r.Kind == PartitionedTable && !a.recurse && len(c.Inheritors(a.rel)) > 0 {
			e := errorf("42P16", "cannot remove constraint from only the partitioned table when partitions exist")
			e.Hint = "Do not specify the ONLY keyword."
			return e
		}
	}
	if err := c.dropObject(Address{OID: con.OID}, cmd.Behavior == pgast.DropBehavior_DROP_CASCADE, a.eff); err != nil {
		return err
	}
	if con.Kind == Check && !con.NoInherit {
		return a.dropInheritedCheck(a.rel, con.Name)
	}
	return nil
}

// dropInheritedCheck takes a dropped CHECK away from the children, unless they have it from elsewhere too.
func (a *alterTable) dropInheritedCheck(rel OID, name string) error {
	c := a.c
	for _, child := range c.Inheritors(rel) {
		con := c.constraintNamed(child.OID, name)
		if con == nil || con.Inherited == 0 {
			continue
		}
		if a.recurse && con.Inherited == 1 && !con.Local {
			if err := c.dropObject(Address{OID: con.OID}, false, a.eff); err != nil {
				return err
			}
			if err := a.dropInheritedCheck(child.OID, name); err != nil {
				return err
			}
			continue
		}
		c.editConstraint(con.OID, func(con *Constraint) {
			con.Inherited--
			con.Local = con.Local || !a.recurse
		})
	}
	return nil
}

// validateConstraint is VALIDATE CONSTRAINT (ATExecValidateConstraint).
func (a *alterTable) validateConstraint(rel OID, name string, recurse bool) error {
	c := a.c
	con := c.constraintNamed(rel, name)
	if con == nil && rel == a.rel {
		con = a.findConstraint(name)
	}
	if con == nil {
		return a.noConstraint(name)
	}
	if con.Kind == NotNullCon {
		return a.validateNotNull(con, recurse)
	}
	if con.Kind != ForeignKey && con.Kind != Check {
		if c.Version >= 18 {
			e := errorf("42809", "cannot validate constraint \"%s\" of relation \"%s\"", name, c.relation(rel).Name)
			e.Detail = "This operation is not supported for this type of constraint."
			return e
		}
		return errorf("42809", "constraint \"%s\" of relation \"%s\" is not a foreign key or check constraint", name, c.relation(rel).Name)
	}
	if con.Valid {
		return nil
	}
	if con.Kind == Check && !con.NoInherit {
		children := c.Inheritors(rel)
		if len(children) > 0 && !recurse {
			return errorf("42P16", "constraint must be validated on child tables too")
		}
		for _, child := range children {
			if c.constraintNamed(child.OID, name) != nil {
				if err := a.validateConstraint(child.OID, name, true); err != nil {
					return err
				}
			}
		}
	}
	c.editConstraint(con.OID, func(con *Constraint) { con.Valid = true })
	return nil
}

// alterConstraint is ALTER CONSTRAINT … DEFERRABLE (ATExecAlterConstraint).
func (a *alterTable) alterConstraint(cmd *pgast.AlterTableCmd) error {
	c := a.c
	def := cmd.Def.GetConstraint()
	con := a.findConstraint(def.Conname)
	if con == nil {
		return a.noConstraint(def.Conname)
	}
	if con.Assumed {
		return nil
	}
	if con.Kind != ForeignKey {
		return errorf("42809", "constraint \"%s\" of relation \"%s\" is not a foreign key constraint", con.Name, c.relation(a.rel).Name)
	}
	if up, ok := c.Get(con.Parent).(*Constraint); ok {
		e := errorf("42809", "cannot alter constraint \"%s\" on relation \"%s\"", con.Name, c.relation(a.rel).Name)
		e.Detail = "Constraint \"" + con.Name + "\" is derived from constraint \"" + up.Name + "\" of relation \"" + c.relation(up.Table).Name + "\"."
		e.Hint = "You may alter the constraint it derives from instead."
		return e
	}
	c.deferConstraint(con.OID, def.Deferrable, def.Initdeferred)
	return nil
}

func (c *Catalog) deferConstraint(oid OID, deferrable, deferred bool) {
	c.editConstraint(oid, func(con *Constraint) { con.Deferrable, con.Deferred = deferrable, deferred })
	for _, d := range c.Dependents(Address{OID: oid}) {
		if con, ok := c.Get(d.OID).(*Constraint); ok && con.Parent == oid {
			c.deferConstraint(con.OID, deferrable, deferred)
		}
	}
}
