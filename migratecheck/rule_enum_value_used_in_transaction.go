package migratecheck

import (
	"fmt"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

var ruleEnumValueUsedInTransaction = &Rule{
	ID: "enum-value-used-in-transaction", Category: Transactions, Severity: Error, Down: true,
	Doc: Doc{
		Summary:    "A label added to an enum is used in the transaction that added it.",
		Why:        "PostgreSQL refuses: \"unsafe use of new value\" (55P04). The migration fails after it has waited for its locks.",
		Schema:     "CREATE TYPE visibility AS ENUM ('PUBLIC', 'PRIVATE');\nCREATE TABLE repo (id integer PRIMARY KEY, visibility visibility NOT NULL);",
		Bad:        "ALTER TYPE visibility ADD VALUE 'UNLISTED';\nUPDATE repo SET visibility = 'UNLISTED' WHERE id = 1;",
		Good:       "ALTER TYPE visibility ADD VALUE 'UNLISTED';",
		Exceptions: "Silent when the type itself was created in the same transaction, which PostgreSQL allows. What a parameter or a function body holds is not seen.",
		Versions:   "12 and later; before 12 ADD VALUE itself was refused inside a transaction block.",
		Source:     "PostgreSQL 15 manual, ALTER TYPE, Notes; check_safe_enum_use in src/backend/utils/adt/enum.c.",
	},
	Step: func(s *Step) {
		if n := s.Stmt.Node; n.GetAlterEnumStmt() != nil || n.GetCommentStmt() != nil || n.GetVariableSetStmt() != nil {
			return // names labels and texts, and makes no value of the type
		}
		added := s.Tx.held.labels
		if len(added) == 0 || !s.Tx.Explicit {
			return
		}
		if label, at := firstLiteral(s.Stmt, added); label != "" {
			s.ReportAt(at, Error, fmt.Sprintf("uses the enum label '%s', which this transaction has added: PostgreSQL refuses that (55P04, unsafe use of new value)", label),
				"Add the label in a migration of its own, and use it in the next one, which is another transaction.")
		}
	},
}

// firstLiteral is the first of labels that stands in the statement as a string constant, and where.
func firstLiteral(stmt pgast.Stmt, labels []string) (label string, at int) {
	sc := pgast.NewScanner(stmt.SQL)
	for {
		tok, ok := sc.Next()
		if !ok {
			return "", 0
		}
		if tok.Kind != pgast.KindString || tok.End-tok.Start < 2 {
			continue
		}
		if text := strings.ReplaceAll(stmt.SQL[tok.Start+1:tok.End-1], "''", "'"); stmt.SQL[tok.Start] == '\'' && slices.Contains(labels, text) {
			return text, tok.Start
		}
	}
}
