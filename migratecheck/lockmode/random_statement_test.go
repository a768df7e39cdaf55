package lockmode

import (
	"fmt"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// statement makes up one statement about the schema.
func (g *generator) statement(c *catalog.Catalog) string {
	table := pick(g, g.tables...)
	rel := c.Relation("", table)
	if g.chance(55) {
		cmds := []string{g.command(c, rel)}
		for g.chance(25) {
			cmds = append(cmds, g.command(c, rel))
		}
		return "ALTER TABLE " + pick(g, "", "", "", "", "ONLY ") + table + " " + strings.Join(cmds, ", ")
	}
	col, other := g.column(rel), pick(g, g.tables...)
	index := g.index(c, rel)
	return pick(g,
		func() string { return "CREATE INDEX ON " + table + " (" + col + ")" },
		func() string { return "CREATE UNIQUE INDEX ON " + table + " (id, " + col + ")" },
		func() string { return "DROP INDEX " + index },
		func() string { return "REINDEX INDEX " + index },
		func() string { return "REINDEX TABLE " + table },
		func() string { return "CLUSTER " + table + " USING " + index },
		func() string { return "ALTER INDEX " + index + " RENAME TO z" },
		func() string { return "ALTER TABLE " + table + " RENAME TO z" },
		func() string { return "ALTER TABLE " + table + " RENAME COLUMN " + col + " TO z" },
		func() string { return "TRUNCATE " + table + pick(g, "", " CASCADE") },
		func() string { return "DROP TABLE " + table + pick(g, "", " CASCADE") },
		func() string { return "COMMENT ON COLUMN " + table + "." + col + " IS 'x'" },
		func() string { return "LOCK TABLE " + table + " IN " + pick(g, Modes()...).SQL() + " MODE" },
		func() string {
			return "CREATE TABLE n (a int REFERENCES " + table + ", b int REFERENCES " + other + ")"
		},
		func() string { return "CREATE TABLE n (LIKE " + table + " INCLUDING ALL)" },
		func() string { return "CREATE TABLE n () INHERITS (" + table + ")" },
		func() string { return "CREATE TABLE n PARTITION OF " + table + " FOR VALUES FROM (1000) TO (2000)" },
		func() string { return "CREATE TABLE n AS SELECT * FROM " + table + pick(g, "", " WITH NO DATA") },
		func() string { return "CREATE VIEW n AS SELECT * FROM " + table + ", " + other + " o(oid_)" },
		func() string { return "REFRESH MATERIALIZED VIEW v" + table[1:] },
		func() string { return "DROP VIEW v" + table[1:] },
		func() string { return "SELECT * FROM v" + table[1:] },
		func() string { return "SELECT * FROM " + table + pick(g, "", " FOR UPDATE", " FOR KEY SHARE") },
		func() string { return "SELECT count(*) FROM " + table + " JOIN " + other + " o USING (id)" },
		func() string { return "UPDATE " + table + " SET " + col + " = " + col },
		func() string { return "UPDATE " + pick(g, "", "ONLY ") + table + " SET " + col + " = NULL" },
		func() string { return "DELETE FROM " + table },
		func() string { return "ANALYZE " + table },
		func() string { return "ALTER TABLE " + table + " DETACH PARTITION " + table + "a" },
		func() string {
			return "ALTER DOMAIN " + pick(g, "pos", "plain") + " ADD CHECK (VALUE > -5)" + pick(g, "", " NOT VALID")
		},
		func() string { return "ALTER DOMAIN plain SET NOT NULL" },
		func() string { return "DROP DOMAIN " + pick(g, "pos", "plain") + " CASCADE" },
		func() string { return "CREATE STATISTICS st ON id, " + col + " FROM " + table },
		func() string { return "INSERT INTO " + table + " (id) VALUES (900)" },
	)()
}

func (g *generator) column(rel *catalog.Relation) string {
	return rel.Columns[g.IntN(len(rel.Columns))].Name
}

func (g *generator) index(c *catalog.Catalog, rel *catalog.Relation) string {
	return pick(g, c.Indexes(rel.OID)...).Name
}

// command makes up one subcommand of ALTER TABLE.
func (g *generator) command(c *catalog.Catalog, rel *catalog.Relation) string {
	col, typ := g.column(rel), pick(g, typeNames()...)
	new := g.name("n")
	constraint := "nope"
	if list := c.Constraints(rel.OID); len(list) > 0 {
		constraint = pick(g, list...).Name
	}
	return pick(g,
		func() string { return "ADD COLUMN " + new + " " + typ },
		func() string {
			return "ADD COLUMN " + new + " " + pick(g, "int DEFAULT 1", "int NOT NULL DEFAULT 7", "timestamptz DEFAULT now()", "float8 DEFAULT random()", "serial", "int GENERATED ALWAYS AS IDENTITY")
		},
		func() string { return "ADD COLUMN " + new + " int GENERATED ALWAYS AS (id + 1) STORED" },
		func() string {
			return "ADD COLUMN " + new + " int" + pick(g, "", " DEFAULT 1") + " REFERENCES " + pick(g, g.tables...)
		},
		func() string {
			return "ADD COLUMN " + new + " int" + pick(g, " UNIQUE", " CHECK ("+new+" > 0)", " DEFAULT 1 CHECK ("+new+" > 0)")
		},
		func() string { return "ADD COLUMN IF NOT EXISTS " + col + " int DEFAULT random()" },
		func() string { return "DROP COLUMN " + col + pick(g, "", " CASCADE") },
		func() string { return "ALTER COLUMN " + col + " TYPE " + typ },
		func() string { return "ALTER COLUMN " + col + " TYPE " + typ },
		func() string { return fmt.Sprintf("ALTER COLUMN %s TYPE %s USING %s::%s", col, typ, col, typ) },
		func() string { return fmt.Sprintf("ALTER COLUMN %s TYPE text USING %s::text", col, col) },
		func() string { return "ALTER COLUMN " + col + pick(g, " SET", " DROP") + " NOT NULL" },
		func() string {
			return "ALTER COLUMN " + col + pick(g, " DROP DEFAULT", " SET DEFAULT NULL", " SET STATISTICS 10", " SET STORAGE PLAIN")
		},
		func() string { return "ADD CHECK (" + col + " IS NOT NULL)" + pick(g, "", " NOT VALID", " NO INHERIT") },
		func() string {
			return "ADD FOREIGN KEY (id) REFERENCES " + pick(g, g.tables...) + pick(g, "", " NOT VALID", " ON DELETE CASCADE")
		},
		func() string { return "ADD UNIQUE (id, " + col + ")" },
		func() string { return "ADD EXCLUDE USING btree (id WITH =)" },
		func() string { return "DROP CONSTRAINT " + constraint + pick(g, "", " CASCADE") },
		func() string { return "VALIDATE CONSTRAINT " + constraint },
		func() string {
			return pick(g, "SET UNLOGGED", "SET LOGGED", "SET (fillfactor = 70)", "ENABLE ROW LEVEL SECURITY", "DISABLE TRIGGER ALL", "REPLICA IDENTITY FULL")
		},
		func() string { return "CLUSTER ON " + g.index(c, rel) },
	)()
}
