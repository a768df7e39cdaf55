package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// notNullAt is where a statement makes a column NOT NULL.
func (s *Step) notNullAt(column string) int {
	if s.Stmt.Newer.Since > 0 {
		if at := s.Find("NOT", "NULL", column); at > 0 {
			return at
		}
	}
	return s.Find("ALTER", "[COLUMN]", column, "SET", "NOT")
}

// notNullName is what the NOT NULL, or the CHECK that leads to it, of a column is best called: as PostgreSQL 18 does.
func (s *Step) notNullName(table catalog.OID, column string) string {
	name := s.Before.NameOf(table).Name
	if name == "" { // assumed by this statement
		name = s.After.NameOf(table).Name
	}
	return s.freeConstraint(table, name+"_"+column+"_not_null", nil)
}

// notNullSQL makes a column NOT NULL without a scan under an exclusive lock: note says so of new rows, in an instant, prove reads the old
// ones while everybody works, and rest, "" when the two do it, makes the column what they have proved, in an instant too. note stands in
// a migration of its own: its lock is held to the end of the transaction.
func (s *Step) notNullSQL(table catalog.OID, column string) (note, prove, rest string) {
	t, c, name := s.sqlName(table), quoteIdent(column), quoteIdent(s.notNullName(table, column))
	prove = fmt.Sprintf("ALTER TABLE %s VALIDATE CONSTRAINT %s;", t, name)
	if s.File.Run.Config.version() >= 18 { // NOT NULL is a constraint of its own, which can be added NOT VALID
		return fmt.Sprintf("ALTER TABLE %s ADD CONSTRAINT %s NOT NULL %s NOT VALID;", t, name, c), prove, ""
	}
	return fmt.Sprintf("ALTER TABLE %s ADD CONSTRAINT %s CHECK (%s IS NOT NULL) NOT VALID;", t, name, c), prove,
		fmt.Sprintf("ALTER TABLE %[1]s ALTER COLUMN %[2]s SET NOT NULL;\nALTER TABLE %[1]s DROP CONSTRAINT %[3]s;", t, c, name)
}

// notNullSteps is notNullSQL as the steps of a split.
func (s *Step) notNullSteps(table catalog.OID, column string) string {
	note, prove, rest := s.notNullSQL(table, column)
	steps := note + "\nin a later migration (another transaction)\n" + prove
	if rest != "" {
		steps += "\n" + rest
	}
	return steps
}

// notNullHelp is notNullSQL with what each waits for.
func (s *Step) notNullHelp(table catalog.OID, column string) string {
	note, prove, rest := s.notNullSQL(table, column)
	if rest == "" {
		return "Add it NOT VALID, in an instant:\n" + note + "\nand in the next migration, while everybody works:\n" + prove
	}
	return "Let a CHECK prove it first. In one migration:\n" + note + "\nin the next, while everybody works:\n" + prove +
		"\nin the one after, both in an instant:\n" + rest
}
