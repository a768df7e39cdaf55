package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleSetNotNull = &Rule{
	ID: "set-not-null", Category: Compatibility, Severity: Error,
	Doc: Doc{
		Summary:    "A column that released code may leave NULL becomes NOT NULL.",
		Why:        "Old code that leaves it out of an INSERT, or writes NULL, fails (23502) as long as it runs.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY, name text);",
		Bad:        "ALTER TABLE repo ALTER COLUMN name SET NOT NULL;",
		Good:       "ALTER TABLE repo ALTER COLUMN name SET DEFAULT '';",
		Exceptions: "Silent when a CHECK (column IS NOT NULL), valid or not, is part of the released schema: old code lives with that already. A warning when the column has a default, since only an explicit NULL breaks then. Of the columns that the pending change adds, one that an earlier pending file added without a default is reported, since released code leaves it out; for those of the same file see add-required-column.",
		Versions:   "All. From 18 on NOT NULL is a constraint that can be added NOT VALID and validated later, without a CHECK: with -pg 18 findings advise that. Rows from before may hold NULL until then, new ones may not, so that it breaks old code all the same.",
		Source:     "PostgreSQL 15 manual, ALTER TABLE, SET NOT NULL. An sr.ht service once set it on the wrong column; hub.sr.ht 0003 adds a column, and 0004 of the same release sets it NOT NULL.",
	},
	File: func(f *File) {
		for _, s := range f.Up {
			for _, c := range s.Changes {
				if c.Op != catalog.ColumnNotNullSet || !s.inUse(c.Old) || c.OldColumn.Inherited > 0 {
					continue
				}
				oid := c.Old.ObjectID()
				col := f.columnAfter(oid, c.NewColumn.Num)
				if col == nil || !col.NotNull {
					continue
				}
				filled := col.Default != nil || col.Identity != 0
				severity, who := Error, "every INSERT or UPDATE of released code that leaves it out or writes NULL fails"
				switch {
				case s.IsNewColumn(oid, col.Num):
					if filled || f.addedInFile(oid, col.Num) {
						continue
					}
					who = "every INSERT of released code, which does not know the column, fails"
				case s.addsPrimaryKey(oid) && filled || notNullCheck(f.Run.released(f), oid, col.Num):
					continue
				case filled:
					severity, who = Warning, "every INSERT or UPDATE of released code that writes an explicit NULL fails"
				}
				f.ReportStepAt(s, s.notNullAt(col.Name), severity,
					fmt.Sprintf("%s.%s becomes NOT NULL: %s", s.Name(oid), col.Name, who),
					fmt.Sprintf("Split it over releases:\nrelease 1: ship code that always writes %s (or give it a default); then fill the old rows in batches\nrelease 2, when no older code runs:\n%s",
						quoteIdent(col.Name), s.notNullSteps(oid, col.Name)))
			}
		}
	},
}

// notNullCheck reports whether a CHECK of the table, valid or not, demands that the column is not NULL: new rows obey it.
func notNullCheck(c *catalog.Catalog, table catalog.OID, num int) bool {
	return hasNotNullCheck(c, table, num, false)
}

// provenNotNull is notNullCheck for a validated CHECK: the rows there are obey it too.
func provenNotNull(c *catalog.Catalog, table catalog.OID, num int) bool {
	return hasNotNullCheck(c, table, num, true)
}

func hasNotNullCheck(c *catalog.Catalog, table catalog.OID, num int, validated bool) bool {
	for _, con := range c.Constraints(table) {
		if con.Kind != catalog.Check || con.Check == nil || validated && !con.Valid {
			continue
		}
		if t := con.Check.Node.GetNullTest(); t != nil && t.Nulltesttype == pgast.NullTestType_IS_NOT_NULL && len(con.Columns) == 1 && con.Columns[0] == num {
			return true
		}
	}
	return false
}
