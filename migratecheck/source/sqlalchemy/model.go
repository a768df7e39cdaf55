package sqlalchemy

import (
	"maps"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/source/internal/python"
)

// model is a class that is mapped to a table, or a Table by itself.
type model struct {
	class *python.Class
	at    place
	name  string
	table python.Text // "" when it is not known
	// schema is the table's, "" for the one that the search path finds.
	schema python.Text
	parent *model // the mapped class that it inherits from
	joined bool   // it has a table of its own beside the parent's
	attrs  []attr
	// other are the attributes that are no columns of their own: relationships, properties, methods.
	other map[string]*wrapper
	// unknown says why there may be more columns than attrs, "" when there are none.
	unknown   string
	annotated bool   // by Mapped[…]
	unread    string // why loading it selects more than attrs, which storing it does not touch
}

// attr is an attribute that stands for a column or an expression.
type attr struct {
	name     string
	at       place // where the attribute is written
	column   *python.Column
	label    python.Text // the column's name
	deferred bool
	nullable bool
	python   python.Value // the annotation's type, where the column has none
	pending  *wrapper     // a column_property of an expression
	expr     *python.Expr // what pending stands for, once it was read
}

// model is the mapping of a class, nil when it has none.
func (r *repo) model(c *python.Class) *model {
	if m, seen := r.mapped[c]; seen {
		return m
	}
	r.mapped[c] = nil // a class that derives from itself
	m := r.mapping(c)
	r.mapped[c] = m
	return m
}

func (r *repo) mapping(c *python.Class) *model {
	if c.IsEnum() {
		return nil
	}
	if is, ok := python.Truth(c.Env.Vars["__abstract__"]); ok && is {
		return nil
	}
	m := &model{class: c, at: place{c.Mod, c.Def}, name: c.Name, other: map[string]*wrapper{}}
	lineage := mro(c)
	var own []*python.Class // itself and the bases that are not mapped
	for _, b := range lineage {
		parent := (*model)(nil)
		if b != c {
			parent = r.model(b)
		}
		if parent == nil {
			own = append(own, b)
		} else if m.parent == nil {
			m.parent = parent
		}
	}
	declarative, reflected, outside := r.bases(c, own)
	for _, b := range own {
		r.readAttributes(m, b)
	}
	named := r.nameTable(m, own)
	switch {
	case m.parent != nil:
		m.joined = named
		if is, known := r.mapperArg(m, own, "concrete"); known && is {
			m.parent = nil
		}
	case named && (declarative || len(outside) > 0):
	case !named && declarative && (len(m.attrs) > 0 || len(outside) > 0):
		if m.unknown == "" {
			m.unknown = "its table is named by " + orList(outside, "a base class") + ", which is outside of the repository"
		}
	default:
		return nil
	}
	if !named && m.parent != nil {
		m.table, m.schema = m.parent.table, m.parent.schema
	}
	if len(outside) > 0 && m.unknown == "" {
		m.unknown = "columns may come from " + orList(outside, "") + ", which is outside of the repository"
		if reflected {
			m.unknown = readAtStart
		}
	}
	r.settle(m)
	return m
}

// readAtStart is why the columns of a reflected table are not known.
const readAtStart = "its columns are read from the database when the program starts"

// reason says why a value is not known.
func reason(v python.Value) string {
	if e, ok := v.(python.External); ok {
		return e.Path + ", which is outside of the repository"
	}
	return python.OrWhy(v, "not known")
}

func orList(names []string, other string) string {
	if len(names) == 0 {
		return other
	}
	return strings.Join(names, " and ")
}

// bases looks at what a class and its bases derive from outside of the repository: whether that makes it declarative, and
// what may bring columns with it.
func (r *repo) bases(c *python.Class, own []*python.Class) (declarative, reflected bool, outside []string) {
	for _, b := range mro(c) {
		for _, by := range b.By {
			if src := b.Mod.Src(by); strings.Contains(src, "as_declarative") || strings.Contains(src, ".mapped") {
				declarative = true
			}
		}
		for _, base := range b.Bases {
			name := ""
			switch base := base.(type) {
			case python.External:
				name = base.Path
			case python.Unknown:
				if name = base.Path; name == "" {
					name = "a base class that is " + base.Why
				}
			default:
				continue
			}
			switch kind := kindOfBase(name); {
			case kind == baseDeclarative:
				declarative = true
			case kind == baseReflected:
				declarative, reflected = true, true
				outside = append(outside, name)
			case kind == baseOther && slices.Contains(own, b):
				outside = append(outside, name)
			}
		}
	}
	return declarative, reflected, slices.Compact(outside)
}

type baseKind int

const (
	baseOther       baseKind = iota
	baseDeclarative          // makes its subclasses mapped, and brings no columns
	basePlain                // neither
	baseReflected            // columns come from the database
)

// kindOfBase judges a base class from outside of the repository by its name. A class called Base or Model is taken for
// the result of declarative_base(), which maps no columns of its own.
func kindOfBase(name string) baseKind {
	first, _, _ := strings.Cut(name, ".")
	switch last := lastWord(name); last {
	case "automap_base", "DeferredReflection":
		return baseReflected
	case "Base", "Model", "DeclarativeBase", "DeclarativeBaseNoMeta", "declarative_base", "generate_base", "ModelBase", "SQLModel":
		if first == "django" {
			return basePlain
		}
		return baseDeclarative
	}
	switch first {
	case "builtins", "abc", "typing", "enum", "dataclasses", "collections", "sqlalchemy", "flask_login":
		return basePlain
	}
	return baseOther
}

// nameTable finds the table of a class: in itself or in a base that is not mapped.
func (r *repo) nameTable(m *model, own []*python.Class) bool {
	for _, b := range own {
		if v, ok := b.Env.Vars["__table__"]; ok {
			switch t := r.declared(v, m.class).(type) {
			case *python.Table:
				r.useTable(m, t)
				return true
			default:
				m.unknown = "its table is " + reason(t)
				return true
			}
		}
		v, ok := b.Env.Vars["__tablename__"]
		if !ok {
			continue
		}
		switch v := r.declared(v, m.class).(type) {
		case python.Text:
			if m.table = v; v.S == "" {
				m.unknown = "its table has no name"
			}
			r.tableArgs(m, own)
			return true
		case python.None:
			return false
		default:
			m.unknown = "the name of its table is " + reason(v)
			return true
		}
	}
	if m.parent == nil && r.flaskModel(m.class) && slices.ContainsFunc(m.attrs, func(a attr) bool { return a.column != nil && a.column.PK }) {
		m.table = python.Fixed(snakeCase(m.class.Name), m.at.mod, m.at.n.Start)
		r.tableArgs(m, own)
		return true
	}
	return false
}

// flaskModel reports whether a class derives from Flask-SQLAlchemy's Model, which names tables after classes.
func (r *repo) flaskModel(c *python.Class) bool {
	for _, b := range mro(c) {
		if slices.Contains(b.Bases, python.Value(python.External{Path: "flask_sqlalchemy.Model"})) {
			return true
		}
	}
	return false
}

// snakeCase is the table name that Flask-SQLAlchemy makes of a class's (flask_sqlalchemy/model.py, camel_to_snake_case).
func snakeCase(name string) string {
	var out strings.Builder
	upper := func(i int) bool { return i >= 0 && i < len(name) && name[i] >= 'A' && name[i] <= 'Z' }
	lower := func(i int) bool { return i < len(name) && name[i] >= 'a' && name[i] <= 'z' }
	digit := func(i int) bool { return name[i] >= '0' && name[i] <= '9' }
	for i := range len(name) {
		if i > 0 && upper(i) && (lower(i-1) || digit(i-1) || lower(i+1)) {
			out.WriteByte('_')
		}
		out.WriteByte(name[i])
	}
	return strings.TrimLeft(strings.ToLower(out.String()), "_")
}

// tableArgs reads __table_args__, of which the schema matters; the constraints and indexes are DDL.
func (r *repo) tableArgs(m *model, own []*python.Class) {
	for _, b := range own {
		v, ok := b.Env.Vars["__table_args__"]
		if !ok {
			continue
		}
		v = r.declared(v, m.class)
		if l, ok := v.(*python.List); ok && len(l.Items) > 0 {
			v = l.Items[len(l.Items)-1]
		}
		d, ok := v.(*python.Dict)
		if !ok {
			return
		}
		for i, k := range d.Keys {
			key, _ := k.(python.Text)
			switch key.S {
			case "schema":
				if s, ok := d.Vals[i].(python.Text); ok {
					m.schema = s
				} else if !python.IsNone(d.Vals[i]) {
					m.unknown = "the schema of its table is " + reason(d.Vals[i])
				}
			case "autoload", "autoload_with":
				m.unknown = readAtStart
			}
		}
		return
	}
}

// mapperArg is a flag of __mapper_args__.
func (r *repo) mapperArg(m *model, own []*python.Class, name string) (is, known bool) {
	for _, b := range own {
		v, ok := b.Env.Vars["__mapper_args__"]
		if !ok {
			continue
		}
		d, ok := r.declared(v, m.class).(*python.Dict)
		if !ok {
			return false, false
		}
		for i, k := range d.Keys {
			if key, ok := k.(python.Text); ok && key.S == name {
				return python.Truth(d.Vals[i])
			}
		}
		return false, true
	}
	return false, true
}

// useTable takes the columns of a Table that the class is mapped to.
func (r *repo) useTable(m *model, t *python.Table) {
	m.table, m.schema = t.Name, t.Schema
	for _, c := range t.Columns {
		if !slices.ContainsFunc(m.attrs, func(a attr) bool { return a.label.S == c.Name.S }) {
			r.addColumn(m, attr{name: c.Name.S, at: r.placeOf(c, r.tableAt[t]), column: c, label: c.Name}, nil)
		}
	}
	if t.Open {
		m.unknown = readAtStart
	}
	r.usedTable(t)
}

// placeOf is where a column's call stands, in the file of other.
func (r *repo) placeOf(c *python.Column, other place) place {
	if c.Kw.N != nil {
		return place{other.mod, c.Kw.N}
	}
	return other
}

// declared is a value of a class's body as the class has it: a function under @declared_attr is called.
func (r *repo) declared(v python.Value, c *python.Class) python.Value {
	d, ok := v.(python.Decorated)
	if !ok || !decoratedBy(d, "declared_attr") {
		return v
	}
	x := r.running[d.Fn.Mod]
	if x == nil {
		return v
	}
	return x.CallFunction(d.Fn, python.Args{N: d.Fn.Def, Pos: []python.Value{c}, Kw: map[string]python.Value{}})
}

func decoratedBy(d python.Decorated, name string) bool {
	return slices.ContainsFunc(d.By, func(n *python.Node) bool { return strings.Contains(d.Fn.Mod.Src(n), name) })
}

// models makes sites of all mapped classes and of the tables that no class is mapped to.
func (r *repo) models() {
	r.written = findWritten(r.modules)
	for _, i := range r.mappers {
		m := &model{class: i.class, at: place{i.class.Mod, i.class.Def}, name: i.class.Name, other: map[string]*wrapper{}}
		r.useTable(m, i.table)
		r.settle(m)
		r.mapped[i.class] = m
	}
	seen := map[*python.Node]bool{}
	for _, mod := range r.modules {
		for _, name := range slices.Sorted(maps.Keys(mod.Env.Vars)) {
			c, ok := mod.Env.Vars[name].(*python.Class)
			if ok && c.Mod == mod && !seen[c.Def] {
				seen[c.Def] = true
				r.nested(c, seen)
			}
		}
	}
	for _, mod := range r.modules {
		r.unseen(mod, seen)
	}
	for _, t := range r.tables {
		if at := r.tableAt[t]; at.mod != nil {
			r.tableSite(t, at)
		}
	}
}

// nested makes the sites of a class and of the classes in its body.
func (r *repo) nested(c *python.Class, seen map[*python.Node]bool) {
	if m := r.model(c); m != nil {
		r.site(m)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Env.Vars)) {
		if inner, ok := c.Env.Vars[name].(*python.Class); ok && inner.Mod == c.Mod && inner.Def.Start > c.Def.Start && !seen[inner.Def] {
			seen[inner.Def] = true
			r.nested(inner, seen)
		}
	}
}

// unseen reports the classes that look mapped and were never defined, because the code around them could not be followed.
func (r *repo) unseen(mod *python.Module, seen map[*python.Node]bool) {
	python.Walk(mod.Root, func(n *python.Node) bool {
		if n.Kind != "class_definition" || seen[n] {
			return true
		}
		body := n.Child("body")
		if body == nil {
			return false
		}
		if src := mod.Src(body); strings.Contains(src, "__tablename__") || strings.Contains(src, "Column(") || strings.Contains(src, "mapped_column(") {
			name := ""
			if id := n.Child("name"); id != nil {
				name = mod.Src(id)
			}
			r.gaps = append(r.gaps, Gap{Pos: r.pos(mod, n.Start),
				Reason: "the class " + name + " has columns, and whether it is defined depends on code that is not followed"})
		}
		return true
	})
}
