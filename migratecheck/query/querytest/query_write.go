package querytest

import (
	"slices"
	"strings"
)

// filled lists the columns that an INSERT of today's code fills: those it must and some that it may.
func (w *writer) filled(t *table) []*col {
	var list []*col
	for _, c := range t.cols {
		must := c.notNull && c.def == "" && c.auto == ""
		may := c.auto == "" || c.auto == "serial" || c.auto == "default"
		percent := 55
		if w.m.focus[c.name] {
			percent = 75
		}
		if c.auto != "" {
			percent = 5
		}
		if !c.computed && (must || may && w.chance(percent)) {
			list = append(list, c)
		}
	}
	return list
}

func (w *writer) returning(t *table) string {
	if !w.chance(35) {
		return ""
	}
	if w.chance(20) {
		return " RETURNING *"
	}
	return " RETURNING " + strings.Join(w.columns(t, ""), ", ")
}

// body is INSERT INTO … VALUES, without what follows.
func (w *writer) body(t *table) string {
	cols := w.filled(t)
	if len(cols) == 0 {
		return "INSERT INTO " + t.sql() + " DEFAULT VALUES"
	}
	var names, rows []string
	for _, c := range cols {
		names = append(names, quote(c.name))
	}
	for range 1 + w.rng.IntN(8)/7 {
		var values []string
		for _, c := range cols {
			if (c.def != "" || !c.notNull && c.auto == "") && w.chance(6) {
				values = append(values, "DEFAULT")
				continue
			}
			values = append(values, w.value(c, true))
		}
		rows = append(rows, "("+strings.Join(values, ", ")+")")
	}
	list := " (" + strings.Join(names, ", ") + ")"
	if len(cols) == len(t.cols) && w.chance(40) {
		list = "" // by position
	}
	return "INSERT INTO " + t.sql() + list + " VALUES " + strings.Join(rows, ", ")
}

// positional gives every column a value, by its place.
func (w *writer) positional() string {
	t := w.table()
	var values []string
	for _, c := range t.cols {
		if c.computed || c.auto != "" {
			values = append(values, "DEFAULT")
			continue
		}
		values = append(values, w.value(c, true))
	}
	return "INSERT INTO " + t.sql() + " VALUES (" + strings.Join(values, ", ") + ")"
}

func (w *writer) insert() string {
	t := w.table()
	return w.body(t) + w.returning(t)
}

func (w *writer) upsert() string {
	t := w.table()
	s := w.body(t)
	target := ""
	switch {
	case len(t.uniques) > 0 && w.chance(85):
		u := pick(w.gen, t.uniques...)
		target = " (" + strings.Join(quoteAll(u.cols), ", ") + ")"
		if u.where != "" {
			target += " WHERE " + u.where
		} else if !u.index && w.chance(45) {
			target = " ON CONSTRAINT " + u.name
		}
	case w.chance(60):
		target = " (id)"
	default:
		return s + " ON CONFLICT DO NOTHING"
	}
	if w.chance(40) {
		return s + " ON CONFLICT" + target + " DO NOTHING"
	}
	c := w.anyCol(t, plain)
	if c == nil {
		return ""
	}
	value := "excluded." + quote(c.name)
	if w.chance(40) {
		value = w.value(c, true)
	}
	return s + " ON CONFLICT" + target + " DO UPDATE SET " + quote(c.name) + " = " + value + w.returning(t)
}

func (w *writer) insertSelect() string {
	t := w.table()
	from := pick(w.gen, w.m.tables...)
	cols := w.filled(t)
	var names, values []string
	for _, c := range cols {
		if c.key && c.auto == "" && c.def != "" {
			continue
		}
		names = append(names, quote(c.name))
		value := ""
		for _, d := range from.cols {
			if d.typ == c.typ && (d.notNull || !c.notNull) && plain(c) && w.chance(50) {
				value = "s." + quote(d.name)
			}
		}
		if value == "" {
			value = w.value(c, true)
		}
		if strings.HasPrefix(value, "'") {
			value += "::" + c.typ
		} else if strings.HasPrefix(value, "$") {
			value += "::" + c.typ
		}
		values = append(values, value)
	}
	if len(names) == 0 {
		return ""
	}
	return "INSERT INTO " + t.sql() + " (" + strings.Join(names, ", ") + ") SELECT " + strings.Join(values, ", ") + " FROM " + from.sql() + " s LIMIT 1"
}

func (w *writer) set(t *table) string {
	var parts []string
	used := map[string]bool{}
	for range 1 + w.rng.IntN(2) {
		c := w.anyCol(t, func(c *col) bool { return !c.key && c.auto == "" && !c.computed })
		if c == nil || used[c.name] {
			continue
		}
		used[c.name] = true
		value := w.value(c, true)
		if isNumber(c) && w.chance(15) {
			value = quote(c.name) + " + 1"
		}
		if c.def != "" && w.chance(8) {
			value = "DEFAULT"
		}
		parts = append(parts, quote(c.name)+" = "+value)
	}
	return strings.Join(parts, ", ")
}

func (w *writer) update() string {
	t := w.table()
	set := w.set(t)
	if set == "" {
		return ""
	}
	where := w.where(t, "")
	if w.chance(40) {
		where = " WHERE id = " + w.param(t.col("id"), false)
	}
	return "UPDATE " + t.sql() + " SET " + set + where + w.returning(t)
}

// updateRow sets several columns at once.
func (w *writer) updateRow() string {
	t := w.table()
	a := w.anyCol(t, func(c *col) bool { return plain(c) })
	b := w.anyCol(t, func(c *col) bool { return plain(c) && c != a })
	if a == nil || b == nil {
		return ""
	}
	return "UPDATE " + t.sql() + " SET (" + quote(a.name) + ", " + quote(b.name) + ") = (" + w.value(a, true) + ", " + w.value(b, true) + ")" + w.where(t, "") + w.returning(t)
}

// deleteUsing deletes rows that another table has to do with.
func (w *writer) deleteUsing() string {
	t, from := w.table(), pick(w.gen, w.m.tables...)
	if t == from {
		return ""
	}
	for _, c := range t.cols {
		if c.ref == from {
			return "DELETE FROM " + t.sql() + " x USING " + from.sql() + " y WHERE x." + quote(c.name) + " = y.id AND y." + quote(w.anyCol(from, nil).name) + " IS NOT NULL"
		}
	}
	return "DELETE FROM " + t.sql() + " x USING " + from.sql() + " y WHERE x." + quote(w.anyCol(t, nil).name) + " IS NOT NULL"
}

// insertWith puts in a row and another that refers to it.
func (w *writer) insertWith() string {
	t := w.table()
	for _, c := range t.cols {
		if c.ref == nil {
			continue
		}
		s := "WITH made AS (" + w.body(c.ref) + " RETURNING id) "
		var names, values []string
		for _, d := range w.filled(t) {
			names = append(names, quote(d.name))
			switch {
			case d == c:
				values = append(values, "made.id")
			case d.typ == "":
				return ""
			default:
				values = append(values, w.value(d, true)+"::"+d.typ)
			}
		}
		if !slices.Contains(values, "made.id") {
			names, values = append(names, quote(c.name)), append(values, "made.id")
		}
		return s + "INSERT INTO " + t.sql() + " (" + strings.Join(names, ", ") + ") SELECT " + strings.Join(values, ", ") + " FROM made"
	}
	return ""
}

func (w *writer) updateFrom() string {
	t, from := w.table(), pick(w.gen, w.m.tables...)
	if t == from {
		return ""
	}
	set := w.set(t)
	if set == "" || strings.Contains(set, " + 1") {
		return ""
	}
	return "UPDATE " + t.sql() + " x SET " + set + " FROM " + from.sql() + " y WHERE y." + quote(w.anyCol(from, nil).name) + " IS NOT NULL"
}

func (w *writer) delete() string {
	t := w.table()
	return "DELETE FROM " + t.sql() + w.where(t, "") + w.returning(t)
}

func (w *writer) merge() string {
	t := w.table()
	c := w.anyCol(t, func(c *col) bool { return plain(c) && isKeyable(c) })
	if c == nil {
		return ""
	}
	cols := w.filled(t)
	var names, values []string
	for _, k := range cols {
		names, values = append(names, quote(k.name)), append(values, w.value(k, true))
	}
	insert := "INSERT DEFAULT VALUES"
	if len(names) > 0 {
		insert = "INSERT (" + strings.Join(names, ", ") + ") VALUES (" + strings.Join(values, ", ") + ")"
	}
	n := quote(c.name)
	set := n + " = s.k"
	if d := w.anyCol(t, func(d *col) bool { return plain(d) && d != c }); d != nil && w.chance(70) {
		set = quote(d.name) + " = " + w.value(d, true)
	}
	return "MERGE INTO " + t.sql() + " x USING (SELECT " + w.param(c, false) + "::" + c.typ + " AS k) s ON x." + n + " = s.k" +
		" WHEN MATCHED THEN UPDATE SET " + set + " WHEN NOT MATCHED THEN " + insert
}

func (w *writer) copy() string {
	t := w.table()
	if w.chance(20) {
		return "COPY " + t.sql() + " FROM STDIN"
	}
	var names []string
	for _, c := range w.filled(t) {
		names = append(names, quote(c.name))
	}
	if len(names) == 0 {
		return ""
	}
	return "COPY " + t.sql() + " (" + strings.Join(names, ", ") + ") FROM STDIN"
}

func (w *writer) truncate() string { return "TRUNCATE " + w.table().sql() + w.maybe(20, " CASCADE") }

// constraintName is one that code compares with the name in an error.
func (w *writer) constraintName() string {
	t := w.table()
	if len(t.uniques) == 0 {
		return ""
	}
	return pick(w.gen, t.uniques...).name
}
