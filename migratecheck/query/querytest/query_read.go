package querytest

import (
	"fmt"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
)

// writer builds one query: it numbers the parameters and remembers what code would bind to them.
type writer struct {
	*gen
	args []query.GoType
	cols []*col // by parameter: whose value it is
}

// query makes up a query of the schema.
func (g *gen) query(q *Query) {
	w := &writer{gen: g}
	makers := []struct {
		name   string
		weight int
		make   func() string
	}{
		{"select", 20, w.selectPlain}, {"star", 10, w.selectStar}, {"join", 14, w.selectJoin}, {"subquery", 8, w.selectSub}, {"cte", 6, w.selectWith},
		{"union", 4, w.selectUnion}, {"aggregate", 6, w.selectAggregate}, {"view", 8, w.selectView}, {"call", 5, w.selectCall}, {"sequence", 3, w.selectSequence},
		{"cast", 4, w.selectCast}, {"lateral", 3, w.selectLateral},
		{"insert", 24, w.insert}, {"upsert", 14, w.upsert}, {"insert-select", 4, w.insertSelect}, {"update", 18, w.update}, {"update-from", 4, w.updateFrom}, {"update-row", 3, w.updateRow},
		{"delete-using", 3, w.deleteUsing}, {"insert-with", 3, w.insertWith}, {"expression", 8, w.selectExpression},
		{"delete", 8, w.delete}, {"merge", 4, w.merge}, {"copy", 2, w.copy},
		{"truncate", 1, w.truncate}, {"positional", 2, w.positional}, {"group", 1, w.group}, {"name", 2, func() string { q.Name = w.constraintName(); return q.Name }},
	}
	total := 0
	for i := range makers {
		if slices.Contains(g.likes, makers[i].name) {
			makers[i].weight *= 6
		}
		total += makers[i].weight
	}
	for q.SQL == "" {
		w.args, w.cols, q.Name = nil, nil, ""
		n := g.rng.IntN(total)
		for _, m := range makers {
			if n -= m.weight; n < 0 {
				q.SQL, q.Maker = m.make(), m.name
				break
			}
		}
	}
	q.Args, q.ByName = w.args, g.chance(25)
	if q.Name != "" {
		q.SQL = ""
	}
}

// table is one to query, the migration's rather than another.
func (w *writer) table() *table {
	var list []*table
	for _, t := range w.m.tables {
		list = append(list, t)
		if w.m.focus[t.name] {
			list = append(list, t, t, t, t, t)
		}
	}
	return pick(w.gen, list...)
}

// param is a new parameter for a value of the column.
func (w *writer) param(c *col, written bool) string {
	t := goTypeOf(c)
	if c.enum != nil && w.chance(66) {
		t.Name, t.Labels = "Mood", slices.Clone(c.enum.labels)
	}
	if known := w.m.known[c.name]; known != nil && isText(c) && w.chance(66) {
		t.Name, t.Labels = "Kind", slices.Clone(known)
	}
	t.Nullable = written && !c.notNull && w.chance(50)
	if t.Nullable {
		t.Name = "*" + t.Name
	}
	w.args, w.cols = append(w.args, t), append(w.cols, c)
	return fmt.Sprintf("$%d", len(w.args))
}

func goTypeOf(c *col) query.GoType {
	switch c.family() {
	case "int", "smallint":
		return query.GoType{Name: "int", Kind: query.Int, Bits: 64}
	case "bigint":
		return query.GoType{Name: "int64", Kind: query.Int, Bits: 64}
	case "text", "varchar", "enum":
		return query.GoType{Name: "string", Kind: query.String}
	case "boolean":
		return query.GoType{Name: "bool", Kind: query.Bool}
	case "timestamptz", "date":
		return query.GoType{Name: "time.Time", Kind: query.Time}
	case "double precision":
		return query.GoType{Name: "float64", Kind: query.Float, Bits: 64}
	case "bytea":
		return query.GoType{Name: "[]byte", Kind: query.Bytes}
	case "uuid":
		return query.GoType{Name: "uuid.UUID", Kind: query.UUID}
	case "numeric":
		return query.GoType{Name: "float64", Kind: query.Float, Bits: 64}
	case "jsonb":
		return query.GoType{Name: "json.RawMessage", Kind: query.Bytes}
	case "text[]", "int[]":
		return query.GoType{Name: "pq.Array", Kind: query.List}
	}
	return query.GoType{}
}

// value is what code compares a column with or puts into it.
func (w *writer) value(c *col, written bool) string {
	percent := 65
	if !written || c.ref != nil {
		percent = 88 // a constant seldom finds a row
	}
	if w.m.known[c.name] != nil {
		percent = 50
	}
	if w.chance(percent) {
		for i, d := range w.cols {
			if written && d != c && d.typ == c.typ && d.enum == c.enum && c.ref == nil && d.ref == nil && w.chance(40) {
				return fmt.Sprintf("$%d", i+1) // the same value, as of two times
			}
		}
		return w.param(c, written)
	}
	if written && !c.notNull && w.chance(15) {
		return "NULL"
	}
	return w.literal(c)
}

// where is a condition on a table under a prefix ("t." or nothing), or nothing.
func (w *writer) where(t *table, prefix string) string {
	var conds []string
	for range w.rng.IntN(3) {
		c := w.anyCol(t, nil)
		n := prefix + quote(c.name)
		switch w.rng.IntN(7) {
		case 0:
			conds = append(conds, n+pick(w.gen, " IS NULL", " IS NOT NULL"))
		case 1:
			p := w.param(c, false)
			w.args[len(w.args)-1] = query.GoType{Name: "[]" + goTypeOf(c).Name, Kind: query.List}
			conds = append(conds, n+" = ANY("+p+")")
		case 2:
			if isNumber(c) {
				conds = append(conds, n+pick(w.gen, " > 0", " < 100", " BETWEEN 1 AND 50"))
			} else if isText(c) {
				conds = append(conds, pick(w.gen, "lower("+n+") = 'x'", n+" LIKE 'a%'", "length("+n+") > 1"))
			}
		case 3:
			if isKeyable(c) || c.enum != nil {
				conds = append(conds, n+" IN ("+w.value(c, false)+", "+w.value(c, false)+")")
			}
		default:
			if c.typ != "jsonb" {
				conds = append(conds, n+" = "+w.value(c, false))
			}
		}
	}
	if len(conds) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(conds, pick(w.gen, " AND ", " AND ", " OR "))
}

// columns lists one to three columns of a table.
func (w *writer) columns(t *table, prefix string) []string {
	var list []string
	for range 1 + w.rng.IntN(3) {
		c := w.anyCol(t, nil)
		s := prefix + quote(c.name)
		switch {
		case isText(c) && w.chance(12):
			s = pick(w.gen, "coalesce("+s+", 'none')", "upper("+s+")", s+" || 'x'")
		case isNumber(c) && w.chance(12):
			s = pick(w.gen, s+" + 1", "coalesce("+s+", 0)", "-"+s)
		}
		list = append(list, s)
	}
	return list
}

func (w *writer) tail(t *table, prefix string) string {
	s := ""
	if w.chance(30) {
		s += " ORDER BY " + prefix + quote(w.anyCol(t, func(c *col) bool { return c.typ != "json" }).name) + w.maybe(40, " DESC")
	}
	return s + w.maybe(20, " LIMIT 10") + w.maybe(8, " FOR UPDATE")
}

func (w *writer) selectPlain() string {
	t := w.table()
	alias, prefix := "", ""
	if w.chance(40) {
		alias, prefix = " x", "x."
	} else if w.chance(20) {
		prefix = quote(t.name) + "."
	}
	return "SELECT " + strings.Join(w.columns(t, prefix), ", ") + " FROM " + t.sql() + alias + w.where(t, prefix) + w.tail(t, prefix)
}

func (w *writer) selectStar() string {
	t := w.table()
	return pick(w.gen, "SELECT * FROM "+t.sql(), "SELECT x.* FROM "+t.sql()+" x", "TABLE "+t.sql()) + w.maybe(30, " LIMIT 5")
}

// selectJoin joins two tables; names that only one of them has are not qualified.
func (w *writer) selectJoin() string {
	a, b := w.table(), pick(w.gen, w.m.tables...)
	if a == b {
		return ""
	}
	on := " ON true"
	for _, c := range b.cols {
		if c.ref == a {
			on = " ON y." + quote(c.name) + " = x.id"
		}
	}
	for _, c := range a.cols {
		if c.ref == b {
			on = " ON x." + quote(c.name) + " = y.id"
		}
	}
	if on == " ON true" && a.col("id").typ == b.col("id").typ && w.chance(60) {
		on = pick(w.gen, " USING (id)", " ON x.id = y.id")
	}
	var cols []string
	for range 1 + w.rng.IntN(3) {
		t, other, prefix := a, b, "x."
		if w.chance(50) {
			t, other, prefix = b, a, "y."
		}
		c := w.anyCol(t, nil)
		if other.col(c.name) == nil && w.chance(75) {
			prefix = ""
		}
		cols = append(cols, prefix+quote(c.name))
	}
	if w.chance(10) {
		cols = append(cols, "y.*")
	}
	return "SELECT " + strings.Join(cols, ", ") + " FROM " + a.sql() + " x " + pick(w.gen, "JOIN ", "LEFT JOIN ") + b.sql() + " y" + on + w.where(a, "x.")
}

func (w *writer) selectSub() string {
	a, b := w.table(), w.table()
	c := w.anyCol(b, nil)
	switch w.rng.IntN(3) {
	case 0:
		return "SELECT x.id FROM " + a.sql() + " x WHERE EXISTS (SELECT 1 FROM " + b.sql() + " y WHERE y." + quote(c.name) + " IS NOT NULL)"
	case 1:
		return "SELECT x.id, (SELECT count(" + quote(c.name) + ") FROM " + b.sql() + ") AS n FROM " + a.sql() + " x" + w.where(a, "x.")
	}
	return "SELECT q.v FROM (SELECT " + quote(c.name) + " AS v FROM " + b.sql() + w.where(b, "") + ") q"
}

func (w *writer) selectWith() string {
	a := w.table()
	c := w.anyCol(a, nil)
	if w.chance(40) {
		return "WITH gone AS (DELETE FROM " + a.sql() + w.where(a, "") + " RETURNING " + quote(c.name) + ") SELECT count(*) FROM gone"
	}
	return "WITH q AS (SELECT id, " + quote(c.name) + " AS v FROM " + a.sql() + w.where(a, "") + ") SELECT q.v FROM q JOIN " + a.sql() + " x ON x.id = q.id"
}

func (w *writer) selectUnion() string {
	a, b := w.table(), w.table()
	c, d := w.anyCol(a, isText), w.anyCol(b, isText)
	if c == nil || d == nil {
		return ""
	}
	return "SELECT " + quote(c.name) + " FROM " + a.sql() + pick(w.gen, " UNION ", " UNION ALL ", " EXCEPT ") + "SELECT " + quote(d.name) + " FROM " + b.sql()
}

func (w *writer) selectAggregate() string {
	a := w.table()
	c := w.anyCol(a, isKeyable)
	n := quote(c.name)
	return pick(w.gen,
		"SELECT "+n+", count(*) FROM "+a.sql()+" GROUP BY "+n+" HAVING count(*) > 0",
		"SELECT count("+n+") FROM "+a.sql(),
		"SELECT DISTINCT ON ("+n+") "+n+", id FROM "+a.sql()+" ORDER BY "+n,
		"SELECT "+n+", row_number() OVER (ORDER BY "+n+") FROM "+a.sql(),
		"SELECT array_agg("+n+" ORDER BY id) FROM "+a.sql(),
		"SELECT a_row FROM "+a.sql()+" a_row")
}

// group groups by the key, on which the other columns depend while it is one.
func (w *writer) group() string {
	t := w.table()
	c := w.anyCol(t, plain)
	if c == nil || !t.col("id").key {
		return ""
	}
	return "SELECT id, " + quote(c.name) + ", count(*) FROM " + t.sql() + " GROUP BY id"
}

func (w *writer) selectView() string {
	if len(w.m.views) == 0 {
		return ""
	}
	v := pick(w.gen, w.m.views...)
	i := w.rng.IntN(len(v.names))
	if w.chance(35) {
		return "SELECT * FROM " + quote(v.name)
	}
	if plain(v.cols[i]) && !v.fixed && w.chance(25) {
		return "UPDATE " + quote(v.name) + " SET " + quote(v.names[i]) + " = " + w.value(v.cols[i], true)
	}
	return "SELECT " + quote(v.names[i]) + " FROM " + quote(v.name)
}

func (w *writer) selectCall() string {
	if len(w.m.funcs) == 0 {
		return ""
	}
	f := w.m.funcs[0]
	t := w.table()
	first := "1"
	if c := w.anyCol(t, func(c *col) bool { return c.typ == "int" || c.typ == "smallint" }); c != nil && w.chance(70) {
		first = quote(c.name)
	}
	return "SELECT " + f.name + "(" + first + strings.Repeat(", 2", f.args-1) + ") FROM " + t.sql()
}

func (w *writer) selectSequence() string {
	if len(w.m.seqs) == 0 {
		return ""
	}
	return pick(w.gen, "SELECT nextval('"+w.m.seqs[0]+"')", "SELECT nextval('"+w.m.seqs[0]+"'::regclass)", "SELECT last_value FROM "+w.m.seqs[0])
}

func (w *writer) selectCast() string {
	if len(w.m.enums) > 0 && w.chance(60) {
		e := pick(w.gen, w.m.enums...)
		for _, f := range w.m.enums {
			if w.m.focus[f.name] {
				e = f
			}
		}
		c := &col{typ: e.name, enum: e}
		return pick(w.gen, "SELECT "+w.literal(c)+"::"+e.name, "SELECT CAST("+w.literal(c)+" AS "+e.name+") AS v", "SELECT enum_range(NULL::"+e.name+")")
	}
	t := w.table()
	c := w.anyCol(t, nil)
	to := "text"
	if isNumber(c) {
		to = pick(w.gen, "bigint", "text", "numeric")
	}
	return "SELECT " + quote(c.name) + "::" + to + " FROM " + t.sql() + w.where(t, "")
}

// selectExpression computes with a column what its type allows.
func (w *writer) selectExpression() string {
	t := w.table()
	c := w.anyCol(t, nil)
	n := quote(c.name)
	e := "CASE WHEN " + n + " IS NULL THEN 1 ELSE 0 END"
	switch family := c.family(); {
	case isNumber(c) || family == "numeric" || family == "double precision":
		e = pick(w.gen, n+" * 2", "round("+n+")", "greatest("+n+", 1)", "sum("+n+")", "nullif("+n+", 0)", "abs("+n+") % 2", n+" BETWEEN 1 AND 2", "to_char("+n+", '999')", n+" IN (1, 2)")
		if family == "double precision" {
			e = pick(w.gen, n+" / 2", "floor("+n+")", "avg("+n+")")
		}
	case isText(c):
		e = pick(w.gen, "substring("+n+" FROM 1 FOR 2)", "split_part("+n+", ',', 1)", n+" ~ '^a'", "string_agg("+n+", ',')", "left("+n+", 3)", "concat("+n+", 1)", n+" || 1", "md5("+n+")", "to_tsvector("+n+")", n+" ILIKE $$x%$$")
	case c.enum != nil:
		l := w.literal(c)
		e = pick(w.gen, n+" = "+l, n+" > "+l, "CASE "+n+" WHEN "+l+" THEN 1 END", n+" IN ("+l+")", n+"::text = 'x'", "max("+n+")", "coalesce("+n+", "+l+")", "ARRAY["+n+", "+l+"]", "count(*) FILTER (WHERE "+n+" = "+l+")")
	case family == "boolean":
		e = pick(w.gen, "NOT "+n, n+" AND true", n+" IS TRUE", "bool_or("+n+")", "CASE WHEN "+n+" THEN 'y' END")
	case family == "timestamptz" || family == "date":
		e = pick(w.gen, "date_trunc('day', "+n+")", n+" + interval '1 day'", "extract(year FROM "+n+")", n+" < now()", "max("+n+")", n+"::date", "age("+n+")", n+" - "+n)
	case family == "jsonb":
		e = pick(w.gen, n+" ->> 'a'", n+" -> 'a'", n+" @> '{}'", n+" ? 'a'", "jsonb_typeof("+n+")", n+" #>> '{a,b}'")
	case strings.HasSuffix(family, "[]"):
		e = pick(w.gen, n+"[1]", "array_length("+n+", 1)", "unnest("+n+")", "cardinality("+n+")", w.literal(&col{typ: strings.TrimSuffix(family, "[]")})+" = ANY ("+n+")", n+" || "+n, n+" && "+n)
	case family == "bytea":
		e = pick(w.gen, "length("+n+")", "encode("+n+", 'hex')", "sha256("+n+")")
	case family == "uuid":
		e = pick(w.gen, n+"::text", n+" < gen_random_uuid()", "count(DISTINCT "+n+")")
	}
	return "SELECT " + e + " AS e FROM " + t.sql() + w.maybe(30, " WHERE "+n+" IS NOT NULL")
}

func (w *writer) selectLateral() string {
	a, b := w.table(), w.table()
	c := w.anyCol(b, nil)
	return "SELECT x.id, l.v FROM " + a.sql() + " x CROSS JOIN LATERAL (SELECT y." + quote(c.name) + " AS v FROM " + b.sql() + " y LIMIT 1) l"
}
