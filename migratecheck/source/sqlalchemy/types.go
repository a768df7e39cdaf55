package sqlalchemy

import (
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source/internal/python"
)

// argType is what is bound to a column.
func (r *repo) argType(a attr) query.GoType {
	t := query.GoType{Nullable: a.nullable}
	t.Name, t.Kind, t.Labels = r.columnType(a)
	t.SQLAlchemy = ownType(a.column.Type, t.Labels)
	return t
}

// resultType is what a column is loaded into. Python takes any value, NULL too; only some types refuse others' values.
func (r *repo) resultType(_ *model, a attr) query.GoType {
	t := query.GoType{Kind: query.Custom, Nullable: true}
	t.Name, _, t.Labels = r.columnType(a)
	t.SQLAlchemy = ownType(a.column.Type, t.Labels)
	if t.Labels != nil {
		t.Kind = query.String
	}
	return t
}

// columnType is a column's type: as it is written, what its values are, and an enumeration's labels.
func (r *repo) columnType(a attr) (name string, kind query.GoKind, labels []string) {
	t := a.column.Type
	if t == nil {
		switch v := a.python.(type) {
		case python.External:
			return lastWord(v.Path), pythonKind(v.Path), nil
		case *python.Class:
			if v.IsEnum() {
				return v.Name, query.String, memberNames(v)
			}
			return v.Name, query.UnknownKind, nil
		}
		return "", query.UnknownKind, nil
	}
	name = t.Name
	if t.Args.N != nil {
		name = a.at.mod.Src(t.Args.N)
		if i := strings.IndexByte(name, '('); i > 0 {
			name = name[:i]
		}
	}
	_, last, _ := strings.Cut(t.Name, ".")
	switch last {
	case "Enum", "ENUM":
		g := &python.Gen{}
		e := g.Enum(r.running[a.at.mod], t)
		if e == nil {
			return name, query.String, nil
		}
		for _, l := range e.Labels {
			labels = append(labels, l.S)
		}
		return name, query.String, labels
	case "ChoiceType":
		return name, query.String, choices(t)
	}
	return name, typeKind(last), nil
}

// ownType is a column's type as query/python_values.tsv calls it, where SQLAlchemy alone converts its values and they are those
// that the table was measured with; "" otherwise.
func ownType(t *python.Type, labels []string) string {
	if t == nil || t.Decorated || t.Args.Why != "" {
		return ""
	}
	ns, name, _ := strings.Cut(t.Name, ".")
	if ns != "sa" && ns != "pg" {
		return ""
	}
	switch name {
	case "Integer", "INTEGER", "INT", "BigInteger", "BIGINT", "SmallInteger", "SMALLINT":
		return "Integer"
	case "Boolean", "BOOLEAN":
		return "Boolean"
	case "Numeric", "NUMERIC", "DECIMAL":
		if _, given := t.Args.Get(3, "asdecimal"); !given {
			return "Numeric"
		}
	case "Float", "FLOAT", "REAL", "Double", "DOUBLE_PRECISION":
		if _, given := t.Args.Get(1, "asdecimal"); !given {
			return "Float"
		}
	case "String", "Unicode", "VARCHAR", "Text", "UnicodeText", "TEXT":
		return "String"
	case "DateTime", "TIMESTAMP":
		return "DateTime"
	case "Date", "DATE":
		return "Date"
	case "Time", "TIME":
		return "Time"
	case "Interval", "INTERVAL":
		return "Interval"
	case "LargeBinary", "BYTEA":
		return "LargeBinary"
	case "UUID":
		if v, given := t.Args.Get(0, "as_uuid"); given && v == python.Value(true) {
			return "UUID" // else version 1.4 takes texts, and version 2 objects
		}
	case "ARRAY":
		return "ARRAY"
	case "JSON", "JSONB":
		return "JSON"
	case "Enum", "ENUM":
		if labels != nil {
			return "Enum"
		}
	}
	return ""
}

// choices are the values that sqlalchemy_utils' ChoiceType takes: those of an enumeration's members, or the first of
// each pair.
func choices(t *python.Type) []string {
	v, _ := t.Args.Get(0, "choices")
	var labels []string
	if c, ok := v.(*python.Class); ok && c.IsEnum() {
		for _, m := range c.Members() {
			s, ok := m.(*python.Member).Value.(python.Text)
			if !ok {
				return nil
			}
			labels = append(labels, s.S)
		}
		return labels
	}
	items, why := python.Iterate(v)
	if why != "" {
		return nil
	}
	for _, it := range items {
		pair, _ := python.Iterate(it)
		if len(pair) != 2 {
			return nil
		}
		s, ok := pair[0].(python.Text)
		if !ok {
			return nil
		}
		labels = append(labels, s.S)
	}
	return labels
}

func memberNames(c *python.Class) []string {
	var out []string
	for _, m := range c.Members() {
		out = append(out, m.(*python.Member).Name.S)
	}
	return out
}

// pythonKind is the kind of one of Python's own types.
func pythonKind(path string) query.GoKind {
	switch path {
	case "builtins.int":
		return query.Int
	case "builtins.str":
		return query.String
	case "builtins.bool":
		return query.Bool
	case "builtins.float", "decimal.Decimal":
		return query.Float
	case "builtins.bytes":
		return query.Bytes
	case "datetime.datetime", "datetime.date", "datetime.time":
		return query.Time
	case "uuid.UUID":
		return query.UUID
	case "builtins.list":
		return query.List
	}
	return query.UnknownKind
}

// typeKind is the kind of the values that a SQLAlchemy type binds.
func typeKind(name string) query.GoKind {
	switch name {
	case "Integer", "INTEGER", "INT", "BigInteger", "BIGINT", "SmallInteger", "SMALLINT":
		return query.Int
	case "Boolean", "BOOLEAN":
		return query.Bool
	case "Float", "FLOAT", "Numeric", "NUMERIC", "DECIMAL", "REAL", "Double", "DOUBLE", "DOUBLE_PRECISION":
		return query.Float
	case "String", "Unicode", "VARCHAR", "Text", "UnicodeText", "TEXT", "CHAR", "NCHAR", "NVARCHAR", "CITEXT", "EmailType",
		"URLType", "IPAddressType", "ColorType":
		return query.String
	case "DateTime", "TIMESTAMP", "DATETIME", "Date", "DATE", "Time", "TIME", "ArrowType":
		return query.Time
	case "LargeBinary", "BYTEA", "PickleType":
		return query.Bytes
	case "UUID", "Uuid", "UUIDType":
		return query.UUID
	case "ARRAY":
		return query.List
	case "JSON", "JSONB", "JSONType", "HSTORE":
		return query.Custom
	}
	return query.UnknownKind
}
