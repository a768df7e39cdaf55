package migratecheck

import (
	"fmt"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleDropConstraint = &Rule{
	ID: "drop-constraint", Category: Compatibility, Severity: Info,
	Doc: Doc{
		Summary:    "A CHECK, foreign key or exclusion constraint is dropped.",
		Why:        "Code that relies on the server to refuse bad rows no longer gets the error; the rows are there when the constraint is put back. Dropping a foreign key locks both tables (AccessExclusiveLock).",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY, size bigint, CONSTRAINT repo_size_check CHECK (size >= 0));",
		Bad:        "ALTER TABLE repo DROP CONSTRAINT repo_size_check;",
		Good:       "ALTER TABLE repo ADD COLUMN note text;",
		Exceptions: "Silent when it goes with its table or column, when an equal one takes its place in the same file, and for NOT NULL helpers dropped after SET NOT NULL. Unique ones: drop-unique; NOT NULL, which is a constraint from 18 on: drop-not-null.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, ALTER TABLE, DROP CONSTRAINT.",
	},
	File: func(f *File) {
		for _, s := range f.Up {
			for _, c := range s.Changes {
				con, ok := c.Old.(*catalog.Constraint)
				if !ok || c.Op != catalog.Dropped || con.Table == 0 || con.Parent != 0 || con.Inherited > 0 || s.IsNew(con.OID) || s.IsNew(con.Table) || con.Kind == catalog.Unique || con.Kind == catalog.PrimaryKey || con.Kind == catalog.TriggerCon || con.Kind == catalog.NotNullCon {
					continue
				}
				rel, ok := f.After.Get(con.Table).(*catalog.Relation)
				if !ok || columnsGone(rel, con) || replacedIn(f.After, con) || con.Kind == catalog.Check && len(con.Columns) == 1 && rel.Att(con.Columns[0]).NotNull && notNullCheck(s.Before, con.Table, con.Columns[0]) {
					continue
				}
				severity, effect := Info, ""
				if con.Assumed {
					effect = "; if it is a key, ON CONFLICT of its columns fails in released code (42P10)"
					if strings.HasSuffix(con.Name, "_key") || strings.HasSuffix(con.Name, "_pkey") {
						severity = Warning // the names that PostgreSQL gives to keys
					}
				}
				f.ReportStepAt(s, s.Find("DROP", "CONSTRAINT", "[IF EXISTS]", con.Name), severity, fmt.Sprintf("drops constraint %s of %s: rows that break it are accepted from now on%s", con.Name, s.Name(con.Table), effect),
					"Make sure that no code relies on its error.")
			}
		}
	},
}

// columnsGone reports whether the table has lost one of a constraint's columns.
func columnsGone(rel *catalog.Relation, con *catalog.Constraint) bool {
	for _, n := range con.Columns {
		if rel.Att(n) == nil {
			return true
		}
	}
	return false
}
