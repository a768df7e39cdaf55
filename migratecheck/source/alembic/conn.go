package alembic

import (
	"strings"
)

// conn is alembic's connection, or a session on it.
type conn struct{ session bool }

// migrationContext is op.get_context().
type migrationContext struct{}

// sessionFactory is what sessionmaker() returns.
type sessionFactory struct{}

func (c *conn) attribute(name string) value {
	switch name {
	case "dialect":
		return dialect{}
	case "engine", "connection", "bind":
		return &conn{}
	case "name":
		return plain("postgresql")
	case "info", "closed", "registry":
		return unknown{why: "the connection's " + name}
	}
	return method{c, name}
}

func (c *migrationContext) attribute(name string) value {
	switch name {
	case "dialect":
		return dialect{}
	case "impl":
		return c
	case "bind", "connection":
		return &conn{}
	case "as_sql":
		return false
	}
	return method{c, name}
}

// dialect is the connection's dialect: PostgreSQL.
type dialect struct{}

// execute is op.execute.
func (x *interp) execute(a args) {
	v, ok := a.get(0, "sqltext")
	if !ok {
		v = unknown{why: orText(a.why, "a statement that is not given")}
	}
	if t, isText := v.(text); isText {
		v = &textV{sql: t}
	}
	g := &gen{why: a.why}
	sql := x.statementSQL(g, v, nil)
	for _, s := range sql {
		x.emitOr(a.n, g, s)
	}
	if len(sql) == 0 {
		x.emitOr(a.n, g, text{})
	}
}

// statementSQL is the SQL of something that can be executed, with the values of its parameters filled in.
func (x *interp) statementSQL(g *gen, v value, params map[string]value) []text {
	switch v := v.(type) {
	case *textV:
		return []text{v.render(g, params)}
	case *stmtV:
		return v.sql(g)
	case *ddlV:
		return []text{x.ddl(g, v)}
	}
	g.fail("SQL that is " + orWhy(v, "not understood"))
	return nil
}

// queryResult is what a query returns.
func queryResult() unknown { return unknown{why: "a query's result", path: "result"} }

func ormQuery() unknown { return unknown{why: "an ORM query", path: "ormquery"} }

// callConn calls a method of a connection or session.
func (x *interp) callConn(c *conn, name string, a args) value {
	switch name {
	case "execute", "scalar", "scalars", "exec_driver_sql":
		x.connExecute(c, name, a)
		return queryResult()
	case "query", "get":
		return ormQuery()
	case "query_property":
		return ormQuery()
	case "execution_options":
		if _, ok := a.kw["isolation_level"]; ok {
			x.doubted("a connection whose transactions are set by the migration itself")
		}
		return c
	case "begin", "begin_nested", "connect", "configure", "get_bind", "session_factory":
		return c
	case "commit", "rollback", "close", "flush", "expire_all", "expunge_all", "remove", "refresh", "invalidate", "detach",
		"in_transaction", "get_isolation_level", "no_autoflush":
		// Bound to alembic's connection, whose transaction a session does not end.
		return none{}
	case "add", "add_all", "merge", "delete", "bulk_save_objects", "bulk_insert_mappings", "bulk_update_mappings":
		x.doubted("an ORM object is stored (" + name + "), whose SQL cannot be known")
		return none{}
	}
	x.doubted("a connection's method that is not modelled: " + name)
	return queryResult()
}

func (x *interp) connExecute(c *conn, name string, a args) {
	v, ok := a.get(0, "statement")
	if !ok {
		v, _ = a.get(0, "text")
	}
	g := &gen{why: a.why}
	params := map[string]value{}
	many := false
	for k, p := range a.kw {
		switch k {
		case "statement", "text":
		case "execution_options", "bind_arguments", "mapper", "bind":
		case "params", "parameters":
			a.pos = append(a.pos[:min(1, len(a.pos)):min(1, len(a.pos))], p)
		default:
			params[k] = p
		}
	}
	if t, isText := v.(text); isText {
		if !c.session && len(a.pos) < 2 && len(params) == 0 {
			x.emitOr(a.n, g, t) // given to the driver as it stands
			return
		}
		v = &textV{sql: t}
		if !c.session {
			g.fail("SQL with parameters in the driver's own style")
		}
	}
	if name == "exec_driver_sql" && len(a.pos) > 1 {
		g.fail("SQL with parameters in the driver's own style")
	}
	if len(a.pos) > 1 {
		switch p := a.pos[1].(type) {
		case *dict:
			for i, k := range p.keys {
				if s, ok := k.(text); ok {
					params[s.s] = p.vals[i]
				}
			}
			if p.why != "" {
				g.fail(p.why)
			}
		case *list:
			many = true
			x.executeMany(g, a, v, p)
		case none:
		default:
			g.fail("parameters that are " + orWhy(p, "not known"))
		}
	}
	if many {
		return
	}
	if st, ok := v.(*stmtV); ok && len(params) > 0 {
		next := *st
		next.add(g, params)
		v = &next
	}
	if q, ok := v.(unknown); ok && q.path != "" && strings.HasPrefix(q.path, "sqlalchemy.select()") {
		return // a SELECT changes nothing; what is done with its result will be met
	}
	sql := x.statementSQL(g, v, params)
	for _, s := range sql {
		x.emitOr(a.n, g, s)
	}
	if len(sql) == 0 {
		x.emitOr(a.n, g, text{})
	}
}

// executeMany runs a statement once for each dict of a list.
func (x *interp) executeMany(g *gen, a args, v value, rows *list) {
	if rows.why != "" {
		g.fail(rows.why)
	}
	for _, row := range rows.items {
		d, ok := row.(*dict)
		if !ok || d.why != "" {
			x.gap(a.n, "parameters that are "+orWhy(row, "not known"), false)
			return
		}
		params := map[string]value{}
		for i, k := range d.keys {
			if s, ok := k.(text); ok {
				params[s.s] = d.vals[i]
			}
		}
		one := v
		if st, ok := v.(*stmtV); ok {
			next := *st
			next.add(g, params)
			one = &next
		}
		for _, s := range x.statementSQL(g, one, params) {
			if !x.emitOr(a.n, g, s) {
				return
			}
		}
	}
	if g.why != "" {
		x.gap(a.n, g.why, false)
	}
}

// callORM calls a function of sqlalchemy.orm or the like; ok is false when it is none of those known.
func (x *interp) callORM(c string, a args) (value, bool) {
	switch c {
	case "orm.sessionmaker":
		return sessionFactory{}, true
	case "orm.scoped_session", "orm.Session":
		return &conn{session: true}, true
	case "orm.relationship", "orm.backref", "orm.validates", "orm.mapped_column", "orm.deferred", "orm.registry", "orm.aliased",
		"orm.joinedload", "orm.load_only", "orm.column_property":
		return unknown{why: "an ORM construct", path: "sqlalchemy.orm"}, true
	case "context.get_bind":
		return &conn{}, true
	case "context.get_context":
		return &migrationContext{}, true
	}
	return nil, false
}

// stmtV is an INSERT, UPDATE or DELETE built with SQLAlchemy.
type stmtV struct {
	kind  string // "insert", "update", "delete"
	table *tableV
	rows  [][]assignmentV
	where []*exprV
	why   string
}

type assignmentV struct {
	column text
	value  value
}

func (x *interp) callTable(t *tableV, name string, a args) value {
	switch name {
	case "insert", "update", "delete":
		s := &stmtV{kind: name, table: t}
		if len(a.pos) > 0 || len(a.kw) > 0 {
			s.why = "a statement's arguments that are not modelled"
		}
		return s
	case "create", "drop":
		o := &opCall{x: x, n: a.n, g: &gen{why: t.why}, given: t.kw.kw}
		if t.open {
			o.g.fail("a table whose columns only the database knows")
		}
		if name == "drop" {
			o.send(catAny("DROP TABLE ", t.sql()))
			return none{}
		}
		o.makeTable(t)
		return none{}
	}
	return unknown{why: "a table's method that is not modelled: " + name, path: "sqlalchemy.select()"}
}

func (x *interp) callStmt(s *stmtV, name string, a args) value {
	next := *s
	g := &gen{}
	switch name {
	case "values":
		params := map[string]value{}
		for k, v := range a.kw {
			params[k] = v
		}
		for _, p := range a.pos {
			switch p := p.(type) {
			case *dict:
				if p.why != "" {
					g.fail(p.why)
				}
				for i, k := range p.keys {
					params[g.name(k, "a column's name").s] = p.vals[i]
				}
			case *list:
				items, w := iterate(p)
				if w != "" {
					g.fail(w)
				}
				for _, it := range items {
					d, ok := it.(*dict)
					if !ok || d.why != "" {
						g.fail(orWhy(it, "rows that are not known"))
						break
					}
					row := map[string]value{}
					for i, k := range d.keys {
						row[g.name(k, "a column's name").s] = d.vals[i]
					}
					next.add(g, row)
				}
			default:
				g.fail(orWhy(p, "values that are not understood"))
			}
		}
		if len(params) > 0 {
			next.add(g, params)
		}
	case "where":
		next.where = append([]*exprV{}, s.where...)
		for _, p := range a.pos {
			e := toExpr(p)
			if e == nil || !isSQL(p) {
				g.fail("a condition that is " + orWhy(p, "not understood"))
				continue
			}
			next.where = append(next.where, e)
		}
	case "execution_options", "inline":
	default:
		g.fail("a statement's method that is not modelled: " + name)
	}
	if g.why != "" && next.why == "" {
		next.why = g.why
	}
	return &next
}

// add adds a row of values, in the order of the table's columns as SQLAlchemy does.
func (s *stmtV) add(g *gen, params map[string]value) {
	var row []assignmentV
	left := len(params)
	for _, c := range s.table.columns {
		if v, ok := params[c.name.s]; ok {
			row = append(row, assignmentV{c.name, v})
			left--
		} else if d, has := c.kw.kw["default"]; has && s.kind == "insert" && !isNone(d) {
			if toExpr(d) == nil {
				g.fail("a column whose default is computed in Python")
			}
			row = append(row, assignmentV{c.name, d})
		}
	}
	if left > 0 {
		g.fail("a value for a column that the table does not have")
	}
	s.rows = append(append([][]assignmentV{}, s.rows...), row)
}

// sql is the statement's SQL.
func (s *stmtV) sql(g *gen) []text {
	if s.why != "" {
		g.fail(s.why)
	}
	table := s.table.sql()
	var out text
	switch s.kind {
	case "insert":
		if len(s.rows) == 0 || len(s.rows[0]) == 0 {
			g.fail("an INSERT without known values")
			return nil
		}
		cols := make([]text, len(s.rows[0]))
		for i, c := range s.rows[0] {
			cols[i] = quote(c.column)
		}
		var rows []text
		for _, r := range s.rows {
			if len(r) != len(cols) {
				g.fail("an INSERT whose rows have different columns")
				return nil
			}
			vals := make([]text, len(r))
			for i, c := range r {
				vals[i] = s.value(g, c)
			}
			rows = append(rows, catAny("(", join(vals, plain(", ")), ")"))
		}
		out = catAny("INSERT INTO ", table, " (", join(cols, plain(", ")), ") VALUES ", join(rows, plain(", ")))
	case "update":
		if len(s.rows) != 1 || len(s.rows[0]) == 0 {
			g.fail("an UPDATE without known values")
			return nil
		}
		var sets []text
		for _, c := range s.rows[0] {
			sets = append(sets, catAny(quote(c.column), "=", s.value(g, c)))
		}
		out = catAny("UPDATE ", table, " SET ", join(sets, plain(", ")))
	case "delete":
		out = catAny("DELETE FROM ", table)
	}
	for i, w := range s.where {
		word := " AND "
		if i == 0 {
			word = " WHERE "
		}
		for _, t := range w.tables {
			if t.name.s != s.table.name.s {
				g.fail("a statement over several tables")
			}
		}
		sql := w.sql
		if len(s.where) > 1 {
			sql = w.within(precAnd)
		}
		out = catAny(out, word, sql)
	}
	return []text{out}
}

func (s *stmtV) value(g *gen, c assignmentV) text {
	if m, ok := c.value.(*member); ok {
		if col := s.table.find(c.column.s); col != nil && col.typ != nil && strings.HasSuffix(col.typ.name, "Enum") {
			return literal(m.name)
		}
		return g.fail("an enum's member as a value")
	}
	e := toExpr(c.value)
	if e == nil {
		return g.fail("a value that is " + orWhy(c.value, "not known"))
	}
	if i, isInt := c.value.(int64); isInt {
		if col := s.table.find(c.column.s); col != nil && col.typ != nil && strings.HasSuffix(col.typ.name, ".Boolean") {
			return toExpr(i != 0).sql
		}
	}
	return e.sql
}

// bulkInsert is op.bulk_insert: one INSERT for each row, as `alembic upgrade --sql` writes it; on a connection the driver
// sends the same rows in fewer round trips.
func (o *opCall) bulkInsert() {
	t, ok := o.given["table"].(*tableV)
	if !ok {
		o.g.fail("a table that is " + orWhy(o.given["table"], "not known"))
	}
	rows := o.list("rows")
	if o.g.why != "" || !ok {
		o.send(text{})
		return
	}
	for _, r := range rows {
		d, ok := r.(*dict)
		if !ok || d.why != "" {
			o.x.gap(o.n, "a row that is "+orWhy(r, "not known"), false)
			continue
		}
		params := map[string]value{}
		for i, k := range d.keys {
			params[o.g.name(k, "a column's name").s] = d.vals[i]
		}
		s := &stmtV{kind: "insert", table: t}
		s.add(o.g, params)
		sql := s.sql(o.g)
		if len(sql) == 0 {
			sql = []text{{}}
		}
		o.send(sql[0])
		o.g.why = ""
	}
}

// ddlV is one of SQLAlchemy's DDL elements: CreateSequence(…), DDL("…").
type ddlV struct {
	kind string
	args args
}

func (x *interp) ddl(g *gen, d *ddlV) text {
	a := d.args
	first, _ := a.get(0, "element")
	words := ""
	if g.flag(a, "if_not_exists", false) {
		words = "IF NOT EXISTS "
	}
	if g.flag(a, "if_exists", false) {
		words = "IF EXISTS "
	}
	seq, _ := first.(*sequenceV)
	switch d.kind {
	case "CreateSequence":
		if seq != nil {
			sql := g.sequenceSQL(x, seq)
			const head = "CREATE SEQUENCE "
			return catAny(head+words, sql.sub(len(head), len(sql.s)))
		}
	case "DropSequence":
		if seq != nil {
			return catAny("DROP SEQUENCE "+words, g.sequenceName(seq))
		}
	case "CreateSchema", "DropSchema":
		if v, ok := a.get(0, "name"); ok {
			first = v
		}
		verb := "CREATE SCHEMA "
		cascade := ""
		if d.kind == "DropSchema" {
			verb = "DROP SCHEMA "
			if g.flag(a, "cascade", false) {
				cascade = " CASCADE"
			}
		}
		return catAny(verb+words, g.ident(first, "a schema's name"), cascade)
	case "DDL":
		if v, ok := a.get(0, "statement"); ok {
			first = v
		}
		if t, ok := first.(text); ok && !strings.Contains(t.s, "%") {
			return t
		}
	case "DropTable":
		if t, ok := first.(*tableV); ok {
			return catAny("DROP TABLE "+words, t.sql())
		}
	}
	return g.fail("SQLAlchemy's " + d.kind + "(…), which is not modelled here")
}
