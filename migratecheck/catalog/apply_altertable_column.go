package catalog

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// addColumn is ATExecAddColumn: the column, in the children too, and what its constraints ask for in later passes.
func (a *alterTable) addColumn(cmd *pgast.AlterTableCmd) error {
	c, def := a.c, cmd.Def.GetColumnDef()
	r := c.relation(a.rel)
	switch {
	case r.PartitionOf != 0:
		return errorf("42809", "cannot add column to a partition")
	case r.OfType != 0:
		return errorf("42809", "cannot add column to typed table")
	case r.Kind == View && cmd.Subtype == pgast.AlterTableType_AT_AddColumn:
		return a.allow(cmd, Table)
	}
	if r.Column(def.Colname) != nil {
		if cmd.MissingOk {
			a.eff.note("column \"%s\" of relation \"%s\" already exists, skipping", def.Colname, r.Name)
			return nil
		}
		e := errorf("42701", "column \"%s\" of relation \"%s\" already exists", def.Colname, r.Name)
		e.Object = c.NameOf(r.OID)
		return e
	}
	b := &newTable{c: c, eff: a.eff, schema: r.Schema, name: r.Name, temp: r.Persistence == Temporary, unlogged: r.Persistence == Unlogged, isForeign: r.Kind == ForeignTable}
	if err := b.column(def); err != nil {
		return err
	}
	if err := c.fitsLength(r, &b.columns[0]); err != nil {
		return err
	}
	children := c.Inheritors(r.OID)
	if b.columns[0].Identity != 0 && len(children) > 0 && a.recurse && (c.Version < 17 || r.Kind != PartitionedTable) {
		return errorf("42P16", "cannot recursively add identity column to table that has child tables")
	}
	if len(children) > 0 && !a.recurse {
		return errorf("42P16", "column must be added to child tables too")
	}
	b.columns[0].added = r.Assumed && !cmd.MissingOk
	if err := a.storeColumn(a.rel, b.columns[0]); err != nil {
		return err
	}
	b.own(a.rel)
	if notNulls, err := b.mergeNotNulls(); err != nil {
		return err
	} else if len(notNulls) > 0 {
		spec, num := notNulls[0], c.relation(a.rel).Column(def.Colname).Num
		a.later(passColumnAttrs, func() error {
			return c.addNotNull(a.rel, num, Constraint{Name: spec.name, Valid: true, Local: true, NoInherit: spec.noInherit}, a.recurse)
		})
	}
	a.noteNamedJoins()
	for _, con := range b.checks {
		a.later(passAddOtherConstraint, func() error { return a.addCheck(con) })
	}
	indexes, err := b.indexList()
	if err != nil {
		return err
	}
	for _, con := range indexes {
		a.later(passAddIndex, func() error { return c.addIndexConstraint(a.rel, con, !a.recurse, a.eff) })
	}
	for _, con := range b.foreign {
		// A foreign key that comes with the column has nothing to check beyond its default; it is valid.
		con.InitiallyValid = true
		a.later(passAddOtherConstraint, func() error { return c.addForeignKey(a.rel, con, a.eff) })
	}
	return nil
}

// noteNamedJoins notes views over the table in which a join is given names for its columns, (a JOIN b) AS j (x, y): the new column
// is one of the join's, and which name it gets there the server makes up.
func (a *alterTable) noteNamedJoins() {
	for _, oid := range a.c.objects.get(a.rel).dependents {
		view := a.c.relation(oid)
		if view == nil || view.Query == nil || view.Query.Node == nil {
			continue
		}
		named := false
		pgast.WalkMessages(view.Query.Node, func(m pgast.Message) bool {
			join, ok := m.(*pgast.JoinExpr)
			named = named || ok && len(join.Alias.GetColnames()) > 0
			return !named
		})
		if named {
			a.eff.Gaps = append(a.eff.Gaps, "the names that the columns of a join have in "+view.Name)
			return
		}
	}
}

// storeColumn appends the column to a table and its children.
func (a *alterTable) storeColumn(rel OID, col newColumn) error {
	c := a.c
	r := c.editRelation(rel, func(r *Relation) {
		col.Num = len(r.Columns) + 1
		r.Columns = append(r.Columns, col.Column)
	})
	c.addTypeDeps(rel, &r.Columns[col.Num-1])
	if err := c.firstDefault(rel, col); err != nil {
		return err
	}
	a.fastDefault(rel, col.Num)
	for _, child := range c.Inheritors(rel) {
		if err := a.inheritColumn(child, col); err != nil {
			return err
		}
	}
	return nil
}

// firstDefault gives a new column its default.
func (c *Catalog) firstDefault(rel OID, col newColumn) error {
	e := col.expr
	if e == nil && col.def != nil {
		var err error
		if e, err = c.newDefault(rel, col.Num, col.def); err != nil {
			return err
		}
	}
	if e != nil {
		c.setFirstDefault(rel, col.Num, e)
	}
	return nil
}

// fastDefault decides whether the rows are left alone and the default kept beside (attmissingval), or all rewritten, in
// which case earlier such values are gone too (ATExecAddColumn; "ALTER TABLE" in the manual, Notes).
func (a *alterTable) fastDefault(rel OID, num int) {
	c := a.c
	r := c.relation(rel)
	if r.Kind != Table {
		return
	}
	col := r.Att(num)
	typ := c.typeByOID(col.Type.OID)
	constrained := typ != nil && typ.Kind == DomainType && !col.Type.Array && c.constrainedDomain(typ)
	def := col.Default
	if def == nil && typ != nil && typ.Kind == DomainType && !col.Type.Array {
		def = typ.Default
	}
	switch {
	case col.Generated != 0 || col.Identity != 0 || constrained || def != nil && def.Volatility == Volatile:
		a.rewritten(rel)
	case def != nil && !isNullConst(def.Node):
		col.Missing = true // in place: storeColumn has just made the relation
	}
}

// constrainedDomain is DomainHasConstraints.
func (c *Catalog) constrainedDomain(t *Type) bool {
	for t != nil && t.Kind == DomainType {
		if t.NotNull || len(c.Constraints(t.OID)) > 0 {
			return true
		}
		t = c.typeByOID(t.Base.OID)
	}
	return false
}

// rewritten notes that a table's rows are written anew, once all subcommands have run: no column, not even one that they
// add, has a missing value then (ATRewriteTables).
func (a *alterTable) rewritten(rel OID) { a.rewrites = append(a.rewrites, rel) }

func (c *Catalog) clearMissing(rel OID) {
	r := c.relation(rel)
	if !slices.ContainsFunc(r.Columns, func(col Column) bool { return col.Missing }) {
		return
	}
	c.editRelation(rel, func(r *Relation) {
		for i := range r.Columns {
			r.Columns[i].Missing = false
		}
	})
}

// inheritColumn adds a new column of the parent to a child, or merges it with the child's own.
func (a *alterTable) inheritColumn(child *Relation, col newColumn) error {
	c := a.c
	child = c.relation(child.OID) // it may have the column already, from another parent
	if own := child.Column(col.Name); own != nil {
		if own.Type != col.Type {
			return errorf("42804", "child table \"%s\" has different type for column \"%s\"", child.Name, col.Name)
		}
		if own.Collation != col.Collation {
			return errorf("42P21", "child table \"%s\" has different collation for column \"%s\"", child.Name, col.Name)
		}
		c.editColumn(child.OID, own.Num, func(col *Column) { col.Inherited++ })
		a.eff.note("merging definition of column \"%s\" for child \"%s\"", col.Name, child.Name)
		return nil
	}
	col.Local, col.Inherited = false, 1
	if c.Version < 17 {
		col.Identity = 0
	}
	return a.storeColumn(child.OID, col)
}

// dropColumn is ATExecDropColumn.
func (a *alterTable) dropColumn(cmd *pgast.AlterTableCmd) error {
	c := a.c
	r := c.relation(a.rel)
	if r.OfType != 0 {
		return errorf("42809", "cannot drop column from typed table")
	}
	if c.findColumn(a.rel, cmd.Name) == nil {
		if slices.Contains(systemColumns[:], cmd.Name) {
			return errorf("0A000", "cannot drop system column \"%s\"", cmd.Name)
		}
		if cmd.MissingOk {
			a.eff.note("column \"%s\" of relation \"%s\" does not exist, skipping", cmd.Name, r.Name)
			return nil
		}
		_, err := c.lookupColumn(a.rel, cmd.Name)
		return err
	}
	var targets []dropTarget
	if err := a.columnsToDrop(a.rel, cmd.Name, a.recurse, false, &targets); err != nil {
		return err
	}
	return c.dropObjects(targets, cmd.Behavior == pgast.DropBehavior_DROP_CASCADE, a.eff)
}

func (a *alterTable) columnsToDrop(rel OID, name string, recurse, recursing bool, targets *[]dropTarget) error {
	c := a.c
	r := c.relation(rel)
	col := r.Column(name)
	if col.Inherited > 0 && !recursing {
		return errorf("42P16", "cannot drop inherited column \"%s\"", name)
	}
	if r.inPartitionKey(col.Num) {
		return errorf("42P16", "cannot drop column \"%s\" because it is part of the partition key of relation \"%s\"", name, r.Name)
	}
	children := c.Inheritors(rel)
	if r.Kind == PartitionedTable && len(children) > 0 && !recurse {
		e := errorf("42P16", "cannot drop column from only the partitioned table when partitions exist")
		e.Hint = "Do not specify the ONLY keyword."
		return e
	}
	for _, child := range children {
		own := child.Column(name)
		if own == nil {
			continue
		}
		if recurse && own.Inherited == 1 && !own.Local {
			if err := a.columnsToDrop(child.OID, name, true, true, targets); err != nil {
				return err
			}
			continue
		}
		c.editColumn(child.OID, own.Num, func(col *Column) {
			col.Inherited--
			col.Local = col.Local || !recurse
		})
	}
	*targets = append(*targets, dropTarget{Address: Address{rel, col.Num}})
	return nil
}

// columnDefault is SET DEFAULT and DROP DEFAULT (ATExecColumnDefault), in the children too.
func (a *alterTable) columnDefault(rel OID, col *Column, def *pgast.Node) error {
	c := a.c
	r := c.relation(rel)
	name := col.Name
	if col.Identity != 0 {
		e := errorf("42601", "column \"%s\" of relation \"%s\" is an identity column", name, r.Name)
		if def == nil {
			e.Hint = "Use ALTER TABLE ... ALTER COLUMN ... DROP IDENTITY instead."
		}
		return e
	}
	if col.Generated != 0 {
		e := errorf("42601", "column \"%s\" of relation \"%s\" is a generated column", name, r.Name)
		if def == nil {
			e.Hint = "Use ALTER TABLE ... ALTER COLUMN ... DROP EXPRESSION instead."
		} else if c.Version >= 17 {
			e.Hint = "Use ALTER TABLE ... ALTER COLUMN ... SET EXPRESSION instead."
		}
		return e
	}
	if def == nil || isNullConst(def) {
		if col.Default != nil {
			c.setDefault(rel, col.Num, nil)
		}
	}
	if def != nil {
		if err := c.addDefault(rel, col.Num, def); err != nil {
			return err
		}
	}
	return a.eachChild(rel, name, func(child OID, col *Column) error { return a.columnDefault(child, col, def) })
}

// dropNotNull is ATExecDropNotNull.
func (a *alterTable) dropNotNull(rel OID, col *Column) error {
	c := a.c
	r := c.relation(rel)
	name := col.Name
	if !col.NotNull && c.Version >= firstNamedNotNull {
		return nil
	}
	if col.Identity != 0 {
		return errorf("42601", "column \"%s\" of relation \"%s\" is an identity column", name, r.Name)
	}
	if err := c.needsNotNull(r, col); err != nil {
		return err
	}
	if parent := c.relation(r.PartitionOf); parent != nil {
		if up := parent.Column(name); up != nil && up.NotNull {
			return errorf("42P16", "column \"%s\" is marked NOT NULL in parent table", name)
		}
	}
	if con := c.notNullOf(rel, col.Num); con != nil {
		return a.dropNotNullConstraint(con, false)
	}
	if r.Kind == PartitionedTable && !a.recurse && len(c.Inheritors(rel)) > 0 {
		e := errorf("42P16", "cannot remove constraint from only the partitioned table when partitions exist")
		e.Hint = "Do not specify the ONLY keyword."
		return e
	}
	if col.NotNull {
		c.editColumn(rel, col.Num, func(col *Column) { col.NotNull = false })
	}
	return a.eachChild(rel, name, a.dropNotNull)
}

// dropExpression makes a generated column an ordinary one (ATExecDropExpression).
func (a *alterTable) dropExpression(rel OID, col *Column, cmd *pgast.AlterTableCmd) error {
	c := a.c
	r, name := c.relation(rel), col.Name
	if col.Generated == 0 {
		if cmd.MissingOk {
			a.eff.note("column \"%s\" of relation \"%s\" is not a stored generated column, skipping", name, r.Name)
			return nil
		}
		return errorf("55000", "column \"%s\" of relation \"%s\" is not a stored generated column", name, r.Name)
	}
	if rel == a.rel {
		if col.Inherited > 0 {
			return errorf("42P16", "cannot drop generation expression from inherited column")
		}
		if !a.recurse && len(c.Inheritors(rel)) > 0 {
			return errorf("42P16", "ALTER TABLE / DROP EXPRESSION must be applied to child tables too")
		}
	}
	c.dropGeneration(rel, col.Num)
	c.editColumn(rel, col.Num, func(col *Column) { col.Generated, col.Default = 0, nil })
	return a.eachChild(rel, name, func(child OID, col *Column) error { return a.dropExpression(child, col, cmd) })
}

// columnAttribute is SET STATISTICS, STORAGE, COMPRESSION and (option = value).
func (a *alterTable) columnAttribute(cmd *pgast.AlterTableCmd) error {
	c := a.c
	r := c.relation(a.rel)
	if cmd.Subtype == pgast.AlterTableType_AT_SetStatistics && r.Index != nil {
		return nil // the catalog keeps no attributes of indexes
	}
	col, err := c.lookupColumn(a.rel, cmd.Name)
	if err != nil {
		return err
	}
	set := func(change func(col *Column)) error {
		tables := []OID{a.rel}
		if a.recurse {
			tables = c.inheritanceTree(a.rel)
		}
		for _, table := range tables {
			if col := c.relation(table).Column(cmd.Name); col != nil {
				c.editColumn(table, col.Num, change)
			}
		}
		return nil
	}
	switch cmd.Subtype {
	case pgast.AlterTableType_AT_SetStatistics:
		target := int(cmd.Def.GetInteger().GetIval())
		if target < -1 {
			return errorf("22023", "statistics target %d is too low", target)
		}
		target = min(target, 10000)
		return set(func(col *Column) { col.Stats = target })
	case pgast.AlterTableType_AT_SetStorage:
		probe := *col
		if err := c.setStorage(&probe, constText(cmd.Def)); err != nil {
			return err
		}
		return set(func(col *Column) { col.Storage = probe.Storage })
	case pgast.AlterTableType_AT_SetCompression:
		method := constText(cmd.Def)
		if method == "default" {
			method = ""
		}
		c.editColumn(a.rel, col.Num, func(col *Column) { col.Compression = method })
		return nil
	}
	options, err := relOptions(col.Options, cmd.Def.GetList().GetItems(), cmd.Subtype == pgast.AlterTableType_AT_ResetOptions)
	if err != nil {
		return err
	}
	c.editColumn(a.rel, col.Num, func(col *Column) { col.Options = options })
	return nil
}
