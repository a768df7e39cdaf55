package querytest

import (
	"fmt"
	"slices"
	"strings"
)

// enumInUse is an enumeration that a column has.
func (g *gen) enumInUse() *enum {
	_, c := g.targetCol(func(c *col) bool { return c.enum != nil })
	if c == nil {
		return nil
	}
	g.focusOn(c.enum.name)
	return c.enum
}

func renameEnumValue(g *gen) []string {
	e := g.enumInUse()
	if e == nil {
		return nil
	}
	i := g.rng.IntN(len(e.labels))
	s := fmt.Sprintf("ALTER TYPE %s RENAME VALUE '%s' TO '%s2'", e.name, e.labels[i], e.labels[i])
	old := "'" + e.labels[i] + "'"
	e.labels[i] += "2"
	for _, t := range g.m.tables {
		for _, c := range t.cols {
			if c.enum == e && c.def == old {
				c.def = "'" + e.labels[i] + "'"
			}
		}
	}
	return []string{s}
}

func addEnumValue(g *gen) []string {
	e := g.enumInUse()
	if e == nil {
		return nil
	}
	e.labels = append(e.labels, "violet")
	return []string{fmt.Sprintf("ALTER TYPE %s ADD VALUE 'violet'", e.name)}
}

// dropType drops an enumeration that columns had until just before.
func dropType(g *gen) []string {
	e := g.enumInUse()
	if e == nil {
		return nil
	}
	var s []string
	for _, t := range g.m.tables {
		for _, c := range t.cols {
			if c.enum == e {
				g.focusOn(t.name, c.name)
				s = append(s, g.dropViews(t)...)
				s = append(s, alter(t, "ALTER COLUMN %[1]s DROP DEFAULT, ALTER COLUMN %[1]s TYPE text", quote(c.name))...)
				c.enum, c.typ, c.def = nil, "text", ""
			}
		}
	}
	g.m.enums = slices.DeleteFunc(g.m.enums, func(o *enum) bool { return o == e })
	return append(s, "DROP TYPE "+e.name)
}

func (g *gen) anyView() *view {
	if len(g.m.views) == 0 {
		return nil
	}
	v := pick(g, g.m.views...)
	g.focusOn(v.name)
	return v
}

func dropView(g *gen) []string {
	v := g.anyView()
	if v == nil {
		return nil
	}
	g.m.views = nil
	return []string{"DROP VIEW " + v.name}
}

func renameView(g *gen) []string {
	v := g.anyView()
	if v == nil {
		return nil
	}
	s := "ALTER VIEW " + v.name + " RENAME TO " + v.name + "_new"
	v.name += "_new"
	g.focusOn(v.name)
	return []string{s}
}

// replaceView gives a view another definition: more columns, another condition, or (dropped and made again) fewer.
func replaceView(g *gen) []string {
	v := g.anyView()
	if v == nil {
		return nil
	}
	switch g.rng.IntN(3) {
	case 0:
		for _, c := range v.table.cols {
			if !slices.Contains(v.names, c.name) && !slices.Contains(v.cols, c) {
				v.cols, v.names = append(v.cols, c), append(v.names, c.name)
				return []string{v.create("CREATE OR REPLACE VIEW ")}
			}
		}
		return nil
	case 1:
		c := g.anyCol(v.table, isNumber)
		if c == nil {
			return nil
		}
		v.where = quote(c.name) + " < 1000"
		return []string{v.create("CREATE OR REPLACE VIEW ")}
	}
	if len(v.cols) < 3 {
		return nil
	}
	v.cols, v.names = v.cols[:len(v.cols)-1], v.names[:len(v.names)-1]
	return []string{"DROP VIEW " + v.name, v.create("CREATE VIEW ")}
}

// distinctView makes a view one that cannot be written to.
func distinctView(g *gen) []string {
	v := g.anyView()
	if v == nil || slices.ContainsFunc(v.cols, func(c *col) bool { return c.family() == "json" }) {
		return nil
	}
	v.fixed = true
	return []string{strings.Replace(v.create("CREATE OR REPLACE VIEW "), " AS SELECT ", " AS SELECT DISTINCT ", 1)}
}

func dropFunction(g *gen) []string {
	if len(g.m.funcs) == 0 {
		return nil
	}
	f := g.m.funcs[0]
	g.focusOn(f.name)
	g.m.funcs = nil
	return []string{"DROP FUNCTION " + f.name}
}

func changeFunction(g *gen) []string {
	if len(g.m.funcs) == 0 {
		return nil
	}
	f := g.m.funcs[0]
	g.focusOn(f.name)
	if g.chance(30) {
		f.body = "SELECT $1 + 2"
		return []string{strings.Replace(f.create(), "CREATE ", "CREATE OR REPLACE ", 1)}
	}
	s := []string{"DROP FUNCTION " + f.name}
	f.args = 3 - f.args
	return append(s, f.create())
}

// computeColumn replaces a column by one that the server computes.
func computeColumn(g *gen) []string {
	t, c := g.targetCol(func(c *col) bool { return plain(c) && isNumber(c) })
	if c == nil {
		return nil
	}
	g.forget(t, c.name)
	c.auto, c.notNull, c.def, c.computed = "", false, "", true
	return []string{
		"ALTER TABLE " + t.sql() + " DROP COLUMN " + quote(c.name) + " CASCADE",
		fmt.Sprintf("ALTER TABLE %s ADD COLUMN %s %s GENERATED ALWAYS AS (1 + 1) STORED", t.sql(), quote(c.name), c.typ),
	}
}

// identityAlways leaves the numbering of a key to the server.
func identityAlways(g *gen) []string {
	t, c := g.targetCol(func(c *col) bool { return c.key && isNumber(c) && (c.auto == "" || c.auto == "default") })
	if c == nil {
		return nil
	}
	action := "ADD GENERATED ALWAYS AS IDENTITY"
	if c.auto == "default" {
		action = "SET GENERATED ALWAYS"
	}
	c.auto = "always"
	return alter(t, "ALTER COLUMN %s %s", quote(c.name), action)
}

func (g *gen) inSchema() *table {
	for _, t := range g.m.tables {
		if t.schema != "" {
			g.focusOn(t.name)
			return t
		}
	}
	return nil
}

func renameSchema(g *gen) []string {
	if g.inSchema() == nil {
		return nil
	}
	for _, t := range g.m.tables {
		if t.schema != "" {
			t.schema = "app2"
		}
	}
	return []string{"ALTER SCHEMA app RENAME TO app2"}
}

func dropSchema(g *gen) []string {
	if g.inSchema() == nil {
		return nil
	}
	for _, t := range slices.Clone(g.m.tables) {
		if t.schema != "" {
			g.forget(t, "")
			g.m.tables = slices.DeleteFunc(g.m.tables, func(o *table) bool { return o == t })
		}
	}
	return []string{"DROP SCHEMA app CASCADE"}
}

func dropSequence(g *gen) []string {
	if len(g.m.seqs) == 0 {
		return nil
	}
	g.focusOn(g.m.seqs[0])
	s := g.m.seqs[0]
	if g.chance(40) {
		g.m.seqs[0] = s + "_new"
		g.focusOn(s + "_new")
		return []string{"ALTER SEQUENCE " + s + " RENAME TO " + s + "_new"}
	}
	g.m.seqs = nil
	return []string{"DROP SEQUENCE " + s}
}

func revoke(g *gen) []string {
	t := g.target()
	return []string{fmt.Sprintf("REVOKE %s ON %s FROM %s", pick(g, "INSERT", "UPDATE", "DELETE", "SELECT", "INSERT, UPDATE", "ALL"), t.sql(), role)}
}

func addTrigger(g *gen) []string {
	t := g.target()
	c := g.anyCol(t, func(c *col) bool { return plain(c) && isNumber(c) })
	body := pick(g, "RETURN NULL;", "RETURN NULL;", "RAISE EXCEPTION 'not like this'; RETURN NULL;")
	if c != nil && g.chance(50) {
		body = fmt.Sprintf("IF NEW.%s < 10 THEN RAISE EXCEPTION 'too small'; END IF; RETURN NEW;", quote(c.name))
	}
	event := pick(g, "INSERT", "INSERT OR UPDATE", "UPDATE")
	return []string{
		"CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN " + body + " END $$",
		fmt.Sprintf("CREATE TRIGGER guard BEFORE %s ON %s FOR EACH ROW EXECUTE FUNCTION guard()", event, t.sql()),
	}
}

func enableRLS(g *gen) []string {
	t := g.target()
	s := alter(t, "ENABLE ROW LEVEL SECURITY")
	if c := g.anyCol(t, isNumber); c != nil && g.chance(40) {
		s = append(s, fmt.Sprintf("CREATE POLICY mine ON %s USING (%s > 1000000)", t.sql(), quote(c.name)))
	}
	return s
}

// harmless changes that no code can notice.
func harmless(g *gen) []string {
	t := g.target()
	c := g.anyCol(t, isKeyable)
	if c == nil {
		return nil
	}
	g.focusOn(c.name)
	return pick(g,
		[]string{fmt.Sprintf("CREATE INDEX ON %s (%s)", t.sql(), quote(c.name))},
		[]string{"COMMENT ON TABLE " + t.sql() + " IS 'a table'"},
		[]string{"CREATE TABLE other_thing (id int PRIMARY KEY, " + quote(c.name) + " text)"},
		alter(t, "SET (fillfactor = 80)"),
		alter(t, "ALTER COLUMN %s SET STATISTICS 50", quote(c.name)),
	)
}
