package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleDropType = &Rule{
	ID: "drop-type", Category: Compatibility, Severity: Error,
	Doc: Doc{
		Summary:    "A type that released code may name is dropped.",
		Why:        "Casts ($1::visibility) and function arguments of old code fail (42704); with CASCADE every column of the type goes as well, with its data.",
		Schema:     "CREATE TYPE visibility AS ENUM ('PUBLIC', 'PRIVATE');",
		Bad:        "DROP TYPE visibility;",
		Good:       "ALTER TYPE visibility ADD VALUE 'UNLISTED';",
		Exceptions: "Silent for types that the pending change creates and for those that go with their extension or table. A type swapped for one of the same name in the same file is silent.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, DROP TYPE.",
	},
	File: func(f *File) {
		for _, s := range f.Up {
			for _, c := range s.Changes {
				old, ok := c.Old.(*catalog.Type)
				if !ok || c.Op != catalog.Dropped || s.IsNew(old.OID) || old.Kind == catalog.MultirangeType || s.Stmt.Node.GetDropStmt().GetRemoveType() == pgast.ObjectType_OBJECT_EXTENSION {
					continue
				}
				name := s.Before.NameOf(old.OID)
				if typeNamed(f.After, name) != nil {
					continue
				}
				f.ReportStep(s, Error,
					fmt.Sprintf("drops type %s: casts to it in released code fail (42704)", name),
					fmt.Sprintf("Split it over releases:\nrelease 1: ship code that does not name the type\nrelease 2, when no older code runs: DROP TYPE %s;", s.sqlName(old.OID)))
			}
		}
	},
}
