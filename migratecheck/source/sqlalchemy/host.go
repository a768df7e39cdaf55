package sqlalchemy

import (
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/source/internal/python"
)

// wrapper is a call that maps an attribute of a class in another way than Column: relationship(…), deferred(…).
type wrapper struct {
	kind string // "relationship", "deferred", "column_property", "synonym", "composite", …
	args python.Args
	mod  *python.Module
	env  *python.Env // where it was called
}

func (w *wrapper) Attribute(_ *python.Interp, name string) python.Value {
	return python.Method{Self: w, Name: name}
}

func (w *wrapper) CallMethod(*python.Interp, string, python.Args) python.Value {
	return python.Unknown{Why: "what an attribute of a mapped class gives"}
}

// flask is Flask-SQLAlchemy's object, whose attributes are SQLAlchemy's own names (flask_sqlalchemy/__init__.py,
// _include_sqlalchemy).
type flask struct{}

func (flask) Attribute(_ *python.Interp, name string) python.Value {
	switch name {
	case "Model":
		return python.External{Path: "flask_sqlalchemy.Model"}
	case "session", "engine":
		return python.External{Path: "flask_sqlalchemy." + name}
	case "relationship", "backref", "deferred", "synonym", "column_property", "composite", "mapped_column", "aliased", "joinedload":
		return python.External{Path: "sqlalchemy.orm." + name}
	}
	return python.External{Path: "sqlalchemy." + name}
}

func (flask) CallMethod(*python.Interp, string, python.Args) python.Value {
	return python.Unknown{Why: "what a method of Flask-SQLAlchemy gives"}
}

// CallExt implements python.Host.
func (r *repo) CallExt(x *python.Interp, name string, a python.Args) (python.Value, bool) {
	switch name {
	case "sa.Column", "orm.mapped_column", "orm.MappedColumn":
		c, ok := x.NewColumn(a, false).(*python.Column)
		if ok {
			r.created[c] = len(r.created)
			return c, true
		}
		return nil, false
	case "orm.relationship", "orm.dynamic_loader", "orm.deferred", "orm.column_property", "orm.synonym", "orm.composite",
		"orm.query_expression", "orm.backref":
		w := &wrapper{kind: name[len("orm."):], args: a, mod: x.Mod, env: x.Env}
		r.backref(a)
		return w, true
	case "orm.aliased":
		if c, ok := first(a).(*python.Class); ok && r.evaluated != nil {
			if m := r.model(c); m != nil {
				return alias{m}, true
			}
		}
		return nil, false
	case "sa.text":
		v, _ := a.Get(0, "text")
		if t, ok := v.(python.Text); ok {
			at := place{x.Mod, a.N}
			if k := keyOf(t, at); r.texts[k] == nil {
				r.texts[k] = &text{at: at, sql: t}
			}
		}
		return nil, false
	case "sa.select", "orm.select", "sa.update", "sa.delete", "sa.insert", "pg.insert":
		return r.construct(x, name[strings.IndexByte(name, '.')+1:], a)
	case "orm.mapper":
		if len(a.Pos) > 1 {
			r.imperative(a.Pos[0], a.Pos[1])
		}
		return nil, false
	case "flask_sqlalchemy.SQLAlchemy":
		return flask{}, true
	case "sa.Table":
		if metadata := len(a.Pos) > 1; metadata {
			if _, isColumn := a.Pos[1].(*python.Column); isColumn { // Flask-SQLAlchemy's Table, which needs no MetaData
				a.Pos = append([]python.Value{a.Pos[0], python.None{}}, a.Pos[1:]...)
			}
		}
		t, ok := x.NewTable(false, a).(*python.Table)
		if !ok {
			return nil, false
		}
		r.tables = append(r.tables, t)
		r.tableAt[t] = place{x.Mod, a.N}
		for i, it := range t.Columns {
			r.created[it] = len(r.created) + i
		}
		return t, true
	}
	return nil, false
}

func (r *repo) imperative(class, table python.Value) {
	c, ok1 := class.(*python.Class)
	t, ok2 := table.(*python.Table)
	if ok1 && ok2 {
		r.mappers = append(r.mappers, imperative{c, t})
	}
}

func first(a python.Args) python.Value {
	if len(a.Pos) == 0 {
		return python.None{}
	}
	return a.Pos[0]
}

// backref notes the attribute that a relationship gives to the class at its other end.
func (r *repo) backref(a python.Args) {
	v := a.Kw["backref"]
	if w, ok := v.(*wrapper); ok {
		v = first(w.args)
	}
	if t, ok := v.(python.Text); ok {
		r.backrefs[t.S] = true
	}
}

// Called implements python.Watcher.
func (r *repo) Called(x *python.Interp, callee python.Value, a python.Args) (python.Value, bool) {
	f := a.N.Child("function")
	if f == nil {
		return nil, false
	}
	if r.evaluated != nil {
		r.evaluated[a.N] = true
	}
	name, receiver := f, f.Child("object")
	if f.Kind == "attribute" {
		name = f.Child("attribute")
	}
	if name == nil || name.Kind != "identifier" {
		return nil, false
	}
	word := x.Mod.Src(name)
	if word == "type" && len(a.Pos) == 3 && strings.Contains(x.Mod.Src(a.N), "__tablename__") {
		r.gaps = append(r.gaps, Gap{Pos: r.pos(x.Mod, a.N.Start), Reason: "a mapped class is made at run time, by type()"})
	}
	if word == "map_imperatively" && len(a.Pos) > 1 && r.evaluated == nil {
		r.imperative(a.Pos[0], a.Pos[1])
	}
	if c, ok := callee.(*python.Class); ok && r.evaluated != nil {
		r.made(place{x.Mod, a.N}, c)
	}
	if r.evaluated == nil || f.Kind != "attribute" && word != "execute_values" && word != "execute_batch" {
		return nil, false
	}
	switch word {
	case "execute", "executemany", "exec_driver_sql", "scalar", "scalars", "stream", "stream_scalars", "fetch", "fetchrow", "fetchval",
		"execute_values", "execute_batch", "copy_expert":
		if m, ok := callee.(python.Method); ok {
			switch m.Self.(type) {
			case *chain, root:
				return nil, false
			}
		}
		r.execute(x, word, receiver, pathOf(callee), a)
	case "copy_from", "copy_to":
		r.copyTable(x, word, receiver, pathOf(callee), a)
	case "query":
		return r.construct(x, "query", a)
	}
	return nil, false
}

func pathOf(v python.Value) string {
	switch v := v.(type) {
	case python.External:
		return v.Path
	case python.Unknown:
		return v.Path
	}
	return ""
}

// construct begins a query of mapped classes: session.query(X, Y.a), select(X), update(X).
func (r *repo) construct(x *python.Interp, verb string, a python.Args) (python.Value, bool) {
	args := a.N.Child("arguments")
	if r.evaluated == nil || args == nil {
		return nil, false
	}
	if !r.mentions(x, args) {
		return nil, false
	}
	c := r.newChain(place{x.Mod, a.N})
	if verb == "update" || verb == "delete" || verb == "insert" {
		c.verb = verb
	}
	c.names(x, args)
	return c, true
}

// mentions reports whether a mapped class is named in n.
func (r *repo) mentions(x *python.Interp, n *python.Node) (mapped bool) {
	python.Walk(n, func(k *python.Node) bool {
		if !mapped && (k.Kind == "identifier" && k.Field != "name" || k.Kind == "attribute") {
			_, mapped = r.mappedAt(x, k)
		}
		return !mapped
	})
	return mapped
}

// ClassAttribute implements python.Watcher: it looks in all bases, where package python, whose classes are enumerations
// and types, follows the first.
func (r *repo) ClassAttribute(x *python.Interp, c *python.Class, name string) (python.Value, bool) {
	switch name {
	case "__name__", "__qualname__":
		return python.Plain(c.Name), true
	case "query":
		if m := r.model(c); m != nil && r.evaluated != nil {
			return root{r, m}, true
		}
	case "__table__":
		if m := r.model(c); m != nil && m.table.S != "" {
			return tableOf{m}, true
		}
	}
	for _, b := range mro(c)[1:] {
		if v, ok := b.Env.Vars[name]; ok {
			return v, true
		}
	}
	return nil, false
}

// tableOf is a mapped class's __table__.
type tableOf struct{ model *model }

func (t tableOf) Attribute(_ *python.Interp, name string) python.Value {
	switch name {
	case "select", "insert", "update", "delete":
		return python.Method{Self: t, Name: name}
	}
	return python.Unknown{Why: "a part of a mapped class's table"}
}

func (t tableOf) CallMethod(x *python.Interp, name string, a python.Args) python.Value {
	switch name {
	case "select", "insert", "update", "delete":
		if t.model.r.evaluated == nil {
			break
		}
		c := t.model.r.newChain(place{x.Mod, a.N})
		c.entity(t.model)
		if name != "select" {
			c.verb = name
		}
		return c
	}
	return python.Unknown{Why: "a statement on a mapped class's table"}
}

// mro lists a class and those of its bases that are in the repository, in the order in which Python looks attributes up:
// a base comes behind all classes derived from it (depth first, the last place of several counts).
func mro(c *python.Class) []*python.Class {
	var all []*python.Class
	var visit func(c *python.Class, depth int)
	visit = func(c *python.Class, depth int) {
		all = append(all, c)
		if depth > 50 || len(all) > 1000 {
			return
		}
		for _, b := range c.Bases {
			if b, ok := b.(*python.Class); ok {
				visit(b, depth+1)
			}
		}
	}
	visit(c, 0)
	var out []*python.Class
	for i, b := range all {
		last := true
		for _, later := range all[i+1:] {
			last = last && later != b
		}
		if last {
			out = append(out, b)
		}
	}
	if len(out) == 0 || out[0] != c { // a class that derives from itself
		return []*python.Class{c}
	}
	return out
}

// lastWord is what stands behind the last dot of a dotted path, without the parentheses of a call.
func lastWord(path string) string {
	return strings.TrimSuffix(path[strings.LastIndexByte(path, '.')+1:], "()")
}
