package catalog

import (
	"cmp"
	"iter"
	"slices"
)

// edit marks the nodes of an objectMap and a nameTrie that belong to one catalog alone and may be written to; all others
// are copied first. Its address counts, so that it must not be empty.
type edit struct{ _ byte }

// objectMap finds objects, and what is recorded of each, by OID. OIDs are given one after the other, so that they can be
// places in arrays, which is quicker to search than a tree: four steps, without a comparison. Copies share all arrays.
type objectMap struct {
	edit *edit // whose top is
	top  []*objectBook
	none *objectEntry // what get returns for an OID that has no entry; never written. Nil works
}

// fanOut is the number of elements of each array but the top one: few, as a write copies one of each kind.
const fanOut = 16

type objectBook struct {
	edit  *edit
	pages [fanOut]*objectPage
}

type objectPage struct {
	edit   *edit
	leaves [fanOut]*objectLeaf
}

type objectLeaf struct {
	edit    *edit
	entries [fanOut]*objectEntry
}

// objectEntry is what is kept under one OID. The lists are shared by copies: one that changes is made anew.
type objectEntry struct {
	edit       *edit
	object     Object // nil when there is none, but others refer to it
	deps       []Dep  // pg_depend by dependent object (depend.go)
	dependents []OID  // the way back: the objects that refer to this one
	children   []child
}

// child is an object that belongs to a relation or type, in order of OID.
type child struct {
	oid  OID
	role childRole
}

// nothing is the entry of an OID that has none.
func (m *objectMap) nothing() *objectEntry {
	if m.none == nil {
		return new(objectEntry)
	}
	return m.none
}

// get returns the entry for reading.
func (m *objectMap) get(oid OID) *objectEntry {
	at := int(oid / (fanOut * fanOut * fanOut))
	if at >= len(m.top) || m.top[at] == nil {
		return m.nothing()
	}
	page := m.top[at].pages[oid/(fanOut*fanOut)%fanOut]
	if page == nil {
		return m.nothing()
	}
	leaf := page.leaves[oid/fanOut%fanOut]
	if leaf == nil {
		return m.nothing()
	}
	if e := leaf.entries[oid%fanOut]; e != nil {
		return e
	}
	return m.nothing()
}

// own returns the entry for writing by the owner of by.
func (m *objectMap) own(by *edit, oid OID) *objectEntry {
	if m.edit != by {
		m.edit, m.top = by, slices.Clone(m.top)
	}
	at := int(oid / (fanOut * fanOut * fanOut))
	for at >= len(m.top) {
		m.top = append(m.top, nil)
	}
	book := &m.top[at]
	switch {
	case *book == nil:
		*book = &objectBook{edit: by}
	case (*book).edit != by:
		*book = &objectBook{by, (*book).pages}
	}
	page := &(*book).pages[oid/(fanOut*fanOut)%fanOut]
	switch {
	case *page == nil:
		*page = &objectPage{edit: by}
	case (*page).edit != by:
		*page = &objectPage{by, (*page).leaves}
	}
	leaf := &(*page).leaves[oid/fanOut%fanOut]
	switch {
	case *leaf == nil:
		*leaf = &objectLeaf{edit: by}
	case (*leaf).edit != by:
		*leaf = &objectLeaf{by, (*leaf).entries}
	}
	entry := &(*leaf).entries[oid%fanOut]
	switch {
	case *entry == nil:
		*entry = &objectEntry{edit: by}
	case (*entry).edit != by:
		e := **entry
		e.edit = by
		*entry = &e
	}
	return *entry
}

// all yields the objects in order of OID, as they are when it is asked.
func (m *objectMap) all() iter.Seq[Object] {
	return func(yield func(Object) bool) {
		for _, book := range m.top {
			if book != nil && !book.all(yield) {
				return
			}
		}
	}
}

func (b *objectBook) all(yield func(Object) bool) bool {
	for _, page := range &b.pages {
		if page == nil {
			continue
		}
		for _, leaf := range &page.leaves {
			if leaf == nil {
				continue
			}
			for _, e := range &leaf.entries {
				if e != nil && e.object != nil && !yield(e.object) {
					return false
				}
			}
		}
	}
	return true
}

func (e *objectEntry) findChild(oid OID) (at int, found bool) {
	return slices.BinarySearchFunc(e.children, oid, func(c child, oid OID) int { return cmp.Compare(c.oid, oid) })
}

// setChild adds a child, or changes its role.
func (e *objectEntry) setChild(oid OID, role childRole) {
	at, found := e.findChild(oid)
	if found {
		e.children = slices.Clone(e.children)
		e.children[at].role = role
		return
	}
	e.children = slices.Insert(slices.Clip(e.children), at, child{oid, role})
}

func (e *objectEntry) removeChild(oid OID) {
	if at, found := e.findChild(oid); found {
		e.children = slices.Delete(slices.Clone(e.children), at, at+1)
	}
}
