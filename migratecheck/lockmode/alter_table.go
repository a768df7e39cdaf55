package lockmode

import (
	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// alteration is one ALTER TABLE (or INDEX, VIEW, SEQUENCE, TYPE … with the same subcommands).
type alteration struct {
	*analyzer
	table member
	stmt  *pgast.AlterTableStmt
	mode  Mode // the strongest that any subcommand needs: it is taken once, before the first of them runs
	inh   bool // not ALTER TABLE ONLY
	// rewritten lists the tables that are written anew, whose rows are then checked in passing and all indexes rebuilt.
	rewritten map[target]bool
}

// alterTable follows AlterTable (src/backend/commands/tablecmds.c).
func (a *analyzer) alterTable(s *pgast.AlterTableStmt) {
	t, rel, ok := a.ref(s.Relation)
	if !ok || a.missing(t, rel, s.MissingOk) {
		return
	}
	alt := &alteration{analyzer: a, table: member{t, rel}, stmt: s, inh: s.Relation.Inh, rewritten: map[target]bool{}}
	cmds := make([]*pgast.AlterTableCmd, 0, len(s.Cmds))
	for _, n := range s.Cmds {
		if cmd := n.GetAlterTableCmd(); cmd != nil {
			cmds = append(cmds, cmd)
			alt.mode = Strongest(alt.mode, alterTableMode(a.version, cmd))
		}
	}
	a.lock(t, alt.mode)
	for _, cmd := range cmds {
		alt.rewrites(cmd) // first: whether a table is rewritten decides what else happens to it
	}
	for _, cmd := range cmds {
		alt.command(cmd)
	}
	if !onlyTypeChanges(cmds) {
		a.dropped()
	}
}

// onlyTypeChanges: a change of type renews constraints and indexes, and may replace defaults, which is no drop.
func onlyTypeChanges(cmds []*pgast.AlterTableCmd) bool {
	for _, cmd := range cmds {
		switch cmd.Subtype {
		case pgast.AlterTableType_AT_AlterColumnType, pgast.AlterTableType_AT_ColumnDefault:
		default:
			return false
		}
	}
	return true
}

// recurse locks the children of the altered table, as ATSimpleRecursion does, in the mode of the whole statement, and calls
// f for the table and each of them.
func (a *alteration) recurse(f func(m member)) {
	for i, m := range a.family(a.table.target, a.table.rel, a.inh) {
		if i > 0 {
			a.lock(m.target, a.mode)
		}
		if f != nil {
			f(m)
		}
	}
}

// partitions is recurse for what plain inheritance does not pass on.
func (a *alteration) partitions(f func(m member)) {
	if !isPartitioned(a.table.rel) {
		if f != nil {
			f(a.table)
		}
		return
	}
	a.recurse(f)
}

// command notes what one subcommand does besides rewriting tables.
func (a *alteration) command(cmd *pgast.AlterTableCmd) {
	switch cmd.Subtype {
	case pgast.AlterTableType_AT_AddColumn:
		a.addColumn(cmd)
	case pgast.AlterTableType_AT_AlterColumnType:
		a.changeType(cmd)
	case pgast.AlterTableType_AT_ColumnDefault, pgast.AlterTableType_AT_DropNotNull, pgast.AlterTableType_AT_SetStorage,
		pgast.AlterTableType_AT_SetStatistics, pgast.AlterTableType_AT_DropExpression:
		a.recurse(nil)
	case pgast.AlterTableType_AT_SetNotNull:
		if a.notNullBelow(cmd.Name) {
			return
		}
		a.recurse(func(m member) { a.notNull(m, cmd.Name, "checks that no row has NULL in column "+cmd.Name) })
	case pgast.AlterTableType_AT_DropColumn:
		// With ONLY the children keep the column, but learn that it is theirs now (attislocal).
		if a.table.rel != nil && a.table.rel.Column(cmd.Name) != nil {
			for _, child := range a.descendants(a.table.rel) {
				a.lockRel(child, a.mode)
			}
		}
		if a.table.rel == nil || a.table.rel.Assumed {
			a.assume("the indexes and foreign keys of column " + cmd.Name + ", and what depends on it, are not known")
		}
		a.typedTables(a.table.rel, cmd.Behavior)
	case pgast.AlterTableType_AT_AddConstraint, pgast.AlterTableType_AT_AddIndexConstraint:
		if a.version >= 18 {
			a.recurse(nil) // ATPrepCmd locks the descendants whether the constraint is inherited or not
		}
		a.addConstraint(cmd.Def.GetConstraint(), nil, false)
	case pgast.AlterTableType_AT_DropConstraint:
		a.dropConstraint(cmd)
	case pgast.AlterTableType_AT_ValidateConstraint:
		a.validateConstraint(cmd.Name)
	case pgast.AlterTableType_AT_AlterConstraint:
		a.alterConstraint(cmd)
	case pgast.AlterTableType_AT_ClusterOn:
		if rel := a.indexNamed(cmd.Name); rel != nil {
			a.lockRel(rel, a.mode)
		}
	case pgast.AlterTableType_AT_ReplicaIdentity:
		if rel := a.indexNamed(cmd.Def.GetReplicaIdentityStmt().GetName()); rel != nil {
			a.lockRel(rel, Share)
		}
	case pgast.AlterTableType_AT_ChangeOwner:
		a.changeOwner(cmd)
	case pgast.AlterTableType_AT_SetTableSpace:
		a.setTablespace(cmd)
	case pgast.AlterTableType_AT_AddInherit:
		a.addInherit(cmd)
	case pgast.AlterTableType_AT_DropInherit:
		if t, _, ok := a.ref(cmd.Def.GetRangeVar()); ok {
			a.lock(t, AccessShare)
		}
	case pgast.AlterTableType_AT_AddOf:
		a.ofType(cmd.Def.GetTypeName())
	case pgast.AlterTableType_AT_AttachPartition:
		a.attach(cmd.Def.GetPartitionCmd())
	case pgast.AlterTableType_AT_DetachPartition, pgast.AlterTableType_AT_DetachPartitionFinalize:
		a.detach(cmd)
	case pgast.AlterTableType_AT_EnableTrig, pgast.AlterTableType_AT_EnableAlwaysTrig, pgast.AlterTableType_AT_EnableReplicaTrig,
		pgast.AlterTableType_AT_DisableTrig, pgast.AlterTableType_AT_EnableTrigAll, pgast.AlterTableType_AT_DisableTrigAll,
		pgast.AlterTableType_AT_EnableTrigUser, pgast.AlterTableType_AT_DisableTrigUser:
		a.enableTrigger(cmd)
	case pgast.AlterTableType_AT_AddIdentity, pgast.AlterTableType_AT_SetIdentity, pgast.AlterTableType_AT_DropIdentity:
		a.identity(cmd)
	}
}

func (a *alteration) indexNamed(name string) *catalog.Relation {
	if a.table.rel == nil || name == "" {
		return nil
	}
	for _, index := range a.before.Indexes(a.table.rel.OID) {
		if index.Name == name {
			return index
		}
	}
	return nil
}

// notNull notes the scan for SET NOT NULL, unless the column is NOT NULL or a valid CHECK constraint says so (since
// version 12; NotNullImpliedByRelConstraints).
func (a *alteration) notNull(m member, column, reason string) {
	if m.rel != nil {
		if !hasStorage(m.rel) || a.provedNotNull(m.rel, column) {
			return
		}
	}
	a.scan(m.target, ScanValidate, reason)
}

// notNullBelow tells whether a column is NOT NULL already, so that SET NOT NULL does not go on to the partitions
// (ATPrepSetNotNull) or, since version 18, the children (ATExecSetNotNull).
func (a *alteration) notNullBelow(column string) bool {
	if !isPartitioned(a.table.rel) && (a.version < 18 || a.table.rel == nil) {
		return false
	}
	col := a.table.rel.Column(column)
	return col != nil && col.NotNull && !col.NotNullUnproved
}

// provedNotNull tells whether no scan is needed to know that a column holds no NULL.
func (a *analyzer) provedNotNull(rel *catalog.Relation, column string) bool {
	if col := rel.Column(column); col != nil && col.NotNull && !col.NotNullUnproved {
		return true
	}
	for _, con := range a.before.Constraints(rel.OID) {
		if con.Kind == catalog.Check && con.Valid && con.Check != nil && saysNotNull(con.Check.Node, column) {
			return true
		}
	}
	return false
}

// saysNotNull tells whether a CHECK expression has column IS NOT NULL among its AND terms. Nothing else proves it: CHECK
// (a > 0) is satisfied by NULL.
func saysNotNull(n *pgast.Node, column string) bool {
	for _, term := range conjuncts(n) {
		if nt := term.GetNullTest(); nt != nil && nt.Nulltesttype == pgast.NullTestType_IS_NOT_NULL && columnName(nt.Arg) == column {
			return true
		}
	}
	return false
}

// conjuncts splits an expression at its ANDs.
func conjuncts(n *pgast.Node) []*pgast.Node {
	if b := n.GetBoolExpr(); b != nil && b.Boolop == pgast.BoolExprType_AND_EXPR {
		var list []*pgast.Node
		for _, arg := range b.Args {
			list = append(list, conjuncts(arg)...)
		}
		return list
	}
	if n == nil {
		return nil
	}
	return []*pgast.Node{n}
}

// columnName is the column that an expression is, "" when it is something else.
func columnName(n *pgast.Node) string {
	fields := n.GetColumnRef().GetFields()
	if len(fields) == 0 {
		return ""
	}
	return fields[len(fields)-1].GetString_().GetSval()
}

// changeOwner follows ATExecChangeOwner: indexes and owned sequences change hands with their table. To the owner it has
// already it does nothing.
func (a *alteration) changeOwner(cmd *pgast.AlterTableCmd) {
	if isCurrentUser(cmd.Newowner) || a.table.rel == nil {
		return
	}
	a.lockIndexes(a.table.rel, AccessExclusive)
	for _, seq := range a.ownedSequences(a.table.rel, 0) {
		a.lockRel(seq, AccessExclusive)
	}
}

func (a *alteration) setTablespace(cmd *pgast.AlterTableCmd) {
	space := cmd.Name
	if space == "pg_default" {
		space = ""
	}
	rel := a.table.rel
	if rel == nil {
		a.rewriteFile(a.table.target, catalog.Table, "SET TABLESPACE copies the file", false)
		return
	}
	if hasStorage(rel) && rel.Tablespace != space {
		a.rewriteFile(a.table.target, rel.Kind, "SET TABLESPACE copies the file", false)
	}
}

// addInherit follows ATExecAddInherit: the new parent is locked SHARE UPDATE EXCLUSIVE.
func (a *alteration) addInherit(cmd *pgast.AlterTableCmd) {
	if t, _, ok := a.ref(cmd.Def.GetRangeVar()); ok {
		a.lock(t, ShareUpdateExclusive)
	}
	for _, child := range a.descendants(a.table.rel) {
		a.lockRel(child, AccessExclusive)
	}
}

// enableTrigger follows EnableDisableTrigger: a row trigger's clones on the partitions are switched too.
func (a *alteration) enableTrigger(cmd *pgast.AlterTableCmd) {
	if !isPartitioned(a.table.rel) || !a.inh {
		return
	}
	cloned := false
	for _, t := range a.before.Triggers(a.table.rel.OID) {
		if t.Row && (cmd.Name == "" || t.Name == cmd.Name) {
			cloned = true
		}
	}
	all := cmd.Subtype == pgast.AlterTableType_AT_EnableTrigAll || cmd.Subtype == pgast.AlterTableType_AT_DisableTrigAll
	if all && a.version >= 15 { // those of foreign keys have clones too since version 15
		for _, con := range a.before.Constraints(a.table.rel.OID) {
			cloned = cloned || con.Kind == catalog.ForeignKey
		}
		cloned = cloned || len(a.before.ReferencedBy(a.table.rel.OID)) > 0
	}
	if cloned {
		for _, child := range a.descendants(a.table.rel) {
			a.lockRel(child, a.mode)
		}
	}
}

// identity follows ATExecAddIdentity and its like; since version 17 partitions have their parent's identity.
func (a *alteration) identity(cmd *pgast.AlterTableCmd) {
	if a.version >= 17 && isPartitioned(a.table.rel) {
		a.recurse(nil)
	}
	if a.table.rel == nil {
		return
	}
	col := a.table.rel.Column(cmd.Name)
	if col == nil {
		return
	}
	for _, seq := range a.ownedSequences(a.table.rel, col.Num) {
		switch {
		case cmd.Subtype == pgast.AlterTableType_AT_DropIdentity:
			a.lockRel(seq, AccessExclusive)
		case cmd.Subtype == pgast.AlterTableType_AT_SetIdentity:
			a.lockRel(seq, ShareRowExclusive) // an ALTER SEQUENCE, be it an empty one (transformAlterTableStmt)
			if !changesSequence(cmd.Def) {
				continue
			}
			a.rewriteFile(a.target(seq), seq.Kind, "ALTER COLUMN … SET sequence option", true)
		}
	}
}

// changesSequence tells whether SET GENERATED … comes with options of the sequence, such as RESTART.
func changesSequence(n *pgast.Node) bool {
	for _, item := range n.GetList().GetItems() {
		if item.GetDefElem().GetDefname() != "generated" {
			return true
		}
	}
	return false
}
