package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var rulePreferJSONB = &Rule{
	ID: "prefer-jsonb", Category: Hygiene, Severity: Info,
	Doc: Doc{
		Summary:    "A column is json.",
		Why:        "json has no equality operator, so SELECT DISTINCT and GROUP BY fail on it, and no useful index.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY, name text);",
		Bad:        "CREATE TABLE note (id bigint PRIMARY KEY, data json);",
		Good:       "CREATE TABLE note (id bigint PRIMARY KEY, data jsonb);",
		Exceptions: "Only columns that the pending change adds or retypes are looked at.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, 8.14 JSON Types.",
	},
	Step: func(s *Step) {
		s.eachNewColumn(func(table *catalog.Relation, col *catalog.Column, typ string) {
			if typ == "json" {
				s.ReportAt(s.Find(col.Name), Info, fmt.Sprintf("column %s of %s is json: it cannot be compared or indexed", col.Name, table.Name), "Write jsonb.")
			}
		})
	},
}
