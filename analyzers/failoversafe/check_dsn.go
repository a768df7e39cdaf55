package failoversafe

import (
	"fmt"
	"go/ast"
	"go/token"
	"strings"

	"golang.org/x/tools/go/analysis"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/callee"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/contexts"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/findings"
)

// dsnOf is the argument of a call that is a DSN of PostgreSQL for certain; nil for other calls.
func (c *checker) dsnOf(call *ast.CallExpr, name string) ast.Expr {
	if at, ok := openers[name]; ok && at >= 0 && at+1 < len(call.Args) && c.opensPostgres(call, name) {
		return call.Args[at+1]
	}
	at := 1
	switch name {
	case "github.com/lib/pq.NewConnector", "github.com/lib/pq.NewListener":
		at = 0
	case "github.com/jackc/pgx/v4.ParseConfig", "github.com/jackc/pgx/v5.ParseConfig", "github.com/jackc/pgx/v4/pgxpool.ParseConfig",
		"github.com/jackc/pgx/v5/pgxpool.ParseConfig", "github.com/jackc/pgx/v5/pgconn.ParseConfig":
		at = 0
		if c.setsTimeout() {
			return nil
		}
	case "github.com/jackc/pgx/v5/pgxpool.New", "github.com/jackc/pgx/v4/pgxpool.Connect":
	case "github.com/jackc/pgx/v4.Connect", "github.com/jackc/pgx/v5.Connect", "github.com/jackc/pgx/v5/pgconn.Connect":
		if len(call.Args) > 0 && !contexts.Of(c.TypesInfo, c.Values, call.Args[0]).Unbounded() {
			return nil // the context may have a deadline
		}
	default:
		return nil
	}
	if at < len(call.Args) {
		return call.Args[at]
	}
	return nil
}

// setsTimeout reports whether the package sets ConnectTimeout or DialFunc of a parsed configuration.
func (c *checker) setsTimeout() bool {
	for cur := range c.Root.Preorder((*ast.SelectorExpr)(nil)) {
		switch cur.Node().(*ast.SelectorExpr).Sel.Name {
		case "ConnectTimeout", "DialFunc":
			return true
		}
	}
	return false
}

func (c *checker) checkDSN(call *ast.CallExpr, name string) {
	arg := c.dsnOf(call, name)
	if arg == nil || c.Pkg.Name() == "main" && !c.serving {
		return
	}
	text, lit, format := c.text(arg)
	if text == "" {
		return
	}
	d, ok := parseDSN(text, format)
	if !ok || d.allLocal() {
		return
	}
	if _, set := d.params["connect_timeout"]; !set && d.params["service"] == "" {
		f := findings.Finding{Check: "missing-connect-timeout", Pos: arg.Pos(), End: arg.End(),
			Message: "this DSN has no connect_timeout: when the primary's machine is gone and answers nothing, each attempt to connect waits until the kernel gives up, two minutes on Linux, and every request that needs a connection waits along, long after the standby has taken over",
			Help:    "Add connect_timeout=5 to it."}
		if fix, ok := fixTimeout(d, lit); ok {
			f.Fixes = []analysis.SuggestedFix{fix}
		}
		c.Report(f)
	}
	if _, set := d.params["target_session_attrs"]; !set && len(d.hosts) == 1 && !d.pooled() && !format {
		c.Report(findings.Finding{Check: "single-database-host", Pos: arg.Pos(), End: arg.End(),
			Message: fmt.Sprintf("this DSN knows %s alone, and asks for no primary: after a failover the service goes on to connect to the old one, where every request fails or, if it comes back as a standby, every write does, until somebody builds it anew", d.hosts[0]),
			Help:    "Take the DSN from the configuration, with all hosts and target_session_attrs=read-write (pgx, lib/pq from 1.11 on), or go through PgBouncer or a balancer that knows the primary."})
	}
}

// text is the constant text of a DSN, or the format of the fmt.Sprintf that makes it, and the literal where it stands, if there
// is one.
func (c *checker) text(e ast.Expr) (text string, lit *ast.BasicLit, format bool) {
	e = ast.Unparen(e)
	if c.TypesInfo.Types[e].Value == nil {
		e = c.Values.Resolve(e).Expr
	}
	if call, ok := e.(*ast.CallExpr); ok && callee.Name(c.TypesInfo, call) == "fmt.Sprintf" && len(call.Args) > 0 {
		e, format = ast.Unparen(call.Args[0]), true
	}
	text, ok := c.Values.Constant(e)
	if !ok {
		return "", nil, false
	}
	lit, _ = e.(*ast.BasicLit)
	return text, lit, format
}

// fixTimeout adds connect_timeout to a literal. Before key=value pairs rather than behind them: an empty value that is filled in at
// the end would take it for its own.
func fixTimeout(d dsn, lit *ast.BasicLit) (analysis.SuggestedFix, bool) {
	if lit == nil || lit.Kind != token.STRING || strings.Contains(lit.Value, `\`) {
		return analysis.SuggestedFix{}, false
	}
	at, text := lit.Pos()+1, "connect_timeout=5 "
	if d.url {
		at, text = lit.End()-1, "?connect_timeout=5"
		if strings.Contains(lit.Value, "?") {
			text = "&connect_timeout=5"
		}
	}
	return analysis.SuggestedFix{Message: "Add connect_timeout=5", TextEdits: []analysis.TextEdit{{Pos: at, End: at, NewText: []byte(text)}}}, true
}
