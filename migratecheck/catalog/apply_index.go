package catalog

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// indexSpec is what an index is to be: of CREATE INDEX, of a constraint, or a copy of another table's.
type indexSpec struct {
	table                           OID
	name                            string
	method                          string
	elems, include                  []*pgast.IndexElem
	operators                       []string // exclusion
	where                           *pgast.Node
	unique, primary, exclusion      bool
	constraint                      bool
	deferrable, deferred            bool
	nullsNotDistinct                bool
	ifNotExists, only, concurrently bool
	options                         []*pgast.Node
	keepOptions                     []string // of the index that is copied
	tablespace                      string
	parent                          *Relation // the partitioned index this one is a partition of
	parentConstraint                *Constraint
}

func (c *Catalog) applyCreateIndex(s *pgast.IndexStmt, eff *Effects) error {
	r, err := c.lookupRelation(s.Relation)
	if err != nil {
		return err
	}
	if s.Concurrent && c.InTransaction() {
		return errorf("25001", "CREATE INDEX CONCURRENTLY cannot run inside a transaction block")
	}
	spec := &indexSpec{
		table: r.OID, name: s.Idxname, method: s.AccessMethod, where: s.WhereClause, unique: s.Unique, nullsNotDistinct: s.NullsNotDistinct,
		ifNotExists: s.IfNotExists, only: !s.Relation.Inh, concurrently: s.Concurrent, options: s.Options, tablespace: s.TableSpace,
	}
	for _, n := range s.IndexParams {
		spec.elems = append(spec.elems, n.GetIndexElem())
	}
	for _, n := range s.IndexIncludingParams {
		spec.include = append(spec.include, n.GetIndexElem())
	}
	_, err = c.defineIndex(spec, eff)
	return err
}

// defineIndex makes an index and, of a constraint, the constraint; on a partitioned table also those of the partitions
// (DefineIndex, src/backend/commands/indexcmds.c). It returns the index, nil when IF NOT EXISTS found one.
func (c *Catalog) defineIndex(spec *indexSpec, eff *Effects) (*Relation, error) {
	r := c.relation(spec.table)
	if err := c.checkIndexable(r, spec); err != nil {
		return nil, err
	}
	if spec.primary && c.primaryKey(r.OID) != nil {
		return nil, errorf("42P16", "multiple primary keys for table \"%s\" are not allowed", r.Name)
	}
	index := &Relation{
		OID: c.newOID(), Schema: r.Schema, Kind: Index, Persistence: r.Persistence, AccessMethod: spec.method, ReplicaIdent: 'n',
		Tablespace: tablespace(spec.tablespace),
		Index: &IndexAttrs{
			Table: r.OID, Unique: spec.unique, Primary: spec.primary, Exclusion: spec.exclusion, Immediate: !spec.deferrable, Valid: true,
			NullsNotDistinct: spec.nullsNotDistinct,
		},
	}
	var err error
	if index.Options, err = relOptions(spec.keepOptions, spec.options, false); err != nil {
		return nil, err
	}
	if r.Kind == PartitionedTable {
		index.Kind = PartitionedIndex
		if err := c.checkPartitionedUnique(r, spec); err != nil {
			return nil, err
		}
	}
	if err := c.fillIndex(index, spec); err != nil {
		return nil, err
	}
	// The name is looked at last, as in index_create.
	if index.Name, err = c.indexName(r, spec, eff); index.Name == "" || err != nil {
		return nil, err
	}
	if spec.primary {
		if err := c.primaryKeyNotNull(r.OID, index.Index, spec, eff); err != nil {
			return nil, err
		}
	}
	if spec.parent != nil {
		index.Index.Parent = spec.parent.OID
		index.Inherits = []OID{spec.parent.OID}
	}
	if index.Kind == PartitionedIndex && spec.only && len(c.Inheritors(r.OID)) > 0 {
		index.Index.Valid = false
	}
	c.put(index)
	con := c.indexConstraint(index, spec)
	c.indexDeps(index, con)
	if index.Kind == PartitionedIndex && !spec.only {
		if err := c.indexPartitions(index, con, spec, eff); err != nil {
			return nil, err
		}
	}
	return c.relation(index.OID), nil
}

// checkIndexable refuses what cannot have the index.
func (c *Catalog) checkIndexable(r *Relation, spec *indexSpec) error {
	switch r.Kind {
	case Table, MatView, PartitionedTable:
	case ForeignTable, View, Index, Sequence, PartitionedIndex, CompositeRel:
		e := errorf("42809", "cannot create index on relation \"%s\"", r.Name)
		e.Detail = "This operation is not supported for " + r.pluralKind() + "."
		return e
	}
	if r.Kind == PartitionedTable {
		if spec.concurrently {
			return errorf("0A000", "cannot create index on partitioned table \"%s\" concurrently", r.Name)
		}
		if spec.exclusion && c.Version < 17 {
			return errorf("0A000", "cannot create exclusion constraints on partitioned table \"%s\"", r.Name)
		}
	}
	if spec.method == "" {
		spec.method = "btree"
	}
	if spec.method == "rtree" {
		spec.method = "gist" // DefineIndex: "HACK"
	}
	switch spec.method {
	case "btree", "hash", "gist", "gin", "spgist", "brin":
	default:
		if _, ok := c.names.Get(nameKey(inOthers, 0, "access method\x00"+spec.method)); !ok && !c.Open && !c.hasUnknownExtension() {
			return errorf("42704", "access method \"%s\" does not exist", spec.method)
		}
		return nil
	}
	many := len(spec.elems) > 1
	switch {
	case spec.unique && spec.method != "btree":
		return errorf("0A000", "access method \"%s\" does not support unique indexes", spec.method)
	case len(spec.include) > 0 && spec.method != "btree" && spec.method != "gist" && (spec.method != "spgist" || c.Version < 14):
		return errorf("0A000", "access method \"%s\" does not support included columns", spec.method)
	case many && (spec.method == "hash" || spec.method == "spgist"):
		return errorf("0A000", "access method \"%s\" does not support multicolumn indexes", spec.method)
	case spec.exclusion && (spec.method == "gin" || spec.method == "brin"):
		return errorf("0A000", "access method \"%s\" does not support exclusion constraints", spec.method)
	}
	if len(spec.elems)+len(spec.include) > 32 {
		return errorf("54011", "cannot use more than 32 columns in an index")
	}
	return nil
}

// pluralKind is a kind of relation as the detail "This operation is not supported for …" names it.
func (o *Relation) pluralKind() string {
	switch o.Kind {
	case Index:
		return "indexes"
	case PartitionedIndex:
		return "partitioned indexes"
	case PartitionedTable:
		return "partitioned tables"
	}
	return o.kindWord() + "s"
}

// indexName checks the given name or makes one; "" without error when IF NOT EXISTS finds the name taken.
func (c *Catalog) indexName(r *Relation, spec *indexSpec, eff *Effects) (string, error) {
	if spec.name == "" {
		return c.chooseIndexName(r.Name, r.Schema, spec), nil
	}
	if exists, err := c.checkRelationName(r.Schema, spec.name, spec.ifNotExists, false, eff); exists || err != nil {
		return "", err
	}
	if spec.constraint && c.constraintNamed(r.OID, spec.name) != nil {
		return "", c.constraintExists(r.OID, spec.name)
	}
	return spec.name, nil
}

func (c *Catalog) chooseIndexName(table string, schema OID, spec *indexSpec) string {
	names := joinNames(c.indexColumnNames(slices.Concat(spec.elems, spec.include)))
	switch {
	case spec.primary:
		return c.chooseRelationName(table, "", "pkey", schema, true)
	case spec.exclusion:
		return c.chooseRelationName(table, names, "excl", schema, true)
	case spec.constraint:
		return c.chooseRelationName(table, names, "key", schema, true)
	}
	return c.chooseRelationName(table, names, "idx", schema, false)
}

// fillIndex resolves keys, included columns and predicate.
func (c *Catalog) fillIndex(index *Relation, spec *indexSpec) error {
	x := index.Index
	x.names = c.indexColumnNames(slices.Concat(spec.elems, spec.include))
	for _, elem := range spec.elems {
		key, err := c.indexKey(x.Table, elem, spec)
		if err != nil {
			return err
		}
		x.Keys = append(x.Keys, key)
	}
	for _, elem := range spec.include {
		if elem.Name == "" {
			return errorf("0A000", "expressions are not supported in included columns")
		}
		col := c.findColumn(x.Table, elem.Name)
		if col == nil {
			return errorf("42703", "column \"%s\" does not exist", elem.Name)
		}
		x.Include = append(x.Include, col.Num)
	}
	if spec.where == nil {
		return nil
	}
	e, err := c.newExpr(spec.where, c.relation(x.Table))
	if err != nil {
		return err
	}
	if err := e.checkPlain("index predicate"); err != nil {
		return err
	}
	if t := c.exprType(spec.where, c.relation(x.Table)); t.known() && t.OID != typeUnknown && !c.canCoerce(t, scalar(typeBool), byAssignment) {
		return errorf("42804", "argument of WHERE must be type boolean, not type %s", c.FormatType(t.bare()))
	}
	if c.mutable(e, c.relation(x.Table)) {
		return errorf("42P17", "functions in index predicate must be marked IMMUTABLE")
	}
	x.Predicate = e
	return nil
}

func (c *Catalog) indexKey(table OID, elem *pgast.IndexElem, spec *indexSpec) (IndexKey, error) {
	key := IndexKey{Desc: elem.Ordering == pgast.SortByDir_SORTBY_DESC}
	ordered := elem.Ordering == pgast.SortByDir_SORTBY_DESC || elem.Ordering == pgast.SortByDir_SORTBY_ASC ||
		elem.NullsOrdering > pgast.SortByNulls_SORTBY_NULLS_DEFAULT
	if ordered && spec.method != "btree" {
		return key, errorf("0A000", "access method \"%s\" does not support ASC/DESC options", spec.method)
	}
	switch elem.NullsOrdering {
	case pgast.SortByNulls_SORTBY_NULLS_FIRST:
		key.NullsFirst = true
	case pgast.SortByNulls_SORTBY_NULLS_LAST:
	default:
		key.NullsFirst = key.Desc
	}
	var typ TypeRef
	if elem.Name != "" {
		col := c.findColumn(table, elem.Name)
		if col == nil {
			e := errorf("42703", "column \"%s\" does not exist", elem.Name)
			e.Object = c.NameOf(table)
			return key, e
		}
		key.Column, typ = col.Num, col.Type
	} else {
		_, v, err := c.bindExpr(elem.Expr, scopeOf(c.relation(table)), "", TypeRef{})
		if err != nil {
			return key, err
		}
		// COLLATE around it all is the key's, not the expression's (ComputeIndexAttrs).
		expr := elem.Expr
		for expr.GetCollateClause() != nil {
			expr = expr.GetCollateClause().Arg
		}
		e, err := c.newExpr(expr, c.relation(table))
		if err != nil {
			return key, err
		}
		if err := e.checkPlain("index expression"); err != nil {
			return key, err
		}
		if c.mutable(e, c.relation(table)) {
			return key, errorf("42P17", "functions in index expression must be marked IMMUTABLE")
		}
		key.Expr, typ = e, v.typ
		if num := c.plainColumn(expr, e, table, v.typ); num > 0 {
			// CREATE INDEX … ((a)) is an index on the column (ComputeIndexAttrs strips the parentheses), and so is one on a
			// cast to the type that the column has.
			key.Column, key.Expr = num, nil
		}
		key.setCollation(c.relation(table), v.collation)
	}
	if len(elem.Collation) > 0 {
		if err := c.keyCollation(&key, table, typ, stringsOf(elem.Collation)); err != nil {
			return key, err
		}
	}
	class, err := c.indexOpClass(typ, spec.method, stringsOf(elem.Opclass))
	key.OpClass, key.class = class.name, class.oid
	return key, err
}

// plainColumn is the number of the column that an index expression amounts to, 0 when it computes something.
func (c *Catalog) plainColumn(node *pgast.Node, e *Expr, table OID, typ TypeRef) int {
	cast := node.GetTypeCast() != nil
	for node.GetTypeCast() != nil {
		node = node.GetTypeCast().Arg
	}
	if node.GetColumnRef() == nil || len(e.Refs) != 1 || e.Refs[0].OID != table {
		return 0
	}
	col := c.relation(table).Att(e.Refs[0].Column)
	if col == nil || cast && col.Type != typ {
		return 0
	}
	return col.Num
}

// keyCollation stores COLLATE of an index key; the column's own, or of an expression the type's own, is kept as "".
func (c *Catalog) keyCollation(key *IndexKey, table OID, typ TypeRef, names []string) error {
	name, _, err := c.resolveCollation(names)
	if err != nil {
		return err
	}
	if typ.known() && !c.collatable(typ) {
		return errorf("42804", "collations are not supported by type %s", c.FormatType(typ))
	}
	key.setCollation(c.relation(table), name)
	return nil
}

// setCollation stores a collation as Collation has it: "" is the column's own, or the default of an expression.
func (key *IndexKey) setCollation(table *Relation, name string) {
	own := ""
	if key.Column > 0 {
		own = table.Att(key.Column).Collation
	}
	if name == "default" {
		name = ""
	}
	switch {
	case name == own:
		name = ""
	case name == "":
		name = "default"
	}
	key.Collation = name
}

// indexConstraint makes the constraint that the index stands for, nil when it does for none.
func (c *Catalog) indexConstraint(index *Relation, spec *indexSpec) *Constraint {
	if !spec.constraint {
		return nil
	}
	con := &Constraint{
		OID: c.newOID(), Name: index.Name, Kind: Unique, Table: index.Index.Table, Index: index.OID, Valid: true,
		Deferrable: spec.deferrable, Deferred: spec.deferred, Local: true, NoInherit: true, Operators: spec.operators,
	}
	switch {
	case spec.primary:
		con.Kind = PrimaryKey
	case spec.exclusion:
		con.Kind = Exclusion
	}
	for _, key := range index.Index.Keys {
		con.Columns = append(con.Columns, key.Column)
	}
	if spec.parentConstraint != nil {
		con.Parent, con.Local, con.Inherited, con.NoInherit = spec.parentConstraint.OID, false, 1, false
	}
	c.addIndexedConstraint(con, index)
	return con
}

// addIndexedConstraint stores a constraint that stands on an index. Its own columns are those of the index; attribute 0
// (an expression of an exclusion constraint) is not one.
func (c *Catalog) addIndexedConstraint(con *Constraint, index *Relation) {
	c.put(con)
	self := Address{OID: con.OID}
	some := false
	for _, num := range slices.Concat(con.Columns, index.Index.Include) {
		if num > 0 {
			c.addDep(self, Address{con.Table, num}, DepAuto)
			some = true
		}
	}
	if !some {
		c.addDep(self, Address{OID: con.Table}, DepAuto)
	}
	if con.Parent != 0 {
		c.addDep(self, Address{OID: con.Parent}, DepPartition)
		c.addDep(self, Address{OID: con.Table}, DepPartition)
	}
}

// indexDeps records what an index needs (index_create, src/backend/catalog/index.c).
func (c *Catalog) indexDeps(index *Relation, con *Constraint) {
	self, x := Address{OID: index.OID}, index.Index
	if con != nil {
		c.addDep(self, Address{OID: con.OID}, DepInternal)
	}
	some := con != nil
	add := func(e *Expr) {
		if e == nil {
			return
		}
		for _, ref := range e.Refs {
			if ref.OID == x.Table {
				c.addDep(self, ref, DepAuto)
				some = true
			} else {
				c.addDep(self, ref, DepNormal)
			}
		}
	}
	for _, key := range x.Keys {
		if key.Column > 0 && con == nil {
			c.addDep(self, Address{x.Table, key.Column}, DepAuto)
			some = true
		}
		add(key.Expr)
		if key.class != 0 {
			c.addDep(self, Address{OID: key.class}, DepNormal)
		}
		if oid := c.collationOID(key.Collation); oid != 0 {
			c.addDep(self, Address{OID: oid}, DepNormal)
		}
	}
	for _, num := range x.Include {
		if con == nil {
			c.addDep(self, Address{x.Table, num}, DepAuto)
		}
	}
	add(x.Predicate)
	if !some {
		c.addDep(self, Address{OID: x.Table}, DepAuto)
	}
	if x.Parent != 0 {
		c.addDep(self, Address{OID: x.Parent}, DepPartition)
		c.addDep(self, Address{OID: x.Table}, DepPartition)
	}
}

// primaryKeyNotNull makes the columns of a new primary key NOT NULL (index_check_primary_key).
func (c *Catalog) primaryKeyNotNull(table OID, x *IndexAttrs, spec *indexSpec, eff *Effects) error {
	for _, key := range x.Keys {
		if key.Column == 0 {
			return errorf("0A000", "primary keys cannot be expressions")
		}
		if con := c.notNullOf(table, key.Column); con != nil && !con.Valid {
			e := errorf("55000", "cannot create primary key on column \"%s\"", c.relation(table).Att(key.Column).Name)
			e.Hint = "You might need to validate it using ALTER TABLE ... VALIDATE CONSTRAINT."
			return e
		}
		if c.Version >= firstNamedNotNull && c.relation(table).Att(key.Column).NotNull {
			continue // its constraint is there, or about to be made
		}
		if err := c.setNotNull(table, key.Column, !spec.only); err != nil {
			return err
		}
	}
	return nil
}
