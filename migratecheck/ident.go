package migratecheck

import (
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// quoteIdent writes an identifier as SQL needs it: "user", plain.
func quoteIdent(name string) string { return pgast.QuoteIdent(name) }

// quoteLiteral writes a string as SQL needs it: 'it”s'.
func quoteLiteral(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
