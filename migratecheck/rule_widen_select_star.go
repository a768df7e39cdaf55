package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleWidenSelectStar = &Rule{
	ID: "widen-select-star", Category: Compatibility, Severity: Info,
	Doc: Doc{
		Summary:    "A column is added to a table that released code may read with SELECT *, or an attribute to a composite type.",
		Why:        "A positional Scan of SELECT * gets one value too many, and an unqualified column name in a join of old code becomes ambiguous (42702) when the other table has it too. A value of the type that old code writes, ROW(…)::t, lacks the new attribute and fails (42846).",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY, name text);",
		Bad:        "ALTER TABLE repo ADD COLUMN note text;",
		Good:       "CREATE TABLE note (id integer PRIMARY KEY, repo_id integer, text text);",
		Exceptions: "Silent for tables that the pending change creates, and for a column that takes a released one's name (reuse-column-name). Names the table that a foreign key connects with this one and that has such a column: a join of the two is likely. An attribute of a composite type is a warning.",
		Versions:   "All.",
		Source:     "No public linter has this.",
	},
	Step: func(s *Step) {
		for _, c := range s.Changes {
			if c.Op != catalog.ColumnAdded || !s.usedByCode(c.New) || c.NewColumn.Inherited > 0 {
				continue
			}
			oid, name := c.New.ObjectID(), c.NewColumn.Name
			if was, ok := s.File.Run.released(s.File).Get(oid).(*catalog.Relation); ok && was.Column(name) != nil {
				continue
			}
			rel := c.New.(*catalog.Relation)
			if rel.Kind != catalog.CompositeRel && s.tooMinor(Info) {
				continue
			}
			_, _, keyword := columnWord(rel)
			at := s.Find("ADD", "["+keyword+"]", "[IF NOT EXISTS]", name)
			if rel.Kind == catalog.CompositeRel {
				s.ReportAt(at, Warning, fmt.Sprintf("adds attribute %s to type %s: a value that released code writes lacks it and fails (42846)", name, s.Name(oid)),
					"Make a new type, ship code that uses it, and drop the old one when no older code runs.")
				continue
			}
			if other := s.joinedWith(oid, name); other != "" {
				s.ReportAt(at, Info,
					fmt.Sprintf("adds %s to %s; %s, with which a foreign key connects it, has a column of that name: a join in released code that writes %[1]s without its table fails (42702), and SELECT * gets one column more", name, s.Name(oid), other),
					"Take another name, or ship code that qualifies its columns first.")
				continue
			}
			s.ReportAt(at, Info,
				fmt.Sprintf("released code that reads %s with SELECT * and scans by position gets one column more", s.Name(oid)),
				"Name the columns in queries.")
		}
	},
}
