package catalog

import (
	"slices"
	"strings"
)

// describe names an object, or a column of it or its default, as PostgreSQL's messages do (getObjectDescription,
// src/backend/catalog/objectaddress.c).
func (c *Catalog) describe(a Address, columnDefault bool) string {
	switch o := c.Get(a.OID).(type) {
	case *Schema:
		return "schema " + quoteIdent(o.Name)
	case *Relation:
		rel := o.kindWord() + " " + c.visibleName(o)
		if a.Column != 0 {
			col := "column " + quoteIdent(o.Columns[a.Column-1].Name) + " of " + rel
			if columnDefault {
				return "default value for " + col
			}
			return col
		}
		return rel
	case *Constraint:
		of := o.Table
		if of == 0 {
			of = o.Domain
		}
		if of == 0 {
			return "constraint " + quoteIdent(o.Name)
		}
		return "constraint " + quoteIdent(o.Name) + " on " + c.describe(Address{OID: of}, false)
	case *Type:
		return "type " + c.visibleName(o)
	case *Func:
		word := "function "
		switch o.Kind {
		case Procedure:
			word = "procedure "
		case Aggregate:
			word = "aggregate "
		}
		return word + c.signature(o)
	case *Trigger:
		return "trigger " + quoteIdent(o.Name) + " on " + c.describe(Address{OID: o.Table}, false)
	case *Rule:
		return "rule " + quoteIdent(o.Name) + " on " + c.describe(Address{OID: o.Table}, false)
	case *Policy:
		return "policy " + quoteIdent(o.Name) + " on " + c.describe(Address{OID: o.Table}, false)
	case *Extension:
		return "extension " + quoteIdent(o.Name)
	case *Other:
		return o.Kind + " " + c.visibleName(o)
	}
	return "object"
}

// kindWord is what messages call a relation of this kind.
func (o *Relation) kindWord() string {
	switch o.Kind {
	case View:
		return "view"
	case MatView:
		return "materialized view"
	case Sequence:
		return "sequence"
	case Index, PartitionedIndex:
		return "index"
	case CompositeRel:
		return "composite type"
	case ForeignTable:
		return "foreign table"
	}
	return "table"
}

// signature is a function with its input types, as regprocedure prints it.
func (c *Catalog) signature(f *Func) string {
	var args []string
	for _, a := range f.Args {
		if a.Mode != 'o' && a.Mode != 't' {
			args = append(args, c.FormatType(a.Type))
		}
	}
	return c.visibleName(f) + "(" + strings.Join(args, ",") + ")"
}

// visibleName is an object's name, quoted, with its schema when the search path does not lead to it.
func (c *Catalog) visibleName(o Object) string {
	schema, ok := c.Get(o.ObjectSchema()).(*Schema)
	if !ok || c.visible(o) {
		return quoteIdent(o.ObjectName())
	}
	return quoteIdent(schema.Name) + "." + quoteIdent(o.ObjectName())
}

// visible tells whether the bare name finds the object.
func (c *Catalog) visible(o Object) bool {
	path := c.SearchPath()
	if !slices.Contains(path, o.ObjectSchema()) {
		return false
	}
	key := nameKeyOf(o)
	if key.namespace == 0 || key.namespace == inConstraints {
		return true
	}
	for _, s := range path {
		if oid, ok := c.names.Get(nameKey(key.namespace, s, key.name)); ok {
			return oid == o.ObjectID()
		}
	}
	return true
}
