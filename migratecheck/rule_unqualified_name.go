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
		Exceptions: "Silent for temporary tables, and when IF NOT EXISTS finds the table.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, 5.9.3 The Schema Search Path.",
	},
	Step: func(s *Step) {
		if c := s.Stmt.Node.GetCreateStmt(); c != nil && len(s.Changes) > 0 && c.Relation.GetSchemaname() == "" && c.Relation.GetRelpersistence() != "t" {
			s.Report(fmt.Sprintf("creates table %s in whatever schema comes first in the search_path", c.Relation.GetRelname()), fmt.Sprintf("Name the schema:\nCREATE TABLE public.%s (…", quoteIdent(c.Relation.GetRelname())))
		}
	},
}
