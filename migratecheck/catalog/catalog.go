// Package catalog holds a PostgreSQL schema as a value and applies DDL to it, as the server would: with its implicit
// names, its dependencies (CASCADE, RESTRICT), its errors. It knows no lint rules, and no server is asked.
//
// The model is PostgreSQL's own: objects have OIDs that survive renames, and one dependency table (pg_depend) decides
// what a DROP takes along. Objects are immutable; applying a statement replaces the ones it changes. Clone is O(1), so
// a caller can keep the catalog before every statement and [Diff] it with the one after.
//
// The tests run the same scripts on a real server and compare object by object (see the catalogtest package).
package catalog

import (
	"iter"
	"slices"

	"github.com/tidwall/btree"
)

// Config says what kind of server and history a Catalog stands for. The zero value is PostgreSQL 15, complete.
type Config struct {
	// Version is the server's major version, 12 to 18; 0 means 15.
	Version int
	// Open means that the history does not begin at the beginning: an object that a statement refers to and nobody
	// created is assumed to exist.
	Open bool
}

// Catalog is the schema of one database. It is not safe for concurrent use; clones are independent of each other.
type Catalog struct {
	Version int
	Open    bool

	next    OID
	edit    *edit // marks what of objects, names and gone is this catalog's own; nil when all of it may be shared
	objects objectMap
	// names finds objects by schema and name, one namespace per name class as in PostgreSQL: relations (with
	// indexes, sequences), types, functions (key includes the argument types), schemas, extensions, …
	names nameIndex

	comments *btree.Map[uint64, string] // by Address.key
	grants   *btree.Map[uint64, []Grant]
	settings *btree.Map[string, string] // SET: search_path, check_function_bodies, …
	// initial are the settings that a session begins with; never written to (see EndSession).
	initial *btree.Map[string, string]
	// past is what statements have made of the values in a column, the latest, by Address.key.
	past *btree.Map[uint64, *conversion]
	// sharedRecords means that a clone may have the same comments, grants, settings and past: who changes them calls
	// ownRecords first. Few statements do, so that most clones need no copies, and Diff sees at once that they agree.
	sharedRecords bool

	// gone holds the name keys that something has had and lost, by a DROP or a RENAME: in an open catalog a name that was never
	// seen is assumed to exist, and one that was dropped is not.
	gone nameTrie
	made bool // a relation was created, whether it is still there or not

	creators []string // roles that ALTER DEFAULT PRIVILEGES was about (see defaultsAt)

	searchPath []OID // computed from settings and schemas; nil when it must be again

	log      *touched    // what was created, replaced or dropped, newest first (see Diff)
	tx       []savepoint // open transaction: the states to go back to, innermost last
	onCommit []OID       // temporary tables that go with the end of the transaction (ON COMMIT DROP)
	depth    int         // of statements applied inside functions and DO blocks
	wrapped  bool        // see Wrap
}

// touched is one entry of the log of changes. The log is shared by clones, so the entries between two catalogs of one
// history are what can differ between them.
type touched struct {
	oid     OID
	assumed Object // the object as it must have been all along, when it was not known before (open catalog)
	depth   int
	prev    *touched
}

// treeDegree keeps nodes small: every statement after a Clone copies the path it changes.
const treeDegree = 8

func newMap[K uint64 | string, V any]() *btree.Map[K, V] {
	return btree.NewMap[K, V](treeDegree)
}

// New returns a catalog with what a new database holds: schemas pg_catalog, information_schema and public.
func New(cfg Config) *Catalog {
	c := &Catalog{
		Version:  cfg.Version,
		Open:     cfg.Open,
		next:     FirstUserOID,
		objects:  objectMap{none: new(objectEntry)},
		names:    nameIndex{listed: newMap[string, OID]()},
		comments: newMap[uint64, string](),
		grants:   newMap[uint64, []Grant](),
		initial:  newMap[string, string](),
		past:     newMap[uint64, *conversion](),
	}
	c.settings, c.sharedRecords = c.initial, true
	if c.Version == 0 {
		c.Version = 15
	}
	c.addBuiltinSchemas()
	c.log = nil
	return c
}

// Clone returns an independent copy in constant time.
func (c *Catalog) Clone() *Catalog {
	if c.edit != nil || !c.sharedRecords { // a clone that others read already is not written to
		c.edit, c.sharedRecords = nil, true
	}
	d := *c
	d.tx = slices.Clip(c.tx)
	return &d
}

// own marks what is made or copied for this catalog alone.
func (c *Catalog) own() *edit {
	if c.edit == nil {
		c.edit = new(edit)
	}
	return c.edit
}

// ownRecords makes copies of the comments, grants and settings that are shared with a clone, so that they can be changed.
func (c *Catalog) ownRecords() {
	if c.sharedRecords {
		c.comments, c.grants, c.settings, c.past = copyShared(c.comments), copyShared(c.grants), copyShared(c.settings), copyShared(c.past)
		c.sharedRecords = false
	}
}

// copyShared copies a map without a write to it, which Map.Copy does: clones may be in use elsewhere meanwhile.
func copyShared[K uint64 | string, V any](m *btree.Map[K, V]) *btree.Map[K, V] {
	own := *m
	return own.Copy()
}

// restore makes c what saved (a clone of an earlier state, not used again) was. OIDs are never given twice, as in
// PostgreSQL: whoever kept a clone of the state that is undone can still tell its objects from later ones.
func (c *Catalog) restore(saved *Catalog) {
	next, depth := c.next, c.depth
	*c = *saved
	c.next, c.depth = next, depth
}

// touch records that an object was created, replaced or dropped, or something about it (comment, grants) has changed.
func (c *Catalog) touch(oid OID, assumed Object) {
	depth := 1
	if c.log != nil {
		depth += c.log.depth
	}
	c.log = &touched{oid: oid, assumed: assumed, depth: depth, prev: c.log}
}

// Get returns an object by OID, nil when there is none.
func (c *Catalog) Get(oid OID) Object {
	return c.objects.get(oid).object
}

// All yields every object in order of OID.
func (c *Catalog) All() iter.Seq[Object] {
	return c.objects.all()
}

// newOID takes the next number.
// NextOID is greater than the OID of every object that was made up to now.
func (c *Catalog) NextOID() OID { return c.next }

func (c *Catalog) newOID() OID {
	oid := c.next
	c.next++
	return oid
}

// put stores o, new or in place of its predecessor, and keeps the name and child indexes right.
func (c *Catalog) put(o Object) {
	oid := o.ObjectID()
	switch o := o.(type) {
	case *Constraint:
		if o.schema == 0 {
			c.setConstraintSchema(o)
		}
	case *Schema:
		c.searchPath = nil
	}
	entry := c.objects.own(c.own(), oid)
	old := entry.object
	entry.object = o
	replaced := old != nil
	if !replaced {
		c.defaultGrants(o)
		if rel, ok := o.(*Relation); ok && !rel.Assumed {
			c.made = true
		}
	}
	key := nameKeyOf(o)
	renamed := replaced && (nameKeyOf(old) != key || partKeyOf(old) != partKeyOf(o))
	if renamed {
		c.removeName(old)
	}
	if key.namespace != 0 && (renamed || !replaced) {
		c.names.add(c.own(), key, oid)
	}
	parents := parentsOf(o)
	if replaced {
		before := parentsOf(old)
		if slices.Equal(before, parents) {
			parents = nil
		} else {
			for _, p := range before {
				c.objects.own(c.own(), p).removeChild(oid)
			}
		}
	}
	for _, p := range parents {
		c.objects.own(c.own(), p).setChild(oid, roleOf(o, p))
	}
	c.touch(oid, nil)
}

// remove deletes the object and everything recorded about it; dependents are the caller's business (see drop).
func (c *Catalog) remove(oid OID) {
	old := c.Get(oid)
	if old == nil {
		return
	}
	c.removeName(old)
	for _, p := range parentsOf(old) {
		c.objects.own(c.own(), p).removeChild(oid)
	}
	if old.Class() == ClassSchema {
		c.searchPath = nil
	}
	c.objects.own(c.own(), oid).object = nil
	c.clearDeps(oid)
	c.clearAddress(oid)
	c.touch(oid, nil)
}

// removeName takes an object's name back, unless another has taken it over.
func (c *Catalog) removeName(o Object) {
	if name := nameKeyOf(o); name.namespace != 0 {
		c.names.remove(c.own(), name, o.ObjectID())
		c.gone.set(c.own(), name, o.ObjectID())
	} else if part := partKeyOf(o); part.namespace != 0 && c.Open {
		c.gone.set(c.own(), part, o.ObjectID())
	}
}

// childrenOf yields the objects that belong to parent, in order of creation.
func (c *Catalog) childrenOf(parent OID) iter.Seq[Object] { return c.childrenIn(parent, 0) }

// childrenIn is childrenOf for those in one role; 0 is any. The role is in the list, so that the others are not looked up.
func (c *Catalog) childrenIn(parent OID, role childRole) iter.Seq[Object] {
	return func(yield func(Object) bool) {
		for _, child := range c.objects.get(parent).children {
			if role != 0 && child.role != role {
				continue
			}
			if o := c.Get(child.oid); o != nil && !yield(o) {
				return
			}
		}
	}
}

// childRole is what an object is to its parent.
type childRole byte

const (
	roleConstraint childRole = iota + 1
	roleIndex
	roleInheritor
	roleTrigger
	roleRule
	rolePolicy
	roleOther
)

func roleOf(o Object, parent OID) childRole {
	switch o := o.(type) {
	case *Constraint:
		return roleConstraint
	case *Relation:
		switch {
		case o.Index != nil && o.Index.Table == parent:
			return roleIndex
		case slices.Contains(o.Inherits, parent):
			return roleInheritor
		}
	case *Trigger:
		return roleTrigger
	case *Rule:
		return roleRule
	case *Policy:
		return rolePolicy
	}
	return roleOther
}

// parentsOf lists the relations (or domain) that o belongs to; a foreign key belongs to both its tables.
func parentsOf(o Object) []OID {
	switch o := o.(type) {
	case *Relation:
		var parents []OID
		if o.Index != nil {
			parents = append(parents, o.Index.Table)
		}
		parents = append(parents, o.Inherits...)
		if o.Seq != nil && o.Seq.OwnedBy.OID != 0 {
			parents = append(parents, o.Seq.OwnedBy.OID)
		}
		return parents
	case *Constraint:
		if o.Table == 0 {
			return []OID{o.Domain}
		}
		if o.RefTable != 0 && o.RefTable != o.Table {
			return []OID{o.Table, o.RefTable}
		}
		return []OID{o.Table}
	case *Trigger:
		return []OID{o.Table}
	case *Rule:
		return []OID{o.Table}
	case *Policy:
		return []OID{o.Table}
	case *Other:
		if o.Table != 0 {
			return []OID{o.Table}
		}
	}
	return nil
}

// TableOf is the table or view that an object is, or is part of: an index's, a constraint's, a trigger's. It is 0 for anything else.
func TableOf(o Object) OID {
	switch o := o.(type) {
	case *Relation:
		if o.Index == nil {
			return o.OID
		}
		return o.Index.Table
	case *Constraint:
		return o.Table // 0 of a domain's
	case *Trigger, *Rule, *Policy:
		return parentsOf(o)[0]
	}
	return 0
}

// Constraints lists the constraints of a table or domain, in order of creation; foreign keys of other tables that refer
// to it are not among them (see ReferencedBy).
func (c *Catalog) Constraints(of OID) []*Constraint {
	var list []*Constraint
	for o := range c.childrenIn(of, roleConstraint) {
		if con, ok := o.(*Constraint); ok && (con.Table == of || con.Domain == of) {
			list = append(list, con)
		}
	}
	return list
}

// ReferencedBy lists the foreign keys that point at a table, its own to itself included.
func (c *Catalog) ReferencedBy(table OID) []*Constraint {
	var list []*Constraint
	for o := range c.childrenIn(table, roleConstraint) {
		if con, ok := o.(*Constraint); ok && con.RefTable == table {
			list = append(list, con)
		}
	}
	return list
}

// Indexes lists the indexes of a table, in order of creation.
func (c *Catalog) Indexes(table OID) []*Relation {
	var list []*Relation
	for o := range c.childrenIn(table, roleIndex) {
		if r, ok := o.(*Relation); ok && r.Index != nil && r.Index.Table == table {
			list = append(list, r)
		}
	}
	return list
}

// Inheritors lists the direct children of a table: partitions and inheriting tables (of an index: attached indexes).
func (c *Catalog) Inheritors(table OID) []*Relation {
	var list []*Relation
	for o := range c.childrenIn(table, roleInheritor) {
		if r, ok := o.(*Relation); ok {
			for _, p := range r.Inherits {
				if p == table {
					list = append(list, r)
				}
			}
		}
	}
	return list
}

// Triggers lists the triggers of a table by creation.
func (c *Catalog) Triggers(table OID) []*Trigger { return childrenAs[*Trigger](c, table, roleTrigger) }

// Rules lists the rewrite rules of a relation.
func (c *Catalog) Rules(table OID) []*Rule { return childrenAs[*Rule](c, table, roleRule) }

// Policies lists the row-security policies of a table.
func (c *Catalog) Policies(table OID) []*Policy { return childrenAs[*Policy](c, table, rolePolicy) }

func childrenAs[T Object](c *Catalog, parent OID, role childRole) []T {
	var list []T
	for o := range c.childrenIn(parent, role) {
		if t, ok := o.(T); ok {
			list = append(list, t)
		}
	}
	return list
}

// Name is a schema-qualified name as a person writes it.
type Name struct{ Schema, Name string }

// String leaves out the schema when it is public, as messages to people do.
func (n Name) String() string {
	if n.Schema == "" || n.Schema == "public" {
		return n.Name
	}
	return n.Schema + "." + n.Name
}

// NameOf returns the qualified name of an object; of a constraint, trigger, rule or policy the schema is empty.
func (c *Catalog) NameOf(oid OID) Name {
	o := c.Get(oid)
	if o == nil {
		return Name{}
	}
	n := Name{Name: o.ObjectName()}
	if s, ok := c.Get(o.ObjectSchema()).(*Schema); ok {
		n.Schema = s.Name
	}
	return n
}
