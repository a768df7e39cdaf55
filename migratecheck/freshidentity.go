package migratecheck

import (
	"fmt"
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// freshIdentities reports columns with values that become identity columns: the new sequence starts where they may be.
func (f *File) freshIdentities() {
	for i, s := range f.Up {
		alter := s.Stmt.Node.GetAlterTableStmt()
		for _, n := range alter.GetCmds() {
			cmd := n.GetAlterTableCmd()
			rel := s.Before.Relation(alter.Relation.GetSchemaname(), alter.Relation.GetRelname())
			if cmd.GetSubtype() != pgast.AlterTableType_AT_AddIdentity || s.Err != nil || rel == nil || !s.inUse(rel) {
				continue
			}
			col := rel.Column(cmd.Name)
			if col == nil || col.Identity != 0 || s.IsNewColumn(rel.OID, col.Num) || startsAt(cmd.Def.GetConstraint().GetOptions(), "start") || f.continues(i, sequenceOf(s.After, catalog.Address{OID: rel.OID, Column: col.Num}, true)) {
				continue
			}
			if rows, known := s.Rows(rel.OID); known && rows == 0 {
				continue
			}
			who := "INSERTs that leave the column out"
			if was := s.releasedColumn(rel.OID, col.Num); was != nil && was.Default != nil {
				who = "INSERTs of released code that leave the column out"
			}
			help := fmt.Sprintf("Let it go on where the rows end, in the same transaction:\nSELECT setval(pg_get_serial_sequence(%s, %s), (SELECT coalesce(max(%s), 0) + 1 FROM %s), false);",
				quoteLiteral(s.sqlName(rel.OID)), quoteLiteral(cmd.Name), quoteIdent(cmd.Name), s.sqlName(rel.OID))
			if old := sequenceOf(s.After, catalog.Address{OID: rel.OID, Column: col.Num}, false); old != nil {
				help = "Drop the old sequence before the column becomes an identity column, or pg_get_serial_sequence finds that one:\nDROP SEQUENCE " + s.sqlName(old.OID) + ";\n" + help
			}
			f.ReportStepAt(s, s.Find("ALTER", "[COLUMN]", cmd.Name), Error,
				fmt.Sprintf("gives %s.%s a new sequence, which starts at 1 whatever the rows hold: %s collide with them (23505), or repeat their values", s.Name(rel.OID), cmd.Name, who), help)
		}
	}
}

// startsAt reports whether an option of a sequence names a number other than 1.
func startsAt(list []*pgast.Node, name string) bool {
	return slices.ContainsFunc(list, func(n *pgast.Node) bool {
		d := n.GetDefElem()
		return d.GetDefname() == name && d.Arg != nil && d.Arg.GetInteger().GetIval() != 1
	})
}
