package querytest

import (
	"slices"
	"strings"
)

func dropTable(g *gen) []string {
	t := g.target()
	g.forget(t, "")
	g.m.tables = slices.DeleteFunc(g.m.tables, func(o *table) bool { return o == t })
	return []string{"DROP TABLE " + t.sql() + " CASCADE"}
}

func renameTable(g *gen) []string {
	t := g.target()
	s := alter(t, "RENAME TO %s2", t.name)
	t.name += "2"
	g.focusOn(t.name)
	return s
}

// viewInstead leaves a view under the name of a table, for old code to go on.
func viewInstead(g *gen) []string {
	t := g.target()
	if t.schema != "" {
		return nil
	}
	v := &view{name: t.name, table: t}
	for _, c := range t.cols {
		v.cols, v.names = append(v.cols, c), append(v.names, c.name)
	}
	s := alter(t, "RENAME TO %s2", t.name)
	t.name += "2"
	g.m.views = append(g.m.views, v)
	g.focusOn(t.name)
	return append(s, v.create("CREATE VIEW "))
}

// replaceTable gives a table's name to another one.
func replaceTable(g *gen) []string {
	t := g.target()
	old := t.sql()
	g.m.views = slices.DeleteFunc(g.m.views, func(v *view) bool { return v.table == t })
	for _, other := range g.m.tables {
		for _, c := range other.cols {
			if c.ref == t {
				return nil
			}
		}
	}
	t.uniques = nil
	for _, c := range t.cols {
		c.ref = nil
	}
	return []string{"ALTER TABLE " + old + " RENAME TO " + t.name + "_former", t.create()[0]}
}

func dropColumn(g *gen) []string {
	t, c := g.targetCol(func(c *col) bool { return !c.key })
	if c == nil {
		return nil
	}
	g.forget(t, c.name)
	t.drop(c.name)
	return alter(t, "DROP COLUMN %s CASCADE", quote(c.name))
}

func renameColumn(g *gen) []string {
	t, c := g.targetCol(func(c *col) bool { return !c.key })
	if c == nil {
		return nil
	}
	s := alter(t, "RENAME COLUMN %s TO %s_new", quote(c.name), strings.ToLower(c.name))
	for _, u := range t.uniques {
		for i, n := range u.cols {
			if n == c.name {
				u.cols[i] = strings.ToLower(c.name) + "_new"
			}
		}
		u.where = strings.ReplaceAll(u.where, quote(c.name)+" IS", strings.ToLower(c.name)+"_new IS")
	}
	c.name = strings.ToLower(c.name) + "_new"
	g.focusOn(c.name)
	return s
}

// reuseColumnName gives a column's name to another one.
func reuseColumnName(g *gen) []string {
	t, c := g.targetCol(plain)
	if c == nil {
		return nil
	}
	name := c.name
	s := append(alter(t, "RENAME COLUMN %s TO former", quote(name)), "ALTER TABLE "+t.sql()+" ADD COLUMN "+quote(name)+" "+c.typ)
	c.name = "former"
	for _, u := range t.uniques {
		for i, n := range u.cols {
			if n == name {
				u.cols[i] = "former"
			}
		}
	}
	t.cols = append(t.cols, &col{name: name, typ: c.typ, enum: c.enum})
	g.m.views = slices.DeleteFunc(g.m.views, func(v *view) bool { return v.table == t })
	return s
}

func changeType(g *gen) []string {
	changes := map[string][]string{
		"int": {"text", "bigint", "numeric"}, "bigint": {"text", "numeric"}, "text": {"varchar(20)", "jsonb"}, "boolean": {"int", "text"},
		"date": {"timestamptz", "text"}, "timestamptz": {"date", "text"}, "uuid": {"text"}, "jsonb": {"text"}, "varchar(20)": {"text", "varchar(60)"},
		"double precision": {"text"}, "int[]": {"text[]"}, "text[]": {"jsonb"}, "numeric(8,2)": {"double precision", "text"},
	}
	t, c := g.targetCol(func(c *col) bool { return plain(c) && (changes[c.typ] != nil || c.enum != nil) })
	if c == nil || slices.ContainsFunc(t.uniques, func(u *unique) bool { return slices.Contains(u.cols, c.name) }) {
		return nil
	}
	to := "text"
	if c.enum == nil {
		to = pick(g, changes[c.typ]...)
	}
	using := "NULL::" + to
	if c.notNull {
		using = quote(c.name) + "::text::" + to
		if to == "jsonb" {
			using = "to_jsonb(" + quote(c.name) + ")"
		}
	}
	s := alter(t, "ALTER COLUMN %s TYPE %s USING %s", quote(c.name), to, using)
	c.typ, c.enum, c.def = to, nil, ""
	return append(append(g.dropViews(t), "ALTER TABLE "+t.sql()+" ALTER COLUMN "+quote(c.name)+" DROP DEFAULT"), s...)
}

// convertValues changes what a column holds in place, with the code before and after it knowing other texts.
func convertValues(g *gen) []string {
	t, c := g.targetCol(func(c *col) bool {
		return plain(c) && (isText(c) || c.enum != nil) && !slices.ContainsFunc(g.m.tables, func(t *table) bool {
			return slices.ContainsFunc(t.uniques, func(u *unique) bool { return slices.Contains(u.cols, c.name) })
		})
	})
	if c == nil {
		return nil
	}
	n := quote(c.name)
	old, text := []string{"x", "hello", "kept"}, n
	if c.enum != nil {
		old, text = c.enum.labels, n+"::text"
	}
	now := slices.Clone(old)
	using := ""
	switch g.rng.IntN(4) {
	case 0:
		using = "upper(" + text + ")"
		for i, s := range old {
			now[i] = strings.ToUpper(s)
		}
	case 1: // from upper case
		if c.enum != nil {
			return nil
		}
		using = "lower(" + text + ")"
		old = slices.Clone(old)
		for i, s := range old {
			old[i] = strings.ToUpper(s)
		}
	case 2:
		if c.enum != nil {
			return nil
		}
		using = "trim(" + text + ")"
		old = []string{" x", "hello ", "kept"}
	default:
		using = "CASE " + text
		for i, s := range old[:2] {
			now[i] = []string{"open", "shut"}[i]
			using += " WHEN '" + s + "' THEN '" + now[i] + "'"
		}
		using += " ELSE " + text + " END"
	}
	script := append(g.dropViews(t), "ALTER TABLE "+t.sql()+" ALTER COLUMN "+n+" DROP DEFAULT")
	to := pick(g, "varchar(60)", "varchar", "text")
	var kinds *enum
	if g.chance(40) {
		// What no label is becomes one before.
		kinds = &enum{name: "kinds", labels: now}
		list := "'" + strings.Join(old, "', '") + "'"
		if c.enum == nil {
			script = append(script, "UPDATE "+t.sql()+" SET "+n+" = "+"'"+old[0]+"' WHERE "+n+" NOT IN ("+list+")")
		}
		script = append(script, "CREATE TYPE kinds AS ENUM ('"+strings.Join(now, "', '")+"')")
		g.m.enums = append(g.m.enums, kinds)
		to, using = "kinds", "("+using+")::kinds"
	}
	g.knew, g.m.known = map[string][]string{c.name: old}, map[string][]string{c.name: now}
	c.typ, c.enum, c.def = to, kinds, ""
	return append(script, alter(t, "ALTER COLUMN %s TYPE %s USING %s", n, to, using)...)
}

// dropViews is what must go before a type changes: the server refuses to alter what a view uses.
func (g *gen) dropViews(t *table) []string {
	var list []string
	for _, v := range g.m.views {
		if v.table == t {
			list = append(list, "DROP VIEW "+v.name)
		}
	}
	g.m.views = slices.DeleteFunc(g.m.views, func(v *view) bool { return v.table == t })
	return list
}

func narrowType(g *gen) []string {
	narrower := map[string]string{"bigint": "int", "int": "smallint", "text": "varchar(5)", "varchar(20)": "varchar(3)", "numeric(8,2)": "numeric(3,0)", "double precision": "int"}
	t, c := g.targetCol(func(c *col) bool { return plain(c) && narrower[c.typ] != "" })
	if c == nil {
		return nil
	}
	s := g.dropViews(t)
	to := narrower[c.typ]
	c.typ = to
	return append(s, alter(t, "ALTER COLUMN %s TYPE %s", quote(c.name), to)...)
}

func addRequiredColumn(g *gen) []string {
	t := g.target()
	c := g.column("extra")
	c.notNull, c.def = true, ""
	t.cols = append(t.cols, c)
	g.focusOn(c.name)
	return alter(t, "ADD COLUMN %s", c.definition())
}

// addColumn adds one that need not be filled; its name may be one that another table has as well.
func addColumn(g *gen) []string {
	t := g.target()
	name := pick(g, append(columnNames(), "extra", "extra")...)
	if other := pick(g, g.m.tables...); other != t && g.chance(50) {
		name = pick(g, other.cols...).name // which makes it ambiguous in a join
		g.focusOn(other.name)
	}
	if t.col(name) != nil {
		return nil
	}
	c := g.column(name)
	if c.notNull && c.def == "" {
		c.notNull = false
	}
	t.cols = append(t.cols, c)
	g.focusOn(c.name)
	return alter(t, "ADD COLUMN %s", c.definition())
}
