package migratecheck

import (
	"fmt"
	"slices"
	"strings"

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
			if col == nil || col.Identity != 0 || s.IsNewColumn(rel.OID, col.Num) || startsAt(cmd.Def.GetConstraint().GetOptions(), "start") || f.setsSequence(i, rel.OID, col) {
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
			if old := s.serialSequence(s.After, rel.OID, col.Num); old != nil {
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

// setsSequence reports whether the file sets where the sequence of an identity column goes on, at a step or after it.
func (f *File) setsSequence(from int, table catalog.OID, col *catalog.Column) bool {
	for _, e := range f.Up[from:] {
		n := e.Stmt.Node
		for _, cmd := range n.GetAlterTableStmt().GetCmds() {
			if c := cmd.GetAlterTableCmd(); c.GetSubtype() == pgast.AlterTableType_AT_SetIdentity && c.Name == col.Name && startsAt(c.Def.GetList().GetItems(), "restart") {
				return true
			}
		}
		if seq := n.GetAlterSeqStmt(); startsAt(seq.GetOptions(), "restart") && e.isIdentity(e.Before.Relation(seq.Sequence.GetSchemaname(), seq.Sequence.GetRelname()), table, col.Num) {
			return true
		}
		found := false
		pgast.Walk(n, func(n *pgast.Node) bool {
			call := n.GetFuncCall()
			if name := words(call.GetFuncname()); len(name) > 0 && name[len(name)-1] == "setval" && len(call.Args) > 0 {
				found = found || e.setsIdentity(call.Args[0], table, col.Num)
			}
			return !found
		})
		if found {
			return true
		}
	}
	return false
}

func (s *Step) isIdentity(seq *catalog.Relation, table catalog.OID, column int) bool {
	return seq != nil && seq.Seq != nil && seq.Seq.Identity && seq.Seq.OwnedBy == catalog.Address{OID: table, Column: column}
}

// setsIdentity reports whether the first argument of setval stands for the sequence of an identity column: by its name, by
// something that cannot be read, or by pg_get_serial_sequence, which finds a serial's sequence as well while there is one.
func (s *Step) setsIdentity(arg *pgast.Node, table catalog.OID, column int) bool {
	switch bare := uncast(arg); {
	case bare.GetAConst().GetSval() != nil:
		names := strings.Split(bare.GetAConst().GetSval().Sval, ".")
		schema := ""
		if len(names) > 1 {
			schema = names[0]
		}
		return s.isIdentity(s.Before.Relation(schema, strings.Trim(names[len(names)-1], `"`)), table, column)
	case bare.GetFuncCall() != nil:
		return s.serialSequence(s.Before, table, column) == nil
	}
	return true
}

// serialSequence is a sequence that belongs to a column without being that of its identity, nil when there is none.
func (s *Step) serialSequence(c *catalog.Catalog, table catalog.OID, column int) *catalog.Relation {
	for o := range c.All() {
		if seq, ok := o.(*catalog.Relation); ok && seq.Seq != nil && !seq.Seq.Identity && seq.Seq.OwnedBy == (catalog.Address{OID: table, Column: column}) {
			return seq
		}
	}
	return nil
}
