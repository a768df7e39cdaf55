package migratecheck

import (
	"fmt"
	"slices"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleRenameEnumValue = &Rule{
	ID: "rename-enum-value", Category: Compatibility, Severity: Error,
	Doc: Doc{
		Summary:    "A label of an enum gets another name.",
		Why:        "Old code goes on writing the old label, which fails (22P02), and reads one that it does not know; new code fails in the same way on the old schema.",
		Schema:     "CREATE TYPE visibility AS ENUM ('PUBLIC', 'PRIVATE');",
		Bad:        "ALTER TYPE visibility RENAME VALUE 'PRIVATE' TO 'SECRET';",
		Good:       "ALTER TYPE visibility ADD VALUE 'SECRET';",
		Exceptions: "Silent for a type or a label that the pending change adds.",
		Versions:   "10 and later.",
		Source:     "PostgreSQL 15 manual, ALTER TYPE, RENAME VALUE.",
	},
	Step: func(s *Step) {
		for _, c := range s.Changes {
			old, ok := c.Old.(*catalog.Type)
			now, ok2 := c.New.(*catalog.Type)
			if !ok || !ok2 || old.Kind != catalog.EnumType || s.IsNew(old.OID) || len(old.Labels) != len(now.Labels) {
				continue
			}
			for i, label := range old.Labels {
				if label == now.Labels[i] || !slices.Contains(s.releasedLabels(old.OID), label) {
					continue
				}
				s.ReportAt(s.Find("RENAME", "VALUE"), Error,
					fmt.Sprintf("renames label %s of enum %s to %s: released code fails when it writes the old one (22P02), and does not know the one it reads", quoteLiteral(label), s.Name(old.OID), quoteLiteral(now.Labels[i])),
					fmt.Sprintf("Split it over releases:\nrelease 1, with code that reads both and writes the old one:\nALTER TYPE %s ADD VALUE %s;\nrelease 2: ship code that writes the new one; when no older code runs, change the rows in batches. The old label stays.", s.sqlName(old.OID), quoteLiteral(now.Labels[i])))
			}
		}
	},
}
