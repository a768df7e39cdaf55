package migratecheck

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/lockmode"
)

// held is what a transaction has done so far, as far as a rule asks about it at a later statement. It grows with the
// objects concerned and not with the statements, so that a file of some 100,000 INSERTs takes time in proportion.
type held struct {
	exclusive []heldLock // tables in use under an AccessExclusiveLock, each once, in order
	locked    map[catalog.OID]bool
	start     *catalog.Catalog      // the schema on which it began
	labels    []string              // added to enums that were there, by their names of now
	scanned   map[catalog.OID]*Step // the first ALTER TABLE that reads or rewrites the table
	notValid  map[constraintKey]bool
	failed    bool // a statement was refused, the rest does not run
}

type heldLock struct {
	table catalog.OID
	step  *Step // that took it
}

type constraintKey struct {
	table catalog.OID
	name  string
}

// note takes in a step that was judged.
func (h *held) note(s *Step) {
	if h.start == nil {
		h.start = s.Before
	}
	if s.Err != nil && s.Err.Code != catalog.NotUnderstood {
		h.failed = true
	}
	for _, l := range s.closes() {
		if !h.locked[l.table] {
			h.exclusive = append(h.exclusive, l)
			mark(&h.locked, l.table)
		}
	}
	if s.Stmt.Node.GetAlterTableStmt() != nil {
		if table := s.slowTable(); table != 0 && h.scanned[table] == nil {
			if h.scanned == nil {
				h.scanned = map[catalog.OID]*Step{}
			}
			h.scanned[table] = s
		}
	}
	for _, c := range s.Changes {
		switch o := c.Object().(type) {
		case *catalog.Type:
			h.noteType(c, o)
		case *catalog.Constraint:
			if c.Op == catalog.Created && !o.Valid && !s.IsNew(o.Table) {
				mark(&h.notValid, constraintKey{o.Table, o.Name})
			}
		}
	}
}

// closes lists the tables in use on which the step takes an AccessExclusiveLock.
func (s *Step) closes() []heldLock {
	var list []heldLock
	for _, l := range s.Lock.Locks {
		if l.Mode != lockmode.AccessExclusive {
			continue
		}
		if rel := s.relation(l.Relation); rel != nil && isTable(rel) && !s.IsNew(l.Relation) {
			list = append(list, heldLock{l.Relation, s})
		}
	}
	return list
}

func (h *held) noteType(c catalog.Change, typ *catalog.Type) {
	old, ok := c.Old.(*catalog.Type)
	if !ok || c.New == nil || typ.Kind != catalog.EnumType || len(typ.Labels) < len(old.Labels) {
		return
	}
	for i, l := range typ.Labels {
		switch {
		case slices.Contains(old.Labels, l):
		case len(typ.Labels) > len(old.Labels):
			h.labels = append(h.labels, l)
		default: // renamed
			if at := slices.Index(h.labels, old.Labels[i]); at >= 0 {
				h.labels[at] = l
			}
		}
	}
}

func mark[K comparable](set *map[K]bool, key K) {
	if *set == nil {
		*set = map[K]bool{}
	}
	(*set)[key] = true
}

// heldExclusive lists the tables in use that earlier statements of the transaction have closed to everybody and that
// are still there: nobody waits for a table that is gone.
func (s *Step) heldExclusive() []heldLock {
	if !s.Tx.Explicit {
		return nil
	}
	var list []heldLock
	for _, l := range s.Tx.held.exclusive {
		if _, there := s.After.Get(l.table).(*catalog.Relation); there && !s.IsNew(l.table) {
			list = append(list, l)
		}
	}
	return list
}

// exclusiveBefore is the first of heldExclusive, 0 for none.
func (s *Step) exclusiveBefore() catalog.OID {
	if list := s.heldExclusive(); len(list) > 0 {
		return list[0].table
	}
	return 0
}

// validates lists the constraints that ALTER TABLE … VALIDATE CONSTRAINT names.
func validates(a *pgast.AlterTableStmt) []string {
	var names []string
	for _, n := range a.GetCmds() {
		if c := n.GetAlterTableCmd(); c.GetSubtype() == pgast.AlterTableType_AT_ValidateConstraint {
			names = append(names, c.Name)
		}
	}
	return names
}
