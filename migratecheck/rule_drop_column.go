package migratecheck

import (
	"fmt"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleDropColumn = &Rule{
	ID: "drop-column", Category: Compatibility, Severity: Error,
	Doc: Doc{
		Summary:    "A column, or an attribute of a composite type, that released code may still read or write is dropped.",
		Why:        "While nodes are upgraded one by one, and after a roll-back, the old code runs on the new schema: every query that names the column fails (42703), and a model loaded with all its mapped columns names it.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY, name text, legacy text);",
		Bad:        "ALTER TABLE repo DROP COLUMN legacy;",
		Good:       "ALTER TABLE repo ALTER COLUMN legacy DROP NOT NULL;",
		Exceptions: "Names the constraints and unique indexes that go with the column. Silent for a column that the same pending change added, for those of a dropped table (drop-table says that) and of partitions and children (their parent's finding says it), and when the file gives the name to another column: reuse-column-name, or change-column-type when the values were copied, speaks of that.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, ALTER TABLE, DROP COLUMN; hub.sr.ht dropped columns in the commit that stopped using them.",
	},
	File: func(f *File) {
		for _, s := range f.Up {
			for _, c := range s.Changes {
				if c.Op != catalog.ColumnDropped || !s.usedByCode(c.Old) || s.IsNewColumn(c.Old.ObjectID(), c.OldColumn.Num) || c.OldColumn.Inherited > 0 {
					continue
				}
				rel, col := c.Old.(*catalog.Relation), c.OldColumn.Name
				if now, ok := f.After.Get(rel.OID).(*catalog.Relation); ok && now.Column(col) != nil {
					continue
				}
				noun, alter, keyword := columnWord(rel)
				table := s.sqlName(rel.OID)
				f.ReportStepAt(s, s.Find("DROP", "["+keyword+"]", "[IF EXISTS]", col), Error,
					fmt.Sprintf("drops %s %s of %s: released code that names it in a query, or loads it through a model, fails on every such request until it is replaced%s", noun, col, s.Name(rel.OID), s.goesWithColumn(rel, c.OldColumn.Num)),
					fmt.Sprintf("Split it over releases:\n"+
						"release 1: ship code that neither reads nor writes %s.%s%s\n"+
						"release 2, when no node runs older code and none will be rolled back to it:\n%s",
						table, quoteIdent(col), s.relaxFirst(c, table), s.dropping(fmt.Sprintf("%s %s DROP %s %s;", alter, table, keyword, quoteIdent(col)))))
			}
		}
	},
}

// relaxFirst is the SQL that lets code leave out the column, when inserts without it would fail; a column of a primary key has to be NOT NULL.
func (s *Step) relaxFirst(c catalog.Change, table string) string {
	col := c.OldColumn
	if s.inPrimaryKey(c.Old.ObjectID(), col.Num) || !col.NotNull || col.Default != nil || col.Identity != 0 || col.Generated != 0 {
		return ""
	}
	return fmt.Sprintf(", with this migration, so that its inserts may leave it out:\nALTER TABLE %s ALTER COLUMN %s DROP NOT NULL;", table, quoteIdent(col.Name))
}

// goesWithColumn names the constraints and unique indexes that the statement drops because they need the column.
func (s *Step) goesWithColumn(table *catalog.Relation, num int) string {
	var names []string
	unique := false
	for _, c := range s.Changes {
		if c.Op != catalog.Dropped {
			continue
		}
		switch o := c.Old.(type) {
		case *catalog.Constraint:
			switch {
			case o.Table == table.OID && slices.Contains(o.Columns, num):
				unique = unique || o.Kind == catalog.Unique || o.Kind == catalog.PrimaryKey
				names = append(names, "constraint "+o.Name)
			case o.Table != table.OID && o.RefTable == table.OID && slices.Contains(o.RefColumns, num):
				names = append(names, "foreign key "+o.Name+" of "+s.Name(o.Table))
			}
		case *catalog.Relation:
			if o.Index != nil && o.Index.Unique && o.Index.Table == table.OID && slices.Contains(keyColumns(o), num) && constraintOf(s.Before, o) == nil {
				unique = true
				names = append(names, "unique index "+o.Name)
			}
		}
	}
	if len(names) == 0 {
		return ""
	}
	effect := ""
	if unique {
		effect = ", so ON CONFLICT on the key fails and duplicates are no longer refused"
	}
	return fmt.Sprintf(" (with it goes %s%s)", strings.Join(names, ", "), effect)
}
