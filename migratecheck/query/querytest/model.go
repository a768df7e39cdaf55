package querytest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// model is the schema that queries are made up for. It is kept apart from package catalog, which is among the things that
// are proved here.
type model struct {
	tables []*table
	enums  []*enum
	views  []*view
	funcs  []*function
	seqs   []string
	// focus are the names that the migration is about: queries are made to meet them.
	focus map[string]bool
	// known are texts that code knows values by, in columns of these names.
	known map[string][]string
}

type table struct {
	schema, name string
	cols         []*col
	uniques      []*unique
	checks       []string // as ALTER TABLE … ADD takes them
}

type col struct {
	name    string
	typ     string // as SQL writes it
	enum    *enum
	notNull bool
	def     string
	auto    string // "serial", "always", "default": the server numbers it
	ref     *table // its foreign key refers to id of
	key     bool   // PRIMARY KEY
	// computed: GENERATED … STORED.
	computed bool
}

type unique struct {
	name  string
	cols  []string
	index bool // a unique index that is no constraint
	where string
}

type enum struct {
	name   string
	labels []string
}

type view struct {
	name  string
	table *table
	cols  []*col // of the table, under the names they have in the view
	names []string
	where string
	fixed bool // it cannot be written to
}

type function struct {
	name string
	args int // of type int
	body string
}

func (t *table) sql() string {
	if t.schema != "" {
		return t.schema + "." + quote(t.name)
	}
	return quote(t.name)
}

func quote(name string) string {
	if name == "user" || name == "order" || strings.ToLower(name) != name {
		return `"` + name + `"`
	}
	return name
}

func (t *table) col(name string) *col {
	i := slices.IndexFunc(t.cols, func(c *col) bool { return c.name == name })
	if i < 0 {
		return nil
	}
	return t.cols[i]
}

func (t *table) drop(name string) {
	t.cols = slices.DeleteFunc(t.cols, func(c *col) bool { return c.name == name })
}

// clone copies the model, so that a migration can change the copy.
func (m *model) clone() *model {
	c := &model{seqs: slices.Clone(m.seqs), focus: map[string]bool{}, known: maps.Clone(m.known)}
	enums := map[*enum]*enum{nil: nil}
	for _, e := range m.enums {
		enums[e] = &enum{e.name, slices.Clone(e.labels)}
		c.enums = append(c.enums, enums[e])
	}
	tables, cols := map[*table]*table{nil: nil}, map[*col]*col{}
	for _, t := range m.tables {
		n := &table{schema: t.schema, name: t.name, checks: slices.Clone(t.checks)}
		for _, k := range t.cols {
			copied := *k
			copied.enum = enums[k.enum]
			cols[k] = &copied
			n.cols = append(n.cols, &copied)
		}
		for _, u := range t.uniques {
			n.uniques = append(n.uniques, &unique{u.name, slices.Clone(u.cols), u.index, u.where})
		}
		tables[t] = n
		c.tables = append(c.tables, n)
	}
	for _, k := range cols {
		k.ref = tables[k.ref]
	}
	for _, v := range m.views {
		n := &view{name: v.name, table: tables[v.table], names: slices.Clone(v.names), where: v.where, fixed: v.fixed}
		for _, k := range v.cols {
			n.cols = append(n.cols, cols[k])
		}
		c.views = append(c.views, n)
	}
	for _, f := range m.funcs {
		copied := *f
		c.funcs = append(c.funcs, &copied)
	}
	return c
}

// role is whom the queries run as; the schema belongs to another.
const role = "srhtvet_app"

// script is the schema as SQL, a statement each.
func (m *model) script() []string {
	list := []string{
		"ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO " + role,
		"ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO " + role,
		"ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO " + role,
	}
	for _, t := range m.tables {
		if s := "CREATE SCHEMA " + t.schema; t.schema != "" && !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	for _, e := range m.enums {
		list = append(list, fmt.Sprintf("CREATE TYPE %s AS ENUM ('%s')", e.name, strings.Join(e.labels, "', '")))
	}
	for _, s := range m.seqs {
		list = append(list, "CREATE SEQUENCE "+s)
	}
	for _, t := range m.tables {
		list = append(list, t.create()...)
	}
	for _, f := range m.funcs {
		list = append(list, f.create())
	}
	for _, v := range m.views {
		list = append(list, v.create("CREATE VIEW "))
	}
	return list
}

func (f *function) create() string {
	return fmt.Sprintf("CREATE FUNCTION %s(%s) RETURNS int LANGUAGE sql IMMUTABLE AS $$ %s $$", f.name, f.types(), f.body)
}

func (f *function) types() string { return strings.TrimSuffix(strings.Repeat("int, ", f.args), ", ") }

func (v *view) create(head string) string {
	var cols []string
	for i, c := range v.cols {
		s := quote(c.name)
		if c.name != v.names[i] {
			s += " AS " + quote(v.names[i])
		}
		cols = append(cols, s)
	}
	s := head + quote(v.name) + " AS SELECT " + strings.Join(cols, ", ") + " FROM " + v.table.sql()
	if v.where != "" {
		s += " WHERE " + v.where
	}
	return s
}

func (c *col) definition() string {
	switch c.auto {
	case "serial":
		s := quote(c.name) + " serial"
		if c.typ == "bigint" {
			s = quote(c.name) + " bigserial"
		}
		return s + c.primary()
	case "always":
		return quote(c.name) + " " + c.typ + " GENERATED ALWAYS AS IDENTITY" + c.primary()
	case "default":
		return quote(c.name) + " " + c.typ + " GENERATED BY DEFAULT AS IDENTITY" + c.primary()
	}
	s := quote(c.name) + " " + c.typ
	if c.def != "" {
		s += " DEFAULT " + c.def
	}
	if c.notNull && !c.key {
		s += " NOT NULL"
	}
	if c.ref != nil {
		s += " REFERENCES " + c.ref.sql()
	}
	return s + c.primary()
}

func (c *col) primary() string {
	if c.key {
		return " PRIMARY KEY"
	}
	return ""
}

func (t *table) create() []string {
	var parts []string
	for _, c := range t.cols {
		parts = append(parts, c.definition())
	}
	var after []string
	for _, u := range t.uniques {
		if u.index {
			after = append(after, u.create(t))
		} else {
			parts = append(parts, "CONSTRAINT "+u.name+" UNIQUE ("+strings.Join(quoteAll(u.cols), ", ")+")")
		}
	}
	parts = append(parts, t.checks...)
	return append([]string{"CREATE TABLE " + t.sql() + " (" + strings.Join(parts, ", ") + ")"}, after...)
}

func (u *unique) create(t *table) string {
	s := "CREATE UNIQUE INDEX " + u.name + " ON " + t.sql() + " (" + strings.Join(quoteAll(u.cols), ", ") + ")"
	if u.where != "" {
		s += " WHERE " + u.where
	}
	return s
}

func quoteAll(names []string) []string {
	var list []string
	for _, n := range names {
		list = append(list, quote(n))
	}
	return list
}
