package migratecheck

import (
	"fmt"
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleChangeFunction = &Rule{
	ID: "change-function", Category: Compatibility, Severity: Info,
	Doc: Doc{
		Summary:    "A function that released code may call gets another body, name or schema.",
		Why:        "Old code goes on calling it and gets the new behaviour, for which it was not written; under its old name it finds nothing (42883).",
		Schema:     "CREATE FUNCTION slug(t text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT lower(t) $$;",
		Bad:        "CREATE OR REPLACE FUNCTION slug(t text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT lower(trim(t)) $$;",
		Good:       "CREATE FUNCTION slug2(t text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT lower(trim(t)) $$;",
		Exceptions: "Silent when the body differs only in white space and comments, and for functions that the pending change creates. A renamed or moved function is an error, unless the file leaves one of the old name with the same arguments; then its body and result are compared (one that calls the renamed function passes).",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, CREATE FUNCTION, OR REPLACE; ALTER FUNCTION, RENAME.",
	},
	File: func(f *File) {
		for _, s := range f.Up {
			for _, c := range s.Changes {
				old, ok := c.Old.(*catalog.Func)
				if !ok || s.IsNew(old.OID) {
					continue
				}
				now, _ := c.New.(*catalog.Func)
				switch c.Op {
				case catalog.Renamed, catalog.Moved:
					like := functionLike(f.After, old)
					switch was := s.Before.FormatType(old.Returns); {
					case like != nil && like.OID == old.OID: // it has its name back
					case like != nil && f.After.FormatType(like.Returns) != was:
						f.ReportStep(s, Error, fmt.Sprintf("gives the name of function %s, which returns %s, to one that returns %s: released code goes on reading the old result", s.Name(old.OID), was, f.After.FormatType(like.Returns)),
							"Give the new function a name of its own, and drop the old one when no older code runs.")
					case like != nil && !sameBody(old, like) && !callsOn(like, s.After.NameOf(old.OID).Name):
						f.ReportStep(s, Info, fmt.Sprintf("gives the name of function %s to one with another body: released code gets the new behaviour at once", s.Name(old.OID)),
							"Make sure that the old code is right with it; otherwise give the new behaviour a new name.")
					case like == nil && was != "trigger":
						f.ReportStep(s, Error, fmt.Sprintf("renames function %s to %s: calls in released code fail (42883)", s.Name(old.OID), s.After.NameOf(old.OID)),
							s.renameFunctionHelp(old))
					}
					continue
				case catalog.Dropped:
					if now = functionLike(f.After, old); now != nil && s.Before.FormatType(old.Returns) != f.After.FormatType(now.Returns) {
						continue // drop-function's
					}
				case catalog.Altered:
				default:
					continue
				}
				if now != nil && !sameBody(old, now) {
					f.ReportStep(s, Info, fmt.Sprintf("replaces the body of function %s: released code and triggers get the new behaviour at once", s.Name(old.OID)),
						"Make sure that the old code is right with it; otherwise give the new behaviour a new name.")
				}
			}
		}
	},
}

// callsOn reports whether a function's body names another one, as a shim under the old name does.
func callsOn(f *catalog.Func, name string) bool {
	body := f.Body
	if f.BodyNode != nil {
		body, _ = pgast.Deparse(f.BodyNode)
	}
	return slices.ContainsFunc(tokensOf(body), func(t pgast.Token) bool { return matches(body[t.Start:t.End], name) })
}
