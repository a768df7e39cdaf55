package droppedwrite

import (
	"bytes"
	"go/ast"
	"go/format"
	"go/types"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/inspector"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/callee"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/syntax"
)

// returnError turns a statement that is a call into one that returns its error: "if err := CALL; err != nil { return …, err }".
// assign is what stands before the call.
func (c *checker) returnError(call inspector.Cursor, fn *function, assign, message string) (analysis.SuggestedFix, bool) {
	stmt, ok := call.Parent().Node().(*ast.ExprStmt)
	if !ok || !syntax.InList(call.Parent()) {
		return analysis.SuggestedFix{}, false
	}
	var text bytes.Buffer
	if err := format.Node(&text, c.Fset, stmt.X); err != nil {
		return analysis.SuggestedFix{}, false
	}
	ret, ok := c.errorReturn(fn)
	if !ok || strings.Contains(text.String(), "\n") {
		return analysis.SuggestedFix{}, false
	}
	indent := c.indent(stmt)
	return analysis.SuggestedFix{Message: message, TextEdits: []analysis.TextEdit{
		{Pos: stmt.Pos(), End: stmt.Pos(), NewText: []byte("if " + assign)},
		{Pos: stmt.End(), End: stmt.End(), NewText: []byte("; err != nil {\n" + indent + "\t" + ret + "\n" + indent + "}")},
	}}, true
}

// errorReturn is the statement by which a function returns err and otherwise nothing; false when that cannot be written for
// certain.
func (c *checker) errorReturn(fn *function) (string, bool) {
	if fn.sig == nil || !callee.ReturnsError(fn.sig) {
		return "", false
	}
	results := fn.sig.Results()
	n := results.Len()
	list := make([]string, 0, n)
	for i := range n - 1 {
		zero, ok := zeroOf(results.At(i).Type())
		if !ok {
			return "", false
		}
		list = append(list, zero)
	}
	return "return " + strings.Join(append(list, "err"), ", "), true
}

// zeroOf is a literal of a type's zero value, where one can be written without naming the type.
func zeroOf(t types.Type) (string, bool) {
	if _, ok := t.(*types.TypeParam); ok {
		return "", false
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		switch {
		case u.Info()&types.IsString != 0:
			return `""`, true
		case u.Info()&types.IsNumeric != 0:
			return "0", true
		case u.Info()&types.IsBoolean != 0:
			return "false", true
		}
	case *types.Pointer, *types.Slice, *types.Map, *types.Chan, *types.Signature, *types.Interface:
		return "nil", true
	}
	return "", false
}

// indent is the white space before a statement, as gofmt has it.
func (c *checker) indent(s ast.Stmt) string {
	return strings.Repeat("\t", max(0, c.Fset.Position(s.Pos()).Column-1))
}
