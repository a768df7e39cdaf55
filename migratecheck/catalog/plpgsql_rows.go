package catalog

import (
	"cmp"
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// overRows notes what a loop over the rows of a query, which are not known, changes in rows: each INSERT, UPDATE and DELETE
// in its body, once, in the order of the text. What it may do to the schema is its caller's to say.
func (r *codeRunner) overRows(n plNode) {
	query := parseOne(n.query("query"))
	if query == nil {
		return
	}
	type change struct {
		line int
		stmt pgast.Stmt
	}
	var list []change
	each(n["body"], func(tag string, n plNode) {
		if tag != "PLpgSQL_stmt_execsql" {
			return
		}
		stmts, err := pgast.Parse(n.query("sqlstmt"))
		if err != nil || len(stmts) != 1 {
			return
		}
		switch stmts[0].Node.GetNode().(type) {
		case *pgast.Node_InsertStmt, *pgast.Node_UpdateStmt, *pgast.Node_DeleteStmt, *pgast.Node_MergeStmt:
			list = append(list, change{n.number("lineno"), stmts[0]})
		}
	})
	slices.SortFunc(list, func(a, b change) int {
		return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.stmt.SQL, b.stmt.SQL))
	})
	for _, c := range list {
		r.eff.Inner = append(r.eff.Inner, Inner{Stmt: c.stmt, Via: r.via, Before: r.c.Clone(), After: r.c.Clone(), Over: query, Commits: r.commits})
	}
}

// parseOne is the tree of a text that is one statement, nil otherwise.
func parseOne(sql string) *pgast.Node {
	stmts, err := pgast.Parse(sql)
	if err != nil || len(stmts) != 1 {
		return nil
	}
	return stmts[0].Node
}
