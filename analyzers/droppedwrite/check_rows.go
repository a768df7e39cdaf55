package droppedwrite

import (
	"go/ast"
	"go/types"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/inspector"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/callee"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/findings"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/syntax"
)

// rowsErr reports loops over rows behind which nobody asks why they have ended.
//
// Source: database/sql's Rows.Next ("It returns false if there is no next result row or an error happened while preparing it.
// Rows.Err should be consulted to distinguish between the two cases."); pgx's Rows.Next the same. TestRowsOfLostConnection.
func (c *checker) rowsErr(fn *function) {
	fn.cur.Inspect([]ast.Node{(*ast.FuncLit)(nil), (*ast.ForStmt)(nil)}, func(cur inspector.Cursor) bool {
		loop, ok := cur.Node().(*ast.ForStmt)
		if !ok {
			return cur.Node() == fn.node
		}
		v := c.rowsOf(loop)
		if v == nil || c.endsAtFirst(loop) || c.asked(v, loop) {
			return true
		}
		f := findings.Finding{Check: "unchecked-rows-err", Pos: loop.Cond.Pos(), End: loop.Cond.End(),
			Message: "this loop also ends when the connection is lost or the primary fails over in the middle of the result, and nobody asks: the rows read so far are then taken for all there are",
			Help:    "Return " + v.Name() + ".Err() when it is not nil, behind the loop."}
		if fix, ok := c.askErr(cur, fn, loop, v); ok {
			f.Fixes = append(f.Fixes, fix)
		}
		c.Report(f)
		return true
	})
}

// rowsOf is the variable of a loop "for rows.Next()".
func (c *checker) rowsOf(loop *ast.ForStmt) *types.Var {
	call, ok := loop.Cond.(*ast.CallExpr)
	if !ok || loop.Post != nil || len(call.Args) > 0 {
		return nil
	}
	x := syntax.Receiver(call, "Next")
	if x == nil {
		return nil
	}
	switch name := callee.TypeName(c.TypesInfo, x); {
	case name == "database/sql.Rows", name == "github.com/jmoiron/sqlx.Rows":
	case strings.HasPrefix(name, "github.com/jackc/pgx/") && strings.HasSuffix(name, "/pgx.Rows"), pgxRows(name):
	default:
		return nil
	}
	v := c.Values.Var(x)
	if v == nil || v.IsField() {
		return nil
	}
	return v
}

// pgxRows: github.com/jackc/pgx/v5.Rows.
func pgxRows(name string) bool {
	return strings.HasPrefix(name, "github.com/jackc/pgx/v") && strings.HasSuffix(name, ".Rows") && !strings.Contains(strings.TrimPrefix(name, "github.com/jackc/pgx/"), "/")
}

// endsAtFirst reports whether a loop looks at one row and leaves: it is an if.
func (c *checker) endsAtFirst(loop *ast.ForStmt) bool {
	return syntax.Leaves(syntax.Last(loop.Body.List))
}

// asked reports whether Err is called of rows anywhere, or they are given to somebody who may.
func (c *checker) asked(v *types.Var, loop *ast.ForStmt) bool {
	file := syntax.File(c.Files, loop.Pos())
	if file == nil {
		return true
	}
	found := false
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if id, ok := n.X.(*ast.Ident); ok && n.Sel.Name == "Err" && c.TypesInfo.Uses[id] == v {
				found = true
			}
		case *ast.CallExpr:
			for _, arg := range n.Args {
				// Within the loop it is given away to be scanned.
				if id, ok := ast.Unparen(arg).(*ast.Ident); ok && c.TypesInfo.Uses[id] == v && (n.Pos() < loop.Pos() || n.End() > loop.End()) {
					found = true
				}
			}
		case *ast.ReturnStmt:
			for _, r := range n.Results {
				if id, ok := ast.Unparen(r).(*ast.Ident); ok && c.TypesInfo.Uses[id] == v {
					found = true
				}
			}
		}
		return !found
	})
	return found
}

// askErr puts the question behind the loop.
func (c *checker) askErr(cur inspector.Cursor, fn *function, loop *ast.ForStmt, v *types.Var) (analysis.SuggestedFix, bool) {
	ret, ok := c.errorReturn(fn)
	if !ok || !syntax.InList(cur) {
		return analysis.SuggestedFix{}, false
	}
	indent := c.indent(loop)
	return analysis.SuggestedFix{Message: "Return the error behind the loop", TextEdits: []analysis.TextEdit{{Pos: loop.End(), End: loop.End(),
		NewText: []byte("\n" + indent + "if err := " + v.Name() + ".Err(); err != nil {\n" + indent + "\t" + ret + "\n" + indent + "}")}}}, true
}
