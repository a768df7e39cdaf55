package catalog

import (
	"strconv"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// exprSQL is pgast.DeparseExpr. That one writes the tree as protobuf and hands it to C, which was a third of the time
// of applying DDL; so the expressions that most defaults, keys and checks are made of are written here, in the same words
// (TestExprSQL compares).
func exprSQL(n *pgast.Node) string {
	var b strings.Builder
	if writeExpr(&b, n) {
		return b.String()
	}
	sql, err := pgast.DeparseExpr(n)
	if err != nil {
		return "" // a tree that the parser returned can be written
	}
	return sql
}

// writeExpr writes a simple expression, or reports that it is not one.
func writeExpr(b *strings.Builder, n *pgast.Node) bool {
	switch n := n.GetNode().(type) {
	case *pgast.Node_AConst:
		return writeConst(b, n.AConst)
	case *pgast.Node_ColumnRef:
		for i, f := range n.ColumnRef.Fields {
			name := f.GetString_().GetSval()
			if name == "" || pgast.QuoteIdent(name) != name {
				return false
			}
			if i > 0 {
				b.WriteByte('.')
			}
			b.WriteString(name)
		}
		return len(n.ColumnRef.Fields) > 0
	case *pgast.Node_FuncCall:
		f := n.FuncCall
		if len(f.Funcname) != 1 || f.AggOrder != nil || f.AggFilter != nil || f.Over != nil || f.AggWithinGroup || f.AggStar ||
			f.AggDistinct || f.FuncVariadic || f.Funcformat != pgast.CoercionForm_COERCE_EXPLICIT_CALL {
			return false
		}
		name := f.Funcname[0].GetString_().GetSval()
		if !isPlainWord(name) {
			return false
		}
		b.WriteString(name + "(")
		for i, a := range f.Args {
			if i > 0 {
				b.WriteString(", ")
			}
			if !writeExpr(b, a) {
				return false
			}
		}
		b.WriteByte(')')
		return true
	case *pgast.Node_NullTest:
		t := n.NullTest
		if t.Arg.GetColumnRef() == nil || !writeExpr(b, t.Arg) {
			return false
		}
		if t.Nulltesttype == pgast.NullTestType_IS_NULL {
			b.WriteString(" IS NULL")
		} else {
			b.WriteString(" IS NOT NULL")
		}
		return true
	case *pgast.Node_AExpr:
		e := n.AExpr
		if e.Kind != pgast.A_Expr_Kind_AEXPR_OP || len(e.Name) != 1 || !isOperand(e.Lexpr) || !isOperand(e.Rexpr) || !writeExpr(b, e.Lexpr) {
			return false
		}
		b.WriteString(" " + e.Name[0].GetString_().GetSval() + " ")
		return writeExpr(b, e.Rexpr)
	}
	return false
}

func writeConst(b *strings.Builder, k *pgast.A_Const) bool {
	switch v := k.Val.(type) {
	case *pgast.A_Const_Ival:
		b.WriteString(strconv.Itoa(int(v.Ival.GetIval())))
		return true
	case *pgast.A_Const_Boolval:
		b.WriteString(strconv.FormatBool(v.Boolval.GetBoolval()))
		return true
	case *pgast.A_Const_Sval:
		if s := v.Sval.GetSval(); !strings.ContainsRune(s, '\\') {
			b.WriteString("'" + strings.ReplaceAll(s, "'", "''") + "'")
			return true
		}
	}
	return false
}

// isOperand reports whether a side of an operator is written without parentheses.
func isOperand(n *pgast.Node) bool {
	switch n.GetNode().(type) {
	case *pgast.Node_AConst, *pgast.Node_ColumnRef, *pgast.Node_FuncCall:
		return true
	}
	return false
}

// isPlainWord reports whether a name is certainly written without quotes: lower case, with an underscore or digit in it,
// which no keyword that would need quotes has but the current_ ones, or one of the names met most.
func isPlainWord(s string) bool {
	special := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z':
		case c == '_', i > 0 && '0' <= c && c <= '9':
			special = true
		default:
			return false
		}
	}
	switch s {
	case "id", "created", "updated", "now", "nextval", "lower", "upper", "length":
		return true
	}
	return special && !strings.HasPrefix(s, "current_") && !strings.HasPrefix(s, "xml") && !strings.HasPrefix(s, "json") &&
		!strings.HasPrefix(s, "pg_") && s != "session_user" && s != "system_user"
}
