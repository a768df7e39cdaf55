package catalog

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// addForeignKey adds FOREIGN KEY … REFERENCES (ATAddForeignKeyConstraint, src/backend/commands/tablecmds.c), on a
// partitioned table with the constraints of its partitions.
func (c *Catalog) addForeignKey(table OID, def *pgast.Constraint, eff *Effects) error {
	ref, err := c.lookupRelation(def.Pktable)
	if err != nil {
		return err
	}
	if ref.Kind != Table && ref.Kind != PartitionedTable {
		return errorf("42809", "referenced relation \"%s\" is not a table", ref.Name)
	}
	r := c.relation(table)
	if err := checkForeignPersistence(r, ref); err != nil {
		return err
	}
	if r.Kind == PartitionedTable && def.SkipValidation && !def.InitiallyValid && c.Version < 18 {
		e := errorf("42809", "cannot add NOT VALID foreign key on partitioned table \"%s\" referencing relation \"%s\"", r.Name, ref.Name)
		e.Detail = "This feature is not yet supported on partitioned tables."
		return e
	}
	con := &Constraint{
		Kind: ForeignKey, Table: table, RefTable: ref.OID, Deferrable: def.Deferrable, Deferred: def.Initdeferred,
		Valid: def.InitiallyValid || !def.SkipValidation, Local: true, NoInherit: r.Kind != PartitionedTable,
		OnUpdate: orByte(byteOf(def.FkUpdAction), 'a'), OnDelete: orByte(byteOf(def.FkDelAction), 'a'), Match: orByte(byteOf(def.FkMatchtype), 's'),
	}
	if con.Columns, err = c.foreignColumns(table, def.FkAttrs); err != nil {
		return err
	}
	if con.SetColumns, err = c.foreignColumns(table, def.FkDelSetCols); err != nil {
		return err
	}
	for _, num := range con.SetColumns {
		if !slices.Contains(con.Columns, num) {
			return errorf("42P10", "column \"%s\" referenced in ON DELETE SET action must be part of foreign key", c.relation(table).Att(num).Name)
		}
	}
	if err := c.referencedKey(con, def.PkAttrs); err != nil {
		return err
	}
	if len(con.Columns) != len(con.RefColumns) && !(len(con.RefColumns) == 0 && ref.Assumed) {
		return errorf("42830", "number of referencing and referenced columns for foreign key disagree")
	}
	if err := c.checkGeneratedForeign(con); err != nil {
		return err
	}
	con.Name = def.Conname
	if con.Name == "" {
		con.Name = c.chooseConstraintName(r.Name, joinNames(stringsOf(def.FkAttrs)), "fkey", r.Schema)
	} else if c.constraintNamed(table, con.Name) != nil {
		return c.constraintExists(table, con.Name)
	}
	if err := c.checkForeignTypes(con); err != nil {
		return err
	}
	con.OID = c.newOID()
	c.addConstraint(con)
	if err := c.referencedPartitions(con, con.Name); err != nil {
		return err
	}
	return c.referencingPartitions(con, eff)
}

func orByte(b, otherwise byte) byte {
	if b == 0 {
		return otherwise
	}
	return b
}

func checkForeignPersistence(r, ref *Relation) error {
	switch r.Persistence {
	case Permanent:
		if ref.Persistence != Permanent {
			return errorf("42P16", "constraints on permanent tables may reference only permanent tables")
		}
	case Unlogged:
		if ref.Persistence != Permanent && ref.Persistence != Unlogged {
			return errorf("42P16", "constraints on unlogged tables may reference only permanent or unlogged tables")
		}
	case Temporary:
		if ref.Persistence != Temporary {
			return errorf("42P16", "constraints on temporary tables may reference only temporary tables")
		}
	}
	return nil
}

// foreignColumns resolves the columns of a foreign key (transformColumnNameList).
func (c *Catalog) foreignColumns(table OID, names []*pgast.Node) ([]int, error) {
	var columns []int
	for _, name := range stringsOf(names) {
		col := c.findColumn(table, name)
		if col == nil {
			e := errorf("42703", "column \"%s\" referenced in foreign key constraint does not exist", name)
			e.Object = c.NameOf(table)
			return nil, e
		}
		columns = append(columns, col.Num)
	}
	return columns, nil
}

// referencedKey finds the referenced columns and the unique index over them (transformFkeyGetPrimaryKey,
// transformFkeyCheckAttrs).
func (c *Catalog) referencedKey(con *Constraint, names []*pgast.Node) error {
	ref := c.relation(con.RefTable)
	if len(names) == 0 {
		pk := c.primaryKey(ref.OID)
		switch {
		case pk == nil && ref.Assumed:
			return nil
		case pk == nil:
			return errorf("42704", "there is no primary key for referenced table \"%s\"", ref.Name)
		case pk.Deferrable:
			return errorf("55000", "cannot use a deferrable primary key for referenced table \"%s\"", ref.Name)
		}
		con.RefColumns, con.Index = pk.Columns, pk.Index
		return nil
	}
	var err error
	if con.RefColumns, err = c.foreignColumns(ref.OID, names); err != nil {
		return err
	}
	for i, num := range con.RefColumns {
		if slices.Contains(con.RefColumns[:i], num) {
			return errorf("42830", "foreign key referenced-columns list must not contain duplicates")
		}
	}
	deferrable := false
	for _, index := range c.Indexes(ref.OID) {
		if !index.Index.covers(con.RefColumns) {
			continue
		}
		if !index.Index.Immediate {
			deferrable = true
			continue
		}
		con.Index = index.OID
		return nil
	}
	switch {
	case deferrable:
		return errorf("55000", "cannot use a deferrable unique constraint for referenced table \"%s\"", ref.Name)
	case ref.Assumed:
		return nil
	}
	e := errorf("42830", "there is no unique constraint matching given keys for referenced table \"%s\"", ref.Name)
	e.Object = c.NameOf(ref.OID)
	return e
}

// covers tells whether a unique index has exactly these columns as keys, in any order, and could back a foreign key.
func (x *IndexAttrs) covers(columns []int) bool {
	if !x.Unique || !x.Valid || x.Predicate != nil || len(x.Keys) != len(columns) {
		return false
	}
	for _, key := range x.Keys {
		if key.Column == 0 || !slices.Contains(columns, key.Column) {
			return false
		}
	}
	return true
}

// checkGeneratedForeign refuses actions that would write a generated column.
func (c *Catalog) checkGeneratedForeign(con *Constraint) error {
	for _, num := range con.Columns {
		if c.relation(con.Table).Att(num).Generated == 0 {
			continue
		}
		if con.OnUpdate == 'n' || con.OnUpdate == 'd' || con.OnUpdate == 'c' {
			return errorf("42601", "invalid ON UPDATE action for foreign key constraint containing generated column")
		}
		if con.OnDelete == 'n' || con.OnDelete == 'd' {
			return errorf("42601", "invalid ON DELETE action for foreign key constraint containing generated column")
		}
	}
	return nil
}

// checkForeignTypes refuses columns that cannot be compared. PostgreSQL looks for an equality operator in the index's
// operator family, or an implicit cast of the referencing to the referenced type.
func (c *Catalog) checkForeignTypes(con *Constraint) error {
	table, ref := c.relation(con.Table), c.relation(con.RefTable)
	for i := range con.Columns {
		if i >= len(con.RefColumns) {
			break
		}
		a, b := table.Att(con.Columns[i]), ref.Att(con.RefColumns[i])
		if !a.Type.known() || !b.Type.known() || c.comparable(a.Type, b.Type) {
			continue
		}
		e := errorf("42804", "foreign key constraint \"%s\" cannot be implemented", con.Name)
		e.Detail = "Key columns \"" + a.Name + "\" and \"" + b.Name + "\" are of incompatible types: " + c.FormatType(a.Type.bare()) + " and " + c.FormatType(b.Type.bare()) + "."
		return e
	}
	return nil
}

// comparable tells whether a foreign key may go from a column of type a to one of type b.
func (c *Catalog) comparable(a, b TypeRef) bool {
	a, b = c.baseType(a).bare(), c.baseType(b).bare()
	if a == b || c.canCoerce(a, b, implicitly) {
		return true
	}
	// The cross-type families of btree: integer_ops, float_ops, datetime_ops, text_ops (pg_amop.dat).
	for _, family := range [][]OID{{typeInt2, typeInt4, typeInt8}, {700, typeFloat8}, {typeDate, typeTimestamp, typeTimestamptz}, {typeText, typeName, typeVarchar}} {
		if slices.Contains(family, a.OID) && slices.Contains(family, b.OID) && !a.Array && !b.Array {
			return true
		}
	}
	return false
}

// referencedPartitions adds the constraints that point at the partitions of a referenced partitioned table
// (addFkRecurseReferenced).
func (c *Catalog) referencedPartitions(con *Constraint, given string) error {
	if c.relation(con.RefTable).Kind != PartitionedTable {
		return nil
	}
	for _, part := range c.partitions(con.RefTable) {
		if err := c.referencePartition(con, part, given); err != nil {
			return err
		}
	}
	return nil
}

// referencePartition adds the constraint that points at one partition; given is the name that the statement began with.
func (c *Catalog) referencePartition(con *Constraint, part *Relation, given string) error {
	table := c.relation(con.Table)
	child := *con
	child.OID, child.Name = c.newOID(), con.Name
	switch taken := c.constraintNamed(con.Table, con.Name) != nil; {
	case taken && c.Version >= 18:
		child.Name = c.numberedConstraintName(given, table.Schema)
	case taken:
		child.Name = c.chooseConstraintName(table.Name, joinNames(c.columnNames(con.Table, con.Columns)), "fkey", table.Schema)
	}
	child.RefTable, child.RefColumns = part.OID, c.mapColumns(con.RefTable, part.OID, con.RefColumns)
	child.Index = c.partitionIndex(con.Index, part.OID)
	child.Parent, child.Local, child.Inherited, child.NoInherit = con.OID, false, 1, false
	c.addConstraint(&child)
	c.addDep(Address{OID: child.OID}, Address{OID: con.OID}, DepInternal)
	return c.referencedPartitions(&child, given)
}

// referencingPartitions adds a partitioned table's foreign key to its partitions (addFkRecurseReferencing).
func (c *Catalog) referencingPartitions(con *Constraint, eff *Effects) error {
	if c.relation(con.Table).Kind != PartitionedTable {
		return nil
	}
	for _, part := range c.partitions(con.Table) {
		if part.Kind == ForeignTable {
			return errorf("42809", "cannot add foreign key to a foreign table")
		}
		if err := c.foreignKeyToPartition(con, part.OID, eff); err != nil {
			return err
		}
	}
	return nil
}

func (c *Catalog) foreignKeyToPartition(con *Constraint, part OID, eff *Effects) error {
	child := *con
	child.Table = part
	child.Columns = c.mapColumns(con.Table, part, con.Columns)
	child.SetColumns = c.mapColumns(con.Table, part, con.SetColumns)
	for _, own := range c.Constraints(part) {
		if own.Parent == 0 && sameForeignKey(own, &child) {
			// Its rows for the partitions that it refers to go: the parent's stand for them (tryAttachPartitionForeignKey).
			for _, row := range c.Constraints(part) {
				if row.Parent != own.OID {
					continue
				}
				c.dropDeps(row.OID, func(d Dep) bool { return d.Type == DepInternal })
				if err := c.dropObject(Address{OID: row.OID}, true, &Effects{}); err != nil {
					return err
				}
			}
			c.attachConstraint(own.OID, con)
			return nil
		}
	}
	r := c.relation(part)
	switch taken := c.constraintNamed(part, con.Name) != nil; {
	case taken && c.Version >= 18:
		child.Name = c.numberedConstraintName(con.Name, r.Schema)
	case taken:
		child.Name = c.chooseConstraintName(r.Name, joinNames(c.columnNames(part, child.Columns)), "fkey", r.Schema)
	}
	child.OID, child.schema = c.newOID(), 0
	child.Parent, child.Local, child.Inherited, child.NoInherit = con.OID, false, 1, false
	c.addConstraint(&child)
	c.addPartitionDeps(child.OID, con.OID, part)
	return c.referencingPartitions(&child, eff)
}

// attachConstraint makes a partition's constraint part of its parent's (ConstraintSetParentConstraint).
func (c *Catalog) attachConstraint(oid OID, parent *Constraint) {
	c.editConstraint(oid, func(con *Constraint) {
		con.Parent, con.Local = parent.OID, false
		con.Inherited++
	})
	c.addPartitionDeps(oid, parent.OID, c.Get(oid).(*Constraint).Table)
}

// numberedConstraintName is how a partition's foreign key is called since PostgreSQL 18 when its parent's name is taken
// (addFkConstraint).
func (c *Catalog) numberedConstraintName(name string, schema OID) string {
	for n := 1; ; n++ {
		if numbered := makeObjectName(name, "", itoa(n)); !c.constraintNameExists(schema, numbered) {
			return numbered
		}
	}
}

func (c *Catalog) addPartitionDeps(oid, parent, table OID) {
	c.addDep(Address{OID: oid}, Address{OID: parent}, DepPartition)
	c.addDep(Address{OID: oid}, Address{OID: table}, DepPartition)
}

func sameForeignKey(a, b *Constraint) bool {
	return a.Kind == ForeignKey && a.RefTable == b.RefTable && slices.Equal(a.Columns, b.Columns) && slices.Equal(a.RefColumns, b.RefColumns) &&
		a.Deferrable == b.Deferrable && a.Deferred == b.Deferred && a.Valid && a.OnUpdate == b.OnUpdate && a.OnDelete == b.OnDelete && a.Match == b.Match
}

// mapColumns translates attribute numbers of one table into those of another by name.
func (c *Catalog) mapColumns(from, to OID, columns []int) []int {
	var mapped []int
	a, b := c.relation(from), c.relation(to)
	for _, num := range columns {
		n := 0
		if num > 0 {
			if col := b.Column(a.Columns[num-1].Name); col != nil {
				n = col.Num
			}
		}
		mapped = append(mapped, n)
	}
	return mapped
}

func (c *Catalog) columnNames(rel OID, columns []int) []string {
	var names []string
	for _, num := range columns {
		if col := c.relation(rel).Att(num); col != nil {
			names = append(names, col.Name)
		}
	}
	return names
}

// partitionIndex finds the partition's index that is attached to the partitioned one.
func (c *Catalog) partitionIndex(parent, part OID) OID {
	for _, index := range c.Indexes(part) {
		if index.Index.Parent == parent {
			return index.OID
		}
	}
	return 0
}
