package python

import (
	"strconv"
	"strings"
)

// Type is a SQLAlchemy type, as yet without its SQL.
type Type struct {
	Name string // canonical: "sa.Integer", "pg.JSONB", "sau.ChoiceType"
	Args Args
	Spec Value // what a UserDefinedType's get_col_spec gives
	// Decorated: code of a TypeDecorator stands between the database's values and the program's.
	Decorated bool
}

// Gen writes SQL out of values; why is the first reason for which it could not.
type Gen struct {
	Why string
}

// Fail notes a reason, unless there is one, and gives no text.
func (g *Gen) Fail(reason string) Text {
	if g.Why == "" {
		g.Why = reason
	}
	return Text{}
}

// Name is a value that must be a string.
func (g *Gen) Name(v Value, what string) Text {
	switch v := v.(type) {
	case Text:
		return v
	case *Column:
		return v.Name
	case *Table:
		return v.Name
	case *TextClause:
		return v.SQL
	}
	return g.Fail(OrWhy(v, what+" is not known"))
}

// Ident is a quoted identifier.
func (g *Gen) Ident(v Value, what string) Text { return Quote(g.Name(v, what)) }

// Flag is a value that must be True or False; other counts when it is absent or None.
func (g *Gen) Flag(a Args, name string, other bool) bool {
	v, ok := a.Kw[name]
	if !ok {
		return other
	}
	if _, isNone := v.(None); isNone {
		return other
	}
	is, known := Truth(v)
	if !known {
		g.Fail(OrWhy(v, name+" is not known"))
	}
	return is
}

// Quote writes an identifier as SQLAlchemy does: in quotes when it is a reserved word, has a capital letter, or any
// character that would need them (sqlalchemy/sql/compiler.py, IdentifierPreparer._requires_quotes; the words are those
// of sqlalchemy/dialects/postgresql/base.py, RESERVED_WORDS).
func Quote(t Text) Text {
	if !needsQuotes(t.S) {
		return t
	}
	return CatAny(`"`, t.Replace(`"`, Plain(`""`), -1), `"`)
}

func needsQuotes(s string) bool {
	if s == "" || s[0] >= '0' && s[0] <= '9' || s[0] == '$' {
		return true
	}
	for i := range len(s) {
		c := s[i]
		if c != '_' && c != '$' && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return true
		}
	}
	return reserved(s)
}

func reserved(s string) bool {
	switch s {
	case "all", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric", "both", "case", "cast", "check",
		"collate", "column", "constraint", "create", "current_catalog", "current_date", "current_role", "current_time",
		"current_timestamp", "current_user", "default", "deferrable", "desc", "distinct", "do", "else", "end", "except",
		"false", "fetch", "for", "foreign", "from", "grant", "group", "having", "in", "initially", "intersect", "into",
		"leading", "limit", "localtime", "localtimestamp", "new", "not", "null", "of", "off", "offset", "old", "on",
		"only", "or", "order", "placing", "primary", "references", "returning", "select", "session_user", "some",
		"symmetric", "table", "then", "to", "trailing", "true", "union", "unique", "user", "using", "variadic", "when",
		"where", "window", "with", "authorization", "between", "binary", "cross", "current_schema", "freeze", "full",
		"ilike", "inner", "is", "isnull", "join", "left", "like", "natural", "notnull", "outer", "over", "overlaps",
		"right", "similar", "verbose":
		return true
	}
	return false
}

// Literal writes a string constant.
func Literal(t Text) Text { return CatAny("'", t.Replace("'", Plain("''"), -1), "'") }

// Qualified is schema.name, both quoted.
func Qualified(schema, name Text) Text {
	if schema.S == "" {
		return Quote(name)
	}
	parts := schema.Split(".", -1)
	for i, p := range parts {
		parts[i] = Quote(p)
	}
	return CatAny(Join(parts, Plain(".")), ".", Quote(name))
}

// AsType turns what stands where a type is wanted into one; nil when it is none.
func AsType(v Value) *Type {
	switch v := v.(type) {
	case *Type:
		return v
	case External:
		if c := Canonical(v.Path); isTypeName(c) {
			return &Type{Name: c}
		}
	}
	return nil
}

// AsType turns what stands where a type is wanted into one, classes of the files included; nil when it is none.
func (x *Interp) AsType(v Value) *Type {
	if c, ok := v.(*Class); ok {
		t, _ := x.instantiate(c, Args{Kw: map[string]Value{}}).(*Type)
		return t
	}
	return AsType(v)
}

func isTypeName(c string) bool {
	ns, name, _ := strings.Cut(c, ".")
	switch ns {
	case "sa", "pg":
		switch name {
		case "Enum", "ENUM", "ARRAY", "Interval", "INTERVAL", "PickleType", "BIT", "Variant":
			return true
		}
		return simpleType(name) != "" || stringType(name) != ""
	case "sau":
		switch name {
		case "ChoiceType", "UUIDType", "JSONType", "ArrowType", "EmailType", "URLType", "IPAddressType", "TSVectorType",
			"PasswordType", "ScalarListType", "LocaleType", "TimezoneType", "CurrencyType", "ColorType", "CountryType",
			"PhoneNumberType", "EncryptedType", "StringEncryptedType", "LtreeType", "Int4RangeType", "IntRangeType",
			"DateRangeType", "DateTimeRangeType", "NumericRangeType", "EnumType", "CompositeType":
			return true
		}
	}
	return false
}

// stringType is a type of characters, which takes a length and a collation.
func stringType(name string) string {
	switch name {
	case "String", "Unicode", "VARCHAR":
		return "VARCHAR"
	case "Text", "UnicodeText", "TEXT":
		return "TEXT"
	case "CHAR", "NCHAR", "NVARCHAR":
		return name
	case "CITEXT":
		return "CITEXT"
	}
	return ""
}

// simpleType is a type whose SQL depends on nothing, or on precision, scale or timezone.
func simpleType(name string) string {
	switch name {
	case "Integer", "INTEGER", "INT":
		return "INTEGER"
	case "BigInteger", "BIGINT":
		return "BIGINT"
	case "SmallInteger", "SMALLINT":
		return "SMALLINT"
	case "Boolean", "BOOLEAN":
		return "BOOLEAN"
	case "Date", "DATE":
		return "DATE"
	case "DateTime", "TIMESTAMP", "DATETIME":
		return "TIMESTAMP"
	case "Time", "TIME":
		return "TIME"
	case "Numeric", "NUMERIC":
		return "NUMERIC"
	case "DECIMAL":
		return "DECIMAL"
	case "Float", "FLOAT":
		return "FLOAT"
	case "REAL":
		return "REAL"
	case "Double", "DOUBLE_PRECISION":
		return "DOUBLE PRECISION"
	case "DOUBLE":
		return "DOUBLE"
	case "LargeBinary", "BYTEA":
		return "BYTEA"
	case "JSON", "JSONB", "HSTORE", "INET", "CIDR", "MACADDR", "MACADDR8", "MONEY", "OID", "REGCLASS", "REGCONFIG",
		"TSVECTOR", "TSQUERY", "UUID", "INT4RANGE", "INT8RANGE", "NUMRANGE", "DATERANGE", "TSRANGE", "TSTZRANGE",
		"INT4MULTIRANGE", "INT8MULTIRANGE", "NUMMULTIRANGE", "DATEMULTIRANGE", "TSMULTIRANGE", "TSTZMULTIRANGE", "BLOB", "CLOB":
		return name
	case "Uuid":
		return "UUID"
	}
	return ""
}

// number is an argument that is an integer or absent.
func (g *Gen) number(a Args, i int, name string) (int64, bool) {
	v, ok := a.Get(i, name)
	if !ok {
		return 0, false
	}
	switch v := v.(type) {
	case None:
		return 0, false
	case int64:
		return v, true
	}
	g.Fail(OrWhy(v, "a type's "+name+" is not known"))
	return 0, false
}

// TypeSQL is what SQLAlchemy's PostgreSQL type compiler makes of t (PGTypeCompiler, GenericTypeCompiler).
func (g *Gen) TypeSQL(x *Interp, t *Type) Text {
	if t == nil {
		return g.Fail("a column without a type")
	}
	if t.Args.Why != "" {
		return g.Fail(t.Args.Why)
	}
	ns, name, _ := strings.Cut(t.Name, ".")
	a := t.Args
	if t.Spec != nil {
		return g.Name(t.Spec, "a type's name")
	}
	if ns == "sau" {
		return g.utilsType(x, name, a)
	}
	if base := stringType(name); base != "" {
		out := base
		if n, ok := g.number(a, 0, "length"); ok && n > 0 && base != "CITEXT" {
			out += "(" + strconv.FormatInt(n, 10) + ")"
		}
		if c, ok := a.Get(1, "collation"); ok && !IsNone(c) {
			return CatAny(out, ` COLLATE "`, g.Name(c, "a collation"), `"`)
		}
		return Plain(out)
	}
	switch name {
	case "Enum", "ENUM":
		e := g.Enum(x, t)
		if e == nil {
			return Text{}
		}
		if !e.Native {
			return Plain("VARCHAR(" + strconv.Itoa(e.longest()) + ")")
		}
		if e.Name.S == "" {
			return g.Fail("an enum type without a name, which PostgreSQL needs")
		}
		return Qualified(e.Schema, e.Name)
	case "ARRAY":
		item, ok := a.Get(0, "item_type")
		it := x.AsType(item)
		if !ok || it == nil {
			return g.Fail(OrWhy(item, "an array of a type that is not known"))
		}
		inner := g.TypeSQL(x, it)
		dims := int64(1)
		if d, ok := g.number(a, 2, "dimensions"); ok {
			dims = max(0, min(d, 6))
		}
		brackets := strings.Repeat("[]", int(dims))
		if i := strings.Index(inner.S, " COLLATE"); i >= 0 {
			return CatAny(inner.Sub(0, i), brackets, inner.Sub(i, len(inner.S)))
		}
		return CatAny(inner, brackets)
	case "Interval":
		if p, ok := g.number(a, 1, "second_precision"); ok {
			return Plain("INTERVAL (" + strconv.FormatInt(p, 10) + ")")
		}
		return Plain("INTERVAL")
	case "INTERVAL":
		out := Plain("INTERVAL")
		if f, ok := a.Get(1, "fields"); ok && !IsNone(f) {
			out = CatAny(out, " ", g.Name(f, "an interval's fields"))
		}
		if p, ok := g.number(a, 0, "precision"); ok {
			out = CatAny(out, " ("+strconv.FormatInt(p, 10)+")")
		}
		return out
	case "PickleType":
		return Plain("BYTEA")
	case "BIT":
		n, ok := g.number(a, 0, "length")
		size := ""
		if ok {
			size = "(" + strconv.FormatInt(n, 10) + ")"
		}
		if v, has := a.Get(1, "varying"); has {
			if is, _ := Truth(v); is {
				return Plain("BIT VARYING" + size)
			}
		}
		if !ok {
			size = "(1)"
		}
		return Plain("BIT" + size)
	}
	base := simpleType(name)
	switch base {
	case "TIMESTAMP", "TIME":
		out := base
		if p, ok := g.number(a, 1, "precision"); ok && ns == "pg" {
			out += "(" + strconv.FormatInt(p, 10) + ")"
		}
		zone := "WITHOUT"
		if v, ok := a.Get(0, "timezone"); ok {
			is, known := Truth(v)
			if !known {
				return g.Fail("a type's timezone is not known")
			}
			if is {
				zone = "WITH"
			}
		}
		return Plain(out + " " + zone + " TIME ZONE")
	case "NUMERIC", "DECIMAL":
		p, ok := g.number(a, 0, "precision")
		if !ok {
			return Plain(base)
		}
		s, ok := g.number(a, 1, "scale")
		if !ok {
			return Plain(base + "(" + strconv.FormatInt(p, 10) + ")")
		}
		return Plain(base + "(" + strconv.FormatInt(p, 10) + ", " + strconv.FormatInt(s, 10) + ")")
	case "FLOAT":
		if p, ok := g.number(a, 0, "precision"); ok && p > 0 {
			return Plain("FLOAT(" + strconv.FormatInt(p, 10) + ")")
		}
		return Plain(base)
	case "":
		return g.Fail("a type that is not known: " + name)
	}
	return Plain(base)
}

// utilsType is a type of sqlalchemy_utils, on PostgreSQL.
func (g *Gen) utilsType(x *Interp, name string, a Args) Text {
	switch name {
	case "ChoiceType":
		impl, ok := a.Get(1, "impl")
		if !ok || IsNone(impl) {
			return Plain("VARCHAR(255)")
		}
		return g.TypeSQL(x, x.AsType(impl))
	case "UUIDType":
		if v, ok := a.Get(1, "native"); ok {
			if is, known := Truth(v); !known || !is {
				return g.Fail("a UUIDType that is not native")
			}
		}
		return Plain("UUID")
	case "JSONType":
		return Plain("JSON")
	case "ArrowType":
		return Plain("TIMESTAMP WITHOUT TIME ZONE")
	case "EmailType", "ColorType":
		size := "255"
		if name == "ColorType" {
			size = "20"
		}
		if n, ok := g.number(a, 0, "length"); ok {
			size = strconv.FormatInt(n, 10)
		}
		return Plain("VARCHAR(" + size + ")")
	case "URLType":
		return Plain("TEXT")
	case "IPAddressType":
		return Plain("VARCHAR(50)")
	case "TSVectorType":
		return Plain("TSVECTOR")
	case "LtreeType":
		return Plain("LTREE")
	}
	return g.Fail("a type of sqlalchemy_utils that is not known: " + name)
}

// affinity reports whether a type counts as a number for SQLAlchemy's choice of the SERIAL column, and which SERIAL.
func (t *Type) affinity() string {
	if t == nil {
		return ""
	}
	_, name, _ := strings.Cut(t.Name, ".")
	switch simpleType(name) {
	case "INTEGER", "NUMERIC", "DECIMAL", "FLOAT", "REAL", "DOUBLE PRECISION", "DOUBLE":
		return "SERIAL"
	case "BIGINT":
		return "BIGSERIAL"
	case "SMALLINT":
		return "SMALLSERIAL"
	}
	return ""
}

// isString reports whether + on the type is ||.
func (t *Type) isString() bool {
	if t == nil {
		return false
	}
	_, name, _ := strings.Cut(t.Name, ".")
	return stringType(name) != "" || name == "Enum"
}

// Enum is an enum type that is known.
type Enum struct {
	Name, Schema Text
	Labels       []Text
	Native       bool
	Create       bool // create_table creates it
	Check        bool // create_constraint
}

func (e *Enum) longest() int {
	n := 0
	for _, l := range e.Labels {
		n = max(n, len([]rune(l.S)))
	}
	return n
}

// CreateSQL is the CREATE TYPE of an enum.
func (e *Enum) CreateSQL() Text {
	labels := make([]Text, len(e.Labels))
	for i, l := range e.Labels {
		labels[i] = Literal(l)
	}
	return CatAny("CREATE TYPE ", Qualified(e.Schema, e.Name), " AS ENUM (", Join(labels, Plain(", ")), ")")
}

// Enum reads the arguments of sa.Enum or postgresql.ENUM; nil when they are not known.
func (g *Gen) Enum(x *Interp, t *Type) *Enum {
	e := &Enum{Native: true, Create: true}
	a := t.Args
	if a.Why != "" {
		g.Fail(a.Why)
		return nil
	}
	for _, p := range a.Pos {
		switch p := p.(type) {
		case Text:
			e.Labels = append(e.Labels, p)
		case *Class:
			if !p.IsEnum() {
				g.Fail("an enum type whose labels are not known")
				return nil
			}
			if _, ok := a.Kw["values_callable"]; ok {
				v := x.Call(a.Kw["values_callable"], Args{N: t.Args.N, Pos: []Value{p}, Kw: map[string]Value{}})
				labels, ok := v.(*List)
				if !ok || labels.Why != "" {
					g.Fail("an enum type whose labels are not known")
					return nil
				}
				for _, l := range labels.Items {
					e.Labels = append(e.Labels, g.Name(l, "an enum's label"))
				}
			} else {
				for _, m := range p.Members() {
					e.Labels = append(e.Labels, m.(*Member).Name)
				}
			}
			e.Name = Plain(strings.ToLower(p.Name))
		default:
			g.Fail(OrWhy(p, "an enum type whose labels are not known"))
			return nil
		}
	}
	if v, ok := a.Kw["name"]; ok && !IsNone(v) {
		e.Name = g.Name(v, "an enum type's name")
	}
	if v, ok := a.Kw["schema"]; ok && !IsNone(v) {
		e.Schema = g.Name(v, "an enum type's schema")
	}
	if g.Flag(a, "inherit_schema", false) {
		g.Fail("an enum type that takes its table's schema")
	}
	e.Native = g.Flag(a, "native_enum", true)
	e.Check = g.Flag(a, "create_constraint", false)
	e.Create = g.Flag(a, "create_type", true)
	if m, ok := a.Kw["metadata"]; ok && !IsNone(m) {
		e.Create = false
	}
	if g.Why != "" {
		return nil
	}
	return e
}
