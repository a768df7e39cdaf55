package catalog

import (
	"strings"

	"github.com/tidwall/btree"
)

// Mark is a state of a catalog, to ask later what has changed since.
type Mark struct {
	log      *touched
	settings *btree.Map[string, string]
}

// Mark names the state that the catalog is in. Clones that have not changed since have the same.
func (c *Catalog) Mark() Mark { return Mark{c.log, c.settings} }

// Footprint is what the analysis of a statement depends on: the objects it needs with what those need in turn, and the words
// of its text, since an object that comes to have a name in it may be meant.
type Footprint struct {
	oids  map[OID]struct{}
	words map[string]struct{}
}

// NewFootprint makes the footprint of a statement with the given text and needs.
func (c *Catalog) NewFootprint(sql string, refs []Address) *Footprint {
	f := &Footprint{oids: map[OID]struct{}{}, words: map[string]struct{}{}}
	for _, word := range strings.FieldsFunc(strings.ToLower(sql), func(r rune) bool { return !isWordRune(r) }) {
		f.words[word] = struct{}{}
	}
	for _, a := range refs {
		f.add(c, a.OID)
	}
	return f
}

func isWordRune(r rune) bool {
	return r == '_' || r == '$' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r > 127
}

// add notes an object and those that decide what it is.
func (f *Footprint) add(c *Catalog, oid OID) {
	if oid < FirstUserOID {
		return
	}
	if _, ok := f.oids[oid]; ok {
		return
	}
	f.oids[oid] = struct{}{}
	refs := func(list []Address) {
		for _, a := range list {
			f.add(c, a.OID)
		}
	}
	switch o := c.Get(oid).(type) {
	case *Relation:
		for i := range o.Columns {
			f.add(c, o.Columns[i].Type.OID)
			if e := o.Columns[i].Default; e != nil {
				refs(e.Refs)
			}
		}
		if o.Query != nil {
			refs(o.Query.Refs)
		}
		if o.Index != nil {
			f.add(c, o.Index.Table)
		}
	case *Type:
		f.add(c, o.Base.OID)
		f.add(c, o.Relation)
		f.add(c, o.Subtype.OID)
	case *Constraint:
		f.add(c, o.Table)
		f.add(c, o.Index)
	}
}

// List lists the objects, in no order.
func (f *Footprint) List() []OID {
	list := make([]OID, 0, len(f.oids))
	for oid := range f.oids {
		list = append(list, oid)
	}
	return list
}

// maxTouched bounds how far Untouched looks back.
const maxTouched = 256

// Untouched reports whether what the footprint depends on is for certain the same as it was at the mark, of this catalog or
// another of its history.
func (c *Catalog) Untouched(since Mark, f *Footprint) bool {
	if c.settings != since.settings {
		return false
	}
	a, b := since.log, c.log
	for n := 0; a != b; n++ {
		if n > maxTouched {
			return false
		}
		var oid OID
		if b == nil || a != nil && a.depth > b.depth {
			oid, a = a.oid, a.prev
		} else {
			oid, b = b.oid, b.prev
		}
		if f.touchedBy(c, oid) {
			return false
		}
	}
	return true
}

// touchedBy reports whether a change of the object may matter.
func (f *Footprint) touchedBy(c *Catalog, oid OID) bool {
	if f.has(oid) {
		return true
	}
	switch o := c.Get(oid).(type) {
	case *Relation:
		for _, p := range parentsOf(o) {
			if f.has(p) {
				return true
			}
		}
		return f.names(o.Name)
	case *Type:
		return f.names(o.Name)
	case *Constraint, *Trigger, *Rule, *Policy:
		for _, p := range parentsOf(o) {
			if f.has(p) {
				return true
			}
		}
		return f.names(o.ObjectName())
	}
	return true // gone, or of a kind that many things may depend on
}

func (f *Footprint) has(oid OID) bool {
	_, ok := f.oids[oid]
	return ok
}

func (f *Footprint) names(name string) bool {
	name = strings.ToLower(name)
	if strings.ContainsFunc(name, func(r rune) bool { return !isWordRune(r) }) {
		return true
	}
	_, ok := f.words[name]
	return ok
}
