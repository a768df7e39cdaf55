package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleOddIndex = &Rule{
	ID: "odd-index", Category: Hygiene, Severity: Info,
	Doc: Doc{
		Summary:    "A hash index, or an index on more than three columns.",
		Why:        "A hash index serves equality only; the columns behind the third hardly narrow anything and make each write dearer.",
		Schema:     "CREATE TABLE repo (id bigint PRIMARY KEY, a text, b text, c text, d text);",
		Bad:        "CREATE INDEX i ON repo (a, b, c, d);",
		Good:       "CREATE INDEX i ON repo (a, b);",
		Exceptions: "Silent for unique indexes: their columns are what is unique.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, 11.2 Index Types, 11.3 Multicolumn Indexes: \"more than three columns are unlikely to be helpful\".",
	},
	Step: func(s *Step) {
		ix := s.Stmt.Node.GetIndexStmt()
		name := ix.GetIdxname()
		for _, c := range s.Changes {
			if c.Op == catalog.Created {
				name = c.New.ObjectName() // the server's choice when the statement names none
			}
		}
		switch {
		case ix == nil || ix.Unique || len(s.Changes) == 0:
		case ix.AccessMethod == "hash":
			s.Report(fmt.Sprintf("index %s is a hash index: it serves = only", name), "Leave out USING hash: btree is the default.")
		case len(ix.IndexParams) > 3:
			s.Report(fmt.Sprintf("index %s has %d columns: those behind the third hardly narrow anything", name, len(ix.IndexParams)), "Keep the ones that narrow most.")
		}
	},
}
