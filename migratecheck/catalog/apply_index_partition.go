package catalog

import (
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// checkPartitionedUnique demands that a unique index of a partitioned table covers its partition key (DefineIndex).
func (c *Catalog) checkPartitionedUnique(r *Relation, spec *indexSpec) error {
	if !spec.unique && !spec.exclusion || r.PartitionKey == nil {
		return nil
	}
	word := "UNIQUE"
	switch {
	case spec.primary:
		word = "PRIMARY KEY"
	case spec.exclusion:
		word = "EXCLUDE"
	}
	for _, num := range r.PartitionKey.Columns {
		if num == 0 {
			e := errorf("0A000", "unsupported %s constraint with partition key definition", word)
			e.Detail = word + " constraints cannot be used when partition keys include expressions."
			return e
		}
		name := r.Columns[num-1].Name
		covers := func(elem *pgast.IndexElem) bool {
			if elem.Name != "" {
				return elem.Name == name
			}
			e, v, err := c.bindExpr(elem.Expr, scopeOf(r), "", TypeRef{})
			return err == nil && c.plainColumn(elem.Expr, e, r.OID, v.typ) == num
		}
		if slices.ContainsFunc(spec.elems, covers) {
			continue
		}
		e := errorf("0A000", "unique constraint on partitioned table must include all partitioning columns")
		e.Detail = word + " constraint on table \"" + r.Name + "\" lacks column \"" + name + "\" which is part of the partition key."
		return e
	}
	return nil
}

// indexPartitions makes or attaches the partitions' indexes of a new index on a partitioned table.
func (c *Catalog) indexPartitions(index *Relation, con *Constraint, spec *indexSpec, eff *Effects) error {
	for _, part := range c.partitions(index.Index.Table) {
		if part.Kind == ForeignTable {
			if spec.unique {
				e := errorf("42809", "cannot create unique index on partitioned table \"%s\"", c.relation(index.Index.Table).Name)
				e.Detail = "Table \"" + c.relation(index.Index.Table).Name + "\" contains partitions that are foreign tables."
				return e
			}
			continue
		}
		if err := c.indexOnPartition(index, part, false, eff); err != nil {
			return err
		}
	}
	return nil
}

// indexOnPartition gives a partition its part of a partitioned index: one it has already, else a new one. An invalid one is
// taken too where CREATE INDEX looks for it (DefineIndex), and makes the whole invalid, but not where the partition is new
// (AttachPartitionEnsureIndexes).
func (c *Catalog) indexOnPartition(index, part *Relation, valid bool, eff *Effects) error {
	if part.Kind == ForeignTable {
		return nil
	}
	con := c.constraintOfIndex(index)
	for _, own := range c.Indexes(part.OID) {
		if own.Index.Parent != 0 || valid && !own.Index.Valid || !c.sameIndex(index, own) {
			continue
		}
		ownCon := c.constraintOfIndex(own)
		if con != nil && (ownCon == nil || ownCon.Kind != con.Kind) {
			continue
		}
		c.attachIndex(own, index, con, ownCon)
		if !own.Index.Valid {
			c.editIndex(index.OID, func(x *IndexAttrs) { x.Valid = false })
		}
		return nil
	}
	spec := c.specOfIndex(index, con)
	spec.table, spec.parent, spec.parentConstraint = part.OID, index, con
	_, err := c.defineIndex(spec, eff)
	return err
}

// attachIndex makes own a partition of index (IndexSetParentIndex).
func (c *Catalog) attachIndex(own, index *Relation, con, ownCon *Constraint) {
	c.editRelation(own.OID, func(r *Relation) {
		x := *r.Index
		x.Parent = index.OID
		r.Index, r.Inherits = &x, []OID{index.OID}
	})
	c.addPartitionDeps(own.OID, index.OID, own.Index.Table)
	if con != nil && ownCon != nil {
		c.attachConstraint(ownCon.OID, con)
	}
}

// sameIndex tells whether an index of a partition could be its part of a partitioned index (CompareIndexInfo,
// src/backend/catalog/index.c).
func (c *Catalog) sameIndex(parent, own *Relation) bool {
	a, b := parent.Index, own.Index
	if a.Unique != b.Unique || a.NullsNotDistinct != b.NullsNotDistinct || parent.AccessMethod != own.AccessMethod ||
		len(a.Keys) != len(b.Keys) || len(a.Include) != len(b.Include) || a.Exclusion != b.Exclusion {
		return false
	}
	if p, q := c.effective(a), c.effective(b); (p == nil) != (q == nil) || p != nil && p.SQL != q.SQL {
		return false
	}
	if !slices.Equal(c.mapColumns(a.Table, b.Table, a.Include), b.Include) {
		return false
	}
	for i := range a.Keys {
		x, y := a.Keys[i], b.Keys[i]
		if (x.Expr == nil) != (y.Expr == nil) || x.OpClass != y.OpClass || x.Collation != y.Collation {
			return false
		}
		if x.Expr != nil {
			if x.Expr.SQL != y.Expr.SQL {
				return false
			}
		} else if c.mapColumns(a.Table, b.Table, []int{x.Column})[0] != y.Column {
			return false
		}
	}
	return true
}

// specOfIndex describes an index so that a copy of it can be made on another table (generateClonedIndexStmt).
func (c *Catalog) specOfIndex(index *Relation, con *Constraint) *indexSpec {
	x := index.Index
	spec := &indexSpec{
		table: x.Table, method: index.AccessMethod, unique: x.Unique, primary: x.Primary, exclusion: x.Exclusion, constraint: con != nil,
		nullsNotDistinct: x.NullsNotDistinct, keepOptions: index.Options,
	}
	if con != nil {
		spec.deferrable, spec.deferred, spec.operators = con.Deferrable, con.Deferred, con.Operators
	}
	if x.Predicate != nil {
		spec.where = x.Predicate.Node
	}
	r := c.relation(x.Table)
	for i, key := range x.Keys {
		elem := &pgast.IndexElem{Indexcolname: x.names[i]}
		if key.Column > 0 {
			elem.Name = r.Columns[key.Column-1].Name
		} else {
			elem.Expr = key.Expr.Node
		}
		if key.Desc {
			elem.Ordering = pgast.SortByDir_SORTBY_DESC
		}
		if key.NullsFirst != key.Desc {
			elem.NullsOrdering = pgast.SortByNulls_SORTBY_NULLS_LAST
			if key.NullsFirst {
				elem.NullsOrdering = pgast.SortByNulls_SORTBY_NULLS_FIRST
			}
		}
		if key.OpClass != "" {
			elem.Opclass = []*pgast.Node{stringNode(key.OpClass)}
		}
		if key.Collation != "" {
			for _, part := range strings.Split(key.Collation, ".") {
				elem.Collation = append(elem.Collation, stringNode(part))
			}
		}
		spec.elems = append(spec.elems, elem)
	}
	for i, num := range x.Include {
		spec.include = append(spec.include, &pgast.IndexElem{Name: r.Columns[num-1].Name, Indexcolname: x.names[len(x.Keys)+i]})
	}
	return spec
}

// effective is the predicate of an index, nil for one that holds for every row: they are compared with their constants folded
// (RelationGetIndexPredicate).
func (c *Catalog) effective(x *IndexAttrs) *Expr {
	if x.Predicate == nil {
		return nil
	}
	if v := c.evaluator().eval(x.Predicate.Node); v.kind == plBoolean && v.b {
		return nil
	}
	return x.Predicate
}
