package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source"
)

var ruleSchemaDrift = &Rule{
	ID: "schema-drift", Category: History, Severity: Warning,
	Doc: Doc{
		Summary:    "schema.sql, from which new databases are made, is not what the migrations lead to.",
		Why:        "A new installation, the tests and production run on different schemas: a query that works on one fails on the other, and the next migration may apply to only one of them.",
		Schema:     "CREATE TABLE t (id integer PRIMARY KEY);",
		Bad:        "-- file schema.sql\nCREATE TABLE t (id integer PRIMARY KEY);\n-- file 0002_change.sql\nALTER TABLE t ADD COLUMN note text;",
		Good:       "-- file schema.sql\nCREATE TABLE t (id integer PRIMARY KEY, note text);\n-- file 0002_change.sql\nALTER TABLE t ADD COLUMN note text;",
		Exceptions: "Silent without a schema.sql, and when the history has no known beginning or a part of either is not understood. The order of columns does not count, nor do comments and privileges.",
		Versions:   "All.",
		Source:     "schema.sql and migrations have drifted apart in sr.ht services.",
	},
	History: func(r *Run) {
		if r.Schema == nil || r.Final.Open || len(r.Schema.Problems) > 0 || r.unfollowed > 0 {
			return
		}
		at := source.Position{File: r.Schema.File, Line: 1, Column: 1}
		for _, d := range catalog.Compare(r.Final, r.Schema.Catalog) {
			if isBookkeeping(d.Name.Name) {
				continue
			}
			r.Report(at, fmt.Sprintf("drifted from the migrations: %s (first as the migrations leave it, then as %s has it)", d.Description, r.Schema.File),
				"Change schema.sql, or add the migration that is missing.")
		}
	},
}
