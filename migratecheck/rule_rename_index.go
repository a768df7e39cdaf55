package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleRenameIndex = &Rule{
	ID: "rename-index", Category: Compatibility, Severity: Warning,
	Doc: Doc{
		Summary:    "A unique index gets another name.",
		Why:        "A violation names the index as the constraint: code that compares that name shows an internal error instead of its message.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY, name text);\nCREATE UNIQUE INDEX ix_repo_name ON repo (name);",
		Bad:        "ALTER INDEX ix_repo_name RENAME TO repo_name_idx;",
		Good:       "ALTER TABLE repo ADD COLUMN note text;",
		Exceptions: "Silent for indexes that are not unique (nothing names them), for those of constraints (rename-constraint says it), for what the pending change creates, and when the file leaves a unique index of that name.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, 55.8 Error and Notice Message Fields: constraint name; indexes are treated as constraints.",
	},
	File: func(f *File) {
		for _, s := range f.Up {
			for _, c := range s.Changes {
				old, ok := c.Old.(*catalog.Relation)
				if !ok || c.Op != catalog.Renamed || old.Index == nil || !old.Index.Unique || old.Index.Parent != 0 || s.IsNew(old.OID) || s.IsNew(old.Index.Table) || constraintOf(s.Before, old) != nil {
					continue
				}
				name := s.Before.NameOf(old.OID)
				if f.Run.released(f).NameOf(old.OID).Name != name.Name {
					continue // a second renaming: the first one's finding says it
				}
				if now := f.After.Relation(name.Schema, name.Name); now != nil && now.Index != nil && now.Index.Unique && now.Index.Table == old.Index.Table {
					continue
				}
				f.ReportStep(s, Warning,
					fmt.Sprintf("renames unique index %s of %s to %s: released code that compares its name in an error no longer finds it", old.Name, s.Name(old.Index.Table), c.New.ObjectName()),
					"Keep the name; or ship code that knows both names first, and rename when no older code runs.")
			}
		}
	},
}
