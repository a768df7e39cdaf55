package catalog

import (
	"cmp"
	"encoding/binary"
	"strings"

	"github.com/tidwall/btree"
)

// The namespaces of PostgreSQL.
const (
	inSchemas byte = iota + 1
	inRelations
	inTypes
	inFunctions
	inExtensions
	inOthers
	inConstraints
)

// fullName is what a name is found under.
type fullName struct {
	namespace byte
	schema    OID
	name      string
}

func nameKey(namespace byte, schema OID, name string) fullName {
	return fullName{namespace, schema, name}
}

func (n fullName) compare(m fullName) int {
	return cmp.Or(cmp.Compare(n.namespace, m.namespace), cmp.Compare(n.schema, m.schema), strings.Compare(n.name, m.name))
}

// nameIndex finds objects by name. Of constraints, whose names need not be unique in a schema, it has the number of those
// that share one.
type nameIndex struct {
	all nameTrie
	// listed has the names that are also searched by how they begin, sorted: by namespace, schema, name.
	listed *btree.Map[string, OID]
	edit   *edit // whose listed is
	// system tells that a relation is in pg_catalog, where the server lets nobody create one: it need not be looked for.
	system bool
}

// isListed tells whether names of the namespace are in nameIndex.listed.
func isListed(namespace byte) bool {
	return namespace == inFunctions || namespace == inExtensions || namespace == inOthers
}

// sortKey is the name as the key of nameIndex.listed.
func (n fullName) sortKey() string {
	b := make([]byte, 0, 5+len(n.name))
	b = append(b, n.namespace)
	b = binary.BigEndian.AppendUint32(b, uint32(n.schema))
	return string(append(b, n.name...))
}

// Get finds an object.
func (x *nameIndex) Get(name fullName) (OID, bool) { return x.all.get(name) }

// beginning calls yield for the listed names that begin as prefix does, in order, until it returns false.
func (x *nameIndex) beginning(prefix fullName, yield func(name string, oid OID) bool) {
	if x.listed.Len() == 0 {
		return
	}
	from := prefix.sortKey()
	x.listed.Ascend(from, func(key string, oid OID) bool {
		return strings.HasPrefix(key, from) && yield(key[5:], oid)
	})
}

// others calls f for the objects of the namespace inOthers, by schema and name.
func (x *nameIndex) others(f func(oid OID)) {
	x.listed.Ascend(string([]byte{inOthers}), func(key string, oid OID) bool {
		if key[0] != inOthers {
			return false
		}
		f(oid)
		return true
	})
}

// add stores the name of an object.
func (x *nameIndex) add(by *edit, name fullName, oid OID) {
	if name.namespace == inConstraints {
		oid, _ = x.all.get(name)
		oid++
	}
	x.all.set(by, name, oid)
	x.system = x.system || name.schema == pgCatalogOID && name.namespace == inRelations
	if isListed(name.namespace) {
		x.ownListed(by).Set(name.sortKey(), oid)
	}
}

// remove takes the name of an object back, unless another has taken it over.
func (x *nameIndex) remove(by *edit, name fullName, oid OID) {
	has, ok := x.all.get(name)
	switch {
	case name.namespace == inConstraints && has > 1:
		x.all.set(by, name, has-1)
		return
	case !ok || name.namespace != inConstraints && has != oid:
		return
	}
	x.all.delete(by, name)
	if isListed(name.namespace) {
		x.ownListed(by).Delete(name.sortKey())
	}
}

func (x *nameIndex) ownListed(by *edit) *btree.Map[string, OID] {
	if x.edit != by {
		x.edit, x.listed = by, copyShared(x.listed)
	}
	return x.listed
}

// nameKeyOf is the name of an object, the zero fullName for those found through their table only (triggers, rules, …).
func nameKeyOf(o Object) fullName {
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
		return nameKey(inConstraints, o.schema, o.Name)
	}
	return fullName{}
}

// constraintNameExists tells whether any table or domain of the schema has a constraint of that name.
func (c *Catalog) constraintNameExists(schema OID, name string) bool {
	_, exists := c.names.Get(nameKey(inConstraints, schema, name))
	return exists
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
		if s == pgCatalogOID && !c.names.system {
			continue
		}
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
