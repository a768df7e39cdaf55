package sqlalchemy

import (
	"cmp"
	"slices"
	"strconv"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source/internal/python"
)

// settle brings the attributes into the order in which their columns were made, as SQLAlchemy does
// (sqlalchemy/orm/decl_base.py, _extract_declared_columns).
func (r *repo) settle(m *model) {
	slices.SortStableFunc(m.attrs, func(a, b attr) int {
		if a.column == nil || b.column == nil {
			return 0
		}
		return cmp.Compare(r.created[a.column], r.created[b.column])
	})
}

// columns lists the attributes of a class that are columns, the inherited ones first.
func (m *model) columns() []attr {
	var out []attr
	if m.parent != nil {
		out = m.parent.columns()
	}
	for _, a := range m.attrs {
		if a.column != nil {
			out = append(out, a)
		}
	}
	return out
}

// own are the columns of the class's own table.
func (m *model) own() []attr {
	if m.parent != nil && !m.joined {
		return m.columns()
	}
	return slices.DeleteFunc(slices.Clone(m.attrs), func(a attr) bool { return a.column == nil })
}

// why says what is not known of a class, or of those it inherits from.
func (m *model) why() string {
	for ; m != nil; m = m.parent {
		if m.unknown != "" {
			return m.unknown
		}
	}
	return ""
}

// site makes the site of a mapped class.
func (r *repo) site(m *model) {
	s := query.Site{Pos: r.pos(m.at.mod, m.at.n.Start), Lang: "python", Kind: query.Model, Func: m.name, Status: query.Static}
	why := m.why()
	if why != "" {
		s.Status, s.Reason = query.Partial, why
	}
	if m.table.S == "" || len(m.columns()) == 0 {
		s.Status, s.Reason = query.Dynamic, python.OrText(why, "it has no columns that are known")
		r.sites = append(r.sites, s)
		return
	}
	w := writer{r: r, home: m.at}
	s.Variants = append(s.Variants, w.selectModel(m))
	if why == "" { // else the list of columns is not complete
		s.Variants = append(s.Variants, w.insert(m.table, m.schema, m.own()))
	}
	if v, ok := w.update(m); ok {
		s.Variants = append(s.Variants, v)
	}
	r.sites = append(r.sites, s)
}

// usedTable notes that a class is mapped to the table, or that a relationship goes through it.
func (r *repo) usedTable(t *python.Table) { delete(r.tableAt, t) }

// tableSite makes the site of a Table that no class is mapped to.
func (r *repo) tableSite(t *python.Table, at place) {
	s := query.Site{Pos: r.pos(at.mod, at.n.Start), Lang: "python", Kind: query.Model, Func: t.Name.S, Status: query.Static}
	m := &model{at: at, table: t.Name, schema: t.Schema, name: t.Name.S}
	for _, c := range t.Columns {
		if c.Name.S != "" {
			g := &python.Gen{}
			r.addColumn(m, attr{name: c.Name.S, at: r.placeOf(c, at), column: c, label: c.Name, nullable: g.Nullable(c)}, nil)
		}
	}
	switch {
	case t.Open:
		s.Status, s.Reason = query.Partial, "its columns are read from the database when the program starts"
	case len(m.attrs) < len(t.Columns):
		s.Status, s.Reason = query.Partial, "the name of a column is not known"
	}
	if len(m.attrs) == 0 {
		s.Status, s.Reason = query.Dynamic, python.OrText(s.Reason, "it has no columns that are known")
		r.sites = append(r.sites, s)
		return
	}
	w := writer{r: r, home: at}
	s.Variants = append(s.Variants, w.selectModel(m))
	if s.Status == query.Static {
		s.Variants = append(s.Variants, w.insert(m.table, m.schema, m.own()))
	}
	r.sites = append(r.sites, s)
}

// writer writes the SQL of one site. What SQLAlchemy puts in has the place of home.
type writer struct {
	r    *repo
	home place
}

// variant is the SQL with its segments.
func (w *writer) variant(sql python.Text) query.Variant {
	b := python.Builder{Home: python.Span{At: w.home.n.Start, Mod: w.home.mod}}
	b.Add(sql)
	t := b.Text()
	v := query.Variant{SQL: t.S}
	for _, p := range t.P {
		if p.Mod == nil {
			p.Mod, p.At, p.Linear = w.home.mod, w.home.n.Start, false
		}
		v.Segments = append(v.Segments, query.Segment{Offset: p.Off, Pos: w.r.pos(p.Mod, p.At), Linear: p.Linear})
	}
	return v
}

// ref is table.column; all of it stands where the attribute does.
func (w *writer) ref(m *model, a attr) python.Text {
	at := python.Span{At: a.at.n.Start, Mod: a.at.mod}
	return python.CatAny(python.Text{S: python.Qualified(m.schema, m.table).S + ".", P: []python.Span{at}}, w.label(a))
}

// label is the column's name as it is written in the class, quoted.
func (w *writer) label(a attr) python.Text {
	t := python.Quote(a.label)
	if len(t.P) == 0 {
		t.P = []python.Span{{At: a.at.n.Start, Mod: a.at.mod}}
	}
	return t
}

// selectModel is the SELECT that loads an entity.
func (w *writer) selectModel(m *model) query.Variant {
	scan := &query.Scan{Kind: query.ByName, Extra: true}
	var list []python.Text
	for of := m; of != nil; of = of.parent {
		var part []python.Text
		table := of
		if of.parent != nil && !of.joined {
			table = of.root()
		}
		for _, a := range of.attrs {
			switch {
			case a.deferred:
			case a.column != nil:
				part = append(part, w.ref(table, a))
				scan.Dests = append(scan.Dests, query.Dest{Name: a.label.S, Type: w.r.resultType(m, a)})
			case a.expr != nil:
				part = append(part, python.CatAny(a.expr.SQL, " AS ", python.Quote(python.Plain(a.name))))
			}
		}
		list = append(part, list...)
	}
	sql := python.CatAny("SELECT ", python.Join(list, python.Plain(", ")), " FROM ", w.from(m))
	v := w.variant(sql)
	v.Scan = scan
	return v
}

// root is the class whose table a class without one uses.
func (m *model) root() *model {
	for m.parent != nil && !m.joined {
		m = m.parent
	}
	return m
}

// from is the table, joined to those of the classes that it inherits from.
func (w *writer) from(m *model) python.Text {
	m = m.root()
	own := python.Qualified(m.schema, m.table)
	if m.parent == nil {
		return own
	}
	up := m.parent.root()
	out := python.CatAny(w.from(m.parent), " JOIN ", own, " ON ")
	first := true
	for _, a := range m.attrs {
		if a.column == nil {
			continue
		}
		for _, fk := range a.column.ForeignKeys() {
			for _, b := range up.attrs {
				if b.column == nil || !refersTo(fk, up, b) {
					continue
				}
				if !first {
					out = python.CatAny(out, " AND ")
				}
				out, first = python.CatAny(out, w.ref(up, b), " = ", w.ref(m, a)), false
			}
		}
	}
	if first {
		return python.CatAny(w.from(m.parent), ", ", own)
	}
	return out
}

// refersTo reports whether a foreign key is on that column of that class.
func refersTo(fk *python.ForeignKey, m *model, a attr) bool {
	switch t := fk.Target.(type) {
	case python.Text:
		return t.S == m.table.S+"."+a.label.S || t.S == m.schema.S+"."+m.table.S+"."+a.label.S
	case *python.Column:
		return t.Name.S == a.label.S || t.Kw.N != nil && a.column.Kw.N == t.Kw.N
	}
	return false
}

// insert is the INSERT of a flush with every column that may be in it (sqlalchemy/orm/persistence.py,
// _collect_insert_commands): NULL is rendered for what was not set and may be; a column with a server_default is left out
// unless some code sets it, and so is a primary key that the server makes, which comes back by RETURNING.
func (w *writer) insert(table, schema python.Text, columns []attr) query.Variant {
	var names, values, returning []python.Text
	var args []query.GoType
	var all []*python.Column
	for _, a := range columns {
		all = append(all, a.column)
	}
	auto := python.Autoincrement(all)
	m := &model{table: table, schema: schema}
	for _, a := range columns {
		c := a.column
		server := serverDefault(c)
		left := c.Computed() != nil || c == auto && !python.HasDefault(c) || server && !w.r.written.has(a.name)
		if c.PK && left {
			returning = append(returning, w.ref(m, a))
		}
		if left {
			continue
		}
		names = append(names, w.label(a))
		args = append(args, w.r.argType(a))
		values = append(values, python.Fixed("$"+strconv.Itoa(len(args)), a.at.mod, a.at.n.Start))
	}
	sql := python.CatAny("INSERT INTO ", python.Qualified(schema, table))
	if len(names) == 0 {
		sql = python.CatAny(sql, " DEFAULT VALUES")
	} else {
		comma := python.Plain(", ")
		sql = python.CatAny(sql, " (", python.Join(names, comma), ") VALUES (", python.Join(values, comma), ")")
	}
	if len(returning) > 0 {
		sql = python.CatAny(sql, " RETURNING ", python.Join(returning, python.Plain(", ")))
	}
	v := w.variant(sql)
	v.Args = args
	return v
}

// serverDefault reports whether the server fills the column in.
func serverDefault(c *python.Column) bool {
	v, ok := c.Kw.Kw["server_default"]
	return ok && !python.IsNone(v) || c.Identity() != nil
}

// update is an UPDATE of all columns that some code sets; a flush sends those of them that changed.
func (w *writer) update(m *model) (query.Variant, bool) {
	var set, where []python.Text
	var args []query.GoType
	root := m.root()
	table := &model{table: root.table, schema: root.schema}
	columns := m.own()
	for _, a := range columns {
		_, onupdate := a.column.Kw.Kw["onupdate"]
		if a.column.PK || a.column.Computed() != nil || !onupdate && len(a.column.ForeignKeys()) == 0 && !w.r.written.has(a.name) {
			continue
		}
		args = append(args, w.r.argType(a))
		set = append(set, python.CatAny(w.label(a), "=$"+strconv.Itoa(len(args))))
	}
	for _, a := range columns {
		if a.column.PK {
			args = append(args, w.r.argType(a))
			where = append(where, python.CatAny(w.ref(table, a), " = $"+strconv.Itoa(len(args))))
		}
	}
	if len(set) == 0 || len(where) == 0 {
		return query.Variant{}, false
	}
	v := w.variant(python.CatAny("UPDATE ", python.Qualified(root.schema, root.table), " SET ", python.Join(set, python.Plain(", ")),
		" WHERE ", python.Join(where, python.Plain(" AND "))))
	v.Args = args
	return v, true
}
