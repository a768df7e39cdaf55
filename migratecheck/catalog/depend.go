package catalog

import (
	"cmp"
	"slices"
)

// DepType is pg_depend.deptype.
type DepType byte

const (
	DepNormal    DepType = 'n' // DROP needs CASCADE
	DepAuto      DepType = 'a' // dropped along
	DepInternal  DepType = 'i' // dropped along, and not droppable by itself
	DepExtension DepType = 'e' // member of an extension
	DepPartition DepType = 'P'
)

// Dep is a row of pg_depend, kept with its dependent object: the object (column Column of it, 0 the whole) needs Ref.
type Dep struct {
	Column int
	Ref    Address
	Type   DepType
	// Default is set when it is not the column that needs Ref but its default, which can go without it (in PostgreSQL
	// a pg_attrdef has an OID of its own).
	Default bool

	generation bool // the column needs Ref to be computed (generated column)
}

// Dependent is a row of pg_depend seen from the referenced side.
type Dependent struct {
	Address // what depends
	Ref     Address
	Type    DepType
	Default bool // only the column's default does
}

// addDep records that dependent needs ref. References to the server's own objects are not kept, as pinned ones are not
// in pg_depend.
func (c *Catalog) addDep(dependent, ref Address, typ DepType) {
	if ref.OID < FirstUserOID && c.Get(ref.OID) == nil {
		return
	}
	c.addDepRow(dependent.OID, Dep{Column: dependent.Column, Ref: ref, Type: typ})
}

// addDeps is addDep for several.
func (c *Catalog) addDeps(dependent Address, refs []Address, typ DepType) {
	for _, ref := range refs {
		c.addDep(dependent, ref, typ)
	}
}

// addDepRow stores one row of pg_depend.
func (c *Catalog) addDepRow(oid OID, dep Dep) {
	if slices.Contains(c.Dependencies(oid), dep) {
		return
	}
	from := c.objects.own(c.own(), oid)
	from.deps = append(slices.Clip(from.deps), dep)
	if !slices.Contains(c.objects.get(dep.Ref.OID).dependents, oid) {
		to := c.objects.own(c.own(), dep.Ref.OID)
		to.dependents = append(slices.Clip(to.dependents), oid)
	}
}

// dropDeps forgets the rows of oid that match.
func (c *Catalog) dropDeps(oid OID, match func(Dep) bool) {
	list := c.Dependencies(oid)
	if !slices.ContainsFunc(list, match) {
		return
	}
	keep := slices.DeleteFunc(slices.Clone(list), match)
	c.clearDeps(oid)
	for _, d := range keep {
		c.addDepRow(oid, d)
	}
}

// Dependencies lists what an object needs.
func (c *Catalog) Dependencies(oid OID) []Dep {
	return c.objects.get(oid).deps
}

// Dependents lists what needs the object, or with a Column that column of it, in order of creation.
func (c *Catalog) Dependents(of Address) []Dependent {
	var list []Dependent
	for _, oid := range c.objects.get(of.OID).dependents {
		for _, d := range c.Dependencies(oid) {
			if d.Ref.OID == of.OID && (of.Column == 0 || d.Ref.Column == of.Column) {
				list = append(list, Dependent{Address{oid, d.Column}, d.Ref, d.Type, d.Default})
			}
		}
	}
	slices.SortStableFunc(list, func(a, b Dependent) int { return cmp.Compare(a.OID, b.OID) })
	return list
}

// clearDeps forgets what oid needs.
func (c *Catalog) clearDeps(oid OID) {
	deps := c.Dependencies(oid)
	if len(deps) == 0 {
		return
	}
	for _, d := range deps {
		to := c.objects.own(c.own(), d.Ref.OID)
		to.dependents = slices.DeleteFunc(slices.Clone(to.dependents), func(o OID) bool { return o == oid })
	}
	c.objects.own(c.own(), oid).deps = nil
}

// key packs an address for the maps of comments and grants.
func (a Address) key() uint64 { return uint64(a.OID)<<32 | uint64(uint32(a.Column)) }

// clearAddress forgets the comments and grants of an object and its columns.
func (c *Catalog) clearAddress(oid OID) {
	var keys []uint64
	c.comments.Ascend(Address{OID: oid}.key(), func(k uint64, _ string) bool {
		if OID(k>>32) == oid {
			keys = append(keys, k)
			return true
		}
		return false
	})
	for _, k := range keys {
		c.ownRecords()
		c.comments.Delete(k)
	}
	keys = keys[:0]
	c.grants.Ascend(Address{OID: oid}.key(), func(k uint64, _ []Grant) bool {
		if OID(k>>32) == oid {
			keys = append(keys, k)
			return true
		}
		return false
	})
	for _, k := range keys {
		c.ownRecords()
		c.grants.Delete(k)
	}
}
