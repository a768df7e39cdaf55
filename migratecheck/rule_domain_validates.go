package migratecheck

import (
	"fmt"
)

var ruleDomainValidates = &Rule{
	ID: "domain-validates", Category: Locks, Severity: Error, Down: true,
	Doc: Doc{
		Summary:    "A constraint is added to a domain that columns use.",
		Why:        "Every table with a column of the domain is read in full, under a ShareLock that blocks writes; old code that writes other values fails (23514).",
		Schema:     "CREATE DOMAIN email AS text;\nCREATE TABLE repo (id integer PRIMARY KEY, mail email);",
		Bad:        "ALTER DOMAIN email ADD CONSTRAINT email_at CHECK (VALUE LIKE '%@%');",
		Good:       "ALTER DOMAIN email ADD CONSTRAINT email_at CHECK (VALUE LIKE '%@%') NOT VALID;",
		Exceptions: "Silent for domains without columns and those that the pending change creates; sized by -stats.",
		Versions:   "All. VALIDATE CONSTRAINT on a domain blocks writes as well.",
		Source:     "PostgreSQL 15 manual, ALTER DOMAIN; validateDomainConstraint in src/backend/commands/typecmds.c.",
	},
	Step: func(s *Step) {
		if s.Stmt.Node.GetAlterDomainStmt() == nil {
			return
		}
		for _, sc := range s.Lock.Scans {
			if s.IsNew(sc.Relation) {
				continue
			}
			s.ReportAt(0, s.Sized(sc.Relation, Error),
				fmt.Sprintf("reads all rows of %s to check the domain: INSERT, UPDATE and DELETE on it wait (ShareLock)", s.Name(sc.Relation)),
				"Put a CHECK … NOT VALID on the tables instead, and validate it there; or add it to the domain NOT VALID and leave it so.")
		}
	},
}
