package migratecheck

import (
	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// sameQuery reports whether a view's new query gives released code what the old one gave: it is the same, or the same
// with more columns behind the old ones.
func sameQuery(old, now *catalog.Query) bool {
	if old == nil || now == nil || old.SQL == now.SQL {
		return true
	}
	a, b := old.Node.GetSelectStmt(), now.Node.GetSelectStmt()
	if a == nil || b == nil || a.Larg != nil || b.Larg != nil || len(a.TargetList) > len(b.TargetList) {
		return false
	}
	cut, err := pgast.Deparse(firstColumns(b, len(a.TargetList)))
	if err != nil {
		return false
	}
	was, err := pgast.Deparse(old.Node)
	return err == nil && was == cut
}

// firstColumns is a copy of a plain SELECT (no UNION and the like) with the first n of its columns. Trees are shared and
// never changed, and the struct cannot be copied whole: it carries a lock.
func firstColumns(s *pgast.SelectStmt, n int) *pgast.Node {
	return &pgast.Node{Node: &pgast.Node_SelectStmt{SelectStmt: &pgast.SelectStmt{
		DistinctClause: s.DistinctClause,
		IntoClause:     s.IntoClause,
		TargetList:     s.TargetList[:n],
		FromClause:     s.FromClause,
		WhereClause:    s.WhereClause,
		GroupClause:    s.GroupClause,
		GroupDistinct:  s.GroupDistinct,
		HavingClause:   s.HavingClause,
		WindowClause:   s.WindowClause,
		ValuesLists:    s.ValuesLists,
		SortClause:     s.SortClause,
		LimitOffset:    s.LimitOffset,
		LimitCount:     s.LimitCount,
		LimitOption:    s.LimitOption,
		LockingClause:  s.LockingClause,
		WithClause:     s.WithClause,
		Op:             s.Op,
		All:            s.All,
	}}}
}
