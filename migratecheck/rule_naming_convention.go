package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleNamingConvention = &Rule{
	ID: "naming-convention", Category: Hygiene, Severity: Info,
	Doc: Doc{
		Summary:    "A name that has to be quoted: upper case, a reserved word, other characters.",
		Why:        "Every query has to quote it, and the one that forgets finds another name or none.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY, name text);",
		Bad:        "ALTER TABLE repo ADD COLUMN \"createdAt\" text;",
		Good:       "ALTER TABLE repo ADD COLUMN created_at text;",
		Exceptions: "None.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, 4.1.1 Identifiers.",
	},
	Step: func(s *Step) {
		for _, c := range s.Changes {
			switch {
			case c.Op == catalog.Created || c.Op == catalog.Renamed:
				if rel, ok := c.New.(*catalog.Relation); ok && quoteIdent(rel.Name) != rel.Name {
					s.ReportAt(s.Find(rel.Name), Info, fmt.Sprintf("%q has to be quoted in every query", rel.Name), "Use lower case letters, digits and underscores, and no reserved word.")
				}
			case c.Op == catalog.ColumnAdded || c.Op == catalog.ColumnRenamed:
				if quoteIdent(c.NewColumn.Name) != c.NewColumn.Name {
					s.ReportAt(s.Find(c.NewColumn.Name), Info, fmt.Sprintf("%q has to be quoted in every query", c.NewColumn.Name), "Use lower case letters, digits and underscores, and no reserved word.")
				}
			}
		}
	},
}
