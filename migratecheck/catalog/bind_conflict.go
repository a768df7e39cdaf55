package catalog

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// arbiter is transformOnConflictArbiter and infer_arbiter_indexes (src/backend/parser/parse_clause.c,
// src/backend/optimizer/util/plancat.c): the unique indexes that ON CONFLICT means.
func (b *binder) arbiter(oc *pgast.OnConflictClause, rel *Relation, it *rangeItem, s *scope, w *Write) error {
	update := oc.Action == pgast.OnConflictAction_ONCONFLICT_UPDATE
	w.Conflict = &Conflict{DoNothing: !update, Offset: int(oc.Location)}
	inf := oc.Infer
	if inf == nil {
		if update {
			return locate(errorf("42601", "ON CONFLICT DO UPDATE requires inference specification or constraint name"), oc.Location)
		}
		return nil
	}
	w.Conflict.Offset = int(inf.Location)
	if rel.Assumed || b.ask != nil && slices.ContainsFunc(b.ask.errors, func(e *Error) bool { return e.Position == int(inf.Location)+1 }) {
		return nil // it may have any index; one of a column that is missing went with it
	}
	if inf.Conname != "" {
		return locate(b.namedArbiter(inf.Conname, rel, update, w), inf.Location)
	}
	table, columns := b.c.tableBehind(rel)
	if table == nil || table.Kind == ForeignTable {
		b.unsure("the indexes behind %s", quoteMessage(rel.Name))
		return nil
	}
	maybe := false
	for _, idx := range b.c.Indexes(table.OID) {
		if !idx.Index.Unique || !idx.Index.Valid {
			continue
		}
		switch b.arbitrates(inf, idx, it, columns) {
		case certain:
			w.Conflict.Arbiters = append(w.Conflict.Arbiters, idx.OID)
			if b.ask == nil {
				break // a stored query needs the columns only: the index is looked for anew when it runs
			}
			b.refAt(Address{OID: idx.OID}, inf.Location)
			if !idx.Index.Immediate {
				b.ask.late = append(b.ask.late, locate(deferrableArbiter(b.c.nameOf(rel)), inf.Location))
			}
		case possible:
			maybe = true
		}
	}
	switch {
	case len(w.Conflict.Arbiters) > 0 || b.ask == nil:
	case maybe:
		b.unsure("whether an index of %s matches ON CONFLICT", quoteMessage(rel.Name))
	default:
		b.ask.late = append(b.ask.late, locate(&Error{
			Code: "42P10", Message: "there is no unique or exclusion constraint matching the ON CONFLICT specification", Object: b.c.nameOf(rel),
		}, inf.Location))
	}
	return nil
}

// tableBehind is the table that a change of a relation changes, itself but for an updatable view, with its columns by those of the view;
// columns is nil where they are its own. The table is nil when it is not known or there is none.
func (c *Catalog) tableBehind(rel *Relation) (table *Relation, columns []int) {
	for range 32 {
		if rel.Kind != View {
			return rel, columns
		}
		base, next, why := c.viewBase(rel)
		if base == nil || why != "" || c.firesInstead(rel, 'i') {
			return nil, nil
		}
		if columns == nil {
			columns = next
		} else {
			through := make([]int, len(columns))
			for i, num := range columns {
				if num > 0 && num <= len(next) {
					through[i] = next[num-1]
				}
			}
			columns = through
		}
		rel = base
	}
	return nil, nil
}

func deferrableArbiter(of Name) error {
	return &Error{Code: "55000", Message: "ON CONFLICT does not support deferrable unique constraints/exclusion constraints as arbiters", Object: of}
}

// namedArbiter is ON CONFLICT ON CONSTRAINT.
func (b *binder) namedArbiter(name string, rel *Relation, update bool, w *Write) error {
	of := b.c.nameOf(rel)
	for _, con := range b.c.Constraints(rel.OID) {
		if con.Name != name {
			continue
		}
		b.ref(Address{OID: con.OID})
		late := func(code, message string) {
			if b.ask != nil {
				b.ask.late = append(b.ask.late, locate(&Error{Code: code, Message: message, Object: of}, int32(w.Conflict.Offset)))
			}
		}
		switch {
		case con.Assumed:
		case con.Index == 0 || con.Kind == ForeignKey:
			late("42809", "constraint in ON CONFLICT clause has no associated index")
		case con.Kind == Exclusion && update:
			late("42809", "ON CONFLICT DO UPDATE not supported with exclusion constraints")
		case con.Deferrable:
			late("55000", deferrableArbiter(of).Error())
		}
		w.Conflict.Arbiters = []OID{con.Index}
		return nil
	}
	return &Error{Code: "42704", Message: "constraint " + quoteMessage(name) + " for table " + quoteMessage(rel.Name) + " does not exist", Object: of}
}

// certainty is the answer to a question that texts do not always decide.
type certainty int

const (
	impossible certainty = iota
	possible
	certain
)

// arbitrates tells whether an index matches the specification: the same columns and expressions, in any order, and a
// predicate that the specification's WHERE implies. of translates the columns of a view.
func (b *binder) arbitrates(inf *pgast.InferClause, idx *Relation, it *rangeItem, of []int) certainty {
	answer := certain
	var columns []int
	var exprs []*pgast.IndexElem
	for _, n := range inf.IndexElems {
		e := n.GetIndexElem()
		name := e.Name
		if ref := e.Expr.GetColumnRef(); ref != nil && len(ref.Fields) == 1 {
			name = ref.Fields[0].GetString_().GetSval() // (a) in parentheses is the column
		}
		if name == "" {
			exprs = append(exprs, e)
			continue
		}
		col, _ := it.find(name)
		if col == nil || len(col.refs) != 1 {
			return impossible
		}
		num := col.refs[0].Column
		if of != nil {
			if num > len(of) || of[num-1] == 0 {
				return impossible
			}
			num = of[num-1]
		}
		columns = append(columns, num)
		if !slices.ContainsFunc(idx.Index.Keys, func(k IndexKey) bool { return k.Column == num && elemMatches(e, k) }) {
			return impossible
		}
	}
	var used []bool
	for range exprs {
		used = append(used, false)
	}
	for _, k := range idx.Index.Keys {
		if k.Column != 0 {
			if !slices.Contains(columns, k.Column) {
				return impossible
			}
			continue
		}
		best := impossible
		for i, e := range exprs {
			if same := sameExpression(e.Expr, k.Expr.Node); same > impossible && elemMatches(e, k) {
				best, used[i] = max(best, same), true
			}
		}
		answer = min(answer, best)
	}
	if slices.Contains(used, false) {
		return impossible
	}
	if of != nil && (len(exprs) > 0 || inf.WhereClause != nil && idx.Index.Predicate != nil) {
		answer = min(answer, possible) // a view may call its columns otherwise
	}
	return min(answer, implies(inf.WhereClause, idx.Index.Predicate))
}

// elemMatches is infer_collation_opclass_match.
func elemMatches(e *pgast.IndexElem, k IndexKey) bool {
	if names := stringList(e.Collation); len(names) > 0 && names[len(names)-1] != k.Collation {
		return false
	}
	if names := stringList(e.Opclass); len(names) > 0 && names[len(names)-1] != k.OpClass {
		return false
	}
	return true
}

// sameExpression compares two expressions. Those that differ only in casts may or may not be the same to the server.
func sameExpression(a, b *pgast.Node) certainty {
	if canonicalSQL(a) == canonicalSQL(b) {
		return certain
	}
	if canonicalSQL(withoutCasts(a)) == canonicalSQL(withoutCasts(b)) {
		return possible
	}
	return impossible
}

func withoutCasts(n *pgast.Node) *pgast.Node {
	out := pgast.Clone(n)
	pgast.Walk(out, func(n *pgast.Node) bool {
		for n.GetTypeCast() != nil {
			n.Node = n.GetTypeCast().Arg.GetNode()
		}
		return true
	})
	return out
}

// implies is predicate_implied_by, for a predicate each part of which is one of the conditions. Others may be implied in
// ways that only the server proves.
func implies(where *pgast.Node, predicate *Expr) certainty {
	if predicate == nil {
		return certain
	}
	if where == nil {
		return impossible
	}
	answer := certain
	given := conjuncts(where, nil)
	for _, want := range conjuncts(predicate.Node, nil) {
		if !slices.ContainsFunc(given, func(have *pgast.Node) bool { return canonicalSQL(have) == canonicalSQL(want) }) {
			answer = possible
		}
	}
	return answer
}

func conjuncts(n *pgast.Node, list []*pgast.Node) []*pgast.Node {
	if b := n.GetBoolExpr(); b != nil && b.Boolop == pgast.BoolExprType_AND_EXPR {
		for _, arg := range b.Args {
			list = conjuncts(arg, list)
		}
		return list
	}
	return append(list, n)
}
