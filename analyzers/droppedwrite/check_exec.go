package droppedwrite

import (
	"go/ast"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/inspector"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/callee"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/findings"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/syntax"
)

const lostWrite = "nobody looks whether this write is done: when a primary fails over, the connection is lost or a constraint refuses it, it is gone, and the caller goes on as if it were there"

// uncheckedExecs reports statements that write, and whose error nobody looks at.
func (c *checker) uncheckedExecs(fn *function) {
	for _, cur := range fn.calls {
		call := cur.Node().(*ast.CallExpr)
		if c.droppedBatch(fn, cur, call) {
			c.Report(findings.Finding{Check: "unchecked-exec", Pos: call.Pos(), End: call.End(),
				Message: "nobody looks whether the statements of this batch are done: when a primary fails over or one of them is refused, the rest is gone, and the caller goes on as if it were there",
				Help:    "Return the error of Close, or of each Exec of the results."})
			continue
		}
		if _, deferred := cur.Parent().Node().(*ast.DeferStmt); deferred {
			continue // puts something in order
		}
		dropped, overwritten := unchecked(cur), c.overwritten(cur)
		if !dropped && !overwritten {
			continue
		}
		text, ok := c.execOf(call)
		if !ok || text != "" && !writes(text) {
			continue
		}
		f := findings.Finding{Check: "unchecked-exec", Pos: call.Pos(), End: call.End(), Message: lostWrite,
			Help: "Return the error; if the write is not worth that, write _, _ = and why."}
		if overwritten {
			f.Help = "Look at the error before the variable is given another."
		}
		if x := syntax.Receiver(call, "Exec", "ExecContext"); x != nil && c.isTx(c.TypesInfo.TypeOf(x)) {
			if fix, ok := c.returnError(cur, fn, "_, err := ", "Return the error"); ok {
				f.Fixes = []analysis.SuggestedFix{fix}
			}
		}
		c.Report(f)
	}
}

// droppedBatch recognises the Close of a pgx batch's results of which nobody asks anything: the only error there is.
//
// Source: pgx's BatchResults ("Close closes the batch operation. All unread results are read … If … the batch encounters an
// error subsequent callback functions will not be called" and it is returned).
func (c *checker) droppedBatch(fn *function, cur inspector.Cursor, call *ast.CallExpr) bool {
	x := syntax.Receiver(call, "Close")
	if x == nil || !unchecked(cur) {
		return false
	}
	name := callee.TypeName(c.TypesInfo, x)
	if !strings.HasPrefix(name, "github.com/jackc/pgx/") || !strings.HasSuffix(name, ".BatchResults") {
		return false
	}
	if _, direct := ast.Unparen(x).(*ast.CallExpr); direct {
		return true
	}
	v := c.Values.Var(x)
	if v == nil || v.IsField() {
		return false
	}
	uses := 0
	ast.Inspect(fn.node, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && c.TypesInfo.Uses[id] == v {
			uses++
		}
		return true
	})
	return uses == 1 // the Close
}
