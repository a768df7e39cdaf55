package migratecheck

import (
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// enumCast is a column whose values an UPDATE casts to an enum.
type enumCast struct {
	table  catalog.OID
	column *catalog.Column
	enum   *catalog.Type
	at     int
}

// enumCasts lists the columns of the table, older than the pending change, whose values an UPDATE casts to an enum that may
// not have a label for each. Values that nothing is known about (of other tables, of functions) are left out.
func (s *Step) enumCasts() []enumCast {
	u := s.Stmt.Node.GetUpdateStmt()
	if u == nil {
		return nil
	}
	rel := s.Before.Relation(u.Relation.GetSchemaname(), u.Relation.GetRelname())
	if rel == nil || !s.inUse(rel) {
		return nil
	}
	own := func(ref *pgast.ColumnRef) *catalog.Column {
		names := words(ref.GetFields())
		if len(names) == 0 || len(names) > 1 && names[len(names)-2] != rel.Name && names[len(names)-2] != u.Relation.GetAlias().GetAliasname() {
			return nil
		}
		return rel.Column(names[len(names)-1])
	}
	var list []enumCast
	for _, target := range u.TargetList {
		pgast.Walk(target, func(n *pgast.Node) bool {
			cast := n.GetTypeCast()
			enum := s.enumNamed(cast.GetTypeName())
			if enum == nil {
				return true
			}
			for _, ref := range sources(cast.Arg) {
				col := own(ref)
				if col == nil || s.IsNewColumn(rel.OID, col.Num) || s.fills(rel.OID, col.Num) || u.WhereClause != nil && mentionsColumn(u.WhereClause, col.Name) || !s.mayLackLabel(rel.OID, col, enum) ||
					slices.ContainsFunc(list, func(c enumCast) bool { return c.column == col && c.enum == enum }) {
					continue
				}
				list = append(list, enumCast{rel.OID, col, enum, int(ref.Location) - s.Stmt.Offset})
			}
			return true
		})
	}
	return list
}

// enumNamed is the enum that a type's name stands for, nil for any other type.
func (s *Step) enumNamed(n *pgast.TypeName) *catalog.Type {
	names := words(n.GetNames())
	if len(names) == 0 || len(n.GetArrayBounds()) > 0 {
		return nil
	}
	schema := ""
	if len(names) > 1 {
		schema = names[len(names)-2]
	}
	if t := s.Before.TypeNamed(schema, names[len(names)-1]); t != nil && t.Kind == catalog.EnumType && !t.Assumed {
		return t
	}
	return nil
}

// sources lists the columns whose values an expression may yield, changed by the usual functions of strings or not.
func sources(n *pgast.Node) []*pgast.ColumnRef {
	var list []*pgast.ColumnRef
	all := func(nodes ...*pgast.Node) {
		for _, n := range nodes {
			list = append(list, sources(n)...)
		}
	}
	switch {
	case n.GetColumnRef() != nil:
		return []*pgast.ColumnRef{n.GetColumnRef()}
	case n.GetTypeCast() != nil:
		all(n.GetTypeCast().Arg)
	case n.GetCaseExpr() != nil:
		for _, when := range n.GetCaseExpr().Args {
			all(when.GetCaseWhen().GetResult())
		}
		all(n.GetCaseExpr().Defresult)
	case n.GetCoalesceExpr() != nil:
		all(n.GetCoalesceExpr().Args...)
	case n.GetFuncCall() != nil:
		call := n.GetFuncCall()
		names := words(call.Funcname)
		if len(names) == 0 || len(call.Args) == 0 {
			return nil
		}
		switch names[len(names)-1] {
		case "lower", "upper", "initcap", "btrim", "ltrim", "rtrim", "replace", "translate", "regexp_replace":
			all(call.Args[0])
		}
	}
	return list
}

// mayLackLabel reports whether a column can hold a value that is no label of the enum.
func (s *Step) mayLackLabel(table catalog.OID, col *catalog.Column, enum *catalog.Type) bool {
	if from, ok := s.Before.Get(col.Type.OID).(*catalog.Type); ok && from.Kind == catalog.EnumType && !col.Type.Array {
		return !contains(enum.Labels, from.Labels)
	}
	base, _ := splitType(s.Before.FormatType(col.Type))
	return isText(base) && !s.provesLabels(table, col, enum)
}

// provesLabels reports whether a validated CHECK allows only values that are labels of the enum.
func (s *Step) provesLabels(table catalog.OID, col *catalog.Column, enum *catalog.Type) bool {
	for _, con := range s.Before.Constraints(table) {
		if con.Kind != catalog.Check || con.Check == nil || !con.Valid {
			continue
		}
		if values, ok := allowedValues(con.Check.Node, col.Name); ok && contains(enum.Labels, values) {
			return true
		}
	}
	return false
}

// allowedValues lists the values that a condition leaves a column, when it is one of: col = 'a', col IN ('a', 'b'), col = ANY
// (ARRAY['a', 'b']), several of these with OR, or anything with AND.
func allowedValues(n *pgast.Node, column string) (values []string, ok bool) {
	if b := n.GetBoolExpr(); b != nil {
		for _, arg := range b.Args {
			list, one := allowedValues(arg, column)
			switch {
			case one && b.Boolop == pgast.BoolExprType_AND_EXPR:
				return list, true
			case !one && b.Boolop == pgast.BoolExprType_OR_EXPR:
				return nil, false
			}
			values, ok = append(values, list...), one
		}
		return values, ok && b.Boolop == pgast.BoolExprType_OR_EXPR
	}
	e := n.GetAExpr()
	names := words(uncast(e.GetLexpr()).GetColumnRef().GetFields())
	if op := words(e.GetName()); len(names) == 0 || names[len(names)-1] != column || len(op) != 1 || op[0] != "=" {
		return nil, false
	}
	right := uncast(e.Rexpr)
	items := []*pgast.Node{right}
	switch e.Kind {
	case pgast.A_Expr_Kind_AEXPR_IN:
		items = right.GetList().GetItems()
	case pgast.A_Expr_Kind_AEXPR_OP_ANY:
		items = right.GetAArrayExpr().GetElements()
	case pgast.A_Expr_Kind_AEXPR_OP:
	default:
		return nil, false
	}
	for _, item := range items {
		c := uncast(item).GetAConst()
		if c.GetSval() == nil {
			return nil, false
		}
		values = append(values, c.GetSval().Sval)
	}
	return values, len(values) > 0
}

func uncast(n *pgast.Node) *pgast.Node {
	for n.GetTypeCast() != nil {
		n = n.GetTypeCast().Arg
	}
	return n
}

// contains reports whether all of some are in all.
func contains(all, some []string) bool {
	for _, s := range some {
		if !slices.Contains(all, s) {
			return false
		}
	}
	return true
}

func quoteList(values []string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = quoteLiteral(v)
	}
	return strings.Join(quoted, ", ")
}

// words are the parts of a name.
func words(nodes []*pgast.Node) []string {
	var list []string
	for _, n := range nodes {
		if s := n.GetString_(); s != nil {
			list = append(list, s.Sval)
		}
	}
	return list
}
