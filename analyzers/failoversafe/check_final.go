package failoversafe

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/ast/inspector"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/callee"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/findings"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/syntax"
)

// failover reports whether an SQLSTATE, or the class of one, is what clients get when a primary goes or has gone, and what it
// means. PostgreSQL manual, appendix A: 57P01 admin_shutdown, 57P02 crash_shutdown, 57P03 cannot_connect_now, 25006
// read_only_sql_transaction, class 08 connection exceptions.
func failover(code string) (meaning string, ok bool) {
	switch {
	case code == "57P01":
		return "the server is shutting down", true
	case code == "57P02":
		return "the server has crashed", true
	case code == "57P03":
		return "the server is starting", true
	case code == "25006":
		return "the server has become a standby", true
	case code == "08" || len(code) == 5 && strings.HasPrefix(code, "08"):
		return "the connection is gone", true
	}
	return "", false
}

// checkFinalIf looks at if err.Code == "57P01" { … }.
func (c *checker) checkFinalIf(cur inspector.Cursor) {
	branch := cur.Node().(*ast.IfStmt)
	if code, meaning := c.compared(branch.Cond); code != "" {
		c.checkFinal(cur, branch.Body.List, branch.Cond, code, meaning)
	}
}

// checkFinalSwitch looks at switch err.Code { case "57P01": … }.
func (c *checker) checkFinalSwitch(cur inspector.Cursor) {
	sw := cur.Node().(*ast.SwitchStmt)
	if sw.Tag == nil || !c.isCode(sw.Tag) {
		return
	}
	for _, s := range sw.Body.List {
		clause := s.(*ast.CaseClause)
		for _, e := range clause.List {
			if code, meaning := c.code(e); code != "" {
				c.checkFinal(cur, clause.Body, e, code, meaning)
				break
			}
		}
	}
}

// compared finds the comparison of an SQLSTATE with one of a failover in a condition that it makes true.
func (c *checker) compared(cond ast.Expr) (code, meaning string) {
	switch e := ast.Unparen(cond).(type) {
	case *ast.BinaryExpr:
		switch e.Op {
		case token.LAND, token.LOR:
			if code, meaning = c.compared(e.X); code == "" {
				code, meaning = c.compared(e.Y)
			}
		case token.EQL:
			if c.isCode(e.X) {
				return c.code(e.Y)
			}
			if c.isCode(e.Y) {
				return c.code(e.X)
			}
		}
	case *ast.CallExpr:
		if callee.Name(c.TypesInfo, e) == "github.com/jackc/pgerrcode.IsConnectionException" {
			return "08", "the connection is gone"
		}
	}
	return code, meaning
}

// isCode reports whether an expression is the SQLSTATE, or its class, of an error: .Code of pgx and lib/pq, SQLState(), Class().
func (c *checker) isCode(e ast.Expr) bool {
	e = ast.Unparen(e)
	if call, ok := e.(*ast.CallExpr); ok {
		if tv, known := c.TypesInfo.Types[call.Fun]; known && tv.IsType() && len(call.Args) == 1 {
			return c.isCode(call.Args[0]) // string(err.Code)
		}
		sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
		return ok && len(call.Args) == 0 && (sel.Sel.Name == "SQLState" || sel.Sel.Name == "Class")
	}
	sel, ok := e.(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != "Code" {
		return false
	}
	name := callee.TypeName(c.TypesInfo, sel.X)
	return strings.HasSuffix(name, "pgconn.PgError") || strings.HasSuffix(name, "/pq.Error") || strings.HasSuffix(name, "/pgx.PgError")
}

func (c *checker) code(e ast.Expr) (code, meaning string) {
	code, _ = c.Values.Constant(e)
	meaning, ok := failover(code)
	if !ok {
		return "", ""
	}
	return code, meaning
}

// checkFinal reports a branch for an error of a failover that ends the process, gives up a job, or blames the client.
func (c *checker) checkFinal(cur inspector.Cursor, body []ast.Stmt, at ast.Expr, code, meaning string) {
	fn, ok := syntax.Enclosing(cur)
	if !ok {
		return
	}
	inHandler := c.Handlers.For(fn.Node()) != nil
	if !inHandler && !c.serving {
		return
	}
	what := c.final(body, inHandler)
	if what == "" {
		return
	}
	c.Report(findings.Finding{Check: "failover-error-final", Pos: at.Pos(), End: at.End(),
		Message: fmt.Sprintf("SQLSTATE %s says that %s, which passes within seconds of a failover, and %s: what is at work at that moment is lost on every node at once", code, meaning, what),
		Help:    "Retry in a new transaction, on a new connection, with a deadline and jitter, when what was sent can be sent again; else answer 503 with Retry-After."})
}

// final says what makes a branch final, "" when nothing does.
func (c *checker) final(body []ast.Stmt, inHandler bool) string {
	what := ""
	for _, stmt := range body {
		ast.Inspect(stmt, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncLit:
				return false
			case *ast.BranchStmt:
				if n.Tok == token.CONTINUE {
					what = ""
					return false
				}
			case *ast.CallExpr:
				name := callee.Name(c.TypesInfo, n)
				switch last := callee.Last(name); {
				case callee.Exits(name):
					what = "here it ends the process"
				case last == "Permanent" && strings.Contains(name, "backoff"), last == "JobCancel", last == "Unrecoverable" && strings.Contains(name, "retry"):
					what = name + " gives the work up for good"
				case inHandler && what == "":
					if status := c.blames(n); status > 0 {
						what = fmt.Sprintf("here the client is told %d, that the request is at fault, and does not try again", status)
					}
				}
			}
			return true
		})
	}
	return what
}

// blames is the status by which a call answers that the request is at fault: an argument of 400 to 499, other than those which
// say "later".
func (c *checker) blames(call *ast.CallExpr) int64 {
	for _, arg := range call.Args {
		v := c.TypesInfo.Types[arg].Value
		if v == nil || v.Kind() != constant.Int {
			continue
		}
		switch status, _ := constant.Int64Val(v); {
		case status < 400 || status > 499 || status == 408 || status == 425 || status == 429:
		case callee.Last(callee.Name(c.TypesInfo, call)) == "WriteHeader", c.takesResponse(call), isStatus(c.TypesInfo, arg):
			return status
		}
	}
	return 0
}

func (c *checker) takesResponse(call *ast.CallExpr) bool {
	for _, arg := range call.Args {
		if callee.TypeName(c.TypesInfo, arg) == "net/http.ResponseWriter" {
			return true
		}
	}
	return false
}

// isStatus reports whether an expression is one of net/http's constants.
func isStatus(info *types.Info, e ast.Expr) bool {
	sel, ok := ast.Unparen(e).(*ast.SelectorExpr)
	return ok && strings.HasPrefix(sel.Sel.Name, "Status") && info.Uses[sel.Sel] != nil && info.Uses[sel.Sel].Pkg() != nil && info.Uses[sel.Sel].Pkg().Path() == "net/http"
}
