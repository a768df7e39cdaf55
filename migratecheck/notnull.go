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
	return quoteIdent(name + "_" + column + "_not_null")
}

// namesNotNull reports whether NOT NULL is a constraint of its own, which can be added NOT VALID.
func (s *Step) namesNotNull() bool { return s.File.Run.Config.version() >= 18 }

// notNullSteps is SET NOT NULL without a scan under an exclusive lock, in migrations of their own.
func (s *Step) notNullSteps(table catalog.OID, column string) string {
	t, c, name := s.sqlName(table), quoteIdent(column), s.notNullName(table, column)
	if s.namesNotNull() {
		return fmt.Sprintf("ALTER TABLE %[1]s ADD CONSTRAINT %[2]s NOT NULL %[3]s NOT VALID;\nin a later migration (another transaction)\nALTER TABLE %[1]s VALIDATE CONSTRAINT %[2]s;", t, name, c)
	}
	return fmt.Sprintf("ALTER TABLE %[1]s ADD CONSTRAINT %[2]s CHECK (%[3]s IS NOT NULL) NOT VALID;\nin a later migration (another transaction)\nALTER TABLE %[1]s VALIDATE CONSTRAINT %[2]s;\nALTER TABLE %[1]s ALTER COLUMN %[3]s SET NOT NULL;\nALTER TABLE %[1]s DROP CONSTRAINT %[2]s;",
		t, name, c)
}

// notNullHelp is notNullSteps with what each waits for.
func (s *Step) notNullHelp(table catalog.OID, column string) string {
	t, c, name := s.sqlName(table), quoteIdent(column), s.notNullName(table, column)
	if s.namesNotNull() {
		return fmt.Sprintf("Add it NOT VALID, in an instant:\nALTER TABLE %[1]s ADD CONSTRAINT %[3]s NOT NULL %[2]s NOT VALID;\nand in the next migration, while everybody works:\nALTER TABLE %[1]s VALIDATE CONSTRAINT %[3]s;", t, c, name)
	}
	return fmt.Sprintf("Let a CHECK prove it first. In one migration:\nALTER TABLE %[1]s ADD CONSTRAINT %[3]s CHECK (%[2]s IS NOT NULL) NOT VALID;\nin the next, while everybody works:\nALTER TABLE %[1]s VALIDATE CONSTRAINT %[3]s;\nin the one after, both in an instant:\nALTER TABLE %[1]s ALTER COLUMN %[2]s SET NOT NULL;\nALTER TABLE %[1]s DROP CONSTRAINT %[3]s;",
		t, c, name)
}
