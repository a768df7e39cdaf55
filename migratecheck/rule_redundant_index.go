package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleRedundantIndex = &Rule{
	ID: "redundant-index", Category: Hygiene, Severity: Info,
	Doc: Doc{
		Summary:    "An index whose keys are the first keys of another.",
		Why:        "Each write pays for both; queries need only the longer one.",
		Schema:     "CREATE TABLE repo (id bigint PRIMARY KEY, owner_id bigint, name text);\nCREATE INDEX repo_owner_name_idx ON repo (owner_id, name);",
		Bad:        "CREATE INDEX repo_owner_idx ON repo (owner_id);",
		Good:       "CREATE INDEX repo_name_idx ON repo (name);",
		Exceptions: "Silent for unique and partial indexes, expressions, and other methods than btree.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, 11.3 Multicolumn Indexes.",
	},
	File: func(f *File) {
		for _, s := range f.Up {
			for _, c := range s.Changes {
				ix, ok := c.New.(*catalog.Relation)
				if !ok || c.Op != catalog.Created || ix.Index == nil || ix.Index.Unique || f.After.Get(ix.OID) == nil {
					continue
				}
				if other := coveringIndex(f.After, ix); other != "" {
					f.ReportStep(s, Info, fmt.Sprintf("index %s is covered by %s, which begins with the same columns", ix.Name, other), "Leave it out; the longer index serves the same queries.")
				}
			}
		}
	},
}
