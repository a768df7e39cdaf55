package migratecheck

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/lockmode"
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
		said := map[catalog.OID]bool{}
		for _, rw := range s.Lock.Rewrites {
			oid := s.subject(rw.Relation)
			rel := s.relation(oid)
			if rw.Empty || rel == nil || !isTable(rel) || s.IsNew(rw.Relation) || said[oid] {
				continue
			}
			said[oid] = true
			name := s.Name(oid)
			if s.Lock.Worst {
				s.ReportAt(0, Info,
					fmt.Sprintf("may rewrite table %s (%s): %s", name, rw.Reason, s.Lock.Unknown),
					"Give the schema before the first migration with -schema FILE; `srhtvet locks` then tells.")
				continue
			}
			for _, cause := range s.rewriteCauses(oid, rw.Reason) {
				s.ReportAt(cause.at(s), s.Sized(oid, Error),
					fmt.Sprintf("rewrites table %s (%s): every query on it, reads included, waits (AccessExclusiveLock) until all rows are copied and all its indexes built again%s", name, cause.reason, s.readMeanwhile(oid)),
					s.rewriteHelp(rel, cause))
			}
		}
	},
}

// rewriteCause is a command of an ALTER TABLE for which a table is written anew; the column is "" when it is none of one column's.
type rewriteCause struct{ reason, column string }

// rewriteCauses lists the commands of the statement that would rewrite the table by themselves; the statement as a whole when
// none does, or it is but one.
func (s *Step) rewriteCauses(table catalog.OID, reason string) []rewriteCause {
	alter := s.Stmt.Node.GetAlterTableStmt()
	var list []rewriteCause
	for _, cmd := range alter.GetCmds() {
		column := cmd.GetAlterTableCmd().GetName()
		if def := cmd.GetAlterTableCmd().GetDef().GetColumnDef(); def != nil && column == "" {
			column = def.Colname
		}
		if len(alter.Cmds) == 1 {
			return []rewriteCause{{reason, column}}
		}
		one := &pgast.AlterTableStmt{Relation: alter.Relation, Cmds: []*pgast.Node{cmd}, Objtype: alter.Objtype, MissingOk: alter.MissingOk}
		eff := s.File.Run.lockEffect(s.Before, nil, nil, pgast.Stmt{Node: &pgast.Node{Node: &pgast.Node_AlterTableStmt{AlterTableStmt: one}}, SQL: s.Stmt.SQL})
		for _, rw := range eff.Rewrites {
			if s.subject(rw.Relation) == table && !rw.Empty {
				list = append(list, rewriteCause{rw.Reason, column})
				break
			}
		}
	}
	if len(list) == 0 {
		return []rewriteCause{{reason, ""}}
	}
	return list
}

// at is where the command stands.
func (c rewriteCause) at(s *Step) int {
	if c.column == "" {
		return 0
	}
	return cmp.Or(s.Find("ADD", "[COLUMN]", "[IF NOT EXISTS]", c.column), s.Find("ALTER", "[COLUMN]", c.column))
}

// readMeanwhile names the other tables that are locked in the same way and read, to check foreign keys.
func (s *Step) readMeanwhile(table catalog.OID) string {
	var names []string
	for _, scan := range s.Lock.Scans {
		oid := s.subject(scan.Relation)
		if oid != table && scan.Kind == lockmode.ScanForeign && !s.IsNew(oid) && s.Lock.Lock(scan.Relation) == lockmode.AccessExclusive && !slices.Contains(names, s.Name(oid)) {
			names = append(names, s.Name(oid))
		}
	}
	if len(names) == 0 {
		return ""
	}
	return fmt.Sprintf("; so does every query on %s, which is read to check its foreign key again", strings.Join(names, ", "))
}

// rewriteHelp is the way around the rewrite.
func (s *Step) rewriteHelp(rel *catalog.Relation, cause rewriteCause) string {
	table := sqlNameOf(s.Before.NameOf(rel.OID))
	for i := range s.Changes {
		switch c := &s.Changes[i]; {
		case c.Op == catalog.ColumnTypeChanged && c.Old.ObjectID() == rel.OID && (cause.column == "" || c.OldColumn.Name == cause.column):
			if rule := s.typeRule(rel.OID, c.OldColumn.Num); rule != "" {
				return "Keep the type of the column; " + rule + " has the way over releases."
			}
			return s.changeTypeHelp(retyped{table: rel, old: c.OldColumn, to: s.After.FormatType(c.NewColumn.Type), now: c.NewColumn})
		case c.Op == catalog.ColumnAdded && c.New.ObjectID() == rel.OID && c.NewColumn.Name == cause.column:
			if domain := s.constrainedDomain(c.NewColumn.Type); domain != nil {
				return s.addDomainColumnHelp(table, rel, c.NewColumn, domain)
			}
			if c.NewColumn.Default != nil || c.NewColumn.Identity != 0 {
				return s.addFilledColumnHelp(table, rel, c.NewColumn)
			}
		}
	}
	return "Make the change on a new table or column beside the old one, copy the rows in batches, and switch over in a later release; or take the service down for it on purpose."
}

// addFilledColumnHelp adds a column whose values differ from row to row without writing every row at once.
func (s *Step) addFilledColumnHelp(table string, rel *catalog.Relation, col *catalog.Column) string {
	name, typ := quoteIdent(col.Name), s.After.FormatType(col.Type)
	var b strings.Builder
	if col.Generated != 0 {
		fmt.Fprintf(&b, "A stored generated column is computed for every row at once. Add a plain column, and let the code (or a trigger) compute it:\nALTER TABLE %s ADD COLUMN %s %s;\nthen fill the old rows in batches; or compute it where it is read.", table, name, typ)
		return b.String()
	}
	fmt.Fprintf(&b, "Split it. In one migration, in an instant:\nALTER TABLE %s ADD COLUMN %s %s;\n", table, name, typ)
	switch seq := rel.Name + "_" + col.Name + "_seq"; {
	case col.Identity != 0 || strings.Contains(col.Default.SQL, quoteIdent(seq)):
		if schema := s.Before.NameOf(rel.OID).Schema; schema != "" && schema != "public" {
			seq = quoteIdent(schema) + "." + quoteIdent(seq)
		} else {
			seq = quoteIdent(seq)
		}
		fmt.Fprintf(&b, "CREATE SEQUENCE %s OWNED BY %s.%s;\nALTER TABLE %[2]s ALTER COLUMN %[3]s SET DEFAULT nextval(%[4]s);\n", seq, table, name, quoteLiteral(seq))
	default:
		fmt.Fprintf(&b, "ALTER TABLE %s ALTER COLUMN %s SET DEFAULT %s;\n", table, name, col.Default.SQL)
	}
	b.WriteString("which holds for new rows; then fill the old ones in batches, each its own transaction")
	if col.NotNull {
		b.WriteString("\nthen\n" + s.notNullSteps(rel.OID, col.Name))
	}
	return b.String()
}

// typeRule is the rule that says what to do about the change of a column's type; "" when none does, or leaves the way
// around the rewrite to table-rewrite.
func (s *Step) typeRule(table catalog.OID, num int) string {
	if s.Down {
		return ""
	}
	for _, r := range s.File.retypedColumns() {
		if r.step != s || r.table.OID != table || r.old.Num != num {
			continue
		}
		enum, removed, added := s.File.enumSwap(r)
		switch {
		case enum != "" && len(removed)+len(added) > 0, enum == "" && !narrows(r.from, r.to) && s.File.retypeSeverity(r) == Error:
			return "change-column-type"
		case enum == "" && narrows(r.from, r.to):
			return "narrow-column-type"
		}
	}
	return ""
}
