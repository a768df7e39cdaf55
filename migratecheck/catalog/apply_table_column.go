package catalog

import (
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// systemColumns are the names no column may have (src/backend/catalog/heap.c, SysAtt).
var systemColumns = [...]string{"ctid", "xmin", "cmin", "xmax", "cmax", "tableoid"}

// column takes a column definition (transformColumnDefinition, src/backend/parser/parse_utilcmd.c).
func (b *newTable) column(def *pgast.ColumnDef) error {
	c := b.c
	if slices.Contains(systemColumns[:], def.Colname) {
		return errorf("42701", "column name \"%s\" conflicts with a system column name", def.Colname)
	}
	at := slices.IndexFunc(b.columns, func(col newColumn) bool { return col.Name == def.Colname })
	col := newColumn{Column: Column{Name: def.Colname, Local: true, Stats: -1, Type: TypeRef{Mod: -1}}}
	typed := at >= 0 && b.columns[at].typed && def.TypeName == nil
	switch {
	case typed:
		col = b.columns[at]
		col.typed = false
	case at >= 0:
		return errorf("42701", "column \"%s\" specified more than once", def.Colname)
	}
	serial := ""
	if def.TypeName != nil {
		if serial = serialType(def.TypeName); serial != "" {
			if len(def.TypeName.ArrayBounds) > 0 {
				return errorf("0A000", "array of serial is not implemented")
			}
			col.Type = TypeRef{OID: serialOID(serial), Mod: -1}
		} else {
			ref, err := c.resolveType(def.TypeName)
			if err != nil {
				return err
			}
			if err := c.checkColumnType(def.Colname, ref); err != nil {
				return err
			}
			col.Type = ref
		}
	}
	if def.CollClause != nil {
		if err := c.setCollation(&col.Column, def.CollClause.Collname); err != nil {
			return err
		}
		col.collGiven = true
	}
	if def.StorageName != "" {
		if err := c.setStorage(&col.Column, def.StorageName); err != nil {
			return err
		}
	}
	if def.Compression != "" && def.Compression != "default" {
		col.Compression = def.Compression
	}
	if err := b.columnConstraints(&col, def, serial); err != nil {
		return err
	}
	if typed {
		b.columns[at] = col
	} else {
		b.columns = append(b.columns, col)
	}
	return nil
}

// columnConstraints goes through a column's constraints in order.
func (b *newTable) columnConstraints(col *newColumn, def *pgast.ColumnDef, serial string) error {
	sawNull, sawNotNull := false, def.IsNotNull
	sawDefault, sawIdentity, sawGenerated := false, false, false
	var named *pgast.Constraint
	if serial != "" {
		oid, err := b.makeSequence(col.Name, col.Type, nil, false)
		if err != nil {
			return err
		}
		col.expr = b.c.nextvalExpr(oid)
		sawDefault, sawNotNull = true, true
	}
	var last *pgast.Constraint
	for _, n := range def.Constraints {
		con := n.GetConstraint()
		if con == nil {
			continue
		}
		switch con.Contype {
		case pgast.ConstrType_CONSTR_NULL:
			if sawNotNull {
				return b.conflictingNull(col.Name)
			}
			sawNull = true
		case pgast.ConstrType_CONSTR_NOTNULL:
			if sawNull {
				return b.conflictingNull(col.Name)
			}
			if named != nil && named.Conname != "" && con.Conname != "" && con.Conname != named.Conname && b.c.Version >= firstNamedNotNull {
				return errorf("XX000", "conflicting not-null constraint names \"%s\" and \"%s\"", named.Conname, con.Conname)
			}
			sawNotNull, named = true, con
			b.notNull(notNullSpec{column: col.Name, name: con.Conname, noInherit: con.IsNoInherit})
		case pgast.ConstrType_CONSTR_DEFAULT:
			if sawDefault {
				return errorf("42601", "multiple default values specified for column \"%s\" of table \"%s\"", col.Name, b.name)
			}
			sawDefault, col.def = true, con.RawExpr
		case pgast.ConstrType_CONSTR_IDENTITY:
			if sawIdentity {
				return errorf("42601", "multiple identity specifications for column \"%s\" of table \"%s\"", col.Name, b.name)
			}
			if _, err := b.makeSequence(col.Name, col.Type, con.Options, true); err != nil {
				return err
			}
			if sawNull {
				return b.conflictingNull(col.Name)
			}
			sawIdentity, sawNotNull, col.Identity = true, true, byteOf(con.GeneratedWhen)
		case pgast.ConstrType_CONSTR_GENERATED:
			if sawGenerated {
				return errorf("42601", "multiple generation clauses specified for column \"%s\" of table \"%s\"", col.Name, b.name)
			}
			sawGenerated, col.Generated, col.def = true, 's', con.RawExpr
		case pgast.ConstrType_CONSTR_CHECK:
			b.checks = append(b.checks, con)
		case pgast.ConstrType_CONSTR_PRIMARY, pgast.ConstrType_CONSTR_UNIQUE:
			con = copyConstraint(con)
			con.Keys = []*pgast.Node{stringNode(col.Name)}
			if err := b.constraint(con); err != nil {
				return err
			}
			last = con
		case pgast.ConstrType_CONSTR_FOREIGN:
			con = copyConstraint(con)
			con.FkAttrs = []*pgast.Node{stringNode(col.Name)}
			if err := b.constraint(con); err != nil {
				return err
			}
			last = con
		default:
			if err := constraintAttribute(last, con); err != nil {
				return err
			}
		}
	}
	switch {
	case sawDefault && sawIdentity:
		return errorf("42601", "both default and identity specified for column \"%s\" of table \"%s\"", col.Name, b.name)
	case sawDefault && sawGenerated:
		return errorf("42601", "both default and generation expression specified for column \"%s\" of table \"%s\"", col.Name, b.name)
	case sawIdentity && sawGenerated:
		return errorf("42601", "both identity and generation expression specified for column \"%s\" of table \"%s\"", col.Name, b.name)
	}
	col.NotNull = col.NotNull || sawNotNull
	if sawNotNull && named == nil {
		b.notNull(notNullSpec{column: col.Name})
	}
	return nil
}

func (b *newTable) conflictingNull(column string) error {
	return errorf("42601", "conflicting NULL/NOT NULL declarations for column \"%s\" of table \"%s\"", column, b.name)
}

// constraintAttribute applies DEFERRABLE and the like, which the grammar leaves as entries of their own after the
// constraint they are about (transformConstraintAttrs).
func constraintAttribute(con, attr *pgast.Constraint) error {
	var word string
	var set func()
	switch attr.Contype {
	case pgast.ConstrType_CONSTR_ATTR_DEFERRABLE:
		word, set = "DEFERRABLE", func() { con.Deferrable = true }
	case pgast.ConstrType_CONSTR_ATTR_NOT_DEFERRABLE:
		word, set = "NOT DEFERRABLE", func() { con.Deferrable = false }
	case pgast.ConstrType_CONSTR_ATTR_DEFERRED:
		word, set = "INITIALLY DEFERRED", func() { con.Deferrable, con.Initdeferred = true, true }
	case pgast.ConstrType_CONSTR_ATTR_IMMEDIATE:
		word, set = "INITIALLY IMMEDIATE", func() { con.Initdeferred = false }
	default:
		return nil
	}
	if con == nil {
		return errorf("42601", "misplaced %s clause", word)
	}
	set()
	return nil
}

// serialType recognises the pseudo-types of transformColumnDefinition; they are not in pg_type.
func serialType(t *pgast.TypeName) string {
	if len(t.Names) != 1 || t.PctType {
		return ""
	}
	switch name := t.Names[0].GetString_().GetSval(); name {
	case "smallserial", "serial2", "serial", "serial4", "bigserial", "serial8":
		return name
	}
	return ""
}

func serialOID(name string) OID {
	switch name {
	case "smallserial", "serial2":
		return typeInt2
	case "bigserial", "serial8":
		return typeInt8
	}
	return typeInt4
}

// setCollation stores COLLATE; the type's own collation is kept as "".
func (c *Catalog) setCollation(col *Column, name []*pgast.Node) error {
	if col.Type.OID != 0 && !c.collatable(col.Type) {
		return errorf("42804", "collations are not supported by type %s", c.FormatType(col.Type))
	}
	found, _, err := c.resolveCollation(stringsOf(name))
	if err != nil {
		return err
	}
	col.Collation = found
	if col.Collation == "default" {
		col.Collation = ""
	}
	return nil
}

// collatable tells whether a type has collations.
func (c *Catalog) collatable(t TypeRef) bool {
	typ := c.typeByOID(c.baseType(t.element()).OID)
	return typ == nil || typ.collatable || typ.Assumed
}

// typeStorage is pg_type.typstorage in words.
func (c *Catalog) typeStorage(t TypeRef) string {
	if t.Array {
		return "extended"
	}
	if typ := c.typeByOID(t.OID); typ != nil {
		switch typ.storage {
		case 'p':
			return "plain"
		case 'e':
			return "external"
		case 'm':
			return "main"
		case 0:
			if typ.Kind == EnumType {
				return "plain"
			}
			if typ.Kind == DomainType {
				return c.typeStorage(typ.Base)
			}
		}
	}
	return "extended"
}

// checkColumnType refuses pseudo-types (CheckAttributeType, src/backend/catalog/heap.c).
func (c *Catalog) checkColumnType(column string, t TypeRef) error {
	if typ := c.typeByOID(t.OID); typ != nil && typ.Kind == PseudoType {
		return errorf("42P16", "column \"%s\" has pseudo-type %s", column, c.FormatType(t))
	}
	return nil
}

// setStorage stores STORAGE in small letters, "" when it is the type's own.
func (c *Catalog) setStorage(col *Column, name string) error {
	name = strings.ToLower(name)
	switch name {
	case "default":
		name = ""
	case "plain", "external", "extended", "main":
		if name != "plain" && c.typeStorage(col.Type) == "plain" && col.Type.OID != 0 {
			return errorf("0A000", "column data type %s can only have storage PLAIN", c.FormatType(col.Type))
		}
		if name == c.typeStorage(col.Type) {
			name = ""
		}
	default:
		return errorf("22023", "invalid storage type \"%s\"", name)
	}
	col.Storage = name
	return nil
}

// addTypeDeps records what a column needs: its type and collation.
func (c *Catalog) addTypeDeps(rel OID, col *Column) {
	if col.Dropped {
		return
	}
	at := Address{rel, col.Num}
	if col.Type.OID >= FirstUserOID {
		c.addDep(at, Address{OID: col.Type.OID}, DepNormal)
	}
	if oid := c.collationOID(col.Collation); oid != 0 {
		c.addDep(at, Address{OID: oid}, DepNormal)
	}
}

// collationOID finds a user's collation by the name a column has it under, 0 when it is the server's.
func (c *Catalog) collationOID(name string) OID {
	if name == "" {
		return 0
	}
	schema, bare, ok := strings.Cut(name, ".")
	if !ok {
		schema, bare = "", name
	}
	for _, s := range c.path(schema) {
		if oid, ok := c.names.Get(nameKey(inOthers, s, "collation\x00"+bare)); ok {
			return oid
		}
	}
	return 0
}

// byteOf is the first byte of a one-character option of the parser.
func byteOf(s string) byte {
	if s == "" {
		return 0
	}
	return s[0]
}

func stringNode(s string) *pgast.Node {
	return &pgast.Node{Node: &pgast.Node_String_{String_: &pgast.String{Sval: s}}}
}
