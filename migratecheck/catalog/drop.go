package catalog

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// dropTarget is something that can be dropped by itself: an object, a column, a column's default.
type dropTarget struct {
	Address
	Default bool
}

// dropItem is a target found on the way, and why.
type dropItem struct {
	dropTarget
	original bool
	silent   bool // reached through an auto, internal, partition or extension dependency: no CASCADE needed
	dependee dropTarget
}

// dropper follows findDependentObjects (src/backend/catalog/dependency.c).
type dropper struct {
	c       *Catalog
	pending []dropTarget
	stack   []dropTarget
	items   []dropItem
	index   map[dropTarget]int
}

// dropObject drops an object or column with what depends on it: with cascade everything, else only what PostgreSQL drops
// along silently; anything else is error 2BP01.
func (c *Catalog) dropObject(a Address, cascade bool, eff *Effects) error {
	return c.dropObjects([]dropTarget{{Address: a}}, cascade, eff)
}

// dropObjects drops several objects in one go, so that they may depend on each other (performMultipleDeletions).
func (c *Catalog) dropObjects(targets []dropTarget, cascade bool, eff *Effects) error {
	d := &dropper{c: c, pending: targets, index: map[dropTarget]int{}}
	for _, t := range targets {
		if err := d.find(t, dropItem{dropTarget: t, original: true}, true); err != nil {
			return err
		}
	}
	if err := d.report(targets, cascade, eff); err != nil {
		return err
	}
	for _, item := range d.items {
		c.delete(item.dropTarget)
	}
	return nil
}

// covered tells whether t or the whole that it is part of is in list.
func covered(list []dropTarget, t dropTarget) bool {
	for _, o := range list {
		if o == t || o.OID == t.OID && o.Column == 0 && !o.Default || o.OID == t.OID && t.Default && o.Column == t.Column {
			return true
		}
	}
	return false
}

// add notes t as found for one more reason; it reports whether t was there already.
func (d *dropper) found(t dropTarget, why dropItem) bool {
	if i, ok := d.index[t]; ok {
		item := &d.items[i]
		item.silent = item.silent || why.silent
		item.original = item.original || why.original
		return true
	}
	return t.Column != 0 && func() bool { _, ok := d.index[dropTarget{Address: Address{OID: t.OID}}]; return ok }()
}

func (d *dropper) find(t dropTarget, why dropItem, top bool) error {
	if covered(d.stack, t) || d.found(t, why) {
		return nil
	}
	if r := d.c.relation(t.OID); r != nil && t.Column != 0 && !t.Default && !top && r.inPartitionKey(t.Column) {
		// A partitioned table is nothing without its key (StorePartitionKey, src/backend/catalog/heap.c).
		return d.find(dropTarget{Address: Address{OID: t.OID}}, dropItem{dependee: why.dependee}, false)
	}
	if !t.Default {
		done, err := d.owner(t, why, top)
		if done || err != nil {
			return err
		}
		d.stack = append(d.stack, t)
		for _, dep := range d.dependents(t) {
			if err := d.find(dep.dropTarget, dep, false); err != nil {
				return err
			}
		}
		d.stack = d.stack[:len(d.stack)-1]
	}
	if d.found(t, why) {
		return nil
	}
	why.dropTarget = t
	d.index[t] = len(d.items)
	d.items = append(d.items, why)
	return nil
}

// owner handles an object that is an internal part of another: it cannot be dropped by itself, and reached from
// elsewhere it takes its owner along.
func (d *dropper) owner(t dropTarget, why dropItem, top bool) (done bool, err error) {
	var partitionOwner, blocker dropTarget
	reached := false
	for _, dep := range d.c.Dependencies(t.OID) {
		if dep.Default || t.Column != 0 && dep.Column != t.Column || dep.Ref.OID == t.OID {
			continue
		}
		other := dropTarget{Address: dep.Ref}
		switch dep.Type {
		case DepPartition:
			if partitionOwner.OID == 0 {
				partitionOwner = other
			}
			reached = reached || covered(d.stack, other)
		case DepInternal, DepExtension:
			if covered(d.stack, other) {
				continue
			}
			if !top {
				if dep.Type == DepExtension {
					// An extension's member goes with the extension or not at all; from below it is the extension that goes.
					return true, d.find(other, dropItem{dependee: why.dependee}, false)
				}
				if err := d.find(other, dropItem{dependee: why.dependee}, false); err != nil {
					return true, err
				}
				d.found(t, dropItem{silent: true})
				return true, nil
			}
			if covered(d.pending, other) {
				return true, nil // it goes when its owner's turn comes
			}
			if blocker.OID == 0 || dep.Type == DepExtension {
				blocker = other
			}
		}
	}
	if blocker.OID == 0 && top && partitionOwner.OID != 0 && !reached && !covered(d.pending, partitionOwner) {
		blocker = partitionOwner
	}
	if blocker.OID == 0 {
		return false, nil
	}
	other := d.c.describe(blocker.Address, false)
	e := errorf("2BP01", "cannot drop %s because %s requires it", d.c.describe(t.Address, false), other)
	e.Hint = fmt.Sprintf("You can drop %s instead.", other)
	e.Object = d.c.NameOf(t.OID)
	return true, e
}

// dependents lists what needs t, newest first as PostgreSQL visits it.
func (d *dropper) dependents(t dropTarget) []dropItem {
	var list []dropItem
	if s, ok := d.c.Get(t.OID).(*Schema); ok {
		for _, o := range d.c.schemaMembers(s.OID) {
			list = append(list, dropItem{dropTarget: dropTarget{Address: Address{OID: o.ObjectID()}}, dependee: t})
		}
	}
	for _, dep := range d.c.Dependents(t.Address) {
		if dep.OID == t.OID && t.Column == 0 {
			continue
		}
		list = append(list, dropItem{dropTarget: dropTarget{dep.Address, dep.Default}, silent: dep.Type != DepNormal, dependee: t})
	}
	slices.SortStableFunc(list, func(a, b dropItem) int {
		return cmp.Or(cmp.Compare(b.OID, a.OID), cmp.Compare(a.Column, b.Column))
	})
	return list
}

// report says what goes along (reportDependentObjects).
func (d *dropper) report(targets []dropTarget, cascade bool, eff *Effects) error {
	var details []string
	for i := len(d.items) - 1; i >= 0; i-- {
		item := d.items[i]
		if item.original || item.silent || d.partOfDropped(item.dropTarget) {
			continue
		}
		text := d.c.describe(item.Address, item.Default)
		if cascade {
			details = append(details, "drop cascades to "+text)
		} else {
			details = append(details, text+" depends on "+d.c.describe(item.dependee.Address, false))
		}
	}
	if len(details) == 0 {
		return nil
	}
	if cascade {
		note := details[0]
		if len(details) > 1 {
			note = fmt.Sprintf("drop cascades to %d other objects\n%s", len(details), strings.Join(details, "\n"))
		}
		if eff != nil {
			eff.Notices = append(eff.Notices, note)
		}
		return nil
	}
	e := errorf("2BP01", "cannot drop desired object(s) because other objects depend on them")
	if len(targets) == 1 {
		e = errorf("2BP01", "cannot drop %s because other objects depend on it", d.c.describe(targets[0].Address, targets[0].Default))
		e.Object = d.c.NameOf(targets[0].OID)
	}
	e.Detail = strings.Join(details, "\n")
	e.Hint = "Use DROP ... CASCADE to drop the dependent objects too."
	return e
}

// partOfDropped tells whether the table or column that t is part of goes too, which says it all.
func (d *dropper) partOfDropped(t dropTarget) bool {
	if t.Column == 0 {
		return false
	}
	_, table := d.index[dropTarget{Address: Address{OID: t.OID}}]
	_, column := d.index[dropTarget{Address: t.Address}]
	return table || t.Default && column
}

// schemaMembers lists the objects that live in a schema by their own right, so not indexes, which go with their tables.
func (c *Catalog) schemaMembers(schema OID) []Object {
	var list []Object
	for o := range c.All() {
		switch key := nameKeyOf(o); {
		case key.schema != schema || !slices.Contains([]byte{inRelations, inTypes, inFunctions, inOthers}, key.namespace):
			continue
		default:
			if r, ok := o.(*Relation); !ok || r.Kind != Index && r.Kind != PartitionedIndex && r.Kind != CompositeRel {
				list = append(list, o)
			}
		}
	}
	slices.SortFunc(list, func(a, b Object) int { return nameKeyOf(a).compare(nameKeyOf(b)) })
	return list
}

// delete removes one target whose dependents are gone (doDeletion).
func (c *Catalog) delete(t dropTarget) {
	if t.Column == 0 {
		c.forgetIndex(t.OID)
		c.remove(t.OID)
		return
	}
	r := c.relation(t.OID)
	if r == nil {
		return
	}
	if t.Default {
		c.dropDeps(t.OID, func(d Dep) bool { return d.Default && d.Column == t.Column })
		c.editColumn(t.OID, t.Column, func(col *Column) { col.Default = nil })
		return
	}
	c.dropDeps(t.OID, func(d Dep) bool { return d.Column == t.Column })
	c.ownRecords()
	c.comments.Delete(t.key())
	c.grants.Delete(t.key())
	c.editColumn(t.OID, t.Column, func(col *Column) {
		*col = Column{Num: col.Num, Name: col.Name, Dropped: true, Local: true, Stats: -1}
	})
}

// forgetIndex clears the table's references to an index that goes.
func (c *Catalog) forgetIndex(oid OID) {
	r := c.relation(oid)
	if r == nil || r.Index == nil {
		return
	}
	t := c.relation(r.Index.Table)
	if t == nil || t.ClusterIndex != oid && t.ReplicaIndex != oid {
		return
	}
	c.editRelation(t.OID, func(t *Relation) {
		if t.ClusterIndex == oid {
			t.ClusterIndex = 0
		}
		if t.ReplicaIndex == oid {
			t.ReplicaIndex = 0
		}
	})
}
