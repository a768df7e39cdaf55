package catalogtest

import (
	"fmt"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

func (g *Generator) qualified(name string) string {
	if g.chance(12) {
		return g.schemaName() + "." + name
	}
	return name
}

func (g *Generator) createTable() string {
	name := g.qualified(g.tableName())
	head := "CREATE " + g.pick("", "", "", "", "UNLOGGED ", "TEMP ") + "TABLE " + g.maybe(8, "IF NOT EXISTS ") + name
	switch n := g.rng.IntN(20); {
	case n < 2:
		return head + fmt.Sprintf(" (LIKE %s%s)", g.table(), g.pick("", " INCLUDING ALL", " INCLUDING DEFAULTS", " INCLUDING CONSTRAINTS INCLUDING INDEXES"))
	case n == 2:
		return fmt.Sprintf("CREATE TABLE %s (%s) INHERITS (%s)", name, g.columnDef(g.columnName()), g.relation(catalog.Table))
	case n == 3:
		t := g.table()
		return fmt.Sprintf("CREATE TABLE %s AS SELECT %s, %s AS e1 FROM %s", name, g.column(t), g.value(t), t)
	}
	var parts []string
	used := map[string]bool{}
	for range 1 + g.rng.IntN(5) {
		c := g.columnName()
		if used[c] && !g.chance(3) {
			continue
		}
		used[c] = true
		parts = append(parts, g.columnDef(c))
	}
	column := func() string {
		first, _, _ := strings.Cut(parts[g.rng.IntN(len(parts))], " ")
		if strings.HasPrefix(first, `"`) {
			first = `"order"`
		}
		return first
	}
	if g.chance(25) {
		parts = append(parts, g.pick("PRIMARY KEY", "UNIQUE", "CONSTRAINT named UNIQUE")+" ("+column()+")")
	}
	if g.chance(15) {
		parts = append(parts, fmt.Sprintf("UNIQUE (%s, %s)", column(), column()))
	}
	if g.chance(20) {
		parts = append(parts, fmt.Sprintf("%sCHECK (%s IS NOT NULL)", g.maybe(30, "CONSTRAINT chk "), column()))
	}
	tail := ""
	if g.chance(15) {
		tail = fmt.Sprintf(" PARTITION BY %s (%s)", g.pick("RANGE", "LIST", "HASH"), column())
	}
	return head + " (" + strings.Join(parts, ", ") + ")" + tail
}

func (g *Generator) alterTable() string {
	t := g.table()
	var cmds []string
	for range 1 + g.rng.IntN(3)*g.rng.IntN(2) {
		cmds = append(cmds, g.alterCommand(t))
	}
	return "ALTER TABLE " + g.maybe(4, "ONLY ") + t + " " + strings.Join(cmds, ", ")
}

func (g *Generator) alterCommand(t string) string {
	c := g.column(t)
	switch g.rng.IntN(24) {
	case 0, 1, 2, 3:
		return "ADD COLUMN " + g.maybe(10, "IF NOT EXISTS ") + g.columnDef(g.columnName())
	case 4, 5, 6:
		return "DROP COLUMN " + g.maybe(10, "IF EXISTS ") + c + g.maybe(40, " CASCADE")
	case 7:
		return "ALTER " + c + " SET NOT NULL"
	case 8:
		return "ALTER " + c + " DROP NOT NULL"
	case 9:
		if n, ok := g.typed(t, int4OID, int8OID); ok {
			return "ALTER " + n + " SET DEFAULT " + g.pick("7", "-1", "length('x')", "'12'")
		}
		return "ALTER " + c + " SET DEFAULT NULL"
	case 10:
		return "ALTER " + c + " DROP DEFAULT"
	case 11, 12:
		if n, ok := g.typed(t, int4OID); ok {
			return "ALTER " + n + " TYPE " + g.pick("bigint", "text", "numeric(12,2)", "smallint")
		}
		return "ALTER " + c + " TYPE " + g.pick("text", "varchar(20)", "bigint")
	case 13, 14:
		return "ADD " + g.maybe(30, "CONSTRAINT named ") + "CHECK (" + g.condition(t) + ")" + g.maybe(20, " NOT VALID")
	case 15:
		return "ADD " + g.maybe(20, "CONSTRAINT named ") + "UNIQUE (" + c + g.maybe(30, ", "+g.column(t)) + ")"
	case 16:
		return "ADD PRIMARY KEY (" + c + ")"
	case 17, 18:
		n, _ := g.typed(t, int4OID)
		return fmt.Sprintf("ADD FOREIGN KEY (%s) REFERENCES %s%s%s", n, g.table(), g.pick("", " ON DELETE CASCADE", " ON UPDATE SET NULL"), g.maybe(20, " NOT VALID"))
	case 19, 20:
		return "DROP CONSTRAINT " + g.maybe(10, "IF EXISTS ") + g.constraint(t) + g.maybe(40, " CASCADE")
	case 21:
		return "VALIDATE CONSTRAINT " + g.constraint(t)
	case 22:
		return g.pick("ALTER "+c+" ADD GENERATED ALWAYS AS IDENTITY", "ALTER "+c+" DROP IDENTITY IF EXISTS", "ALTER "+c+" SET STATISTICS 50",
			"SET (fillfactor = 70)", "ENABLE ROW LEVEL SECURITY", "REPLICA IDENTITY FULL", "ALTER "+c+" SET STORAGE PLAIN")
	default:
		return "ADD COLUMN " + g.columnName() + " int GENERATED ALWAYS AS (" + g.value(t) + ") STORED"
	}
}

func (g *Generator) constraint(t string) string {
	var names []string
	if r := g.lookup(t); r != nil {
		for _, con := range g.cat.Constraints(r.OID) {
			names = append(names, quote(con.Name))
		}
	}
	return g.oneOf(names)
}

func (g *Generator) createIndex() string {
	t := g.relation(catalog.Table, catalog.PartitionedTable, catalog.MatView)
	keys := g.column(t)
	switch g.rng.IntN(6) {
	case 0:
		keys += ", " + g.column(t)
	case 1:
		keys = "(" + g.value(t) + ")"
	case 2:
		keys += g.pick(" DESC", " NULLS FIRST", " DESC NULLS LAST")
	}
	return fmt.Sprintf("CREATE %sINDEX %s%sON %s (%s)%s%s", g.maybe(25, "UNIQUE "), g.maybe(5, "CONCURRENTLY "), g.maybe(30, g.pick("i1", "i2", "t_a_idx")+" "),
		t, keys, g.maybe(8, " INCLUDE ("+g.column(t)+")"), g.maybe(20, " WHERE "+g.condition(t)))
}

func (g *Generator) partition() string {
	p := g.relation(catalog.PartitionedTable)
	r := g.lookup(p)
	bound := "DEFAULT"
	if r != nil && r.PartitionKey != nil && g.chance(85) {
		n := g.rng.IntN(4) * 10
		switch r.PartitionKey.Strategy {
		case "range":
			bound = fmt.Sprintf("FOR VALUES FROM ('%d') TO ('%d')", n, n+10)
		case "list":
			bound = fmt.Sprintf("FOR VALUES IN ('%d', '%d')", n, n+1)
		case "hash":
			bound = fmt.Sprintf("FOR VALUES WITH (MODULUS 4, REMAINDER %d)", n/10)
		}
	}
	switch g.rng.IntN(6) {
	case 0:
		return fmt.Sprintf("ALTER TABLE %s ATTACH PARTITION %s %s", p, g.table(), bound)
	case 1:
		if r != nil {
			for _, child := range g.cat.Inheritors(r.OID) {
				return fmt.Sprintf("ALTER TABLE %s DETACH PARTITION %s", p, quote(child.Name))
			}
		}
	case 2:
		return fmt.Sprintf("CREATE TABLE %s (LIKE %s INCLUDING ALL)", g.tableName(), p)
	}
	return fmt.Sprintf("CREATE TABLE %s PARTITION OF %s %s", g.pick("p1", "p2", "p3", "p4"), p, bound)
}

func (g *Generator) createView() string {
	t := g.relation(catalog.Table, catalog.View, catalog.Table, catalog.View, catalog.MatView, catalog.PartitionedTable)
	kind := g.pick("VIEW", "VIEW", "OR REPLACE VIEW", "MATERIALIZED VIEW", "TEMP VIEW")
	name := g.pick("v", "v2", "v3", "vv", "t_view")
	where := g.maybe(30, " WHERE "+g.condition(t))
	switch g.rng.IntN(8) {
	case 0:
		return fmt.Sprintf("CREATE %s %s AS SELECT * FROM %s%s", kind, name, t, where)
	case 1:
		u := g.table()
		return fmt.Sprintf("CREATE %s %s AS SELECT l.%s, r.%s AS other FROM %s l JOIN %s r ON true", kind, name, g.column(t), g.column(u), t, u)
	case 2:
		c := g.column(t)
		return fmt.Sprintf("CREATE %s %s AS SELECT %s, count(*) FROM %s GROUP BY %s", kind, name, c, t, c)
	case 3:
		u := g.table()
		return fmt.Sprintf("CREATE %s %s AS WITH q AS (SELECT %s AS k FROM %s) SELECT k FROM q UNION SELECT %s FROM %s", kind, name, g.column(t), t, g.column(u), u)
	case 4:
		return fmt.Sprintf("CREATE %s %s (x, y) AS SELECT %s, %s FROM %s%s", kind, name, g.column(t), g.value(t), t, where)
	case 5:
		u := g.table()
		return fmt.Sprintf("CREATE %s %s AS SELECT %s, (SELECT count(%s) FROM %s) AS n FROM %s%s", kind, name, g.column(t), g.column(u), u, t, where)
	}
	a, b := g.column(t), g.column(t)
	if a == b {
		b = "1 AS one"
	}
	return fmt.Sprintf("CREATE %s %s AS SELECT %s, %s FROM %s%s", kind, name, a, b, t, where)
}
