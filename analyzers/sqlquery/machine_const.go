package sqlquery

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"strconv"
)

// constant is the value of a constant expression; of a string, where its parts stand in the source.
func (m *machine) constant(e ast.Expr, v constant.Value) value {
	if v.Kind() != constant.String {
		return &number{v}
	}
	if t := m.constantText(e, m.pkg(), 0); t != nil {
		if s, ok := literal(t); ok && s == constant.StringVal(v) {
			return t
		}
	}
	return known(constant.StringVal(v), e.Pos(), false)
}

// constantText finds where the parts of a constant string are written, nil when that is not in code that was read.
func (m *machine) constantText(e ast.Expr, k *pkg, depth int) *text {
	if depth > 30 {
		return nil
	}
	switch e := e.(type) {
	case *ast.ParenExpr:
		return m.constantText(e.X, k, depth+1)
	case *ast.BasicLit:
		t, _ := literalValue(e).(*text)
		return t
	case *ast.BinaryExpr:
		a, b := m.constantText(e.X, k, depth+1), m.constantText(e.Y, k, depth+1)
		if a == nil || b == nil || e.Op != token.ADD {
			return nil
		}
		return concat(a, b)
	case *ast.CallExpr: // a conversion
		if len(e.Args) == 1 {
			return m.constantText(e.Args[0], k, depth+1)
		}
	case *ast.Ident:
		if d, ok := m.consts[k.info.Uses[e]]; ok {
			return m.constantText(d.expr, d.pkg, depth+1)
		}
	case *ast.SelectorExpr:
		if d, ok := m.consts[k.info.Uses[e.Sel]]; ok {
			return m.constantText(d.expr, d.pkg, depth+1)
		}
	}
	return nil
}

// literalValue is a literal as it is written.
func literalValue(e *ast.BasicLit) value {
	switch e.Kind {
	case token.STRING:
		if len(e.Value) > 1 && e.Value[0] == '`' {
			s, err := strconv.Unquote(e.Value)
			if err != nil {
				return &unknown{}
			}
			return known(s, e.ValuePos+1, len(s) == len(e.Value)-2)
		}
		return quoted(e)
	case token.INT, token.FLOAT, token.CHAR, token.IMAG:
		return &number{constant.MakeFromLiteral(e.Value, e.Kind, 0)}
	}
	return &unknown{}
}

// quoted splits an interpreted string at its escapes, so that what stands between them keeps its place.
func quoted(e *ast.BasicLit) value {
	s := e.Value
	if len(s) < 2 || s[len(s)-1] != '"' {
		return &unknown{}
	}
	s = s[1 : len(s)-1]
	t := &text{}
	for at := 0; len(s) > 0; {
		n := 0
		for n < len(s) && s[n] != '\\' {
			n++
		}
		pos := e.ValuePos + 1 + token.Pos(at)
		if n > 0 {
			t.parts = append(t.parts, part{lit: s[:n], pos: pos, linear: true})
			s, at = s[n:], at+n
			continue
		}
		r, multibyte, rest, err := strconv.UnquoteChar(s, '"')
		if err != nil {
			return &unknown{}
		}
		piece := string(r)
		if !multibyte {
			piece = string([]byte{byte(r)})
		}
		t.parts = append(t.parts, part{lit: piece, pos: pos})
		at += len(s) - len(rest)
		s = rest
	}
	return t
}

func (m *machine) constantOf(obj *types.Const, pos token.Pos) value {
	if d, ok := m.consts[obj]; ok {
		if t := m.constantText(d.expr, d.pkg, 0); t != nil {
			return t
		}
	}
	if obj.Val() == nil || obj.Val().Kind() == constant.Unknown {
		return &unknown{typ: obj.Type()}
	}
	if obj.Val().Kind() == constant.String {
		return known(constant.StringVal(obj.Val()), pos, false)
	}
	return &number{obj.Val()}
}
