package sqlalchemy

import (
	"maps"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/source/internal/python"
)

// bodyName is a name that a class's body binds, in the order of the body.
type bodyName struct {
	name       string
	n          *python.Node // the identifier
	annotation *python.Node
	call       bool // its value is a call
}

// bodyNames lists what a class's body binds, also under conditions.
func bodyNames(c *python.Class) []bodyName {
	var out []bodyName
	body := c.Def.Child("body")
	if body == nil {
		return nil
	}
	add := func(b bodyName) {
		b.name = c.Mod.Src(b.n)
		out = slices.DeleteFunc(out, func(o bodyName) bool { return o.name == b.name })
		out = append(out, b)
	}
	python.Walk(body, func(n *python.Node) bool {
		switch n.Kind {
		case "assignment":
			left, right := n.Child("left"), n.Child("right")
			if left != nil && left.Kind == "identifier" {
				add(bodyName{n: left, annotation: n.Child("type"), call: right != nil && right.Kind == "call"})
			}
			return right != nil && right.Kind == "assignment"
		case "function_definition", "class_definition":
			if name := n.Child("name"); name != nil {
				add(bodyName{n: name})
			}
			return false
		case "expression_statement", "block", "decorated_definition", "if_statement", "else_clause", "elif_clause",
			"for_statement", "with_statement", "try_statement", "except_clause", "finally_clause":
			return true
		}
		return false
	})
	return out
}

// readAttributes adds what the body of b maps, unless a class before it in the order of bases has set the name already.
func (r *repo) readAttributes(m *model, b *python.Class) {
	names := bodyNames(b)
	if body := b.Def.Child("body"); body != nil && m.unknown == "" {
		if src := b.Mod.Src(body); strings.Contains(src, "locals()") || strings.Contains(src, "vars()") {
			m.unknown = "its body sets attributes by names that are made at run time"
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b.Env.Vars)) { // set from outside of the body: X.name = Column(…)
		if !strings.HasPrefix(name, "\x00") && !slices.ContainsFunc(names, func(n bodyName) bool { return n.name == name }) {
			names = append(names, bodyName{name: name})
		}
	}
	for _, n := range names {
		if c, ok := b.Env.Vars[n.name].(*python.Column); ok && c.Name.S == "" && !nameUnknown(c) {
			c.Name = nameText(b.Mod, n)
		}
	}
	for _, n := range names {
		if m.has(n.name) {
			continue
		}
		at := place{b.Mod, n.n}
		if n.n == nil {
			at = m.at
		}
		v, bound := b.Env.Vars[n.name]
		if !bound {
			if mapped, inner := isMapped(b.Mod, n.annotation); mapped {
				c := &python.Column{}
				r.created[c] = len(r.created)
				r.addColumn(m, attr{name: n.name, at: at, column: c, label: nameText(b.Mod, n)}, inner)
			}
			continue
		}
		label := nameText(b.Mod, n)
		if n.n == nil {
			label = python.Fixed(n.name, at.mod, at.n.Start)
		}
		r.readAttribute(m, attr{name: n.name, at: at, label: label}, n, b.Mod, r.declared(v, m.class))
	}
}

func nameText(mod *python.Module, n bodyName) python.Text {
	if n.n == nil {
		return python.Plain(n.name)
	}
	return python.Text{S: n.name, P: []python.Span{{At: n.n.Start, Linear: true, Mod: mod}}}
}

// has reports whether the class has an attribute of that name already.
func (m *model) has(name string) bool {
	_, ok := m.other[name]
	return ok || slices.ContainsFunc(m.attrs, func(a attr) bool { return a.name == name })
}

func (r *repo) readAttribute(m *model, a attr, n bodyName, mod *python.Module, v python.Value) {
	switch v := v.(type) {
	case *python.Column:
		a.column = v
		_, inner := isMapped(mod, n.annotation)
		r.addColumn(m, a, inner)
	case *wrapper:
		r.readWrapper(m, a, n, mod, v)
	case python.Unknown:
		if n.call && !strings.HasPrefix(n.name, "__") && !noColumn(v.Path) && m.unknown == "" {
			m.unknown = "its attribute " + n.name + ", which is " + v.Why + ", may be a column"
		}
		m.other[a.name] = nil
	default:
		m.other[a.name] = nil
	}
}

// noColumn reports whether a value from outside of the repository comes from a library whose calls make no columns.
func noColumn(path string) bool {
	first, _, _ := strings.Cut(path, ".")
	switch first {
	case "sqlalchemy", "re", "logging", "os", "datetime", "collections", "uuid", "json", "functools", "itertools", "enum", "typing", "string",
		"time", "random", "secrets", "hashlib", "decimal", "pathlib", "operator", "builtins", "threading", "weakref", "dataclasses":
		return true
	}
	return false
}

func (r *repo) readWrapper(m *model, a attr, n bodyName, mod *python.Module, w *wrapper) {
	m.other[a.name] = w
	columns := func(items []python.Value) {
		for _, it := range items {
			switch it := it.(type) {
			case *python.Column:
				one := a
				one.column, one.deferred = it, w.kind == "deferred"
				if w.kind == "composite" {
					if m.has(it.Name.S) || it.Name.S == "" {
						continue // an attribute of its own as well
					}
					one.name = it.Name.S
				}
				delete(m.other, one.name)
				_, inner := isMapped(mod, n.annotation)
				r.addColumn(m, one, inner)
			default:
				if w.kind == "column_property" {
					delete(m.other, a.name)
					a.pending = w
					m.attrs = append(m.attrs, a)
				}
			}
		}
	}
	switch w.kind {
	case "deferred", "column_property":
		columns(w.args.Pos[:min(1, len(w.args.Pos))])
	case "composite":
		columns(w.args.Pos[min(1, len(w.args.Pos)):])
	}
}

// addColumn adds an attribute that is a column; annotation is what stands in Mapped[…], nil for none.
func (r *repo) addColumn(m *model, a attr, annotation *python.Node) {
	c := *a.column
	r.created[&c] = r.created[a.column]
	if c.Name.S != "" {
		a.label = c.Name
	} else if nameUnknown(&c) {
		if m.unknown == "" {
			m.unknown = "the name of its column " + a.name + " is " + reason(c.Kw.Pos[0])
		}
		m.other[a.name] = nil
		return
	}
	if c.Name.S == "" {
		c.Name = a.label
	}
	_, given := c.Kw.Kw["nullable"]
	g := &python.Gen{}
	a.nullable = g.Nullable(&c)
	if g.Why != "" {
		a.nullable = true
	}
	if annotation != nil && !given {
		var optional bool
		var inside *python.Column
		a.python, optional, inside = r.annotation(a.at.mod, annotation)
		if inside != nil {
			merge(&c, inside)
			_, given = c.Kw.Kw["nullable"]
			a.nullable = g.Nullable(&c)
		}
		if !given {
			a.nullable = optional && !c.PK
		}
		if e, ok := a.python.(python.External); ok && c.Type == nil && len(c.ForeignKeys()) == 0 {
			c.Type = annotatedType(e.Path)
		}
		m.annotated = true
	}
	a.column = &c
	m.attrs = append(m.attrs, a)
}

// nameUnknown reports whether a column's first argument is its name, and is not known: a type follows it.
func nameUnknown(c *python.Column) bool {
	if v, ok := c.Kw.Kw["name"]; ok && !python.IsNone(v) {
		return true
	}
	if len(c.Kw.Pos) < 2 || python.AsType(c.Kw.Pos[0]) != nil {
		return false
	}
	switch c.Kw.Pos[0].(type) {
	case python.Unknown, python.External:
		return python.AsType(c.Kw.Pos[1]) != nil
	}
	return false
}

// annotatedType is the type of a column that only its annotation gives (sqlalchemy/sql/sqltypes.py, _type_map of version 2);
// of interest is which ones count rows.
func annotatedType(path string) *python.Type {
	if path == "builtins.int" {
		return &python.Type{Name: "sa.Integer"}
	}
	return nil
}

// merge gives a column what the mapped_column() in its Annotated[…] has.
func merge(c, from *python.Column) {
	if c.Type == nil {
		c.Type = from.Type
	}
	c.PK = c.PK || from.PK
	c.Items = append(slices.Clip(c.Items), from.Items...)
	kw := maps.Clone(from.Kw.Kw)
	if kw == nil {
		kw = map[string]python.Value{}
	}
	maps.Copy(kw, c.Kw.Kw)
	c.Kw.Kw = kw
}

// isMapped takes Mapped[…] apart; inner is what stands in the brackets.
func isMapped(mod *python.Module, n *python.Node) (bool, *python.Node) {
	for n != nil && n.Kind == "type" && len(n.Kids) == 1 {
		n = n.Kids[0]
	}
	if n == nil {
		return false, nil
	}
	name, inner := generic(n)
	if name == nil || inner == nil {
		return false, nil
	}
	switch src := mod.Src(name); src[strings.LastIndexByte(src, '.')+1:] {
	case "Mapped", "DynamicMapped", "WriteOnlyMapped":
		return true, inner[0]
	}
	return false, nil
}

// generic takes name[a, b] apart, which tree-sitter reads as a generic_type or as a subscript.
func generic(n *python.Node) (name *python.Node, args []*python.Node) {
	if len(n.Kids) < 2 {
		return nil, nil
	}
	switch n.Kind {
	case "generic_type":
		return n.Kids[0], n.Kids[1].Kids
	case "subscript":
		return n.Kids[0], n.Kids[1:]
	}
	return nil, nil
}

// annotation reads what stands in Mapped[…]: the type, whether None is allowed, and the column of an Annotated[…].
func (r *repo) annotation(mod *python.Module, n *python.Node) (typ python.Value, optional bool, inside *python.Column) {
	for n.Kind == "type" && len(n.Kids) == 1 {
		n = n.Kids[0]
	}
	x := r.running[mod]
	switch n.Kind {
	case "none":
		return nil, true, nil
	case "union_type", "binary_operator":
		for _, k := range n.Kids {
			if k.Field == "operator" {
				continue
			}
			t, o, c := r.annotation(mod, k)
			if o {
				optional = true
			}
			if t != nil {
				typ, inside = t, c
			}
		}
		return typ, optional, inside
	case "identifier":
		if def := definition(mod, mod.Src(n)); def != nil {
			if name, _ := generic(def); name != nil {
				return r.annotation(mod, def)
			}
		}
	case "string":
		return nil, strings.Contains(mod.Src(n), "None") || strings.Contains(mod.Src(n), "Optional"), nil
	}
	name, args := generic(n)
	if name == nil {
		return x.Eval(n), false, nil
	}
	switch src := mod.Src(name); src[strings.LastIndexByte(src, '.')+1:] {
	case "Optional":
		typ, _, inside = r.annotation(mod, args[0])
		return typ, true, inside
	case "Union":
		for _, k := range args {
			t, o, _ := r.annotation(mod, k)
			optional = optional || o
			if t != nil {
				typ = t
			}
		}
		return typ, optional, nil
	case "Annotated":
		typ, optional, _ = r.annotation(mod, args[0])
		for _, k := range args[1:] {
			for k.Kind == "type" && len(k.Kids) == 1 {
				k = k.Kids[0]
			}
			if c, ok := x.Eval(k).(*python.Column); ok {
				inside = c
			}
		}
		return typ, optional, inside
	}
	return nil, false, nil
}

// definition is what the top level of a file assigns to a name.
func definition(mod *python.Module, name string) *python.Node {
	var found *python.Node
	for _, st := range mod.Root.Kids {
		if st.Kind != "expression_statement" || len(st.Kids) != 1 || st.Kids[0].Kind != "assignment" {
			continue
		}
		if left := st.Kids[0].Child("left"); left != nil && mod.Src(left) == name {
			found = st.Kids[0].Child("right")
		}
	}
	return found
}
