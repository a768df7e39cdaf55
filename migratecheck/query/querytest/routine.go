package querytest

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// routine is a function whose body sends SQL of its own, with its trigger if it has one.
type routine struct {
	create []string
	call   string // "" for a trigger's
}

// routines makes up functions and triggers for a schema, with a source of its own: a seed's tables, migration and queries are what they
// would be without. Queries that call the functions take the place of some.
func (c *Case) routines(seed uint64, before *model) {
	g := &gen{rng: rand.New(rand.NewPCG(seed, 5)), m: before}
	if len(before.tables) == 0 || g.chance(40) {
		return
	}
	var calls []string
	for i := range 1 + g.rng.IntN(3) {
		name := fmt.Sprintf("routine%d", i)
		make := pick(g, g.logs, g.logs, g.sets, g.keeps, g.counts, g.counts, g.declares, g.answers, g.shadows, g.changes, g.loops)
		r := make(name)
		if r == nil {
			continue
		}
		c.Schema = append(c.Schema, r.create...)
		if r.call == "" {
			continue
		}
		calls = append(calls, r.call)
		if g.chance(30) {
			outer := name + "_outer"
			c.Schema = append(c.Schema, plpgsql(outer+"()", "int", "BEGIN PERFORM "+strings.TrimPrefix(r.call, "SELECT ")+"; RETURN 1; END"))
			calls = append(calls, "SELECT "+outer+"()")
		}
	}
	for i := range c.Queries {
		if len(calls) > 0 && g.chance(15) {
			c.Queries[i] = Query{SQL: pick(g, calls...), New: c.Queries[i].New, Maker: "routine"}
		}
	}
}

func plpgsql(head, returns, body string) string {
	return fmt.Sprintf("CREATE FUNCTION %s RETURNS %s LANGUAGE plpgsql AS $$ %s $$", head, returns, body)
}

// watched is a table of the focus rather than another.
func (g *gen) watched() *table {
	list := append([]*table{}, g.m.tables...)
	for _, t := range g.m.tables {
		if g.m.focus[t.name] {
			list = append(list, t, t, t)
		}
	}
	return pick(g, list...)
}

// logs is a trigger that inserts into another table.
func (g *gen) logs(name string) *routine {
	t, u := g.watched(), g.watched()
	if t == u {
		return nil
	}
	var cols, values []string
	for _, c := range u.cols {
		switch {
		case c.computed || c.auto != "" || c.key && c.def != "":
		case c.ref != nil && c.notNull:
			return nil
		case c.ref != nil:
		case c.notNull && c.def == "" || g.chance(60):
			cols, values = append(cols, quote(c.name)), append(values, g.literal(c))
		}
	}
	if len(cols) == 0 {
		return nil
	}
	each := pick(g, "ROW", "ROW", "STATEMENT")
	body := fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s) ON CONFLICT DO NOTHING;", u.sql(), strings.Join(cols, ", "), strings.Join(values, ", "))
	if g.chance(20) {
		body = "IF TG_OP = 'DELETE' THEN " + body + " END IF;"
	}
	return &routine{create: []string{
		plpgsql(name+"()", "trigger", "BEGIN "+body+" RETURN NULL; END"),
		fmt.Sprintf("CREATE TRIGGER %s AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH %s EXECUTE FUNCTION %s()", name, t.sql(), each, name),
	}}
}

// sets is a trigger that reads and sets a column of the row.
func (g *gen) sets(name string) *routine {
	t := g.watched()
	c := g.anyCol(t, plain)
	if c == nil {
		return nil
	}
	body := fmt.Sprintf("NEW.%s := NEW.%[1]s;", quote(c.name))
	if g.chance(40) {
		body = fmt.Sprintf("IF NEW.%s IS NULL THEN PERFORM 1; END IF;", quote(c.name))
	}
	return &routine{create: []string{
		plpgsql(name+"()", "trigger", "BEGIN "+body+" RETURN NEW; END"),
		fmt.Sprintf("CREATE TRIGGER %s BEFORE INSERT OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION %s()", name, t.sql(), name),
	}}
}

// keeps is a trigger that reads another table, or the rows that a statement left.
func (g *gen) keeps(name string) *routine {
	t, u := g.watched(), g.watched()
	c, d := g.anyCol(t, nil), g.anyCol(u, nil)
	return &routine{create: []string{
		plpgsql(name+"()", "trigger", fmt.Sprintf("BEGIN PERFORM count(*) FROM fresh f, %s o WHERE f.%s IS NULL AND o.%s IS NULL; RETURN NULL; END", u.sql(), quote(c.name), quote(d.name))),
		fmt.Sprintf("CREATE TRIGGER %s AFTER INSERT ON %s REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION %s()", name, t.sql(), name),
	}}
}

// counts is a function that reads a table, in either language.
func (g *gen) counts(name string) *routine {
	t := g.watched()
	c, d := g.anyCol(t, nil), g.anyCol(t, nil)
	body := fmt.Sprintf("SELECT count(*) FROM %s WHERE %s IS NOT NULL AND %s = %s", t.sql(), quote(d.name), quote(c.name), g.literal(c))
	if c.typ == "jsonb" || g.chance(50) {
		body = fmt.Sprintf("SELECT count(%s) FROM %s", quote(c.name), t.sql())
	}
	r := &routine{call: "SELECT " + name + "()"}
	if g.chance(50) {
		r.create = []string{fmt.Sprintf("CREATE FUNCTION %s() RETURNS bigint LANGUAGE sql AS $$ %s $$", name, body)}
	} else {
		r.create = []string{plpgsql(name+"()", "bigint", "BEGIN RETURN ("+body+"); END")}
	}
	return r
}

// declares is a function with a variable of a column's or a table's type.
func (g *gen) declares(name string) *routine {
	t := g.watched()
	c := g.anyCol(t, nil)
	declared, into := t.sql()+"."+quote(c.name)+"%TYPE", fmt.Sprintf("SELECT %s INTO x FROM %s LIMIT 1", quote(c.name), t.sql())
	if g.chance(40) {
		declared, into = t.sql()+"%ROWTYPE", fmt.Sprintf("SELECT * INTO x FROM %s LIMIT 1; PERFORM x.%s", t.sql(), quote(c.name))
	}
	return &routine{
		create: []string{plpgsql(name+"()", "int", "DECLARE x "+declared+"; BEGIN "+into+"; RETURN 1; END")},
		call:   "SELECT " + name + "()",
	}
}

// answers is a function that returns rows of a table.
func (g *gen) answers(name string) *routine {
	t := g.watched()
	c := g.anyCol(t, func(c *col) bool { return c.enum == nil })
	if c == nil {
		return nil
	}
	query := fmt.Sprintf("SELECT r.%s FROM %s r", quote(c.name), t.sql())
	r := &routine{call: "SELECT count(*) FROM " + name + "()"}
	if g.chance(50) {
		r.create = []string{fmt.Sprintf("CREATE FUNCTION %s() RETURNS TABLE (answer %s) LANGUAGE sql AS $$ %s $$", name, c.typ, query)}
	} else {
		r.create = []string{plpgsql(name+"()", "TABLE (answer "+c.typ+")", "BEGIN RETURN QUERY "+query+"; END")}
	}
	return r
}

// shadows is a function with a variable that has the name of a column that may come.
func (g *gen) shadows(name string) *routine {
	t := g.watched()
	variable := pick(g, columnNames()...)
	for _, c := range columnNames() {
		if g.m.focus[c] && g.chance(70) {
			variable = c
		}
	}
	if t.col(variable) != nil {
		return nil
	}
	return &routine{
		create: []string{plpgsql(name+"()", "bigint", fmt.Sprintf("DECLARE %s int := 0; BEGIN RETURN (SELECT count(*) FROM %s WHERE %[1]s IS NOT NULL); END", quote(variable), t.sql()))},
		call:   "SELECT " + name + "()",
	}
}

// changes is a function that updates or deletes, perhaps in a branch that is not taken.
func (g *gen) changes(name string) *routine {
	t := g.watched()
	c := g.anyCol(t, plain)
	if c == nil {
		return nil
	}
	change := fmt.Sprintf("UPDATE %s SET %s = %s WHERE id IS NULL;", t.sql(), quote(c.name), g.literal(c))
	if g.chance(40) {
		change = fmt.Sprintf("DELETE FROM %s WHERE id IS NULL AND %s IS NULL;", t.sql(), quote(c.name))
	}
	if g.chance(20) {
		change = "IF i < 0 THEN " + change + " END IF;"
	}
	return &routine{
		create: []string{plpgsql(name+"(i int)", "int", "BEGIN "+change+" RETURN i; END")},
		call:   "SELECT " + name + "(1)",
	}
}

// loops is a function that reads a table row by row.
func (g *gen) loops(name string) *routine {
	t := g.watched()
	c := g.anyCol(t, nil)
	return &routine{
		create: []string{plpgsql(name+"()", "int", fmt.Sprintf("DECLARE r record; n int := 0; BEGIN FOR r IN SELECT s.%s AS x FROM %s s LOOP n := n + 1; PERFORM r.x; END LOOP; RETURN n; END", quote(c.name), t.sql()))},
		call:   "SELECT " + name + "()",
	}
}
