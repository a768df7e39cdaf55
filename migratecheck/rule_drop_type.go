package migratecheck

import (
	"fmt"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleDropType = &Rule{
	ID: "drop-type", Category: Compatibility, Severity: Error,
	Doc: Doc{
		Summary:    "A type that released code may name is dropped, or gets another name or schema.",
		Why:        "Casts ($1::visibility) of old code fail (42704); with CASCADE every column of the type goes as well, with its data (drop-column says that).",
		Schema:     "CREATE TYPE visibility AS ENUM ('PUBLIC', 'PRIVATE');",
		Bad:        "DROP TYPE visibility;",
		Good:       "ALTER TYPE visibility ADD VALUE 'UNLISTED';",
		Exceptions: "Silent for types that the pending change creates, for those that go with their schema or extension (drop-schema and drop-function say that), and when the file leaves a type of that name: change-column-type compares the two.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, DROP TYPE.",
	},
	File: func(f *File) {
		for _, s := range f.Up {
			for _, c := range s.Changes {
				old, ok := c.Old.(*catalog.Type)
				if !ok || c.Op != catalog.Dropped && c.Op != catalog.Renamed && c.Op != catalog.Moved || s.IsNew(old.OID) || old.Kind == catalog.MultirangeType || s.goesWith(old) {
					continue
				}
				name := s.Before.NameOf(old.OID)
				if typeNamed(f.After, name) != nil {
					continue
				}
				if released := f.Run.released(f); released.Get(old.OID) != nil && released.NameOf(old.OID) != name {
					continue // a second renaming: the first one's finding says it
				}
				if c.Op != catalog.Dropped {
					f.ReportStep(s, Error,
						fmt.Sprintf("renames %s %s to %s: casts to it in released code fail (42704), and those of new code fail on the old schema", strings.ToLower(typeWord(old)), name, s.After.NameOf(old.OID)),
						"Keep the name; the casts of code that is to run on both schemas cannot change with it.")
					continue
				}
				f.ReportStep(s, Error,
					fmt.Sprintf("drops %s %s: casts to it in released code fail (42704)", strings.ToLower(typeWord(old)), name),
					fmt.Sprintf("Split it over releases:\nrelease 1: ship code that does not name the type\nrelease 2, when no older code runs:\n%s", s.dropping(fmt.Sprintf("DROP %s %s;", typeWord(old), s.sqlName(old.OID)))))
			}
		}
	},
}

// typeWord is what DROP calls a type.
func typeWord(t *catalog.Type) string {
	if t.Kind == catalog.DomainType {
		return "DOMAIN"
	}
	return "TYPE"
}
