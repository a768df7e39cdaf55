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
	branches := branchesOf(r.stmt.Node)
	for _, use := range r.an.Uses {
		add(use.Address.OID, use.Offset, branches[use.Offset])
		if rel, _ := r.cat.Get(use.Address.OID).(*catalog.Relation); rel != nil && use.Address.Column == 0 {
			r.inView(rel, 0, func(oid catalog.OID) { add(oid, use.Offset, true) })
		}
	}
	for _, w := range r.an.Writes {
		r.triggered(w, &list)
		if w = r.cat.OnTable(w); w == nil {
			continue
		}
		rel, _ := r.cat.Get(w.Relation).(*catalog.Relation)
		for i := range rel.Columns {
			col := &rel.Columns[i]
			t := w.Target(col.Num)
			if e := col.Default; e != nil && !col.Dropped && (w.Op == 'i' && (t == nil || t.Default) || w.Op == 'u' && col.Generated != 0) {
				for _, a := range e.Refs {
					add(a.OID, w.Offset, w.Query || w.Op == 'u')
				}
			}
		}
		if w.Op == 'i' || w.Op == 'u' {
			for _, con := range r.cat.Constraints(rel.OID) {
				if con.Check != nil {
					for _, a := range con.Check.Refs {
						add(a.OID, w.Offset, true)
					}
				}
			}
		}
	}
	return list
}

// inView tells of the functions in the query of a view, and of those that it reads.
func (r *reading) inView(rel *catalog.Relation, depth int, tell func(catalog.OID)) {
	if rel.Kind != catalog.View || rel.Query == nil || depth > maxCalls {
		return
	}
	for _, a := range rel.Query.Refs {
		if inner, ok := r.cat.Get(a.OID).(*catalog.Relation); ok && inner != rel {
			r.inView(inner, depth+1, tell)
		}
		tell(a.OID)
	}
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
			if f == nil || t.InsteadOf != instead || !hears(t, ch) {
				continue
			}
			maybe := maybe || t.When != nil || t.Row && (w.Query || w.Conflict != nil && !t.Before)
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
	if w.Op == 'd' {
		for _, con := range r.cat.ReferencedBy(rel.OID) {
			child, _ := r.cat.Get(con.Table).(*catalog.Relation)
			op := map[byte]byte{'c': 'd', 'n': 'u', 'd': 'u'}[con.OnDelete]
			if child == nil || op == 0 || child == rel {
				continue
			}
			cascade := &catalog.Write{Relation: child.OID, Op: op, Offset: w.Offset}
			for _, num := range con.Columns {
				cascade.Targets = append(cascade.Targets, catalog.Target{Column: num})
			}
			on(change{Write: cascade, rel: child}, false, true)
		}
	}
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
