package catalog

import (
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// addInherit is INHERIT (ATExecAddInherit): the table must have the parent's columns and checks already.
func (a *alterTable) addInherit(rv *pgast.RangeVar) error {
	c := a.c
	parent, err := c.lookupRelation(rv)
	if err != nil {
		return err
	}
	r := c.relation(a.rel)
	switch {
	case r.PartitionOf != 0:
		return errorf("42809", "cannot change inheritance of a partition")
	case r.Kind == PartitionedTable:
		return errorf("42809", "cannot change inheritance of partitioned table")
	case r.OfType != 0:
		return errorf("42809", "cannot change inheritance of typed table")
	case parent.OID == r.OID || c.inheritsFrom(parent, r.OID):
		e := errorf("42P07", "circular inheritance not allowed")
		e.Detail = "\"" + r.Name + "\" is already a child of \"" + parent.Name + "\"."
		return e
	}
	if err := checkParent(parent, r, false); err != nil {
		return err
	}
	if slices.Contains(r.Inherits, parent.OID) {
		return errorf("42P07", "relation \"%s\" would be inherited from more than once", parent.Name)
	}
	return c.createInheritance(r.OID, parent.OID, DepNormal)
}

func (c *Catalog) inheritsFrom(r *Relation, from OID) bool {
	for _, p := range r.Inherits {
		if p == from || c.inheritsFrom(c.relation(p), from) {
			return true
		}
	}
	return false
}

// createInheritance merges columns and checks and links the tables (CreateInheritance).
func (c *Catalog) createInheritance(child, parent OID, typ DepType) error {
	if err := c.mergeColumnsInto(child, parent); err != nil {
		return err
	}
	if err := c.mergeChecksInto(child, parent); err != nil {
		return err
	}
	if err := c.mergeNotNullsInto(child, parent); err != nil {
		return err
	}
	c.editRelation(child, func(r *Relation) { r.Inherits = append(slices.Clip(r.Inherits), parent) })
	c.addDep(Address{OID: child}, Address{OID: parent}, typ)
	return nil
}

func (c *Catalog) mergeColumnsInto(child, parent OID) error {
	p := c.relation(parent)
	partition := p.Kind == PartitionedTable
	for _, col := range p.Columns {
		if col.Dropped {
			continue
		}
		own := c.findColumn(child, col.Name)
		r := c.relation(child)
		switch {
		case own == nil:
			return errorf("42804", "child table is missing column \"%s\"", col.Name)
		case own.Assumed || col.Assumed || !own.Type.known() || !col.Type.known():
		case own.Type != col.Type:
			return errorf("42804", "child table \"%s\" has different type for column \"%s\"", r.Name, col.Name)
		case own.Collation != col.Collation:
			return errorf("42P21", "child table \"%s\" has different collation for column \"%s\"", r.Name, col.Name)
		case col.NotNull && !own.NotNull && c.Version >= firstNamedNotNull:
			if con := c.notNullOf(parent, col.Num); con == nil || !con.NoInherit {
				return errorf("42804", "column \"%s\" in child table \"%s\" must be marked NOT NULL", col.Name, r.Name)
			}
		case col.NotNull && !own.NotNull:
			return errorf("42804", "column \"%s\" in child table must be marked NOT NULL", col.Name)
		case col.Generated != 0 && own.Generated == 0:
			return errorf("42804", "column \"%s\" in child table must be a generated column", col.Name)
		case col.Generated == 0 && own.Generated != 0 && c.Version >= 16:
			return errorf("42804", "column \"%s\" in child table must not be a generated column", col.Name)
		}
		c.editColumn(child, own.Num, func(own *Column) {
			own.Inherited++
			if partition {
				own.Local = false
			}
			if partition && c.Version >= 17 {
				own.Identity = col.Identity
			}
		})
	}
	return nil
}

func (c *Catalog) mergeChecksInto(child, parent OID) error {
	r, p := c.relation(child), c.relation(parent)
	for _, con := range c.Constraints(parent) {
		if con.Kind != Check || con.NoInherit {
			continue
		}
		own := c.constraintNamed(child, con.Name)
		switch {
		case own == nil || own.Kind != Check:
			if r.Assumed {
				continue
			}
			return errorf("42804", "child table is missing constraint \"%s\"", con.Name)
		case own.Check.SQL != con.Check.SQL && !own.Assumed:
			return errorf("42804", "child table \"%s\" has different definition for check constraint \"%s\"", r.Name, con.Name)
		case own.NoInherit:
			return errorf("42P17", "constraint \"%s\" conflicts with non-inherited constraint on child table \"%s\"", con.Name, r.Name)
		case con.Valid && !own.Valid:
			return errorf("42P17", "constraint \"%s\" conflicts with NOT VALID constraint on child table \"%s\"", con.Name, r.Name)
		}
		c.inheritConstraint(own, p)
	}
	return nil
}

// inheritConstraint notes that a constraint is also one of a parent of its table.
func (c *Catalog) inheritConstraint(own *Constraint, parent *Relation) {
	c.editConstraint(own.OID, func(own *Constraint) {
		own.Inherited++
		own.Local = own.Local && parent.Kind != PartitionedTable
	})
}

// disinheritConstraint takes back inheritConstraint.
func (c *Catalog) disinheritConstraint(own *Constraint) {
	c.editConstraint(own.OID, func(own *Constraint) {
		own.Inherited--
		own.Local = own.Local || own.Inherited == 0
	})
}

// dropInherit is NO INHERIT.
func (a *alterTable) dropInherit(rv *pgast.RangeVar) error {
	c := a.c
	parent, err := c.lookupRelation(rv)
	if err != nil {
		return err
	}
	r := c.relation(a.rel)
	if r.PartitionOf != 0 {
		return errorf("42809", "cannot change inheritance of a partition")
	}
	return c.removeInheritance(r.OID, parent)
}

// removeInheritance is RemoveInheritance.
func (c *Catalog) removeInheritance(child OID, parent *Relation) error {
	r := c.relation(child)
	if !slices.Contains(r.Inherits, parent.OID) && !r.Assumed {
		if parent.Kind == PartitionedTable {
			return errorf("42P01", "relation \"%s\" is not a partition of relation \"%s\"", r.Name, parent.Name)
		}
		return errorf("42P01", "relation \"%s\" is not a parent of relation \"%s\"", parent.Name, r.Name)
	}
	for _, con := range c.Constraints(child) {
		up := c.constraintNamed(parent.OID, con.Name)
		if con.Kind == Check && con.Inherited > 0 && up != nil && up.Kind == Check {
			c.disinheritConstraint(con)
		}
	}
	c.unlinkNotNulls(child, parent)
	c.editRelation(child, func(r *Relation) {
		for i := range r.Columns {
			col := &r.Columns[i]
			if up := parent.Column(col.Name); up != nil && !col.Dropped && col.Inherited > 0 {
				col.Inherited--
				col.Local = col.Local || col.Inherited == 0
			}
		}
		r.Inherits = slices.DeleteFunc(slices.Clone(r.Inherits), func(p OID) bool { return p == parent.OID })
		if len(r.Inherits) == 0 {
			r.Inherits = nil
		}
	})
	c.dropDeps(child, func(d Dep) bool { return d.Column == 0 && d.Ref == Address{OID: parent.OID} })
	return nil
}

// attachPartition is ATTACH PARTITION, of a table or an index.
func (a *alterTable) attachPartition(cmd *pgast.PartitionCmd) error {
	c := a.c
	parent := c.relation(a.rel)
	if parent.Index != nil {
		return a.attachIndex(cmd)
	}
	if parent.Assumed && parent.Kind == Table {
		parent = c.editRelation(a.rel, func(r *Relation) { r.Kind, r.PartitionKey = PartitionedTable, &PartitionKey{} })
	}
	if parent.Kind != PartitionedTable && c.Version >= 18 {
		return errorf("42809", "ALTER action ATTACH PARTITION cannot be performed on relation \"%s\"", parent.Name)
	}
	if parent.Kind != PartitionedTable {
		return errorf("42P17", "table \"%s\" is not partitioned", parent.Name)
	}
	part, err := c.lookupRelation(cmd.Name)
	if err != nil {
		return err
	}
	switch {
	case part.PartitionOf != 0:
		return errorf("42809", "\"%s\" is already a partition", part.Name)
	case part.OfType != 0:
		return errorf("42809", "cannot attach a typed table as partition")
	case len(part.Inherits) > 0:
		return errorf("42809", "cannot attach inheritance child as partition")
	case part.Kind != PartitionedTable && len(c.Inheritors(part.OID)) > 0:
		return errorf("42809", "cannot attach inheritance parent as partition")
	case part.OID == parent.OID || c.inheritsFrom(parent, part.OID):
		e := errorf("42P07", "circular inheritance not allowed")
		e.Detail = "\"" + parent.Name + "\" is already a child of \"" + part.Name + "\"."
		return e
	case part.Persistence != Temporary && parent.Persistence == Temporary:
		return errorf("42809", "cannot attach a permanent relation as partition of temporary relation \"%s\"", parent.Name)
	case part.Persistence == Temporary && parent.Persistence != Temporary:
		return errorf("42809", "cannot attach a temporary relation as partition of permanent relation \"%s\"", parent.Name)
	}
	for _, col := range part.Columns {
		if !col.Dropped && parent.Column(col.Name) == nil && !parent.Assumed {
			e := errorf("42804", "table \"%s\" contains column \"%s\" not found in parent \"%s\"", part.Name, col.Name, parent.Name)
			e.Detail = "The new partition may contain only the columns present in parent."
			return e
		}
	}
	if err := c.createInheritance(part.OID, parent.OID, DepAuto); err != nil {
		return err
	}
	c.editRelation(part.OID, func(r *Relation) { r.PartitionOf = parent.OID })
	if err := c.setBound(part.OID, cmd.Bound, a.eff); err != nil {
		return err
	}
	return c.cloneToPartition(parent.OID, part.OID, a.eff)
}

// attachIndex is ALTER INDEX … ATTACH PARTITION (ATExecAttachPartitionIdx).
func (a *alterTable) attachIndex(cmd *pgast.PartitionCmd) error {
	c := a.c
	parent := c.relation(a.rel)
	own, err := c.lookupKind(cmd.Name, Index)
	if err != nil {
		return err
	}
	if own.Index == nil {
		return errorf("42809", "\"%s\" is not an index", own.Name)
	}
	if own.Index.Parent == parent.OID {
		return nil
	}
	fail := func(code, detail string) error {
		e := errorf(code, "cannot attach index \"%s\" as a partition of index \"%s\"", own.Name, parent.Name)
		e.Detail = detail
		return e
	}
	table := c.relation(own.Index.Table)
	switch {
	case own.Index.Parent != 0:
		return fail("55000", "Index \""+own.Name+"\" is already attached to another index.")
	case own.Assumed || parent.Assumed:
	case table.PartitionOf != parent.Index.Table:
		return fail("55000", "Index \""+own.Name+"\" is not an index on any partition of table \""+c.relation(parent.Index.Table).Name+"\".")
	case !c.sameIndex(parent, own):
		return fail("42P17", "The index definitions do not match.")
	}
	con, ownCon := c.constraintOfIndex(parent), c.constraintOfIndex(own)
	if con != nil && ownCon == nil {
		return fail("42P17", "The index \""+parent.Name+"\" belongs to a constraint in table \""+c.relation(parent.Index.Table).Name+"\" but no constraint exists for index \""+own.Name+"\".")
	}
	if old := c.partitionIndex(parent.OID, own.Index.Table); old != 0 {
		return fail("55000", "Another index is already attached for partition \""+table.Name+"\".")
	}
	c.attachIndex(own, parent, con, ownCon)
	c.validatePartitioned(parent.OID)
	return nil
}

// validatePartitioned marks a partitioned index valid once all partitions have a valid one (validatePartitionedIndex).
func (c *Catalog) validatePartitioned(oid OID) {
	index := c.relation(oid)
	if index.Index.Valid {
		return
	}
	for _, part := range c.Inheritors(index.Index.Table) {
		own := c.relation(c.partitionIndex(oid, part.OID))
		if own == nil || !own.Index.Valid {
			return
		}
	}
	c.editRelation(oid, func(r *Relation) {
		x := *r.Index
		x.Valid = true
		r.Index = &x
	})
	if index.Index.Parent != 0 {
		c.validatePartitioned(index.Index.Parent)
	}
}

// detachPartition is DETACH PARTITION: indexes, constraints and triggers become the table's own (DetachPartitionFinalize).
func (a *alterTable) detachPartition(cmd *pgast.PartitionCmd) error {
	c := a.c
	parent := c.relation(a.rel)
	if parent.Kind != PartitionedTable && !parent.Assumed {
		return errorf("42809", "table \"%s\" is not partitioned", parent.Name)
	}
	if cmd.Concurrent && c.InTransaction() {
		return errorf("25001", "ALTER TABLE ... DETACH CONCURRENTLY cannot run inside a transaction block")
	}
	part, err := c.lookupRelation(cmd.Name)
	if err != nil {
		return err
	}
	bound := part.Bound
	if err := c.removeInheritance(part.OID, parent); err != nil {
		return err
	}
	for _, t := range c.Triggers(part.OID) {
		if t.Parent == 0 {
			continue
		}
		// With those of the partitions' own partitions (DropClonedTriggersFromPartition).
		c.dropDeps(t.OID, func(d Dep) bool { return d.Type == DepPartition })
		if err := c.dropObject(Address{OID: t.OID}, true, &Effects{}); err != nil {
			return err
		}
	}
	for _, index := range c.Indexes(part.OID) {
		if up := c.relation(index.Index.Parent); up == nil || up.Index.Table != parent.OID {
			continue
		}
		c.editRelation(index.OID, func(r *Relation) {
			x := *r.Index
			x.Parent = 0
			r.Index, r.Inherits = &x, nil
		})
		c.dropDeps(index.OID, func(d Dep) bool { return d.Type == DepPartition })
		if con := c.constraintOfIndex(index); con != nil {
			c.detachConstraint(con.OID)
		}
	}
	for _, con := range c.Constraints(part.OID) {
		if up, ok := c.Get(con.Parent).(*Constraint); ok && con.Kind == ForeignKey && up.Table == parent.OID {
			c.detachConstraint(con.OID)
			// On its own it needs rows for the partitions that it refers to, which the parent's had for it.
			if err := c.referencedPartitions(c.Get(con.OID).(*Constraint), con.Name); err != nil {
				return err
			}
		}
	}
	for _, con := range c.ReferencedBy(part.OID) {
		if up, ok := c.Get(con.Parent).(*Constraint); ok && up.RefTable == parent.OID && up.Table == con.Table {
			c.dropDeps(con.OID, func(d Dep) bool { return d.Type == DepInternal })
			if err := c.dropObject(Address{OID: con.OID}, true, &Effects{}); err != nil {
				return err
			}
		}
	}
	c.editRelation(part.OID, func(r *Relation) {
		r.PartitionOf, r.Bound = 0, nil
		if c.Version >= 17 {
			for i := range r.Columns {
				r.Columns[i].Identity = 0
			}
		}
	})
	if cmd.Concurrent {
		return a.keepPartitionConstraint(part.OID, parent, bound)
	}
	return nil
}

// keepPartitionConstraint gives a concurrently detached partition a CHECK that says what its bound said
// (DetachAddConstraintIfNeeded).
func (a *alterTable) keepPartitionConstraint(part OID, parent *Relation, bound *Bound) error {
	if bound == nil || bound.Default || parent.PartitionKey == nil {
		return nil
	}
	sql := ""
	if k := parent.PartitionKey; len(k.Columns) == 1 && k.Columns[0] > 0 {
		sql = boundCheck(quoteIdent(parent.Columns[k.Columns[0]-1].Name), parent.Att(k.Columns[0]).Type, bound.Node)
	}
	if sql == "" {
		a.eff.Gaps = append(a.eff.Gaps, "the CHECK constraint that DETACH PARTITION … CONCURRENTLY leaves")
		return nil
	}
	stmts, err := pgast.Parse("SELECT " + sql)
	if err != nil {
		return err
	}
	expr := stmts[0].Node.GetSelectStmt().TargetList[0].GetResTarget().Val
	switch a.c.checkImplied(part, expr) {
	case certain:
		return nil
	case possible:
		a.eff.Gaps = append(a.eff.Gaps, "whether DETACH PARTITION … CONCURRENTLY leaves a CHECK constraint: the table's own may say as much")
		return nil
	}
	_, err = a.c.addCheck(part, &pgast.Constraint{RawExpr: expr, InitiallyValid: true}, nil, true, false, a.eff)
	return err
}

// checkImplied tells whether a table's own constraints say what a condition says (ConstraintImpliedByRelConstraint): each part
// of it word for word, or NOT NULL. Other constraints on the same columns may imply it in ways that only the server proves.
func (c *Catalog) checkImplied(table OID, condition *pgast.Node) certainty {
	r := c.relation(table)
	var given []*pgast.Node
	columns := map[int]bool{}
	for _, con := range c.Constraints(table) {
		if con.Kind == Check && con.Valid && con.Check != nil {
			given = conjuncts(con.Check.Node, given)
			for _, num := range con.Columns {
				columns[num] = true
			}
		}
	}
	said := func(want *pgast.Node) bool {
		if t := want.GetNullTest(); t != nil && t.Nulltesttype == pgast.NullTestType_IS_NOT_NULL {
			if names := stringsOf(t.Arg.GetColumnRef().GetFields()); len(names) == 1 {
				if col := r.Column(names[0]); col != nil && col.NotNull {
					return true
				}
			}
		}
		return slices.ContainsFunc(given, func(have *pgast.Node) bool { return canonicalSQL(have) == canonicalSQL(want) })
	}
	e, err := c.newExpr(condition, r)
	if err != nil {
		return possible
	}
	answer := certain
	for _, want := range conjuncts(condition, nil) {
		if said(want) {
			continue
		}
		if !slices.ContainsFunc(ownColumns(e, table), func(num int) bool { return columns[num] }) {
			return impossible
		}
		answer = possible
	}
	return answer
}

// boundCheck is the partition constraint of a bound on one column (get_qual_from_partbound); "" for what is not followed.
func boundCheck(column string, t TypeRef, b *pgast.PartitionBoundSpec) string {
	switch {
	case b.Strategy == "r":
		sql := "(" + column + " IS NOT NULL)"
		if low := boundDatum(b.Lowerdatums[0], t); low != "MINVALUE" {
			sql += " AND (" + column + " >= " + low + ")"
		}
		if high := boundDatum(b.Upperdatums[0], t); high != "MAXVALUE" {
			sql += " AND (" + column + " < " + high + ")"
		}
		return sql
	case b.Strategy == "l":
		var values []string
		null := false
		for _, n := range b.Listdatums {
			if v := boundDatum(n, t); v == "NULL" {
				null = true
			} else {
				values = append(values, v)
			}
		}
		sql := ""
		switch len(values) {
		case 0:
			return "(" + column + " IS NULL)"
		case 1:
			sql = "(" + column + " = " + values[0] + ")"
		default:
			sql = "(" + column + " = ANY (ARRAY[" + strings.Join(values, ", ") + "]))"
		}
		if null {
			return "(" + column + " IS NULL) OR " + sql
		}
		return "(" + column + " IS NOT NULL) AND " + sql
	}
	return ""
}

func (c *Catalog) detachConstraint(oid OID) {
	c.editConstraint(oid, func(con *Constraint) {
		con.Parent, con.Inherited, con.Local = 0, con.Inherited-1, true
	})
	c.dropDeps(oid, func(d Dep) bool { return d.Type == DepPartition })
}
