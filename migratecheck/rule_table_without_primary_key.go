package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source"
)

var ruleTableWithoutPrimaryKey = &Rule{
	ID: "table-without-primary-key", Category: Hygiene, Severity: Info,
	Doc: Doc{
		Summary:    "A table has no primary key.",
		Why:        "Rows cannot be told apart: no batches by key, no logical replication of UPDATE and DELETE.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY, name text);",
		Bad:        "CREATE TABLE note (text text);",
		Good:       "CREATE TABLE note (id bigint PRIMARY KEY, text text);",
		Exceptions: "Silent for temporary tables, partitions and children, and when the file adds the key in a later statement.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, 31.1 Publication: replica identity.",
	},
	File: func(f *File) {
		for _, s := range f.Up {
			for _, c := range s.Changes {
				rel, ok := c.New.(*catalog.Relation)
				if !ok || c.Op != catalog.Created || !isTable(rel) || len(rel.Inherits) > 0 || f.After.Get(rel.OID) == nil || source.IsBookkeeping(rel.Name) || hasPrimaryKey(f.After, rel.OID) {
					continue
				}
				f.ReportStep(s, Info, fmt.Sprintf("table %s has no primary key: its rows cannot be told apart, and logical replication refuses UPDATE and DELETE", f.After.NameOf(rel.OID)), "Declare one: a natural key, or id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY.")
			}
		}
	},
}
