package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleReuseColumnName = &Rule{
	ID: "reuse-column-name", Category: Compatibility, Severity: Error,
	Doc: Doc{
		Summary:    "A name that a released column had is given to another column.",
		Why:        "Nothing fails: old code runs its queries on the new column and reads, or overwrites, the wrong data, silently.",
		Schema:     "CREATE TABLE tracker (id integer PRIMARY KEY, created timestamp NOT NULL);",
		Bad:        "ALTER TABLE tracker RENAME COLUMN created TO linked;\nALTER TABLE tracker ADD COLUMN created timestamp;",
		Good:       "ALTER TABLE tracker ADD COLUMN linked timestamp;",
		Exceptions: "Silent when the new column holds the same data by construction: a column swapped for one of the type wanted (ADD x2, UPDATE SET x2 = x, DROP x, RENAME x2 TO x) is reported by change-column-type, when the type differs.",
		Versions:   "All.",
		Source:     "hub.sr.ht 0009 and 0010: created was renamed to linked, and one migration later a new created was added.",
	},
	Step: func(s *Step) {
		released := s.File.Run.released(s.File)
		for _, c := range s.Changes {
			if c.Op != catalog.ColumnAdded && c.Op != catalog.ColumnRenamed || !s.inUse(c.New) {
				continue
			}
			was, ok := released.Get(c.New.ObjectID()).(*catalog.Relation)
			if !ok {
				continue
			}
			old := was.Column(c.NewColumn.Name)
			if old == nil || old.Num == c.NewColumn.Num {
				continue
			}
			table := s.Name(was.OID)
			if s.copiesColumn(was.OID, old.Name) {
				if old.Type != c.NewColumn.Type {
					s.reportSwap(was, old, c.NewColumn)
				}
				continue
			}
			s.ReportAt(s.Find(c.NewColumn.Name), Error,
				fmt.Sprintf("gives the name %s.%s to another column than the one released code means: its queries go on working, on the wrong data", table, old.Name),
				"Give the new column a name that no released version has used. A name may be used again when no node runs code that knew the old column.")
		}
	},
}
