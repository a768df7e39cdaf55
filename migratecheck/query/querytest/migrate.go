package querytest

import (
	"fmt"
	"slices"
	"strings"
)

// migration makes up migrations of one kind: it changes the generator's model and returns the statements, nil when the schema
// has nothing that they could change.
type migration struct {
	rule string
	make func(g *gen) []string
	// likes are the makers of the queries that such a migration is likely to meet.
	likes string
}

// migrations lists the kinds; those that break much stand beside those that break nothing.
func migrations() []migration {
	const writes, enums = "insert upsert update copy merge insert-select", "cast insert update upsert select"
	return []migration{
		{"drop-table", dropTable, ""}, {"rename-table", renameTable, ""}, {"rename-table", replaceTable, ""}, {"rename-table", viewInstead, "truncate copy merge upsert group"},
		{"drop-column", dropColumn, "positional"}, {"rename-column", renameColumn, ""}, {"reuse-column-name", reuseColumnName, ""},
		{"change-column-type", changeType, "insert update select copy"}, {"narrow-column-type", narrowType, writes},
		{"changed-values", convertValues, "select cast expression insert update copy cte"},
		{"add-required-column", addRequiredColumn, writes}, {"set-not-null", setNotNull, writes}, {"drop-not-null", dropNotNull, "select star join cte"},
		{"drop-default", dropDefault, "insert upsert"}, {"add-check", addCheck, writes}, {"add-unique", addUnique, writes}, {"add-foreign-key", addForeignKey, writes + " truncate delete"},
		{"add-exclusion", addExclusion, writes}, {"drop-unique", dropUnique, "upsert name"}, {"drop-constraint", dropKey, "upsert group"}, {"rename-constraint", renameConstraint, "upsert name"}, {"rename-index", renameIndex, "upsert name"},
		{"rename-enum-value", renameEnumValue, enums}, {"add-enum-value", addEnumValue, enums}, {"drop-type", dropType, enums},
		{"drop-view", dropView, "view"}, {"rename-view", renameView, "view"}, {"replace-view", replaceView, "view"}, {"replace-view", distinctView, "view"},
		{"drop-function", dropFunction, "call"}, {"change-function", changeFunction, "call"},
		{"rename-schema", renameSchema, ""}, {"drop-schema", dropSchema, ""}, {"drop-sequence", dropSequence, "sequence"},
		{"generated-column", computeColumn, writes}, {"generated-column", identityAlways, "insert upsert"}, {"revoke", revoke, ""}, {"add-trigger", addTrigger, writes}, {"enable-rls", enableRLS, writes},
		{"widen-select-star", addColumn, "star join lateral positional"}, {"harmless", harmless, ""},
	}
}

func (g *gen) focusOn(names ...string) {
	for _, n := range names {
		g.m.focus[n] = true
	}
}

// target is a table for a migration, and the focus of the queries.
func (g *gen) target() *table {
	t := pick(g, g.m.tables...)
	g.focusOn(t.name)
	return t
}

// targetCol is a column for a migration, in a table that has one.
func (g *gen) targetCol(fits func(*col) bool) (*table, *col) {
	tables := slices.Clone(g.m.tables)
	g.rng.Shuffle(len(tables), func(i, j int) { tables[i], tables[j] = tables[j], tables[i] })
	for _, t := range tables {
		if c := g.anyCol(t, fits); c != nil {
			g.focusOn(t.name, c.name)
			return t, c
		}
	}
	return nil, nil
}

func alter(t *table, format string, args ...any) []string {
	return []string{"ALTER TABLE " + t.sql() + " " + fmt.Sprintf(format, args...)}
}

// forget takes what depends on the table (or, with a column, on that) out of the model, as CASCADE does.
func (g *gen) forget(t *table, column string) {
	m := g.m
	m.views = slices.DeleteFunc(m.views, func(v *view) bool {
		return v.table == t && (column == "" || slices.ContainsFunc(v.cols, func(c *col) bool { return c.name == column }) || strings.Contains(v.where, quote(column)))
	})
	t.uniques = slices.DeleteFunc(t.uniques, func(u *unique) bool { return slices.Contains(u.cols, column) })
	for _, other := range m.tables {
		for _, c := range other.cols {
			if c.ref == t && (column == "" || column == "id") {
				c.ref = nil
			}
		}
	}
}
