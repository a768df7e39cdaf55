package catalog

import (
	"iter"
	"slices"
)

// objectMap finds objects by OID. OIDs are given one after the other, so that they can be places in arrays, which is
// quicker to search than a tree: three steps, without a comparison. A copy shares all arrays until one of the two writes.
type objectMap struct {
	edit *objectEdit // nil when top may be shared
	top  []*objectPage
}

// objectEdit marks the arrays that belong to one map alone. Its address counts, so that it must not be empty.
type objectEdit struct{ _ byte }

const (
	objectsPerLeaf = 32
	leavesPerPage  = 32
)

type objectPage struct {
	edit   *objectEdit
	leaves [leavesPerPage]*objectLeaf
}

type objectLeaf struct {
	edit    *objectEdit
	objects [objectsPerLeaf]Object
}

// share returns a copy; each of the two then copies what it changes.
func (m *objectMap) share() objectMap {
	if m.edit != nil {
		m.edit = nil
	}
	return *m
}

// get returns the object, nil when there is none.
func (m *objectMap) get(oid OID) Object {
	page := int(oid / (objectsPerLeaf * leavesPerPage))
	if page >= len(m.top) || m.top[page] == nil {
		return nil
	}
	leaf := m.top[page].leaves[oid/objectsPerLeaf%leavesPerPage]
	if leaf == nil {
		return nil
	}
	return leaf.objects[oid%objectsPerLeaf]
}

// set stores o, or with nil deletes what is there, and returns what was.
func (m *objectMap) set(oid OID, o Object) (old Object) {
	slot := &m.own(oid).objects[oid%objectsPerLeaf]
	old, *slot = *slot, o
	return old
}

// own returns the leaf of an OID for writing.
func (m *objectMap) own(oid OID) *objectLeaf {
	if m.edit == nil {
		m.edit, m.top = new(objectEdit), slices.Clone(m.top)
	}
	at := int(oid / (objectsPerLeaf * leavesPerPage))
	for at >= len(m.top) {
		m.top = append(m.top, nil)
	}
	page := m.top[at]
	switch {
	case page == nil:
		page = &objectPage{edit: m.edit}
	case page.edit != m.edit:
		page = &objectPage{m.edit, page.leaves}
	}
	m.top[at] = page
	leaf := page.leaves[oid/objectsPerLeaf%leavesPerPage]
	switch {
	case leaf == nil:
		leaf = &objectLeaf{edit: m.edit}
	case leaf.edit != m.edit:
		leaf = &objectLeaf{m.edit, leaf.objects}
	}
	page.leaves[oid/objectsPerLeaf%leavesPerPage] = leaf
	return leaf
}

// all yields the objects in order of OID, as they are when it is asked.
func (m *objectMap) all() iter.Seq[Object] {
	return func(yield func(Object) bool) {
		for _, page := range m.top {
			if page == nil {
				continue
			}
			for _, leaf := range &page.leaves {
				if leaf == nil {
					continue
				}
				for _, o := range &leaf.objects {
					if o != nil && !yield(o) {
						return
					}
				}
			}
		}
	}
}
