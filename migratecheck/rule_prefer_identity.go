package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var rulePreferIdentity = &Rule{
	ID: "prefer-identity", Category: Hygiene, Severity: Info,
	Doc: Doc{
		Summary:    "A column is serial.",
		Why:        "serial is a macro: its sequence has permissions, ownership and a default of its own, and code may write the column by accident.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY, name text);",
		Bad:        "CREATE TABLE note (id bigserial PRIMARY KEY);",
		Good:       "CREATE TABLE note (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);",
		Exceptions: "Silent for IF NOT EXISTS that does nothing.",
		Versions:   "10 and later.",
		Source:     "PostgreSQL 15 manual, CREATE TABLE, GENERATED … AS IDENTITY.",
	},
	Step: func(s *Step) {
		s.eachNewColumn(func(table *catalog.Relation, col *catalog.Column, _ string) {
			if col.Identity == 0 && s.writesSerial(col.Name) {
				s.ReportAt(s.Find(col.Name), Info, fmt.Sprintf("column %s of %s is serial: its sequence has grants and a default of its own", col.Name, table.Name), "Write bigint GENERATED ALWAYS AS IDENTITY.")
			}
		})
	},
}
