package lockmode

import (
	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// addColumn notes what ADD COLUMN does besides a rewrite (see rewrites): its constraints, and its NOT NULL.
func (a *alteration) addColumn(cmd *pgast.AlterTableCmd) {
	def := cmd.Def.GetColumnDef()
	if a.columnExists(cmd) {
		if a.version >= 13 {
			return
		}
		// Before version 13 the constraints of the clause are added again all the same.
	} else {
		a.recurse(nil)
	}
	a.typedTables(a.table.rel, cmd.Behavior)
	filled := a.filled(def)
	for _, n := range def.GetConstraints() {
		con := n.GetConstraint()
		switch con.GetContype() {
		case pgast.ConstrType_CONSTR_NOTNULL:
			if !filled {
				a.scanFamily("column "+def.Colname+" is NOT NULL and has no default: fails if there is any row", a.inh)
			}
		case pgast.ConstrType_CONSTR_CHECK, pgast.ConstrType_CONSTR_UNIQUE, pgast.ConstrType_CONSTR_PRIMARY, pgast.ConstrType_CONSTR_FOREIGN:
			a.addConstraint(con, def, filled)
		}
	}
}

// columnExists tells whether ADD COLUMN IF NOT EXISTS finds the column there.
func (a *alteration) columnExists(cmd *pgast.AlterTableCmd) bool {
	for _, n := range a.stmt.Cmds {
		if c := n.GetAlterTableCmd(); c.GetSubtype() == pgast.AlterTableType_AT_DropColumn && c.Name == cmd.Def.GetColumnDef().GetColname() {
			return false // drops come first, wherever they are written (AT_PASS_DROP)
		}
	}
	return cmd.MissingOk && a.table.rel != nil && a.table.rel.Column(cmd.Def.GetColumnDef().GetColname()) != nil
}

// scanFamily notes a scan of the altered table and, with inh, of its children.
func (a *alteration) scanFamily(reason string, inh bool) {
	for _, m := range a.family(a.table.target, a.table.rel, inh) {
		if m.rel == nil || hasStorage(m.rel) {
			a.scan(m.target, ScanValidate, reason)
		}
	}
}

// addConstraint follows ATExecAddConstraint. def is the column that the constraint came with, nil for ADD CONSTRAINT; filled
// says that the column has a value in the rows there are.
func (a *alteration) addConstraint(con *pgast.Constraint, def *pgast.ColumnDef, filled bool) {
	switch con.GetContype() {
	case pgast.ConstrType_CONSTR_CHECK:
		inh := a.inh && !con.IsNoInherit
		if inh {
			a.recurse(nil)
		}
		if !con.SkipValidation {
			a.scanFamily("checks every row against "+constraintText(con, "the CHECK constraint"), inh)
		}
	case pgast.ConstrType_CONSTR_NOTNULL:
		a.addNotNull(con)
	case pgast.ConstrType_CONSTR_FOREIGN:
		a.addForeignKey(con, def, filled)
	case pgast.ConstrType_CONSTR_UNIQUE, pgast.ConstrType_CONSTR_PRIMARY, pgast.ConstrType_CONSTR_EXCLUSION:
		a.addIndexConstraint(con, def, filled)
	}
}

// addNotNull follows ATAddCheckNNConstraint (src/backend/commands/tablecmds.c, 18): a NOT NULL constraint is added to the children
// too, and rows are read unless it is NOT VALID or the column is known to hold no NULL.
func (a *alteration) addNotNull(con *pgast.Constraint) {
	column := con.Keys[0].GetString_().GetSval()
	if a.table.rel != nil {
		if col := a.table.rel.Column(column); col != nil && col.NotNull {
			return // there is one: it stays
		}
	}
	a.recurse(func(m member) {
		if !con.SkipValidation && (!con.IsNoInherit || m == a.table) {
			a.notNull(m, column, "checks that no row has NULL in column "+column)
		}
	})
}

func constraintText(con *pgast.Constraint, kind string) string {
	if con.Conname != "" {
		return "constraint " + con.Conname
	}
	return kind
}

// addForeignKey follows ATAddForeignKeyConstraint: SHARE ROW EXCLUSIVE on both tables. The check of the rows is a query
// that joins the two (RI_Initial_Check in src/backend/utils/adt/ri_triggers.c); for a new column that is NULL everywhere it
// is left out (transformFKConstraints).
func (a *alteration) addForeignKey(con *pgast.Constraint, def *pgast.ColumnDef, filled bool) {
	a.partitions(nil)
	ref := a.table
	if !isSelf(con.Pktable, a.stmt.Relation) {
		t, rel, ok := a.ref(con.Pktable)
		if !ok {
			return
		}
		ref = member{t, rel}
	}
	a.lockReferenced(ref)
	if con.SkipValidation || def != nil && !filled {
		return
	}
	a.partitions(func(m member) { a.checkForeignKey(m, ref) })
}

// checkForeignKey notes the query that validates a foreign key.
func (a *analyzer) checkForeignKey(m, ref member) {
	if isPartitioned(m.rel) {
		return
	}
	reason := "every row needs its match in " + ref.name.String()
	a.scan(m.target, ScanForeign, reason)
	a.lockIndexes(m.rel, AccessShare)
	for _, r := range a.family(ref.target, ref.rel, isPartitioned(ref.rel)) {
		a.lock(r.target, AccessShare)
		a.lockPlannedIndexes(r.rel, AccessShare, true)
		if !isPartitioned(r.rel) {
			a.scan(r.target, ScanForeign, "the rows of "+m.name.String()+" are joined with it")
		}
	}
}

// addIndexConstraint follows DefineIndex for constraints, and ATExecAddIndexConstraint for USING INDEX.
func (a *alteration) addIndexConstraint(con *pgast.Constraint, def *pgast.ColumnDef, filled bool) {
	columns := namesOf(con.Keys)
	if def != nil {
		columns = []string{def.Colname}
	}
	if con.Indexname != "" {
		index := a.indexNamed(con.Indexname)
		if index == nil {
			schema := schemaOf(a.before, a.table.rel, a.stmt.Relation)
			a.lock(target{0, catalog.Name{Schema: schema, Name: con.Indexname}}, AccessShare)
		} else {
			mode := AccessShare
			if con.Conname != "" && con.Conname != con.Indexname {
				mode = ShareUpdateExclusive // the index takes the constraint's name (RenameRelationInternal)
			}
			a.lockRel(index, mode)
			columns = nil
			for _, key := range index.Index.Keys {
				if col := a.table.rel.Att(key.Column); col != nil {
					columns = append(columns, col.Name)
				}
			}
		}
	} else {
		kind := map[pgast.ConstrType]string{
			pgast.ConstrType_CONSTR_PRIMARY: "PRIMARY KEY", pgast.ConstrType_CONSTR_UNIQUE: "UNIQUE", pgast.ConstrType_CONSTR_EXCLUSION: "EXCLUDE",
		}[con.Contype]
		reason := "builds the index of " + constraintText(con, kind)
		// The index of each partition is made by a DefineIndex of its own, which needs no more than SHARE.
		for i, m := range a.family(a.table.target, a.table.rel, a.inh && isPartitioned(a.table.rel)) {
			if i > 0 {
				a.lock(m.target, Share)
			}
			if isPartitioned(m.rel) {
				continue
			}
			a.scan(m.target, ScanBuild, reason)
			a.build(m.target, a.newIndexName(m, con.Conname), reason)
		}
	}
	if con.Contype != pgast.ConstrType_CONSTR_PRIMARY {
		return
	}
	// A primary key makes its columns NOT NULL by SET NOT NULL (transformIndexConstraint), which children inherit.
	for _, column := range columns {
		if a.notNullBelow(column) {
			continue
		}
		a.recurse(func(m member) {
			if def == nil {
				a.notNull(m, column, "checks that no row has NULL in primary key column "+column)
			} else if !filled && (m.rel == nil || hasStorage(m.rel)) {
				a.scan(m.target, ScanValidate, "column "+def.Colname+" of the primary key has no default: fails if there is any row")
			}
		})
	}
}

// newIndexName is the name of an index that the statement makes: as given, or what the catalog chose.
func (a *analyzer) newIndexName(m member, given string) string {
	if given != "" || a.after == nil || m.rel == nil {
		return given
	}
	for _, index := range a.after.Indexes(m.rel.OID) {
		if a.before.Get(index.OID) == nil && !a.builds.has(buildKey{m.target, index.Name}) {
			return index.Name
		}
	}
	return ""
}

// dropConstraint notes the children that lose an inherited constraint; the rest is found by what is gone (dropped).
func (a *alteration) dropConstraint(cmd *pgast.AlterTableCmd) {
	con := a.constraint(a.table.rel, cmd.Name)
	if con == nil {
		if a.table.rel == nil || a.table.rel.Assumed {
			a.note("constraint " + cmd.Name + " is not known: if it is a foreign key, the table it refers to is locked too")
		}
		return
	}
	if (con.Kind == catalog.Check || con.Kind == catalog.NotNullCon) && !con.NoInherit {
		// With ONLY the children keep theirs, but learn that it is their own now (conislocal).
		for _, child := range a.descendants(a.table.rel) {
			a.lockRel(child, a.mode)
		}
	}
	if con.Kind == catalog.ForeignKey {
		a.lockOID(con.RefTable, a.mode)
	}
	if a.after == nil {
		a.droppedObject(con)
		a.lockOID(con.Index, AccessExclusive)
	}
}

// validateConstraint follows ATExecValidateConstraint: SHARE UPDATE EXCLUSIVE, and ROW SHARE on the table that a foreign key
// refers to.
func (a *alteration) validateConstraint(name string) {
	con := a.constraint(a.table.rel, name)
	if con == nil {
		a.eff.Worst = true
		a.note("constraint " + name + " is not known")
		a.scan(a.table.target, ScanValidate, "validates constraint "+name)
		return
	}
	if con.Valid {
		return
	}
	if con.Kind == catalog.ForeignKey {
		ref := a.relation(con.RefTable)
		if ref == nil {
			return
		}
		a.lockRel(ref, RowShare)
		a.checkForeignKey(a.table, member{a.target(ref), ref})
		return
	}
	for _, m := range a.family(a.table.target, a.table.rel, a.inh && !con.NoInherit) {
		a.lock(m.target, a.mode)
		if !hasStorage(m.rel) {
			continue
		}
		if con.Kind == catalog.NotNullCon {
			a.notNull(m, a.table.rel.Att(con.Columns[0]).Name, "validates constraint "+name)
			continue
		}
		if own := a.constraint(m.rel, name); own == nil || !own.Valid {
			a.scan(m.target, ScanValidate, "validates constraint "+name)
		}
	}
}

// alterConstraint follows ATExecAlterConstraint (DEFERRABLE of a foreign key): the triggers on both sides change, but only
// the altered table and, of a partitioned one, its partitions are locked.
func (a *alteration) alterConstraint(*pgast.AlterTableCmd) { a.partitions(nil) }
