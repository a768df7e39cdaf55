// Package pgast parses PostgreSQL's SQL. It is the only importer of pg_query_go (a cgo binding of PostgreSQL's own
// grammar, version 16): the other packages use the aliases in alias_gen.go.
//
// [Parse] and [ParseEach] return trees, [Split] and [Scanner] work on the text alone and do not call C, [Deparse] and
// [DeparseExpr] turn trees into SQL, [PLpgSQL] reads the bodies of functions, [Walk] goes through a tree. Every
// position is a byte offset into the text that was given. Everything is safe for concurrent use.
//
// libpg_query's C code recurses without a limit when it writes out, walks or deparses a tree, and kills the process on
// a long left-recursive chain (1+1+1…) or on a function without a body. Every entry point of this package therefore
// looks first, and returns a [LimitError] instead; what is deeper than usual it does on a thread with a stack large
// enough (see guard.go), so that the limits do not depend on the platform's. Lists have no limit but the size of the
// text: an INSERT of 100,000 rows is fine.
//
// libpg_query's version of the scanner ends a string that goes on behind a comment ('a' -- c, newline, 'b'), which
// PostgreSQL itself does not.
package pgast

//go:generate go run ./aliasgen

import "fmt"

// Stmt is one parsed SQL statement.
type Stmt struct {
	Node *Node  // the statement itself, e.g. Node.GetAlterTableStmt()
	SQL  string // its text, without leading space, comments or the closing semicolon
	// Offset is where SQL begins in the parsed text, in bytes. Node locations count from the start of the parsed
	// text too, so loc-Offset is an index into SQL.
	Offset int
	// Newer is set when the statement has a form that is newer than the grammar and understood all the same: only NOT NULL as a
	// constraint with a name, whose Constraint is as PostgreSQL 18 parses it (Contype CONSTR_NOTNULL, Keys the column).
	Newer Newer
}

// SyntaxError says where PostgreSQL's grammar (or scanner) gave up.
type SyntaxError struct {
	Message string // PostgreSQL's, e.g. `syntax error at or near "DROPP"`
	Offset  int    // byte offset into the text given to Parse; len(text) at the end of input
}

func (e *SyntaxError) Error() string { return e.Message }

// LimitError is returned instead of handing the C parser a statement that could exhaust its stack.
type LimitError struct {
	What   string // what there is too much of, e.g. "operators in one expression"
	Limit  int
	Offset int // where the limit was crossed, in bytes
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("statement too complex to parse safely: more than %d %s; split the statement", e.Limit, e.What)
}
