package catalog

import (
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// newTypeName finds where a type is created, and that its name is free there. Its OID may be a shell's, to be filled.
func (c *Catalog) newTypeName(names []*pgast.Node) (schema OID, name string, shell *Type, err error) {
	rv := rangeVarOf(names)
	if schema, err = c.creationSchema(rv); err != nil {
		return 0, "", nil, err
	}
	name = rv.Relname
	if oid, ok := c.names.Get(nameKey(inTypes, schema, name)); ok {
		if t, _ := c.Get(oid).(*Type); t != nil && t.Shell {
			return schema, name, t, nil
		}
		return 0, "", nil, c.typeExists(schema, name)
	}
	if oid, ok := c.names.Get(nameKey(inRelations, schema, name)); ok {
		if r := c.relation(oid); r != nil && hasRowType(r) {
			return 0, "", nil, c.typeExists(schema, name)
		}
	}
	return schema, name, nil, nil
}

func (c *Catalog) typeExists(schema OID, name string) error {
	return &Error{Code: "42710", Message: "type " + quoteMessage(name) + " already exists", Object: Name{c.NameOf(schema).Name, name}}
}

// typeOID is the number of a new type: its shell's when there was one.
func (c *Catalog) typeOID(shell *Type) OID {
	if shell != nil {
		return shell.OID
	}
	return c.newOID()
}

func (c *Catalog) applyCreateEnum(n *pgast.CreateEnumStmt) error {
	schema, name, shell, err := c.newTypeName(n.TypeName)
	if err != nil {
		return err
	}
	t := &Type{OID: c.typeOID(shell), Schema: schema, Name: name, Kind: EnumType}
	for _, label := range stringList(n.Vals) {
		if err := checkLabel(label); err != nil {
			return err
		}
		if slices.Contains(t.Labels, label) {
			return errorf("23505", "duplicate key value violates unique constraint \"pg_enum_typid_label_index\"")
		}
		t.Labels = append(t.Labels, label)
	}
	c.put(t)
	return nil
}

func checkLabel(label string) error {
	if len(label) > 63 {
		return &Error{Code: "42602", Message: "invalid enum label " + quoteMessage(label), Detail: "Labels must be 63 bytes or less."}
	}
	return nil
}

// applyAlterEnum is AlterEnum: ADD VALUE and RENAME VALUE.
func (c *Catalog) applyAlterEnum(n *pgast.AlterEnumStmt, eff *Effects) error {
	old, err := c.typeNamedIn(n.TypeName)
	if err != nil {
		return err
	}
	if old == nil || old.Kind != EnumType && !old.Assumed {
		return errorf("42809", "%s is not an enum", strings.Join(stringList(n.TypeName), "."))
	}
	if old.Assumed {
		old = c.assumeEnum(old, n.OldVal)
	}
	t := *old
	t.Labels = slices.Clone(old.Labels)
	at := slices.Index(t.Labels, n.NewVal)
	if n.OldVal != "" {
		i := slices.Index(t.Labels, n.OldVal)
		switch {
		case i < 0:
			return errorf("22023", "%s is not an existing enum label", quoteMessage(n.OldVal))
		case at >= 0:
			return errorf("42710", "enum label %s already exists", quoteMessage(n.NewVal))
		default:
			if err := checkLabel(n.NewVal); err != nil {
				return err
			}
			c.renameLabel(t.OID, n.OldVal, n.NewVal)
			t.Labels[i] = n.NewVal
			if i := slices.Index(old.added, n.OldVal); i >= 0 {
				t.added = slices.Clone(old.added)
				t.added[i] = n.NewVal
			}
		}
		c.put(&t)
		return checkLabel(n.NewVal)
	}
	if err := checkLabel(n.NewVal); err != nil {
		return err
	}
	if at >= 0 {
		if n.SkipIfNewValExists {
			eff.note("enum label \"%s\" already exists, skipping", n.NewVal)
			return nil
		}
		return errorf("42710", "enum label %s already exists", quoteMessage(n.NewVal))
	}
	i := len(t.Labels)
	if n.NewValNeighbor != "" {
		if i = slices.Index(t.Labels, n.NewValNeighbor); i < 0 {
			if !t.Assumed {
				return errorf("22023", "%s is not an existing enum label", quoteMessage(n.NewValNeighbor))
			}
			i = len(t.Labels)
		} else if n.NewValIsAfter {
			i++
		}
	}
	t.Labels = slices.Insert(t.Labels, i, n.NewVal)
	t.added = append(slices.Clone(old.added), n.NewVal)
	c.put(&t)
	return nil
}

// applyCreateComposite makes a composite type: a row of pg_type, and the relation that holds its attributes.
func (c *Catalog) applyCreateComposite(n *pgast.CompositeTypeStmt) error {
	schema, err := c.creationSchema(n.Typevar)
	if err != nil {
		return err
	}
	name := n.Typevar.Relname
	if _, taken := c.names.Get(nameKey(inTypes, schema, name)); taken {
		return c.typeExists(schema, name)
	}
	if oid, taken := c.names.Get(nameKey(inRelations, schema, name)); taken {
		if r := c.relation(oid); r != nil && hasRowType(r) {
			return c.typeExists(schema, name)
		}
		return errorf("42P07", "relation %s already exists", quoteMessage(name))
	}
	rel := &Relation{OID: c.newOID(), Schema: schema, Name: name, Kind: CompositeRel, Persistence: c.persistenceIn(schema), ReplicaIdent: 'n'}
	for _, d := range n.Coldeflist {
		col, err := c.attribute(d.GetColumnDef())
		if err != nil {
			return err
		}
		if rel.Column(col.Name) != nil {
			return errorf("42701", "column %s specified more than once", quoteMessage(col.Name))
		}
		col.Num = len(rel.Columns) + 1
		rel.Columns = append(rel.Columns, col)
	}
	t := &Type{OID: c.newOID(), Schema: schema, Name: name, Kind: CompositeType, Relation: rel.OID}
	c.put(rel)
	c.put(t)
	c.addDep(Address{OID: rel.OID}, Address{OID: t.OID}, DepInternal)
	for i := range rel.Columns {
		c.addTypeDeps(rel.OID, &rel.Columns[i])
	}
	return nil
}

// attribute reads the definition of a composite type's attribute.
func (c *Catalog) attribute(d *pgast.ColumnDef) (Column, error) {
	t, err := c.resolveType(d.GetTypeName())
	if err != nil {
		return Column{}, err
	}
	if err := c.checkColumnType(d.Colname, t); err != nil {
		return Column{}, err
	}
	col := Column{Name: d.Colname, Type: t, Local: true, Stats: -1}
	if d.CollClause != nil {
		if col.Collation, err = c.columnCollation(d.CollClause, t); err != nil {
			return Column{}, err
		}
	}
	return col, nil
}

// columnCollation resolves a COLLATE clause for a value of the type; "" when it is the type's own.
func (c *Catalog) columnCollation(clause *pgast.CollateClause, t TypeRef) (string, error) {
	name, _, err := c.resolveCollation(stringList(clause.Collname))
	if err != nil {
		return "", err
	}
	if !c.collatable(t) {
		return "", errorf("42804", "collations are not supported by type %s", c.typeText(t))
	}
	if name == "default" {
		name = ""
	}
	return name, nil
}

// applyAlterComposite is ALTER TYPE … ADD, DROP, ALTER ATTRIBUTE.
func (c *Catalog) applyAlterComposite(n *pgast.AlterTableStmt, eff *Effects) error {
	t, err := c.typeNamedBy(&pgast.TypeName{Names: qualifiedNodes(n.Relation)})
	if err != nil {
		if n.MissingOk {
			eff.note("%s, skipping", err)
			return nil
		}
		if e, ok := err.(*Error); ok && e.Code == "42704" {
			return errorf("42P01", "relation %s does not exist", quoteMessage(rangeVarName(n.Relation)))
		}
		return err
	}
	if t != nil && t.Assumed {
		return nil
	}
	if t == nil || t.Kind != CompositeType {
		return errorf("42809", "%s is not a composite type", quoteMessage(n.Relation.Relname))
	}
	for _, node := range n.Cmds {
		if err := c.alterAttribute(t, node.GetAlterTableCmd(), eff); err != nil {
			return err
		}
	}
	return nil
}

// qualifiedNodes is a RangeVar's name as a list of String nodes.
func qualifiedNodes(rv *pgast.RangeVar) []*pgast.Node {
	if rv.Schemaname != "" {
		return []*pgast.Node{stringNode(rv.Schemaname), stringNode(rv.Relname)}
	}
	return []*pgast.Node{stringNode(rv.Relname)}
}

func (c *Catalog) alterAttribute(t *Type, cmd *pgast.AlterTableCmd, eff *Effects) error {
	rel := c.relation(t.Relation)
	cascade := cmd.Behavior == pgast.DropBehavior_DROP_CASCADE
	typed := c.typedTables(t)
	if len(typed) > 0 && !cascade {
		return c.typedTableError(t)
	}
	targets := []*Relation{rel}
	for _, table := range typed {
		for _, oid := range c.inheritanceTree(table.OID) {
			if r := c.relation(oid); !slices.Contains(targets, r) {
				targets = append(targets, r)
			}
		}
	}
	missing := func(name string) error {
		return errorf("42703", "column %s of relation %s does not exist", quoteMessage(name), quoteMessage(t.Name))
	}
	switch cmd.Subtype {
	case pgast.AlterTableType_AT_AddColumn:
		col, err := c.attribute(cmd.Def.GetColumnDef())
		if err != nil {
			return err
		}
		if rel.Column(col.Name) != nil {
			return errorf("42701", "column %s of relation %s already exists", quoteMessage(col.Name), quoteMessage(t.Name))
		}
		for _, r := range targets {
			inherits := r.Kind != CompositeRel && r.OfType != t.OID
			r = c.editRelation(r.OID, func(r *Relation) {
				col := col
				col.Num = len(r.Columns) + 1
				if inherits {
					col.Inherited, col.Local = 1, false
				}
				r.Columns = append(r.Columns, col)
			})
			c.addTypeDeps(r.OID, &r.Columns[len(r.Columns)-1])
		}
	case pgast.AlterTableType_AT_DropColumn:
		if rel.Column(cmd.Name) == nil {
			if cmd.MissingOk {
				eff.note("column \"%s\" of relation \"%s\" does not exist, skipping", cmd.Name, t.Name)
				return nil
			}
			return missing(cmd.Name)
		}
		for _, r := range targets {
			if col := c.relation(r.OID).Column(cmd.Name); col != nil {
				if err := c.dropObject(Address{r.OID, col.Num}, cascade, eff); err != nil {
					return err
				}
			}
		}
	case pgast.AlterTableType_AT_AlterColumnType:
		if rel.Column(cmd.Name) == nil {
			return missing(cmd.Name)
		}
		def, err := c.attribute(cmd.Def.GetColumnDef())
		if err != nil {
			return err
		}
		if err := c.typeUsedByTable(t); err != nil {
			return err
		}
		for _, r := range targets {
			num := r.Column(cmd.Name).Num
			c.dropDeps(r.OID, func(d Dep) bool { return d.Column == num && d.Type == DepNormal })
			r = c.editColumn(r.OID, num, func(col *Column) { col.Type, col.Collation = def.Type, def.Collation })
			c.addTypeDeps(r.OID, &r.Columns[num-1])
		}
	default:
		return errorf(NotUnderstood, "ALTER TYPE of this kind is not followed")
	}
	return nil
}

func (c *Catalog) typedTableError(t *Type) error {
	e := errorf("2BP01", "cannot alter type %s because it is the type of a typed table", quoteMessage(t.Name))
	e.Hint = "Use ALTER ... CASCADE to alter the typed tables too."
	return e
}

// typedTables lists the tables made with OF t.
func (c *Catalog) typedTables(t *Type) []*Relation {
	var list []*Relation
	for _, d := range c.Dependents(Address{OID: t.OID}) {
		if r := c.relation(d.OID); r != nil && r.OfType == t.OID && !slices.Contains(list, r) {
			list = append(list, r)
		}
	}
	return list
}

// typeUsedByTable refuses what would have to rewrite values of the type stored somewhere
// (find_composite_type_dependencies, src/backend/commands/tablecmds.c).
func (c *Catalog) typeUsedByTable(t *Type) error {
	for _, d := range c.Dependents(Address{OID: t.OID}) {
		switch o := c.Get(d.OID).(type) {
		case *Relation:
			if d.Column != 0 && (o.Kind == Table || o.Kind == MatView || o.Kind == PartitionedTable) {
				return errorf("0A000", "cannot alter type %s because column %s uses it", quoteMessage(t.Name), quoteMessage(o.Name+"."+o.Columns[d.Column-1].Name))
			}
			if d.Column != 0 && o.Kind == CompositeRel {
				if outer := c.typeOfRelation(o); outer != nil {
					if err := c.typeUsedByTable(outer); err != nil {
						return err
					}
				}
			}
		case *Type:
			if o.Kind == DomainType {
				if err := c.typeUsedByTable(o); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
