package catalog

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// model is what an objectMap should hold.
type model struct {
	objects  map[OID]Object
	children map[OID]map[OID]childRole
}

func (m model) clone() model {
	c := model{maps.Clone(m.objects), map[OID]map[OID]childRole{}}
	for oid, list := range m.children {
		c.children[oid] = maps.Clone(list)
	}
	return c
}

func (m model) check(t *testing.T, o *objectMap, oids []OID) {
	t.Helper()
	for _, oid := range oids {
		entry := o.get(oid)
		require.Equal(t, m.objects[oid], entry.object, "object %d", oid)
		got := map[OID]childRole{}
		for _, c := range entry.children {
			got[c.oid] = c.role
		}
		require.Len(t, got, len(entry.children), "no child twice")
		require.True(t, slices.IsSortedFunc(entry.children, func(a, b child) int { return int(a.oid) - int(b.oid) }))
		want := m.children[oid]
		if want == nil {
			want = map[OID]childRole{}
		}
		require.Equal(t, want, got, "children of %d", oid)
	}
	var all []Object
	for obj := range o.all() {
		all = append(all, obj)
	}
	var want []Object
	for _, oid := range slices.Sorted(maps.Keys(m.objects)) {
		want = append(want, m.objects[oid])
	}
	require.Equal(t, want, all, "all objects in order of OID")
}

// TestObjectMap: a map agrees with a model after random changes, and copies of it, taken on the way and then changed by
// owners of their own, do not see each other's changes. OIDs are near each other, at the edges of the arrays, and far apart.
func TestObjectMap(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	var oids []OID
	for _, base := range []OID{0, 6, 62, 510, 4094, 16384, 1 << 20} {
		for i := range OID(5) {
			oids = append(oids, base+i)
		}
	}
	type branch struct {
		objects objectMap
		by      *edit
		want    model
	}
	branches := []*branch{{by: new(edit), want: model{map[OID]Object{}, map[OID]map[OID]childRole{}}}}
	for i := range 20_000 {
		b := branches[rnd.IntN(len(branches))]
		oid, other := oids[rnd.IntN(len(oids))], oids[rnd.IntN(len(oids))]
		switch rnd.IntN(5) {
		case 0, 1:
			o := &Schema{OID: oid, Name: string(rune('a' + i%26))}
			b.objects.own(b.by, oid).object = o
			b.want.objects[oid] = o
		case 2:
			b.objects.own(b.by, oid).object = nil
			delete(b.want.objects, oid)
		case 3:
			role := childRole(1 + rnd.IntN(3))
			b.objects.own(b.by, oid).setChild(other, role)
			if b.want.children[oid] == nil {
				b.want.children[oid] = map[OID]childRole{}
			}
			b.want.children[oid][other] = role
		case 4:
			b.objects.own(b.by, oid).removeChild(other)
			delete(b.want.children[oid], other)
		}
		if i%2000 == 1999 {
			// Both sides are owned anew from here on, as Clone does it.
			b.by = new(edit)
			branches = append(branches, &branch{b.objects, new(edit), b.want.clone()})
		}
	}
	require.Len(t, branches, 11)
	for _, b := range branches {
		b.want.check(t, &b.objects, append(oids, 5, 1<<21))
	}
}

// TestObjectMapReadsNothing: asking for what is not there makes nothing.
func TestObjectMapReadsNothing(t *testing.T) {
	var m objectMap
	require.Nil(t, m.get(16384).object)
	require.Empty(t, m.get(1<<30).children)
	for range m.all() {
		t.Fatal("an empty map has an object")
	}
	m.own(new(edit), 7).removeChild(8) // which it does not have
	require.Empty(t, m.get(7).children)
	require.Nil(t, m.get(8).object)
}
