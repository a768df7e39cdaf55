package pgast

import (
	"fmt"
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v5"
)

// Deparsing takes far more stack than parsing: with 128 KiB it crashes on a tree of 64 operators (BenchmarkStack), on
// which parsing needs an eighth of them. So all but the smallest trees are deparsed on a large stack.
const (
	shallowMessages = 24
	// maxMessages is the nesting of messages up to which a tree is deparsed: what the guard lets Parse return.
	maxMessages = 2*maxDepth + 64
)

// Deparse writes a statement node as SQL. A tree deeper than any that Parse returns is a *LimitError.
func Deparse(stmt *Node) (string, error) {
	w := walker{limit: maxMessages}
	w.visitNode(stmt)
	if w.deepest > maxMessages {
		return "", &LimitError{What: "levels in the tree to deparse", Limit: maxMessages}
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
