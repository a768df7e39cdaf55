// Package syntax answers questions about syntax trees that several analyzers ask.
package syntax

import (
	"go/ast"
	"go/token"
	"slices"

	"golang.org/x/tools/go/ast/edge"
	"golang.org/x/tools/go/ast/inspector"
)

// File is the one of a package's files in which a position is, nil for none.
func File(files []*ast.File, pos token.Pos) *ast.File {
	for _, f := range files {
		if f.FileStart <= pos && pos < f.FileEnd {
			return f
		}
	}
	return nil
}

// Enclosing is the innermost function (*ast.FuncDecl, *ast.FuncLit) around a node; false outside of functions.
func Enclosing(cur inspector.Cursor) (inspector.Cursor, bool) {
	for up := range cur.Parent().Enclosing((*ast.FuncDecl)(nil), (*ast.FuncLit)(nil)) {
		return up, true
	}
	return inspector.Cursor{}, false
}

// EnclosingFunc is the node of Enclosing, nil outside of functions.
func EnclosingFunc(cur inspector.Cursor) ast.Node {
	if fn, ok := Enclosing(cur); ok {
		return fn.Node()
	}
	return nil
}

// Body is the body of a function or of a loop, nil for other nodes and for functions without one.
func Body(n ast.Node) *ast.BlockStmt {
	switch n := n.(type) {
	case *ast.FuncDecl:
		return n.Body
	case *ast.FuncLit:
		return n.Body
	case *ast.ForStmt:
		return n.Body
	case *ast.RangeStmt:
		return n.Body
	}
	return nil
}

// Loop is the innermost loop around a node in its function; false when there is none.
func Loop(cur inspector.Cursor) (inspector.Cursor, bool) {
	for up := range cur.Parent().Enclosing((*ast.ForStmt)(nil), (*ast.RangeStmt)(nil), (*ast.FuncDecl)(nil), (*ast.FuncLit)(nil)) {
		switch up.Node().(type) {
		case *ast.ForStmt, *ast.RangeStmt:
			return up, true
		}
		break
	}
	return inspector.Cursor{}, false
}

// Statements are those of a block or a case.
func Statements(n ast.Node) []ast.Stmt {
	switch n := n.(type) {
	case *ast.BlockStmt:
		return n.List
	case *ast.CaseClause:
		return n.Body
	case *ast.CommClause:
		return n.Body
	}
	return nil
}

// InList reports whether a node is one of a list of statements.
func InList(cur inspector.Cursor) bool {
	switch cur.ParentEdgeKind() {
	case edge.BlockStmt_List, edge.CaseClause_Body, edge.CommClause_Body:
		return true
	}
	return false
}

// Last is the last statement of a list, nil of an empty one.
func Last(list []ast.Stmt) ast.Stmt {
	if len(list) == 0 {
		return nil
	}
	return list[len(list)-1]
}

// Leaves reports whether a statement goes on elsewhere than at the next one: it returns, jumps or panics.
func Leaves(s ast.Stmt) bool {
	switch s := s.(type) {
	case *ast.ReturnStmt:
		return true
	case *ast.BranchStmt:
		return s.Tok != token.FALLTHROUGH
	case *ast.ExprStmt:
		if call, ok := s.X.(*ast.CallExpr); ok {
			id, ok := ast.Unparen(call.Fun).(*ast.Ident)
			return ok && id.Name == "panic"
		}
	}
	return false
}

// LeavesLoop reports whether a statement is a return or a break.
func LeavesLoop(s ast.Stmt) bool {
	switch s := s.(type) {
	case *ast.ReturnStmt:
		return true
	case *ast.BranchStmt:
		return s.Tok == token.BREAK
	}
	return false
}

// Receiver is x of a call x.Name(…), for one of some names; nil for other calls.
func Receiver(call *ast.CallExpr, names ...string) ast.Expr {
	if sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok && slices.Contains(names, sel.Sel.Name) {
		return sel.X
	}
	return nil
}

// Called is what a call calls, as it is written: F of F(), x.F(), p.F[T](); "" for other expressions.
func Called(call *ast.CallExpr) string {
	e := ast.Unparen(call.Fun)
	switch x := e.(type) {
	case *ast.IndexExpr:
		e = x.X
	case *ast.IndexListExpr:
		e = x.X
	}
	switch e := e.(type) {
	case *ast.SelectorExpr:
		return e.Sel.Name
	case *ast.Ident:
		return e.Name
	}
	return ""
}

// Named is the expression that an identifier is the name in: x.f for the f of x.f, else the identifier.
func Named(id inspector.Cursor) inspector.Cursor {
	if sel, ok := id.Parent().Node().(*ast.SelectorExpr); ok && sel.Sel == id.Node() {
		return id.Parent()
	}
	return id
}

// Literal is the composite literal that an expression is, or is the address of; nil for others.
func Literal(e ast.Expr) *ast.CompositeLit {
	e = ast.Unparen(e)
	if u, ok := e.(*ast.UnaryExpr); ok && u.Op == token.AND {
		e = ast.Unparen(u.X)
	}
	lit, _ := e.(*ast.CompositeLit)
	return lit
}

// Field is what a literal gives a field by name, nil when it does not.
func Field(lit *ast.CompositeLit, name string) ast.Expr {
	for _, e := range lit.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			if key, ok := kv.Key.(*ast.Ident); ok && key.Name == name {
				return kv.Value
			}
		}
	}
	return nil
}

// Mentions reports whether an identifier of that name stands anywhere in a node.
func Mentions(n ast.Node, name string) bool {
	found := false
	ast.Inspect(n, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		found = found || ok && id.Name == name
		return !found
	})
	return found
}
