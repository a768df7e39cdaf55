package catalog

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// SameExpr tells whether two expressions are the same, apart from names that followed a rename; nil is no expression.
func SameExpr(a, b *Expr) bool { return sameExpr(a, b) }

// SameRows tells whether a view that was replaced answers the same to those who read columns that it had before: its query
// differs at most in columns at the end.
func SameRows(old, new *Relation) bool {
	if old == new || sameQuery(old.Query, new.Query) {
		return true
	}
	if old.Query == nil || new.Query == nil {
		return false
	}
	a, b := old.Query.Node.GetSelectStmt(), new.Query.Node.GetSelectStmt()
	n := min(len(a.GetTargetList()), len(b.GetTargetList()))
	if n == 0 {
		return false
	}
	return canonicalSQL(firstColumns(a, n)) == canonicalSQL(firstColumns(b, n))
}

func firstColumns(s *pgast.SelectStmt, n int) *pgast.Node {
	c := pgast.Clone(s)
	c.TargetList = c.TargetList[:n]
	return &pgast.Node{Node: &pgast.Node_SelectStmt{SelectStmt: c}}
}

// SameBody tells whether two versions of a function do the same, as far as their texts say.
func SameBody(a, b *Func) bool {
	return a == b || a.Kind == b.Kind && a.Returns == b.Returns && a.ReturnsSet == b.ReturnsSet && a.Language == b.Language &&
		a.Strict == b.Strict && a.SecurityDefiner == b.SecurityDefiner && a.Body == b.Body && slices.Equal(a.Settings, b.Settings) &&
		(a.BodyNode == b.BodyNode || canonicalSQL(a.BodyNode) == canonicalSQL(b.BodyNode))
}

// SameCondition tells whether two conditions are the same but for how they are written.
func SameCondition(a, b *Expr) bool {
	if a == nil || b == nil {
		return a == b
	}
	return sameExpr(a, b) || canonicalSQL(a.Node) == canonicalSQL(b.Node)
}

// Behind follows a column of a view to the table column that it is, through views over views; any other column is itself.
// It is zero for a column that a view computes.
func (c *Catalog) Behind(a Address) Address {
	for range 32 {
		rel, _ := c.Get(a.OID).(*Relation)
		if rel == nil || rel.Kind != View || a.Column == 0 {
			return a
		}
		cols := c.viewOutput(rel)
		if a.Column > len(cols) {
			return a
		}
		if a = cols[a.Column-1].origin; a.OID == 0 {
			return Address{}
		}
	}
	return a
}

// viewOutput binds the query of a view, nil when that cannot be done.
func (c *Catalog) viewOutput(view *Relation) []boundColumn {
	if view.Query == nil || view.Query.Node == nil || view.Query.Unknown {
		return nil
	}
	b := c.newBinder()
	q, err := b.bindQuery(view.Query.Node, nil)
	if err != nil || q.open {
		return nil
	}
	return q.cols
}
