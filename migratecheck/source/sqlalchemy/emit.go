package sqlalchemy

import (
	"cmp"
	"slices"
	"strconv"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source/internal/python"
)

// settle brings the attributes into the order in which their columns were made, as SQLAlchemy does
// (sqlalchemy/orm/decl_base.py, _extract_declared_columns), and reads the expressions over them.
func (r *repo) settle(m *model) {
	slices.SortStableFunc(m.attrs, func(a, b attr) int {
		if m.annotated || a.column == nil || b.column == nil {
			return 0 // version 2, whose annotations make columns, keeps to the order of the class
		}
		return cmp.Compare(r.created[a.column], r.created[b.column])
	})
	for i := range m.attrs {
		a := &m.attrs[i]
		if a.pending == nil {
			continue
		}
		if a.expr = r.expression(m, a.pending); a.expr == nil {
			m.unread = "its attribute " + a.name + " is an expression that is not known"
		}
	}
}

// expression evaluates the argument of a column_property again, now that the columns it uses have their names.
func (r *repo) expression(m *model, w *wrapper) *python.Expr {
	table := &python.Table{Name: m.table, Schema: m.schema}
	for _, b := range mro(m.class) {
		for _, v := range b.Env.Vars {
			if c, ok := v.(*python.Column); ok {
				c.Table = table
			}
		}
	}
	n := w.args.N.Child("arguments")
	if n == nil || len(n.Kids) == 0 || n.Kids[0].Kind == "keyword_argument" {
		return nil
	}
	x := &python.Interp{State: r.running[w.mod].State, Mod: w.mod, Env: w.env}
	e, _ := x.Eval(n.Kids[0]).(*python.Expr)
	return e
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

// why says what is not known of the columns of a class, and of those it inherits from; unread what besides of its SELECT.
func (m *model) why() (columns, unread string) {
	for ; m != nil; m = m.parent {
		columns, unread = python.OrText(columns, m.unknown), python.OrText(unread, m.unread)
	}
	return columns, unread
}

// site makes the site of a mapped class.
func (r *repo) site(m *model) {
	s := query.Site{Pos: r.pos(m.at.mod, m.at.n.Start), Lang: "python", Kind: query.Model, Func: m.name, Status: query.Static}
	why, unread := m.why()
	if why != "" || unread != "" {
		s.Status, s.Reason = query.Partial, python.OrText(why, unread)
	}
	if m.table.S == "" || len(m.columns()) == 0 {
		s.Status, s.Reason = query.Dynamic, python.OrText(why, "it has no columns that are known")
		r.sites = append(r.sites, s)
		return
	}
	w := writer{r: r, home: m.at}
	s.Variants = append(s.Variants, w.selectModel(m))
	if why == "" { // else the list of columns is not complete
		s.Variants = append(s.Variants, w.insert(m))
	}
	if v, ok := w.update(m); ok {
		s.Variants = append(s.Variants, v)
	}
	r.sites = append(r.sites, s)
}

// made notes that code makes an object of a mapped class, which a flush then stores: the INSERT comes from there. One of a class whose
// columns are not all known is the affair of the class's own site, which says so.
func (r *repo) made(at place, c *python.Class) {
	m := r.model(c)
	if m == nil || r.found[at.n] != nil {
		return
	}
	if why, _ := m.why(); why != "" {
		return
	}
	w := writer{r: r, home: at}
	f := &found{at: at, kind: query.Model}
	for of := m; of != nil; of = of.root().parent {
		if of.table.S == "" || len(of.own()) == 0 {
			return
		}
		v := w.insert(of)
		for i, a := range v.Args {
			if a.Labels != nil { // which of them it sends is not looked at, and what the class may send its site says
				v.Args[i] = query.GoType{Nullable: a.Nullable}
			}
		}
		v.Segments = []query.Segment{{Pos: r.pos(at.mod, at.n.Start)}} // what is to be changed is here, not in the class
		f.variants = append(f.variants, v)
	}
	r.found[at.n] = f
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
		s.Status, s.Reason = query.Partial, readAtStart
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
		s.Variants = append(s.Variants, w.insert(m))
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

// ident quotes a name; the quotes stand where the name does, and a name from nowhere at other.
func ident(t python.Text, other place) python.Text {
	q := python.Quote(t)
	at := python.Span{At: other.n.Start, Mod: other.mod}
	if len(t.P) > 0 {
		at.At, at.Mod = t.P[0].At, t.P[0].Mod
	}
	switch {
	case len(q.P) == 0:
		q.P = []python.Span{at}
	case q.P[0].Off > 0:
		q.P = append([]python.Span{at}, q.P...)
	}
	return q
}

// tableName is the table with its schema.
func tableName(m *model) python.Text {
	t := ident(m.table, m.at)
	if m.schema.S != "" {
		t = python.CatAny(ident(m.schema, m.at), ".", t)
	}
	return t
}

// ref is table.column; all of it stands where the attribute does.
func ref(m *model, a attr) python.Text {
	at := python.Span{At: a.at.n.Start, Mod: a.at.mod}
	return python.CatAny(python.Text{S: python.Qualified(m.schema, m.table).S + ".", P: []python.Span{at}}, label(a))
}

// label is the column's name as it is written in the class, quoted.
func label(a attr) python.Text { return ident(a.label, a.at) }

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
		if table.table.S == "" {
			continue
		}
		for _, a := range of.attrs {
			switch {
			case a.deferred:
			case a.column != nil:
				part = append(part, ref(table, a))
				scan.Dests = append(scan.Dests, query.Dest{Name: a.label.S, Type: w.r.resultType(m, a)})
			case a.expr != nil:
				part = append(part, python.CatAny(a.expr.SQL, " AS ", label(a)))
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
	own := tableName(m)
	if m.parent == nil || m.parent.root().table.S == "" {
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
				out, first = python.CatAny(out, ref(up, b), " = ", ref(m, a)), false
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
func (w *writer) insert(m *model) query.Variant {
	var names, values, returning []python.Text
	var args []query.GoType
	var all []*python.Column
	columns := m.own()
	for _, a := range columns {
		all = append(all, a.column)
	}
	auto := python.Autoincrement(all)
	table := m.root()
	for _, a := range columns {
		c := a.column
		sequence := sequenceOf(c)
		left := c.Computed() != nil || c == auto && !python.HasDefault(c) || serverDefault(c) && !w.r.written.inserts[a.name] && !w.r.written.all
		if c.PK && left {
			returning = append(returning, ref(table, a))
		}
		switch {
		case sequence.S != "":
			values = append(values, python.CatAny("nextval(", python.Literal(sequence), ")"))
		case left:
			continue
		default:
			args = append(args, w.r.argType(a))
			values = append(values, python.Fixed("$"+strconv.Itoa(len(args)), a.at.mod, a.at.n.Start))
		}
		names = append(names, label(a))
	}
	sql := python.CatAny("INSERT INTO ", tableName(table))
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

// sequenceOf is the name of the sequence that a column takes its value from, as it stands in nextval's argument; "" for none.
func sequenceOf(c *python.Column) python.Text {
	items := c.Items
	if d, ok := c.Kw.Kw["default"]; ok {
		items = append(slices.Clip(items), d)
	}
	for _, it := range items {
		s, ok := it.(*python.Sequence)
		if !ok {
			continue
		}
		g := &python.Gen{}
		if name := g.SequenceName(s); g.Why == "" && !g.Flag(s.Kw, "optional", false) {
			return name
		}
	}
	return python.Text{}
}

// update is an UPDATE of all columns that some code sets; a flush sends those of them that changed.
func (w *writer) update(m *model) (query.Variant, bool) {
	var set, where []python.Text
	var args []query.GoType
	table := m.root()
	columns := m.own()
	for _, a := range columns {
		_, onupdate := a.column.Kw.Kw["onupdate"]
		if a.column.PK || a.column.Computed() != nil || !onupdate && len(a.column.ForeignKeys()) == 0 && !w.r.written.updates[a.name] && !w.r.written.all {
			continue
		}
		args = append(args, w.r.argType(a))
		set = append(set, python.CatAny(label(a), "=$"+strconv.Itoa(len(args))))
	}
	for _, a := range columns {
		if a.column.PK {
			args = append(args, w.r.argType(a))
			where = append(where, python.CatAny(ref(table, a), " = $"+strconv.Itoa(len(args))))
		}
	}
	if len(set) == 0 || len(where) == 0 {
		return query.Variant{}, false
	}
	v := w.variant(python.CatAny("UPDATE ", tableName(table), " SET ", python.Join(set, python.Plain(", ")),
		" WHERE ", python.Join(where, python.Plain(" AND "))))
	v.Args = args
	return v, true
}
