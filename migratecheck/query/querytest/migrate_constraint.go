package querytest

import (
	"fmt"
	"strings"
)

func setNotNull(g *gen) []string {
	t, c := g.targetCol(func(c *col) bool { return !c.notNull })
	if c == nil {
		return nil
	}
	c.notNull = true
	return alter(t, "ALTER COLUMN %s SET NOT NULL", quote(c.name))
}

func dropNotNull(g *gen) []string {
	t, c := g.targetCol(func(c *col) bool { return c.notNull && !c.key })
	if c == nil {
		return nil
	}
	c.notNull = false
	return alter(t, "ALTER COLUMN %s DROP NOT NULL", quote(c.name))
}

func dropDefault(g *gen) []string {
	t, c := g.targetCol(func(c *col) bool { return c.def != "" })
	if c == nil {
		return nil
	}
	c.def = ""
	return alter(t, "ALTER COLUMN %s DROP DEFAULT", quote(c.name))
}

func addCheck(g *gen) []string {
	t, c := g.targetCol(func(c *col) bool { return plain(c) && (isNumber(c) || isText(c)) })
	if c == nil {
		return nil
	}
	n := quote(c.name)
	cond := pick(g, n+" > 0", n+" <> 66", n+" BETWEEN 1 AND 1000", n+" IS NOT NULL")
	if isText(c) {
		cond = pick(g, n+" <> ''", "length("+n+") < 10", n+" IN ('x', 'hello')", n+" IS NOT NULL", n+" = lower("+n+")")
	}
	return alter(t, "ADD %sCHECK (%s)%s", g.maybe(50, "CONSTRAINT new_check "), cond, g.maybe(30, " NOT VALID"))
}

func addUnique(g *gen) []string {
	t := g.target()
	u := g.unique(t, "new_unique")
	if u == nil {
		return nil
	}
	g.focusOn(u.cols...)
	if u.index {
		return []string{u.create(t)}
	}
	return alter(t, "ADD CONSTRAINT %s UNIQUE (%s)", u.name, strings.Join(quoteAll(u.cols), ", "))
}

func addForeignKey(g *gen) []string {
	parent := pick(g, g.m.tables...)
	t, c := g.targetCol(func(c *col) bool { return plain(c) && c.typ == parent.col("id").typ })
	if c == nil {
		return nil
	}
	c.ref = parent
	g.focusOn(parent.name)
	return alter(t, "ADD FOREIGN KEY (%s) REFERENCES %s%s", quote(c.name), parent.sql(), g.maybe(30, " NOT VALID"))
}

func addExclusion(g *gen) []string {
	t, c := g.targetCol(func(c *col) bool { return plain(c) && isNumber(c) })
	if c == nil {
		return nil
	}
	return alter(t, "ADD CONSTRAINT new_exclusion EXCLUDE USING btree (%s WITH =)", quote(c.name))
}

func dropUnique(g *gen) []string {
	for _, t := range g.m.tables {
		if len(t.uniques) > 0 {
			u := t.uniques[0]
			g.focusOn(t.name)
			g.focusOn(u.cols...)
			t.uniques = t.uniques[1:]
			if u.index {
				in := ""
				if t.schema != "" {
					in = t.schema + "."
				}
				return []string{"DROP INDEX " + in + u.name}
			}
			return alter(t, "DROP CONSTRAINT %s", u.name)
		}
	}
	return nil
}

func renameConstraint(g *gen) []string {
	for _, t := range g.m.tables {
		for _, u := range t.uniques {
			if !u.index {
				g.focusOn(t.name)
				g.focusOn(u.cols...)
				s := alter(t, "RENAME CONSTRAINT %s TO %s_new", u.name, u.name)
				u.name += "_new"
				return s
			}
		}
	}
	return nil
}

func renameIndex(g *gen) []string {
	for _, t := range g.m.tables {
		if len(t.uniques) > 0 && t.schema == "" {
			u := t.uniques[0]
			g.focusOn(t.name)
			g.focusOn(u.cols...)
			s := fmt.Sprintf("ALTER INDEX %s RENAME TO %s_new", u.name, u.name)
			u.name += "_new"
			return []string{s}
		}
	}
	return nil
}

// dropKey drops a primary key that nothing refers to; its column stays NOT NULL.
func dropKey(g *gen) []string {
	t := g.target()
	for _, other := range g.m.tables {
		for _, c := range other.cols {
			if c.ref == t {
				return nil
			}
		}
	}
	id := t.col("id")
	id.key = false
	g.focusOn("id")
	return alter(t, "DROP CONSTRAINT %s_pkey", t.name)
}
