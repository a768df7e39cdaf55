package migratecheck

import (
	"fmt"
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// retyped is a column that released code knows and that has another type from a step on: by ALTER COLUMN … TYPE, or
// because a column filled from it was given its name.
type retyped struct {
	step     *Step
	table    *catalog.Relation // before the step
	old, now *catalog.Column
	from, to string // types as format_type prints them
	swapped  bool
	at       int
}

// retypedColumns lists the changes of type in a file's Up script.
func (f *File) retypedColumns() []retyped {
	var list []retyped
	for _, s := range f.Up {
		for _, c := range s.Changes {
			if c.Op != catalog.ColumnTypeChanged || !s.usedByCode(c.Old) || s.IsNewColumn(c.Old.ObjectID(), c.OldColumn.Num) || c.OldColumn.Inherited > 0 {
				continue
			}
			rel := c.Old.(*catalog.Relation)
			_, _, keyword := columnWord(rel)
			list = append(list, retyped{step: s, table: rel, old: c.OldColumn, now: c.NewColumn,
				from: s.Before.FormatType(c.OldColumn.Type), to: s.After.FormatType(c.NewColumn.Type),
				at: s.Find("ALTER", "["+keyword+"]", c.OldColumn.Name)})
		}
		for _, r := range s.reusedNames() {
			if from, to := s.Before.FormatType(r.old.Type), s.After.FormatType(r.now.Type); r.copied && from != to {
				list = append(list, retyped{step: s, table: r.table, old: r.old, now: r.now, from: from, to: to, swapped: true, at: r.at})
			}
		}
	}
	return list
}

// reusedName is a column that gets the name which released code knows for another one of the table.
type reusedName struct {
	table    *catalog.Relation // before the step
	old, now *catalog.Column   // the released column, and the one that has its name after the step
	copied   bool              // an earlier statement has filled the one from the other
	at       int
}

// reusedNames lists the names that the step gives to other columns.
func (s *Step) reusedNames() []reusedName {
	released := s.File.Run.released(s.File)
	var list []reusedName
	for _, c := range s.Changes {
		if c.Op != catalog.ColumnAdded && c.Op != catalog.ColumnRenamed || c.NewColumn.Inherited > 0 || !s.usedByCode(c.New) {
			continue
		}
		was := c.New.(*catalog.Relation)
		old := s.knownAs(released, was.OID, c.NewColumn.Name)
		if old == nil || old.Num == c.NewColumn.Num {
			continue
		}
		_, _, keyword := columnWord(was)
		at := s.Find("ADD", "["+keyword+"]", "[IF NOT EXISTS]", old.Name)
		if c.Op == catalog.ColumnRenamed {
			at = s.Find("RENAME", "["+keyword+"]", c.OldColumn.Name)
		}
		list = append(list, reusedName{table: s.relation(was.OID), old: old, now: c.NewColumn,
			copied: s.copiesColumn(was.OID, old, c.NewColumn.Num), at: at})
	}
	return list
}

// knownAs is the column that released code means by a name, nil when it knows none. Where the table was only assumed, it
// is the one that a step of the file has taken the name from.
func (s *Step) knownAs(released *catalog.Catalog, table catalog.OID, name string) *catalog.Column {
	if was, ok := released.Get(table).(*catalog.Relation); ok && !was.Assumed {
		return was.Column(name)
	}
	for _, e := range s.File.Up {
		for _, c := range e.Changes {
			if (c.Op == catalog.ColumnDropped || c.Op == catalog.ColumnRenamed) && c.Old.ObjectID() == table && c.OldColumn.Name == name && !e.IsNewColumn(table, c.OldColumn.Num) {
				return c.OldColumn
			}
		}
		if e == s {
			break
		}
	}
	return nil
}

// copiesColumn reports whether an earlier statement of the file fills one column of the table from another
// (UPDATE t SET x2 = … x …), as a swap of columns does.
func (s *Step) copiesColumn(table catalog.OID, from *catalog.Column, to int) bool {
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
		target, source := rel.Att(to), from.Name
		if col := rel.Att(from.Num); col != nil {
			source = col.Name // it may have had another name then
		}
		if target == nil {
			continue
		}
		for _, t := range u.TargetList {
			if rt := t.GetResTarget(); rt != nil && rt.Name == target.Name && mentionsColumn(rt.Val, source) {
				return true
			}
		}
	}
	return false
}

// mentionsColumn reports whether an expression reads a column of that name.
func mentionsColumn(n *pgast.Node, name string) bool {
	text, err := pgast.DeparseExpr(n)
	return err == nil && slices.ContainsFunc(tokensOf(text), func(t pgast.Token) bool {
		return (t.Kind == pgast.KindWord || t.Kind == pgast.KindQuotedIdent) && matches(text[t.Start:t.End], name)
	})
}

// changeTypeHelp is a change of type over four releases.
func (s *Step) changeTypeHelp(r retyped) string {
	table, old := s.sqlName(r.table.OID), quoteIdent(r.old.Name)
	if domain := s.newDomain(r); domain != nil {
		return s.changeToDomainHelp(r, domain)
	}
	if drop := fmt.Sprintf("ALTER TABLE %s DROP COLUMN %s;", table, old); s.inPrimaryKey(r.table.OID, r.old.Num) || s.refusal(drop) == stillNeeded {
		return s.replaceKeyHelp(r)
	}
	relax := ""
	if r.old.NotNull && r.old.Default == nil && r.old.Identity == 0 && !s.inPrimaryKey(r.table.OID, r.old.Num) {
		relax = fmt.Sprintf(", with\nALTER TABLE %s ALTER COLUMN %s DROP NOT NULL;", table, old)
	}
	return fmt.Sprintf("Split it over releases:\n"+
		"release 1, its code writes both columns and reads %[2]s:\nALTER TABLE %[1]s ADD COLUMN %[3]s %[4]s;\n"+
		"then, when no older code runs, %[6]s\n"+
		"release 2: ship code that reads %[3]s and still writes both\n"+
		"release 3: ship code that uses %[3]s only%[5]s\n"+
		"release 4, when no older code runs:\nALTER TABLE %[1]s DROP COLUMN %[2]s;",
		table, old, quoteIdent(r.old.Name+"_new"), r.to, relax, s.fillHelp(r, table))
}

// fillHelp says how the new column gets the values of the old one: as the statement would have converted them, by USING or the cast on
// assignment.
func (s *Step) fillHelp(r retyped, table string) string {
	old, now := quoteIdent(r.old.Name), quoteIdent(r.old.Name+"_new")
	value := old
	if using := s.usingOf(r.old.Name); using != nil {
		text, err := pgast.DeparseExpr(using)
		if err != nil {
			return "fill " + now + " in batches"
		}
		value = text
	}
	if r.swapped {
		return "fill " + now + " in batches"
	}
	return fmt.Sprintf("in batches (by ranges of a key), each its own transaction:\nUPDATE %s SET %s = %s WHERE %[2]s IS NULL AND %[4]s IS NOT NULL;", table, now, value, old)
}

func (s *Step) inPrimaryKey(table catalog.OID, num int) bool {
	for _, con := range s.Before.Constraints(table) {
		if con.Kind == catalog.PrimaryKey && slices.Contains(con.Columns, num) {
			return true
		}
	}
	return false
}
