package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var rulePreferBigint = &Rule{
	ID: "prefer-bigint", Category: Hygiene, Severity: Info,
	Doc: Doc{
		Summary:    "A key or counter is integer or smallint.",
		Why:        "integer ends at 2.1 thousand million; changing it later rewrites the table and every one that refers to it.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY, name text);",
		Bad:        "CREATE TABLE note (id integer PRIMARY KEY);",
		Good:       "CREATE TABLE note (id bigint PRIMARY KEY);",
		Exceptions: "Only columns that the pending change adds or retypes are looked at.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, 8.1.1 Integer Types.",
	},
	Step: func(s *Step) {
		s.eachNewColumn(func(table *catalog.Relation, col *catalog.Column, typ string) {
			if typ == "integer" || typ == "smallint" {
				s.ReportAt(s.Find(col.Name), Info, fmt.Sprintf("column %s of %s: its type ends at a value that busy tables reach", col.Name, table.Name), "Write bigint.")
			}
		})
	},
}
