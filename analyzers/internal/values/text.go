package values

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"strings"
)

// Constant is the value of a constant string; not ok of other expressions.
func (r *Result) Constant(e ast.Expr) (text string, ok bool) {
	v := r.info.Types[e].Value
	if v == nil || v.Kind() != constant.String {
		return "", false
	}
	return constant.StringVal(v), true
}

// Text is what can be seen of a string: its constants, through variables, concatenation and calls such as fmt.Sprintf, whose
// verbs stay. Of a variable with several values it is all of those given before the place, one after the other. It is for
// looking whether a word is there, not for parsing.
func (r *Result) Text(e ast.Expr) string { return r.text(e, 0) }

func (r *Result) text(e ast.Expr, depth int) string {
	if text, ok := r.Constant(e); ok || r.info.Types[e].Value != nil {
		return text
	}
	if depth > 4 {
		return ""
	}
	switch e := ast.Unparen(e).(type) {
	case *ast.BinaryExpr:
		if e.Op == token.ADD {
			return r.text(e.X, depth+1) + r.text(e.Y, depth+1)
		}
	case *ast.CallExpr:
		if !isString(r.info.TypeOf(e)) {
			return ""
		}
		text := ""
		for _, arg := range e.Args {
			text += r.text(arg, depth+1)
		}
		return text
	case *ast.Ident, *ast.SelectorExpr:
		v := r.Var(e)
		if v == nil || !isString(v.Type()) {
			return ""
		}
		list, _ := r.Of(v)
		text := ""
		for _, s := range list {
			if s.Expr.Pos() <= e.Pos() || v.Pkg() != nil && v.Parent() == v.Pkg().Scope() {
				text += r.text(s.Expr, depth+1) + " "
			}
		}
		return strings.TrimSpace(text)
	}
	return ""
}

func isString(t types.Type) bool {
	if t == nil {
		return false
	}
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsString != 0
}
