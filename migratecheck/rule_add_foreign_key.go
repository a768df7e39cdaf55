package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleAddForeignKey = &Rule{
	ID: "add-foreign-key", Category: Compatibility, Severity: Warning,
	Doc: Doc{
		Summary:    "A foreign key is put on a table that released code writes.",
		Why:        "Old code was never told: it may insert the child before the parent, or delete a parent that still has children, and fails (23503) as long as it runs.",
		Schema:     "CREATE TABLE owner (id integer PRIMARY KEY);\nCREATE TABLE repo (id integer PRIMARY KEY, owner_id integer);",
		Bad:        "ALTER TABLE repo ADD CONSTRAINT repo_owner_id_fkey FOREIGN KEY (owner_id) REFERENCES owner (id) NOT VALID;",
		Good:       "ALTER TABLE repo ADD COLUMN parent_id integer REFERENCES repo (id);",
		Exceptions: "Silent for tables that the pending change creates, when every constrained column is new in it, and when the released schema has the same foreign key already, unless deletes that it passed on (CASCADE, SET NULL, SET DEFAULT) are refused from now on.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, 5.4.5 Foreign Keys.",
	},
	Step: func(s *Step) {
		for _, con := range s.newConstraints(catalog.ForeignKey) {
			if s.onNewColumnsOnly(con) || s.replacesEqual(con) {
				continue
			}
			if s.hadForeignKey(con) {
				s.ReportAt(s.constraintAt(con), Warning,
					fmt.Sprintf("foreign key %s of %s no longer passes on what happens to the parent in %s: released code that deletes, or renumbers, a parent that has rows fails (23503)", con.Name, s.Name(con.Table), s.Name(con.RefTable)),
					"Ship code that removes the children itself first; change the action when no older code runs.")
				continue
			}
			deletes := ", or deletes a parent that has rows,"
			if refuses(con.OnDelete) == 0 {
				deletes = ""
			}
			s.ReportAt(s.constraintAt(con), Warning,
				fmt.Sprintf("new foreign key %s on %s: released code that inserts a row before its parent in %s%s fails (23503)", con.Name, s.Name(con.Table), s.Name(con.RefTable), deletes),
				addLaterHelp(s.findOrphans(con), s.addNotValid(con)))
		}
	},
}

// hadForeignKey reports whether the released schema has a foreign key on the same columns to the same ones, whatever
// its actions.
func (s *Step) hadForeignKey(con *catalog.Constraint) bool {
	for _, old := range s.File.Run.released(s.File).Constraints(con.Table) {
		if old.Kind == catalog.ForeignKey && old.RefTable == con.RefTable && sameNumbers(old.Columns, con.Columns) && sameNumbers(old.RefColumns, con.RefColumns) {
			return true
		}
	}
	return false
}
