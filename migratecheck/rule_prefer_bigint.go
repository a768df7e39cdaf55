package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var rulePreferBigint = &Rule{
	ID: "prefer-bigint", Category: Hygiene, Severity: Info,
	Doc: Doc{
		Summary:    "A column is integer or smallint.",
		Why:        "integer ends at 2,147,483,647; to change a key or counter later rewrites its table and every one that refers to it.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY, name text);",
		Bad:        "CREATE TABLE note (id integer PRIMARY KEY);",
		Good:       "CREATE TABLE note (id bigint PRIMARY KEY);",
		Exceptions: "Only columns that the pending change adds or retypes are looked at. Silent for a foreign key on a column of the same type.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, 8.1.1 Integer Types.",
	},
	Step: func(s *Step) {
		s.eachNewColumn(func(table *catalog.Relation, col *catalog.Column, typ string) {
			if (typ == "integer" || typ == "smallint") && !s.refersToSameType(table, col) {
				s.ReportAt(s.Find(col.Name), Info, fmt.Sprintf("column %s of %s is %s: busy tables reach its end", col.Name, table.Name, typ), "Write bigint.")
			}
		})
	},
}

// refersToSameType reports whether a column is (part of) a foreign key on one of the same type, which decides.
func (s *Step) refersToSameType(table *catalog.Relation, col *catalog.Column) bool {
	for _, con := range s.After.Constraints(table.OID) {
		ref, ok := s.After.Get(con.RefTable).(*catalog.Relation)
		if con.Kind != catalog.ForeignKey || !ok {
			continue
		}
		for i, n := range con.Columns {
			if n == col.Num && i < len(con.RefColumns) {
				if target := ref.Att(con.RefColumns[i]); target != nil && target.Type == col.Type {
					return true
				}
			}
		}
	}
	return false
}
