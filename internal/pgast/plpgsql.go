package pgast

import (
	"errors"
	"strings"

	"github.com/pganalyze/pg_query_go/v5/parser"
)

// PLpgSQL returns libpg_query's JSON tree of the bodies in sql: a list with an entry for every CREATE FUNCTION or
// CREATE PROCEDURE … LANGUAGE plpgsql and every DO statement; other statements are passed over. A body that does not
// parse is a *SyntaxError at the start of its statement; so is one nested too deep, which bison's own stack limits
// ("memory exhausted", at some 2,500 blocks) to what the thread can take.
func PLpgSQL(sql string) (string, error) {
	stmts, err := Parse(sql)
	if err != nil {
		return "", err
	}
	// libpg_query aborts the process on a function without a string for a body (assert in pg_query_parse_plpgsql.c)
	// and makes nothing of other languages, so it gets one suitable statement at a time.
	var entries []string
	for _, stmt := range stmts {
		if !isPLpgSQL(stmt.Node) {
			continue
		}
		var json string
		// Always on a thread of its own: the tree of the statement is walked with several times the stack that
		// writing it takes, and what an error leaves behind in the thread's variables goes with the thread.
		if e := onBigStack(func() { json, err = parser.ParsePlPgSqlToJSON(stmt.SQL) }); e != nil {
			return "", e
		}
		if err != nil {
			var perr *parser.Error
			if errors.As(err, &perr) {
				return "", &SyntaxError{Message: perr.Message, Offset: stmt.Offset}
			}
			return "", err
		}
		json = strings.TrimSpace(json)
		json = strings.TrimSuffix(strings.TrimPrefix(json, "["), "]")
		entries = append(entries, strings.TrimSpace(json))
	}
	return "[" + strings.Join(entries, ",\n") + "]", nil
}

// isPLpgSQL reports whether n is a PL/pgSQL function with a body, or a DO block in PL/pgSQL.
func isPLpgSQL(n *Node) bool {
	var options []*Node
	language, body := "", false
	switch {
	case n.GetCreateFunctionStmt() != nil:
		options = n.GetCreateFunctionStmt().Options
	case n.GetDoStmt() != nil:
		options = n.GetDoStmt().Args
		language = "plpgsql"
	}
	for _, option := range options {
		switch def := option.GetDefElem(); def.GetDefname() {
		case "language":
			language = def.Arg.GetString_().GetSval()
		case "as":
			items := def.Arg.GetList().GetItems()
			body = def.Arg.GetString_() != nil || len(items) == 1 && items[0].GetString_() != nil
		}
	}
	return body && language == "plpgsql"
}
