package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/lockmode"
)

var ruleSetNotNullScans = &Rule{
	ID: "set-not-null-scans", Category: Locks, Severity: Error, Down: true,
	Doc: Doc{
		Summary:    "SET NOT NULL reads the whole table while nobody can use it.",
		Why:        "The rows are checked under an AccessExclusiveLock: every query on the table, reads included, waits until the last row has been read.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY, name text);",
		Bad:        "ALTER TABLE repo ALTER COLUMN name SET NOT NULL;",
		Good:       "-- file 0002_a.sql\nALTER TABLE repo ADD CONSTRAINT repo_name_not_null CHECK (name IS NOT NULL) NOT VALID;\n-- file 0003_b.sql\nALTER TABLE repo VALIDATE CONSTRAINT repo_name_not_null;\n-- file 0004_c.sql\nALTER TABLE repo ALTER COLUMN name SET NOT NULL;\nALTER TABLE repo DROP CONSTRAINT repo_name_not_null;",
		Exceptions: "Silent when a validated CHECK (column IS NOT NULL) proves it, in this or an earlier file, and for tables that the pending change creates; sized by -stats.",
		Versions:   "The CHECK is used since 12. From 18 on ADD CONSTRAINT … NOT NULL column NOT VALID, then VALIDATE CONSTRAINT, does it without one: with -pg 18 findings advise that. SET NOT NULL of a column whose constraint is NOT VALID still reads it under the exclusive lock.",
		Source:     "PostgreSQL 15 manual, ALTER TABLE, SET NOT NULL; NotNullImpliedByRelConstraints in src/backend/commands/tablecmds.c; PostgreSQL 18 manual, ALTER TABLE, ADD table_constraint [ NOT VALID ].",
	},
	Step: func(s *Step) {
		for _, c := range s.Changes {
			if con, ok := c.New.(*catalog.Constraint); ok {
				s.provesNotNull(c, con)
				continue
			}
			if c.Op != catalog.ColumnNotNullSet || !s.inUse(c.Old) || !s.scans(c.Old.ObjectID(), lockmode.ScanValidate) || s.addsPrimaryKey(c.Old.ObjectID()) || s.subject(c.Old.ObjectID()) != c.Old.ObjectID() ||
				c.NewColumn.NotNullUnproved {
				continue
			}
			oid, col := c.Old.ObjectID(), c.NewColumn.Name
			what := "SET NOT NULL"
			if s.Stmt.Newer.Since > 0 {
				what = "adding NOT NULL"
			}
			s.ReportAt(s.notNullAt(col), s.Sized(oid, Error),
				fmt.Sprintf("%s on %s.%s reads the whole table: every query on it, reads included, waits (AccessExclusiveLock) until the last row", what, s.Name(oid), col),
				s.notNullHelp(oid, col))
		}
	},
}

// provesNotNull reports SET NOT NULL where it validates a constraint that was NOT VALID (since 18), under its own lock.
func (s *Step) provesNotNull(c catalog.Change, con *catalog.Constraint) {
	old, ok := c.Old.(*catalog.Constraint)
	if !ok || con.Kind != catalog.NotNullCon || old.Valid || !con.Valid || !s.inUse(s.Before.Get(con.Table)) || s.subject(con.Table) != con.Table || s.Lock.Lock(con.Table) != lockmode.AccessExclusive {
		return
	}
	col := s.After.Get(con.Table).(*catalog.Relation).Att(con.Columns[0]).Name
	s.ReportAt(s.notNullAt(col), s.Sized(con.Table, Error),
		fmt.Sprintf("SET NOT NULL on %s.%s, which is NOT VALID so far, reads the whole table: every query on it, reads included, waits (AccessExclusiveLock) until the last row", s.Name(con.Table), col),
		fmt.Sprintf("Validate the constraint that is there instead, while everybody works:\nALTER TABLE %s VALIDATE CONSTRAINT %s;", s.sqlName(con.Table), quoteIdent(con.Name)))
}
