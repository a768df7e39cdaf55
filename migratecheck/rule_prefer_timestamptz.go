package migratecheck

import (
	"fmt"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var rulePreferTimestamptz = &Rule{
	ID: "prefer-timestamptz", Category: Hygiene, Severity: Info,
	Doc: Doc{
		Summary:    "A column is timestamp without time zone.",
		Why:        "It holds no instant: each session reads it in its own zone.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY, name text);",
		Bad:        "CREATE TABLE note (id bigint PRIMARY KEY, created timestamp);",
		Good:       "CREATE TABLE note (id bigint PRIMARY KEY, created timestamptz);",
		Exceptions: "Only columns that the pending change adds or retypes are looked at.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, 8.5 Date/Time Types.",
	},
	Step: func(s *Step) {
		s.eachNewColumn(func(table *catalog.Relation, col *catalog.Column, typ string) {
			if strings.HasPrefix(typ, "timestamp") && strings.HasSuffix(typ, "without time zone") {
				s.ReportAt(s.Find(col.Name), Info, fmt.Sprintf("column %s of %s is timestamp without time zone: each session reads another instant from it", col.Name, table.Name), "Write timestamptz.")
			}
		})
	},
}
