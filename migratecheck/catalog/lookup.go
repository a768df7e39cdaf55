package catalog

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// tempSchema is the alias under which a session reaches its own temporary schema; the model has only the one.
const tempSchema = "pg_temp"

// findRelation finds what rv names, nil when there is none; nothing is assumed.
func (c *Catalog) findRelation(rv *pgast.RangeVar) *Relation {
	return c.Relation(rv.Schemaname, rv.Relname)
}

// lookupRelation finds what rv names, or answers as RangeVarGetRelid does. An open catalog assumes a table that nobody
// has seen.
func (c *Catalog) lookupRelation(rv *pgast.RangeVar) (*Relation, error) {
	return c.lookupKind(rv, Table)
}

// lookupKind is lookupRelation where kind is what an open catalog assumes.
func (c *Catalog) lookupKind(rv *pgast.RangeVar, kind RelKind) (*Relation, error) {
	if r := c.findRelation(rv); r != nil {
		return r, nil
	}
	if r := c.assumeRelation(rv, kind); r != nil {
		return r, nil
	}
	if rv.Schemaname == "pg_toast" {
		return nil, errorf(NotUnderstood, "TOAST tables are not kept")
	}
	if rv.Schemaname != "" && rv.Schemaname != tempSchema && c.SchemaNamed(rv.Schemaname) == nil {
		return nil, errorf("3F000", "schema \"%s\" does not exist", rv.Schemaname)
	}
	err := errorf("42P01", "relation \"%s\" does not exist", rangeVarName(rv))
	err.Object = Name{rv.Schemaname, rv.Relname}
	return nil, err
}

// relation is Get for an OID that is known to be a relation's.
func (c *Catalog) relation(oid OID) *Relation {
	r, _ := c.Get(oid).(*Relation)
	return r
}

// editRelation replaces a relation by a changed copy and returns it.
func (c *Catalog) editRelation(oid OID, change func(r *Relation)) *Relation {
	r := *c.relation(oid)
	r.Columns = append(make([]Column, 0, len(r.Columns)+1), r.Columns...) // one is often added
	change(&r)
	c.put(&r)
	return &r
}

// editColumn replaces one column of a relation.
func (c *Catalog) editColumn(oid OID, num int, change func(col *Column)) *Relation {
	return c.editRelation(oid, func(r *Relation) { change(&r.Columns[num-1]) })
}

// rangeVarName is the name as the statement wrote it.
func rangeVarName(rv *pgast.RangeVar) string {
	if rv.Schemaname != "" {
		return rv.Schemaname + "." + rv.Relname
	}
	return rv.Relname
}

// creationSchema is the schema in which a relation called rv is made (RangeVarGetCreationNamespace).
func (c *Catalog) creationSchema(rv *pgast.RangeVar) (OID, error) {
	if rv.Relpersistence == "t" || rv.Schemaname == tempSchema {
		if rv.Schemaname != "" {
			if _, err := c.lookupSchema(rv.Schemaname); err != nil {
				return 0, err
			}
		}
		if rv.Schemaname != "" && rv.Schemaname != tempSchema {
			return 0, errorf("42P16", "cannot create temporary relation in non-temporary schema")
		}
		return c.temporarySchema(), nil
	}
	return c.schemaToCreateIn(rv.Schemaname)
}

// schemaToCreateIn is the schema called name, or with "" the first of the search path.
func (c *Catalog) schemaToCreateIn(name string) (OID, error) {
	if name == "" {
		if oid := c.currentSchema(); oid != 0 {
			return oid, nil
		}
		return 0, errorf("3F000", "no schema has been selected to create in")
	}
	s, err := c.lookupSchema(name)
	if err != nil {
		return 0, err
	}
	return s.OID, nil
}

// lookupSchema finds a schema; an open catalog assumes one that was never seen.
func (c *Catalog) lookupSchema(name string) (*Schema, error) {
	if s := c.SchemaNamed(name); s != nil {
		return s, nil
	}
	if name == tempSchema {
		return c.Get(c.temporarySchema()).(*Schema), nil
	}
	if s := c.assumeSchema(name); s != nil {
		return s, nil
	}
	return nil, errorf("3F000", "schema \"%s\" does not exist", name)
}

// temporarySchema returns the schema of temporary tables, made on first use.
func (c *Catalog) temporarySchema() OID {
	if s := c.SchemaNamed(tempSchema); s != nil {
		return s.OID
	}
	s := &Schema{OID: c.newOID(), Name: tempSchema}
	c.put(s)
	return s.OID
}

// persistenceIn is that of what is made in a schema and says nothing itself.
func (c *Catalog) persistenceIn(schema OID) Persistence {
	if s := c.SchemaNamed(tempSchema); s != nil && s.OID == schema {
		return Temporary
	}
	return Permanent
}

// assumable tells whether an open catalog may assume something under this key: nobody has seen it come or go.
func (c *Catalog) assumable(key fullName) bool {
	if !c.Open {
		return false
	}
	_, here := c.names.Get(key)
	_, gone := c.gone.get(key)
	return !here && !gone
}

// MadeRelations reports whether a table, or another relation, was ever created, and not only referred to.
func (c *Catalog) MadeRelations() bool { return c.made }

// Seen reports whether a relation of that name is there, or ever was.
func (c *Catalog) Seen(n Name) bool {
	for _, schema := range c.path(n.Schema) {
		key := nameKey(inRelations, schema, n.Name)
		_, here := c.names.Get(key)
		_, gone := c.gone.get(key)
		if here || gone {
			return true
		}
	}
	return false
}

// assume stores o as something that was there all along.
func (c *Catalog) assume(o Object) {
	c.put(o)
	c.touch(o.ObjectID(), o)
}

func (c *Catalog) assumeSchema(name string) *Schema {
	if !c.assumable(nameKey(inSchemas, 0, name)) {
		return nil
	}
	s := &Schema{OID: c.newOID(), Name: name, Assumed: true}
	c.assume(s)
	return s
}

// assumeRelation makes up a relation that an open catalog has not seen, nil when it may not.
func (c *Catalog) assumeRelation(rv *pgast.RangeVar, kind RelKind) *Relation {
	if !c.Open || rv.Schemaname == tempSchema {
		return nil
	}
	schema := c.currentSchema()
	if rv.Schemaname != "" {
		s := c.SchemaNamed(rv.Schemaname)
		if s == nil {
			s = c.assumeSchema(rv.Schemaname)
		}
		if s == nil {
			return nil
		}
		schema = s.OID
	}
	if schema == 0 {
		schema = publicOID
	}
	if schema < FirstUserOID && schema != publicOID || !c.assumable(nameKey(inRelations, schema, rv.Relname)) {
		return nil
	}
	r := &Relation{OID: c.newOID(), Schema: schema, Name: rv.Relname, Kind: kind, Persistence: Permanent, Assumed: true, ReplicaIdent: 'd'}
	switch kind {
	case Index, PartitionedIndex:
		r.Index = &IndexAttrs{Valid: true, Immediate: true}
	case Sequence:
		r.Seq = &SequenceAttrs{Start: 1, Increment: 1, Min: 1, Max: 1<<63 - 1, Cache: 1, Type: TypeRef{OID: 20, Mod: -1}}
	case View, MatView:
		r.Query = &Query{Unknown: true}
	}
	c.assume(r)
	return r
}

// findColumn returns the column of a relation as it is now, nil when there is none. A relation that was assumed gets
// the column, unless it has lost one of that name.
func (c *Catalog) findColumn(rel OID, name string) *Column {
	r := c.relation(rel)
	if r == nil {
		return nil
	}
	if col := r.Column(name); col != nil {
		return col
	}
	if !r.Assumed || r.lost(name) {
		return nil
	}
	r = c.editRelation(rel, func(r *Relation) {
		r.Columns = append(r.Columns, Column{Num: len(r.Columns) + 1, Name: name, Type: TypeRef{Mod: -1}, Local: true, Stats: -1, Assumed: true})
	})
	c.touch(rel, r)
	return r.Column(name)
}

// Added reports, of a column of an Assumed relation, that a statement has added it: it was not there before, and all of it is known.
func (col *Column) Added() bool { return col.added }

// HasAdded reports whether ALTER TYPE … ADD VALUE has added the label, by its name of now.
func (t *Type) HasAdded(label string) bool { return slices.Contains(t.added, label) }

// Lost reports that an Assumed relation has no column of that name any more.
func (o *Relation) Lost(name string) bool { return o.Assumed && o.lost(name) }

// lost tells whether a column of that name was dropped or renamed, so that an assumed relation has it no more.
func (o *Relation) lost(name string) bool {
	for i := range o.Columns {
		if o.Columns[i].Dropped && o.Columns[i].Name == name {
			return true
		}
	}
	for _, n := range o.gone {
		if n == name {
			return true
		}
	}
	return false
}

// lookupColumn is findColumn with the error of ALTER TABLE.
func (c *Catalog) lookupColumn(rel OID, name string) (*Column, error) {
	if col := c.findColumn(rel, name); col != nil {
		return col, nil
	}
	e := errorf("42703", "column \"%s\" of relation \"%s\" does not exist", name, c.relation(rel).Name)
	e.Object = c.NameOf(rel)
	return nil, e
}

// constraintNamed finds a constraint of a table (or domain) by name, nil when there is none.
func (c *Catalog) constraintNamed(of OID, name string) *Constraint {
	for o := range c.childrenOf(of) {
		if con, ok := o.(*Constraint); ok && con.Name == name && (con.Table == of || con.Domain == of) {
			return con
		}
	}
	return nil
}

// stringsOf reads a list of String nodes.
func stringsOf(nodes []*pgast.Node) []string {
	var list []string
	for _, n := range nodes {
		list = append(list, n.GetString_().GetSval())
	}
	return list
}

// rangeVarOf makes a RangeVar of a dotted name.
func rangeVarOf(nodes []*pgast.Node) *pgast.RangeVar {
	parts := stringsOf(nodes)
	rv := &pgast.RangeVar{Inh: true, Relpersistence: "p"}
	if n := len(parts); n > 0 {
		rv.Relname = parts[n-1]
		if n > 1 {
			rv.Schemaname = parts[n-2]
		}
	}
	return rv
}
