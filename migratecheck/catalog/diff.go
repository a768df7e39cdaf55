package catalog

import "slices"

// Op is what happened to an object or column between two catalogs.
type Op string

const (
	Created     Op = "created"
	Dropped     Op = "dropped"
	Renamed     Op = "renamed"
	Moved       Op = "moved" // to another schema
	Altered     Op = "altered"
	ColumnAdded Op = "column added"
	// ColumnDropped is not reported for the columns of a dropped table, nor ColumnAdded for a created one's.
	ColumnDropped        Op = "column dropped"
	ColumnRenamed        Op = "column renamed"
	ColumnTypeChanged    Op = "column type changed"
	ColumnNotNullSet     Op = "column not null set"
	ColumnNotNullDropped Op = "column not null dropped"
	ColumnDefaultChanged Op = "column default changed" // set, dropped or replaced; identity and generated too
	ColumnAltered        Op = "column altered"         // anything else about it
	CommentChanged       Op = "comment changed"        // of the object or one of its columns
	GrantsChanged        Op = "grants changed"         // on the object or one of its columns
)

// Change is one difference. Old and New are the object before and after (nil when created or dropped); for changes of a
// column they are its relation, and OldColumn, NewColumn the column.
type Change struct {
	Op                   Op
	Old, New             Object
	OldColumn, NewColumn *Column
}

// Object is the object changed: New, or Old when it was dropped.
func (c Change) Object() Object {
	if c.New != nil {
		return c.New
	}
	return c.Old
}

// Diff lists what statements applied to after, a clone of before, have changed, in order of OID. An object created and
// dropped again in between is not in it. In an open catalog an object that the statements had to assume counts as there
// before.
func Diff(before, after *Catalog) []Change {
	oids, assumed := touchedBetween(before.log, after.log)
	if len(oids) == 0 {
		return nil
	}
	changes := make([]Change, 0, len(oids))
	for _, oid := range oids {
		old, new := before.Get(oid), after.Get(oid)
		for _, a := range slices.Backward(assumed[oid]) {
			old = withAssumed(old, a)
		}
		switch {
		case old == nil && new == nil:
		case old == nil:
			changes = append(changes, Change{Op: Created, New: new})
		case new == nil:
			changes = append(changes, Change{Op: Dropped, Old: old})
		default:
			if old != new {
				changes = append(changes, diffObject(old, new)...)
			}
			changes = append(changes, diffRecords(before, after, old, new)...)
		}
	}
	return changes
}

// touchedBetween lists, sorted, the objects that the two logs do not have in common, and what was assumed on the way, newest
// first.
func touchedBetween(a, b *touched) (oids []OID, assumed map[OID][]Object) {
	note := func(t *touched) *touched {
		oids = append(oids, t.oid)
		if t.assumed != nil {
			if assumed == nil {
				assumed = map[OID][]Object{}
			}
			assumed[t.oid] = append(assumed[t.oid], t.assumed)
		}
		return t.prev
	}
	for a != b {
		if b == nil || a != nil && a.depth > b.depth {
			a = note(a)
		} else {
			b = note(b)
		}
	}
	slices.Sort(oids)
	return slices.Compact(oids), assumed
}
