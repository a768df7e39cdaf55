package catalog

import (
	"hash/maphash"
	"math/bits"
	"slices"
)

// nameTrie finds a number by name: a tree that branches by the bits of the name's hash, as one look-up by hash is quicker
// than the comparisons of a sorted tree. A copy of a nameTrie shares all nodes; a writer copies those on its way that are
// not its own.
type nameTrie struct{ root *nameNode }

// nameBits is how many bits of the hash each level takes.
const nameBits = 4

// nameNode has a slot for each bit of used.
type nameNode struct {
	edit  *edit
	used  uint16
	slots []nameSlot
}

// nameSlot is a node of the next level or a leaf.
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

// slot returns the place in slots for a hash, and whether it is taken.
func (n *nameNode) slot(hash uint64) (at int, taken bool) {
	bit := uint16(1) << (hash & (1<<nameBits - 1))
	return bits.OnesCount16(n.used & (bit - 1)), n.used&bit != 0
}

func (t *nameTrie) get(name fullName) (OID, bool) {
	hash := name.hash()
	for n, h := t.root, hash; n != nil; h >>= nameBits {
		at, taken := n.slot(h)
		if !taken {
			break
		}
		for l := n.slots[at].leaf; l != nil; l = l.next {
			if l.name == name {
				return l.oid, true
			}
		}
		n = n.slots[at].node
	}
	return 0, false
}

// set stores oid under the name.
func (t *nameTrie) set(by *edit, name fullName, oid OID) {
	hash := name.hash()
	t.root = t.root.with(by, hash, 0, &nameLeaf{hash: hash, name: name, oid: oid})
}

// delete forgets the name, if it is there.
func (t *nameTrie) delete(by *edit, name fullName) {
	if _, there := t.get(name); there {
		t.root = t.root.without(by, name, name.hash())
	}
}

// own returns n for writing, with room for another slot.
func (n *nameNode) own(by *edit) *nameNode {
	if n == nil {
		return &nameNode{edit: by}
	}
	if n.edit == by {
		return n
	}
	return &nameNode{edit: by, used: n.used, slots: append(make([]nameSlot, 0, len(n.slots)+1), n.slots...)}
}

// with returns the node with the leaf, of whose hash the levels above have used shift bits.
func (n *nameNode) with(by *edit, hash uint64, shift int, leaf *nameLeaf) *nameNode {
	n = n.own(by)
	at, taken := n.slot(hash >> shift)
	if !taken {
		n.used |= 1 << (hash >> shift & (1<<nameBits - 1))
		n.slots = slices.Insert(n.slots, at, nameSlot{leaf: leaf})
		return n
	}
	slot := &n.slots[at]
	switch old := slot.leaf; {
	case old == nil:
		slot.node = slot.node.with(by, hash, shift+nameBits, leaf)
	case old.hash == hash:
		leaf.next = old.without(leaf.name)
		slot.leaf = leaf
	default:
		next := (*nameNode)(nil).with(by, old.hash, shift+nameBits, old)
		*slot = nameSlot{node: next.with(by, hash, shift+nameBits, leaf)}
	}
	return n
}

// without returns the node without a name that it has; hash is what the levels above have left of the name's.
func (n *nameNode) without(by *edit, name fullName, hash uint64) *nameNode {
	n = n.own(by)
	at, _ := n.slot(hash)
	slot := &n.slots[at]
	if slot.leaf == nil {
		slot.node = slot.node.without(by, name, hash>>nameBits)
		return n
	}
	if slot.leaf = slot.leaf.without(name); slot.leaf == nil {
		n.used &^= 1 << (hash & (1<<nameBits - 1))
		n.slots = slices.Delete(n.slots, at, at+1)
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
