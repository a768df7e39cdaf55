package pgast

import (
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v5"
)

// QuoteIdent writes an identifier so that PostgreSQL reads back exactly name: quoted when it is not a plain lower-case
// word, or when it is a keyword that cannot stand everywhere (as quote_ident does).
func QuoteIdent(name string) string {
	plain := name != "" && !isDigit(name[0]) && name[0] != '$'
	for i := 0; plain && i < len(name); i++ {
		c := name[i]
		plain = c == '_' || 'a' <= c && c <= 'z' || isDigit(c)
	}
	if plain {
		// The scanner knows the keywords; the text is a word of at most 63 bytes or so, nothing that could be deep.
		if scan, err := pg_query.Scan(name); err == nil && len(scan.Tokens) == 1 {
			switch scan.Tokens[0].KeywordKind {
			case pg_query.KeywordKind_NO_KEYWORD, pg_query.KeywordKind_UNRESERVED_KEYWORD:
				return name
			}
		}
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}
