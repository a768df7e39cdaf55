package migratecheck

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// usingOf is what a change of a column's type says behind USING, nil for nothing.
func (s *Step) usingOf(column string) *pgast.Node {
	for _, n := range s.Stmt.Node.GetAlterTableStmt().GetCmds() {
		if cmd := n.GetAlterTableCmd(); cmd.GetName() == column && cmd.GetSubtype() == pgast.AlterTableType_AT_AlterColumnType {
			return cmd.Def.GetColumnDef().GetRawDefault()
		}
	}
	return nil
}

// usingSucceeds reports whether no value that USING yields can fail to become one of the new type. It need not look for
// conversions that PostgreSQL does not make by itself, as of text to integer: it refuses the statement.
func (s *Step) usingSucceeds(using *pgast.Node, from, to string) bool {
	fb, _ := splitType(from)
	tb, mods := splitType(to)
	for _, value := range yields(using) {
		switch {
		case value.GetAConst() != nil && !isText(tb):
		case isText(tb):
			if n, known := longest(value); len(mods) == 0 || known && n <= mods[0] {
				continue
			}
			return false
		case !isText(fb), castsColumn(value):
			return false
		}
	}
	return true
}

// yields lists the expressions of which one is the value of an expression: the branches of CASE, the arguments of coalesce.
func yields(n *pgast.Node) []*pgast.Node {
	var parts []*pgast.Node
	switch {
	case n.GetCaseExpr() != nil:
		for _, when := range n.GetCaseExpr().Args {
			parts = append(parts, when.GetCaseWhen().Result)
		}
		if rest := n.GetCaseExpr().Defresult; rest != nil {
			parts = append(parts, rest)
		}
	case n.GetCoalesceExpr() != nil:
		parts = n.GetCoalesceExpr().Args
	default:
		return []*pgast.Node{n}
	}
	var list []*pgast.Node
	for _, part := range parts {
		list = append(list, yields(part)...)
	}
	return list
}

// castsColumn reports whether an expression reads the value of a column as that of another type: by a cast, or by a function that
// refuses what it cannot read.
func castsColumn(n *pgast.Node) bool {
	found := n.GetColumnRef() != nil
	pgast.Walk(n, func(n *pgast.Node) bool {
		if cast := n.GetTypeCast(); cast != nil {
			names := words(cast.TypeName.GetNames())
			found = found || readsColumn(cast.Arg) && (len(names) == 0 || !textNames[names[len(names)-1]])
		}
		if names := words(n.GetFuncCall().GetFuncname()); len(names) > 0 {
			switch names[len(names)-1] {
			case "to_number", "to_date", "to_timestamp", "make_date", "decode", "convert_from", "xmlparse", "jsonb_path_query_first":
				found = true
			}
		}
		return !found
	})
	return found
}

// readsMember reports whether an expression casts what stands as text in a JSON value: (data->>'n')::integer.
func readsMember(n *pgast.Node) bool {
	found := false
	pgast.Walk(n, func(n *pgast.Node) bool {
		if cast := n.GetTypeCast(); cast != nil {
			names, op := words(cast.TypeName.GetNames()), words(cast.Arg.GetAExpr().GetName())
			found = found || len(names) > 0 && !textNames[names[len(names)-1]] && len(op) == 1 && (op[0] == "->>" || op[0] == "#>>")
		}
		return !found
	})
	return found
}

// readsColumn reports whether the value of an expression has the value of a column in it, and not only its length, or whether a
// condition holds of it.
func readsColumn(n *pgast.Node) bool {
	switch e := n.GetAExpr(); {
	case n.GetCaseExpr() != nil, n.GetCoalesceExpr() != nil:
		return slices.ContainsFunc(yields(n), readsColumn)
	case n.GetTypeCast() != nil:
		return readsColumn(n.GetTypeCast().Arg)
	case n.GetBoolExpr() != nil, n.GetNullTest() != nil, n.GetBooleanTest() != nil:
		return false
	case e.GetKind() == pgast.A_Expr_Kind_AEXPR_OP && slices.Contains([]string{"=", "<>", "<", ">", "<=", ">=", "~", "~*", "!~"}, words(e.Name)[0]),
		e.GetKind() == pgast.A_Expr_Kind_AEXPR_IN, e.GetKind() == pgast.A_Expr_Kind_AEXPR_LIKE, e.GetKind() == pgast.A_Expr_Kind_AEXPR_ILIKE:
		return false
	case n.GetFuncCall() != nil:
		names := words(n.GetFuncCall().Funcname)
		switch names[len(names)-1] {
		case "length", "char_length", "octet_length", "position", "strpos", "hashtext":
			return false
		}
	}
	found := false
	pgast.Walk(n, func(n *pgast.Node) bool {
		found = found || n.GetColumnRef() != nil
		return !found
	})
	return found
}

// textNames are the types, as the parser calls them, to which an explicit cast never fails: it cuts off what is too long (PostgreSQL 15
// manual, 8.3 Character Types).
var textNames = map[string]bool{"text": true, "varchar": true, "bpchar": true, "name": true}

// longest is the number of characters that a text has at most.
func longest(n *pgast.Node) (length int, known bool) {
	if c := n.GetAConst(); c != nil {
		return len([]rune(c.GetSval().GetSval())), c.Isnull || c.GetSval() != nil
	}
	number := func(n *pgast.Node) (int, bool) {
		i := n.GetAConst().GetIval()
		return int(i.GetIval()), i != nil && i.Ival >= 0
	}
	if cast := n.GetTypeCast(); cast != nil {
		names := words(cast.TypeName.GetNames())
		if name := names[len(names)-1]; (name == "varchar" || name == "bpchar") && len(cast.TypeName.Typmods) == 1 {
			return number(cast.TypeName.Typmods[0])
		} else if name == "text" || name == "varchar" {
			return longest(cast.Arg)
		}
		return 0, false
	}
	call := n.GetFuncCall()
	names := words(call.GetFuncname())
	if len(names) == 0 {
		return 0, false
	}
	switch args := call.Args; names[len(names)-1] {
	case "left":
		if len(args) == 2 {
			return number(args[1])
		}
	case "substr", "substring":
		if len(args) == 3 {
			return number(args[2])
		}
	case "md5":
		return 32, true
	case "btrim", "ltrim", "rtrim":
		return longest(args[0])
	}
	return 0, false
}
