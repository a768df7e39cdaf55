package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleFKWithoutIndex = &Rule{
	ID: "fk-without-index", Category: Hygiene, Severity: Info,
	Doc: Doc{
		Summary:    "A foreign key has no index on its own columns.",
		Why:        "DELETE and UPDATE of the referenced table read this table in full for each row.",
		Schema:     "CREATE TABLE owner (id bigint PRIMARY KEY);",
		Bad:        "CREATE TABLE note (id bigint PRIMARY KEY, owner_id bigint REFERENCES owner (id));",
		Good:       "CREATE TABLE note (id bigint PRIMARY KEY, owner_id bigint REFERENCES owner (id));\nCREATE INDEX note_owner_id_idx ON note (owner_id);",
		Exceptions: "An index whose first keys are the columns, in any order, counts.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, 5.4.5 Foreign Keys.",
	},
	File: func(f *File) {
		for _, s := range f.Up {
			for _, c := range s.Changes {
				con, ok := c.New.(*catalog.Constraint)
				if !ok || c.Op != catalog.Created || con.Kind != catalog.ForeignKey || con.Parent != 0 || f.After.Get(con.OID) == nil || coveredByIndex(f.After, con) {
					continue
				}
				f.ReportStep(s, Info, fmt.Sprintf("foreign key %s of %s has no index on its columns: each DELETE on %s reads %[2]s in full", con.Name, f.After.NameOf(con.Table), f.After.NameOf(con.RefTable)), fmt.Sprintf("Create an index that begins with its columns:\nCREATE INDEX%s ON %s (%s);", concurrently(s.IsNew(con.Table)), sqlNameOf(f.After.NameOf(con.Table)), f.columnsOf(con)))
			}
		}
	},
}

// concurrently is how an index is built on a table in use; a new one needs no care.
func concurrently(isNew bool) string {
	if isNew {
		return ""
	}
	return " CONCURRENTLY"
}

func (f *File) columnsOf(con *catalog.Constraint) string {
	rel, ok := f.After.Get(con.Table).(*catalog.Relation)
	if !ok {
		return ""
	}
	return columnNames(rel, con.Columns)
}
