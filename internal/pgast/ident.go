package pgast

import (
	"strings"
	"sync"
)

// quotedKeywords are the keywords that cannot stand as a name everywhere: all but the unreserved ones of
// src/include/parser/kwlist.h, PostgreSQL 16. TestQuotedKeywords compares with the parser's own list.
var quotedKeywords = sync.OnceValue(func() map[string]bool {
	words := map[string]bool{}
	for _, w := range strings.Fields(`
all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both case
cast char character check coalesce collate collation column concurrently constraint create cross
current_catalog current_date current_role current_schema current_time current_timestamp current_user dec
decimal default deferrable desc distinct do else end except exists extract false fetch float for foreign
freeze from full grant greatest group grouping having ilike in initially inner inout int integer intersect
interval into is isnull join json_array json_arrayagg json_object json_objectagg lateral leading least left
like limit localtime localtimestamp national natural nchar none normalize not notnull null nullif numeric
offset on only or order out outer overlaps overlay placing position precision primary real references
returning right row select session_user setof similar smallint some substring symmetric system_user table
tablesample then time timestamp to trailing treat trim true union unique user using values varchar variadic
verbose when where window with xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse
xmlpi xmlroot xmlserialize xmltable`) {
		words[w] = true
	}
	return words
})

// QuoteIdent writes an identifier so that PostgreSQL reads back exactly name: quoted when it is not a plain lower-case
// word, or when it is a keyword that cannot stand everywhere (as quote_ident does).
func QuoteIdent(name string) string {
	plain := name != "" && !isDigit(name[0]) && name[0] != '$'
	for i := 0; plain && i < len(name); i++ {
		c := name[i]
		plain = c == '_' || 'a' <= c && c <= 'z' || isDigit(c)
	}
	if plain && !quotedKeywords()[name] {
		return name
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}
