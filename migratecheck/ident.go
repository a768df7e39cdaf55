package migratecheck

import "git.sr.ht/~sourcehut/ha-go/internal/pgast"

// quoteIdent writes an identifier as SQL needs it: "user", plain.
func quoteIdent(name string) string { return pgast.QuoteIdent(name) }
