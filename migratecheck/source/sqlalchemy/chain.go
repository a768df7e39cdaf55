package sqlalchemy

import (
	"slices"
	"strconv"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source/internal/python"
)

// chain is a query that is built by calls on mapped classes: X.query.filter(…), session.query(X), select(X). It stands
// for the columns that it names; those of the entities that it loads are in the sites of their classes.
type chain struct {
	r        *repo
	at       place
	entities []*model
	refs     []named
	compared []compared // with constants, whatever joins the conditions
	sets     []named    // written by update() or values()
	verb     string     // "update", "delete" or "insert", "" when it only reads
	why      string
}

// named is a mapped column named at a place.
type named struct {
	model *model
	attr  attr
	at    place
	value python.Text // what it is set to, "" when that is no constant
}

// newChain begins a chain, or takes up the one that was begun there before.
func (r *repo) newChain(at place) *chain {
	if f := r.found[at.n]; f != nil && f.chain != nil {
		return f.chain
	}
	c := &chain{r: r, at: at}
	r.found[at.n] = &found{at: at, kind: query.Builder, chain: c}
	return c
}

// root is X.query before the first method is called.
type root struct {
	r     *repo
	model *model
}

func (q root) Attribute(_ *python.Interp, name string) python.Value {
	return python.Method{Self: q, Name: name}
}

func (q root) CallMethod(x *python.Interp, name string, a python.Args) python.Value {
	c := q.r.newChain(place{x.Mod, a.N})
	c.entity(q.model)
	return c.CallMethod(x, name, a)
}

func (c *chain) Attribute(_ *python.Interp, name string) python.Value {
	return python.Method{Self: c, Name: name}
}

func (c *chain) entity(m *model) {
	if !slices.Contains(c.entities, m) {
		c.entities = append(c.entities, m)
	}
}

// CallMethod takes the columns that the arguments name.
func (c *chain) CallMethod(x *python.Interp, name string, a python.Args) python.Value {
	switch name {
	case "update", "delete":
		c.verb = name
	}
	args := a.N.Child("arguments")
	if args != nil {
		c.names(x, args)
	}
	switch name {
	case "filter_by":
		if len(c.entities) > 0 {
			c.keywords(x, args, &c.refs, c.entities[len(c.entities)-1])
		}
		return c
	case "values", "update":
		if len(c.entities) > 0 {
			c.values(x, args, a)
		}
		if name == "values" {
			return c
		}
		return python.QueryResult()
	case "all", "first", "one", "one_or_none", "scalar", "scalars", "get", "get_or_404", "first_or_404", "one_or_404", "count", "delete",
		"paginate", "execute", "exists", "subquery", "scalar_subquery", "cte", "label", "as_scalar":
		return python.QueryResult()
	}
	return c
}

// names adds every X.attr in n.
func (c *chain) names(x *python.Interp, n *python.Node) {
	python.Walk(n, func(k *python.Node) bool {
		c.comparison(x, k)
		switch k.Kind {
		case "attribute":
			obj, name := k.Child("object"), k.Child("attribute")
			if obj == nil || name == nil || obj.Kind == "call" {
				return true
			}
			m, isClass := c.r.mappedAt(x, obj)
			if !isClass {
				return true
			}
			c.column(&c.refs, m, x.Mod.Src(name), place{x.Mod, name})
			return false
		case "identifier":
			if k.Field == "name" {
				return false // of a keyword argument
			}
			if m, isClass := c.r.mappedAt(x, k); isClass {
				c.entity(m)
			}
		case "call":
			if f := k.Child("function"); f != nil && lastWord(x.Mod.Src(f)) == "text" && c.why == "" {
				c.why = "a part of it is text()"
			}
		}
		return true
	})
}

// mappedAt is the mapped class that an identifier or a dotted name stands for.
func (r *repo) mappedAt(x *python.Interp, n *python.Node) (*model, bool) {
	if n.Kind != "identifier" && n.Kind != "attribute" {
		return nil, false
	}
	if n.Kind == "identifier" {
		if _, ok := x.Env.Get(x.Mod.Src(n)); !ok {
			return nil, false
		}
	}
	switch v := x.Eval(n).(type) {
	case *python.Class:
		m := r.model(v)
		return m, m != nil
	case alias:
		return v.model, true
	}
	return nil, false
}

// alias is aliased(X).
type alias struct{ model *model }

// keywords adds the names of keyword arguments, which are attributes of m.
func (c *chain) keywords(x *python.Interp, args *python.Node, to *[]named, m *model) {
	if args == nil {
		return
	}
	for _, k := range args.Kids {
		switch k.Kind {
		case "keyword_argument":
			name := k.Child("name")
			if name == nil {
				continue
			}
			switch word := x.Mod.Src(name); word {
			case "synchronize_session", "values", "update_args", "execution_options":
			default:
				if !c.column(to, m, word, place{x.Mod, name}) {
					continue
				}
				ref := &(*to)[len(*to)-1]
				if to == &c.sets {
					ref.value = c.r.constant(x, ref.attr, k.Child("value"))
				} else {
					c.compare(x, *ref, "=", k.Child("value"))
				}
			}
		case "dictionary_splat":
			if c.why == "" {
				c.why = "a part of it is named at run time"
			}
		}
	}
}

// values adds what values(name=…), values({…}) and update({…}) set.
func (c *chain) values(x *python.Interp, args *python.Node, a python.Args) {
	c.keywords(x, args, &c.sets, c.entities[0])
	if args == nil {
		return
	}
	for _, n := range args.Kids {
		if n.Kind == "keyword_argument" {
			if name := n.Child("name"); name == nil || x.Mod.Src(name) != "values" {
				continue
			}
			n = n.Child("value")
		}
		if n == nil || n.Kind == "dictionary_splat" {
			continue
		}
		if n.Kind != "dictionary" {
			c.keys(x.Eval(n))
			continue
		}
		for _, pair := range n.Kids {
			c.key(x, pair)
		}
	}
}

// key adds a key of a dict that is written out: "name" or X.attr.
func (c *chain) key(x *python.Interp, pair *python.Node) {
	set := func(m *model, name string, at place) {
		if c.column(&c.sets, m, name, at) {
			ref := &c.sets[len(c.sets)-1]
			ref.value = c.r.constant(x, ref.attr, pair.Child("value"))
		}
	}
	if pair.Kind == "pair" && len(pair.Kids) > 0 {
		k := pair.Kids[0]
		if obj, name := k.Child("object"), k.Child("attribute"); k.Kind == "attribute" && obj != nil && name != nil {
			if m, ok := c.r.mappedAt(x, obj); ok {
				set(m, x.Mod.Src(name), place{x.Mod, name})
				return
			}
		}
		if t, ok := x.Eval(k).(python.Text); ok {
			set(c.entities[0], t.S, place{x.Mod, k})
			return
		}
	}
	if c.why == "" {
		c.why = "it sets columns that are known only at run time"
	}
}

// keys adds the keys of a dict of values.
func (c *chain) keys(v python.Value) {
	d, ok := v.(*python.Dict)
	if !ok || d.Why != "" {
		if c.why == "" {
			c.why = "it sets columns that are " + reason(v)
		}
		return
	}
	for _, k := range d.Keys {
		if t, ok := k.(python.Text); ok {
			at := c.at
			if len(t.P) > 0 && t.P[0].Mod != nil {
				at = place{t.P[0].Mod, &python.Node{Start: t.P[0].At}}
			}
			c.column(&c.sets, c.entities[0], t.S, at)
		}
	}
}

// column adds an attribute of a mapped class that is a column, or says what is wrong with it.
func (c *chain) column(to *[]named, m *model, name string, at place) bool {
	if ref, ok := m.columnNamed(name, at); ok {
		*to = append(*to, ref)
		return true
	}
	c.noColumn(m, name, at)
	return false
}

// columnNamed is the column that an attribute of a class, or of one that it inherits from, stands for.
func (m *model) columnNamed(name string, at place) (named, bool) {
	for of := m; of != nil; of = of.parent {
		for _, a := range of.attrs {
			if a.name == name && a.column != nil {
				table := of
				if of.parent != nil && !of.joined {
					table = of.root()
				}
				return named{model: table, attr: a, at: at}, true
			}
		}
		if _, ok := of.other[name]; ok {
			break
		}
	}
	return named{}, false
}

// noColumn takes an attribute that is no column: its class is a part of the query, and what is wrong is said.
func (c *chain) noColumn(m *model, name string, at place) {
	for of := m; of != nil; of = of.parent {
		if _, ok := of.other[name]; ok || slices.ContainsFunc(of.attrs, func(a attr) bool { return a.name == name }) {
			c.entity(m)
			return
		}
	}
	c.entity(m)
	if strings.HasPrefix(name, "__") || c.r.backrefs[name] || m.class != nil && ownAttribute(m.class, name) {
		return
	}
	switch name {
	case "query", "metadata", "registry", "id_":
		return
	}
	if why, _ := m.why(); why != "" {
		if c.why == "" {
			c.why = m.name + "." + name + " is not known: " + why
		}
		return
	}
	c.r.gaps = append(c.r.gaps, Gap{Pos: c.r.pos(at.mod, at.n.Start), Reason: "the class " + m.name + " maps no attribute " + name})
}

// ownAttribute reports whether a class or one of its bases in the repository defines a name.
func ownAttribute(c *python.Class, name string) bool {
	return slices.ContainsFunc(mro(c), func(b *python.Class) bool {
		_, ok := b.Env.Vars[name]
		return ok
	})
}

// variants is the SQL that a chain stands for: a SELECT of every column it names, and for an UPDATE what it sets. why
// says what is missing.
func (c *chain) variants(r *repo) (out []query.Variant, why string) {
	w := writer{r: r, home: c.at}
	why = c.why
	var tables []*model
	use := func(m *model) bool {
		if m.table.S == "" {
			if why == "" {
				why, _ = m.why()
				why = "the class " + m.name + ": " + why
			}
			return false
		}
		m = m.root()
		if !slices.ContainsFunc(tables, func(t *model) bool { return t.table.S == m.table.S && t.schema.S == m.schema.S }) {
			tables = append(tables, m)
		}
		return true
	}
	for _, m := range c.entities {
		use(m)
	}
	var list []python.Text
	seen := map[string]bool{}
	for _, ref := range c.refs {
		if !use(ref.model) {
			continue
		}
		sql := columnAt(ref)
		if !seen[sql.S] {
			seen[sql.S] = true
			list = append(list, sql)
		}
	}
	if len(tables) == 0 {
		return nil, python.OrText(why, "a query of classes that are not known")
	}
	if len(list) == 0 {
		list = append(list, python.Plain("1"))
	}
	comma := python.Plain(", ")
	var from []python.Text
	for _, t := range tables {
		from = append(from, python.Qualified(t.schema, t.table))
	}
	if len(c.refs) > 0 || c.verb == "" {
		home := make([]python.Text, len(from))
		for i, f := range from {
			home[i] = python.Text{S: f.S}
		}
		sql := python.CatAny("SELECT ", python.Join(list, comma), " FROM ", python.Join(home, comma))
		if where := c.where(use); len(where) > 0 {
			sql = python.CatAny(sql, " WHERE ", python.Join(where, python.Plain(" AND ")))
		}
		out = append(out, w.variant(sql))
	}
	target := python.Text{S: from[0].S}
	switch {
	case c.verb == "delete":
		out = append(out, w.variant(python.CatAny("DELETE FROM ", target)))
	case c.verb == "update" && len(c.sets) > 0:
		for _, written := range c.written() {
			var sets []python.Text
			params := 0
			for _, ref := range written {
				sets = append(sets, python.CatAny(columnName(ref), "=", ref.sent(&params)))
			}
			out = append(out, w.variant(python.CatAny("UPDATE ", target, " SET ", python.Join(sets, comma))))
		}
	case c.verb == "insert" && len(c.sets) > 0:
		for _, written := range c.written() {
			out = append(out, w.insertOf(target, c, written))
		}
	case c.verb == "insert" || c.verb == "update":
		why = python.OrText(why, "the columns that it sets are not known")
	}
	return out, why
}

// insertOf is the INSERT of insert(X).values(…): SQLAlchemy adds the columns that have a default of its own.
func (w *writer) insertOf(target python.Text, c *chain, written []named) query.Variant {
	var names, values []python.Text
	params := 0
	for _, ref := range written {
		names, values = append(names, columnName(ref)), append(values, ref.sent(&params))
	}
	for _, a := range c.entities[0].own() {
		if python.HasDefault(a.column) && !slices.ContainsFunc(written, func(ref named) bool { return ref.attr.label.S == a.label.S }) {
			names, values = append(names, python.Text{S: python.Quote(a.label).S}), append(values, named{}.sent(&params))
		}
	}
	comma := python.Plain(", ")
	return w.variant(python.CatAny("INSERT INTO ", target, " (", python.Join(names, comma), ") VALUES (", python.Join(values, comma), ")"))
}

// columnAt is table.column, all of it where the query names it.
func columnAt(ref named) python.Text {
	return python.Fixed(python.Qualified(ref.model.schema, ref.model.table).S+"."+python.Quote(ref.attr.label).S, ref.at.mod, ref.at.n.Start)
}

func columnName(ref named) python.Text {
	return python.Fixed(python.Quote(ref.attr.label).S, ref.at.mod, ref.at.n.Start)
}

// sent is what a column is set to: the constant, or the next parameter.
func (ref named) sent(params *int) python.Text {
	if ref.value.S != "" {
		return ref.value
	}
	*params++
	return python.Plain("$" + strconv.Itoa(*params))
}

// written is what the chain sets: every column once, and as often as one of them is set to another constant.
func (c *chain) written() [][]named {
	var order []string
	values := map[string][]named{}
	most := 0
	for _, ref := range c.sets {
		label := ref.attr.label.S
		if values[label] == nil {
			order = append(order, label)
		}
		if !slices.ContainsFunc(values[label], func(o named) bool { return o.value.S == ref.value.S }) {
			values[label] = append(values[label], ref)
		}
		most = max(most, len(values[label]))
	}
	out := make([][]named, most)
	for i := range out {
		for _, label := range order {
			out[i] = append(out[i], values[label][min(i, len(values[label])-1)])
		}
	}
	return out
}

// where is the conditions that have constants, each once, side by side: what joins them, and whether all of them stand in one query,
// is not looked at, and no matter for whether the server takes the constants.
func (c *chain) where(use func(*model) bool) []python.Text {
	var out []python.Text
	seen := map[string]bool{}
	for _, ref := range c.compared {
		if sql := python.CatAny(columnAt(ref.named), ref.sql); use(ref.model) && !seen[sql.S] {
			seen[sql.S] = true
			out = append(out, sql)
		}
	}
	return out
}
