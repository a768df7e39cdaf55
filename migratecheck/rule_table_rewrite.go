package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleTableRewrite = &Rule{
	ID: "table-rewrite", Category: Locks, Severity: Error, Down: true,
	Doc: Doc{
		Summary:    "A statement writes a whole table anew while nobody can use it.",
		Why:        "Every row is copied and every index built again under an AccessExclusiveLock: every query on the table, reads included, waits for all of it, and the disk must hold the table twice.",
		Schema:     "CREATE TABLE event (id integer PRIMARY KEY, created timestamp NOT NULL);",
		Bad:        "ALTER TABLE event ALTER COLUMN id TYPE bigint;",
		Good:       "ALTER TABLE event ADD COLUMN kind integer NOT NULL DEFAULT 0;",
		Exceptions: "Silent for tables that the pending change creates and for temporary ones; sized by -stats. VACUUM FULL and CLUSTER have rules of their own, TRUNCATE rewrites nothing that counts.",
		Versions:   "Constant defaults rewrite nothing since 11. Which changes of type do is told per version by `srhtvet locks`.",
		Source:     "PostgreSQL 15 manual, ALTER TABLE, Notes; ATRewriteTables in src/backend/commands/tablecmds.c.",
	},
	Step: func(s *Step) {
		n := s.Stmt.Node
		if n.GetVacuumStmt() != nil || n.GetClusterStmt() != nil || n.GetRefreshMatViewStmt() != nil || n.GetTruncateStmt() != nil {
			return
		}
		for _, rw := range s.Lock.Rewrites {
			rel := s.relation(rw.Relation)
			if rw.Empty || rel == nil || !isTable(rel) || s.IsNew(rw.Relation) {
				continue
			}
			name := s.Name(rw.Relation)
			s.ReportAt(s.rewriteAt(), s.Sized(rw.Relation, Error),
				fmt.Sprintf("rewrites table %s (%s): every query on it, reads included, waits (AccessExclusiveLock) until all rows are copied and all its indexes built again", name, rw.Reason),
				s.rewriteHelp(rel))
		}
	},
}

// rewriteAt is the first command of an ALTER TABLE that can cause a rewrite, for the caret.
func (s *Step) rewriteAt() int {
	a := s.Stmt.Node.GetAlterTableStmt()
	if a == nil {
		return 0
	}
	for _, node := range a.Cmds {
		c := node.GetAlterTableCmd()
		switch c.Subtype {
		case pgast.AlterTableType_AT_AddColumn:
			if name := c.GetDef().GetColumnDef().GetColname(); name != "" && len(a.Cmds) > 1 {
				return s.Find("ADD", "COLUMN", name)
			}
		case pgast.AlterTableType_AT_AlterColumnType:
			return s.Find("ALTER", "COLUMN", c.Name)
		}
	}
	return 0
}

// rewriteHelp is the way around the rewrite.
func (s *Step) rewriteHelp(rel *catalog.Relation) string {
	table := sqlNameOf(s.Before.NameOf(rel.OID))
	for _, c := range s.Changes {
		switch {
		case c.Op == catalog.ColumnTypeChanged && c.Old.ObjectID() == rel.OID:
			col, typ := c.OldColumn.Name, s.After.FormatType(c.NewColumn.Type)
			return fmt.Sprintf("Split it over releases:\n"+
				"release 1:\nSET lock_timeout = '2s';\nALTER TABLE %[1]s ADD COLUMN %[3]s %[4]s;\ncode writes both columns and reads %[2]s; then fill %[3]s in batches\n"+
				"release 2: code reads and writes %[3]s only\n"+
				"release 3:\nALTER TABLE %[1]s DROP COLUMN %[2]s;",
				table, quoteIdent(col), quoteIdent(col+"_new"), typ)
		case c.Op == catalog.ColumnAdded && c.New.ObjectID() == rel.OID && c.NewColumn.Default != nil:
			return fmt.Sprintf("Split it:\nALTER TABLE %[1]s ADD COLUMN %[2]s %[3]s;\nALTER TABLE %[1]s ALTER COLUMN %[2]s SET DEFAULT %[4]s;\nthe second only holds for new rows; fill the old ones in batches, in a later migration outside this transaction\nALTER TABLE %[1]s ADD CONSTRAINT %[5]s CHECK (%[2]s IS NOT NULL) NOT VALID;\nALTER TABLE %[1]s VALIDATE CONSTRAINT %[5]s;\nALTER TABLE %[1]s ALTER COLUMN %[2]s SET NOT NULL;",
				table, quoteIdent(c.NewColumn.Name), s.After.FormatType(c.NewColumn.Type), c.NewColumn.Default.SQL, quoteIdent(rel.Name+"_"+c.NewColumn.Name+"_not_null"))
		}
	}
	return "Make the change on a new table or column beside the old one, copy the rows in batches, and switch over in a later release; or take the service down for it on purpose."
}
