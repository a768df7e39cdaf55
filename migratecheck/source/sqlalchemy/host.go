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
		return &wrapper{kind: name[len("orm."):], args: a, mod: x.Mod, env: x.Env}, true
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

// Called implements python.Watcher.
func (r *repo) Called(x *python.Interp, callee python.Value, a python.Args) (python.Value, bool) {
	f := a.N.Child("function")
	if f == nil || f.Kind != "attribute" {
		return nil, false
	}
	name := f.Child("attribute")
	if name != nil && x.Mod.Src(name) == "map_imperatively" && len(a.Pos) > 1 {
		r.imperative(a.Pos[0], a.Pos[1])
	}
	return nil, false
}

// ClassAttribute implements python.Watcher: it looks in all bases, where package python, whose classes are enumerations
// and types, follows the first.
func (r *repo) ClassAttribute(x *python.Interp, c *python.Class, name string) (python.Value, bool) {
	switch name {
	case "__name__", "__qualname__":
		return python.Plain(c.Name), true
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

func (t tableOf) Attribute(*python.Interp, string) python.Value {
	return python.Unknown{Why: "a part of a mapped class's table"}
}

func (t tableOf) CallMethod(*python.Interp, string, python.Args) python.Value {
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
