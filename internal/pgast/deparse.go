package pgast

import (
	"fmt"
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v5"
	"google.golang.org/protobuf/proto"
)

// Deparsing takes far more stack than parsing: with 128 KiB it crashes on a tree of 64 operators (BenchmarkStack), on
// which parsing needs an eighth of them. So all but the smallest trees are deparsed on a large stack.
const (
	shallowMessages = 24
	// maxMessages is the nesting of messages up to which a tree is deparsed: what the guard lets Parse return.
	maxMessages = 2*maxDepth + 64
)

// Deparse writes a statement node as SQL. The tree must be one that Parse returned, or a change of one that keeps to
// the grammar: libpg_query trusts it. A tree deeper than any that Parse returns is a *LimitError. An empty string
// where a string is optional (COMMENT … IS ”) comes out as none, libpg_query does not tell them apart.
func Deparse(stmt *Node) (string, error) {
	w := walker{limit: maxMessages}
	w.visitNode(stmt)
	if w.deepest > maxMessages {
		return "", &LimitError{What: "levels in the tree to deparse", Limit: maxMessages}
	}
	if err := checkLiterals(stmt); err != nil {
		return "", err
	}
	var sql string
	var err error
	deparse := func() {
		sql, err = pg_query.Deparse(&pg_query.ParseResult{Stmts: []*pg_query.RawStmt{{Stmt: stmt}}})
	}
	if w.deepest <= shallowMessages {
		deparse()
	} else if e := onBigStack(deparse); e != nil {
		return "", e
	}
	if err != nil {
		return "", fmt.Errorf("deparsing: %w", err)
	}
	return sql, nil
}

// checkLiterals refuses statements whose deparser reads a string it takes to be there, and crashes on ”, which
// libpg_query's protobuf does not tell from a missing one (READ_STRING_FIELD in pg_query_readfuncs_protobuf.c).
func checkLiterals(stmt *Node) error {
	missing := ""
	WalkMessages(stmt, func(m proto.Message) bool {
		check := func(what, value string) {
			if value == "" {
				missing = what
			}
		}
		switch m := m.(type) {
		case *AlterEnumStmt:
			check("enum value", m.NewVal)
		case *CreateTableSpaceStmt:
			check("location", m.Location)
		case *CreateSubscriptionStmt:
			check("connection string", m.Conninfo)
		case *AlterSubscriptionStmt:
			if m.Kind == AlterSubscriptionType_ALTER_SUBSCRIPTION_CONNECTION {
				check("connection string", m.Conninfo)
			}
		case *LoadStmt:
			check("file name", m.Filename)
		case *CreateConversionStmt:
			check("encoding", m.ForEncodingName)
			check("encoding", m.ToEncodingName)
		case *TransactionStmt:
			switch m.Kind {
			case TransactionStmtKind_TRANS_STMT_PREPARE, TransactionStmtKind_TRANS_STMT_COMMIT_PREPARED, TransactionStmtKind_TRANS_STMT_ROLLBACK_PREPARED:
				check("transaction identifier", m.Gid)
			}
		}
		return missing == ""
	})
	if missing != "" {
		return fmt.Errorf("deparsing: libpg_query cannot write a statement with an empty %s", missing)
	}
	return nil
}

// DeparseExpr writes an expression node as SQL.
func DeparseExpr(expr *Node) (string, error) {
	target := &Node{Node: &Node_ResTarget{ResTarget: &ResTarget{Val: expr}}}
	sel := &Node{Node: &Node_SelectStmt{SelectStmt: &SelectStmt{TargetList: []*Node{target}, LimitOption: LimitOption_LIMIT_OPTION_DEFAULT, Op: SetOperation_SETOP_NONE}}}
	s, err := Deparse(sel)
	if err != nil {
		return "", err
	}
	return strings.TrimPrefix(s, "SELECT "), nil
}
