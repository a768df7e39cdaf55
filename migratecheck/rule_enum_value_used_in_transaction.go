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
		Exceptions: "Silent for constants of other types, whatever they say, and for the labels that CREATE TYPE itself lists. Info where the type of the column is not known (unknown beginnings). What a parameter holds, what a text computed from rows says, and a body in another language than SQL are not seen.",
		Versions:   "12 and later; before 12 ADD VALUE itself was refused inside a transaction block. Since 17 labels added to a type that is new in the transaction may be used in it.",
		Source:     "PostgreSQL 15 manual, ALTER TYPE, Notes; check_safe_enum_use in src/backend/utils/adt/enum.c.",
	},
	Step: func(s *Step) {
		labels := s.Tx.held.labels
		if len(labels) == 0 || !s.Tx.Explicit || !mentions(s.Stmt.SQL, labels) {
			return
		}
		help := "Add the label in a migration of its own, and use it in the next one, which is another transaction."
		if err := s.Before.UnsafeLabel(s.Stmt, s.Tx.held.start); err != nil {
			label, at := firstLiteral(s.Stmt, labels)
			if from := err.Position - 1 - s.Stmt.Offset; err.Position > 0 && from < len(s.Stmt.SQL) && s.Stmt.Node.GetCreateFunctionStmt() == nil {
				if l, n := firstLiteral(pgast.Stmt{SQL: s.Stmt.SQL[max(from, 0):]}, labels); l != "" {
					label, at = l, n+max(from, 0)
				}
			}
			if label == "" { // it stands in a body, or in the text of an array
				label = labels[max(slices.IndexFunc(labels, func(l string) bool { return strings.Contains(err.Message, `"`+l+`"`) }), 0)]
			}
			s.ReportAt(at, Error, fmt.Sprintf("uses the enum label '%s', which this transaction has added: PostgreSQL refuses that (55P04, unsafe use of new value)", label), help)
			return
		}
		if label, at := firstLiteral(s.Stmt, labels); label != "" && s.touchesAssumed() {
			s.ReportAt(at, Info, fmt.Sprintf("may use the enum label '%s', which this transaction has added: if the column is of the enum, PostgreSQL refuses that (55P04, unsafe use of new value)", label), help)
		}
	},
}

// touchesAssumed reports whether the statement changes rows of a table, or the table, that nobody has seen created: the
// types of its columns are not known.
func (s *Step) touchesAssumed() bool {
	n := s.Stmt.Node
	for _, rv := range []*pgast.RangeVar{n.GetInsertStmt().GetRelation(), n.GetUpdateStmt().GetRelation(), n.GetDeleteStmt().GetRelation(), n.GetAlterTableStmt().GetRelation()} {
		if rv == nil || !s.Before.Open {
			continue
		}
		if rel := s.Before.Relation(rv.Schemaname, rv.Relname); rel == nil || rel.Assumed {
			return true
		}
	}
	return false
}

// mentions reports whether one of labels stands somewhere in a text, quoted once more or not.
func mentions(sql string, labels []string) bool {
	text := strings.ReplaceAll(sql, "''", "'")
	return slices.ContainsFunc(labels, func(l string) bool { return strings.Contains(text, strings.ReplaceAll(l, "''", "'")) })
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
