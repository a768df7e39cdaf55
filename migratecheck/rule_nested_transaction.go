package migratecheck

import (
	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

var ruleNestedTransaction = &Rule{
	ID: "nested-transaction", Category: Hygiene, Severity: Info,
	Doc: Doc{
		Summary:    "BEGIN or COMMIT in a file that the tool runs in a transaction of its own.",
		Why:        "BEGIN does nothing there but warn; COMMIT ends the tool's transaction, so what follows commits piece by piece, the tool's note that the migration is done among it.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY, name text);",
		Bad:        "BEGIN;\nALTER TABLE repo ADD COLUMN note text;\nCOMMIT;",
		Good:       "ALTER TABLE repo ADD COLUMN note text;",
		Exceptions: "Tools that open no transaction.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, BEGIN, Notes.",
	},
	Step: func(s *Step) {
		if s.Stmt.Node.GetTransactionStmt() != nil && s.text.Tx != 0 {
			switch s.Stmt.Node.GetTransactionStmt().Kind {
			case pgast.TransactionStmtKind_TRANS_STMT_BEGIN, pgast.TransactionStmtKind_TRANS_STMT_COMMIT, pgast.TransactionStmtKind_TRANS_STMT_START:
				s.Report(s.File.Migration.Tool+" has opened a transaction already", "Remove BEGIN and COMMIT; "+s.File.noTransactionHelp())
			}
		}
	},
}
