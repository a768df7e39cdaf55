package catalog

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// ordering is what a clause does with values: tell them apart, or sort them (get_sort_group_operators in
// src/backend/parser/parse_oper.c).
type ordering bool

const (
	apart  ordering = false // DISTINCT, GROUP BY, PARTITION BY, UNION
	sorted ordering = true  // ORDER BY
)

// sortable is the error for values of a type that the clause has no operator for, such as json.
func (b *binder) sortable(t TypeRef, origin Address, how ordering, at int32) error {
	if b.c.mayOrder(t, how) {
		return nil
	}
	what, hint := "equality", ""
	if how == sorted {
		what, hint = "ordering", "Use an explicit ordering operator or modify the query."
	}
	e := &Error{Code: "42883", Message: "could not identify an " + what + " operator for type " + b.c.typeText(t), Hint: hint}
	if origin.OID != 0 {
		e.Objects = []Address{{OID: origin.OID}, origin}
	}
	return locate(e, at)
}

// mayOrder is false only when there is no such operator for certain: neither a btree operator class nor, to tell values apart, a
// hash one (lookup_type_cache in src/backend/utils/cache/typcache.c).
func (c *Catalog) mayOrder(t TypeRef, how ordering) bool {
	if !t.known() || t.OID == typeUnknown || c.hasUnknownExtension() {
		return true
	}
	base := c.baseType(t)
	for base.Array {
		base = c.baseType(base.element())
	}
	switch c.kindOf(base) {
	case CompositeType:
		rel := c.compositeOf(base)
		return rel == nil || rel.Assumed || !slices.ContainsFunc(rel.Columns, func(col Column) bool { return !col.Dropped && !c.mayOrder(col.Type, how) })
	case BaseType:
	default:
		return true
	}
	if c.assumedType(base) || base.OID == typeRecord {
		return true
	}
	_, btree := c.defaultOpClass(base, "btree")
	_, hash := c.defaultOpClass(base, "hash")
	return btree || how == apart && hash
}

// sorts binds ORDER BY lists that hold expressions only (aggregates, windows).
func (b *binder) sorts(list []*pgast.Node, s *scope) error {
	for _, n := range list {
		expr, using := n, false
		if sort := n.GetSortBy(); sort != nil {
			expr, using = sort.Node, sort.SortbyDir == pgast.SortByDir_SORTBY_USING
		}
		v, err := b.bindExpr(expr, s)
		if err == nil && !using {
			err = b.goOn(b.sortable(v.typ, v.origin, sorted, locationOf(expr, b.at)))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// orderBy is transformSortClause in SQL92 style: an output column's name or number, else an expression.
func (b *binder) orderBy(list []*pgast.Node, s *scope, q *boundQuery) error {
	for _, n := range list {
		sort := n.GetSortBy()
		col, err := b.outputOrExpr(sort.GetNode(), s, q, false)
		if err == nil && sort.GetSortbyDir() != pgast.SortByDir_SORTBY_USING {
			err = b.goOn(b.sortable(col.typ, col.origin, sorted, locationOf(sort.GetNode(), b.at)))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// distinct is transformDistinctClause and transformDistinctOnClause.
func (b *binder) distinct(list []*pgast.Node, s *scope, q *boundQuery) error {
	for _, d := range list {
		if d == nil || d.Node == nil { // DISTINCT without ON
			for _, col := range q.cols {
				at := b.at
				if col.at > 0 {
					at = col.at - 1
				}
				if err := b.goOn(b.sortable(col.typ, col.origin, apart, at)); err != nil {
					return err
				}
			}
			continue
		}
		col, err := b.outputOrExpr(d, s, q, false)
		if err == nil {
			err = b.goOn(b.sortable(col.typ, col.origin, apart, locationOf(d, b.at)))
		}
		if err != nil {
			return err
		}
	}
	return nil
}
