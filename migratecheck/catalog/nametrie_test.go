package catalog

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// A trie agrees with a map after every change, and copies of it stay as they were.
func TestNameTrie(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	type copied struct {
		trie nameTrie
		want map[fullName]OID
	}
	var trie nameTrie
	want := map[fullName]OID{}
	by := new(edit)
	var copies []copied
	for i := range 20000 {
		name := nameKey(byte(rnd.IntN(2)), OID(rnd.IntN(3)), fmt.Sprint("t", rnd.IntN(500)))
		if rnd.IntN(3) == 0 {
			trie.delete(by, name)
			delete(want, name)
		} else {
			trie.set(by, name, OID(i))
			want[name] = OID(i)
		}
		oid, ok := trie.get(name)
		wantOID, wantOK := want[name]
		require.Equal(t, wantOID, oid)
		require.Equal(t, wantOK, ok)
		if i%1000 == 0 {
			copies = append(copies, copied{trie, maps.Clone(want)})
			by = new(edit)
		}
	}
	for _, c := range append(copies, copied{trie, want}) {
		for ns := range byte(2) {
			for schema := range OID(3) {
				for i := range 500 {
					name := nameKey(ns, schema, fmt.Sprint("t", i))
					oid, ok := c.trie.get(name)
					wantOID, wantOK := c.want[name]
					require.Equal(t, wantOID, oid)
					require.Equal(t, wantOK, ok)
				}
			}
		}
	}
}

// Names of the same hash are told apart.
func TestNameTrieCollision(t *testing.T) {
	by := new(edit)
	a, b, c := nameKey(inTypes, 0, "a"), nameKey(inTypes, 0, "b"), nameKey(inTypes, 0, "c")
	hash := a.hash()
	var n *nameNode
	for i, name := range []fullName{b, c, a, b} {
		n = n.with(by, 0, &nameLeaf{hash: hash, name: name, oid: OID(i)})
	}
	trie := nameTrie{n}
	oid, ok := trie.get(a)
	require.True(t, ok)
	require.Equal(t, OID(2), oid)
	trie.delete(by, a)
	_, ok = trie.get(a)
	require.False(t, ok)
	var left []string
	for l := trie.root.slot(hash).leaf; l != nil; l = l.next {
		left = append(left, fmt.Sprint(l.name.name, l.oid))
	}
	require.Equal(t, []string{"b3", "c1"}, left)
}
