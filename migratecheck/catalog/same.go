package catalog

import "slices"

// SameQuery tells whether two queries of views are the same, apart from names that followed a rename.
func SameQuery(a, b *Query) bool { return sameQuery(a, b) }

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
