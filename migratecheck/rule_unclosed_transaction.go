package migratecheck

import "git.sr.ht/~sourcehut/ha-go/internal/pgast"

var ruleUnclosedTransaction = &Rule{
	ID: "unclosed-transaction", Category: Transactions, Severity: Error,
	Doc: Doc{
		Summary:    "BEGIN without a COMMIT in a file that the tool does not run in a transaction of its own.",
		Why:        "The server rolls everything since the BEGIN back when the connection ends, while the tool takes the file as applied; or, when the tool goes on with the same connection, the next files and the tool's own notes are in that transaction too, with its locks.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY);",
		Bad:        "-- +brant NO TRANSACTION\n-- +brant Up\nBEGIN;\nALTER TABLE repo ADD COLUMN note text;",
		Good:       "-- +brant NO TRANSACTION\n-- +brant Up\nBEGIN;\nALTER TABLE repo ADD COLUMN note text;\nCOMMIT;",
		Exceptions: "Silent where the tool opens and ends a transaction itself: there a BEGIN does nothing, which is nested-transaction's.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, BEGIN; 55.2.2.1 Multiple Statements in a Simple Query: a BEGIN goes on beyond its text.",
	},
	File: func(f *File) {
		for _, steps := range [][]*Step{f.Up, f.Down} {
			var begun *Step
			for _, s := range steps {
				switch t := s.Stmt.Node.GetTransactionStmt(); t.GetKind() {
				case pgast.TransactionStmtKind_TRANS_STMT_BEGIN, pgast.TransactionStmtKind_TRANS_STMT_START:
					begun = s
				case pgast.TransactionStmtKind_TRANS_STMT_COMMIT, pgast.TransactionStmtKind_TRANS_STMT_ROLLBACK:
					if !t.Chain {
						begun = nil
					}
				case pgast.TransactionStmtKind_TRANS_STMT_PREPARE:
					begun = nil
				}
			}
			if begun != nil && !f.toolOpensTransaction() {
				f.ReportStep(begun, Error, "begins a transaction that the file never ends: what follows is rolled back when the connection ends, or holds its locks until something else ends it",
					"Write COMMIT; behind the last statement.")
			}
		}
	},
}
