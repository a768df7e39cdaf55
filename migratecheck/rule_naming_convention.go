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
		Exceptions: "Only tables, views, indexes, sequences and columns that the pending change names are looked at.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, 4.1.1 Identifiers.",
	},
	Step: func(s *Step) {
		check := func(name string) {
			// What the server names by itself ("Order Line_pkey") follows from the name reported.
			if at := s.Find(name); quoteIdent(name) != name && at > 0 {
				s.ReportAt(at, Info, fmt.Sprintf("%s has to be quoted in every query", quoteIdent(name)), "Use lower-case letters, digits and underscores, and no reserved word.")
			}
		}
		for _, c := range s.Changes {
			rel, ok := c.New.(*catalog.Relation)
			if !ok {
				continue
			}
			switch c.Op {
			case catalog.Created:
				check(rel.Name)
				if isTable(rel) && rel.PartitionOf == 0 {
					for i := range rel.Columns {
						if rel.Columns[i].Local {
							check(rel.Columns[i].Name)
						}
					}
				}
			case catalog.Renamed:
				check(rel.Name)
			case catalog.ColumnAdded, catalog.ColumnRenamed:
				if c.NewColumn.Local {
					check(c.NewColumn.Name)
				}
			}
		}
	},
}
