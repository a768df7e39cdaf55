package droppedwrite

import (
	"go/ast"
	"go/types"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/tools/go/ast/inspector"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/callee"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/syntax"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/values"
)

// isTx reports whether a type is a transaction: *sql.Tx, pgx.Tx, *sqlx.Tx, and what has their methods, Commit, Rollback and one
// that executes a statement.
func (c *checker) isTx(t types.Type) bool {
	if t == nil {
		return false
	}
	is, known := c.txTypes[t]
	if !known {
		is = c.method(t, "Commit") != nil && c.method(t, "Rollback") != nil && (isExec(c.method(t, "Exec")) || isExec(c.method(t, "ExecContext")))
		c.txTypes[t] = is
	}
	return is
}

func (c *checker) method(t types.Type, name string) *types.Func {
	obj, _, _ := types.LookupFieldOrMethod(t, true, c.Pass.Pkg, name)
	fn, _ := obj.(*types.Func)
	return fn
}

// isExec reports whether a method executes a statement: its results are those of database/sql's or pgx's Exec.
func isExec(fn *types.Func) bool {
	if fn == nil {
		return false
	}
	results := fn.Signature().Results()
	if results.Len() != 2 {
		return false
	}
	switch name := callee.NameOf(results.At(0).Type()); {
	case name == "database/sql.Result":
		return true
	case strings.HasPrefix(name, "github.com/jackc/") && strings.HasSuffix(name, "pgconn.CommandTag"):
		return true
	}
	return false
}

// commitOf recognises the Commit of a transaction; tx is nil when that is no variable.
func (c *checker) commitOf(call *ast.CallExpr) (tx *types.Var, ok bool) {
	x := syntax.Receiver(call, "Commit")
	if x == nil || len(call.Args) > 1 || !c.isTx(c.TypesInfo.TypeOf(x)) {
		return nil, false
	}
	return c.Values.Var(x), true
}

// beginOf is the variable that a call gives a new transaction to.
func (c *checker) beginOf(cur inspector.Cursor, call *ast.CallExpr) *types.Var {
	tuple, ok := c.TypesInfo.TypeOf(call).(*types.Tuple)
	if !ok || tuple.Len() < 2 {
		return nil
	}
	assign, ok := cur.Parent().Node().(*ast.AssignStmt)
	if !ok || len(assign.Lhs) != tuple.Len() {
		return nil
	}
	for i := range tuple.Len() {
		if c.isTx(tuple.At(i).Type()) {
			return c.Values.Var(assign.Lhs[i])
		}
	}
	return nil
}

// readOnly reports whether a call asks for a transaction that cannot write: sql.TxOptions{ReadOnly: true},
// pgx.TxOptions{AccessMode: pgx.ReadOnly}.
func readOnly(call *ast.CallExpr) bool {
	found := false
	for _, arg := range call.Args {
		ast.Inspect(arg, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncLit:
				return false
			case *ast.KeyValueExpr:
				key, _ := n.Key.(*ast.Ident)
				if key != nil && key.Name == "ReadOnly" {
					value, _ := n.Value.(*ast.Ident)
					found = found || value != nil && value.Name == "true"
				}
				if sel, ok := n.Value.(*ast.SelectorExpr); ok && key != nil && key.Name == "AccessMode" {
					found = found || sel.Sel.Name == "ReadOnly"
				}
			}
			return true
		})
	}
	return found
}

// execOf recognises a call that executes a statement, with the text of it as far as that can be seen.
func (c *checker) execOf(call *ast.CallExpr) (text string, ok bool) {
	x := syntax.Receiver(call, "Exec", "ExecContext", "NamedExec", "NamedExecContext")
	if x == nil || !isExec(callee.Func(c.TypesInfo, call)) {
		return "", false
	}
	for _, arg := range call.Args {
		text += c.Values.Text(arg)
		if text != "" {
			break // what follows are arguments of the statement
		}
	}
	if text == "" {
		// A prepared statement, or a builder.
		if made, ok := c.Values.Resolve(x).Expr.(*ast.CallExpr); ok && syntax.Receiver(made, "Prepare", "PrepareContext", "Preparex", "PrepareNamed", "PrepareNamedContext") != nil {
			for _, arg := range made.Args {
				text += c.Values.Text(arg)
			}
		}
		switch _, name, _ := strings.Cut(callee.TypeName(c.TypesInfo, x), "squirrel."); name {
		case "InsertBuilder":
			text = "INSERT INTO"
			if c.calls(x, "Suffix") {
				text += " ON CONFLICT" // or so: what is not known counts as looked after
			}
		case "UpdateBuilder":
			text = "UPDATE SET"
		case "DeleteBuilder":
			text = "DELETE FROM"
		}
	}
	return text, true
}

// calls reports whether a chain of calls has one of this name.
func (c *checker) calls(chain ast.Expr, name string) bool {
	found := false
	ast.Inspect(c.Values.Resolve(chain).Expr, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok && sel.Sel.Name == name {
			found = true
		}
		return true
	})
	return found
}

var (
	writing = regexp.MustCompile(`(?is)\binsert\s+into\b|\bdelete\s+from\b|\bmerge\s+into\b|\btruncate\b|\bcopy\s+\S+.*\bfrom\b|\bupdate\b.+\bset\b|^\s*update\b|\b(?:next|set)val\s*\(`)
	// A parameter that the text gives by hand, "SET a = a + 1", is told by sameColumn.
	assigning = regexp.MustCompile(`(?i)\b([a-z_][a-z0-9_]*)\s*=\s*(?:[a-z_][a-z0-9_]*\.)?([a-z_][a-z0-9_]*)\s*(?:[-+*/]|\|\|)`)
	guarded   = regexp.MustCompile(`(?i)\bon\s+conflict\b|\bon\s+duplicate\s+key\b|\bnot\s+exists\b|idempoten|\breplace\s+into\b`)
)

// writes reports whether a text changes rows.
func writes(text string) bool { return writing.MatchString(text) }

// repeatable reports whether a text may run twice and leave what it leaves when it runs once, or may do so for all that can
// be seen.
func repeatable(text string) bool {
	if guarded.MatchString(text) {
		return true
	}
	if insert.MatchString(text) {
		return false
	}
	for _, m := range assigning.FindAllStringSubmatch(text, -1) {
		if strings.EqualFold(m[1], m[2]) {
			return false
		}
	}
	return true
}

var insert = regexp.MustCompile(`(?i)\binsert\s+into\b`)

// onlyReads reports whether it can be seen that a transaction changes nothing: it is only asked, with texts that read, here
// and in the functions of this package that it is given to.
func (c *checker) onlyReads(tx *types.Var, scope inspector.Cursor, depth int) bool {
	if depth > 3 {
		return false
	}
	for cur := range scope.Preorder((*ast.Ident)(nil)) {
		id := cur.Node().(*ast.Ident)
		if c.TypesInfo.Uses[id] != tx {
			continue
		}
		switch parent := cur.Parent().Node().(type) {
		case *ast.SelectorExpr:
			call, ok := cur.Parent().Parent().Node().(*ast.CallExpr)
			if !ok {
				return false
			}
			switch parent.Sel.Name {
			case "Commit", "Rollback":
			case "Query", "QueryContext", "QueryRow", "QueryRowContext", "Queryx", "QueryRowx", "QueryxContext", "QueryRowxContext", "Get", "Select", "GetContext", "SelectContext":
				for _, arg := range call.Args {
					if writes(c.Values.Text(arg)) {
						return false
					}
				}
			default:
				return false
			}
		case *ast.CallExpr:
			fn := callee.Func(c.TypesInfo, parent)
			decl, ok := c.Decls[fn]
			if !ok {
				return false
			}
			for i, arg := range parent.Args {
				if arg != ast.Expr(id) {
					continue
				}
				if i >= fn.Signature().Params().Len() || !c.onlyReads(fn.Signature().Params().At(i), decl, depth+1) {
					return false
				}
			}
		case *ast.AssignStmt:
			if !slices.Contains(parent.Lhs, ast.Expr(id)) {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// reaching lists what a variable may have been given where it is used, last first.
func (c *checker) reaching(v *types.Var, use inspector.Cursor, fn inspector.Cursor) []values.Source {
	var found []values.Source
	list, _ := c.Values.Of(v)
	for i := len(list) - 1; i >= 0; i-- {
		at := list[i].At
		if at >= use.Node().Pos() || at < fn.Node().Pos() {
			continue
		}
		found = append(found, list[i])
		cur, ok := fn.FindByPos(at, at)
		if ok && dominates(cur, use) {
			break
		}
	}
	return found
}

// dominates reports whether the block of a also holds b, so that b runs after a only.
func dominates(a, b inspector.Cursor) bool {
	child := a
	for up := a; up.Node() != nil; child, up = up, up.Parent() {
		n := up.Node()
		holds := n.Pos() <= b.Node().Pos() && b.Node().End() <= n.End()
		switch n := n.(type) {
		case *ast.IfStmt:
			if holds || n.Init == nil || child.Node() != n.Init {
				return holds
			}
		case *ast.BlockStmt, *ast.CaseClause, *ast.CommClause, *ast.FuncType:
			return holds
		}
	}
	return false
}
