package failoversafe

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/ast/inspector"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/callee"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/findings"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/syntax"
)

// checkPrimary looks at a query that asks whether the server is a standby, and at what becomes of the answer.
func (c *checker) checkPrimary(cur inspector.Cursor, name string) {
	call := cur.Node().(*ast.CallExpr)
	asked := ""
	if strings.HasPrefix(callee.Last(name), "Query") || strings.HasPrefix(callee.Last(name), "Get") {
		for _, arg := range call.Args {
			sql, ok := c.constant(arg)
			sql = strings.ToLower(sql)
			for _, text := range []string{"pg_is_in_recovery()", "show transaction_read_only", "show in_hot_standby"} {
				if ok && strings.Contains(sql, text) && len(sql) < len(text)+30 {
					asked = text
				}
			}
		}
	}
	if asked == "" {
		return
	}
	fn, ok := syntax.Enclosing(cur)
	if !ok {
		return
	}
	var answers []ast.Expr
	if scan, ok := scanOf(cur); ok { // db.QueryRow(…).Scan(&x)
		answers = scan.Args
	} else if strings.HasPrefix(callee.Last(name), "Get") { // sqlx: db.Get(&x, …)
		answers = call.Args
	}
	for _, answer := range answers {
		u, ok := ast.Unparen(answer).(*ast.UnaryExpr)
		if !ok {
			continue
		}
		v := c.kept(fn, c.Values.Var(u.X))
		if v == nil || !c.onlyOnce(cur, fn) || !c.readElsewhere(v, fn) {
			continue
		}
		c.Report(findings.Finding{Check: "cached-primary-flag", Pos: call.Pos(), End: call.End(),
			Message: fmt.Sprintf("the answer to %s is kept in %s, and never asked for again: after a failover it is wrong, writes go to a server that refuses them, and the new primary is not used until the service is restarted", asked, v.Name()),
			Help:    "Ask on the connection that is about to be used, or let the driver do so: target_session_attrs=read-write."})
		return
	}
}

// scanOf is the call of Scan on the result of a call.
func scanOf(cur inspector.Cursor) (*ast.CallExpr, bool) {
	sel, ok := cur.Parent().Node().(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != "Scan" {
		return nil, false
	}
	call, ok := cur.Parent().Parent().Node().(*ast.CallExpr)
	return call, ok
}

// kept is the variable of the package or the field that an answer ends up in: v itself, or what the function assigns v to.
func (c *checker) kept(fn inspector.Cursor, v *types.Var) *types.Var {
	if v == nil {
		return nil
	}
	if c.outlives(v) {
		return v
	}
	for cur := range fn.Preorder((*ast.AssignStmt)(nil)) {
		assign := cur.Node().(*ast.AssignStmt)
		for i, lhs := range assign.Lhs {
			to := c.Values.Var(lhs)
			if to == nil || !c.outlives(to) || i >= len(assign.Rhs) {
				continue
			}
			e := ast.Unparen(assign.Rhs[i])
			switch x := e.(type) {
			case *ast.UnaryExpr: // !inRecovery
				e = x.X
			case *ast.BinaryExpr: // readOnly == "off"
				e = x.X
			}
			if c.Values.Var(e) == v {
				return to
			}
		}
	}
	return nil
}

func (c *checker) outlives(v *types.Var) bool {
	return v.Pkg() == c.Pkg && (v.IsField() || v.Parent() == c.Pkg.Scope())
}

// onlyOnce reports whether a call in function fn runs once in the life of the process or of the value: in no loop, and in a
// function literal given to sync.Once, in init or main, or in a function whose name says that it makes something, which no loop
// calls.
func (c *checker) onlyOnce(cur, fn inspector.Cursor) bool {
	if _, loop := syntax.Loop(cur); loop {
		return false
	}
	if _, ok := fn.Node().(*ast.FuncLit); ok {
		call, ok := fn.Parent().Node().(*ast.CallExpr)
		return ok && callee.Name(c.TypesInfo, call) == "(*sync.Once).Do"
	}
	obj, decl := c.declared(cur)
	if obj == nil || decl != fn {
		return false
	}
	name := strings.ToLower(obj.Name())
	made := name == "main" || name == "init"
	for _, prefix := range []string{"new", "open", "connect", "setup", "init", "must", "make"} {
		made = made || strings.HasPrefix(name, prefix)
	}
	if !made {
		return false
	}
	for use := range c.Root.Preorder((*ast.Ident)(nil)) {
		if c.TypesInfo.Uses[use.Node().(*ast.Ident)] != obj {
			continue
		}
		caller, _ := syntax.EnclosingFunc(use).(*ast.FuncDecl)
		if _, loop := syntax.Loop(use); caller == nil || loop || ast.Node(caller) == fn.Node() {
			return false
		}
	}
	return true
}

// readElsewhere reports whether another function uses a variable, and none gives it another value.
func (c *checker) readElsewhere(v *types.Var, fn inspector.Cursor) bool {
	read := false
	for cur := range c.Root.Preorder((*ast.Ident)(nil)) {
		id := cur.Node().(*ast.Ident)
		if c.TypesInfo.Uses[id] != v || fn.Contains(cur) {
			continue
		}
		expr := syntax.Named(cur)
		switch parent := expr.Parent().Node().(type) {
		case *ast.UnaryExpr:
			if parent.Op == token.AND {
				return false // filled in again
			}
		case *ast.AssignStmt:
			if slices.Contains(parent.Lhs, expr.Node().(ast.Expr)) {
				return false
			}
		case *ast.SelectorExpr:
			return false // an atomic.Bool, perhaps, that is stored to
		}
		read = true
	}
	return read
}
