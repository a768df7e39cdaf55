package alembic

import (
	"strconv"
	"strings"
)

// typeV is a SQLAlchemy type, as yet without its SQL.
type typeV struct {
	name string // canonical: "sa.Integer", "pg.JSONB", "sau.ChoiceType"
	args args
	spec value // what a UserDefinedType's get_col_spec gives
}

// gen writes SQL out of values; why is the first reason for which it could not.
type gen struct {
	why string
}

func (g *gen) fail(reason string) text {
	if g.why == "" {
		g.why = reason
	}
	return text{}
}

// name is a value that must be a string.
func (g *gen) name(v value, what string) text {
	switch v := v.(type) {
	case text:
		return v
	case *columnV:
		return v.name
	case *tableV:
		return v.name
	case *textV:
		return v.sql
	}
	return g.fail(orWhy(v, what+" is not known"))
}

// ident is a quoted identifier.
func (g *gen) ident(v value, what string) text { return quote(g.name(v, what)) }

// flag is a value that must be True or False; other counts when it is absent or None.
func (g *gen) flag(a args, name string, other bool) bool {
	v, ok := a.kw[name]
	if !ok {
		return other
	}
	if _, isNone := v.(none); isNone {
		return other
	}
	is, known := truth(v)
	if !known {
		g.fail(orWhy(v, name+" is not known"))
	}
	return is
}

// quote writes an identifier as SQLAlchemy does: in quotes when it is a reserved word, has a capital letter, or any
// character that would need them (sqlalchemy/sql/compiler.py, IdentifierPreparer._requires_quotes; the words are those
// of sqlalchemy/dialects/postgresql/base.py, RESERVED_WORDS).
func quote(t text) text {
	if !needsQuotes(t.s) {
		return t
	}
	return catAny(`"`, t.replace(`"`, plain(`""`), -1), `"`)
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

// literal writes a string constant.
func literal(t text) text { return catAny("'", t.replace("'", plain("''"), -1), "'") }

// qualified is schema.name, both quoted.
func qualified(schema, name text) text {
	if schema.s == "" {
		return quote(name)
	}
	parts := schema.split(".", -1)
	for i, p := range parts {
		parts[i] = quote(p)
	}
	return catAny(join(parts, plain(".")), ".", quote(name))
}

// asType turns what stands where a type is wanted into one; nil when it is none.
func asType(v value) *typeV {
	switch v := v.(type) {
	case *typeV:
		return v
	case ext:
		if c := canonical(v.path); isTypeName(c) {
			return &typeV{name: c}
		}
	}
	return nil
}

func (x *interp) asType(v value) *typeV {
	if c, ok := v.(*class); ok {
		t, _ := x.instantiate(c, args{kw: map[string]value{}}).(*typeV)
		return t
	}
	return asType(v)
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
func (g *gen) number(a args, i int, name string) (int64, bool) {
	v, ok := a.get(i, name)
	if !ok {
		return 0, false
	}
	switch v := v.(type) {
	case none:
		return 0, false
	case int64:
		return v, true
	}
	g.fail(orWhy(v, "a type's "+name+" is not known"))
	return 0, false
}

// typeSQL is what SQLAlchemy's PostgreSQL type compiler makes of t (PGTypeCompiler, GenericTypeCompiler).
func (g *gen) typeSQL(x *interp, t *typeV) text {
	if t == nil {
		return g.fail("a column without a type")
	}
	if t.args.why != "" {
		return g.fail(t.args.why)
	}
	ns, name, _ := strings.Cut(t.name, ".")
	a := t.args
	if t.spec != nil {
		return g.name(t.spec, "a type's name")
	}
	if ns == "sau" {
		return g.utilsType(x, name, a)
	}
	if base := stringType(name); base != "" {
		out := base
		if n, ok := g.number(a, 0, "length"); ok && n > 0 && base != "CITEXT" {
			out += "(" + strconv.FormatInt(n, 10) + ")"
		}
		if c, ok := a.get(1, "collation"); ok && !isNone(c) {
			return catAny(out, ` COLLATE "`, g.name(c, "a collation"), `"`)
		}
		return plain(out)
	}
	switch name {
	case "Enum", "ENUM":
		e := g.enum(x, t)
		if e == nil {
			return text{}
		}
		if !e.native {
			return plain("VARCHAR(" + strconv.Itoa(e.longest()) + ")")
		}
		if e.name.s == "" {
			return g.fail("an enum type without a name, which PostgreSQL needs")
		}
		return qualified(e.schema, e.name)
	case "ARRAY":
		item, ok := a.get(0, "item_type")
		it := x.asType(item)
		if !ok || it == nil {
			return g.fail(orWhy(item, "an array of a type that is not known"))
		}
		inner := g.typeSQL(x, it)
		dims := int64(1)
		if d, ok := g.number(a, 2, "dimensions"); ok {
			dims = max(0, min(d, 6))
		}
		brackets := strings.Repeat("[]", int(dims))
		if i := strings.Index(inner.s, " COLLATE"); i >= 0 {
			return catAny(inner.sub(0, i), brackets, inner.sub(i, len(inner.s)))
		}
		return catAny(inner, brackets)
	case "Interval":
		if p, ok := g.number(a, 1, "second_precision"); ok {
			return plain("INTERVAL (" + strconv.FormatInt(p, 10) + ")")
		}
		return plain("INTERVAL")
	case "INTERVAL":
		out := plain("INTERVAL")
		if f, ok := a.get(1, "fields"); ok && !isNone(f) {
			out = catAny(out, " ", g.name(f, "an interval's fields"))
		}
		if p, ok := g.number(a, 0, "precision"); ok {
			out = catAny(out, " ("+strconv.FormatInt(p, 10)+")")
		}
		return out
	case "PickleType":
		return plain("BYTEA")
	case "BIT":
		n, ok := g.number(a, 0, "length")
		size := ""
		if ok {
			size = "(" + strconv.FormatInt(n, 10) + ")"
		}
		if v, has := a.get(1, "varying"); has {
			if is, _ := truth(v); is {
				return plain("BIT VARYING" + size)
			}
		}
		if !ok {
			size = "(1)"
		}
		return plain("BIT" + size)
	}
	base := simpleType(name)
	switch base {
	case "TIMESTAMP", "TIME":
		out := base
		if p, ok := g.number(a, 1, "precision"); ok && ns == "pg" {
			out += "(" + strconv.FormatInt(p, 10) + ")"
		}
		zone := "WITHOUT"
		if v, ok := a.get(0, "timezone"); ok {
			is, known := truth(v)
			if !known {
				return g.fail("a type's timezone is not known")
			}
			if is {
				zone = "WITH"
			}
		}
		return plain(out + " " + zone + " TIME ZONE")
	case "NUMERIC", "DECIMAL":
		p, ok := g.number(a, 0, "precision")
		if !ok {
			return plain(base)
		}
		s, ok := g.number(a, 1, "scale")
		if !ok {
			return plain(base + "(" + strconv.FormatInt(p, 10) + ")")
		}
		return plain(base + "(" + strconv.FormatInt(p, 10) + ", " + strconv.FormatInt(s, 10) + ")")
	case "FLOAT":
		if p, ok := g.number(a, 0, "precision"); ok && p > 0 {
			return plain("FLOAT(" + strconv.FormatInt(p, 10) + ")")
		}
		return plain(base)
	case "":
		return g.fail("a type that is not known: " + name)
	}
	return plain(base)
}

// utilsType is a type of sqlalchemy_utils, on PostgreSQL.
func (g *gen) utilsType(x *interp, name string, a args) text {
	switch name {
	case "ChoiceType":
		impl, ok := a.get(1, "impl")
		if !ok || isNone(impl) {
			return plain("VARCHAR(255)")
		}
		return g.typeSQL(x, x.asType(impl))
	case "UUIDType":
		if v, ok := a.get(1, "native"); ok {
			if is, known := truth(v); !known || !is {
				return g.fail("a UUIDType that is not native")
			}
		}
		return plain("UUID")
	case "JSONType":
		return plain("JSON")
	case "ArrowType":
		return plain("TIMESTAMP WITHOUT TIME ZONE")
	case "EmailType", "ColorType":
		size := "255"
		if name == "ColorType" {
			size = "20"
		}
		if n, ok := g.number(a, 0, "length"); ok {
			size = strconv.FormatInt(n, 10)
		}
		return plain("VARCHAR(" + size + ")")
	case "URLType":
		return plain("TEXT")
	case "IPAddressType":
		return plain("VARCHAR(50)")
	case "TSVectorType":
		return plain("TSVECTOR")
	case "LtreeType":
		return plain("LTREE")
	}
	return g.fail("a type of sqlalchemy_utils that is not known: " + name)
}

// affinity reports whether a type counts as a number for SQLAlchemy's choice of the SERIAL column, and which SERIAL.
func (t *typeV) affinity() string {
	if t == nil {
		return ""
	}
	_, name, _ := strings.Cut(t.name, ".")
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
func (t *typeV) isString() bool {
	if t == nil {
		return false
	}
	_, name, _ := strings.Cut(t.name, ".")
	return stringType(name) != "" || name == "Enum"
}

// enumV is an enum type that is known.
type enumV struct {
	name, schema text
	labels       []text
	native       bool
	create       bool // create_table creates it
	check        bool // create_constraint
}

func (e *enumV) longest() int {
	n := 0
	for _, l := range e.labels {
		n = max(n, len([]rune(l.s)))
	}
	return n
}

func (e *enumV) createSQL() text {
	labels := make([]text, len(e.labels))
	for i, l := range e.labels {
		labels[i] = literal(l)
	}
	return catAny("CREATE TYPE ", qualified(e.schema, e.name), " AS ENUM (", join(labels, plain(", ")), ")")
}

// enum reads the arguments of sa.Enum or postgresql.ENUM; nil when they are not known.
func (g *gen) enum(x *interp, t *typeV) *enumV {
	e := &enumV{native: true, create: true}
	a := t.args
	if a.why != "" {
		g.fail(a.why)
		return nil
	}
	for _, p := range a.pos {
		switch p := p.(type) {
		case text:
			e.labels = append(e.labels, p)
		case *class:
			if !p.isEnum() {
				g.fail("an enum type whose labels are not known")
				return nil
			}
			if _, ok := a.kw["values_callable"]; ok {
				v := x.call(a.kw["values_callable"], args{n: t.args.n, pos: []value{p}, kw: map[string]value{}})
				labels, ok := v.(*list)
				if !ok || labels.why != "" {
					g.fail("an enum type whose labels are not known")
					return nil
				}
				for _, l := range labels.items {
					e.labels = append(e.labels, g.name(l, "an enum's label"))
				}
			} else {
				for _, m := range p.members() {
					e.labels = append(e.labels, m.(*member).name)
				}
			}
			e.name = plain(strings.ToLower(p.name))
		default:
			g.fail(orWhy(p, "an enum type whose labels are not known"))
			return nil
		}
	}
	if v, ok := a.kw["name"]; ok && !isNone(v) {
		e.name = g.name(v, "an enum type's name")
	}
	if v, ok := a.kw["schema"]; ok && !isNone(v) {
		e.schema = g.name(v, "an enum type's schema")
	}
	if g.flag(a, "inherit_schema", false) {
		g.fail("an enum type that takes its table's schema")
	}
	e.native = g.flag(a, "native_enum", true)
	e.check = g.flag(a, "create_constraint", false)
	e.create = g.flag(a, "create_type", true)
	if m, ok := a.kw["metadata"]; ok && !isNone(m) {
		e.create = false
	}
	if g.why != "" {
		return nil
	}
	return e
}
