package migratecheck

import (
	"fmt"
)

var ruleUnqualifiedName = &Rule{
	ID: "unqualified-name", Category: Hygiene, Severity: Info,
	Doc: Doc{
		Summary:    "A table is created without its schema.",
		Why:        "Where it ends up depends on the search_path of whoever runs the migration.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY, name text);",
		Bad:        "CREATE TABLE note (id bigint PRIMARY KEY);",
		Good:       "CREATE TABLE public.note (id bigint PRIMARY KEY);",
		Exceptions: "Temporary tables.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, 5.9.3 The Schema Search Path.",
	},
	Step: func(s *Step) {
		if c := s.Stmt.Node.GetCreateStmt(); c != nil && c.Relation.GetSchemaname() == "" && c.Relation.GetRelpersistence() != "t" {
			s.Report(fmt.Sprintf("creates %s in whatever schema comes first in the search_path", c.Relation.GetRelname()), "Write its schema.")
		}
	},
}
