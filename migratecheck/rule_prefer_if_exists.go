package migratecheck

import "git.sr.ht/~sourcehut/ha-go/internal/pgast"

var rulePreferIfExists = &Rule{
	ID: "prefer-if-exists", Category: Hygiene, Severity: Info,
	Doc: Doc{
		Summary:    "CREATE or DROP without IF [NOT] EXISTS in a file outside a transaction.",
		Why:        "When the file fails half-way it cannot be run again as it is.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY, name text);",
		Bad:        "-- +brant NO TRANSACTION\n-- +brant Up\nDROP TABLE repo;",
		Good:       "-- +brant NO TRANSACTION\n-- +brant Up\nDROP TABLE IF EXISTS repo;",
		Exceptions: "Silent in a transaction, where IF EXISTS only hides mistakes, and for statements that have no such form (non-transactional-many speaks of files of several statements). CREATE INDEX CONCURRENTLY: concurrent-if-not-exists says why not.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, DROP TABLE.",
	},
	Step: func(s *Step) {
		if s.Via == "" && !s.Tx.Explicit && len(s.Changes) > 0 && !repeatable(s) && takesIfExists(s.Stmt.Node) {
			s.Report("cannot be run again when the file fails further down", "Add IF EXISTS, or IF NOT EXISTS.")
		}
	},
}

// takesIfExists reports whether a statement has a form with IF [NOT] EXISTS.
func takesIfExists(n *pgast.Node) bool {
	if a := n.GetAlterTableStmt(); a != nil {
		for _, node := range a.Cmds {
			switch c := node.GetAlterTableCmd(); c.Subtype {
			case pgast.AlterTableType_AT_AddColumn, pgast.AlterTableType_AT_DropColumn, pgast.AlterTableType_AT_DropConstraint:
				if !c.MissingOk {
					return true
				}
			}
		}
		return false
	}
	return n.GetDropStmt() != nil || n.GetCreateStmt() != nil || n.GetCreateSeqStmt() != nil || n.GetCreateSchemaStmt() != nil ||
		n.GetCreateExtensionStmt() != nil || n.GetCreateTableAsStmt() != nil
}
