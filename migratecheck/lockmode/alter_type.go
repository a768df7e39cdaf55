package lockmode

import (
	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// typeRewrites says why ALTER COLUMN … TYPE writes a table anew, "" when it does not (ATColumnChangeRequiresRewrite in
// src/backend/commands/tablecmds.c, and the support functions that plan a length coercion away).
func (a *alteration) typeRewrites(m member, cmd *pgast.AlterTableCmd) string {
	def := cmd.Def.GetColumnDef()
	reason := "the type of column " + cmd.Name + " changes"
	if m.rel == nil {
		a.eff.Worst = true
		a.note("the present type of column " + cmd.Name + " is not known")
		return reason
	}
	if !hasStorage(m.rel) {
		return ""
	}
	from, to := m.rel.Column(cmd.Name), a.columnAfter(m.oid, cmd.Name)
	if from == nil || from.Type.OID == 0 || to == nil || to.Type.OID == 0 {
		a.eff.Worst = true
		a.note("the present or new type of column " + cmd.Name + " is not known")
		return reason
	}
	reason += " from " + a.before.FormatType(from.Type) + " to " + a.after.FormatType(to.Type)
	c := coercion{a.analyzer}
	if def.GetRawDefault() == nil {
		if c.keeps(from.Type, to.Type) {
			return ""
		}
		return reason
	}
	// USING: only the column itself, cast or not, leaves the rows alone.
	if columnName(def.RawDefault) == cmd.Name {
		if c.keeps(from.Type, to.Type) {
			return ""
		}
		return reason
	}
	if cast := def.RawDefault.GetTypeCast(); cast != nil && columnName(cast.Arg) == cmd.Name {
		if sameTypeName(cast.TypeName, def.TypeName) && c.keeps(from.Type, to.Type) {
			return ""
		}
		return reason
	}
	return "every value of column " + cmd.Name + " is computed by USING"
}

// sameTypeName compares how two types are written, which is enough for c::varchar(20) in ALTER … TYPE varchar(20) USING ….
func sameTypeName(x, y *pgast.TypeName) bool {
	a, b := namesOf(x.GetNames()), namesOf(y.GetNames())
	if len(a) == 0 || len(b) == 0 || a[len(a)-1] != b[len(b)-1] || len(x.Typmods) != len(y.Typmods) || len(x.ArrayBounds) != len(y.ArrayBounds) {
		return false
	}
	for i := range x.Typmods {
		if x.Typmods[i].GetAConst().GetIval().GetIval() != y.Typmods[i].GetAConst().GetIval().GetIval() {
			return false
		}
	}
	return true
}

// changeType notes what ALTER COLUMN … TYPE does to what depends on the column (ATPostAlterTypeCleanup): indexes and
// constraints are dropped and made again. An index keeps its file if its new definition can use it (CheckIndexCompatible in
// src/backend/commands/indexcmds.c).
func (a *alteration) changeType(cmd *pgast.AlterTableCmd) {
	if a.table.rel != nil && a.table.rel.Kind == catalog.CompositeRel {
		for _, m := range a.typed(cmd.Behavior) {
			a.lock(m.target, a.mode)
			a.changeColumn(m, cmd)
		}
		return
	}
	a.recurse(func(m member) { a.changeColumn(m, cmd) })
	a.changeSequence(cmd.Name)
}

// changeSequence follows the ALTER SEQUENCE … AS that goes with the type of an identity column (transformAlterTableStmt).
func (a *alteration) changeSequence(column string) {
	if a.table.rel == nil || a.table.rel.Column(column) == nil {
		return
	}
	for _, seq := range a.ownedSequences(a.table.rel, a.table.rel.Column(column).Num) {
		if seq.Seq != nil && seq.Seq.Identity {
			a.lockRel(seq, ShareRowExclusive)
			a.rewriteFile(a.target(seq), seq.Kind, "it gets the type of column "+column, true)
		}
	}
}

// typed lists the tables OF the altered composite type, to which CASCADE passes the change on.
func (a *alteration) typed(behavior pgast.DropBehavior) []member {
	var list []member
	if a.table.rel == nil || a.table.rel.Kind != catalog.CompositeRel || behavior != pgast.DropBehavior_DROP_CASCADE {
		return nil
	}
	for o := range a.before.All() {
		if rel, ok := o.(*catalog.Relation); ok && rel.OfType != 0 && a.isTypeOf(rel.OfType, a.table.rel) {
			list = append(list, member{a.target(rel), rel})
		}
	}
	return list
}

func (a *alteration) changeColumn(m member, cmd *pgast.AlterTableCmd) {
	if m.rel == nil {
		return
	}
	col := m.rel.Column(cmd.Name)
	if col == nil {
		if m.rel.Assumed {
			a.assume("the indexes and constraints of column " + cmd.Name + " are not known")
		}
		return
	}
	to := a.columnAfter(m.oid, cmd.Name)
	for _, index := range a.before.Indexes(m.rel.OID) {
		a.changeIndex(m, index, col, to)
	}
	for _, con := range a.before.Constraints(m.rel.OID) {
		a.changeConstraint(m, con, col, to)
	}
	for _, con := range a.before.ReferencedBy(m.rel.OID) {
		if contains(con.RefColumns, col.Num) && con.Table != m.rel.OID && !a.goneAfter(con.OID) {
			a.lockOID(con.Table, AccessExclusive)
			if child := a.relation(con.Table); child != nil && con.Valid && (a.rewritten[m.target] || !a.sameOperators(col, to)) {
				a.checkForeignKey(member{a.target(child), child}, m)
			}
		}
	}
}

func (a *alteration) changeIndex(m member, index *catalog.Relation, col, to *catalog.Column) {
	key, other := usesColumn(index, m.rel.OID, col.Num)
	if !key && !other {
		return
	}
	a.lockRel(index, AccessExclusive)
	if a.goneAfter(index.OID) || index.Kind == catalog.PartitionedIndex || a.rewritten[m.target] {
		return // no file of its own, or noted with the table
	}
	expressions := index.Index.Predicate != nil
	for _, k := range index.Index.Keys {
		expressions = expressions || k.Expr != nil
	}
	// An index of a partition is made again by the parent's, which has no file to hand down (DefineIndex recursing).
	if !expressions && index.Index.Parent == 0 && (!key || a.sameOperators(col, to) && sameCollation(col, to)) && index.Index.Valid {
		return
	}
	reason := "the type of column " + col.Name + " changes"
	a.rewriteFile(a.target(index), index.Kind, reason, false)
	a.scan(m.target, ScanBuild, "rebuilds index "+index.Name+": "+reason)
	a.build(m.target, index.Name, reason)
}

// usesColumn tells whether a column is a key of an index, and whether it is in it otherwise (INCLUDE, expression, predicate).
func usesColumn(index *catalog.Relation, table catalog.OID, num int) (key, other bool) {
	attrs := index.Index
	for _, k := range attrs.Keys {
		key = key || k.Column == num
		other = other || k.Expr != nil && refersTo(k.Expr, table, num)
	}
	other = other || contains(attrs.Include, num) || attrs.Predicate != nil && refersTo(attrs.Predicate, table, num)
	return key, other
}

func refersTo(e *catalog.Expr, table catalog.OID, num int) bool {
	for _, ref := range e.Refs {
		if ref.OID == table && ref.Column == num {
			return true
		}
	}
	return false
}

func contains(nums []int, num int) bool {
	for _, n := range nums {
		if n == num {
			return true
		}
	}
	return false
}

// sameOperators tells whether indexes and foreign keys on the column use the same operators after the change.
func (a *analyzer) sameOperators(from, to *catalog.Column) bool {
	if to == nil {
		return false
	}
	c := coercion{a}
	return c.operatorClass(from.Type) == c.operatorClass(to.Type)
}

func sameCollation(from, to *catalog.Column) bool { return to != nil && from.Collation == to.Collation }

func (a *alteration) changeConstraint(m member, con *catalog.Constraint, col, to *catalog.Column) {
	if a.goneAfter(con.OID) {
		return // dropped by another subcommand, before
	}
	switch con.Kind {
	case catalog.Check:
		if con.Check != nil && (contains(con.Columns, col.Num) || refersTo(con.Check, m.rel.OID, col.Num)) && con.Valid && hasStorage(m.rel) {
			a.scan(m.target, ScanValidate, "constraint "+con.Name+" is made again for the new type")
		}
	case catalog.ForeignKey:
		if !contains(con.Columns, col.Num) && (con.RefTable != m.rel.OID || !contains(con.RefColumns, col.Num)) {
			return
		}
		ref := a.relation(con.RefTable)
		if ref == nil {
			return
		}
		if a.version >= 15 || !isPartitioned(ref) {
			a.lockRel(ref, AccessExclusive) // it loses the triggers of the old constraint
		}
		a.lockRel(ref, ShareRowExclusive)
		if con.Valid && (a.rewritten[m.target] || !a.sameOperators(col, to)) {
			a.checkForeignKey(m, member{a.target(ref), ref})
		}
	}
}
