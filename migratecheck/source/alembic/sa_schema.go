package alembic

import (
	"crypto/md5"
	"encoding/hex"
	"strconv"
	"strings"
)

// columnV is sa.Column(…) or sa.column(…).
type columnV struct {
	name    text
	typ     *typeV
	table   *tableV
	kw      args
	items   []value // ForeignKey, CheckConstraint, Identity, Computed, Sequence among its arguments
	why     string  // not empty: something about it is not known
	pk      bool    // primary_key=True or named by a PrimaryKeyConstraint
	pkKey   bool    // primary_key=True itself
	virtual bool    // from sa.column: no DDL
}

// ref is the column in an expression.
func (c *columnV) ref() *exprV {
	e := &exprV{sql: quote(c.name), prec: precAtom, str: c.typ.isString()}
	if c.table != nil {
		e.bare = e.sql
		e.sql = catAny(quote(c.table.name), ".", e.sql)
		e.tables = []*tableV{c.table}
	}
	return e
}

// tableV is sa.Table(…), sa.table(…), or what op.create_table returns.
type tableV struct {
	name, schema text
	columns      []*columnV
	items        []value // constraints and indexes
	kw           args
	open         bool // its columns come from the database
	why          string
}

func (t *tableV) sql() text { return qualified(t.schema, t.name) }

func (t *tableV) find(name string) *columnV {
	for _, c := range t.columns {
		if c.name.s == name {
			return c
		}
	}
	return nil
}

// columnsOf is a table's .c.
type columnsOf struct{ table *tableV }

func (c columnsOf) column(name string) value {
	if col := c.table.find(name); col != nil {
		return col
	}
	if c.table.open {
		return &columnV{name: plain(name), table: c.table, virtual: true}
	}
	return unknown{why: "a column that the table does not have: " + name, refused: true}
}

// foreignKey is sa.ForeignKey(…).
type foreignKey struct {
	target value // "table.column" or a column
	kw     args
}

// constraintV is a table's constraint.
type constraintV struct {
	kind    string // "primary", "unique", "foreign", "check", "exclude"
	name    value  // nil when it has none
	columns []value
	remote  []value // a foreign key's "table.column"s
	body    value   // a check's condition
	kw      args
	// refTable and refColumns are a foreign key's target when it is given in parts.
	refTable, refSchema text
	refColumns          []value
	elements            []value // an exclude constraint's (column, operator) pairs
}

// indexV is sa.Index(…) or op.create_index's.
type indexV struct {
	name  value
	auto  bool // made by index=True: its name may be cut
	exprs []value
	kw    args
}

// identityV is sa.Identity(…), computedV sa.Computed(…), sequenceV sa.Sequence(…).
type (
	identityV struct{ kw args }
	computedV struct{ sql value }
	sequenceV struct{ kw args }
)

// newColumn reads the arguments of sa.Column.
func (x *interp) newColumn(a args, virtual bool) value {
	c := &columnV{kw: a, why: a.why, virtual: virtual}
	pos := a.pos
	if v, ok := a.kw["name"]; ok {
		pos = append([]value{v}, pos...)
	}
	if len(pos) > 0 {
		if t, ok := pos[0].(text); ok {
			c.name = t
			pos = pos[1:]
		} else if isUnknown(pos[0]) {
			c.why = why(pos[0])
			pos = pos[1:]
		}
	}
	if v, ok := a.kw["type_"]; ok {
		pos = append([]value{v}, pos...)
	}
	for i, p := range pos {
		if t := x.asType(p); t != nil && c.typ == nil && i == 0 {
			c.typ = t
			continue
		}
		switch p.(type) {
		case *foreignKey, *constraintV, *identityV, *computedV, *sequenceV:
			c.items = append(c.items, p)
		case none:
		default:
			if c.why == "" {
				c.why = orWhy(p, "a column's argument that is not understood")
				if e, ok := p.(ext); ok && i == 0 {
					c.why = "the type " + e.path + ", which is not known"
				}
			}
		}
	}
	if v, given := a.kw["primary_key"]; given {
		is, ok := truth(v)
		if !ok {
			c.fail(orWhy(v, "primary_key is not known"))
		}
		c.pk, c.pkKey = is, is
	}
	for _, k := range []string{"quote", "system"} {
		if v, given := a.kw[k]; given && !isNone(v) && v != value(false) {
			c.fail("a column's " + k + ", which is not modelled")
		}
	}
	if v, given := a.kw["autoincrement"]; given && isUnknown(v) {
		c.fail(why(v))
	}
	return c
}

func (c *columnV) fail(reason string) {
	if c.why == "" {
		c.why = reason
	}
}

// nullable is whether the column takes NULL; by SQLAlchemy's default it does unless it is in the primary key or an
// identity.
func (g *gen) nullable(c *columnV) bool {
	v, given := c.kw.kw["nullable"]
	if !given {
		return !c.pk && c.identity() == nil
	}
	is, known := truth(v)
	if !known {
		g.fail(orWhy(v, "nullable is not known"))
	}
	return is
}

func (c *columnV) identity() *identityV {
	if id, ok := c.kw.kw["server_default"].(*identityV); ok {
		return id
	}
	for _, it := range c.items {
		if id, ok := it.(*identityV); ok {
			return id
		}
	}
	return nil
}

func (c *columnV) computed() *computedV {
	if id, ok := c.kw.kw["server_default"].(*computedV); ok {
		return id
	}
	for _, it := range c.items {
		if id, ok := it.(*computedV); ok {
			return id
		}
	}
	return nil
}

func (c *columnV) foreignKeys() []*foreignKey {
	var out []*foreignKey
	for _, it := range c.items {
		if fk, ok := it.(*foreignKey); ok {
			out = append(out, fk)
		}
	}
	return out
}

// autoincrement is the column of a primary key that becomes SERIAL (sqlalchemy/sql/schema.py,
// PrimaryKeyConstraint._autoincrement_column).
func autoincrement(columns []*columnV) *columnV {
	var keys []*columnV
	for _, c := range columns {
		if c.pk {
			keys = append(keys, c)
		}
	}
	if len(keys) != 1 {
		for _, c := range keys {
			if is, ok := c.kw.kw["autoincrement"].(bool); ok && is {
				return c
			}
		}
		return nil
	}
	c := keys[0]
	auto, given := c.kw.kw["autoincrement"]
	is, isBool := auto.(bool)
	if isBool && is {
		return c
	}
	word, _ := auto.(text)
	if given && word.s != "auto" && word.s != "ignore_fk" || c.typ.affinity() == "" {
		return nil
	}
	if d, ok := c.kw.kw["default"]; ok && !isNone(d) {
		if _, seq := d.(*sequenceV); !seq {
			return nil
		}
	}
	if d, ok := c.kw.kw["server_default"]; ok && !isNone(d) {
		if _, id := d.(*identityV); !id {
			return nil
		}
	}
	if len(c.foreignKeys()) > 0 && word.s != "ignore_fk" {
		return nil
	}
	return c
}

// columnSpec is the column in CREATE TABLE or ADD COLUMN (PGDDLCompiler.get_column_specification).
func (g *gen) columnSpec(x *interp, c *columnV, auto *columnV) text {
	if c.why != "" {
		return g.fail(c.why)
	}
	if c.name.s == "" {
		return g.fail("a column without a name")
	}
	out := quote(c.name)
	identity := c.identity()
	sequence := false
	for _, it := range c.items {
		if s, ok := it.(*sequenceV); ok && !g.flag(s.kw, "optional", false) {
			sequence = true
		}
	}
	if v, ok := c.kw.kw["default"]; ok && !isNone(v) {
		if s, isSeq := v.(*sequenceV); !isSeq || !g.flag(s.kw, "optional", false) {
			sequence = true
		}
	}
	if c == auto && identity == nil && !sequence {
		out = catAny(out, " "+c.typ.affinity())
	} else {
		out = catAny(out, " ", g.typeSQL(x, c.typ))
		if d, ok := c.kw.kw["server_default"]; ok {
			if sql, has := g.defaultSQL(d); has {
				out = catAny(out, " DEFAULT ", sql)
			}
		}
	}
	if k := c.computed(); k != nil {
		out = catAny(out, " GENERATED ALWAYS AS (", g.condition(k.sql), ") STORED")
	}
	if identity != nil {
		out = catAny(out, " ", g.identitySQL(identity))
	}
	nullable := g.nullable(c)
	if !nullable && identity == nil {
		out = catAny(out, " NOT NULL")
	} else if nullable && identity != nil {
		out = catAny(out, " NULL")
	}
	for _, it := range c.items {
		if k, ok := it.(*constraintV); ok {
			out = catAny(out, " ", g.constraintSQL(k))
		}
	}
	return out
}

// defaultSQL is a server_default's SQL; has is false when there is none.
func (g *gen) defaultSQL(v value) (sql text, has bool) {
	switch v := v.(type) {
	case none, *identityV, *computedV:
		return text{}, false
	case text:
		return literal(v), true
	case *textV:
		return v.render(g, nil), true
	case *exprV:
		return v.ddl(), true
	case *member:
		if t, ok := v.value.(text); ok && isStrEnum(v.class) {
			return literal(t), true
		}
	}
	return g.fail("a default that is " + orWhy(v, "not known")), false
}

// condition is a check's or a predicate's SQL.
func (g *gen) condition(v value) text {
	switch v := v.(type) {
	case text:
		return (&textV{sql: v}).render(g, nil)
	case *textV:
		return v.render(g, nil)
	case *exprV:
		return v.ddl()
	case *columnV:
		return quote(v.name)
	case bool:
		return toExpr(v).sql
	}
	return g.fail("a condition that is " + orWhy(v, "not understood"))
}

func (g *gen) identitySQL(i *identityV) text {
	out := "GENERATED BY DEFAULT AS IDENTITY"
	if v, ok := i.kw.get(0, "always"); ok {
		is, known := truth(v)
		if !known {
			return g.fail("an identity whose kind is not known")
		}
		if is {
			out = "GENERATED ALWAYS AS IDENTITY"
		}
	}
	if o := g.sequenceOptions(i.kw, 2); o != "" {
		out += " (" + o + ")"
	}
	return plain(out)
}

// sequenceOptions are those of a sequence or identity (DDLCompiler.get_identity_options); start is the position of the
// argument of that name.
func (g *gen) sequenceOptions(a args, start int) string {
	var out []string
	for i, o := range []struct{ name, sql string }{{"start", "START WITH"}, {"increment", "INCREMENT BY"},
		{"minvalue", "MINVALUE"}, {"maxvalue", "MAXVALUE"}} {
		if n, ok := g.number(a, start+i, o.name); ok {
			s := o.sql + " " + strconv.FormatInt(n, 10)
			if o.name == "increment" {
				out = append([]string{s}, out...)
			} else {
				out = append(out, s)
			}
		}
	}
	for _, o := range []struct{ name, sql string }{{"nominvalue", "NO MINVALUE"}, {"nomaxvalue", "NO MAXVALUE"}} {
		if g.flag(a, o.name, false) {
			out = append(out, o.sql)
		}
	}
	if n, ok := g.number(a, -1, "cache"); ok {
		out = append(out, "CACHE "+strconv.FormatInt(n, 10))
	}
	if v, ok := a.kw["cycle"]; ok && !isNone(v) {
		if g.flag(a, "cycle", false) {
			out = append(out, "CYCLE")
		} else {
			out = append(out, "NO CYCLE")
		}
	}
	return strings.Join(out, " ")
}

// sequenceSQL is CREATE SEQUENCE. SQLAlchemy 1.4 adds START WITH 1, which is PostgreSQL's default for an ascending one.
func (g *gen) sequenceSQL(x *interp, s *sequenceV) text {
	name := g.sequenceName(s)
	out := catAny("CREATE SEQUENCE ", name)
	if v, ok := s.kw.kw["data_type"]; ok && !isNone(v) {
		out = catAny(out, " AS ", g.typeSQL(x, x.asType(v)))
	}
	if o := g.sequenceOptions(s.kw, 1); o != "" {
		out = catAny(out, " "+o)
	}
	return out
}

func (g *gen) sequenceName(s *sequenceV) text {
	v, _ := s.kw.get(0, "name")
	var schema text
	if sv, ok := s.kw.kw["schema"]; ok && !isNone(sv) {
		schema = g.name(sv, "a sequence's schema")
	}
	return qualified(schema, g.name(v, "a sequence's name"))
}

// constraintSQL is a constraint without the ALTER TABLE … ADD before it.
func (g *gen) constraintSQL(k *constraintV) text {
	if k.kw.why != "" {
		return g.fail(k.kw.why)
	}
	var out text
	if k.name != nil && !isNone(k.name) {
		out = catAny("CONSTRAINT ", g.ident(k.name, "a constraint's name"), " ")
	}
	switch k.kind {
	case "primary":
		out = catAny(out, "PRIMARY KEY (", g.idents(k.columns), ")")
	case "unique":
		out = catAny(out, "UNIQUE ")
		if g.flag(k.kw, "postgresql_nulls_not_distinct", false) {
			out = catAny(out, "NULLS NOT DISTINCT ")
		}
		out = catAny(out, "(", g.idents(k.columns), ")")
		if inc, ok := k.kw.kw["postgresql_include"]; ok && !isNone(inc) {
			items, w := iterate(inc)
			if w != "" {
				return g.fail(w)
			}
			out = catAny(out, " INCLUDE (", g.idents(items), ")")
		}
	case "check":
		out = catAny(out, "CHECK (", g.condition(k.body), ")")
	case "foreign":
		table, columns := g.reference(k)
		out = catAny(out, "FOREIGN KEY(", g.idents(k.columns), ") REFERENCES ", table, " (", columns, ")")
		if m, ok := k.kw.kw["match"]; ok && !isNone(m) {
			out = catAny(out, " MATCH ", g.name(m, "match"))
		}
		for _, o := range []string{"ondelete", "onupdate"} {
			if v, ok := k.kw.kw[o]; ok && !isNone(v) {
				out = catAny(out, " ON "+strings.ToUpper(o[2:])+" ", g.name(v, o))
			}
		}
	case "exclude":
		using := plain("gist")
		if v, ok := k.kw.kw["using"]; ok && !isNone(v) {
			using = g.name(v, "using")
		}
		ops, _ := k.kw.kw["ops"].(*dict)
		var parts []text
		for _, e := range k.elements {
			pair, w := iterate(e)
			if w != "" || len(pair) != 2 {
				return g.fail("an exclude constraint that is not understood")
			}
			el := g.indexed(pair[0])
			if ops != nil {
				if n, ok := pair[0].(text); ok {
					if i := ops.find(n); i >= 0 {
						el = catAny(el, " ", g.name(ops.vals[i], "an operator class"))
					}
				}
			}
			parts = append(parts, catAny(el, " WITH ", g.name(pair[1], "an operator")))
		}
		out = catAny(out, "EXCLUDE USING ", using.mapped(strings.ToLower(using.s)), " (", join(parts, plain(", ")), ")")
		if v, ok := k.kw.kw["where"]; ok && !isNone(v) {
			out = catAny(out, " WHERE (", g.condition(v), ")")
		}
	default:
		return g.fail("a constraint that is not understood")
	}
	if v, ok := k.kw.kw["deferrable"]; ok && !isNone(v) {
		if g.flag(k.kw, "deferrable", false) {
			out = catAny(out, " DEFERRABLE")
		} else {
			out = catAny(out, " NOT DEFERRABLE")
		}
	}
	if v, ok := k.kw.kw["initially"]; ok && !isNone(v) {
		out = catAny(out, " INITIALLY ", g.name(v, "initially"))
	}
	if k.kind == "check" || k.kind == "foreign" {
		if g.flag(k.kw, "postgresql_not_valid", false) {
			out = catAny(out, " NOT VALID")
		}
	}
	return out
}

func (g *gen) idents(vs []value) text {
	parts := make([]text, len(vs))
	for i, v := range vs {
		parts[i] = g.ident(v, "a column's name")
	}
	if len(parts) == 0 {
		return g.fail("a list of columns that is not known")
	}
	return join(parts, plain(", "))
}

// reference is a foreign key's table and columns.
func (g *gen) reference(k *constraintV) (table, columns text) {
	if k.refTable.s != "" {
		return qualified(k.refSchema, k.refTable), g.idents(k.refColumns)
	}
	var cols []text
	for _, r := range k.remote {
		switch r := r.(type) {
		case text:
			i := strings.LastIndexByte(r.s, '.')
			if i < 0 {
				return g.fail("a foreign key whose target is no table.column"), text{}
			}
			table = r.sub(0, i)
			if d := strings.LastIndexByte(table.s, '.'); d >= 0 {
				table = qualified(table.sub(0, d), table.sub(d+1, len(table.s)))
			} else {
				table = quote(table)
			}
			cols = append(cols, quote(r.sub(i+1, len(r.s))))
		case *columnV:
			if r.table == nil {
				return g.fail("a foreign key to a column without a table"), text{}
			}
			table = r.table.sql()
			cols = append(cols, quote(r.name))
		default:
			return g.fail("a foreign key's target is " + orWhy(r, "not known")), text{}
		}
	}
	if len(cols) == 0 {
		return g.fail("a foreign key whose target is not known"), text{}
	}
	return table, join(cols, plain(", "))
}

// keyConstraint is the constraint that a ForeignKey among a column's arguments makes of the table.
func keyConstraint(c *columnV, fk *foreignKey) *constraintV {
	k := &constraintV{kind: "foreign", columns: []value{c.name}, remote: []value{fk.target}, kw: fk.kw}
	if n, ok := fk.kw.kw["name"]; ok {
		k.name = n
	}
	return k
}

// indexed is one column or expression of an index.
func (g *gen) indexed(v value) text {
	switch v := v.(type) {
	case text:
		return quote(v)
	case *columnV:
		return quote(v.name)
	case *textV:
		return v.render(g, nil)
	case *exprV:
		sql := v.ddl()
		if v.prec < precAtom && !strings.HasSuffix(sql.s, " DESC") && !strings.HasSuffix(sql.s, " ASC") &&
			!strings.Contains(sql.s, " NULLS ") {
			return catAny("(", sql, ")")
		}
		return sql
	}
	return g.fail("an index on " + orWhy(v, "something that is not understood"))
}

// indexSQL is CREATE INDEX (PGDDLCompiler.visit_create_index).
func (g *gen) indexSQL(ix *indexV, table text) text {
	if ix.kw.why != "" {
		return g.fail(ix.kw.why)
	}
	a := ix.kw
	out := plain("CREATE ")
	if g.flag(a, "unique", false) {
		out = catAny(out, "UNIQUE ")
	}
	out = catAny(out, "INDEX ")
	if g.flag(a, "postgresql_concurrently", false) {
		out = catAny(out, "CONCURRENTLY ")
	}
	if g.flag(a, "if_not_exists", false) {
		out = catAny(out, "IF NOT EXISTS ")
	}
	name := g.name(ix.name, "an index's name")
	if ix.auto {
		name = cut(name)
	}
	out = catAny(out, quote(name), " ON ")
	if g.flag(a, "postgresql_only", false) {
		out = catAny(out, "ONLY ")
	}
	out = catAny(out, table, " ")
	if v, ok := a.kw["postgresql_using"]; ok && !isNone(v) {
		m := g.name(v, "postgresql_using")
		if m.s != "" {
			out = catAny(out, "USING ", m.mapped(strings.ToLower(m.s)), " ")
		}
	}
	ops, _ := a.kw["postgresql_ops"].(*dict)
	if _, given := a.kw["postgresql_ops"]; given && ops == nil && !isNone(a.kw["postgresql_ops"]) {
		return g.fail("operator classes that are not known")
	}
	parts := make([]text, len(ix.exprs))
	for i, e := range ix.exprs {
		parts[i] = g.indexed(e)
		if n, ok := e.(text); ok && ops != nil {
			if k := ops.find(n); k >= 0 {
				parts[i] = catAny(parts[i], " ", g.name(ops.vals[k], "an operator class"))
			}
		}
	}
	if len(parts) == 0 {
		return g.fail("an index whose columns are not known")
	}
	out = catAny(out, "(", join(parts, plain(", ")), ")")
	if v, ok := a.kw["postgresql_include"]; ok && !isNone(v) {
		items, w := iterate(v)
		if w != "" {
			return g.fail(w)
		}
		if len(items) > 0 {
			out = catAny(out, " INCLUDE (", g.idents(items), ")")
		}
	}
	if g.flag(a, "postgresql_nulls_not_distinct", false) {
		out = catAny(out, " NULLS NOT DISTINCT")
	}
	if v, ok := a.kw["postgresql_with"]; ok && !isNone(v) {
		d, isDict := v.(*dict)
		if !isDict || d.why != "" {
			return g.fail("storage parameters that are not known")
		}
		var ps []text
		for i, k := range d.keys {
			val, ok := str(d.vals[i])
			if !ok {
				return g.fail("storage parameters that are not known")
			}
			ps = append(ps, catAny(g.name(k, "a storage parameter"), " = ", val))
		}
		out = catAny(out, " WITH (", join(ps, plain(", ")), ")")
	}
	if v, ok := a.kw["postgresql_tablespace"]; ok && !isNone(v) {
		out = catAny(out, " TABLESPACE ", g.ident(v, "a tablespace"))
	}
	if v, ok := a.kw["postgresql_where"]; ok && !isNone(v) {
		out = catAny(out, " WHERE ", g.condition(v))
	}
	return out
}

// cut shortens a generated name to what PostgreSQL keeps (IdentifierPreparer._truncate_and_render_maxlen_name).
func cut(name text) text {
	const limit = 63
	if len([]rune(name.s)) <= limit {
		return name
	}
	sum := md5.Sum([]byte(name.s))
	r := []rune(name.s)
	return name.mapped(string(r[:limit-8]) + "_" + hex.EncodeToString(sum[:])[28:])
}

// columnIndex is the index that index=True makes; nil for none.
func (g *gen) columnIndex(t *tableV, c *columnV) *indexV {
	v, ok := c.kw.kw["index"]
	if !ok || isNone(v) {
		return nil
	}
	if !g.flag(c.kw, "index", false) {
		return nil
	}
	label := catAny(t.name, "_", c.name)
	if t.schema.s != "" {
		label = catAny(t.schema.replace(".", plain("_"), -1), "_", label)
	}
	kw := map[string]value{"unique": g.flag(c.kw, "unique", false)}
	return &indexV{name: catAny("ix_", label), auto: true, exprs: []value{c.name}, kw: args{kw: kw}}
}
