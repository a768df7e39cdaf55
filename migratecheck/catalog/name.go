package catalog

import (
	"encoding/binary"
	"strings"
)

// The namespaces of PostgreSQL, each the first byte of a key in Catalog.names.
const (
	inSchemas byte = iota + 1
	inRelations
	inTypes
	inFunctions
	inExtensions
	inOthers
	inConstraints
)

// nameKey is the key under which a name is found: namespace, schema, name. Sorting by it sorts by name within a schema.
func nameKey(namespace byte, schema OID, name string) string {
	b := make([]byte, 0, 5+len(name))
	b = append(b, namespace)
	b = binary.BigEndian.AppendUint32(b, uint32(schema))
	return string(append(b, name...))
}

// nameKeyOf is the key of an object, "" for those found through their table only (triggers, rules, …).
func nameKeyOf(o Object) string {
	switch o := o.(type) {
	case *Schema:
		return nameKey(inSchemas, 0, o.Name)
	case *Relation:
		return nameKey(inRelations, o.Schema, o.Name)
	case *Type:
		return nameKey(inTypes, o.Schema, o.Name)
	case *Func:
		return nameKey(inFunctions, o.Schema, o.Name+"\x00"+argKey(o.Args))
	case *Extension:
		return nameKey(inExtensions, 0, o.Name)
	case *Other:
		if o.opclass != nil { // one name for each access method
			return nameKey(inOthers, o.Schema, o.Kind+"\x00"+o.Name+"\x00"+o.opclass.method)
		}
		return nameKey(inOthers, o.Schema, o.Kind+"\x00"+o.Name)
	case *Constraint:
		// Several tables of a schema may have constraints of one name: the OID keeps the keys apart.
		return string(binary.BigEndian.AppendUint32([]byte(nameKey(inConstraints, o.schema, o.Name+"\x00")), uint32(o.OID)))
	}
	return ""
}

// constraintNameExists tells whether any table or domain of the schema has a constraint of that name.
func (c *Catalog) constraintNameExists(schema OID, name string) bool {
	prefix := nameKey(inConstraints, schema, name+"\x00")
	found := false
	c.names.Ascend(prefix, func(k string, _ OID) bool {
		found = strings.HasPrefix(k, prefix)
		return false
	})
	return found
}

// setConstraintSchema fills the schema a constraint's name counts in (pg_constraint.connamespace): its table's.
func (c *Catalog) setConstraintSchema(con *Constraint) {
	of := con.Table
	if of == 0 {
		of = con.Domain
	}
	if o := c.Get(of); o != nil {
		con.schema = o.ObjectSchema()
	}
}

// argKey tells overloaded functions apart: the input argument types.
func argKey(args []FuncArg) string {
	var b strings.Builder
	for _, a := range args {
		if a.Mode == 'o' || a.Mode == 't' {
			continue
		}
		binary.Write(&b, binary.BigEndian, uint32(a.Type.OID))
		if a.Type.Array {
			b.WriteByte('a')
		} else {
			b.WriteByte('s')
		}
	}
	return b.String()
}

// SchemaNamed finds a schema, nil when there is none.
func (c *Catalog) SchemaNamed(name string) *Schema {
	oid, ok := c.names.Get(nameKey(inSchemas, 0, name))
	if !ok {
		return nil
	}
	s, _ := c.Get(oid).(*Schema)
	return s
}

// Relation finds a table, view, index or sequence by name; with schema "" along the search path. nil: none.
func (c *Catalog) Relation(schema, name string) *Relation {
	for _, s := range c.path(schema) {
		if oid, ok := c.names.Get(nameKey(inRelations, s, name)); ok {
			r, _ := c.Get(oid).(*Relation)
			return r
		}
	}
	return nil
}

// TypeNamed finds a type that was created in this catalog by name; with schema "" along the search path. nil: none.
func (c *Catalog) TypeNamed(schema, name string) *Type {
	for _, s := range c.path(schema) {
		if oid, ok := c.names.Get(nameKey(inTypes, s, name)); ok {
			t, _ := c.Get(oid).(*Type)
			return t
		}
	}
	return nil
}

// path lists the schemas in which a name is looked up.
func (c *Catalog) path(schema string) []OID {
	if schema != "" {
		if s := c.SchemaNamed(schema); s != nil {
			return []OID{s.OID}
		}
		return nil
	}
	return c.SearchPath()
}
