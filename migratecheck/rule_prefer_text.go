package migratecheck

import (
	"fmt"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var rulePreferText = &Rule{
	ID: "prefer-text", Category: Hygiene, Severity: Info,
	Doc: Doc{
		Summary:    "A column is varchar(n).",
		Why:        "The limit is the part of the schema that changes most; lengthening is cheap, shortening rewrites.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY, name text);",
		Bad:        "CREATE TABLE note (id bigint PRIMARY KEY, title varchar(255));",
		Good:       "CREATE TABLE note (id bigint PRIMARY KEY, title text CHECK (length(title) <= 255));",
		Exceptions: "Only columns that the pending change adds or retypes are looked at.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, 8.3 Character Types.",
	},
	Step: func(s *Step) {
		s.eachNewColumn(func(table *catalog.Relation, col *catalog.Column, typ string) {
			if strings.HasPrefix(typ, "character varying(") {
				s.ReportAt(s.Find(col.Name), Info, fmt.Sprintf("column %s of %s is varchar(n): it is no faster than text, and its limit is harder to change than a CHECK", col.Name, table.Name), "Write text, with a CHECK on its length.")
			}
		})
	},
}
