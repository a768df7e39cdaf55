package migratecheck

import (
	"fmt"
	"slices"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleAddEnumValue = &Rule{
	ID: "add-enum-value", Category: Compatibility, Severity: Warning,
	Doc: Doc{
		Summary:    "An enum gets a label that released code does not know.",
		Why:        "As soon as new code writes it, old code reads a value that its switch, its GraphQL enum or its Python Enum does not have: an error for the whole page, or a wrong default.",
		Schema:     "CREATE TYPE visibility AS ENUM ('PUBLIC', 'PRIVATE');",
		Bad:        "ALTER TYPE visibility ADD VALUE 'UNLISTED';",
		Good:       "CREATE TYPE status AS ENUM ('OPEN', 'CLOSED');",
		Exceptions: "Silent for a type that the pending change creates, and for a label that is there already (IF NOT EXISTS). Harmless while no code writes the label: as the first of the two releases, ignore it with that reason.",
		Versions:   "Inside a transaction since 12.",
		Source:     "No public linter has this; SQLAlchemy's Enum raises LookupError on an unknown label, gqlgen's UnmarshalGQL an error.",
	},
	Step: func(s *Step) {
		for _, c := range s.Changes {
			old, ok := c.Old.(*catalog.Type)
			now, ok2 := c.New.(*catalog.Type)
			if !ok || !ok2 || old.Kind != catalog.EnumType || s.IsNew(old.OID) || len(now.Labels) <= len(old.Labels) {
				continue
			}
			for _, label := range now.Labels {
				if !slices.Contains(old.Labels, label) {
					s.ReportAt(s.Find("ADD", "VALUE"), Warning,
						fmt.Sprintf("adds label %s to enum %s: released code that reads a row with it does not know it", quoteLiteral(label), s.Name(old.OID)),
						"Split it over releases:\nrelease 1: this statement, with code that reads the label but never writes it\nrelease 2, when no older code runs: ship code that writes it")
				}
			}
		}
	},
}
