package alembic

import "strings"

// canonical is the short name of something imported from sqlalchemy or alembic, whichever of its modules it was taken
// from: "sa.Column", "pg.JSONB", "orm.Session", "func.now", "op.add_column". Other paths stay as they are.
func canonical(path string) string {
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
func (x *interp) callExt(path string, a args) value {
	if name, ok := strings.CutPrefix(path, "builtins."); ok {
		if v, ok := x.callBuiltin(name, a); ok {
			return v
		}
		return x.strange(path, "", a)
	}
	c := canonical(path)
	ns, name, _ := strings.Cut(c, ".")
	if ns == "op" {
		return x.callOp(name, a)
	}
	if isTypeName(c) {
		return &typeV{name: c, args: a}
	}
	if v, ok := x.saExpr(c, a); ok {
		return v
	}
	if v, ok := x.saSchema(c, a); ok {
		return v
	}
	if v, ok := x.callORM(c, a); ok {
		return v
	}
	switch path {
	case "textwrap.dedent":
		if t, ok := second(args{pos: append([]value{none{}}, a.pos...)}).(text); ok {
			return t.dedent()
		}
	case "inspect.cleandoc":
		if t, ok := second(args{pos: append([]value{none{}}, a.pos...)}).(text); ok && !strings.Contains(t.s, "\t") {
			first, rest := t, text{}
			if i := strings.IndexByte(t.s, '\n'); i >= 0 {
				first, rest = t.sub(0, i+1), t.sub(i+1, len(t.s))
			}
			nl := func(s string) string { return strings.TrimLeft(s, "\n") }
			nr := func(s string) string { return strings.TrimRight(s, "\n") }
			return cat(first.trim(func(s string) string { return strings.TrimLeft(s, " ") }, nil), rest.dedent()).trim(nl, nr)
		}
	case "tqdm.tqdm", "tqdm.auto.tqdm", "click.progressbar":
		if v, ok := a.get(0, "iterable"); ok {
			return v
		}
	case "alembic.context.is_offline_mode":
		return false
	case "functools.partial":
		if len(a.pos) > 0 {
			return partial{a}
		}
	}
	if ns == "sa" || ns == "orm" || ns == "pg" {
		return x.strangeSA(name, a)
	}
	return x.strange(path, "", a)
}

// partial is functools.partial.
type partial struct{ args args }

// strangeSA is a call of a part of SQLAlchemy that is not modelled. Building an object touches no database; what is
// done with it will be met later.
func (x *interp) strangeSA(name string, a args) value {
	switch name {
	case "create_engine", "engine_from_config":
		x.doubted("a second connection to a database")
	}
	for _, v := range a.pos {
		taintValue(v, "a list that was given to SQLAlchemy")
	}
	return unknown{why: "what SQLAlchemy's " + name + "() makes, which is not modelled", path: "sqlalchemy." + name + "()"}
}

// saSchema calls a constructor of sqlalchemy.schema.
func (x *interp) saSchema(c string, a args) (value, bool) {
	first, _ := a.get(0, "name")
	switch c {
	case "sa.Column":
		return x.newColumn(a, false), true
	case "sa.column":
		return x.newColumn(a, true), true
	case "sa.ForeignKey":
		v, _ := a.get(0, "column")
		return &foreignKey{target: v, kw: a}, true
	case "sa.ForeignKeyConstraint":
		k := &constraintV{kind: "foreign", kw: a, name: a.kw["name"]}
		cols, _ := a.get(0, "columns")
		refs, _ := a.get(1, "refcolumns")
		var w1, w2 string
		k.columns, w1 = iterate(cols)
		k.remote, w2 = iterate(refs)
		if w1+w2 != "" {
			k.kw.why = w1 + w2
		}
		return k, true
	case "sa.PrimaryKeyConstraint", "sa.UniqueConstraint":
		kind := "primary"
		if c == "sa.UniqueConstraint" {
			kind = "unique"
		}
		return &constraintV{kind: kind, columns: a.pos, name: a.kw["name"], kw: a}, true
	case "sa.CheckConstraint":
		body, _ := a.get(0, "sqltext")
		return &constraintV{kind: "check", body: body, name: a.kw["name"], kw: a}, true
	case "pg.ExcludeConstraint":
		return &constraintV{kind: "exclude", elements: a.pos, name: a.kw["name"], kw: a}, true
	case "sa.Index":
		ix := &indexV{name: first, kw: a}
		if len(a.pos) > 1 {
			ix.exprs = a.pos[1:]
		}
		return ix, true
	case "sa.Identity":
		return &identityV{a}, true
	case "sa.Computed":
		sql, _ := a.get(0, "sqltext")
		return &computedV{sql}, true
	case "sa.Sequence":
		return &sequenceV{a}, true
	case "sa.FetchedValue":
		return none{}, true
	case "sa.MetaData", "sa.declarative_base", "orm.declarative_base":
		return ext{"sqlalchemy." + strings.TrimPrefix(strings.TrimPrefix(c, "sa."), "orm.") + "()"}, true
	case "sa.quoted_name", "op.f", "sa.conv":
		v, _ := a.get(0, "value")
		if v == nil {
			v, _ = a.get(0, "name")
		}
		if q, ok := a.get(1, "quote"); ok && c == "sa.quoted_name" && !isNone(q) {
			return unknown{why: "a name with quoting of its own"}, true
		}
		return v, v != nil
	case "sa.table", "sa.Table":
		return x.newTable(c == "sa.table", a), true
	case "sa.CreateSequence", "sa.DropSequence", "sa.CreateSchema", "sa.DropSchema", "sa.DDL", "sa.CreateTable",
		"sa.DropTable", "sa.CreateIndex", "sa.DropIndex", "sa.AddConstraint", "sa.DropConstraint":
		return &ddlV{kind: strings.TrimPrefix(c, "sa."), args: a}, true
	case "sa.insert", "pg.insert", "sa.update", "sa.delete":
		v, _ := a.get(0, "table")
		if t, ok := v.(*tableV); ok {
			return &stmtV{kind: c[3:], table: t}, true
		}
		return unknown{why: "a statement on " + orWhy(v, "an ORM class or a table that is not known"), path: "sqlalchemy"}, true
	}
	return nil, false
}

// newTable is sa.table(name, *columns) or sa.Table(name, metadata, *items).
func (x *interp) newTable(light bool, a args) value {
	name, _ := a.get(0, "name")
	t := &tableV{kw: a, why: a.why}
	n, ok := name.(text)
	if !ok {
		return unknown{why: orWhy(name, "a table whose name is not known")}
	}
	t.name = n
	if s, ok := a.kw["schema"].(text); ok {
		t.schema = s
	}
	rest := a.pos[min(1, len(a.pos)):]
	if !light && len(rest) > 0 {
		rest = rest[1:] // the MetaData
	}
	t.take(rest)
	for _, k := range []string{"autoload", "autoload_with"} {
		if _, ok := a.kw[k]; ok {
			t.open = true
		}
	}
	return t
}

// take adds columns and constraints to a table, as SQLAlchemy does when they are attached to it.
func (t *tableV) take(items []value) {
	for _, it := range items {
		switch it := it.(type) {
		case *columnV:
			c := *it
			c.table = t
			t.columns = append(t.columns, &c)
			if c.why != "" && t.why == "" {
				t.why = c.why
			}
		case *constraintV, *indexV:
			t.items = append(t.items, it)
		case none:
		default:
			if t.why == "" {
				t.why = orWhy(it, "a part of a table that is not understood")
			}
		}
	}
	for _, it := range t.items {
		k, ok := it.(*constraintV)
		if !ok || k.kind != "primary" {
			continue
		}
		for _, col := range k.columns {
			name := ""
			switch col := col.(type) {
			case text:
				name = col.s
			case *columnV:
				name = col.name.s
			}
			if c := t.find(name); c != nil {
				c.pk = true
			}
		}
	}
}

// attribute is v.name.
func (x *interp) attribute(v value, name string) value {
	switch v := v.(type) {
	case ext:
		return ext{v.path + "." + name}
	case unknown:
		if v.refused {
			return v
		}
		if v.path == "" {
			return unknown{why: v.why}
		}
		return unknown{why: v.why, path: v.path + "." + name}
	case *class:
		return x.classAttribute(v, name)
	case *member:
		switch name {
		case "value":
			return v.value
		case "name":
			return v.name
		}
	case *sibling:
		if got, ok := v.env.get(name); ok {
			return got
		}
		return unknown{why: "a name that the other file does not define: " + name, refused: true}
	case *row:
		return unknown{why: "an ORM object's attribute", path: "orm"}
	case *tableV:
		switch name {
		case "c", "columns":
			return columnsOf{v}
		case "name":
			return v.name
		}
	case columnsOf:
		return v.column(name)
	case *columnV:
		switch name {
		case "name", "key":
			return v.name
		}
	case *conn:
		return v.attribute(name)
	case dialect:
		switch name {
		case "name":
			return plain("postgresql")
		case "type_descriptor":
			return method{v, name}
		}
		return unknown{why: "what the database answers", path: "dialect." + name}
	case *migrationContext:
		return v.attribute(name)
	case *function:
		if name == "__name__" {
			return plain(v.name)
		}
		return unknown{why: "a function's attribute"}
	case none:
		return unknown{why: "an attribute of None", refused: true}
	case nil:
		return unknown{why: "a value that is not understood"}
	}
	return method{v, name}
}

func (x *interp) evalAttribute(n *node) value {
	obj, name := n.child("object"), n.child("attribute")
	if obj == nil || name == nil {
		return unknown{why: "an attribute that is not understood"}
	}
	return x.attribute(x.eval(obj), x.mod.src(name))
}

// callMethod calls a method of a value.
func (x *interp) callMethod(m method, a args) value {
	if a.why != "" {
		if _, ok := m.self.(*conn); !ok {
			return unknown{why: a.why}
		}
	}
	switch v := m.self.(type) {
	case text:
		return x.callText(v, m.name, a)
	case *list:
		return x.callList(v, m.name, a)
	case *dict:
		return x.callDict(v, m.name, a)
	case *conn:
		return x.callConn(v, m.name, a)
	case *migrationContext:
		if m.name == "autocommit_block" {
			return &autocommit{}
		}
		if m.name == "execute" {
			x.execute(a)
			return none{}
		}
	case *batch:
		return x.callBatch(v, m.name, a)
	case dialect:
		if len(a.pos) == 1 { // type_descriptor
			return a.pos[0]
		}
	case *exprV:
		return x.callExpr(v, m.name, a)
	case *columnV:
		return x.callExpr(v.ref(), m.name, a)
	case *textV:
		if m.name == "bindparams" {
			t := &textV{sql: v.sql, binds: map[string]value{}}
			for k, b := range v.binds {
				t.binds[k] = b
			}
			for k, b := range a.kw {
				t.binds[k] = b
			}
			if len(a.pos) > 0 {
				return unknown{why: "SQL with parameters that are not understood"}
			}
			return t
		}
		if m.name == "execution_options" {
			return v
		}
	case *typeV:
		return x.callType(v, m.name, a)
	case *tableV:
		return x.callTable(v, m.name, a)
	case *stmtV:
		return x.callStmt(v, m.name, a)
	case *sequenceV:
		return x.callSequence(v, m.name, a)
	case *ddlV:
		if m.name == "execute" {
			x.execute(args{n: a.n, pos: []value{v}})
			return none{}
		}
	}
	return x.strange("", "a method that is not modelled", a)
}

// callType calls a method of a type: sa.Enum(…).create(bind) and the like.
func (x *interp) callType(t *typeV, name string, a args) value {
	switch name {
	case "create", "drop":
		g := &gen{}
		e := g.enum(x, t)
		if e == nil || e.name.s == "" || !e.native {
			x.gap(a.n, orText(g.why, "an enum type that is not known"), false)
			return none{}
		}
		if name == "create" {
			x.emit(a.n, e.createSQL())
			return none{}
		}
		x.emit(a.n, catAny("DROP TYPE ", qualified(e.schema, e.name)))
		return none{}
	case "with_variant":
		if d, ok := second(a).(text); ok && d.s == "postgresql" {
			if v := x.asType(a.pos[0]); v != nil {
				return v
			}
			return unknown{why: "a type that is not known"}
		}
		return t
	}
	return unknown{why: "a type's method that is not understood"}
}

func orText(s, other string) string {
	if s != "" {
		return s
	}
	return other
}

func (x *interp) callSequence(s *sequenceV, name string, a args) value {
	g := &gen{}
	switch name {
	case "create":
		x.emitOr(a.n, g, g.sequenceSQL(x, s))
		return none{}
	case "drop":
		x.emitOr(a.n, g, catAny("DROP SEQUENCE ", g.sequenceName(s)))
		return none{}
	case "next_value":
		n := g.sequenceName(s)
		if g.why == "" {
			return &exprV{sql: catAny("nextval('", n, "')"), prec: precAtom}
		}
	}
	return unknown{why: orText(g.why, "a sequence's method that is not understood")}
}
