package lockmode

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// rename follows RenameRelation, renameatt, RenameConstraint, renametrig, RenameRewriteRule, rename_policy.
func (a *analyzer) rename(s *pgast.RenameStmt) {
	switch s.RenameType {
	case pgast.ObjectType_OBJECT_TYPE:
		if rel := a.compositeNamed(s.Object); rel != nil {
			a.lockRel(rel, AccessExclusive)
		}
		return
	}
	if s.Relation == nil {
		return
	}
	t, rel, ok := a.ref(s.Relation)
	if !ok || a.missing(t, rel, s.MissingOk) {
		return
	}
	switch s.RenameType {
	case pgast.ObjectType_OBJECT_INDEX:
		// ALTER INDEX … RENAME needs less than ALTER TABLE … RENAME on the same index (since version 12).
		mode := ShareUpdateExclusive
		if rel != nil && rel.Index == nil && !rel.Assumed {
			mode = AccessExclusive
		}
		a.lock(t, mode)
	case pgast.ObjectType_OBJECT_COLUMN, pgast.ObjectType_OBJECT_ATTRIBUTE:
		for _, m := range a.family(t, rel, s.Relation.Inh) {
			a.lock(m.target, AccessExclusive)
		}
		a.typedTables(rel, s.Behavior)
	case pgast.ObjectType_OBJECT_TABCONSTRAINT:
		a.lock(t, AccessExclusive)
		con := a.constraint(rel, s.Subname)
		if con == nil {
			return
		}
		if con.Kind != catalog.ForeignKey { // whose Index is the parent's
			a.lockOID(con.Index, ShareUpdateExclusive) // RenameRelationInternal of the index of the same name
		}
		if (con.Kind == catalog.Check || con.Kind == catalog.NotNullCon) && !con.NoInherit && s.Relation.Inh {
			for _, child := range a.descendants(rel) {
				a.lockRel(child, AccessExclusive)
			}
		}
	case pgast.ObjectType_OBJECT_TRIGGER:
		a.lock(t, AccessExclusive)
		if a.version >= 15 && isPartitioned(rel) { // renametrig recurses since version 15
			for _, child := range a.descendants(rel) {
				for _, tg := range a.before.Triggers(child.OID) {
					if tg.Parent != 0 && tg.Name == s.Subname {
						a.lockRel(child, AccessExclusive)
					}
				}
			}
		}
	default:
		a.lock(t, AccessExclusive)
	}
}

// compositeNamed finds the relation behind a composite type.
func (a *analyzer) compositeNamed(n *pgast.Node) *catalog.Relation {
	names := namesOf(n.GetList().GetItems())
	if len(names) == 0 {
		names = namesOf(n.GetTypeName().GetNames())
	}
	rv := rangeVar(names)
	if rv == nil {
		return nil
	}
	rel := a.before.Relation(rv.Schemaname, rv.Relname)
	if rel == nil || rel.Kind != catalog.CompositeRel {
		return nil
	}
	return rel
}

// typedTables locks the tables OF a composite type whose attributes change with CASCADE; without it their existence is an
// error.
func (a *analyzer) typedTables(rel *catalog.Relation, behavior pgast.DropBehavior) {
	if rel == nil || rel.Kind != catalog.CompositeRel || behavior != pgast.DropBehavior_DROP_CASCADE {
		return
	}
	for o := range a.before.All() {
		if typed, ok := o.(*catalog.Relation); ok && typed.OfType != 0 && a.isTypeOf(typed.OfType, rel) {
			a.lockRel(typed, AccessExclusive)
		}
	}
}

func (a *analyzer) isTypeOf(typ catalog.OID, rel *catalog.Relation) bool {
	if typ == rel.OID {
		return true
	}
	t, ok := a.before.Get(typ).(*catalog.Type)
	return ok && t.Relation == rel.OID
}

func (a *analyzer) constraint(rel *catalog.Relation, name string) *catalog.Constraint {
	if rel == nil {
		return nil
	}
	for _, con := range a.before.Constraints(rel.OID) {
		if con.Name == name {
			return con
		}
	}
	return nil
}

// setSchema follows AlterTableNamespace: the sequences a table owns move with it.
func (a *analyzer) setSchema(s *pgast.AlterObjectSchemaStmt) {
	if s.Relation == nil {
		return // types are not relations to it, composite ones neither
	}
	t, rel, ok := a.ref(s.Relation)
	if !ok || a.missing(t, rel, s.MissingOk) {
		return
	}
	a.lock(t, AccessExclusive)
	if rel != nil {
		for _, seq := range a.ownedSequences(rel, 0) {
			a.lockRel(seq, AccessExclusive)
		}
	}
}

// alterOwner is for what is not a table (those come as ALTER TABLE … OWNER TO).
func (a *analyzer) alterOwner(s *pgast.AlterOwnerStmt) {
	if s.ObjectType == pgast.ObjectType_OBJECT_TYPE {
		if rel := a.compositeNamed(s.Object); rel != nil && !isCurrentUser(s.Newowner) {
			a.lockRel(rel, AccessExclusive)
		}
	}
}

// isCurrentUser tells whether OWNER TO changes nothing as far as can be known: what a migration makes, it owns.
func isCurrentUser(r *pgast.RoleSpec) bool {
	return r.GetRoletype() == pgast.RoleSpecType_ROLESPEC_CURRENT_USER || r.GetRoletype() == pgast.RoleSpecType_ROLESPEC_SESSION_USER ||
		r.GetRoletype() == pgast.RoleSpecType_ROLESPEC_CURRENT_ROLE
}

func (a *analyzer) moveAll(s *pgast.AlterTableMoveAllStmt) {
	a.note("which relations are in tablespace " + s.OrigTablespacename + " is not fully known")
	for o := range a.before.All() {
		rel, ok := o.(*catalog.Relation)
		if !ok || rel.Tablespace != s.OrigTablespacename && (rel.Tablespace != "" || s.OrigTablespacename != "pg_default") {
			continue
		}
		wanted := rel.Kind == catalog.Table || rel.Kind == catalog.PartitionedTable
		switch s.Objtype {
		case pgast.ObjectType_OBJECT_INDEX:
			wanted = rel.Kind == catalog.Index || rel.Kind == catalog.PartitionedIndex
		case pgast.ObjectType_OBJECT_MATVIEW:
			wanted = rel.Kind == catalog.MatView
		}
		if wanted {
			a.lockRel(rel, AccessExclusive)
			if hasStorage(rel) && s.OrigTablespacename != s.NewTablespacename {
				a.rewriteFile(a.target(rel), rel.Kind, "SET TABLESPACE copies the file", false)
			}
		}
	}
}

// createTrigger follows CreateTrigger (src/backend/commands/trigger.c): SHARE ROW EXCLUSIVE, a row trigger on a
// partitioned table also on the partitions.
func (a *analyzer) createTrigger(s *pgast.CreateTrigStmt) {
	t, rel, ok := a.ref(s.Relation)
	if !ok {
		return
	}
	for _, m := range a.family(t, rel, s.Row && isPartitioned(rel)) {
		a.lock(m.target, ShareRowExclusive)
	}
	if t, _, ok := a.ref(s.Constrrel); ok {
		a.lock(t, AccessShare)
	}
}

// createRule follows DefineRule (src/backend/rewrite/rewriteDefine.c).
func (a *analyzer) createRule(s *pgast.RuleStmt) {
	if t, _, ok := a.ref(s.Relation); ok {
		a.lock(t, AccessExclusive)
	}
	a.exprs(nil, analyzed, s.WhereClause)
	for _, n := range s.Actions {
		a.query(n, analyzed)
	}
}

// policy follows CreatePolicy and AlterPolicy (src/backend/commands/policy.c).
func (a *analyzer) policy(rv *pgast.RangeVar, conditions ...*pgast.Node) {
	if t, _, ok := a.ref(rv); ok {
		a.lock(t, AccessExclusive)
	}
	a.exprs(nil, analyzed, conditions...)
}

// ownedBy locks the table of OWNED BY (process_owned_by in src/backend/commands/sequence.c).
func (a *analyzer) ownedBy(options []*pgast.Node) (others bool) {
	for _, n := range options {
		d := n.GetDefElem()
		if d.GetDefname() != "owned_by" {
			others = true
			continue
		}
		if names := namesOf(d.GetArg().GetList().GetItems()); len(names) > 1 {
			if t, _, ok := a.ref(rangeVar(names[:len(names)-1])); ok {
				a.lock(t, AccessShare)
			}
		}
	}
	return others
}

// alterSequence follows AlterSequence (sequence.c): SHARE ROW EXCLUSIVE and a new file of one row, so that the change can
// be rolled back.
func (a *analyzer) alterSequence(s *pgast.AlterSeqStmt) {
	t, rel, ok := a.ref(s.Sequence)
	if !ok || a.missing(t, rel, s.MissingOk) {
		return
	}
	a.lock(t, ShareRowExclusive)
	if a.ownedBy(s.Options) {
		a.rewriteFile(t, catalog.Sequence, "ALTER SEQUENCE", true)
	}
}

// createStatistics follows CreateStatistics (src/backend/commands/statscmds.c).
func (a *analyzer) createStatistics(s *pgast.CreateStatsStmt) {
	for _, n := range s.Relations {
		if t, _, ok := a.ref(n.GetRangeVar()); ok {
			a.lock(t, ShareUpdateExclusive)
		}
	}
}

// publication follows OpenTableList (src/backend/commands/publicationcmds.c): children too, unless ONLY.
// grant follows objectNamesToOids (src/backend/catalog/aclchk.c): since version 18 tables and sequences that are named are locked.
func (a *analyzer) grant(s *pgast.GrantStmt) {
	if a.version < 18 || s.Targtype != pgast.GrantTargetType_ACL_TARGET_OBJECT ||
		s.Objtype != pgast.ObjectType_OBJECT_TABLE && s.Objtype != pgast.ObjectType_OBJECT_SEQUENCE {
		return
	}
	for _, n := range s.Objects {
		if t, _, ok := a.ref(n.GetRangeVar()); ok {
			a.lock(t, AccessShare)
		}
	}
}

func (a *analyzer) publication(objects []*pgast.Node) {
	for _, n := range objects {
		o := n.GetPublicationObjSpec()
		rv := o.GetPubtable().GetRelation()
		if rv == nil {
			continue // tables in a schema are not locked one by one
		}
		if t, rel, ok := a.ref(rv); ok {
			for _, m := range a.family(t, rel, rv.Inh && !isPartitioned(rel)) {
				a.lock(m.target, ShareUpdateExclusive)
			}
		}
	}
}

// dependsOnExtension follows ExecAlterObjectDependsStmt (src/backend/commands/alter.c).
func (a *analyzer) dependsOnExtension(s *pgast.AlterObjectDependsStmt) {
	if t, _, ok := a.ref(s.Relation); ok {
		mode := AccessExclusive
		if s.ObjectType == pgast.ObjectType_OBJECT_TRIGGER {
			mode = AccessShare
		}
		a.lock(t, mode)
	}
}

// comment follows CommentObject and ExecSecLabelStmt: SHARE UPDATE EXCLUSIVE on a relation, and ACCESS SHARE on the table of
// what belongs to one (get_object_address_relobject in src/backend/catalog/objectaddress.c).
func (a *analyzer) comment(kind pgast.ObjectType, object *pgast.Node) {
	names := namesOf(object.GetList().GetItems())
	mode := ShareUpdateExclusive
	switch kind {
	case pgast.ObjectType_OBJECT_TABLE, pgast.ObjectType_OBJECT_VIEW, pgast.ObjectType_OBJECT_MATVIEW,
		pgast.ObjectType_OBJECT_INDEX, pgast.ObjectType_OBJECT_SEQUENCE, pgast.ObjectType_OBJECT_FOREIGN_TABLE:
	case pgast.ObjectType_OBJECT_COLUMN:
		names = names[:max(len(names)-1, 0)]
	case pgast.ObjectType_OBJECT_TABCONSTRAINT, pgast.ObjectType_OBJECT_TRIGGER, pgast.ObjectType_OBJECT_RULE, pgast.ObjectType_OBJECT_POLICY:
		names = names[:max(len(names)-1, 0)]
		mode = AccessShare
	default:
		return
	}
	if t, _, ok := a.ref(rangeVar(names)); ok {
		a.lock(t, mode)
	}
}

// ownedSequences lists the sequences that a table, or one of its columns (0: any), owns.
func ownedSequences(c *catalog.Catalog, rel *catalog.Relation, column int) []*catalog.Relation {
	var list []*catalog.Relation
	for _, d := range c.Dependents(catalog.Address{OID: rel.OID}) {
		seq, ok := c.Get(d.OID).(*catalog.Relation)
		if ok && seq.Seq != nil && seq.Seq.OwnedBy.OID == rel.OID && (column == 0 || seq.Seq.OwnedBy.Column == column) && !slices.Contains(list, seq) {
			list = append(list, seq)
		}
	}
	return list
}
