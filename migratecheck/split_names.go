package migratecheck

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// nameBytes is how much of a name the server keeps (NAMEDATALEN - 1, src/include/pg_config_manual.h).
const nameBytes = 63

// freeName is a name as it is wanted, cut to what the server keeps of it, and with a number behind it where it is taken: as
// ChooseRelationName does (src/backend/commands/indexcmds.c).
func freeName(want string, taken func(name string) bool) string {
	for n := 0; ; n++ {
		number := ""
		if n > 0 {
			number = strconv.Itoa(n)
		}
		cut := min(len(want), nameBytes-len(number))
		for cut < len(want) && !utf8.RuneStart(want[cut]) {
			cut--
		}
		if name := want[:cut] + number; !taken(name) {
			return name
		}
	}
}

// freeConstraint is a name for a constraint of a table, other than those given already.
func (s *Step) freeConstraint(table catalog.OID, want string, given map[string]bool) string {
	list := s.Before.Constraints(table)
	return freeName(want, func(name string) bool {
		return given[name] || slices.ContainsFunc(list, func(con *catalog.Constraint) bool { return con.Name == name })
	})
}

// freeIndex is a name for an index of a table, other than those given already.
func (s *Step) freeIndex(table catalog.OID, want string, given map[string]bool) string {
	schema := s.Before.NameOf(table).Schema
	return freeName(want, func(name string) bool { return given[name] || s.Before.Relation(schema, name) != nil })
}

// baseName is what a table is called behind a view that has its name. A table has a type of its name.
func (s *Step) baseName(name catalog.Name) catalog.Name {
	name.Name = freeName(name.Name+"_base", func(base string) bool {
		return s.Before.Relation(name.Schema, base) != nil || s.Before.TypeNamed(name.Schema, base) != nil
	})
	return name
}

// syncName is what the trigger that keeps two columns the same is called, and its function. It has to be the last that fires before a
// row is written, so that it sees what the others set; they fire in the order of their names (PostgreSQL 15 manual, CREATE
// TRIGGER, Notes). "" when there is no such name.
func (s *Step) syncName(rel *catalog.Relation, now *catalog.Column) string {
	taken, last := map[string]bool{}, ""
	for _, t := range s.Before.Triggers(rel.OID) {
		taken[t.Name] = true
		if t.Before && t.Row {
			last = max(last, t.Name)
		}
	}
	for o := range s.Before.All() {
		if f, ok := o.(*catalog.Func); ok {
			taken[f.Name] = true
		}
	}
	name := rel.Name + "_" + now.Name + "_sync"
	for _, want := range []string{name, "zz_" + name, last + "_sync"} {
		if free := freeName(want, func(name string) bool { return taken[name] }); free > last {
			return free
		}
	}
	return ""
}

// newName is what a constraint or index of the new column is called.
func newName(name, old, now string) string {
	if strings.Contains(name, old) {
		return strings.Replace(name, old, now, 1)
	}
	return name + "_" + now
}
