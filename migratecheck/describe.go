package migratecheck

import (
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// isTable reports whether a relation holds rows that a service reads and writes, and outlives the session.
func isTable(r *catalog.Relation) bool {
	switch r.Kind {
	case catalog.Table, catalog.PartitionedTable, catalog.ForeignTable:
		return r.Persistence != catalog.Temporary
	}
	return false
}

// relation is the relation of a change or address, as it was before the statement, else as it is after.
func (s *Step) relation(oid catalog.OID) *catalog.Relation {
	if r, ok := s.Before.Get(oid).(*catalog.Relation); ok {
		return r
	}
	r, _ := s.After.Get(oid).(*catalog.Relation)
	return r
}

// sqlName is the name of an object as SQL has to write it, with its schema unless that is public.
func (s *Step) sqlName(oid catalog.OID) string {
	name := s.Before.NameOf(oid)
	if s.Before.Get(oid) == nil {
		name = s.After.NameOf(oid)
	}
	return sqlNameOf(name)
}

func sqlNameOf(n catalog.Name) string {
	if n.Schema == "" || n.Schema == "public" {
		return quoteIdent(n.Name)
	}
	return quoteIdent(n.Schema) + "." + quoteIdent(n.Name)
}

// columnNames lists columns by attribute number: "a, b".
func columnNames(r *catalog.Relation, nums []int) string {
	var names []string
	for _, n := range nums {
		if n >= 1 && n <= len(r.Columns) {
			names = append(names, quoteIdent(r.Columns[n-1].Name))
		}
	}
	return strings.Join(names, ", ")
}

// tableDropped reports whether the statement drops the whole relation, so that what goes with it needs no finding.
func (s *Step) tableDropped(oid catalog.OID) bool {
	for _, c := range s.Changes {
		if c.Op == catalog.Dropped && c.Old.ObjectID() == oid {
			return true
		}
	}
	return false
}

// typeNamed finds a type by schema and name.
func typeNamed(c *catalog.Catalog, n catalog.Name) *catalog.Type {
	for o := range c.All() {
		if t, ok := o.(*catalog.Type); ok && c.NameOf(t.OID) == n {
			return t
		}
	}
	return nil
}
