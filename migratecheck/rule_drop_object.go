package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleDropObject = &Rule{
	ID: "drop-object", Category: Compatibility, Severity: Error,
	Doc: Doc{
		Summary:    "An operator, cast, collation or text search object that released code may use is dropped or renamed, or a publication or subscription that replicates rows.",
		Why:        "Queries of old code that use it fail (42883, 42846, 42804, 42704), a cast also where none is written. Without its publication a subscriber gets no more changes, and the rows that a subscription brought stop coming.",
		Schema:     "CREATE COLLATION german (provider = icu, locale = 'de');",
		Bad:        "DROP COLLATION german;",
		Good:       "CREATE COLLATION german2 (provider = icu, locale = 'de-u-co-phonebk');",
		Exceptions: "Silent for what no query names (statistics objects, event triggers, conversions, and so on; what goes with them by CASCADE is said for itself, and where the beginning of the history is not known, that it goes), for what the pending change creates, for what goes with its schema, extension or type (drop-schema, drop-function and drop-type say that), and when the file leaves one of that name. Publications and subscriptions are warnings. Queries do not clear it.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, DROP OPERATOR; DROP CAST; DROP COLLATION; DROP TEXT SEARCH CONFIGURATION; 31.1 Publication; 31.2 Subscription.",
	},
	File: func(f *File) {
		for _, s := range f.Up {
			for _, c := range s.Changes {
				old, ok := c.Old.(*catalog.Other)
				if !ok || c.Op != catalog.Dropped && c.Op != catalog.Renamed && c.Op != catalog.Moved || s.IsNew(old.OID) || s.goesWith(old) || s.goesWithType(old) || f.leaves(old) {
					continue
				}
				severity, effect, help := Error, "", "Split it over releases:\nrelease 1: ship code that does not use it\nrelease 2, when no older code runs: this statement"
				switch old.Kind {
				case "operator":
					effect = "queries of released code that use it fail (42883)"
				case "cast":
					effect = "released code that relies on it, written out or not, fails (42846, 42804)"
				case "collation", "text search configuration", "text search dictionary":
					effect = "queries of released code that name it fail (42704)"
				case "publication":
					severity, effect, help = Warning, "subscribers that replicate through it get no more changes", "First drop the subscriptions to it, or point them at another publication (ALTER SUBSCRIPTION … SET PUBLICATION)."
				case "subscription":
					if c.Op != catalog.Dropped {
						continue // only people name it
					}
					severity, effect, help = Warning, "the rows that it brings stop coming", "First see that nobody needs them, or that they come in another way."
				default:
					gone := goesAlong(old.Kind)
					if c.Op != catalog.Dropped || !old.Assumed || gone == "" || !s.cascades() {
						continue
					}
					effect = fmt.Sprintf("CASCADE takes along the %s that need it, and which those are is not known here", gone)
					help = "Drop what needs it first, each by its name, and leave CASCADE out."
				}
				verb := "drops"
				if c.Op != catalog.Dropped {
					verb, help = "renames", "Keep the name; what uses it cannot change with it."
				}
				f.ReportStep(s, severity, fmt.Sprintf("%s %s %s: %s", verb, old.Kind, s.Name(old.OID), effect), help)
			}
		}
	},
}

// goesAlong are the things that CASCADE drops with an object of a kind that no query names, "" for nothing that released code uses.
func goesAlong(kind string) string {
	switch kind {
	case "server", "foreign-data wrapper":
		return "foreign tables"
	case "operator class", "operator family":
		return "indexes"
	case "access method":
		return "tables and indexes"
	case "language":
		return "functions"
	case "text search parser", "text search template":
		return "text search configurations and dictionaries"
	}
	return ""
}

// cascades reports whether the statement is a DROP … CASCADE.
func (s *Step) cascades() bool {
	return s.Stmt.Node.GetDropStmt().GetBehavior() == pgast.DropBehavior_DROP_CASCADE
}

// goesWithType reports whether an operator or cast is dropped with a type of the same statement: drop-type says that.
func (s *Step) goesWithType(o *catalog.Other) bool {
	if o.Kind != "operator" && o.Kind != "cast" {
		return false
	}
	for _, c := range s.Changes {
		if _, ok := c.Old.(*catalog.Type); ok && c.Op == catalog.Dropped {
			return true
		}
	}
	return false
}

// leaves reports whether the file ends with an object of the kind and name of old.
func (f *File) leaves(old *catalog.Other) bool {
	for o := range f.After.All() {
		if now, ok := o.(*catalog.Other); ok && now.Kind == old.Kind && now.Name == old.Name && now.Schema == old.Schema {
			return true
		}
	}
	return false
}
