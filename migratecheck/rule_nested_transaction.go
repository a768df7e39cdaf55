package migratecheck

import (
	"strings"

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
		Exceptions: "Silent with tools that open no transaction, and in files that switch it off.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, BEGIN, Notes.",
	},
	Step: func(s *Step) {
		if s.Stmt.Node.GetTransactionStmt() != nil && s.text.Tx != 0 && s.File.toolOpensTransaction() {
			switch s.Stmt.Node.GetTransactionStmt().Kind {
			case pgast.TransactionStmtKind_TRANS_STMT_BEGIN, pgast.TransactionStmtKind_TRANS_STMT_START:
				s.Report("does nothing: "+s.File.Migration.Tool+" has opened a transaction already", "Remove it.")
			case pgast.TransactionStmtKind_TRANS_STMT_COMMIT, pgast.TransactionStmtKind_TRANS_STMT_ROLLBACK:
				s.Report("ends the transaction that "+s.File.Migration.Tool+" has opened: what follows, its own note that the migration is done included, no longer commits with it", "Remove it; where a part must commit first, make it a migration of its own.")
			}
		}
	},
}

// toolOpensTransaction reports whether the tool runs the file in a transaction. The numbers of source.Statement.Tx do not
// tell: a BEGIN in a file without one gives it a number too.
func (f *File) toolOpensTransaction() bool {
	switch f.Migration.Tool {
	case "plain", "golang-migrate":
		return false
	}
	text, _ := fileText(f.Migration)
	for line := range strings.Lines(strings.ToLower(text)) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "--") {
			continue
		}
		for _, off := range []string{"no transaction", "notransaction", "transaction:false", "disable-tx", "txmode none"} {
			if strings.Contains(line, off) {
				return false
			}
		}
	}
	return true
}
