package catalog

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// Row is a row that a statement writes, as far as its text tells.
type Row struct {
	Relation *Relation
	// Old: the row was there before (UPDATE), and a column without a cell keeps what it holds. Of a new row such a column may
	// hold anything.
	Old bool
	// Alias is what the statement calls the table; Where is its condition, which holds of the row as it was, nil for none.
	Alias string
	Where *pgast.Node
	Cells map[int]Cell // by attribute number
}

// Cell is what a statement puts into one column.
type Cell struct {
	Expr    *pgast.Node // of an old row, in terms of the columns it had; nil is not known
	NotNull bool        // it is certain not to be NULL
}

// MayViolate reports whether the condition of a CHECK may be false of a row. Held are conditions that are not false of it
// either way, since code that writes it got by with them; standing are those of the row as it was. The names in all of them are the
// relation's. Two expressions of the same text are taken to have the same value, so that no condition may call a function
// that has changed since. False is certain; true is the answer whenever the matter is too hard.
//
// It tries every case that makes a difference: NULL, each constant that a column is compared with, and what lies between; whatever
// is not such a comparison is true, false or NULL as it likes, but the same wherever it stands.
func (c *Catalog) MayViolate(row Row, condition *Expr, held, standing []*Expr) bool {
	if condition.Node == nil || condition.Unknown {
		return true
	}
	of := c.columnsOf(row.Relation, condition.Node)
	for n, cell := range row.Cells {
		if slices.Contains(of, n) {
			of = append(of, c.columnsOf(row.Relation, cell.Expr)...)
		}
	}
	about := func(list []*Expr) []*pgast.Node {
		var nodes []*pgast.Node
		for _, e := range list {
			if e.Node != nil && !e.Unknown && meet(of, c.columnsOf(row.Relation, e.Node)) {
				nodes = append(nodes, e.Node)
			}
		}
		return nodes
	}
	q := violation{condition: condition.Node, held: about(held), standing: about(standing)}
	if !row.Old {
		q.standing = nil
	}
	for _, n := range conjuncts(row.Where, nil) {
		if meet(of, c.columnsOf(row.Relation, n)) {
			q.where = append(q.where, n)
		}
	}
	for _, less := range []func(){func() {}, func() { q.where = nil }, func() { q.standing = nil }} {
		less()
		if may, tried := c.newWorlds(&row).violates(&q); tried {
			return may
		}
	}
	return true
}

// violation is the question put to each world.
type violation struct {
	condition             *pgast.Node
	held, standing, where []*pgast.Node
}

// columnsOf lists the columns of a relation whose names stand in an expression.
func (c *Catalog) columnsOf(rel *Relation, n *pgast.Node) []int {
	var list []int
	if n == nil {
		return nil
	}
	pgast.Walk(n, func(n *pgast.Node) bool {
		if ref := n.GetColumnRef(); ref != nil {
			if col := rel.Column(ref.Fields[len(ref.Fields)-1].GetString_().GetSval()); col != nil {
				list = append(list, col.Num)
			}
		}
		return true
	})
	return list
}

func meet(a, b []int) bool {
	return slices.ContainsFunc(a, func(n int) bool { return slices.Contains(b, n) })
}
