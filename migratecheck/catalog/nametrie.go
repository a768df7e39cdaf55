package catalog

import "hash/maphash"

// nameTrie finds a number by name: a tree that branches by the bits of the name's hash, as one look-up by hash is quicker
// than the comparisons of a sorted tree. A copy of a nameTrie shares all nodes; a writer copies those on its way that are
// not its own.
type nameTrie struct{ root *nameNode }

// nameBits is how many bits of the hash each level takes.
const nameBits = 3

// nameNode has a slot for each value of the bits.
type nameNode struct {
	edit  *edit
	slots [1 << nameBits]nameSlot
}

// nameSlot is a node of the next level, a leaf, or empty.
type nameSlot struct {
	node *nameNode
	leaf *nameLeaf
}

// nameLeaf never changes.
type nameLeaf struct {
	hash uint64
	name fullName
	oid  OID
	next *nameLeaf // another name of the same hash
}

var nameSeed = maphash.MakeSeed()

func (n fullName) hash() uint64 {
	return maphash.String(nameSeed, n.name) ^ (uint64(n.schema)<<8|uint64(n.namespace))*0x9e3779b97f4a7c15
}

// slot returns the one for a hash.
func (n *nameNode) slot(hash uint64) *nameSlot { return &n.slots[hash&(1<<nameBits-1)] }

func (t *nameTrie) get(name fullName) (OID, bool) {
	hash := name.hash()
	for n, h := t.root, hash; n != nil; h >>= nameBits {
		slot := n.slot(h)
		for l := slot.leaf; l != nil; l = l.next {
			if l.hash == hash && l.name == name {
				return l.oid, true
			}
		}
		n = slot.node
	}
	return 0, false
}

// set stores oid under the name.
func (t *nameTrie) set(by *edit, name fullName, oid OID) {
	t.root = t.root.with(by, 0, &nameLeaf{hash: name.hash(), name: name, oid: oid})
}

// delete forgets the name, if it is there.
func (t *nameTrie) delete(by *edit, name fullName) {
	if _, there := t.get(name); there {
		t.root = t.root.without(by, name, name.hash())
	}
}

// own returns n for writing.
func (n *nameNode) own(by *edit) *nameNode {
	switch {
	case n == nil:
		return &nameNode{edit: by}
	case n.edit == by:
		return n
	}
	return &nameNode{by, n.slots}
}

// with returns the node with the leaf, of whose hash the levels above have used shift bits.
func (n *nameNode) with(by *edit, shift int, leaf *nameLeaf) *nameNode {
	n = n.own(by)
	slot := n.slot(leaf.hash >> shift)
	switch old := slot.leaf; {
	case old == nil && slot.node == nil:
		slot.leaf = leaf
	case old == nil:
		slot.node = slot.node.with(by, shift+nameBits, leaf)
	case old.hash == leaf.hash:
		leaf.next = old.without(leaf.name)
		slot.leaf = leaf
	default:
		next := (*nameNode)(nil).with(by, shift+nameBits, old)
		*slot = nameSlot{node: next.with(by, shift+nameBits, leaf)}
	}
	return n
}

// without returns the node without a name that it has; hash is what the levels above have left of the name's.
func (n *nameNode) without(by *edit, name fullName, hash uint64) *nameNode {
	n = n.own(by)
	slot := n.slot(hash)
	if slot.leaf != nil {
		slot.leaf = slot.leaf.without(name)
	} else {
		slot.node = slot.node.without(by, name, hash>>nameBits)
	}
	return n
}

// without returns the leaves of a hash without the one of a name.
func (l *nameLeaf) without(name fullName) *nameLeaf {
	switch {
	case l == nil:
		return nil
	case l.name == name:
		return l.next
	}
	copied := *l
	copied.next = l.next.without(name)
	return &copied
}
