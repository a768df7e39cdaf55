package migratecheck

import (
	"fmt"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleBanChar = &Rule{
	ID: "ban-char", Category: Hygiene, Severity: Info,
	Doc: Doc{
		Summary:    "A column is char(n).",
		Why:        "It is padded with blanks that comparisons ignore and other functions do not; it saves nothing.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY, name text);",
		Bad:        "CREATE TABLE note (id bigint PRIMARY KEY, code char(3));",
		Good:       "CREATE TABLE note (id bigint PRIMARY KEY, code text);",
		Exceptions: "Only columns that the pending change adds or retypes are looked at.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, 8.3 Character Types, Tip.",
	},
	Step: func(s *Step) {
		s.eachNewColumn(func(table *catalog.Relation, col *catalog.Column, typ string) {
			if strings.HasPrefix(typ, "character(") {
				s.ReportAt(s.Find(col.Name), Info, fmt.Sprintf("column %s of %s is char(n): it is padded with blanks", col.Name, table.Name), "Write text, with a CHECK if the length matters.")
			}
		})
	},
}
