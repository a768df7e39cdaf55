package catalog

import (
	"slices"
	"strconv"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// OIDs of pg_type.dat that the code knows by number.
const (
	typeBool        OID = 16
	typeBytea       OID = 17
	typeChar        OID = 18
	typeName        OID = 19
	typeInt8        OID = 20
	typeInt2        OID = 21
	typeInt4        OID = 23
	typeRegproc     OID = 24
	typeText        OID = 25
	typeOID         OID = 26
	typeTID         OID = 27
	typeXID         OID = 28
	typeCID         OID = 29
	typeXML         OID = 142
	typeFloat8      OID = 701
	typeUnknown     OID = 705
	typeBpchar      OID = 1042
	typeVarchar     OID = 1043
	typeDate        OID = 1082
	typeTime        OID = 1083
	typeTimestamp   OID = 1114
	typeTimestamptz OID = 1184
	typeInterval    OID = 1186
	typeTimetz      OID = 1266
	typeBit         OID = 1560
	typeVarbit      OID = 1562
	typeNumeric     OID = 1700
	typeRegclass    OID = 2205
	typeRecord      OID = 2249
	typeCstring     OID = 2275
	typeAny         OID = 2276
	typeAnyarray    OID = 2277
	typeVoid        OID = 2278
	typeTrigger     OID = 2279
	typeInternal    OID = 2281
	typeAnyelement  OID = 2283
	typeAnynonarray OID = 2776
	typeAnyenum     OID = 3500
	typeAnyrange    OID = 3831
	typeEventTrig   OID = 3838

	typeAnymultirange           OID = 4537
	typeAnycompatible           OID = 5077
	typeAnycompatiblearray      OID = 5078
	typeAnycompatiblenonarray   OID = 5079
	typeAnycompatiblerange      OID = 5080
	typeAnycompatiblemultirange OID = 4538
)

// scalar is the type with the given number and no modifier.
func scalar(oid OID) TypeRef { return TypeRef{OID: oid, Mod: -1} }

// bare is t without its modifier.
func (t TypeRef) bare() TypeRef {
	if t.OID == 0 {
		return TypeRef{}
	}
	return TypeRef{OID: t.OID, Mod: -1, Array: t.Array}
}

// known reports whether the type could be found out.
func (t TypeRef) known() bool { return t.OID != 0 }

// element is the type of the array's elements.
func (t TypeRef) element() TypeRef { return TypeRef{OID: t.OID, Mod: t.Mod} }

// arrayOf is the array type over t, none for an array (there are no arrays of arrays).
func arrayOf(t TypeRef) TypeRef {
	if t.Array || !t.known() {
		return TypeRef{}
	}
	t.Array = true
	return t
}

// typeByOID returns the type with the given number, the server's own or the catalog's; nil for the row type of a relation.
func (c *Catalog) typeByOID(oid OID) *Type {
	if oid < FirstUserOID {
		if t := loadTypes().byOID[oid]; t != nil {
			return t
		}
	}
	t, _ := c.Get(oid).(*Type)
	return t
}

// relationByOID returns a relation of the catalog or one of the server's own.
func (c *Catalog) relationByOID(oid OID) *Relation {
	if r, ok := c.Get(oid).(*Relation); ok {
		return r
	}
	if oid < FirstUserOID {
		return loadRelations().numbered(oid)
	}
	return nil
}

// builtinRelation finds a table or view of pg_catalog or information_schema.
func (c *Catalog) builtinRelation(schema, name string) *Relation {
	for _, s := range c.path(schema) {
		if s == pgCatalogOID || s == informationSchemaOID {
			if r := loadRelations().named(s, name); r != nil {
				return r
			}
		}
	}
	return nil
}

// compositeOf returns the relation that holds the attributes of a composite type or row type, nil for other types.
func (c *Catalog) compositeOf(t TypeRef) *Relation {
	if t.Array || !t.known() {
		return nil
	}
	if ty := c.typeByOID(t.OID); ty != nil {
		switch ty.Kind {
		case CompositeType:
			return c.relationByOID(ty.Relation)
		case DomainType:
			return c.compositeOf(ty.Base)
		}
		return nil
	}
	return c.relationByOID(t.OID)
}

// lookupType finds a type by name, with schema "" along the search path, and reports whether there is one.
func (c *Catalog) lookupType(schema, name string) (TypeRef, bool) {
	for _, s := range c.path(schema) {
		if t, ok := c.typeIn(s, name); ok {
			return t, true
		}
		// The array type over x is called _x (makeArrayTypeName in src/backend/catalog/pg_type.c).
		if elem, ok := strings.CutPrefix(name, "_"); ok {
			if t, ok := c.typeIn(s, elem); ok && !t.Array {
				return arrayOf(t), true
			}
		}
	}
	return TypeRef{}, false
}

func (c *Catalog) typeIn(schema OID, name string) (TypeRef, bool) {
	switch schema {
	case pgCatalogOID:
		if t := loadTypes().byName[name]; t != nil {
			return scalar(t.OID), true
		}
	case informationSchemaOID:
		if t := loadTypes().schema[name]; t != nil {
			return scalar(t.OID), true
		}
	}
	if oid, ok := c.names.Get(nameKey(inTypes, schema, name)); ok {
		return scalar(oid), true
	}
	if oid, ok := c.names.Get(nameKey(inRelations, schema, name)); ok {
		if r, ok := c.Get(oid).(*Relation); ok && hasRowType(r) {
			return scalar(oid), true
		}
	}
	if r := loadBuiltinRelation(schema, name); r != nil {
		return scalar(r.OID), true
	}
	return TypeRef{}, false
}

func loadBuiltinRelation(schema OID, name string) *Relation {
	if schema != pgCatalogOID && schema != informationSchemaOID {
		return nil
	}
	return loadRelations().named(schema, name)
}

// hasRowType reports whether a relation has a row type: those with columns of their own, but not sequences and indexes.
func hasRowType(r *Relation) bool {
	switch r.Kind {
	case Table, PartitionedTable, ForeignTable, View, MatView, CompositeRel:
		return true
	}
	return false
}

// resolveType finds the type that a TypeName means, with its modifier as the type's typmodin function computes it. The
// errors are those of typenameType and typenameTypeMod (src/backend/parser/parse_type.c).
func (c *Catalog) resolveType(t *pgast.TypeName) (TypeRef, error) {
	ref, err := c.findType(t)
	if err != nil {
		return TypeRef{}, err
	}
	if ty := c.typeByOID(ref.OID); ty != nil && ty.Shell {
		return TypeRef{}, errorf("42704", "type %s is only a shell", quoteMessage(typeNameText(t)))
	}
	if len(t.Typmods) > 0 {
		mod, err := c.typmod(ref, t)
		if err != nil {
			return TypeRef{}, err
		}
		ref.Mod = mod
	}
	return ref, nil
}

// findType is resolveType without the modifier, and shell types are found as well.
func (c *Catalog) findType(t *pgast.TypeName) (TypeRef, error) {
	if t == nil || len(t.Names) == 0 {
		return TypeRef{}, errorf(NotUnderstood, "a type without a name")
	}
	names := stringList(t.Names)
	if t.PctType {
		return c.columnType(names, t)
	}
	if len(names) > 2 {
		names = names[len(names)-2:] // the database's name
	}
	schema, name := "", names[len(names)-1]
	if len(names) == 2 {
		schema = names[0]
		if c.SchemaNamed(schema) == nil && !strings.HasPrefix(schema, "pg_temp") {
			if !c.Open {
				return TypeRef{}, errorf("3F000", "schema %q does not exist", schema)
			}
		}
	}
	ref, ok := c.lookupType(schema, name)
	if !ok {
		assumed, ok := c.assumeType(schema, name)
		if !ok {
			return TypeRef{}, &Error{
				Code: "42704", Message: "type " + quoteMessage(typeNameText(t)) + " does not exist",
				Object: Name{Schema: schema, Name: name},
			}
		}
		ref = assumed
	}
	if len(t.ArrayBounds) > 0 {
		ref.Array = true // of an array type it is the same type again: PostgreSQL's arrays have no fixed dimensions
	}
	return ref, nil
}

// assumeType makes up a type in a catalog that may lack some: an open one, or one with an extension whose members are
// not known.
func (c *Catalog) assumeType(schema, name string) (TypeRef, bool) {
	oid := c.currentSchema()
	if schema != "" {
		s := c.SchemaNamed(schema)
		if s == nil {
			s = c.assumeSchema(schema)
		}
		if s == nil {
			return TypeRef{}, false
		}
		oid = s.OID
	}
	if oid == 0 || oid == pgCatalogOID || !c.assumable(nameKey(inTypes, oid, name)) && !c.hasUnknownExtension() {
		return TypeRef{}, false
	}
	t := &Type{OID: c.newOID(), Schema: oid, Name: name, Kind: BaseType, Assumed: true}
	c.assume(t)
	return scalar(t.OID), true
}

// columnType resolves rel.column%TYPE.
func (c *Catalog) columnType(names []string, t *pgast.TypeName) (TypeRef, error) {
	if len(names) < 2 {
		return TypeRef{}, errorf("42601", "improper %%TYPE reference (too few dotted names): %s", strings.Join(names, "."))
	}
	column := names[len(names)-1]
	rel := names[:len(names)-1]
	schema := ""
	if len(rel) > 1 {
		schema = rel[len(rel)-2]
	}
	name := rel[len(rel)-1]
	r := c.Relation(schema, name)
	if r == nil {
		r = c.builtinRelation(schema, name)
	}
	if r == nil {
		return TypeRef{}, &Error{Code: "42P01", Message: "relation " + quoteMessage(strings.Join(rel, ".")) + " does not exist", Object: Name{schema, name}}
	}
	col := r.Column(column)
	if col == nil {
		if r.Assumed {
			return TypeRef{}, errorf(NotUnderstood, "the type of %s.%s is not known", name, column)
		}
		return TypeRef{}, &Error{Code: "42703", Message: "column " + quoteMessage(column) + " of relation " + quoteMessage(name) + " does not exist", Object: Name{schema, name}}
	}
	ref := col.Type.bare() // the modifier is not taken along (typenameTypeMod is not asked)
	if len(t.ArrayBounds) > 0 {
		ref.Array = true
	}
	return ref, nil
}

// quoteMessage puts a name into double quotes as messages do, without doubling quotes inside.
func quoteMessage(s string) string { return `"` + s + `"` }

// typeNameText is TypeNameToString of the parser: the name as written, without modifiers.
func typeNameText(t *pgast.TypeName) string {
	s := strings.Join(stringList(t.Names), ".")
	if t.PctType {
		s += "%TYPE"
	}
	if len(t.ArrayBounds) > 0 {
		s += "[]"
	}
	return s
}

// stringList reads a list of String nodes.
func stringList(nodes []*pgast.Node) []string {
	list := make([]string, 0, len(nodes))
	for _, n := range nodes {
		list = append(list, n.GetString_().GetSval())
	}
	return list
}

// typmodArgs reads a type's modifiers as numbers; ok is false when one is a word.
func typmodArgs(t *pgast.TypeName) (args []int, ok bool) {
	for _, n := range t.Typmods {
		k := n.GetAConst()
		if k == nil {
			return nil, false
		}
		switch v := k.Val.(type) {
		case *pgast.A_Const_Ival:
			args = append(args, int(v.Ival.GetIval()))
		case *pgast.A_Const_Sval:
			i, err := strconv.Atoi(v.Sval.Sval)
			if err != nil {
				return nil, false
			}
			args = append(args, i)
		default:
			return nil, false
		}
	}
	return args, true
}

// typmod computes atttypmod as the typmodin functions do.
func (c *Catalog) typmod(ref TypeRef, t *pgast.TypeName) (int32, error) {
	ty := c.typeByOID(ref.OID)
	if ty == nil || !ty.typmodIn {
		if ty != nil && ty.Assumed {
			return -1, nil
		}
		return 0, errorf("42601", "type modifier is not allowed for type %s", quoteMessage(typeNameText(t)))
	}
	args, ok := typmodArgs(t)
	if ref.OID >= FirstUserOID {
		return -1, nil // an extension's own function would have to be run
	}
	invalid := errorf("22023", "invalid type modifier")
	if !ok {
		if slices.ContainsFunc(t.Typmods, func(n *pgast.Node) bool { return n.GetAConst().GetSval() != nil }) {
			return 0, errorf("22P02", "invalid input syntax for type integer: %s", quoteMessage(t.Typmods[0].GetAConst().GetSval().GetSval()))
		}
		return 0, invalid
	}
	switch ref.OID {
	case typeBpchar, typeVarchar:
		name := "varchar"
		if ref.OID == typeBpchar {
			name = "char"
		}
		return lengthTypmod(args, name, 10485760, 4) // MaxAttrSize, src/include/access/htup_details.h
	case typeBit:
		return lengthTypmod(args, "bit", 83886080, 0) // MaxAttrSize * 8
	case typeVarbit:
		return lengthTypmod(args, "varbit", 83886080, 0)
	case typeNumeric:
		return c.numericTypmod(args)
	case typeTime, typeTimetz, typeTimestamp, typeTimestamptz:
		if len(args) != 1 {
			return 0, invalid
		}
		name := map[OID]string{typeTime: "TIME", typeTimetz: "TIME", typeTimestamp: "TIMESTAMP", typeTimestamptz: "TIMESTAMP"}[ref.OID]
		zone := ""
		if ref.OID == typeTimetz || ref.OID == typeTimestamptz {
			zone = " WITH TIME ZONE"
		}
		if args[0] < 0 {
			return 0, errorf("22023", "%s(%d)%s precision must not be negative", name, args[0], zone)
		}
		return int32(min(args[0], 6)), nil
	case typeInterval:
		return intervalTypmod(args)
	}
	return 0, invalid
}

func lengthTypmod(args []int, name string, limit, header int) (int32, error) {
	if len(args) != 1 {
		return 0, errorf("22023", "invalid type modifier")
	}
	if args[0] < 1 {
		return 0, errorf("22023", "length for type %s must be at least 1", name)
	}
	if args[0] > limit {
		return 0, errorf("22023", "length for type %s cannot exceed %d", name, limit)
	}
	return int32(args[0] + header), nil
}

// numericTypmod is numerictypmodin: precision in the upper half, scale in the lower (11 bits of it since 15).
func (c *Catalog) numericTypmod(args []int) (int32, error) {
	if len(args) < 1 || len(args) > 2 {
		return 0, errorf("22023", "invalid NUMERIC type modifier")
	}
	precision, scale := args[0], 0
	if len(args) == 2 {
		scale = args[1]
	}
	if precision < 1 || precision > 1000 {
		return 0, errorf("22023", "NUMERIC precision %d must be between 1 and 1000", precision)
	}
	if c.Version < 15 && (scale < 0 || scale > precision) {
		return 0, errorf("22023", "NUMERIC scale %d must be between 0 and precision %d", scale, precision)
	}
	if scale < -1000 || scale > 1000 {
		return 0, errorf("22023", "NUMERIC scale %d must be between -1000 and 1000", scale)
	}
	return int32(precision<<16|scale&0x7ff) + 4, nil
}

// Bits of interval's field mask (src/include/utils/timestamp.h, datetime.h).
const (
	intervalFull      = 0x7FFF
	intervalPrecision = 0xFFFF
)

func intervalTypmod(args []int) (int32, error) {
	switch {
	case len(args) == 1 && args[0] == intervalFull:
		return -1, nil
	case len(args) == 1:
		return int32(args[0]<<16 | intervalPrecision), nil
	case len(args) == 2 && args[1] < 0:
		return 0, errorf("22023", "INTERVAL(%d) precision must not be negative", args[1])
	case len(args) == 2:
		return int32(args[0]<<16 | min(args[1], 6)), nil
	}
	return 0, errorf("22023", "invalid INTERVAL type modifier")
}

// hasUnknownExtension reports whether an extension was created whose members are not known.
func (c *Catalog) hasUnknownExtension() bool {
	found := false
	c.names.beginning(nameKey(inExtensions, 0, ""), func(_ string, oid OID) bool {
		e, ok := c.Get(oid).(*Extension)
		found = ok && !e.Known
		return !found
	})
	return found
}
