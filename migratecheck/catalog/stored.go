package catalog

import "git.sr.ht/~sourcehut/ha-go/internal/pgast"

// storedForm is an expression as the server writes one that it has stored (pg_get_constraintdef, pg_get_indexdef): each literal and each
// operand has the type that it was given, so that it does not follow when the type of a column changes (get_rule_expr in
// src/backend/utils/adt/ruleutils.c, showimplicit). What is not understood stays as it is.
func (c *Catalog) storedForm(n *pgast.Node, rel *Relation) *pgast.Node {
	b := c.newBinder()
	literals, operands := map[*pgast.A_Const]TypeRef{}, map[*pgast.Node]TypeRef{}
	b.literals = func(v value, t TypeRef) {
		if k := v.node.GetAConst(); k != nil {
			literals[k] = t
		}
	}
	b.operands = func(n *pgast.Node, t TypeRef) { operands[n] = t }
	if _, err := b.bindExpr(n, scopeOf(rel)); err != nil || b.unknown {
		return n
	}
	out := pgast.Clone(n)
	nodes, copies := nodesOf(n), nodesOf(out)
	for i, n := range nodes {
		t, ok := operands[n]
		if k := n.GetAConst(); k != nil {
			t, ok = literals[k]
		}
		if name := c.typeNameNode(t); ok && name != nil {
			copies[i].Node = &pgast.Node_TypeCast{TypeCast: &pgast.TypeCast{Arg: &pgast.Node{Node: copies[i].Node}, TypeName: name}}
		}
	}
	return out
}

func nodesOf(n *pgast.Node) []*pgast.Node {
	var list []*pgast.Node
	pgast.Walk(n, func(n *pgast.Node) bool {
		list = append(list, n)
		return true
	})
	return list
}

// typeNameNode is the name of a type as a statement has it, nil when there is none to write.
func (c *Catalog) typeNameNode(t TypeRef) *pgast.TypeName {
	if !t.known() || t.OID == typeUnknown {
		return nil
	}
	stmts, err := pgast.Parse("SELECT NULL::" + c.FormatType(t))
	if err != nil {
		return nil
	}
	return stmts[0].Node.GetSelectStmt().GetTargetList()[0].GetResTarget().GetVal().GetTypeCast().GetTypeName()
}

// operand notes the type that an operand is converted to.
func (b *binder) operand(v value, t TypeRef) {
	if b.operands != nil && v.node != nil && !v.constant && v.typ.known() && v.typ.OID != typeUnknown && v.typ.bare() != t.bare() {
		b.operands(v.node, t.bare())
	}
}
