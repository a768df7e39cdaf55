package catalogtest

import (
	"fmt"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

func (g *Generator) rename() string {
	switch g.rng.IntN(12) {
	case 0, 1, 2:
		t := g.table()
		return fmt.Sprintf("ALTER TABLE %s RENAME COLUMN %s TO %s", t, g.column(t), g.columnName())
	case 3, 4:
		return fmt.Sprintf("ALTER TABLE %s RENAME TO %s", g.table(), g.tableName())
	case 5:
		t := g.table()
		return fmt.Sprintf("ALTER TABLE %s RENAME CONSTRAINT %s TO %s", t, g.constraint(t), g.pick("con1", "con2", "named"))
	case 6:
		return fmt.Sprintf("ALTER INDEX %s RENAME TO %s", g.relation(catalog.Index, catalog.PartitionedIndex), g.pick("i1", "i2", "i3"))
	case 7:
		return fmt.Sprintf("ALTER VIEW %s RENAME TO %s", g.relation(catalog.View), g.pick("v", "v2", "v3", "t"))
	case 8:
		v := g.relation(catalog.View)
		return fmt.Sprintf("ALTER VIEW %s RENAME COLUMN %s TO %s", v, g.column(v), g.columnName())
	case 9:
		return fmt.Sprintf("ALTER SCHEMA %s RENAME TO %s", g.pick("s1", "s2"), g.pick("s1", "s2"))
	case 10:
		return fmt.Sprintf("ALTER TYPE %s RENAME TO %s", g.oneOf(g.userTypes()), g.pick("mood", "pair", "t", "level"))
	}
	return fmt.Sprintf("ALTER SEQUENCE %s RENAME TO %s", g.relation(catalog.Sequence), g.pick("q1", "q2", "t_id_seq"))
}

func (g *Generator) drop() string {
	cascade := g.pick("", "", " CASCADE", " RESTRICT")
	exists := g.maybe(10, "IF EXISTS ")
	switch g.rng.IntN(12) {
	case 0, 1, 2:
		return "DROP TABLE " + exists + g.table() + g.maybe(15, ", "+g.table()) + cascade
	case 3, 4:
		return "DROP VIEW " + exists + g.relation(catalog.View) + cascade
	case 5:
		return "DROP INDEX " + exists + g.relation(catalog.Index, catalog.PartitionedIndex) + cascade
	case 6:
		return "DROP TYPE " + exists + g.oneOf(g.userTypes()) + cascade
	case 7:
		return "DROP FUNCTION " + exists + g.function() + cascade
	case 8:
		return "DROP SEQUENCE " + exists + g.relation(catalog.Sequence) + cascade
	case 9:
		return "DROP MATERIALIZED VIEW " + exists + g.relation(catalog.MatView) + cascade
	case 10:
		return "DROP SCHEMA " + exists + g.pick("s1", "s2") + cascade
	}
	t := g.table()
	r := g.lookup(t)
	if r == nil {
		return "DROP TABLE nothing"
	}
	for _, tr := range g.cat.Triggers(r.OID) {
		return fmt.Sprintf("DROP TRIGGER %s ON %s", quote(tr.Name), t)
	}
	for _, p := range g.cat.Policies(r.OID) {
		return fmt.Sprintf("DROP POLICY %s ON %s", quote(p.Name), t)
	}
	return "DROP TABLE " + t + cascade
}

func (g *Generator) function() string {
	return g.oneOf(g.objects(func(o catalog.Object) bool { _, ok := o.(*catalog.Func); return ok }))
}

func (g *Generator) createType() string {
	switch g.rng.IntN(4) {
	case 0, 1:
		return fmt.Sprintf("CREATE TYPE %s AS ENUM (%s)", g.qualified(g.pick("mood", "level", "kind")), g.pick("'a'", "'a', 'b'", "'a', 'b', 'c', 'd'"))
	case 2:
		return fmt.Sprintf("CREATE TYPE %s AS (%s %s, y %s)", g.pick("pair", "pair2"), g.pick("x", "xx"), g.typeName(), g.typeName())
	}
	return fmt.Sprintf("CREATE DOMAIN %s AS %s%s%s", g.pick("positive", "short"), g.pick("int", "int", "bigint"), g.maybe(40, " DEFAULT 1"), g.maybe(70, " CHECK (VALUE > 0)"))
}

func (g *Generator) alterType() string {
	var t *catalog.Type
	name := "nothing"
	for o := range g.cat.All() {
		if x, ok := o.(*catalog.Type); ok && x.OID >= catalog.FirstUserOID && (t == nil || g.chance(50)) {
			t, name = x, quote(x.Name)
		}
	}
	switch {
	case t == nil || t.Kind == catalog.EnumType:
		if g.chance(30) {
			return fmt.Sprintf("ALTER TYPE %s RENAME VALUE '%s' TO '%s'", name, g.pick("a", "b", "c"), g.pick("a", "x", "y"))
		}
		return fmt.Sprintf("ALTER TYPE %s ADD VALUE %s'%s'%s", name, g.maybe(30, "IF NOT EXISTS "), g.pick("e", "f", "g", "a"), g.pick("", " BEFORE 'a'", " AFTER 'a'", " AFTER 'b'"))
	case t.Kind == catalog.CompositeType:
		return fmt.Sprintf("ALTER TYPE %s %s", name, g.pick("ADD ATTRIBUTE z int", "DROP ATTRIBUTE y", "RENAME ATTRIBUTE x TO xx", "ALTER ATTRIBUTE z TYPE text", "DROP ATTRIBUTE IF EXISTS z"))
	}
	return fmt.Sprintf("ALTER DOMAIN %s %s", name, g.pick("SET NOT NULL", "DROP NOT NULL", "SET DEFAULT 5", "DROP DEFAULT", "ADD CHECK (VALUE < 100)",
		"ADD CONSTRAINT dc CHECK (VALUE <> 50) NOT VALID", "DROP CONSTRAINT dc", "VALIDATE CONSTRAINT dc"))
}

func (g *Generator) createFunction() string {
	name := g.pick("f", "g", "h")
	switch g.rng.IntN(6) {
	case 0, 1:
		return fmt.Sprintf("CREATE %sFUNCTION %s() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$", g.maybe(30, "OR REPLACE "), g.pick("tf", "tf2"))
	case 2:
		return fmt.Sprintf("CREATE %sFUNCTION %s(%s) RETURNS int LANGUAGE sql %s AS 'SELECT 1'", g.maybe(30, "OR REPLACE "), name, g.typeName(), g.pick("", "STABLE", "IMMUTABLE STRICT"))
	case 3:
		return fmt.Sprintf("CREATE FUNCTION %s(p %s, q int DEFAULT 3) RETURNS %s LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$", name, g.typeName(), g.typeName())
	case 4:
		return fmt.Sprintf("ALTER FUNCTION %s %s", g.function(), g.pick("STABLE", "IMMUTABLE", "SECURITY DEFINER", "STRICT", "SET search_path = public", "RENAME TO h2"))
	}
	return fmt.Sprintf("CREATE FUNCTION %s() RETURNS int LANGUAGE sql AS 'SELECT 1'", name)
}

func (g *Generator) createTrigger() string {
	t := g.relation(catalog.Table, catalog.PartitionedTable)
	event := g.pick("INSERT", "UPDATE", "DELETE", "INSERT OR UPDATE", "UPDATE OF "+g.column(t))
	return fmt.Sprintf("CREATE TRIGGER %s %s %s ON %s FOR EACH %s%s EXECUTE FUNCTION %s()", g.pick("tr", "tr2", "tr3"), g.pick("BEFORE", "AFTER"), event, t,
		g.pick("ROW", "ROW", "STATEMENT"), "", g.pick("tf", "tf", "tf2"))
}

func (g *Generator) policy() string {
	t := g.table()
	return fmt.Sprintf("CREATE POLICY %s ON %s%s USING (%s)", g.pick("p1", "p2"), t, g.pick("", " FOR SELECT", " AS RESTRICTIVE", " FOR UPDATE TO pg_monitor"), g.condition(t))
}

func (g *Generator) rule() string {
	t := g.table()
	return fmt.Sprintf("CREATE RULE %s AS ON %s TO %s DO %s", g.pick("r1", "r2"), g.pick("DELETE", "UPDATE", "INSERT"), t, g.pick("INSTEAD NOTHING", "ALSO NOTHING", "ALSO DELETE FROM "+g.table()))
}

func (g *Generator) setSchema() string {
	switch g.rng.IntN(4) {
	case 0, 1:
		return fmt.Sprintf("ALTER TABLE %s SET SCHEMA %s", g.table(), g.schemaName())
	case 2:
		return fmt.Sprintf("ALTER VIEW %s SET SCHEMA %s", g.relation(catalog.View), g.schemaName())
	}
	return fmt.Sprintf("ALTER TYPE %s SET SCHEMA %s", g.oneOf(g.userTypes()), g.schemaName())
}

func (g *Generator) sequence() string {
	switch g.rng.IntN(3) {
	case 0:
		t := g.table()
		return fmt.Sprintf("CREATE SEQUENCE %s%s", g.pick("q1", "q2"), g.pick("", " START 5 INCREMENT 2", " AS int", " OWNED BY "+t+"."+g.column(t)))
	case 1:
		t := g.table()
		return fmt.Sprintf("ALTER SEQUENCE %s %s", g.relation(catalog.Sequence), g.pick("OWNED BY NONE", "INCREMENT 3", "MAXVALUE 1000", "OWNED BY "+t+"."+g.column(t)))
	}
	t := g.table()
	c, _ := g.typed(t, int4OID, int8OID)
	return fmt.Sprintf("ALTER TABLE %s ALTER %s SET DEFAULT nextval('%s')", t, c, g.relation(catalog.Sequence))
}

func (g *Generator) comment() string {
	text := g.pick("'words'", "'other words'", "NULL")
	switch g.rng.IntN(4) {
	case 0:
		t := g.table()
		return fmt.Sprintf("COMMENT ON COLUMN %s.%s IS %s", t, g.column(t), text)
	case 1:
		t := g.table()
		return fmt.Sprintf("COMMENT ON CONSTRAINT %s ON %s IS %s", g.constraint(t), t, text)
	case 2:
		return fmt.Sprintf("COMMENT ON VIEW %s IS %s", g.relation(catalog.View), text)
	}
	return fmt.Sprintf("COMMENT ON TABLE %s IS %s", g.relation(catalog.Table, catalog.PartitionedTable), text)
}

func (g *Generator) grant() string {
	t := g.table()
	return g.pick("GRANT SELECT, INSERT ON "+t+" TO pg_monitor", "GRANT SELECT ("+g.column(t)+") ON "+t+" TO PUBLIC", "REVOKE ALL ON "+t+" FROM pg_monitor",
		"GRANT ALL ON "+t+" TO pg_monitor WITH GRANT OPTION", "REVOKE INSERT ON "+t+" FROM pg_monitor", "GRANT USAGE ON SCHEMA "+g.schemaName()+" TO pg_monitor")
}

func (g *Generator) schema() string {
	return "CREATE SCHEMA " + g.maybe(30, "IF NOT EXISTS ") + g.pick("s1", "s2")
}

func (g *Generator) transaction() string {
	return g.pick("BEGIN", "COMMIT", "ROLLBACK", "BEGIN", "SAVEPOINT a", "SAVEPOINT b", "ROLLBACK TO a", "ROLLBACK TO b", "RELEASE a", "COMMIT")
}

func (g *Generator) searchPath() string {
	return g.pick("SET search_path = s1, public", "SET search_path = public", "RESET search_path", "SET LOCAL search_path = s2, public", "SET search_path = public, s1")
}

// doBlock wraps other statements, so that they run from a body.
func (g *Generator) doBlock() string {
	var body strings.Builder
	for range 1 + g.rng.IntN(2) {
		var s string
		switch g.rng.IntN(3) {
		case 0:
			s = g.alterTable()
		case 1:
			s = g.createIndex()
		default:
			s = g.drop()
		}
		if strings.Contains(s, "CONCURRENTLY") {
			continue
		}
		body.WriteString(s + "; ")
	}
	return "DO $do$ BEGIN " + body.String() + "END $do$"
}
