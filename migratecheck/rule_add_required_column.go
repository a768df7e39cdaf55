package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleAddRequiredColumn = &Rule{
	ID: "add-required-column", Category: Compatibility, Severity: Error,
	Doc: Doc{
		Summary:    "A column is added that is NOT NULL and has no default when the migration ends.",
		Why:        "Released code does not know it and leaves it out of its INSERTs: each one fails (23502).",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY);",
		Bad:        "ALTER TABLE repo ADD COLUMN kind integer NOT NULL;",
		Good:       "ALTER TABLE repo ADD COLUMN kind integer NOT NULL DEFAULT 0;",
		Exceptions: "Silent with a default that stays, for generated and identity columns, for tables that the pending change creates, and for a column that takes the name and the values of a released one. A default that is added and dropped again in the same file is seen as what it is.",
		Versions:   "All. A constant default rewrites nothing since 11.",
		Source:     "PostgreSQL 15 manual, ALTER TABLE, ADD COLUMN; Django adds a default and drops it in the same migration.",
	},
	File: func(f *File) {
		for _, s := range f.Up {
			for _, c := range s.Changes {
				if c.Op != catalog.ColumnAdded || !s.inUse(c.New) || c.NewColumn.Inherited > 0 {
					continue
				}
				oid := c.New.ObjectID()
				// As it is at the end of the file: NOT NULL or the default may come or go in a later statement.
				col := f.columnAfter(oid, c.NewColumn.Num)
				if col == nil || !col.NotNull || col.Default != nil || col.Identity != 0 || col.Generated != 0 || f.takesReleasedName(oid, col) {
					continue
				}
				dropped := ""
				if c.NewColumn.Default != nil {
					dropped = " (its default is dropped again in the same file)"
				}
				f.ReportStepAt(s, s.Find("ADD", "[COLUMN]", "[IF NOT EXISTS]", c.NewColumn.Name), Error,
					fmt.Sprintf("column %s of %s is NOT NULL without a default%s: every INSERT of released code, which does not know it, fails", col.Name, s.Name(oid), dropped),
					fmt.Sprintf("Give it a default that stays, or split it over releases:\nrelease 1, with code that always writes it:\nALTER TABLE %[1]s ADD COLUMN %[2]s %[3]s;\nrelease 2, when no older code runs: fill the old rows in batches, then\n%[4]s",
						s.sqlName(oid), quoteIdent(col.Name), f.After.FormatType(col.Type), s.notNullSteps(oid, col.Name)))
			}
		}
	},
}

// takesReleasedName reports whether a column ends under the name of a released one from which it was filled: released
// code does write it.
func (f *File) takesReleasedName(table catalog.OID, col *catalog.Column) bool {
	last := f.Up[len(f.Up)-1]
	old := last.knownAs(f.Run.released(f), table, col.Name)
	return old != nil && old.Num != col.Num && last.copiesColumn(table, old, col.Num)
}
