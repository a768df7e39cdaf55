package querytest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
)

// Case is one schema, one pending migration and queries of code written for the schema before it or after it.
type Case struct {
	Seed uint64
	// Rule is the id of the lint rule that tells of such migrations; for those that none is about, "harmless".
	Rule      string
	Schema    []string
	Migration []string
	Queries   []Query
}

// Query is a query and the schema that its code was written for.
type Query struct {
	SQL string
	// Name is that of a constraint which code compares, and then there is no SQL.
	Name string
	// ByName: the code finds the columns of the result by name.
	ByName bool
	// New: it was written for the schema after the migration.
	New   bool
	Maker string // what made it up, for figures
	Args  []query.GoType
	// Known are the texts that the code tells apart in columns of a result, by their names.
	Known map[string][]string
}

type gen struct {
	rng   *rand.Rand
	m     *model
	likes []string // makers of queries
	// knew is what code of the schema before the migration knows, where that is not what code of the schema after it does: see model.known.
	knew map[string][]string
}

// Generate makes up the case of a seed: equal seeds make equal cases.
func Generate(seed uint64) Case {
	kinds := migrations()
	return generate(seed, kinds[seed%uint64(len(kinds))])
}

// GenerateRule makes up a case of one rule's migrations.
func GenerateRule(seed uint64, rule string) Case {
	var kinds []migration
	for _, k := range migrations() {
		if k.rule == rule {
			kinds = append(kinds, k)
		}
	}
	if len(kinds) == 0 {
		panic("querytest: no migration of kind " + rule)
	}
	return generate(seed, kinds[seed%uint64(len(kinds))])
}

// Rules lists the kinds of migrations, sorted.
func Rules() []string {
	var list []string
	for _, k := range migrations() {
		list = append(list, k.rule)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

const queriesEach = 12

func generate(seed uint64, kind migration) Case {
	rng := rand.New(rand.NewPCG(seed, 3))
	for {
		g := &gen{rng: rng, m: &model{focus: map[string]bool{}}, likes: strings.Fields(kind.likes)}
		g.schema()
		before := g.m
		g.m = before.clone()
		script := kind.make(g)
		if script == nil {
			continue // this schema has nothing for it
		}
		after := g.m
		before.focus, before.known = after.focus, g.knew
		c := Case{Seed: seed, Rule: kind.rule, Schema: before.script(), Migration: script}
		for i := range queriesEach {
			g.m = before
			q := Query{New: i%3 == 2}
			if q.New {
				g.m = after
			}
			if len(g.m.tables) > 0 {
				g.query(&q)
				if g.chance(60) {
					q.Known = g.m.known
				}
				c.Queries = append(c.Queries, q)
			}
		}
		c.routines(seed, before)
		return c
	}
}

func (g *gen) chance(percent int) bool { return g.rng.IntN(100) < percent }

func (g *gen) maybe(percent int, s string) string {
	if g.chance(percent) {
		return s
	}
	return ""
}

func pick[T any](g *gen, list ...T) T { return list[g.rng.IntN(len(list))] }

func types() []string {
	return []string{"int", "int", "int", "bigint", "smallint", "text", "text", "text", "varchar(20)", "boolean", "timestamptz", "date", "numeric(8,2)", "uuid", "jsonb", "text[]", "int[]", "double precision", "enum", "enum", "bytea"}
}

func columnNames() []string {
	return []string{"a", "b", "c", "d", "name", "kind", "state", "title", "created", "amount", "order", "note", "Mixed"}
}

// schema makes up two to four tables and what goes with them.
func (g *gen) schema() {
	m := g.m
	for i := range 1 + g.rng.IntN(2) {
		m.enums = append(m.enums, &enum{name: fmt.Sprintf("mood%d", i), labels: []string{"red", "green", "blue", "old"}[:2+g.rng.IntN(3)]})
	}
	if g.chance(60) {
		m.seqs = append(m.seqs, "ticket")
	}
	names := []string{"user", "item", "tag", "event", "job"}
	g.rng.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	for i := range 2 + g.rng.IntN(3) {
		t := &table{name: names[i], schema: g.maybe(12, "app")}
		g.table(t)
		m.tables = append(m.tables, t)
	}
	if g.chance(70) {
		m.funcs = append(m.funcs, &function{name: "fn", args: 1 + g.rng.IntN(2), body: "SELECT $1 + 1"})
	}
	if g.chance(70) {
		g.view("v")
	}
}

func (g *gen) table(t *table) {
	id := &col{name: "id", typ: pick(g, "int", "int", "bigint"), key: true, notNull: true, auto: pick(g, "serial", "serial", "always", "default", "")}
	if id.auto == "" && g.chance(50) {
		id.typ, id.def = "uuid", "gen_random_uuid()"
	}
	t.cols = append(t.cols, id)
	names := columnNames()
	g.rng.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	for i := range 2 + g.rng.IntN(4) {
		t.cols = append(t.cols, g.column(names[i]))
	}
	if len(g.m.tables) > 0 && g.chance(60) {
		parent := pick(g, g.m.tables...)
		t.cols = append(t.cols, &col{name: parent.name + "_id", typ: parent.col("id").typ, ref: parent, notNull: g.chance(50)})
	}
	for i := range g.rng.IntN(3) {
		g.unique(t, fmt.Sprintf("%s_u%d", t.name, i))
	}
	if g.chance(30) {
		if c := g.anyCol(t, isNumber); c != nil {
			t.checks = append(t.checks, fmt.Sprintf("CONSTRAINT %s_check0 CHECK (%s < 100000000)", t.name, quote(c.name)))
		}
	}
}

func (g *gen) unique(t *table, name string) *unique {
	c := g.anyCol(t, func(c *col) bool { return plain(c) && isKeyable(c) })
	if c == nil {
		return nil
	}
	u := &unique{name: name, cols: []string{c.name}, index: g.chance(35)}
	if d := g.anyCol(t, func(d *col) bool { return plain(d) && isKeyable(d) && d != c }); d != nil && g.chance(30) {
		u.cols = append(u.cols, d.name)
	}
	if u.index && g.chance(30) {
		u.where = quote(c.name) + " IS NOT NULL"
	}
	t.uniques = append(t.uniques, u)
	return u
}

func (g *gen) column(name string) *col {
	c := &col{name: name, typ: pick(g, types()...), notNull: g.chance(45)}
	if c.typ == "enum" {
		c.enum = pick(g, g.m.enums...)
		c.typ = c.enum.name
	}
	if g.chance(35) {
		c.def = g.literal(c)
	}
	return c
}

func (g *gen) view(name string) {
	t := pick(g, g.m.tables...)
	v := &view{name: name, table: t}
	for _, c := range t.cols {
		if c.key || g.chance(70) {
			v.cols = append(v.cols, c)
			n := c.name
			if g.chance(10) {
				n = "v_" + n
			}
			v.names = append(v.names, n)
		}
	}
	if c := g.anyCol(t, isNumber); c != nil && g.chance(30) {
		v.where = quote(c.name) + " > -1000"
	}
	g.m.views = append(g.m.views, v)
}

// anyCol is a column that fits, nil when there is none.
func (g *gen) anyCol(t *table, fits func(*col) bool) *col {
	var list []*col
	for _, c := range t.cols {
		if fits == nil || fits(c) {
			list = append(list, c)
			if g.m.focus[c.name] {
				list = append(list, c, c, c, c)
			}
		}
	}
	if len(list) == 0 {
		return nil
	}
	return pick(g, list...)
}

// family is the type without its length.
func (c *col) family() string {
	if c.enum != nil {
		return "enum"
	}
	name, _, _ := strings.Cut(c.typ, "(")
	return name
}

func isNumber(c *col) bool { return slices.Contains([]string{"int", "bigint", "smallint"}, c.family()) }

func isText(c *col) bool { return slices.Contains([]string{"text", "varchar"}, c.family()) }

// isKeyable: it can be in a btree index, and its values are easily told apart.
func isKeyable(c *col) bool {
	return isNumber(c) || isText(c) || c.typ == "uuid" || c.typ == "date" || c.typ == "timestamptz"
}

// plain: no key, no foreign key, nothing the server fills in.
func plain(c *col) bool { return !c.key && c.ref == nil && c.auto == "" && !c.computed }

// literal is a constant of the column's type.
func (g *gen) literal(c *col) string {
	if c.enum != nil {
		return "'" + pick(g, c.enum.labels...) + "'"
	}
	if known := g.m.known[c.name]; known != nil && isText(c) {
		return "'" + pick(g, known...) + "'"
	}
	switch c.family() {
	case "int", "bigint", "smallint":
		return pick(g, "66", "66", "42", "0", "-3") // no row that package verify makes has such a key
	case "text", "varchar":
		return pick(g, "'x'", "'hello'", "''")
	case "boolean":
		return pick(g, "true", "false")
	case "timestamptz":
		return pick(g, "clock_timestamp()", "'2026-01-01 00:00:00+00'")
	case "date":
		return pick(g, "current_date", "'2026-01-01'")
	case "numeric":
		return pick(g, "1.5", "0", "10")
	case "uuid":
		return pick(g, "gen_random_uuid()", "'00000000-0000-4000-8000-0000000000aa'")
	case "jsonb":
		return pick(g, `'{"a": 1}'`, "'[]'")
	case "text[]":
		return pick(g, "'{a,b}'", "ARRAY['x']")
	case "int[]":
		return pick(g, "'{1,2}'", "ARRAY[3]")
	case "double precision":
		return pick(g, "0.5", "2")
	case "bytea":
		return `'\x00'`
	}
	return "NULL"
}
