package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleWidenSelectStar = &Rule{
	ID: "widen-select-star", Category: Compatibility, Severity: Info,
	Doc: Doc{
		Summary:    "A column is added to a table that released code may read with SELECT *.",
		Why:        "A positional Scan of SELECT * gets one value too many, and an unqualified column name in a join of old code becomes ambiguous (42702) when the other table has it too.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY, name text);",
		Bad:        "ALTER TABLE repo ADD COLUMN note text;",
		Good:       "CREATE TABLE note (id integer PRIMARY KEY, repo_id integer, text text);",
		Exceptions: "Silent for tables that the pending change creates. A warning when another table of the schema has a foreign key to or from this one, and a column of that name: a join of the two is likely.",
		Versions:   "All.",
		Source:     "No public linter has this.",
	},
	Step: func(s *Step) {
		for _, c := range s.Changes {
			if c.Op != catalog.ColumnAdded || !s.inUse(c.New) || c.NewColumn.Inherited > 0 {
				continue
			}
			oid, name := c.New.ObjectID(), c.NewColumn.Name
			if other := s.joinedWith(oid, name); other != "" {
				s.ReportAt(s.Find("COLUMN", name), Warning,
					fmt.Sprintf("adds %s to %s; %s, to which it is joined by a foreign key, has a column of that name: a join in released code that writes %[1]s without its table fails (42702)", name, s.Name(oid), other),
					"Take another name, or ship code that qualifies its columns first.")
				continue
			}
			s.ReportAt(s.Find("COLUMN", name), Info,
				fmt.Sprintf("released code that reads %s with SELECT * and scans by position gets one column more", s.Name(oid)),
				"Name the columns in queries.")
		}
	},
}
