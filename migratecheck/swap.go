package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// copiesColumn reports whether an earlier statement of the file fills another column of the table from the one called
// name (UPDATE t SET x2 = … x …), as a swap of columns does.
func (s *Step) copiesColumn(table catalog.OID, name string) bool {
	for _, e := range s.File.Up {
		if e == s {
			break
		}
		u := e.Stmt.Node.GetUpdateStmt()
		if u == nil {
			continue
		}
		rel := e.Before.Relation(u.Relation.GetSchemaname(), u.Relation.GetRelname())
		if rel == nil || rel.OID != table {
			continue
		}
		for _, t := range u.TargetList {
			if rt := t.GetResTarget(); rt != nil && rt.Name != name && mentionsColumn(rt.Val, name) {
				return true
			}
		}
	}
	return false
}

// mentionsColumn reports whether an expression reads a column of that name.
func mentionsColumn(n *pgast.Node, name string) bool {
	text, err := pgast.DeparseExpr(n)
	if err != nil {
		return false
	}
	sc := pgast.NewScanner(text)
	for {
		tok, ok := sc.Next()
		if !ok {
			return false
		}
		if (tok.Kind == pgast.KindWord || tok.Kind == pgast.KindQuotedIdent) && matches(text[tok.Start:tok.End], name) {
			return true
		}
	}
}

// reportSwap reports a change of type that was made by swapping columns.
func (s *Step) reportSwap(table *catalog.Relation, old, now *catalog.Column) {
	saved := s.rule
	s.rule = ruleChangeColumnType
	s.ReportAt(s.Find(now.Name), Error,
		fmt.Sprintf("swaps column %s of %s, %s, for one that is %s: released code goes on reading and writing it as %[3]s",
			old.Name, s.Name(table.OID), s.Before.FormatType(old.Type), s.After.FormatType(now.Type)),
		changeTypeHelp(s.sqlName(table.OID), old.Name, s.After.FormatType(now.Type)))
	s.rule = saved
}

// changeTypeHelp is a change of type over three releases.
func changeTypeHelp(table, column, typ string) string {
	return fmt.Sprintf("Split it over releases:\n"+
		"release 1, code writes both columns and reads %[2]s; then fill %[3]s in batches:\nALTER TABLE %[1]s ADD COLUMN %[3]s %[4]s;\n"+
		"release 2: ship code that reads and writes %[3]s only\n"+
		"release 3:\nALTER TABLE %[1]s DROP COLUMN %[2]s;",
		table, quoteIdent(column), quoteIdent(column+"_new"), typ)
}
