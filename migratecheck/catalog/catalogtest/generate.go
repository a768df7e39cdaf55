package catalogtest

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// Generator makes up DDL. It looks at the catalog that its statements have made so far, so that most of them are valid;
// names come from small pools, so that they collide, refer to each other and sometimes to nothing.
type Generator struct {
	rng *rand.Rand
	cat *catalog.Catalog
}

// NewGenerator returns a Generator; equal seeds make equal statements, as long as the catalog answers the same.
func NewGenerator(seed uint64, cat *catalog.Catalog) *Generator {
	return &Generator{rng: rand.New(rand.NewPCG(seed, 0)), cat: cat}
}

// Statement makes up the next statement.
func (g *Generator) Statement() string {
	makers := []struct {
		weight int
		make   func() string
	}{
		{14, g.createTable}, {26, g.alterTable}, {8, g.createIndex}, {10, g.createView}, {8, g.rename},
		{9, g.drop}, {6, g.createType}, {5, g.alterType}, {5, g.createFunction}, {4, g.createTrigger},
		{4, g.partition}, {3, g.setSchema}, {3, g.sequence}, {3, g.comment}, {2, g.grant}, {2, g.schema}, {2, g.policy},
		{4, g.transaction}, {2, g.searchPath}, {2, g.doBlock}, {2, g.rule},
	}
	total := 0
	for _, m := range makers {
		total += m.weight
	}
	n := g.rng.IntN(total)
	for _, m := range makers {
		if n -= m.weight; n < 0 {
			return m.make()
		}
	}
	return ""
}

func (g *Generator) chance(percent int) bool { return g.rng.IntN(100) < percent }

func (g *Generator) pick(list ...string) string { return list[g.rng.IntN(len(list))] }

// maybe returns s or nothing.
func (g *Generator) maybe(percent int, s string) string {
	if g.chance(percent) {
		return s
	}
	return ""
}

const longName = "a_rather_long_name_that_will_need_to_be_cut_when_more_is_added"

func (g *Generator) tableName() string {
	return g.pick("t", "u", "w", "x", "items", `"user"`, `"Mixed Case"`, longName, "t_a")
}

func (g *Generator) columnName() string {
	return g.pick("a", "b", "c", "d", "e", "id", "name", `"order"`, "a_column_with_a_long_name_of_its_own")
}

func (g *Generator) schemaName() string { return g.pick("s1", "s2", "public") }

// objects lists the SQL names of the objects that match.
func (g *Generator) objects(match func(catalog.Object) bool) []string {
	var names []string
	for o := range g.cat.All() {
		if o.ObjectID() < catalog.FirstUserOID || !match(o) {
			continue
		}
		name := quote(o.ObjectName())
		if s, ok := g.cat.Get(o.ObjectSchema()).(*catalog.Schema); ok {
			if s.Name == "pg_catalog" || s.Name == "information_schema" {
				continue
			}
			if s.Name != "public" || g.chance(10) {
				name = quote(s.Name) + "." + name
			}
		}
		names = append(names, name)
	}
	return names
}

func (g *Generator) oneOf(names []string) string {
	if len(names) == 0 || g.chance(2) {
		return "nothing"
	}
	return g.pick(names...)
}

func (g *Generator) relation(kinds ...catalog.RelKind) string {
	return g.oneOf(g.objects(func(o catalog.Object) bool {
		r, ok := o.(*catalog.Relation)
		return ok && strings.ContainsRune(kindSet(kinds), rune(r.Kind))
	}))
}

func kindSet(kinds []catalog.RelKind) string {
	var b strings.Builder
	for _, k := range kinds {
		b.WriteByte(byte(k))
	}
	return b.String()
}

func (g *Generator) table() string { return g.relation(catalog.Table, catalog.PartitionedTable) }

// lookup finds a relation by the SQL name that objects gave it.
func (g *Generator) lookup(name string) *catalog.Relation {
	schema, rest, qualified := strings.Cut(name, `"."`)
	if !qualified {
		return g.cat.Relation("", unquote(name))
	}
	return g.cat.Relation(unquote(schema+`"`), unquote(`"`+rest))
}

// column is a column of the relation, most of the time.
func (g *Generator) column(table string) string {
	r := g.lookup(table)
	if r == nil || g.chance(3) {
		return g.columnName()
	}
	var names []string
	for _, c := range r.Columns {
		if !c.Dropped {
			names = append(names, quote(c.Name))
		}
	}
	if len(names) == 0 {
		return g.columnName()
	}
	return g.pick(names...)
}

// typed is a column of the relation with one of the types, and whether there is one.
func (g *Generator) typed(table string, oids ...catalog.OID) (string, bool) {
	var names []string
	if r := g.lookup(table); r != nil {
		for _, c := range r.Columns {
			for _, oid := range oids {
				if !c.Dropped && c.Type.OID == oid && !c.Type.Array {
					names = append(names, quote(c.Name))
				}
			}
		}
	}
	if len(names) == 0 {
		return "nothing", false
	}
	return g.pick(names...), true
}

const (
	int4OID, int8OID, textOID, varcharOID = 23, 20, 25, 1043 // src/include/catalog/pg_type.dat
)

func (g *Generator) typeName() string {
	if g.chance(15) {
		return g.oneOf(g.userTypes()) + g.maybe(15, "[]")
	}
	return g.pick("int", "int", "int", "bigint", "text", "text", "varchar(10)", "varchar", "numeric(10,2)", "boolean", "timestamptz", "date", "jsonb",
		"int[]", "uuid", "smallint", "timestamp", "char(3)", "double precision", "bytea")
}

func (g *Generator) userTypes() []string {
	return g.objects(func(o catalog.Object) bool {
		t, ok := o.(*catalog.Type)
		return ok && (t.Kind == catalog.EnumType || t.Kind == catalog.DomainType || t.Kind == catalog.CompositeType)
	})
}

// condition is a boolean expression over a table's columns.
func (g *Generator) condition(table string) string {
	if c, ok := g.typed(table, int4OID, int8OID); ok && g.chance(60) {
		return fmt.Sprintf(g.pick("%s > 0", "%s BETWEEN 1 AND 10", "%s IN (1, 2, 3)", "%s <> 5 AND true", "abs(%s) < 100"), c)
	}
	if c, ok := g.typed(table, textOID, varcharOID); ok && g.chance(60) {
		return fmt.Sprintf(g.pick("%s <> ''", "length(%s) < 100", "%s LIKE 'a%%'", "lower(%[1]s) = %[1]s", "%s ~ '^a'"), c)
	}
	return g.column(table) + g.pick(" IS NOT NULL", " IS NULL OR true")
}

// value is an expression over a table's columns.
func (g *Generator) value(table string) string {
	if c, ok := g.typed(table, int4OID, int8OID); ok && g.chance(50) {
		return fmt.Sprintf(g.pick("%s + 1", "-%s", "abs(%s)", "%s * 2"), c)
	}
	if c, ok := g.typed(table, textOID); ok && g.chance(60) {
		return fmt.Sprintf(g.pick("lower(%s)", "%s || 'x'", "coalesce(%s, 'none')"), c)
	}
	return g.column(table) + "::text"
}

func (g *Generator) columnDef(name string) string {
	if g.chance(8) {
		return name + g.pick(" serial", " bigserial", " int GENERATED ALWAYS AS IDENTITY", " bigint GENERATED BY DEFAULT AS IDENTITY (START 10)") + g.maybe(30, " PRIMARY KEY")
	}
	typ := g.typeName()
	def := name + " " + typ
	if d := g.defaultFor(typ); d != "" && g.chance(30) {
		def += " DEFAULT " + d
	}
	def += g.maybe(15, " NOT NULL") + g.maybe(8, " UNIQUE") + g.maybe(5, " PRIMARY KEY")
	if typ == "int" {
		def += g.maybe(15, " CHECK ("+name+" > 0)")
		if g.chance(10) {
			def += " REFERENCES " + g.table() + g.pick("", " ON DELETE CASCADE", " ON DELETE SET NULL DEFERRABLE", " ON UPDATE CASCADE")
		}
	}
	return def
}

func (g *Generator) defaultFor(typ string) string {
	return map[string]string{
		"int": g.pick("1", "0", "-1", "1 + 2", "length('abc')"), "bigint": "5", "text": g.pick("'x'", "current_user", "md5('a')"),
		"varchar(10)": "'abc'", "varchar": "'v'", "numeric(10,2)": g.pick("0", "1.5"), "boolean": g.pick("true", "'f'"),
		"timestamptz": g.pick("now()", "current_timestamp", "clock_timestamp()"), "date": g.pick("current_date", "'2020-01-02'"), "jsonb": "'{}'",
		"int[]": g.pick("'{}'", "ARRAY[1, 2]"), "uuid": "gen_random_uuid()", "double precision": "random()", "smallint": "3", "timestamp": "now()",
	}[typ]
}
