package compat

import (
	"path"
	"strconv"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source"
)

// state is a schema that code can meet.
type state struct {
	name    string
	cat     *catalog.Catalog
	version int64 // as migratecheck/gate counts; 0 when the tool's versions are no numbers
}

// states are the schema that is released, and the one after each pending migration.
func states(t *migratecheck.Timeline) []state {
	first := state{name: "today's schema", cat: t.Base, version: number(t.Released)}
	if len(t.Pending) > 0 {
		first.name = "before " + path.Base(t.Pending[0].Migration.File)
	}
	list := []state{first}
	for _, f := range t.Pending {
		list = append(list, state{"after " + path.Base(f.Migration.File), f.After, number(f.Migration)})
	}
	return list
}

// number is a migration's version as a number, 0 when it is none.
func number(m *source.Migration) int64 {
	if m == nil {
		return 0
	}
	n, err := strconv.ParseInt(strings.TrimPrefix(m.Version, "V"), 10, 64)
	if err != nil {
		return 0
	}
	return n
}
