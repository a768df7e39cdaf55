package catalog

import (
	"fmt"
	"strings"
	"sync"
)

// FormatType prints a type with its modifier as format_type(oid, typmod) does, the schema only where the search path
// does not find the type.
func (c *Catalog) FormatType(t TypeRef) string { return c.formatType(t, true) }

// typeText prints a type as messages do (format_type_be): without its modifier.
func (c *Catalog) typeText(t TypeRef) string { return c.formatType(t, false) }

// formatType is format_type_extended (src/backend/utils/adt/format_type.c). given says that a modifier, if only -1, was
// passed: "character" without is "bpchar" with, because character means character(1).
func (c *Catalog) formatType(t TypeRef, given bool) string {
	suffix := ""
	if t.Array {
		suffix = "[]"
	}
	mod := int32(-1)
	if given {
		mod = t.Mod
	}
	length := func(name string, header int32) string {
		if mod < 0 {
			return name
		}
		return fmt.Sprintf("%s(%d)", name, mod-header)
	}
	precision := func(name, zone string) string { return length(name, 0) + zone }
	var s string
	switch t.OID {
	case 0:
		return "-"
	case typeBit:
		if s = length("bit", 0); mod < 0 && given {
			s = `"bit"`
		}
	case typeBpchar:
		if s = length("character", 4); mod < 0 && given {
			s = "bpchar"
		}
	case typeVarbit:
		s = length("bit varying", 0)
	case typeVarchar:
		s = length("character varying", 4)
	case typeBool:
		s = "boolean"
	case 700:
		s = "real"
	case typeFloat8:
		s = "double precision"
	case typeInt2:
		s = "smallint"
	case typeInt4:
		s = "integer"
	case typeInt8:
		s = "bigint"
	case typeNumeric:
		s = "numeric"
		if mod >= 0 {
			m := mod - 4
			scale := m & 0x7ff
			if scale&0x400 != 0 {
				scale -= 0x800
			}
			s = fmt.Sprintf("numeric(%d,%d)", m>>16&0xffff, scale)
		}
	case typeInterval:
		s = "interval" + intervalModifier(mod)
	case typeTime:
		s = precision("time", " without time zone")
	case typeTimetz:
		s = precision("time", " with time zone")
	case typeTimestamp:
		s = precision("timestamp", " without time zone")
	case typeTimestamptz:
		s = precision("timestamp", " with time zone")
	default:
		s = c.typeNameSQL(t)
	}
	return s + suffix
}

// intervalModifier is intervaltypmodout.
func intervalModifier(mod int32) string {
	if mod < 0 {
		return ""
	}
	const month, year, day, hour, minute, second = 1 << 1, 1 << 2, 1 << 3, 1 << 10, 1 << 11, 1 << 12
	s := map[int32]string{
		year: " year", month: " month", day: " day", hour: " hour", minute: " minute", second: " second",
		year | month: " year to month", day | hour: " day to hour", day | hour | minute: " day to minute",
		day | hour | minute | second: " day to second", hour | minute: " hour to minute",
		hour | minute | second: " hour to second", minute | second: " minute to second",
	}[mod>>16&intervalFull]
	if p := mod & 0xffff; p != intervalPrecision {
		s += fmt.Sprintf("(%d)", p)
	}
	return s
}

// bareTypeText is typeText without the schema of a type that is not the server's own.
func (c *Catalog) bareTypeText(t TypeRef) string {
	s := c.typeText(t)
	if t.OID < FirstUserOID {
		return s
	}
	if o := c.Get(t.OID); o != nil {
		s = quoteIdent(o.ObjectName())
		if t.Array {
			s += "[]"
		}
	}
	return s
}

// typeNameSQL is a type's name as an SQL word, qualified when the search path does not find it.
func (c *Catalog) typeNameSQL(t TypeRef) string {
	var name string
	var schema OID
	if ty := c.typeByOID(t.OID); ty != nil {
		name, schema = ty.Name, ty.Schema
	} else if r := c.relationByOID(t.OID); r != nil {
		name, schema = r.Name, r.Schema
	} else {
		return "???"
	}
	if found, ok := c.lookupType("", name); ok && found.OID == t.OID && !found.Array {
		return quoteIdent(name)
	}
	s, _ := c.Get(schema).(*Schema)
	if s == nil {
		return quoteIdent(name)
	}
	return quoteIdent(s.Name) + "." + quoteIdent(name)
}

// loadKeywords lists the keywords that cannot stand alone as any name (pg_get_keywords without category U).
var loadKeywords = sync.OnceValue(func() map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(keywords) {
		m[w] = true
	}
	return m
})

const keywords = `all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both case
cast char character check coalesce collate collation column concurrently constraint create cross current_catalog current_date
current_role current_schema current_time current_timestamp current_user dec decimal default deferrable desc distinct do else
end except exists extract false fetch float for foreign freeze from full grant greatest group grouping having ilike in
initially inner inout int integer intersect interval into is isnull join lateral leading least left like limit localtime
localtimestamp national natural nchar none normalize not notnull null nullif numeric offset on only or order out outer
overlaps overlay placing position precision primary real references returning right row select session_user setof similar
smallint some substring symmetric table tablesample then time timestamp to trailing treat trim true union unique user using
values varchar variadic verbose when where window with xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces
xmlparse xmlpi xmlroot xmlserialize xmltable`

// quoteIdent is quote_identifier (src/backend/utils/adt/ruleutils.c).
func quoteIdent(s string) string {
	safe := s != "" && (s[0] >= 'a' && s[0] <= 'z' || s[0] == '_')
	for i := 0; i < len(s) && safe; i++ {
		c := s[i]
		safe = c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_'
	}
	if safe && !loadKeywords()[s] {
		return s
	}
	return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
}
