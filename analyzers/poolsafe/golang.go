package poolsafe

import (
	"go/ast"
	"regexp"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/callee"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/findings"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/syntax"
)

// checkGo finds what needs a session in Go rather than in SQL: receivers of notifications, connection strings, and drivers that
// prepare statements.
func (c *checker) checkGo() {
	minor, known := c.settings().BouncerMinor()
	untracked := known && minor < 21
	pgx := untracked && !c.modeSet()
	facts := len(c.AllObjectFacts()) > 0
	for cur := range c.Root.Preorder((*ast.CallExpr)(nil), (*ast.AssignStmt)(nil), (*ast.KeyValueExpr)(nil)) {
		if c.Silent(cur.Node().Pos()) {
			continue
		}
		switch n := cur.Node().(type) {
		case *ast.CallExpr:
			if facts {
				c.checkGiven(cur)
			}
			last := syntax.Called(n)
			if !watched[last] {
				continue
			}
			name := callee.Name(c.TypesInfo, n)
			c.checkReceiver(n, name)
			c.checkConnect(n, name, pgx, known)
			if untracked {
				c.checkPrepares(n, name)
			}
		case *ast.AssignStmt:
			c.checkRuntimeParam(n)
		case *ast.KeyValueExpr:
			if key, ok := n.Key.(*ast.Ident); ok && key.Name == "RuntimeParams" {
				c.checkParams(n.Value)
			}
		}
	}
}

// watched are the last names of functions that checkGo looks at.
var watched = map[string]bool{"NewListener": true, "NewDialListener": true, "NewListenerConn": true, "WaitForNotification": true,
	"Connect": true, "New": true, "ParseConfig": true, "Open": true, "OpenDB": true, "MustOpen": true, "MustConnect": true, "ConnectContext": true,
	"NewConnector": true, "Prepare": true, "PrepareContext": true, "Preparex": true, "PreparexContext": true}

// checkReceiver finds what waits for notifications, where the package sends no LISTEN that is reported already.
func (c *checker) checkReceiver(call *ast.CallExpr, name string) {
	pq := strings.HasPrefix(name, "github.com/lib/pq.New")
	pgx := strings.HasPrefix(name, "(*github.com/jackc/pgx/") && strings.HasSuffix(name, ".WaitForNotification")
	if !strings.Contains(name, "Listener") && !pgx || !pq && !pgx {
		return
	}
	for _, s := range c.stmts {
		if s.Node.GetListenStmt() != nil {
			return
		}
	}
	c.reportAt(findings.Finding{Check: "session-listen", Pos: call.Pos(), End: call.End(),
		Message: syntax.Called(call) + " waits for notifications to its session: " + notHeard, Help: listenHelp})
}

var (
	// A search_path as a parameter of its own, or in options: "options=-csearch_path%3Dx".
	searchPath = regexp.MustCompile(`(?i)(?:\b|-c)search_path\s*(?:=|%3d)`)
	execMode   = regexp.MustCompile(`default_query_exec_mode=(?:exec|simple_protocol|cache_describe)\b|statement_cache_capacity=0\b|statement_cache_mode=describe\b|prefer_simple_protocol=true`)
)

// connects recognises functions that take a connection string, and the driver they use: pgx, pq, or "" for one that the
// first argument names.
func connects(name string) (arg int, driver string, ok bool) {
	switch name {
	case "database/sql.Open", "github.com/jmoiron/sqlx.Open", "github.com/jmoiron/sqlx.Connect", "github.com/jmoiron/sqlx.MustOpen", "github.com/jmoiron/sqlx.MustConnect":
		return 1, "", true
	case "github.com/jmoiron/sqlx.ConnectContext":
		return 2, "", true
	case "github.com/lib/pq.Open", "github.com/lib/pq.NewConnector":
		return 0, "pq", true
	}
	if rest, found := strings.CutPrefix(name, "github.com/jackc/pgx/"); found {
		_, fn, _ := strings.Cut(rest, "/")
		switch {
		case fn == "" && strings.HasSuffix(rest, ".Connect"), fn == "pgxpool.New", fn == "pgxpool.Connect":
			return 1, "pgx", true
		case fn == "" && strings.HasSuffix(rest, ".ParseConfig"), fn == "pgxpool.ParseConfig":
			return 0, "pgx", true
		}
	}
	return 0, "", false
}

// checkConnect looks at connection strings: a search_path in one (TestSearchPathInConnectionString), and, for pgx and lib/pq where it is asked
// for, how the driver sends queries.
func (c *checker) checkConnect(call *ast.CallExpr, name string, pgx, pq bool) {
	arg, driver, ok := connects(name)
	if !ok || len(call.Args) <= arg {
		return
	}
	text := c.Values.Text(call.Args[arg])
	if searchPath.MatchString(text) {
		c.reportAt(findings.Finding{Check: "session-search-path", Pos: call.Args[arg].Pos(), End: call.Args[arg].End(),
			Message: "search_path in a connection string: PgBouncer refuses the connection (unsupported startup parameter), or with ignore_startup_parameters does without it, and statements go to other schemas",
			Help:    searchPathHelp})
	}
	if driver == "" {
		switch c.Values.Text(call.Args[arg-1]) {
		case "pgx", "pgx/v4", "pgx/v5":
			driver = "pgx"
		case "postgres", "cloudsqlpostgres":
			driver = "pq"
		}
	}
	switch {
	case pgx && driver == "pgx" && !execMode.MatchString(text):
		c.prepared(call, "pgx prepares each statement under a name and keeps it (QueryExecModeCacheStatement, its default)"+notFollowed,
			"Set DefaultQueryExecMode to pgx.QueryExecModeExec, or default_query_exec_mode=exec in the connection string.")
	case pq && driver == "pq" && !strings.Contains(text, "binary_parameters=yes"):
		c.prepared(call, "lib/pq prepares each query with arguments, without a name, in one round trip and executes it in the next: outside of a transaction any PgBouncer may send the execution to another server connection, and the query fails (26000) or another client's statement runs",
			"Say binary_parameters=yes in the connection string: one round trip.")
	}
}

const notFollowed = ": a PgBouncer before 1.21, which .srhtvet.toml names, may send the execution to another server connection, and the query fails (26000, 42P05, or another client's statement runs)"

func (c *checker) prepared(call *ast.CallExpr, message, help string) {
	c.reportAt(findings.Finding{Check: "driver-prepared-statement", Pos: call.Pos(), End: call.End(), Message: message, Help: help})
}

// checkPrepares finds statements that code has prepared outside of a transaction.
func (c *checker) checkPrepares(call *ast.CallExpr, name string) {
	if !strings.HasPrefix(syntax.Called(call), "Prepare") {
		return
	}
	typ, _, _ := strings.Cut(strings.TrimPrefix(name, "(*"), ")")
	switch {
	case typ == "database/sql.DB", typ == "database/sql.Conn", typ == "github.com/jmoiron/sqlx.DB", strings.HasPrefix(typ, "github.com/jackc/pgx/") && strings.HasSuffix(typ, ".Conn"):
		c.prepared(call, "a prepared statement is the session's"+notFollowed, "Send the statement with its arguments, or prepare it in the transaction that uses it.")
	}
}

// modeSet reports whether the package chooses how pgx sends queries.
func (c *checker) modeSet() bool {
	for cur := range c.Root.Preorder((*ast.SelectorExpr)(nil), (*ast.KeyValueExpr)(nil)) {
		switch n := cur.Node().(type) {
		case *ast.SelectorExpr:
			switch n.Sel.Name {
			case "QueryExecModeExec", "QueryExecModeSimpleProtocol", "QueryExecModeCacheDescribe", "PreferSimpleProtocol":
				return true
			}
		case *ast.KeyValueExpr:
			if key, ok := n.Key.(*ast.Ident); ok && key.Name == "PreferSimpleProtocol" {
				return true
			}
		}
	}
	return false
}

// checkRuntimeParam finds cfg.RuntimeParams["search_path"] = … and cfg.RuntimeParams = map[string]string{"search_path": …} of pgx.
func (c *checker) checkRuntimeParam(n *ast.AssignStmt) {
	for i, l := range n.Lhs {
		switch l := ast.Unparen(l).(type) {
		case *ast.IndexExpr:
			if isRuntimeParams(l.X) && c.isSearchPath(l.Index) {
				c.runtimeParam(l)
			}
		case *ast.SelectorExpr:
			if isRuntimeParams(l) && len(n.Rhs) == len(n.Lhs) {
				c.checkParams(n.Rhs[i])
			}
		}
	}
}

func isRuntimeParams(e ast.Expr) bool {
	sel, ok := ast.Unparen(e).(*ast.SelectorExpr)
	return ok && sel.Sel.Name == "RuntimeParams"
}

// checkParams looks at the literal of a map of parameters.
func (c *checker) checkParams(e ast.Expr) {
	lit, ok := c.Values.Resolve(e).Expr.(*ast.CompositeLit)
	if !ok {
		return
	}
	for _, elt := range lit.Elts {
		if kv, ok := elt.(*ast.KeyValueExpr); ok && c.isSearchPath(kv.Key) {
			c.runtimeParam(kv.Key)
		}
	}
}

func (c *checker) runtimeParam(e ast.Expr) {
	c.reportAt(findings.Finding{Check: "session-search-path", Pos: e.Pos(), End: e.End(),
		Message: "search_path as a parameter of the connection: PgBouncer refuses the connection (unsupported startup parameter), or with ignore_startup_parameters does without it, and statements go to other schemas",
		Help:    searchPathHelp})
}

func (c *checker) isSearchPath(e ast.Expr) bool {
	text, _ := c.Values.Constant(e)
	return text == "search_path"
}
