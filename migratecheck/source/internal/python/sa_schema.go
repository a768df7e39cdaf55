package python

import (
	"crypto/md5"
	"encoding/hex"
	"strconv"
	"strings"
)

// Column is sa.Column(…) or sa.column(…).
type Column struct {
	Name    Text
	Type    *Type
	Table   *Table
	Kw      Args
	Items   []Value // ForeignKey, CheckConstraint, Identity, Computed, Sequence among its arguments
	Why     string  // not empty: something about it is not known
	PK      bool    // primary_key=True or named by a PrimaryKeyConstraint
	PKKey   bool    // primary_key=True itself
	Virtual bool    // from sa.column: no DDL
}

// ref is the column in an expression.
func (c *Column) ref() *Expr {
	e := &Expr{SQL: Quote(c.Name), Prec: precAtom, Str: c.Type.isString()}
	if c.Table != nil {
		e.Bare = e.SQL
		e.SQL = CatAny(Quote(c.Table.Name), ".", e.SQL)
		e.Tables = []*Table{c.Table}
	}
	return e
}

// Table is sa.Table(…), sa.table(…), or what op.create_table returns.
type Table struct {
	Name, Schema Text
	Columns      []*Column
	Items        []Value // constraints and indexes
	Kw           Args
	Open         bool // its columns come from the database
	Why          string
}

// SQL is the table's name, quoted and with its schema.
func (t *Table) SQL() Text { return Qualified(t.Schema, t.Name) }

func (t *Table) find(name string) *Column {
	for _, c := range t.Columns {
		if c.Name.S == name {
			return c
		}
	}
	return nil
}

// ColumnsOf is a table's .c.
type ColumnsOf struct{ table *Table }

func (c ColumnsOf) column(name string) Value {
	if col := c.table.find(name); col != nil {
		return col
	}
	if c.table.Open {
		return &Column{Name: Plain(name), Table: c.table, Virtual: true}
	}
	return Unknown{Why: "a column that the table does not have: " + name, Refused: true}
}

// ForeignKey is sa.ForeignKey(…).
type ForeignKey struct {
	Target Value // "table.column" or a column
	Kw     Args
}

// Constraint is a table's constraint.
type Constraint struct {
	Kind    string // "primary", "unique", "foreign", "check", "exclude"
	Name    Value  // nil when it has none
	Columns []Value
	Remote  []Value // a foreign key's "table.column"s
	Body    Value   // a check's condition
	Kw      Args
	// refTable and refColumns are a foreign key's target when it is given in parts.
	RefTable, RefSchema Text
	RefColumns          []Value
	Elements            []Value // an exclude constraint's (column, operator) pairs
}

// Index is sa.Index(…) or op.create_index's.
type Index struct {
	Name  Value
	Auto  bool // made by index=True: its name may be cut
	Exprs []Value
	Kw    Args
}

// identityV is sa.Identity(…), computedV sa.Computed(…), sequenceV sa.Sequence(…).
type (
	Identity struct{ Kw Args }
	Computed struct{ sql Value }
	Sequence struct{ Kw Args }
)

// NewColumn reads the arguments of sa.Column.
func (x *Interp) NewColumn(a Args, virtual bool) Value {
	c := &Column{Kw: a, Why: a.Why, Virtual: virtual}
	pos := a.Pos
	if v, ok := a.Kw["name"]; ok {
		pos = append([]Value{v}, pos...)
	}
	if len(pos) > 0 {
		if t, ok := pos[0].(Text); ok {
			c.Name = t
			pos = pos[1:]
		} else if IsUnknown(pos[0]) {
			c.Why = Why(pos[0])
			pos = pos[1:]
		}
	}
	if v, ok := a.Kw["type_"]; ok {
		pos = append([]Value{v}, pos...)
	}
	for i, p := range pos {
		if t := x.AsType(p); t != nil && c.Type == nil && i == 0 {
			c.Type = t
			continue
		}
		switch p.(type) {
		case *ForeignKey, *Constraint, *Identity, *Computed, *Sequence:
			c.Items = append(c.Items, p)
		case None:
		default:
			if c.Why == "" {
				c.Why = OrWhy(p, "a column's argument that is not understood")
				if e, ok := p.(External); ok && i == 0 {
					c.Why = "the type " + e.Path + ", which is not known"
				}
			}
		}
	}
	if v, given := a.Kw["primary_key"]; given {
		is, ok := Truth(v)
		if !ok {
			c.fail(OrWhy(v, "primary_key is not known"))
		}
		c.PK, c.PKKey = is, is
	}
	for _, k := range []string{"quote", "system"} {
		if v, given := a.Kw[k]; given && !IsNone(v) && v != Value(false) {
			c.fail("a column's " + k + ", which is not modelled")
		}
	}
	if v, given := a.Kw["autoincrement"]; given && IsUnknown(v) {
		c.fail(Why(v))
	}
	return c
}

func (c *Column) fail(reason string) {
	if c.Why == "" {
		c.Why = reason
	}
}

// Nullable is whether the column takes NULL; by SQLAlchemy's default it does unless it is in the primary key or an
// identity.
func (g *Gen) Nullable(c *Column) bool {
	v, given := c.Kw.Kw["nullable"]
	if !given {
		return !c.PK && c.Identity() == nil
	}
	is, known := Truth(v)
	if !known {
		g.Fail(OrWhy(v, "nullable is not known"))
	}
	return is
}

// Identity is the Identity among the column's arguments, nil for none.
func (c *Column) Identity() *Identity {
	if id, ok := c.Kw.Kw["server_default"].(*Identity); ok {
		return id
	}
	for _, it := range c.Items {
		if id, ok := it.(*Identity); ok {
			return id
		}
	}
	return nil
}

// Computed is the Computed among the column's arguments, nil for none.
func (c *Column) Computed() *Computed {
	if id, ok := c.Kw.Kw["server_default"].(*Computed); ok {
		return id
	}
	for _, it := range c.Items {
		if id, ok := it.(*Computed); ok {
			return id
		}
	}
	return nil
}

// ForeignKeys lists the ForeignKeys among the column's arguments.
func (c *Column) ForeignKeys() []*ForeignKey {
	var out []*ForeignKey
	for _, it := range c.Items {
		if fk, ok := it.(*ForeignKey); ok {
			out = append(out, fk)
		}
	}
	return out
}

// Autoincrement is the column of a primary key that becomes SERIAL (sqlalchemy/sql/schema.py,
// PrimaryKeyConstraint._autoincrement_column).
func Autoincrement(columns []*Column) *Column {
	var keys []*Column
	for _, c := range columns {
		if c.PK {
			keys = append(keys, c)
		}
	}
	if len(keys) != 1 {
		for _, c := range keys {
			if is, ok := c.Kw.Kw["autoincrement"].(bool); ok && is {
				return c
			}
		}
		return nil
	}
	c := keys[0]
	auto, given := c.Kw.Kw["autoincrement"]
	is, isBool := auto.(bool)
	if isBool && is {
		return c
	}
	word, _ := auto.(Text)
	if given && word.S != "auto" && word.S != "ignore_fk" || c.Type.affinity() == "" {
		return nil
	}
	if HasDefault(c) {
		return nil
	}
	if d, ok := c.Kw.Kw["server_default"]; ok && !IsNone(d) {
		if _, id := d.(*Identity); !id {
			return nil
		}
	}
	if len(c.ForeignKeys()) > 0 && word.S != "ignore_fk" {
		return nil
	}
	return c
}

// HasDefault reports whether SQLAlchemy fills the column in by itself: a default other than a sequence.
func HasDefault(c *Column) bool {
	d, ok := c.Kw.Kw["default"]
	_, sequence := d.(*Sequence)
	return ok && !IsNone(d) && !sequence
}

// ColumnSpec is the column in CREATE TABLE or ADD COLUMN (PGDDLCompiler.get_column_specification).
func (g *Gen) ColumnSpec(x *Interp, c *Column, auto *Column) Text {
	if c.Why != "" {
		return g.Fail(c.Why)
	}
	if c.Name.S == "" {
		return g.Fail("a column without a name")
	}
	out := Quote(c.Name)
	identity := c.Identity()
	sequence := false
	for _, it := range c.Items {
		if s, ok := it.(*Sequence); ok && !g.Flag(s.Kw, "optional", false) {
			sequence = true
		}
	}
	if v, ok := c.Kw.Kw["default"]; ok && !IsNone(v) {
		if s, isSeq := v.(*Sequence); !isSeq || !g.Flag(s.Kw, "optional", false) {
			sequence = true
		}
	}
	if c == auto && identity == nil && !sequence {
		out = CatAny(out, " "+c.Type.affinity())
	} else {
		out = CatAny(out, " ", g.TypeSQL(x, c.Type))
		if d, ok := c.Kw.Kw["server_default"]; ok {
			if sql, has := g.DefaultSQL(d); has {
				out = CatAny(out, " DEFAULT ", sql)
			}
		}
	}
	if k := c.Computed(); k != nil {
		out = CatAny(out, " GENERATED ALWAYS AS (", g.condition(k.sql), ") STORED")
	}
	if identity != nil {
		out = CatAny(out, " ", g.IdentitySQL(identity))
	}
	nullable := g.Nullable(c)
	if !nullable && identity == nil {
		out = CatAny(out, " NOT NULL")
	} else if nullable && identity != nil {
		out = CatAny(out, " NULL")
	}
	for _, it := range c.Items {
		if k, ok := it.(*Constraint); ok {
			out = CatAny(out, " ", g.ConstraintSQL(k))
		}
	}
	return out
}

// DefaultSQL is a server_default's SQL; has is false when there is none.
func (g *Gen) DefaultSQL(v Value) (sql Text, has bool) {
	switch v := v.(type) {
	case None, *Identity, *Computed:
		return Text{}, false
	case Text:
		return Literal(v), true
	case *TextClause:
		return v.Render(g, nil), true
	case *Expr:
		return v.ddl(), true
	case *Member:
		if t, ok := v.Value.(Text); ok && isStrEnum(v.Class) {
			return Literal(t), true
		}
	}
	return g.Fail("a default that is " + OrWhy(v, "not known")), false
}

// condition is a check's or a predicate's SQL.
func (g *Gen) condition(v Value) Text {
	switch v := v.(type) {
	case Text:
		return (&TextClause{SQL: v}).Render(g, nil)
	case *TextClause:
		return v.Render(g, nil)
	case *Expr:
		return v.ddl()
	case *Column:
		return Quote(v.Name)
	case bool:
		return toExpr(v).SQL
	}
	return g.Fail("a condition that is " + OrWhy(v, "not understood"))
}

// IdentitySQL is an identity as it stands behind a column's type.
func (g *Gen) IdentitySQL(i *Identity) Text {
	out := "GENERATED BY DEFAULT AS IDENTITY"
	if v, ok := i.Kw.Get(0, "always"); ok {
		is, known := Truth(v)
		if !known {
			return g.Fail("an identity whose kind is not known")
		}
		if is {
			out = "GENERATED ALWAYS AS IDENTITY"
		}
	}
	if o := g.sequenceOptions(i.Kw, 2); o != "" {
		out += " (" + o + ")"
	}
	return Plain(out)
}

// sequenceOptions are those of a sequence or identity (DDLCompiler.get_identity_options); start is the position of the
// argument of that name.
func (g *Gen) sequenceOptions(a Args, start int) string {
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
		if g.Flag(a, o.name, false) {
			out = append(out, o.sql)
		}
	}
	if n, ok := g.number(a, -1, "cache"); ok {
		out = append(out, "CACHE "+strconv.FormatInt(n, 10))
	}
	if v, ok := a.Kw["cycle"]; ok && !IsNone(v) {
		if g.Flag(a, "cycle", false) {
			out = append(out, "CYCLE")
		} else {
			out = append(out, "NO CYCLE")
		}
	}
	return strings.Join(out, " ")
}

// SequenceSQL is CREATE SEQUENCE. SQLAlchemy 1.4 adds START WITH 1, which is PostgreSQL's default for an ascending one.
func (g *Gen) SequenceSQL(x *Interp, s *Sequence) Text {
	name := g.SequenceName(s)
	out := CatAny("CREATE SEQUENCE ", name)
	if v, ok := s.Kw.Kw["data_type"]; ok && !IsNone(v) {
		out = CatAny(out, " AS ", g.TypeSQL(x, x.AsType(v)))
	}
	if o := g.sequenceOptions(s.Kw, 1); o != "" {
		out = CatAny(out, " "+o)
	}
	return out
}

// SequenceName is a sequence's name, quoted and with its schema.
func (g *Gen) SequenceName(s *Sequence) Text {
	v, _ := s.Kw.Get(0, "name")
	var schema Text
	if sv, ok := s.Kw.Kw["schema"]; ok && !IsNone(sv) {
		schema = g.Name(sv, "a sequence's schema")
	}
	return Qualified(schema, g.Name(v, "a sequence's name"))
}

// ConstraintSQL is a constraint without the ALTER TABLE … ADD before it.
func (g *Gen) ConstraintSQL(k *Constraint) Text {
	if k.Kw.Why != "" {
		return g.Fail(k.Kw.Why)
	}
	var out Text
	if k.Name != nil && !IsNone(k.Name) {
		name := g.Name(k.Name, "a constraint's name")
		if name.Conv {
			name = cut(name)
		}
		out = CatAny("CONSTRAINT ", Quote(name), " ")
	}
	switch k.Kind {
	case "primary":
		out = CatAny(out, "PRIMARY KEY (", g.Idents(k.Columns), ")")
	case "unique":
		out = CatAny(out, "UNIQUE ")
		if g.Flag(k.Kw, "postgresql_nulls_not_distinct", false) {
			out = CatAny(out, "NULLS NOT DISTINCT ")
		}
		out = CatAny(out, "(", g.Idents(k.Columns), ")")
		if inc, ok := k.Kw.Kw["postgresql_include"]; ok && !IsNone(inc) {
			items, w := Iterate(inc)
			if w != "" {
				return g.Fail(w)
			}
			out = CatAny(out, " INCLUDE (", g.Idents(items), ")")
		}
	case "check":
		out = CatAny(out, "CHECK (", g.condition(k.Body), ")")
	case "foreign":
		table, columns := g.reference(k)
		out = CatAny(out, "FOREIGN KEY(", g.Idents(k.Columns), ") REFERENCES ", table, " (", columns, ")")
		if m, ok := k.Kw.Kw["match"]; ok && !IsNone(m) {
			out = CatAny(out, " MATCH ", g.Name(m, "match"))
		}
		for _, o := range []string{"ondelete", "onupdate"} {
			if v, ok := k.Kw.Kw[o]; ok && !IsNone(v) {
				out = CatAny(out, " ON "+strings.ToUpper(o[2:])+" ", g.Name(v, o))
			}
		}
	case "exclude":
		using := Plain("gist")
		if v, ok := k.Kw.Kw["using"]; ok && !IsNone(v) {
			using = g.Name(v, "using")
		}
		ops, _ := k.Kw.Kw["ops"].(*Dict)
		var parts []Text
		for _, e := range k.Elements {
			pair, w := Iterate(e)
			if w != "" || len(pair) != 2 {
				return g.Fail("an exclude constraint that is not understood")
			}
			el := g.indexed(pair[0])
			if ops != nil {
				if n, ok := pair[0].(Text); ok {
					if i := ops.find(n); i >= 0 {
						el = CatAny(el, " ", g.Name(ops.Vals[i], "an operator class"))
					}
				}
			}
			parts = append(parts, CatAny(el, " WITH ", g.Name(pair[1], "an operator")))
		}
		out = CatAny(out, "EXCLUDE USING ", using.Mapped(strings.ToLower(using.S)), " (", Join(parts, Plain(", ")), ")")
		if v, ok := k.Kw.Kw["where"]; ok && !IsNone(v) {
			out = CatAny(out, " WHERE (", g.condition(v), ")")
		}
	default:
		return g.Fail("a constraint that is not understood")
	}
	if v, ok := k.Kw.Kw["deferrable"]; ok && !IsNone(v) {
		if g.Flag(k.Kw, "deferrable", false) {
			out = CatAny(out, " DEFERRABLE")
		} else {
			out = CatAny(out, " NOT DEFERRABLE")
		}
	}
	if v, ok := k.Kw.Kw["initially"]; ok && !IsNone(v) {
		out = CatAny(out, " INITIALLY ", g.Name(v, "initially"))
	}
	if k.Kind == "check" || k.Kind == "foreign" {
		if g.Flag(k.Kw, "postgresql_not_valid", false) {
			out = CatAny(out, " NOT VALID")
		}
	}
	return out
}

// Idents is a list of quoted identifiers.
func (g *Gen) Idents(vs []Value) Text {
	parts := make([]Text, len(vs))
	for i, v := range vs {
		parts[i] = g.Ident(v, "a column's name")
	}
	if len(parts) == 0 {
		return g.Fail("a list of columns that is not known")
	}
	return Join(parts, Plain(", "))
}

// reference is a foreign key's table and columns.
func (g *Gen) reference(k *Constraint) (table, columns Text) {
	if k.RefTable.S != "" {
		return Qualified(k.RefSchema, k.RefTable), g.Idents(k.RefColumns)
	}
	var cols []Text
	for _, r := range k.Remote {
		switch r := r.(type) {
		case Text:
			i := strings.LastIndexByte(r.S, '.')
			if i < 0 {
				return g.Fail("a foreign key whose target is no table.column"), Text{}
			}
			table = r.Sub(0, i)
			if d := strings.LastIndexByte(table.S, '.'); d >= 0 {
				table = Qualified(table.Sub(0, d), table.Sub(d+1, len(table.S)))
			} else {
				table = Quote(table)
			}
			cols = append(cols, Quote(r.Sub(i+1, len(r.S))))
		case *Column:
			if r.Table == nil {
				return g.Fail("a foreign key to a column without a table"), Text{}
			}
			table = r.Table.SQL()
			cols = append(cols, Quote(r.Name))
		default:
			return g.Fail("a foreign key's target is " + OrWhy(r, "not known")), Text{}
		}
	}
	if len(cols) == 0 {
		return g.Fail("a foreign key whose target is not known"), Text{}
	}
	return table, Join(cols, Plain(", "))
}

// KeyConstraint is the constraint that a ForeignKey among a column's arguments makes of the table.
func KeyConstraint(c *Column, fk *ForeignKey) *Constraint {
	k := &Constraint{Kind: "foreign", Columns: []Value{c.Name}, Remote: []Value{fk.Target}, Kw: fk.Kw}
	if n, ok := fk.Kw.Kw["name"]; ok {
		k.Name = n
	}
	return k
}

// indexed is one column or expression of an index.
func (g *Gen) indexed(v Value) Text {
	switch v := v.(type) {
	case Text:
		return Quote(v)
	case *Column:
		return Quote(v.Name)
	case *TextClause:
		return v.Render(g, nil)
	case *Expr:
		sql := v.ddl()
		if v.Prec < precAtom && !strings.HasSuffix(sql.S, " DESC") && !strings.HasSuffix(sql.S, " ASC") &&
			!strings.Contains(sql.S, " NULLS ") {
			return CatAny("(", sql, ")")
		}
		return sql
	}
	return g.Fail("an index on " + OrWhy(v, "something that is not understood"))
}

// IndexSQL is CREATE INDEX (PGDDLCompiler.visit_create_index).
func (g *Gen) IndexSQL(ix *Index, table Text) Text {
	if ix.Kw.Why != "" {
		return g.Fail(ix.Kw.Why)
	}
	a := ix.Kw
	out := Plain("CREATE ")
	if g.Flag(a, "unique", false) {
		out = CatAny(out, "UNIQUE ")
	}
	out = CatAny(out, "INDEX ")
	if g.Flag(a, "postgresql_concurrently", false) {
		out = CatAny(out, "CONCURRENTLY ")
	}
	if g.Flag(a, "if_not_exists", false) {
		out = CatAny(out, "IF NOT EXISTS ")
	}
	name := g.Name(ix.Name, "an index's name")
	if ix.Auto || name.Conv {
		name = cut(name)
	}
	out = CatAny(out, Quote(name), " ON ")
	if g.Flag(a, "postgresql_only", false) {
		out = CatAny(out, "ONLY ")
	}
	out = CatAny(out, table, " ")
	if v, ok := a.Kw["postgresql_using"]; ok && !IsNone(v) {
		m := g.Name(v, "postgresql_using")
		if m.S != "" {
			out = CatAny(out, "USING ", m.Mapped(strings.ToLower(m.S)), " ")
		}
	}
	ops, _ := a.Kw["postgresql_ops"].(*Dict)
	if _, given := a.Kw["postgresql_ops"]; given && ops == nil && !IsNone(a.Kw["postgresql_ops"]) {
		return g.Fail("operator classes that are not known")
	}
	parts := make([]Text, len(ix.Exprs))
	for i, e := range ix.Exprs {
		parts[i] = g.indexed(e)
		if n, ok := e.(Text); ok && ops != nil {
			if k := ops.find(n); k >= 0 {
				parts[i] = CatAny(parts[i], " ", g.Name(ops.Vals[k], "an operator class"))
			}
		}
	}
	if len(parts) == 0 {
		return g.Fail("an index whose columns are not known")
	}
	out = CatAny(out, "(", Join(parts, Plain(", ")), ")")
	if v, ok := a.Kw["postgresql_include"]; ok && !IsNone(v) {
		items, w := Iterate(v)
		if w != "" {
			return g.Fail(w)
		}
		if len(items) > 0 {
			out = CatAny(out, " INCLUDE (", g.Idents(items), ")")
		}
	}
	if g.Flag(a, "postgresql_nulls_not_distinct", false) {
		out = CatAny(out, " NULLS NOT DISTINCT")
	}
	if v, ok := a.Kw["postgresql_with"]; ok && !IsNone(v) {
		d, isDict := v.(*Dict)
		if !isDict || d.Why != "" {
			return g.Fail("storage parameters that are not known")
		}
		var ps []Text
		for i, k := range d.Keys {
			val, ok := Str(d.Vals[i])
			if !ok {
				return g.Fail("storage parameters that are not known")
			}
			ps = append(ps, CatAny(g.Name(k, "a storage parameter"), " = ", val))
		}
		out = CatAny(out, " WITH (", Join(ps, Plain(", ")), ")")
	}
	if v, ok := a.Kw["postgresql_tablespace"]; ok && !IsNone(v) {
		out = CatAny(out, " TABLESPACE ", g.Ident(v, "a tablespace"))
	}
	if v, ok := a.Kw["postgresql_where"]; ok && !IsNone(v) {
		out = CatAny(out, " WHERE ", g.condition(v))
	}
	return out
}

// cut shortens a generated name to what PostgreSQL keeps (IdentifierPreparer._truncate_and_render_maxlen_name).
func cut(name Text) Text {
	const limit = 63
	if len([]rune(name.S)) <= limit {
		return name
	}
	sum := md5.Sum([]byte(name.S))
	r := []rune(name.S)
	return name.Mapped(string(r[:limit-8]) + "_" + hex.EncodeToString(sum[:])[28:])
}

// ColumnIndex is the index that index=True makes; nil for none.
func (g *Gen) ColumnIndex(t *Table, c *Column) *Index {
	v, ok := c.Kw.Kw["index"]
	if !ok || IsNone(v) {
		return nil
	}
	if !g.Flag(c.Kw, "index", false) {
		return nil
	}
	label := CatAny(t.Name, "_", c.Name)
	if t.Schema.S != "" {
		label = CatAny(t.Schema.Replace(".", Plain("_"), -1), "_", label)
	}
	kw := map[string]Value{"unique": g.Flag(c.Kw, "unique", false)}
	return &Index{Name: CatAny("ix_", label), Auto: true, Exprs: []Value{c.Name}, Kw: Args{Kw: kw}}
}
