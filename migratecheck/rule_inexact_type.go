package migratecheck

import (
	"fmt"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleInexactType = &Rule{
	ID: "inexact-type", Category: Hygiene, Severity: Info,
	Doc: Doc{
		Summary:    "A column is money, real, double precision or time with time zone.",
		Why:        "money depends on the server's locale, floating point rounds, timetz has no date to give its offset a meaning.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY, name text);",
		Bad:        "CREATE TABLE note (id bigint PRIMARY KEY, price money);",
		Good:       "CREATE TABLE note (id bigint PRIMARY KEY, price numeric);",
		Exceptions: "Only columns that the pending change adds or retypes are looked at.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, 8.1.3, 8.2, 8.5.",
	},
	Step: func(s *Step) {
		s.eachNewColumn(func(table *catalog.Relation, col *catalog.Column, typ string) {
			if typ == "money" || typ == "real" || typ == "double precision" || strings.HasPrefix(typ, "time") && strings.HasSuffix(typ, "with time zone") && !strings.HasPrefix(typ, "timestamp") {
				s.ReportAt(s.Find(col.Name), Info, fmt.Sprintf("column %s of %s is %s, which rounds or depends on the session", col.Name, table.Name, typ), "Use numeric for amounts, timestamptz for instants.")
			}
		})
	},
}
