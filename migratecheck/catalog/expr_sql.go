package catalog

import (
	"strconv"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// exprSQL writes an expression. The commonest, a constant, does not need libpg_query, which is called through cgo.
func exprSQL(n *pgast.Node) string {
	if k := n.GetAConst(); k != nil {
		switch v := k.Val.(type) {
		case *pgast.A_Const_Ival:
			return strconv.Itoa(int(v.Ival.GetIval()))
		case *pgast.A_Const_Boolval:
			return strconv.FormatBool(v.Boolval.GetBoolval())
		case *pgast.A_Const_Sval:
			if s := v.Sval.GetSval(); !strings.ContainsRune(s, '\\') {
				return "'" + strings.ReplaceAll(s, "'", "''") + "'"
			}
		}
	}
	sql, err := pgast.DeparseExpr(n)
	if err != nil {
		return "" // a tree that the parser returned can be written
	}
	return sql
}
