package catalog

import (
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// misc runs the subcommands of the last pass that only set something.
func (a *alterTable) misc(cmd *pgast.AlterTableCmd) error {
	c := a.c
	r := c.relation(a.rel)
	set := func(change func(r *Relation)) error {
		c.editRelation(a.rel, change)
		return nil
	}
	switch cmd.Subtype {
	case pgast.AlterTableType_AT_ChangeOwner, pgast.AlterTableType_AT_GenericOptions, pgast.AlterTableType_AT_DropOids:
		return nil
	case pgast.AlterTableType_AT_ClusterOn:
		index, err := c.indexOf(r, cmd.Name)
		if err != nil {
			return err
		}
		return set(func(r *Relation) { r.ClusterIndex = index.OID })
	case pgast.AlterTableType_AT_DropCluster:
		return set(func(r *Relation) { r.ClusterIndex = 0 })
	case pgast.AlterTableType_AT_SetLogged, pgast.AlterTableType_AT_SetUnLogged:
		if c.Version >= 18 {
			if err := a.allow(cmd, Table, Sequence); err != nil {
				return err
			}
		}
		return a.setPersistence(cmd.Subtype == pgast.AlterTableType_AT_SetLogged)
	case pgast.AlterTableType_AT_SetAccessMethod:
		if r.AccessMethod != cmd.Name {
			a.rewritten(a.rel)
		}
		c.dropDeps(a.rel, func(d Dep) bool { return d.Ref.OID == c.methodOID(r.AccessMethod) })
		c.addMethodDep(a.rel, cmd.Name, DepNormal)
		return set(func(r *Relation) { r.AccessMethod = cmd.Name })
	case pgast.AlterTableType_AT_SetTableSpace:
		return set(func(r *Relation) { r.Tablespace = tablespace(cmd.Name) })
	case pgast.AlterTableType_AT_SetRelOptions, pgast.AlterTableType_AT_ResetRelOptions, pgast.AlterTableType_AT_ReplaceRelOptions:
		return a.setOptions(cmd)
	case pgast.AlterTableType_AT_EnableTrig, pgast.AlterTableType_AT_EnableAlwaysTrig, pgast.AlterTableType_AT_EnableReplicaTrig,
		pgast.AlterTableType_AT_DisableTrig, pgast.AlterTableType_AT_EnableTrigAll, pgast.AlterTableType_AT_DisableTrigAll,
		pgast.AlterTableType_AT_EnableTrigUser, pgast.AlterTableType_AT_DisableTrigUser:
		return a.enableTrigger(a.rel, cmd)
	case pgast.AlterTableType_AT_EnableRule, pgast.AlterTableType_AT_EnableAlwaysRule, pgast.AlterTableType_AT_EnableReplicaRule,
		pgast.AlterTableType_AT_DisableRule:
		return a.enableRule(cmd)
	case pgast.AlterTableType_AT_EnableRowSecurity, pgast.AlterTableType_AT_DisableRowSecurity:
		return set(func(r *Relation) { r.RowSecurity = cmd.Subtype == pgast.AlterTableType_AT_EnableRowSecurity })
	case pgast.AlterTableType_AT_ForceRowSecurity, pgast.AlterTableType_AT_NoForceRowSecurity:
		return set(func(r *Relation) { r.ForceRLS = cmd.Subtype == pgast.AlterTableType_AT_ForceRowSecurity })
	case pgast.AlterTableType_AT_ReplicaIdentity:
		return a.replicaIdentity(cmd.Def.GetReplicaIdentityStmt())
	case pgast.AlterTableType_AT_AddInherit:
		return a.addInherit(cmd.Def.GetRangeVar())
	case pgast.AlterTableType_AT_DropInherit:
		return a.dropInherit(cmd.Def.GetRangeVar())
	case pgast.AlterTableType_AT_AddOf:
		return a.addOf(cmd.Def.GetTypeName())
	case pgast.AlterTableType_AT_DropOf:
		if r.OfType == 0 {
			return errorf("42809", "\"%s\" is not a typed table", r.Name)
		}
		c.dropDeps(a.rel, func(d Dep) bool { return d.Column == 0 && d.Ref.OID == r.OfType })
		return set(func(r *Relation) { r.OfType = 0 })
	case pgast.AlterTableType_AT_AttachPartition:
		return a.attachPartition(cmd.Def.GetPartitionCmd())
	case pgast.AlterTableType_AT_DetachPartition, pgast.AlterTableType_AT_DetachPartitionFinalize:
		return a.detachPartition(cmd.Def.GetPartitionCmd())
	}
	return errorf(NotUnderstood, "ALTER TABLE subcommand %s is not followed", strings.TrimPrefix(cmd.Subtype.String(), "AT_"))
}

// setPersistence is SET LOGGED and SET UNLOGGED: the table is rewritten, its indexes and (since 15) its sequences change
// with it.
func (a *alterTable) setPersistence(logged bool) error {
	c := a.c
	r := c.relation(a.rel)
	if r.Kind == Sequence && c.Version < 15 {
		return errorf("42809", "%s is not a table", quoteMessage(r.Name))
	}
	to := Unlogged
	if logged {
		to = Permanent
	}
	if r.Persistence == Temporary {
		return errorf("42P16", "cannot change logged status of table \"%s\" because it is temporary", r.Name)
	}
	if r.Persistence == to {
		return nil
	}
	for _, con := range c.Constraints(a.rel) {
		if con.Kind == ForeignKey && logged && con.RefTable != a.rel && c.relation(con.RefTable).Persistence != Permanent {
			return errorf("42P16", "could not change table \"%s\" to logged because it references unlogged table \"%s\"", r.Name, c.relation(con.RefTable).Name)
		}
	}
	if !logged {
		for _, con := range c.ReferencedBy(a.rel) {
			if con.Table != a.rel && c.relation(con.Table).Persistence == Permanent {
				return errorf("42P16", "could not change table \"%s\" to unlogged because it references logged table \"%s\"", r.Name, c.relation(con.Table).Name)
			}
		}
	}
	a.rewritten(a.rel)
	c.editRelation(a.rel, func(r *Relation) { r.Persistence = to })
	for _, index := range c.Indexes(a.rel) {
		c.editRelation(index.OID, func(r *Relation) { r.Persistence = to })
	}
	if c.Version >= 15 {
		for _, seq := range c.ownedSequences(a.rel) {
			c.editRelation(seq.OID, func(r *Relation) { r.Persistence = to })
		}
	}
	return nil
}

// ownedSequences lists the sequences that a table's columns own.
func (c *Catalog) ownedSequences(rel OID) []*Relation {
	var list []*Relation
	for o := range c.childrenOf(rel) {
		if r, ok := o.(*Relation); ok && r.Seq != nil && r.Seq.OwnedBy.OID == rel {
			list = append(list, r)
		}
	}
	return list
}

func (a *alterTable) setOptions(cmd *pgast.AlterTableCmd) error {
	c := a.c
	old := c.relation(a.rel).Options
	defs := cmd.Def.GetList().GetItems()
	if c.relation(a.rel).Kind == View {
		defs = a.setCheckOption(cmd, defs)
	}
	if cmd.Subtype == pgast.AlterTableType_AT_ReplaceRelOptions {
		old = nil
	}
	options, err := relOptions(old, defs, cmd.Subtype == pgast.AlterTableType_AT_ResetRelOptions)
	if err != nil {
		return err
	}
	if err := c.storesOptions(c.relation(a.rel), options); err != nil {
		return err
	}
	c.editRelation(a.rel, func(r *Relation) { r.Options = options })
	return nil
}

// storesOptions refuses storage parameters of what has no storage (partitioned_table_reloptions, since PostgreSQL 16; before, the
// parameters are not recognized).
func (c *Catalog) storesOptions(r *Relation, options []string) error {
	if r.Kind != PartitionedTable || len(options) == 0 || c.Version < 16 {
		return nil
	}
	e := errorf("42809", "cannot specify storage parameters for a partitioned table")
	e.Hint = "Specify storage parameters for its leaf partitions instead."
	return e
}

// setCheckOption takes check_option, which is kept with the view's query, out of the options.
func (a *alterTable) setCheckOption(cmd *pgast.AlterTableCmd, defs []*pgast.Node) []*pgast.Node {
	var rest []*pgast.Node
	for _, n := range defs {
		d := n.GetDefElem()
		if d.Defname != "check_option" {
			rest = append(rest, n)
			continue
		}
		value := ""
		if cmd.Subtype != pgast.AlterTableType_AT_ResetRelOptions {
			value = constText(d.Arg)
		}
		a.c.editRelation(a.rel, func(r *Relation) {
			if r.Query != nil {
				q := *r.Query
				q.CheckOption = value
				r.Query = &q
			}
		})
	}
	return rest
}

// enableTrigger is ENABLE/DISABLE TRIGGER (EnableDisableTrigger), on the partitions too.
func (a *alterTable) enableTrigger(rel OID, cmd *pgast.AlterTableCmd) error {
	c := a.c
	state := byte('O')
	switch cmd.Subtype {
	case pgast.AlterTableType_AT_EnableAlwaysTrig:
		state = 'A'
	case pgast.AlterTableType_AT_EnableReplicaTrig:
		state = 'R'
	case pgast.AlterTableType_AT_DisableTrig, pgast.AlterTableType_AT_DisableTrigAll, pgast.AlterTableType_AT_DisableTrigUser:
		state = 'D'
	}
	found := false
	for _, t := range c.Triggers(rel) {
		if cmd.Name != "" && t.Name != cmd.Name {
			continue
		}
		found = true
		if t.Enabled != state {
			changed := *t
			changed.Enabled = state
			c.put(&changed)
		}
	}
	if cmd.Name != "" && !found && !c.relation(rel).Assumed {
		return errorf("42704", "trigger \"%s\" for table \"%s\" does not exist", cmd.Name, c.relation(rel).Name)
	}
	if c.relation(rel).Kind == PartitionedTable && a.recurse {
		for _, part := range c.Inheritors(rel) {
			if cmd.Name != "" && !hasTrigger(c.Triggers(part.OID), cmd.Name) {
				continue
			}
			if err := a.enableTrigger(part.OID, cmd); err != nil {
				return err
			}
		}
	}
	return nil
}

func hasTrigger(list []*Trigger, name string) bool {
	for _, t := range list {
		if t.Name == name {
			return true
		}
	}
	return false
}

func (a *alterTable) enableRule(cmd *pgast.AlterTableCmd) error {
	c := a.c
	state := byte('O')
	switch cmd.Subtype {
	case pgast.AlterTableType_AT_EnableAlwaysRule:
		state = 'A'
	case pgast.AlterTableType_AT_EnableReplicaRule:
		state = 'R'
	case pgast.AlterTableType_AT_DisableRule:
		state = 'D'
	}
	for _, rule := range c.Rules(a.rel) {
		if rule.Name == cmd.Name {
			changed := *rule
			changed.Enabled = state
			c.put(&changed)
			return nil
		}
	}
	r := c.relation(a.rel)
	if r.Assumed {
		return nil
	}
	return errorf("42704", "rule \"%s\" for relation \"%s\" does not exist", cmd.Name, r.Name)
}

// replicaIdentity is REPLICA IDENTITY (ATExecReplicaIdentity).
func (a *alterTable) replicaIdentity(s *pgast.ReplicaIdentityStmt) error {
	c := a.c
	r := c.relation(a.rel)
	kind := byteOf(s.IdentityType)
	if kind != 'i' {
		c.editRelation(a.rel, func(r *Relation) { r.ReplicaIdent, r.ReplicaIndex = kind, 0 })
		return nil
	}
	index, err := c.indexOf(r, s.Name)
	if err != nil {
		return err
	}
	x := index.Index
	switch {
	case r.Assumed && len(x.Keys) == 0:
	case !x.Unique:
		return errorf("42809", "cannot use non-unique index \"%s\" as replica identity", index.Name)
	case !x.Immediate:
		return errorf("42809", "cannot use non-immediate index \"%s\" as replica identity", index.Name)
	case x.Predicate != nil:
		return errorf("42809", "cannot use partial index \"%s\" as replica identity", index.Name)
	}
	for _, key := range x.Keys {
		if key.Expr != nil {
			return errorf("42809", "cannot use expression index \"%s\" as replica identity", index.Name)
		}
		if col := c.relation(a.rel).Att(key.Column); col != nil && !col.NotNull {
			return errorf("42809", "index \"%s\" cannot be used as replica identity because column \"%s\" is nullable", index.Name, col.Name)
		}
	}
	c.editRelation(a.rel, func(r *Relation) { r.ReplicaIdent, r.ReplicaIndex = 'i', index.OID })
	return nil
}

// addOf makes a table one of a composite type with the same columns (ATExecAddOf).
func (a *alterTable) addOf(t *pgast.TypeName) error {
	c := a.c
	ref, err := c.resolveType(t)
	if err != nil {
		return err
	}
	typ, ok := c.Get(ref.OID).(*Type)
	if !ok || typ.Kind != CompositeType {
		return errorf("42809", "type %s is not a composite type", c.FormatType(ref))
	}
	r := c.relation(a.rel)
	if len(r.Inherits) > 0 {
		return errorf("42809", "typed tables cannot inherit")
	}
	i := 0
	for _, want := range c.relation(typ.Relation).Columns {
		if want.Dropped {
			continue
		}
		for i < len(r.Columns) && r.Columns[i].Dropped {
			i++
		}
		if i >= len(r.Columns) {
			return errorf("42804", "table is missing column \"%s\"", want.Name)
		}
		if r.Columns[i].Name != want.Name {
			return errorf("42804", "table has column \"%s\" where type requires \"%s\"", r.Columns[i].Name, want.Name)
		}
		if r.Columns[i].Type != want.Type {
			return errorf("42804", "table \"%s\" has different type for column \"%s\"", r.Name, want.Name)
		}
		i++
	}
	for ; i < len(r.Columns); i++ {
		if !r.Columns[i].Dropped {
			return errorf("42804", "table has extra column \"%s\"", r.Columns[i].Name)
		}
	}
	c.addDep(Address{OID: a.rel}, Address{OID: ref.OID}, DepNormal)
	c.editRelation(a.rel, func(r *Relation) { r.OfType = ref.OID })
	return nil
}
