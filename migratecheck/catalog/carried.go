package catalog

import "git.sr.ht/~sourcehut/ha-go/internal/pgast"

// carried says that a table was filled with all the rows of another: INSERT … SELECT without a condition.
type carried struct {
	from OID
	// columns are the attribute numbers of the other's columns that the values come from as they are, by the table's own.
	columns map[int]int
	// mixed: other statements have changed the rows since.
	mixed bool
}

// Carried reports whether a table holds the rows of another, and which of its columns those of the other have become, by the
// attribute number in the table. It is told by statements between the two, which may be several.
func (c *Catalog) Carried(table, from OID) (columns map[int]int, ok bool) {
	for range 8 {
		rel, _ := c.Get(table).(*Relation)
		if rel == nil || rel.carried == nil || rel.carried.mixed {
			return nil, false
		}
		next := map[int]int{}
		for num, old := range rel.carried.columns {
			if columns == nil {
				next[num] = old
			}
		}
		for num, mid := range columns {
			if old, ok := rel.carried.columns[mid]; ok {
				next[num] = old
			}
		}
		if columns = next; rel.carried.from == from {
			return columns, true
		}
		table = rel.carried.from
	}
	return nil, false
}

// applyRows notes what a statement does to rows, as far as it matters to code that knows them: see Carried and Converted.
func (c *Catalog) applyRows(n *pgast.Node) {
	mixes := func(rv *pgast.RangeVar) { c.mixes(c.Relation(rv.GetSchemaname(), rv.GetRelname())) }
	switch n := n.Node.(type) {
	case *pgast.Node_InsertStmt:
		c.applyInsert(n.InsertStmt)
	case *pgast.Node_UpdateStmt:
		mixes(n.UpdateStmt.Relation)
		c.applyUpdate(n.UpdateStmt)
	case *pgast.Node_DeleteStmt:
		mixes(n.DeleteStmt.Relation)
	case *pgast.Node_MergeStmt:
		mixes(n.MergeStmt.Relation)
	case *pgast.Node_TruncateStmt:
		for _, r := range n.TruncateStmt.Relations {
			mixes(r.GetRangeVar())
		}
	}
}

// applyInsert notes whether an INSERT fills a table with the rows of another. No relation is assumed for it.
func (c *Catalog) applyInsert(n *pgast.InsertStmt) {
	to := c.Relation(n.Relation.GetSchemaname(), n.Relation.GetRelname())
	if to == nil || to.Assumed || to.Kind != Table && to.Kind != PartitionedTable {
		return
	}
	now := c.carriedBy(n, to)
	switch {
	case to.carried == nil && now == nil:
		return
	case to.carried != nil:
		c.mixes(to)
	default:
		c.editRelation(to.OID, func(r *Relation) { r.carried = now })
	}
}

// mixes notes that the rows of a table that were another's are no more what they were.
func (c *Catalog) mixes(rel *Relation) {
	if rel != nil && rel.carried != nil && !rel.carried.mixed {
		c.editRelation(rel.OID, func(r *Relation) { r.carried = &carried{from: rel.carried.from, mixed: true} })
	}
}

// carriedBy reads INSERT INTO to (…) SELECT … FROM from, nil when it is anything else.
func (c *Catalog) carriedBy(n *pgast.InsertStmt, to *Relation) *carried {
	sel := n.SelectStmt.GetSelectStmt()
	if sel == nil || n.OnConflictClause != nil || n.WithClause != nil || sel.WithClause != nil || sel.WhereClause != nil || len(sel.FromClause) != 1 ||
		len(sel.DistinctClause) > 0 || len(sel.GroupClause) > 0 || sel.HavingClause != nil || sel.LimitCount != nil || sel.LimitOffset != nil {
		return nil
	}
	rv := sel.FromClause[0].GetRangeVar()
	from := c.Relation(rv.GetSchemaname(), rv.GetRelname())
	if rv == nil || from == nil || from.Assumed || from.OID == to.OID || from.Kind != Table && from.Kind != PartitionedTable {
		return nil
	}
	var columns []int // of to
	for _, t := range n.Cols {
		col := to.Column(t.GetResTarget().GetName())
		if col == nil || len(t.GetResTarget().Indirection) > 0 {
			return nil
		}
		columns = append(columns, col.Num)
	}
	if len(n.Cols) == 0 {
		columns = to.live()
	}
	out := &carried{from: from.OID, columns: map[int]int{}}
	i := 0
	for _, t := range sel.TargetList {
		val := t.GetResTarget().GetVal()
		if val.GetFuncCall() != nil {
			return nil // it may be an aggregate, or answer several rows
		}
		list := []int{0}
		if ref := val.GetColumnRef(); ref != nil {
			last := ref.Fields[len(ref.Fields)-1]
			if last.GetAStar() != nil {
				list = from.live()
			} else if col := from.Column(last.GetString_().GetSval()); col != nil {
				list[0] = col.Num
			}
		}
		for _, num := range list {
			if i < len(columns) && num != 0 {
				out.columns[columns[i]] = num
			}
			i++
		}
	}
	return out
}

// live lists the numbers of the columns that are there.
func (o *Relation) live() []int {
	var list []int
	for i := range o.Columns {
		if !o.Columns[i].Dropped {
			list = append(list, o.Columns[i].Num)
		}
	}
	return list
}
