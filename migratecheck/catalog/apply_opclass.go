package catalog

import (
	"strings"
	"sync"
)

// keyClass is the operator class of an index key as it is stored: name "" when it is the default, oid when it is one of
// the catalog's own.
type keyClass struct {
	name string
	oid  OID
}

// opClass is an operator class of an index method.
type opClass struct {
	name      string
	input     TypeRef
	isDefault bool
	oid       OID
}

// loadOpClasses reads the server's own operator classes, by method.
var loadOpClasses = sync.OnceValue(func() map[string][]opClass {
	m := map[string][]opClass{}
	for _, line := range builtinLines("opclasses.tsv") {
		f := strings.Split(line, "\t")
		m[f[0]] = append(m[f[0]], opClass{name: f[1], input: parseTypeRef(f[2], nil), isDefault: f[3] == "true"})
	}
	return m
})

// opClasses lists those of a method: the server's own and the catalog's.
func (c *Catalog) opClasses(method string) []opClass {
	list := loadOpClasses()[method]
	list = list[:len(list):len(list)]
	c.names.others(func(oid OID) {
		if o, ok := c.Get(oid).(*Other); ok && o.opclass != nil && o.opclass.method == method {
			list = append(list, opClass{name: o.Name, input: o.opclass.input, isDefault: o.opclass.isDefault, oid: oid})
		}
	})
	return list
}

// indexOpClass finds the operator class of an index key (ResolveOpClass, GetDefaultOpClass: src/backend/commands/indexcmds.c).
func (c *Catalog) indexOpClass(t TypeRef, method string, given []string) (keyClass, error) {
	known := loadOpClasses()[method] != nil
	if len(given) > 0 {
		name := given[len(given)-1]
		standard, found := c.defaultOpClass(t, method)
		for _, k := range c.opClasses(method) {
			if k.name != name || t.known() && !c.classTakes(k, t) {
				continue
			}
			if found && k == standard {
				return keyClass{oid: k.oid}, nil
			}
			if k.isDefault && k.input.OID == t.OID && !t.Array {
				return keyClass{oid: k.oid}, nil
			}
			return keyClass{name: name, oid: k.oid}, nil
		}
		for _, k := range c.opClasses(method) {
			if k.name == name {
				return keyClass{}, errorf("42804", "operator class \"%s\" does not accept data type %s", name, c.FormatType(t.bare()))
			}
		}
		if c.Open || !known || c.hasUnknownExtension() {
			return keyClass{name: name}, nil
		}
		return keyClass{}, errorf("42704", "operator class \"%s\" does not exist for access method \"%s\"", strings.Join(given, "."), method)
	}
	if !t.known() || !known || c.assumedType(t) {
		return keyClass{}, nil
	}
	if k, ok := c.defaultOpClass(t, method); ok {
		return keyClass{oid: k.oid}, nil
	}
	if c.hasUnknownExtension() {
		return keyClass{}, nil
	}
	e := errorf("42704", "data type %s has no default operator class for access method \"%s\"", c.FormatType(t.bare()), method)
	e.Hint = "You must specify an operator class for the index or define a default operator class for the data type."
	return keyClass{}, e
}

// defaultOpClass is the default one for a type: exactly its own, else one that the type converts to without change.
func (c *Catalog) defaultOpClass(t TypeRef, method string) (opClass, bool) {
	base := c.baseType(t).bare()
	var second opClass
	found := false
	for _, k := range c.opClasses(method) {
		if !k.isDefault {
			continue
		}
		if k.input.bare() == base {
			return k, true
		}
		if !found && c.classTakes(k, base) {
			second, found = k, true
		}
	}
	return second, found
}

// classTakes tells whether an operator class can index a type: its own, a polymorphic one it fits, a binary-coercible one.
func (c *Catalog) classTakes(k opClass, t TypeRef) bool {
	base := c.baseType(t).bare()
	switch k.input.OID {
	case typeAnyarray:
		return base.Array
	case typeAnyenum:
		return !base.Array && c.kindOf(base) == EnumType
	case typeAnyrange:
		return !base.Array && c.kindOf(base) == RangeType
	case typeAnymultirange:
		return !base.Array && c.kindOf(base) == MultirangeType
	case typeRecord:
		return !base.Array && c.compositeOf(base) != nil
	}
	return k.input.bare() == base || c.BinaryCoercible(base, k.input.bare())
}
