package migratecheck

import "fmt"

var ruleValidateInSameTransaction = &Rule{
	ID: "validate-in-same-transaction", Category: Transactions, Severity: Warning, Down: true,
	Doc: Doc{
		Summary:    "A constraint is added NOT VALID and validated in the same transaction.",
		Why:        "The lock that adding it took (AccessExclusiveLock for CHECK, ShareRowExclusiveLock for a foreign key) is held while the table is read: NOT VALID has gained nothing.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY, name text);",
		Bad:        "ALTER TABLE repo ADD CONSTRAINT c CHECK (id > 0) NOT VALID;\nALTER TABLE repo VALIDATE CONSTRAINT c;",
		Good:       "-- file 0002_a.sql\nALTER TABLE repo ADD CONSTRAINT c CHECK (id > 0) NOT VALID;\n-- file 0003_b.sql\nALTER TABLE repo VALIDATE CONSTRAINT c;",
		Exceptions: "Silent for tables that the pending change creates; sized by -stats.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, ALTER TABLE, Notes: VALIDATE takes a ShareUpdateExclusiveLock, the stronger lock stays until the commit.",
	},
	Step: func(s *Step) {
		a := s.Stmt.Node.GetAlterTableStmt()
		if a == nil || !s.Tx.Explicit {
			return
		}
		table := s.Before.Relation(a.Relation.GetSchemaname(), a.Relation.GetRelname())
		if table == nil {
			return
		}
		for _, name := range validates(a) {
			if s.Tx.held.notValid[constraintKey{table.OID, name}] {
				s.ReportAt(s.Find("VALIDATE", "CONSTRAINT", name), s.Sized(table.OID, Warning),
					fmt.Sprintf("validates %s in the transaction that added it: the lock taken then is held while all rows of %s are read", name, s.Name(table.OID)),
					"Move VALIDATE CONSTRAINT into the next migration, which is another transaction.")
			}
		}
	},
}
