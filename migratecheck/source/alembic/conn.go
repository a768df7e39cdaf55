package alembic

import (
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/source/internal/python"
)

// conn is alembic's connection, or a session on it.
type conn struct{ session bool }

// migrationContext is op.get_context().
type migrationContext struct{}

// sessionFactory is what sessionmaker() returns.
type sessionFactory struct{}

func (c *conn) Attribute(_ *python.Interp, name string) python.Value {
	switch name {
	case "dialect":
		return python.Dialect{}
	case "engine", "connection", "bind":
		return &conn{}
	case "name":
		return python.Plain("postgresql")
	case "info", "closed", "registry":
		return python.Unknown{Why: "the connection's " + name}
	}
	return python.Method{Self: c, Name: name}
}

func (c *migrationContext) Attribute(_ *python.Interp, name string) python.Value {
	switch name {
	case "dialect":
		return python.Dialect{}
	case "impl":
		return c
	case "bind", "connection":
		return &conn{}
	case "as_sql":
		return false
	}
	return python.Method{Self: c, Name: name}
}

// execute is op.execute.
func execute(x *python.Interp, a python.Args) {
	v, ok := a.Get(0, "sqltext")
	if !ok {
		v = python.Unknown{Why: python.OrText(a.Why, "a statement that is not given")}
	}
	if t, isText := v.(python.Text); isText {
		v = &python.TextClause{SQL: t}
	}
	g := &python.Gen{Why: a.Why}
	sql := statementSQL(x, g, v, nil)
	for _, s := range sql {
		emitOr(x, a.N, g, s)
	}
	if len(sql) == 0 {
		emitOr(x, a.N, g, python.Text{})
	}
}

// statementSQL is the SQL of something that can be executed, with the values of its parameters filled in.
func statementSQL(x *python.Interp, g *python.Gen, v python.Value, params map[string]python.Value) []python.Text {
	switch v := v.(type) {
	case *python.TextClause:
		return []python.Text{v.Render(g, params)}
	case *python.DML:
		return v.SQL(g)
	case *python.DDL:
		return []python.Text{x.DDLText(g, v)}
	}
	g.Fail("SQL that is " + python.OrWhy(v, "not understood"))
	return nil
}

// Call is a scoped_session called for the session itself.
func (c *conn) Call(*python.Interp, python.Args) python.Value { return c }

func (c *migrationContext) Call(*python.Interp, python.Args) python.Value { return c }

func (sessionFactory) Call(*python.Interp, python.Args) python.Value { return &conn{session: true} }

func (f sessionFactory) Attribute(_ *python.Interp, name string) python.Value {
	return python.Method{Self: f, Name: name}
}

func (sessionFactory) CallMethod(x *python.Interp, _ string, a python.Args) python.Value {
	return x.Strange("", "a method that is not modelled", a)
}

func (c *migrationContext) CallMethod(x *python.Interp, name string, a python.Args) python.Value {
	if a.Why != "" {
		return python.Unknown{Why: a.Why}
	}
	switch name {
	case "autocommit_block":
		return &autocommit{}
	case "execute":
		execute(x, a)
		return python.None{}
	}
	return x.Strange("", "a method that is not modelled", a)
}

// CallMethod calls a method of a connection or session.
func (c *conn) CallMethod(x *python.Interp, name string, a python.Args) python.Value {
	switch name {
	case "execute", "scalar", "scalars", "exec_driver_sql":
		c.execute(x, name, a)
		return python.QueryResult()
	case "query", "get":
		return python.ORMQuery()
	case "query_property":
		return python.ORMQuery()
	case "execution_options":
		if _, ok := a.Kw["isolation_level"]; ok {
			x.Doubted("a connection whose transactions are set by the migration itself")
		}
		return c
	case "begin", "begin_nested", "connect", "configure", "get_bind", "session_factory":
		return c
	case "commit", "rollback", "close", "flush", "expire_all", "expunge_all", "remove", "refresh", "invalidate", "detach",
		"in_transaction", "get_isolation_level", "no_autoflush":
		// Bound to alembic's connection, whose transaction a session does not end.
		return python.None{}
	case "add", "add_all", "merge", "delete", "bulk_save_objects", "bulk_insert_mappings", "bulk_update_mappings":
		x.Doubted("an ORM object is stored (" + name + "), whose SQL cannot be known")
		return python.None{}
	}
	x.Doubted("a connection's method that is not modelled: " + name)
	return python.QueryResult()
}

func (c *conn) execute(x *python.Interp, name string, a python.Args) {
	v, ok := a.Get(0, "statement")
	if !ok {
		v, _ = a.Get(0, "text")
	}
	g := &python.Gen{Why: a.Why}
	params := map[string]python.Value{}
	many := false
	for k, p := range a.Kw {
		switch k {
		case "statement", "text":
		case "execution_options", "bind_arguments", "mapper", "bind":
		case "params", "parameters":
			a.Pos = append(a.Pos[:min(1, len(a.Pos)):min(1, len(a.Pos))], p)
		default:
			params[k] = p
		}
	}
	if t, isText := v.(python.Text); isText {
		if !c.session && len(a.Pos) < 2 && len(params) == 0 {
			emitOr(x, a.N, g, t) // given to the driver as it stands
			return
		}
		v = &python.TextClause{SQL: t}
		if !c.session {
			g.Fail("SQL with parameters in the driver's own style")
		}
	}
	if name == "exec_driver_sql" && len(a.Pos) > 1 {
		g.Fail("SQL with parameters in the driver's own style")
	}
	if len(a.Pos) > 1 {
		switch p := a.Pos[1].(type) {
		case *python.Dict:
			for i, k := range p.Keys {
				if s, ok := k.(python.Text); ok {
					params[s.S] = p.Vals[i]
				}
			}
			if p.Why != "" {
				g.Fail(p.Why)
			}
		case *python.List:
			many = true
			executeMany(x, g, a, v, p)
		case python.None:
		default:
			g.Fail("parameters that are " + python.OrWhy(p, "not known"))
		}
	}
	if many {
		return
	}
	if st, ok := v.(*python.DML); ok && len(params) > 0 {
		next := *st
		next.Add(g, params)
		v = &next
	}
	if q, ok := v.(python.Unknown); ok && q.Path != "" && strings.HasPrefix(q.Path, "sqlalchemy.select()") {
		return // a SELECT changes nothing; what is done with its result will be met
	}
	sql := statementSQL(x, g, v, params)
	for _, s := range sql {
		emitOr(x, a.N, g, s)
	}
	if len(sql) == 0 {
		emitOr(x, a.N, g, python.Text{})
	}
}

// executeMany runs a statement once for each dict of a list.
func executeMany(x *python.Interp, g *python.Gen, a python.Args, v python.Value, rows *python.List) {
	if rows.Why != "" {
		g.Fail(rows.Why)
	}
	for _, row := range rows.Items {
		d, ok := row.(*python.Dict)
		if !ok || d.Why != "" {
			x.Gap(a.N, "parameters that are "+python.OrWhy(row, "not known"), false)
			return
		}
		params := map[string]python.Value{}
		for i, k := range d.Keys {
			if s, ok := k.(python.Text); ok {
				params[s.S] = d.Vals[i]
			}
		}
		one := v
		if st, ok := v.(*python.DML); ok {
			next := *st
			next.Add(g, params)
			one = &next
		}
		for _, s := range statementSQL(x, g, one, params) {
			if !emitOr(x, a.N, g, s) {
				return
			}
		}
	}
	if g.Why != "" {
		x.Gap(a.N, g.Why, false)
	}
}

// callORM calls a function of sqlalchemy.orm or the like; ok is false when it is none of those known.
func callORM(c string) (python.Value, bool) {
	switch c {
	case "orm.sessionmaker":
		return sessionFactory{}, true
	case "orm.scoped_session", "orm.Session":
		return &conn{session: true}, true
	case "orm.relationship", "orm.backref", "orm.validates", "orm.mapped_column", "orm.deferred", "orm.registry", "orm.aliased",
		"orm.joinedload", "orm.load_only", "orm.column_property":
		return python.Unknown{Why: "an ORM construct", Path: "sqlalchemy.orm"}, true
	case "context.get_bind":
		return &conn{}, true
	case "context.get_context":
		return &migrationContext{}, true
	}
	return nil, false
}

// bulkInsert is op.bulk_insert: one INSERT for each row, as `alembic upgrade --sql` writes it; on a connection the driver
// sends the same rows in fewer round trips.
func (o *opCall) bulkInsert() {
	t, ok := o.given["table"].(*python.Table)
	if !ok {
		o.g.Fail("a table that is " + python.OrWhy(o.given["table"], "not known"))
	}
	rows := o.list("rows")
	if o.g.Why != "" || !ok {
		o.send(python.Text{})
		return
	}
	for _, r := range rows {
		d, ok := r.(*python.Dict)
		if !ok || d.Why != "" {
			o.x.Gap(o.n, "a row that is "+python.OrWhy(r, "not known"), false)
			continue
		}
		params := map[string]python.Value{}
		for i, k := range d.Keys {
			params[o.g.Name(k, "a column's name").S] = d.Vals[i]
		}
		s := &python.DML{Kind: "insert", Table: t}
		s.Add(o.g, params)
		sql := s.SQL(o.g)
		if len(sql) == 0 {
			sql = []python.Text{{}}
		}
		o.send(sql[0])
		o.g.Why = ""
	}
}
