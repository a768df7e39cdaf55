package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleDropFunction = &Rule{
	ID: "drop-function", Category: Compatibility, Severity: Error,
	Doc: Doc{
		Summary:    "A function or procedure that released code may call is dropped.",
		Why:        "Queries of old code that call it fail (42883); so do triggers and defaults of sessions that were planned with it.",
		Schema:     "CREATE FUNCTION slug(t text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT lower(t) $$;",
		Bad:        "DROP FUNCTION slug(text);",
		Good:       "CREATE FUNCTION slug2(t text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT lower(t) $$;",
		Exceptions: "Silent for trigger functions (only triggers call them), for what the pending change creates, and when the file leaves a function of that name that takes the same arguments.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, DROP FUNCTION.",
	},
	File: func(f *File) {
		for _, s := range f.Up {
			for _, c := range s.Changes {
				old, ok := c.Old.(*catalog.Func)
				if !ok || c.Op != catalog.Dropped || s.IsNew(old.OID) || s.Before.FormatType(old.Returns) == "trigger" || s.Stmt.Node.GetDropStmt().GetRemoveType() == pgast.ObjectType_OBJECT_EXTENSION || functionLike(f.After, old) {
					continue
				}
				f.ReportStep(s, Error,
					fmt.Sprintf("drops function %s: queries of released code that call it fail (42883)", s.Name(old.OID)),
					"Split it over releases:\nrelease 1: ship code that does not call it\nrelease 2, when no older code runs: drop it.")
			}
		}
	},
}
