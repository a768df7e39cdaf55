package python

import "strings"

// Canonical is the short name of something imported from sqlalchemy or alembic, whichever of its modules it was taken
// from: "sa.Column", "pg.JSONB", "orm.Session", "func.now", "op.add_column". Other paths stay as they are.
func Canonical(path string) string {
	rest, ok := strings.CutPrefix(path, "sqlalchemy.")
	if !ok {
		switch {
		case strings.HasPrefix(path, "alembic.op."):
			return path[len("alembic."):]
		case strings.HasPrefix(path, "alembic.context."):
			return path[len("alembic."):]
		case strings.HasPrefix(path, "sqlalchemy_utils."):
			return "sau." + path[strings.LastIndexByte(path, '.')+1:]
		}
		return path
	}
	last := rest[strings.LastIndexByte(rest, '.')+1:]
	switch first, tail, _ := strings.Cut(rest, "."); first {
	case "dialects":
		if strings.HasPrefix(tail, "postgresql.") {
			return "pg." + last
		}
		return path
	case "orm":
		return "orm." + last
	case "func":
		return rest
	case "sql":
		if fn, ok := strings.CutPrefix(tail, "functions."); ok {
			return "func." + strings.TrimPrefix(fn, "func.")
		}
		if strings.HasPrefix(tail, "func.") {
			return tail
		}
		if _, fn, ok := strings.Cut(tail, ".func."); ok {
			return "func." + fn
		}
	case "types", "schema", "engine", "ext", "inspection":
	default:
		if strings.Contains(rest, ".") {
			return path // e.g. a class method
		}
	}
	return "sa." + last
}

// callExt calls something from outside the file.
func (x *Interp) callExt(path string, a Args) Value {
	if name, ok := strings.CutPrefix(path, "builtins."); ok {
		if v, ok := x.callBuiltin(name, a); ok {
			return v
		}
		return x.Strange(path, "", a)
	}
	c := Canonical(path)
	if v, ok := x.Host.CallExt(x, c, a); ok {
		return v
	}
	ns, name, _ := strings.Cut(c, ".")
	if isTypeName(c) {
		return &Type{Name: c, Args: a}
	}
	if v, ok := x.SAExpr(c, a); ok {
		return v
	}
	if v, ok := x.saSchema(c, a); ok {
		return v
	}
	switch path {
	case "textwrap.dedent":
		if t, ok := second(Args{Pos: append([]Value{None{}}, a.Pos...)}).(Text); ok {
			return t.dedent()
		}
	case "inspect.cleandoc":
		if t, ok := second(Args{Pos: append([]Value{None{}}, a.Pos...)}).(Text); ok && !strings.Contains(t.S, "\t") {
			first, rest := t, Text{}
			if i := strings.IndexByte(t.S, '\n'); i >= 0 {
				first, rest = t.Sub(0, i+1), t.Sub(i+1, len(t.S))
			}
			nl := func(s string) string { return strings.TrimLeft(s, "\n") }
			nr := func(s string) string { return strings.TrimRight(s, "\n") }
			return Cat(first.trim(func(s string) string { return strings.TrimLeft(s, " ") }, nil), rest.dedent()).trim(nl, nr)
		}
	case "tqdm.tqdm", "tqdm.auto.tqdm", "click.progressbar":
		if v, ok := a.Get(0, "iterable"); ok {
			return v
		}
	case "functools.partial":
		if len(a.Pos) > 0 {
			return partial{a}
		}
	}
	if ns == "sa" || ns == "orm" || ns == "pg" {
		return x.strangeSA(name, a)
	}
	return x.Strange(path, "", a)
}

// touch calls a method of a schema object that touches the database.
func (x *Interp) touch(path string, self Value, a Args) Value {
	if v, ok := x.Host.CallExt(x, path, Args{N: a.N, Pos: append([]Value{self}, a.Pos...), Kw: a.Kw, Why: a.Why}); ok {
		return v
	}
	return Unknown{Why: "the result of " + path}
}

// partial is functools.partial.
type partial struct{ args Args }

// strangeSA is a call of a part of SQLAlchemy that is not modelled. Building an object touches no database; what is
// done with it will be met later.
func (x *Interp) strangeSA(name string, a Args) Value {
	switch name {
	case "create_engine", "engine_from_config":
		x.Doubted("a second connection to a database")
	}
	for _, v := range a.Pos {
		taintValue(v, "a list that was given to SQLAlchemy")
	}
	return Unknown{Why: "what SQLAlchemy's " + name + "() makes, which is not modelled", Path: "sqlalchemy." + name + "()"}
}

// saSchema calls a constructor of sqlalchemy.schema.
func (x *Interp) saSchema(c string, a Args) (Value, bool) {
	first, _ := a.Get(0, "name")
	switch c {
	case "sa.Column":
		return x.NewColumn(a, false), true
	case "sa.column":
		return x.NewColumn(a, true), true
	case "sa.ForeignKey":
		v, _ := a.Get(0, "column")
		return &ForeignKey{Target: v, Kw: a}, true
	case "sa.ForeignKeyConstraint":
		k := &Constraint{Kind: "foreign", Kw: a, Name: a.Kw["name"]}
		cols, _ := a.Get(0, "columns")
		refs, _ := a.Get(1, "refcolumns")
		var w1, w2 string
		k.Columns, w1 = Iterate(cols)
		k.Remote, w2 = Iterate(refs)
		if w1+w2 != "" {
			k.Kw.Why = w1 + w2
		}
		return k, true
	case "sa.PrimaryKeyConstraint", "sa.UniqueConstraint":
		kind := "primary"
		if c == "sa.UniqueConstraint" {
			kind = "unique"
		}
		return &Constraint{Kind: kind, Columns: a.Pos, Name: a.Kw["name"], Kw: a}, true
	case "sa.CheckConstraint":
		body, _ := a.Get(0, "sqltext")
		return &Constraint{Kind: "check", Body: body, Name: a.Kw["name"], Kw: a}, true
	case "pg.ExcludeConstraint":
		return &Constraint{Kind: "exclude", Elements: a.Pos, Name: a.Kw["name"], Kw: a}, true
	case "sa.Index":
		ix := &Index{Name: first, Kw: a}
		if len(a.Pos) > 1 {
			ix.Exprs = a.Pos[1:]
		}
		return ix, true
	case "sa.Identity":
		return &Identity{a}, true
	case "sa.Computed":
		sql, _ := a.Get(0, "sqltext")
		return &Computed{sql}, true
	case "sa.Sequence":
		return &Sequence{a}, true
	case "sa.FetchedValue":
		return None{}, true
	case "sa.MetaData", "sa.declarative_base", "orm.declarative_base":
		return External{"sqlalchemy." + strings.TrimPrefix(strings.TrimPrefix(c, "sa."), "orm.") + "()"}, true
	case "sa.quoted_name", "op.f", "sa.conv":
		v, _ := a.Get(0, "value")
		if v == nil {
			v, _ = a.Get(0, "name")
		}
		if q, ok := a.Get(1, "quote"); ok && c == "sa.quoted_name" && !IsNone(q) {
			return Unknown{Why: "a name with quoting of its own"}, true
		}
		if t, isText := v.(Text); isText && c != "sa.quoted_name" {
			t.Conv = true
			v = t
		}
		return v, v != nil
	case "sa.table", "sa.Table":
		return x.NewTable(c == "sa.table", a), true
	case "sa.CreateSequence", "sa.DropSequence", "sa.CreateSchema", "sa.DropSchema", "sa.DDL", "sa.CreateTable",
		"sa.DropTable", "sa.CreateIndex", "sa.DropIndex", "sa.AddConstraint", "sa.DropConstraint":
		return &DDL{kind: strings.TrimPrefix(c, "sa."), args: a}, true
	case "sa.insert", "pg.insert", "sa.update", "sa.delete":
		v, _ := a.Get(0, "table")
		if t, ok := v.(*Table); ok {
			return &DML{Kind: c[3:], Table: t}, true
		}
		return Unknown{Why: "a statement on " + OrWhy(v, "an ORM class or a table that is not known"), Path: "sqlalchemy"}, true
	}
	return nil, false
}

// NewTable is sa.table(name, *columns) or sa.Table(name, metadata, *items).
func (x *Interp) NewTable(light bool, a Args) Value {
	name, _ := a.Get(0, "name")
	t := &Table{Kw: a, Why: a.Why}
	n, ok := name.(Text)
	if !ok {
		return Unknown{Why: OrWhy(name, "a table whose name is not known")}
	}
	t.Name = n
	if s, ok := a.Kw["schema"].(Text); ok {
		t.Schema = s
	}
	rest := a.Pos[min(1, len(a.Pos)):]
	if !light && len(rest) > 0 {
		rest = rest[1:] // the MetaData
	}
	t.Take(rest)
	for _, k := range []string{"autoload", "autoload_with"} {
		if _, ok := a.Kw[k]; ok {
			t.Open = true
		}
	}
	return t
}

// Take adds columns and constraints to a table, as SQLAlchemy does when they are attached to it.
func (t *Table) Take(items []Value) {
	for _, it := range items {
		switch it := it.(type) {
		case *Column:
			c := *it
			c.Table = t
			t.Columns = append(t.Columns, &c)
			if c.Why != "" && t.Why == "" {
				t.Why = c.Why
			}
		case *Constraint, *Index:
			t.Items = append(t.Items, it)
		case None:
		default:
			if t.Why == "" {
				t.Why = OrWhy(it, "a part of a table that is not understood")
			}
		}
	}
	for _, it := range t.Items {
		k, ok := it.(*Constraint)
		if !ok || k.Kind != "primary" {
			continue
		}
		for _, col := range k.Columns {
			name := ""
			switch col := col.(type) {
			case Text:
				name = col.S
			case *Column:
				name = col.Name.S
			}
			if c := t.find(name); c != nil {
				c.PK = true
			}
		}
	}
}

// Attribute is v.name.
func (x *Interp) Attribute(v Value, name string) Value {
	switch v := v.(type) {
	case External:
		return External{v.Path + "." + name}
	case Unknown:
		if v.Refused {
			return v
		}
		if v.Path == "" {
			return Unknown{Why: v.Why}
		}
		return Unknown{Why: v.Why, Path: v.Path + "." + name}
	case *Class:
		return x.classAttribute(v, name)
	case *Member:
		switch name {
		case "value":
			return v.Value
		case "name":
			return v.Name
		}
	case *Imported:
		if got, ok := v.Env.Get(name); ok {
			return got
		}
		return Unknown{Why: "a name that the other file does not define: " + name, Refused: true}
	case *Row:
		return Unknown{Why: "an ORM object's attribute", Path: "orm"}
	case *Table:
		switch name {
		case "c", "columns":
			return ColumnsOf{v}
		case "name":
			return v.Name
		}
	case ColumnsOf:
		return v.column(name)
	case *Column:
		switch name {
		case "name", "key":
			return v.Name
		}
	case Object:
		return v.Attribute(x, name)
	case Decorated:
		return Unknown{Why: Why(v)}
	case Dialect:
		switch name {
		case "name":
			return Plain("postgresql")
		case "type_descriptor":
			return Method{v, name}
		}
		return Unknown{Why: "what the database answers", Path: "dialect." + name}
	case *Function:
		if name == "__name__" {
			return Plain(v.Name)
		}
		return Unknown{Why: "a function's attribute"}
	case None:
		return Unknown{Why: "an attribute of None", Refused: true}
	case nil:
		return Unknown{Why: "a value that is not understood"}
	}
	return Method{v, name}
}

func (x *Interp) evalAttribute(n *Node) Value {
	obj, name := n.Child("object"), n.Child("attribute")
	if obj == nil || name == nil {
		return Unknown{Why: "an attribute that is not understood"}
	}
	return x.Attribute(x.Eval(obj), x.Mod.Src(name))
}

// callMethod calls a method of a value.
func (x *Interp) callMethod(m Method, a Args) Value {
	if o, ok := m.Self.(Object); ok {
		return o.CallMethod(x, m.Name, a)
	}
	if a.Why != "" {
		return Unknown{Why: a.Why}
	}
	switch v := m.Self.(type) {
	case Text:
		return x.callText(v, m.Name, a)
	case *List:
		return x.callList(v, m.Name, a)
	case *Dict:
		return x.callDict(v, m.Name, a)
	case Dialect:
		if len(a.Pos) == 1 { // type_descriptor
			return a.Pos[0]
		}
	case *Expr:
		return x.callExpr(v, m.Name, a)
	case *Column:
		return x.callExpr(v.ref(), m.Name, a)
	case *TextClause:
		if m.Name == "bindparams" {
			t := &TextClause{SQL: v.SQL, Binds: map[string]Value{}}
			for k, b := range v.Binds {
				t.Binds[k] = b
			}
			for k, b := range a.Kw {
				t.Binds[k] = b
			}
			if len(a.Pos) > 0 {
				return Unknown{Why: "SQL with parameters that are not understood"}
			}
			return t
		}
		if m.Name == "execution_options" {
			return v
		}
	case *Type:
		return x.callType(v, m.Name, a)
	case *Table:
		return x.callTable(v, m.Name, a)
	case *DML:
		return x.callStmt(v, m.Name, a)
	case *Sequence:
		return x.callSequence(v, m.Name, a)
	case *DDL:
		if m.Name == "execute" {
			return x.touch("sa.DDL.execute", v, a)
		}
	}
	return x.Strange("", "a method that is not modelled", a)
}

// callType calls a method of a type: sa.Enum(…).create(bind) and the like.
func (x *Interp) callType(t *Type, name string, a Args) Value {
	switch name {
	case "create", "drop":
		return x.touch("sa.Enum."+name, t, a)
	case "with_variant":
		if d, ok := second(a).(Text); ok && d.S == "postgresql" {
			if v := x.AsType(a.Pos[0]); v != nil {
				return v
			}
			return Unknown{Why: "a type that is not known"}
		}
		return t
	}
	return Unknown{Why: "a type's method that is not understood"}
}

// OrText is s, other when s is empty.
func OrText(s, other string) string {
	if s != "" {
		return s
	}
	return other
}

func (x *Interp) callSequence(s *Sequence, name string, a Args) Value {
	g := &Gen{}
	switch name {
	case "create", "drop":
		return x.touch("sa.Sequence."+name, s, a)
	case "next_value":
		n := g.SequenceName(s)
		if g.Why == "" {
			return &Expr{SQL: CatAny("nextval('", n, "')"), Prec: precAtom}
		}
	}
	return Unknown{Why: OrText(g.Why, "a sequence's method that is not understood")}
}

// Dialect is the connection's dialect: PostgreSQL.
type Dialect struct{}

// QueryResult is what a query returns.
func QueryResult() Unknown { return Unknown{Why: "a query's result", Path: "result"} }

// ORMQuery is what an entity's query attribute and a session's query() give.
func ORMQuery() Unknown { return Unknown{Why: "an ORM query", Path: "ormquery"} }
