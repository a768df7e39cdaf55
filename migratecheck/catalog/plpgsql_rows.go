package catalog

import (
	"maps"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// passOver notes what code of which it is not known whether, or how often, it runs does to rows: each change that stands in
// it, once. What it may do to the schema is its caller's to say.
func (r *codeRunner) passOver(code plNode) {
	r.visitRows(map[string]any(code), rowsPlace{via: r.via, in: r.at, commits: r.commits, loop: r.loops > 0})
}

// callOver notes what a function does to rows that is called for each row of a query.
func (r *codeRunner) callOver(f *Func, query *pgast.Node) {
	r.bodyRows(f, rowsPlace{over: query, loop: true})
}

// rowsPlace is where a change of rows stands.
type rowsPlace struct {
	via           string
	in            Place
	over          *pgast.Node // see Inner
	loop, commits bool
	depth         int // of calls
}

// visitRows notes the changes of rows in a part of a plpgsql body. Fields come in the order of their names, and statements in
// the order of the text.
func (r *codeRunner) visitRows(v any, at rowsPlace) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			r.visitRows(item, at)
		}
	case map[string]any:
		for _, tag := range slices.Sorted(maps.Keys(v)) {
			r.visitRowsOf(tag, v[tag], at)
		}
	}
}

func (r *codeRunner) visitRowsOf(tag string, v any, at rowsPlace) {
	m, _ := v.(map[string]any)
	n := plNode(m)
	if line := n.number("lineno"); line > 0 && strings.HasPrefix(tag, "PLpgSQL_stmt_") {
		at.in.Line, at.in.Dynamic = line, false
	}
	switch strings.TrimPrefix(tag, "PLpgSQL_stmt_") {
	case "fors", "dynfors":
		text := n.query("query")
		if tag == "PLpgSQL_stmt_dynfors" {
			text = r.evalText(text).s
			at.in.Dynamic = true
		}
		query := parseOne(text)
		r.stmtRows(pgast.Stmt{Node: query, SQL: text}, at)
		at.in.Dynamic = false
		if at.loop = true; query != nil {
			at.over = query
		}
		r.visitRows(n["body"], at)
		return
	case "fori", "foreach_a", "forc", "while", "loop":
		at.loop = true
	case "dynexecute":
		text := r.evalText(n.query("query")).s
		at.in.Dynamic = true
		r.stmtRows(pgast.Stmt{Node: parseOne(text), SQL: text}, at)
	case "PLpgSQL_expr":
		text := n.text("query")
		switch mode := n.number("parseMode"); {
		case mode > 2:
			_, text, _ = strings.Cut(text, "=")
			fallthrough
		case mode != 0:
			text = "SELECT " + text
		}
		r.stmtRows(pgast.Stmt{Node: parseOne(text), SQL: text}, at)
		return
	}
	r.visitRows(v, at)
}

// stmtRows notes a statement that changes rows, and what the functions it calls do to them.
func (r *codeRunner) stmtRows(stmt pgast.Stmt, at rowsPlace) {
	if stmt.Node == nil {
		return
	}
	if writesRows(stmt.Node) {
		at.in.SQL, at.in.Offset = stmt.SQL, stmt.Offset
		in := Inner{Stmt: stmt, Via: at.via, At: at.in, Before: r.c.Clone(), After: r.c.Clone(), Over: at.over, Loop: at.loop, Commits: at.commits}
		if !slices.ContainsFunc(r.eff.Inner, func(e Inner) bool { return e.Via == in.Via && e.Stmt.SQL == in.Stmt.SQL && e.Stmt.SQL != "" }) {
			r.eff.Inner = append(r.eff.Inner, in) // it may have been run before it was given up
		}
	}
	if !callsOnce(stmt.Node) && stmt.Node.GetCallStmt() == nil {
		at.over, at.loop = stmt.Node, true
	}
	for _, call := range callsIn(stmt.Node) {
		if f := r.resolve(call); f != nil && r.mayChange(f) {
			r.bodyRows(f, at)
		}
	}
}

// bodyRows notes the changes of rows in the body of a function.
func (r *codeRunner) bodyRows(f *Func, at rowsPlace) {
	*r.steps++
	if at.depth++; at.depth > maxCodeDepth || *r.steps > maxCodeSteps {
		return
	}
	at.via, at.in = bodyOf(f), Place{Body: f.Body, Function: f.Name}
	if f.Language == "sql" {
		stmts, err := sqlStatements(f)
		if err != nil {
			return
		}
		for _, stmt := range stmts {
			r.stmtRows(stmt, at)
		}
		return
	}
	tree, err := parsePL(r.c.functionSQL(f))
	if err != nil {
		return
	}
	at.commits = mentions(tree, "PLpgSQL_stmt_commit") || mentions(tree, "PLpgSQL_stmt_rollback")
	r.visitRows(map[string]any(tree.child("action")), at)
}

// writesRows reports whether a statement inserts, changes or deletes rows, also in a WITH query.
func writesRows(n *pgast.Node) bool {
	switch n.GetNode().(type) {
	case *pgast.Node_InsertStmt, *pgast.Node_UpdateStmt, *pgast.Node_DeleteStmt, *pgast.Node_MergeStmt:
		return true
	}
	// Only the WITH of the outermost query may change rows.
	for _, cte := range n.GetSelectStmt().GetWithClause().GetCtes() {
		if writesRows(cte.GetCommonTableExpr().Ctequery) {
			return true
		}
	}
	return false
}

// parseOne is the tree of a text that is one statement, nil otherwise.
func parseOne(sql string) *pgast.Node {
	stmts, err := pgast.Parse(sql)
	if err != nil || len(stmts) != 1 {
		return nil
	}
	return stmts[0].Node
}
