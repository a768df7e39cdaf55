package query

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// calls lists the functions that a statement calls and those of the triggers that it fires.
func (r *reading) calls() []call {
	switch n := r.stmt.Node; {
	case n.GetSelectStmt() != nil, n.GetInsertStmt() != nil, n.GetUpdateStmt() != nil, n.GetDeleteStmt() != nil, n.GetMergeStmt() != nil,
		n.GetCallStmt() != nil, n.GetCopyStmt() != nil, n.GetTruncateStmt() != nil, n.GetCreateTableAsStmt() != nil:
	default:
		return nil // nothing runs
	}
	var list []call
	add := func(oid catalog.OID, offset int, maybe bool) {
		f, _ := r.cat.Get(oid).(*catalog.Func)
		if f == nil {
			return
		}
		maybe = maybe || f.Strict
		if i := slices.IndexFunc(list, func(c call) bool { return c.trigger == nil && c.fn == f }); i >= 0 {
			list[i].maybe = list[i].maybe && maybe
			return
		}
		list = append(list, call{fn: f, offset: offset, maybe: maybe})
	}
	uses := func(oid catalog.OID, offset int, maybe bool) {
		for i, f := range r.cat.Runs(oid) {
			add(f.OID, offset, maybe || i > 0)
		}
	}
	expr := func(e *catalog.Expr, offset int, maybe bool) {
		if e != nil {
			for _, a := range e.Refs {
				uses(a.OID, offset, maybe)
			}
		}
	}
	branches := branchesOf(r.stmt.Node)
	for _, use := range r.an.Uses {
		if use.Address.Column == 0 {
			_, called := r.cat.Get(use.Address.OID).(*catalog.Func)
			uses(use.Address.OID, use.Offset, !called || branches[use.Offset])
		}
		for _, policy := range r.policies(use.Address) {
			expr(policy.Using, use.Offset, true)
			expr(policy.WithCheck, use.Offset, true)
		}
	}
	for _, w := range r.an.Writes {
		r.triggered(w, &list)
		for _, c := range slices.Clone(list) {
			if c.trigger != nil && c.offset == w.Offset {
				expr(c.trigger.When, w.Offset, true)
			}
		}
		if w = r.cat.OnTable(w); w == nil {
			continue
		}
		rel, _ := r.cat.Get(w.Relation).(*catalog.Relation)
		for i := range rel.Columns {
			col := &rel.Columns[i]
			t := w.Target(col.Num)
			switch {
			case col.Dropped:
			case w.Op == 'i' && (t == nil || t.Default) || w.Op == 'u' && col.Generated != 0:
				if expr(col.Default, w.Offset, w.Query || w.Op == 'u'); col.Default == nil {
					expr(domainDefault(r.cat, col.Type), w.Offset, true)
				}
				uses(col.Type.OID, w.Offset, true)
			case t != nil:
				uses(col.Type.OID, w.Offset, true)
			}
		}
		if w.Op == 'i' || w.Op == 'u' {
			below := r.below() // what it has from its parent was looked at there
			for _, con := range r.cat.Constraints(rel.OID) {
				if !below || ownConstraint(con) {
					expr(con.Check, w.Offset, true)
				}
			}
			for _, idx := range r.cat.Indexes(rel.OID) {
				if below && !ownIndex(idx) {
					continue
				}
				expr(idx.Index.Predicate, w.Offset, true)
				for _, key := range idx.Index.Keys {
					expr(key.Expr, w.Offset, true)
				}
			}
			if key := rel.PartitionKey; key != nil {
				for i := range key.Exprs {
					expr(&key.Exprs[i], w.Offset, true)
				}
			}
		}
	}
	return list
}

// domainDefault is the default that a column of the type has without one of its own.
func domainDefault(cat *catalog.Catalog, t catalog.TypeRef) *catalog.Expr {
	for !t.Array {
		d, _ := cat.Get(t.OID).(*catalog.Type)
		switch {
		case d == nil || d.Kind != catalog.DomainType:
			return nil
		case d.Default != nil:
			return d.Default
		}
		t = d.Base
	}
	return nil
}

// policies are those that may decide which rows of a table the statement sees and writes.
func (r *reading) policies(a catalog.Address) []*catalog.Policy {
	if rel, _ := r.cat.Get(a.OID).(*catalog.Relation); rel == nil || !rel.RowSecurity || r.definer() {
		return nil
	}
	return r.cat.Policies(a.OID)
}

// triggered adds the triggers that a change fires.
func (r *reading) triggered(w *catalog.Write, list *[]call) {
	rel, _ := r.cat.Get(w.Relation).(*catalog.Relation)
	if rel == nil {
		return
	}
	on := func(ch change, instead, maybe bool) {
		for _, t := range r.cat.Triggers(ch.rel.OID) {
			f, _ := r.cat.Get(t.Function).(*catalog.Func)
			if f == nil || t.InsteadOf != instead || !r.fires(t, ch) {
				continue
			}
			maybe := maybe || t.When != nil || !hears(t, ch) || t.Row && (w.Query || w.Conflict != nil && !t.Before)
			*list = append(*list, call{fn: f, trigger: t, offset: w.Offset, maybe: maybe})
		}
	}
	if rel.Kind == catalog.View {
		on(change{Write: w, rel: rel}, true, false)
	}
	if w = r.cat.OnTable(w); w == nil {
		return
	}
	if rel, _ = r.cat.Get(w.Relation).(*catalog.Relation); rel == nil {
		return
	}
	// ON CONFLICT DO UPDATE comes to its UPDATE where there is a row already.
	i := slices.IndexFunc(r.an.Writes, func(o *catalog.Write) bool { return o.Conflict != nil && o.Relation == w.Relation })
	on(change{Write: w, rel: rel}, false, w.Op == 'u' && i >= 0)
}

// branchesOf are the offsets in a statement of what is evaluated for some rows only.
func branchesOf(n *pgast.Node) map[int]bool {
	at := map[int]bool{}
	inside := func(n *pgast.Node) {
		pgast.Walk(n, func(n *pgast.Node) bool {
			if f := n.GetFuncCall(); f != nil {
				at[int(f.Location)] = true
			}
			return true
		})
	}
	pgast.Walk(n, func(n *pgast.Node) bool {
		switch {
		case n.GetCaseExpr() != nil, n.GetCoalesceExpr() != nil, n.GetSubLink() != nil, n.GetBoolExpr() != nil && n.GetBoolExpr().Boolop != pgast.BoolExprType_NOT_EXPR:
			inside(n)
			return false
		}
		return true
	})
	return at
}
