package catalog

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// lockWord is a locking clause as it is written.
func lockWord(s pgast.LockClauseStrength) string {
	switch s {
	case pgast.LockClauseStrength_LCS_FORKEYSHARE:
		return "FOR KEY SHARE"
	case pgast.LockClauseStrength_LCS_FORSHARE:
		return "FOR SHARE"
	case pgast.LockClauseStrength_LCS_FORNOKEYUPDATE:
		return "FOR NO KEY UPDATE"
	}
	return "FOR UPDATE"
}

// lockRows notes what the planner has against locking the rows that views answer (markQueryForLocking in
// src/backend/rewrite/rewriteHandler.c hands a lock down to a view's query; CheckSelectLocking in src/backend/parser/analyze.c).
func (b *binder) lockRows(from []*pgast.Node, of []string, word string, depth int) {
	if depth > maxInline {
		return
	}
	for _, n := range from {
		switch n := n.GetNode().(type) {
		case *pgast.Node_JoinExpr:
			b.lockRows([]*pgast.Node{n.JoinExpr.Larg, n.JoinExpr.Rarg}, of, word, depth)
		case *pgast.Node_RangeVar:
			name := n.RangeVar.Relname
			if n.RangeVar.Alias != nil {
				name = n.RangeVar.Alias.Aliasname
			}
			rel := b.c.Relation(n.RangeVar.Schemaname, n.RangeVar.Relname)
			if len(of) > 0 && !slices.Contains(of, name) || rel == nil || rel.Kind != View || rel.Query == nil || rel.Query.Unknown {
				continue
			}
			sel := rel.Query.Node.GetSelectStmt()
			if sel == nil {
				continue
			}
			if why := b.c.unlockable(sel); why != "" {
				b.ask.late = append(b.ask.late, locate(&Error{Code: "0A000", Message: word + " is not allowed with " + why, Object: b.c.nameOf(rel)}, n.RangeVar.Location))
				continue
			}
			at := len(b.ask.late)
			b.lockRows(sel.FromClause, nil, word, depth+1)
			for _, late := range b.ask.late[at:] {
				asError(late).Position = int(n.RangeVar.Location) + 1 // where the statement names the outermost
			}
		}
	}
}

// unlockable says what of a query keeps its rows from being locked.
func (c *Catalog) unlockable(n *pgast.SelectStmt) string {
	switch {
	case n.Op > pgast.SetOperation_SETOP_NONE:
		return "UNION/INTERSECT/EXCEPT"
	case len(n.DistinctClause) > 0:
		return "DISTINCT clause"
	case len(n.GroupClause) > 0:
		return "GROUP BY clause"
	case n.HavingClause != nil:
		return "HAVING clause"
	}
	b := c.newBinder()
	q, err := b.bindQuery(&pgast.Node{Node: &pgast.Node_SelectStmt{SelectStmt: n}}, nil)
	switch {
	case err != nil:
	case q.aggregates:
		return "aggregate functions"
	case b.windows > 0 && !hasSubquery(n):
		return "window functions"
	case b.sets > 0 && len(n.FromClause) > 0 && !hasSubquery(n) && !readsFunction(n.FromClause):
		return "set-returning functions in the target list"
	}
	return ""
}

// hasSubquery reports whether a query has others in it, whose window functions are not its own.
func hasSubquery(n *pgast.SelectStmt) bool {
	found := n.WithClause != nil
	pgast.Walk(&pgast.Node{Node: &pgast.Node_SelectStmt{SelectStmt: n}}, func(n *pgast.Node) bool {
		found = found || n.GetSubLink() != nil || n.GetRangeSubselect() != nil
		return !found
	})
	return found
}

func readsFunction(from []*pgast.Node) bool {
	found := false
	for _, n := range from {
		pgast.Walk(n, func(n *pgast.Node) bool {
			found = found || n.GetRangeFunction() != nil
			return !found
		})
	}
	return found
}
