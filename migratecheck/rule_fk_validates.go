package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/lockmode"
)

var ruleFKValidates = &Rule{
	ID: "fk-validates", Category: Locks, Severity: Error, Down: true,
	Doc: Doc{
		Summary:    "A foreign key is added to a table in use without NOT VALID.",
		Why:        "It takes a ShareRowExclusiveLock on both tables and holds it while every row is looked up in the other one: INSERT, UPDATE and DELETE on both wait for all of it.",
		Schema:     "CREATE TABLE owner (id integer PRIMARY KEY);\nCREATE TABLE repo (id integer PRIMARY KEY, owner_id integer);",
		Bad:        "ALTER TABLE repo ADD CONSTRAINT repo_owner_id_fkey FOREIGN KEY (owner_id) REFERENCES owner (id);",
		Good:       "ALTER TABLE repo ADD CONSTRAINT repo_owner_id_fkey FOREIGN KEY (owner_id) REFERENCES owner (id) NOT VALID;",
		Exceptions: "Silent for tables that the pending change creates and for a column that the same statement adds without a default (PostgreSQL then looks nothing up). Sized by -stats.",
		Versions:   "All. On partitioned tables NOT VALID is refused before 18: add the key to each partition first.",
		Source:     "PostgreSQL 15 manual, ALTER TABLE, ADD table_constraint and Notes; AlterTableGetLockLevel.",
	},
	Step: func(s *Step) {
		for _, con := range s.newConstraints(catalog.ForeignKey) {
			if !con.Valid || !s.scans(con.Table, lockmode.ScanForeign) || s.preparedOn(con) {
				continue
			}
			table, name := s.Name(con.Table), con.Name
			s.ReportAt(s.constraintAt(con), s.Sized(con.Table, Error),
				fmt.Sprintf("validates foreign key %s of %s: %s until every row has been looked up", name, table, s.waiting(con.Table, con.RefTable)),
				s.validateHelp(con))
		}
	},
}

// waiting says who waits for a statement that locks two tables so that others cannot write.
func (s *Step) waiting(table, other catalog.OID) string {
	who := func(oid catalog.OID) string {
		mode := s.Lock.Lock(oid)
		if mode.Conflicts(lockmode.AccessShare) {
			return fmt.Sprintf("every query on %s, reads included (%s)", s.Name(oid), mode)
		}
		return fmt.Sprintf("INSERT, UPDATE and DELETE on %s (%s)", s.Name(oid), mode)
	}
	switch {
	case table == other:
		return who(table) + " wait"
	case s.Lock.Lock(table) == s.Lock.Lock(other) && s.Lock.Lock(table).Conflicts(lockmode.AccessShare):
		return fmt.Sprintf("every query on %s and on %s, reads included, waits (%s)", s.Name(table), s.Name(other), s.Lock.Lock(table))
	case s.Lock.Lock(table) == s.Lock.Lock(other):
		return fmt.Sprintf("INSERT, UPDATE and DELETE on %s and on %s wait (%s)", s.Name(table), s.Name(other), s.Lock.Lock(table))
	}
	return who(table) + " and " + who(other) + " wait"
}
