package catalog

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// storedQuery is a view's query with the columns in the place of each *, as the server stores it (expandRelAttrs,
// src/backend/parser/parse_relation.c): a column that its tables get later is none of the view's. A query in which something is
// not known, and one that cannot be written so, stays as it is.
func (c *Catalog) storedQuery(n *pgast.Node) *pgast.Node {
	if n.GetSelectStmt() == nil || !hasStars(n) || namelessJoin(n) {
		return n
	}
	stars := map[*pgast.Node][]*pgast.Node{}
	b := c.newBinder()
	b.stars = func(n *pgast.Node, columns []*pgast.Node) { stars[n] = columns }
	bound, err := b.bindQuery(n, nil)
	if err != nil || b.failed != nil || b.unknown || bound.open {
		return n
	}
	out := pgast.Clone(n)
	nodes, copies := nodesOf(n), nodesOf(out)
	named := map[*pgast.Node][]*pgast.Node{}
	for i, n := range nodes {
		if columns, ok := stars[n]; ok {
			named[copies[i]] = columns
		}
	}
	for _, n := range copies {
		if s := n.GetSelectStmt(); s != nil {
			expandStars(s, named)
		}
	}
	sql, err := pgast.Deparse(out)
	if err != nil {
		return n
	}
	stmts, err := pgast.Parse(sql) // every name at a place of its own
	if err != nil || len(stmts) != 1 {
		return n
	}
	again, err := c.newBinder().bindQuery(stmts[0].Node, nil)
	if err != nil || !slices.EqualFunc(again.cols, bound.cols, func(x, y boundColumn) bool {
		return x.name == y.name && x.typ == y.typ && x.origin == y.origin
	}) {
		return n
	}
	return stmts[0].Node
}

// namelessJoin reports whether a query has a NATURAL JOIN, or a join with an alias: what a rename, or a new column, makes of the names that it
// merges only the server can write.
func namelessJoin(n *pgast.Node) bool {
	found := false
	pgast.Walk(n, func(n *pgast.Node) bool {
		j := n.GetJoinExpr()
		found = found || j != nil && (j.IsNatural || j.Alias != nil)
		return !found
	})
	return found
}

func hasStars(n *pgast.Node) bool {
	found := false
	pgast.Walk(n, func(n *pgast.Node) bool {
		found = found || isStar(n.GetResTarget().GetVal())
		return !found
	})
	return found
}

// expandStars puts the columns in the place of the stars of one target list, and in those of the arms of UNION.
func expandStars(s *pgast.SelectStmt, named map[*pgast.Node][]*pgast.Node) {
	var list []*pgast.Node
	for _, t := range s.TargetList {
		columns, ok := named[t.GetResTarget().GetVal()]
		if !ok {
			list = append(list, t)
			continue
		}
		for _, col := range columns {
			list = append(list, &pgast.Node{Node: &pgast.Node_ResTarget{ResTarget: &pgast.ResTarget{Val: col}}})
		}
	}
	s.TargetList = list
	for _, arm := range []*pgast.SelectStmt{s.Larg, s.Rarg} {
		if arm != nil {
			expandStars(arm, named)
		}
	}
}

// starred tells the columns of a *, by the names under which the query can say each: a table's own where nothing else in FROM has one of
// that name, for a qualified one follows fewer renames.
func (b *binder) starred(n *pgast.Node, s *scope, cols []boundColumn) {
	if b.stars == nil || !isStar(n) {
		return
	}
	var list []*pgast.Node
	for _, col := range cols {
		var fields []*pgast.Node
		var of *rangeItem
		alone := 0
		for _, it := range s.items {
			if !it.relVisible {
				continue
			}
			for _, own := range it.cols {
				if own.name == col.name {
					alone++
				}
				if own.name == col.name && own.id == col.id && it.name != "" && !it.scalar {
					of = it
				}
			}
		}
		if of != nil && (alone > 1 || of.rel == nil) {
			fields = append(fields, stringNode(of.name))
		}
		list = append(list, &pgast.Node{Node: &pgast.Node_ColumnRef{ColumnRef: &pgast.ColumnRef{Fields: append(fields, stringNode(col.name))}}})
	}
	b.stars(n, list)
}
