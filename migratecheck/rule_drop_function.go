package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleDropFunction = &Rule{
	ID: "drop-function", Category: Compatibility, Severity: Error,
	Doc: Doc{
		Summary:    "A function or procedure that released code may call is dropped, or an extension with what it brings.",
		Why:        "Queries of old code that call it fail (42883).",
		Schema:     "CREATE FUNCTION slug(t text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT lower(t) $$;",
		Bad:        "DROP FUNCTION slug(text);",
		Good:       "CREATE FUNCTION slug2(t text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT lower(t) $$;",
		Exceptions: "Silent for trigger functions (only triggers call them), for what the pending change creates, for functions that go with their schema (drop-schema says that), and when the file leaves a function of that name that takes the same arguments and returns the same type (change-function compares the bodies).",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, DROP FUNCTION; DROP EXTENSION.",
	},
	File: func(f *File) {
		for _, s := range f.Up {
			for _, c := range s.Changes {
				if c.Op != catalog.Dropped || s.IsNew(c.Old.ObjectID()) {
					continue
				}
				switch old := c.Old.(type) {
				case *catalog.Extension:
					if !hasExtension(f.After, old.Name) {
						f.ReportStep(s, Error,
							fmt.Sprintf("drops extension %s: queries of released code that use its functions, types or operators fail (42883, 42704)", old.Name),
							fmt.Sprintf("Split it over releases:\nrelease 1: ship code that does without it\nrelease 2, when no older code runs:\n%s", s.dropping("DROP EXTENSION "+quoteIdent(old.Name)+";")))
					}
				case *catalog.Func:
					drop := s.dropping(fmt.Sprintf("DROP %s %s;", functionWord(old), s.signature(old)))
					if s.Before.FormatType(old.Returns) == "trigger" || s.goesWith(old) || s.refusal(drop) == stillNeeded {
						continue // what even CASCADE does not drop is a part of a type, and drop-type says it
					}
					message := fmt.Sprintf("drops function %s: queries of released code that call it fail (42883)", s.Name(old.OID))
					if now := functionLike(f.After, old); now != nil {
						if old.Assumed {
							continue // nobody knows what it returned
						}
						was, is := s.Before.FormatType(old.Returns), f.After.FormatType(now.Returns)
						if was == is && old.ReturnsSet == now.ReturnsSet {
							continue
						}
						message = fmt.Sprintf("drops function %s, which returned %s, and creates it again returning %s: released code goes on reading the old result", s.Name(old.OID), was, is)
					}
					f.ReportStep(s, Error, message,
						fmt.Sprintf("Split it over releases:\nrelease 1: ship code that does not call it (a changed function gets a name of its own)\nrelease 2, when no older code runs:\n%s", drop))
				}
			}
		}
	},
}

// functionWord is what DROP calls a function.
func functionWord(f *catalog.Func) string {
	switch f.Kind {
	case catalog.Procedure:
		return "PROCEDURE"
	case catalog.Aggregate:
		return "AGGREGATE"
	}
	return "FUNCTION"
}

func hasExtension(c *catalog.Catalog, name string) bool {
	for o := range c.All() {
		if e, ok := o.(*catalog.Extension); ok && e.Name == name {
			return true
		}
	}
	return false
}

// sameBody reports whether two functions differ in white space and comments at most.
func sameBody(a, b *catalog.Func) bool {
	if (a.BodyNode == nil) != (b.BodyNode == nil) {
		return false
	}
	if a.BodyNode != nil {
		x, err1 := pgast.Deparse(a.BodyNode)
		y, err2 := pgast.Deparse(b.BodyNode)
		return err1 != nil || err2 != nil || x == y
	}
	return firstDifference("", a.Body, b.Body) == 0
}
