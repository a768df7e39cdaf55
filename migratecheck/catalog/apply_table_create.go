package catalog

import (
	"cmp"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// newTable is a CREATE TABLE (or the part of an ALTER TABLE that adds columns) on its way. Like transformCreateStmt
// (src/backend/parser/parse_utilcmd.c) it sorts the constraints that columns and the table bring by when they are made:
// checks, then indexes, then LIKE, then foreign keys; the implicit names depend on it.
type newTable struct {
	c        *Catalog
	eff      *Effects
	schema   OID
	name     string
	temp     bool
	unlogged bool

	columns   []newColumn
	notNulls  []notNullSpec // since 18
	checks    []*pgast.Constraint
	indexes   []*pgast.Constraint
	foreign   []*pgast.Constraint
	likes     []likeClause
	sequences []ownedSequence
	isForeign bool
}

// newColumn is a column definition after transformColumnDefinition.
type newColumn struct {
	Column
	def       *pgast.Node // DEFAULT or the generation expression
	expr      *Expr       // instead of def: made already (serial)
	inherited *Expr       // the parent's default it stands for
	typed     bool        // from OF type: only options are given
	collGiven bool
}

// ownedSequence is a sequence made for a serial or identity column.
type ownedSequence struct {
	oid      OID
	column   string
	identity bool
}

func (c *Catalog) applyCreateTable(s *pgast.CreateStmt, foreign *pgast.CreateForeignTableStmt, eff *Effects) error {
	_, err := c.createTable(s, foreign, eff)
	return err
}

// createTable makes a table; the OID is 0 when IF NOT EXISTS found one.
func (c *Catalog) createTable(s *pgast.CreateStmt, foreign *pgast.CreateForeignTableStmt, eff *Effects) (OID, error) {
	schema, err := c.creationSchema(s.Relation)
	if err != nil {
		return 0, err
	}
	if s.IfNotExists {
		if exists, err := c.checkNewRelation(schema, s.Relation.Relname, true, true, eff); exists || err != nil {
			return 0, err
		}
	}
	b := &newTable{c: c, eff: eff, schema: schema, name: s.Relation.Relname, isForeign: foreign != nil}
	b.temp = s.Relation.Relpersistence == "t" || s.Relation.Schemaname == tempSchema
	rel := &Relation{OID: c.newOID(), Schema: schema, Name: b.name, Kind: Table, Persistence: Permanent, ReplicaIdent: 'd', AccessMethod: c.tableMethod(), Tablespace: tablespace(s.Tablespacename)}
	switch {
	case b.temp:
		rel.Persistence = Temporary
	case s.Relation.Relpersistence == "u":
		rel.Persistence, b.unlogged = Unlogged, true
	}
	switch {
	case foreign != nil:
		if err := c.needOther("server", foreign.Servername); err != nil {
			return 0, err
		}
		rel.Kind, rel.AccessMethod, rel.ForeignServer, rel.ReplicaIdent = ForeignTable, "", foreign.Servername, 'n'
	case s.Partspec != nil:
		rel.Kind, rel.AccessMethod = PartitionedTable, ""
	}
	if b.unlogged && rel.Kind == PartitionedTable && c.Version >= 18 {
		return 0, errorf("0A000", "partitioned tables cannot be unlogged")
	}
	if s.AccessMethod != "" {
		if err := c.checkTableMethod(s.AccessMethod); err != nil {
			return 0, err
		}
		rel.AccessMethod = s.AccessMethod
	}
	if rel.Options, err = relOptions(nil, s.Options, false); err != nil {
		return 0, err
	}
	if err := c.storesOptions(rel, rel.Options); err != nil {
		return 0, err
	}
	if s.OfTypename != nil {
		if err := b.ofType(rel, s.OfTypename); err != nil {
			return 0, err
		}
	}
	if err := b.elements(s.TableElts); err != nil {
		return 0, err
	}
	if err := b.constraints(s.Constraints); err != nil {
		return 0, err
	}
	if s.Oncommit == pgast.OnCommitAction_ONCOMMIT_DROP {
		if !b.temp {
			return 0, errorf("42P16", "ON COMMIT can only be used on temporary tables")
		}
		c.onCommit = append(c.onCommit[:len(c.onCommit):len(c.onCommit)], rel.OID)
	}
	return rel.OID, b.define(rel, s)
}

// define makes the relation (DefineRelation, src/backend/commands/tablecmds.c) and what belongs to it.
func (b *newTable) define(rel *Relation, s *pgast.CreateStmt) error {
	c := b.c
	columns, oldChecks, parents, err := b.mergeInheritance(rel, s)
	if err != nil {
		return err
	}
	if err := b.markPrimaryKey(columns); err != nil {
		return err
	}
	for i := range columns {
		columns[i].Num = i + 1
		rel.Columns = append(rel.Columns, columns[i].Column)
	}
	for _, p := range parents {
		rel.Inherits = append(rel.Inherits, p.OID)
	}
	if s.Partbound != nil {
		rel.PartitionOf = parents[0].OID
	}
	// Whether the name is free is looked at last, as in heap_create_with_catalog.
	if _, err := c.checkNewRelation(rel.Schema, rel.Name, false, true, b.eff); err != nil {
		return err
	}
	c.put(rel)
	c.addMethodDep(rel.OID, rel.AccessMethod, DepNormal)
	for i := range rel.Columns {
		c.addTypeDeps(rel.OID, &rel.Columns[i])
	}
	for _, p := range parents {
		typ := DepNormal
		if rel.PartitionOf != 0 {
			typ = DepAuto
		}
		c.addDep(Address{OID: rel.OID}, Address{OID: p.OID}, typ)
	}
	if oid, ok := c.names.Get(nameKey(inOthers, 0, "server\x00"+rel.ForeignServer)); ok && rel.ForeignServer != "" {
		c.addDep(Address{OID: rel.OID}, Address{OID: oid}, DepNormal)
	}
	if rel.OfType != 0 {
		c.addDep(Address{OID: rel.OID}, Address{OID: rel.OfType}, DepNormal)
	}
	if rel.ForeignServer != "" {
		server, err := c.otherNamed("server", []string{rel.ForeignServer})
		if err != nil {
			return err
		}
		if server != nil {
			c.addDep(Address{OID: rel.OID}, Address{OID: server.OID}, DepNormal)
		}
	}
	if err := b.defaults(rel.OID, columns); err != nil {
		return err
	}
	if s.Partbound != nil {
		if err := c.setBound(rel.OID, s.Partbound, b.eff); err != nil {
			return err
		}
	}
	if s.Partspec != nil {
		if err := c.setPartitionKey(rel.OID, s.Partspec); err != nil {
			return err
		}
	}
	b.own(rel.OID)
	if rel.PartitionOf != 0 {
		if err := c.cloneToPartition(rel.PartitionOf, rel.OID, b.eff); err != nil {
			return err
		}
	}
	for _, con := range oldChecks {
		e, err := c.newExpr(con.Check.Node, c.relation(rel.OID))
		if err != nil {
			return err
		}
		con.OID, con.Check, con.Columns = c.newOID(), e, c.checkColumns(e, rel.OID)
		c.addConstraint(con)
	}
	for _, con := range b.checks {
		if !b.isForeign {
			con = copyConstraint(con)
			con.SkipValidation, con.InitiallyValid = false, true // there are no rows: NOT VALID means nothing
		}
		if _, err := c.addCheck(rel.OID, con, nil, true, false, b.eff); err != nil {
			return err
		}
	}
	if err := b.makeNotNulls(rel.OID, parents); err != nil {
		return err
	}
	return b.finish(rel.OID)
}

// finish makes what comes after the table itself: indexes, LIKE, foreign keys.
func (b *newTable) finish(rel OID) error {
	if err := b.makeIndexes(rel); err != nil {
		return err
	}
	for _, like := range b.likes {
		if err := b.c.expandLike(rel, like, b.eff); err != nil {
			return err
		}
	}
	for _, con := range b.foreign {
		con = copyConstraint(con)
		con.SkipValidation, con.InitiallyValid = true, true
		if err := b.c.addForeignKey(rel, con, b.eff); err != nil {
			return err
		}
	}
	return nil
}

// checkNewRelation answers as heap_create_with_catalog does when the name is taken by a relation or, for what has a row
// type, by a type.
func (c *Catalog) checkNewRelation(schema OID, name string, ifNotExists, rowType bool, eff *Effects) (exists bool, err error) {
	if schema == pgCatalogOID {
		return false, errorf("42501", "permission denied to create \"pg_catalog.%s\"", name)
	}
	return c.checkRelationName(schema, name, ifNotExists, rowType, eff)
}

// checkRelationName is checkNewRelation where a relation that is there already takes the name.
func (c *Catalog) checkRelationName(schema OID, name string, ifNotExists, rowType bool, eff *Effects) (exists bool, err error) {
	if _, taken := c.names.Get(nameKey(inRelations, schema, name)); taken {
		if ifNotExists {
			eff.note("relation \"%s\" already exists, skipping", name)
			return true, nil
		}
		e := errorf("42P07", "relation \"%s\" already exists", name)
		e.Object = Name{c.NameOf(schema).Name, name}
		return false, e
	}
	if rowType {
		if _, taken := c.names.Get(nameKey(inTypes, schema, name)); taken {
			e := errorf("42710", "type \"%s\" already exists", name)
			e.Hint = "A relation has an associated type of the same name, so you must use a name that doesn't conflict with any existing type."
			return false, e
		}
	}
	return false, nil
}

// tableMethod is the access method of a new table for which none is given (default_table_access_method).
func (c *Catalog) tableMethod() string {
	return cmp.Or(c.Setting("default_table_access_method"), "heap")
}

// tablespace is what is stored for a tablespace that is named: nothing for the database's own, which is taken to be pg_default
// (heap_create).
func tablespace(name string) string {
	if name == "pg_default" {
		return ""
	}
	return name
}

// methodOID is an access method of the catalog's own, 0 for the server's.
func (c *Catalog) methodOID(name string) OID {
	oid, _ := c.names.Get(nameKey(inOthers, 0, "access method\x00"+name))
	return oid
}

// addMethodDep records that an object needs its access method.
func (c *Catalog) addMethodDep(oid OID, method string, typ DepType) {
	if ref := c.methodOID(method); ref != 0 {
		c.addDep(Address{OID: oid}, Address{OID: ref}, typ)
	}
}

// checkTableMethod looks for a table access method.
func (c *Catalog) checkTableMethod(name string) error {
	if _, ok := c.names.Get(nameKey(inOthers, 0, "access method\x00"+name)); ok || name == "heap" || c.Open || c.hasUnknownExtension() {
		return nil
	}
	return errorf("42704", "access method \"%s\" does not exist", name)
}

// elements takes the table's column definitions, table constraints and LIKE clauses in order.
func (b *newTable) elements(elts []*pgast.Node) error {
	for _, elt := range elts {
		var err error
		switch e := elt.Node.(type) {
		case *pgast.Node_ColumnDef:
			err = b.column(e.ColumnDef)
		case *pgast.Node_Constraint:
			err = b.constraint(e.Constraint)
		case *pgast.Node_TableLikeClause:
			err = b.like(e.TableLikeClause)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *newTable) constraints(list []*pgast.Node) error {
	for _, n := range list {
		if con := n.GetConstraint(); con != nil {
			if err := b.constraint(con); err != nil {
				return err
			}
		}
	}
	return nil
}

// constraint takes a table constraint.
func (b *newTable) constraint(con *pgast.Constraint) error {
	switch con.Contype {
	case pgast.ConstrType_CONSTR_NOTNULL:
		b.notNull(notNullSpec{column: stringsOf(con.Keys)[0], name: con.Conname, noInherit: con.IsNoInherit})
	case pgast.ConstrType_CONSTR_CHECK:
		b.checks = append(b.checks, con)
	case pgast.ConstrType_CONSTR_PRIMARY, pgast.ConstrType_CONSTR_UNIQUE, pgast.ConstrType_CONSTR_EXCLUSION:
		if b.isForeign {
			return errorf("0A000", "%s constraints are not supported on foreign tables", strings.ToLower(constraintWord(con.Contype)))
		}
		b.indexes = append(b.indexes, con)
	case pgast.ConstrType_CONSTR_FOREIGN:
		if b.isForeign {
			return errorf("0A000", "foreign key constraints are not supported on foreign tables")
		}
		b.foreign = append(b.foreign, con)
	}
	return nil
}

func constraintWord(t pgast.ConstrType) string {
	switch t {
	case pgast.ConstrType_CONSTR_PRIMARY:
		return "PRIMARY KEY"
	case pgast.ConstrType_CONSTR_UNIQUE:
		return "UNIQUE"
	case pgast.ConstrType_CONSTR_EXCLUSION:
		return "EXCLUSION"
	}
	return "FOREIGN KEY"
}

// ofType starts a table of a composite type with the type's columns (transformOfType).
func (b *newTable) ofType(rel *Relation, t *pgast.TypeName) error {
	ref, err := b.c.resolveType(t)
	if err != nil {
		return err
	}
	typ, ok := b.c.Get(ref.OID).(*Type)
	if !ok || typ.Kind != CompositeType {
		return errorf("42809", "type %s is not a composite type", b.c.FormatType(ref))
	}
	rel.OfType = ref.OID
	for _, col := range b.c.relation(typ.Relation).Columns {
		if !col.Dropped {
			b.columns = append(b.columns, newColumn{typed: true, Column: Column{Name: col.Name, Type: col.Type, Collation: col.Collation, Local: true, Stats: -1}})
		}
	}
	return nil
}

// markPrimaryKey makes the primary key's columns NOT NULL, those that are defined here.
func (b *newTable) markPrimaryKey(columns []newColumn) error {
	for _, con := range b.indexes {
		if con.Contype != pgast.ConstrType_CONSTR_PRIMARY {
			continue
		}
		for _, key := range stringsOf(con.Keys) {
			i := slices.IndexFunc(columns, func(col newColumn) bool { return col.Name == key })
			if i < 0 {
				return errorf("42703", "column \"%s\" named in key does not exist", key)
			}
			columns[i].NotNull = true
			b.notNull(notNullSpec{column: key})
		}
	}
	return nil
}

// defaults stores the defaults and generation expressions, which may refer to any column.
func (b *newTable) defaults(rel OID, columns []newColumn) error {
	for _, col := range columns {
		if err := b.c.firstDefault(rel, col); err != nil {
			return err
		}
	}
	return nil
}

// own makes the new columns own their sequences.
func (b *newTable) own(rel OID) {
	for _, seq := range b.sequences {
		if col := b.c.relation(rel).Column(seq.column); col != nil {
			b.c.ownSequence(seq.oid, Address{rel, col.Num}, seq.identity)
		}
	}
}

// makeIndexes makes the indexes of primary key, unique and exclusion constraints, the primary key first; a constraint
// without a name that repeats an earlier one is left out (transformIndexConstraints).
func (b *newTable) makeIndexes(rel OID) error {
	ordered, err := b.indexList()
	if err != nil {
		return err
	}
	for _, con := range ordered {
		if err := b.c.addIndexConstraint(rel, con, false, b.eff); err != nil {
			return err
		}
	}
	return nil
}

// indexList puts the index constraints in the order they are made in and merges those that repeat each other.
func (b *newTable) indexList() ([]*pgast.Constraint, error) {
	var ordered []*pgast.Constraint
	for _, con := range b.indexes {
		if con.Contype == pgast.ConstrType_CONSTR_PRIMARY {
			if len(ordered) > 0 {
				return nil, errorf("42P16", "multiple primary keys for table \"%s\" are not allowed", b.name)
			}
			ordered = append(ordered, con)
		}
	}
	for _, con := range b.indexes {
		if con.Contype == pgast.ConstrType_CONSTR_PRIMARY {
			continue
		}
		if i := slices.IndexFunc(ordered, func(o *pgast.Constraint) bool { return sameIndexConstraint(o, con) }); i >= 0 {
			if ordered[i].Conname == "" && con.Conname != "" {
				ordered[i] = copyConstraint(ordered[i])
				ordered[i].Conname = con.Conname
			}
			continue
		}
		ordered = append(ordered, con)
	}
	return ordered, nil
}

func sameIndexConstraint(a, b *pgast.Constraint) bool {
	return a.Contype != pgast.ConstrType_CONSTR_EXCLUSION && b.Contype != pgast.ConstrType_CONSTR_EXCLUSION &&
		slices.Equal(stringsOf(a.Keys), stringsOf(b.Keys)) && slices.Equal(stringsOf(a.Including), stringsOf(b.Including)) &&
		a.NullsNotDistinct == b.NullsNotDistinct && a.Deferrable == b.Deferrable && a.Initdeferred == b.Initdeferred
}

// relOptions merges WITH (…) into reloptions, or with reset takes the named ones out (transformRelOptions).
func relOptions(old []string, defs []*pgast.Node, reset bool) ([]string, error) {
	if len(defs) == 0 {
		return old, nil
	}
	list := slices.Clone(old)
	for _, n := range defs {
		d := n.GetDefElem()
		name := d.Defname
		if d.Defnamespace != "" {
			name = d.Defnamespace + "." + name
		}
		if d.Defnamespace == "toast" {
			continue // of the TOAST table, which is not in the catalog
		}
		if name == "oids" {
			if !reset && (d.Arg == nil || constText(d.Arg) != "false") {
				return nil, errorf("0A000", "tables declared WITH OIDS are not supported")
			}
			continue
		}
		list = slices.DeleteFunc(list, func(o string) bool { return strings.HasPrefix(o, name+"=") })
		if !reset {
			value := "true"
			if d.Arg != nil {
				value = constText(d.Arg)
			}
			list = append(list, name+"="+value)
		}
	}
	slices.Sort(list)
	if len(list) == 0 {
		return nil, nil
	}
	return list, nil
}
