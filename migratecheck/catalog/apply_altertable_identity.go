package catalog

import (
	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// addIdentity is ADD GENERATED … AS IDENTITY (ATExecAddIdentity).
func (a *alterTable) addIdentity(rel OID, col *Column, cmd *pgast.AlterTableCmd) error {
	c := a.c
	r := c.relation(rel)
	con := cmd.Def.GetConstraint()
	switch {
	case !col.NotNull:
		return errorf("55000", "column \"%s\" of relation \"%s\" must be declared NOT NULL before identity can be added", col.Name, r.Name)
	case col.NotNullUnproved:
		e := errorf("55000", "incompatible NOT VALID constraint \"%s\" on relation \"%s\"", c.notNullOf(rel, col.Num).Name, r.Name)
		e.Hint = "You might need to validate it using ALTER TABLE ... VALIDATE CONSTRAINT."
		return e
	case col.Identity != 0:
		return errorf("55000", "column \"%s\" of relation \"%s\" is already an identity column", col.Name, r.Name)
	case col.Default != nil:
		return errorf("55000", "column \"%s\" of relation \"%s\" already has a default value", col.Name, r.Name)
	}
	b := &newTable{c: c, eff: a.eff, schema: r.Schema, name: r.Name, temp: r.Persistence == Temporary, unlogged: r.Persistence == Unlogged}
	if _, err := b.makeSequence(col.Name, col.Type, con.Options, true); err != nil {
		return err
	}
	b.own(rel)
	c.editColumn(rel, col.Num, func(col *Column) { col.Identity = byteOf(con.GeneratedWhen) })
	if c.Version >= 17 && r.Kind == PartitionedTable {
		return a.eachChild(rel, col.Name, func(child OID, col *Column) error {
			c.editColumn(child, col.Num, func(col *Column) { col.Identity = byteOf(con.GeneratedWhen) })
			return nil
		})
	}
	return nil
}

func (a *alterTable) notIdentity(rel OID, name string) error {
	return errorf("55000", "column \"%s\" of relation \"%s\" is not an identity column", name, a.c.relation(rel).Name)
}

// setIdentity is SET GENERATED and SET of sequence options (ATExecSetIdentity).
func (a *alterTable) setIdentity(rel OID, col *Column, cmd *pgast.AlterTableCmd) error {
	c := a.c
	if col.Identity == 0 {
		return a.notIdentity(rel, col.Name)
	}
	var options []*pgast.Node
	for _, n := range cmd.Def.GetList().GetItems() {
		if d := n.GetDefElem(); d.Defname == "generated" {
			c.editColumn(rel, col.Num, func(col *Column) { col.Identity = byte(d.Arg.GetInteger().GetIval()) })
		} else {
			options = append(options, n)
		}
	}
	seq := c.ownedSequence(Address{rel, col.Num}, true)
	if len(options) == 0 || seq == nil {
		return nil
	}
	attrs := *seq.Seq
	if _, err := c.sequenceOptions(&attrs, options, false); err != nil {
		return err
	}
	c.editRelation(seq.OID, func(r *Relation) { r.Seq = &attrs })
	return nil
}

// dropIdentity is DROP IDENTITY: the sequence goes too (ATExecDropIdentity).
func (a *alterTable) dropIdentity(rel OID, col *Column, cmd *pgast.AlterTableCmd) error {
	c := a.c
	if col.Identity == 0 {
		if cmd.MissingOk {
			a.eff.note("column \"%s\" of relation \"%s\" is not an identity column, skipping", col.Name, c.relation(rel).Name)
			return nil
		}
		return a.notIdentity(rel, col.Name)
	}
	c.editColumn(rel, col.Num, func(col *Column) { col.Identity = 0 })
	if seq := c.ownedSequence(Address{rel, col.Num}, true); seq != nil {
		c.dropDeps(seq.OID, func(d Dep) bool { return d.Type == DepInternal })
		if err := c.dropObject(Address{OID: seq.OID}, false, a.eff); err != nil {
			return err
		}
	}
	if c.Version < 17 || c.relation(rel).Kind != PartitionedTable {
		return nil
	}
	return a.eachChild(rel, col.Name, func(child OID, col *Column) error {
		c.editColumn(child, col.Num, func(col *Column) { col.Identity = 0 })
		return nil
	})
}
