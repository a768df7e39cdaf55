package catalog

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// Options of LIKE (TableLikeOption, src/include/nodes/parsenodes.h).
const (
	likeComments = 1 << iota
	likeCompression
	likeConstraints
	likeDefaults
	likeGenerated
	likeIdentity
	likeIndexes
	likeStatistics
	likeStorage
)

// likeClause is what is left to do of LIKE once the table is there.
type likeClause struct {
	source  OID
	options uint32
}

// like takes the columns of LIKE (transformTableLikeClause).
func (b *newTable) like(clause *pgast.TableLikeClause) error {
	c := b.c
	source, err := c.lookupRelation(clause.Relation)
	if err != nil {
		return err
	}
	if b.isForeign {
		return errorf("0A000", "LIKE is not supported for creating foreign tables")
	}
	switch source.Kind {
	case Table, View, MatView, CompositeRel, ForeignTable, PartitionedTable:
	default:
		e := errorf("42809", "relation \"%s\" is invalid in LIKE clause", source.Name)
		e.Detail = "This operation is not supported for " + source.pluralKind() + "."
		return e
	}
	opts := clause.Options
	for _, from := range source.Columns {
		if from.Dropped {
			continue
		}
		if slices.ContainsFunc(b.columns, func(o newColumn) bool { return o.Name == from.Name }) {
			return errorf("42701", "column \"%s\" specified more than once", from.Name)
		}
		col := newColumn{Column: Column{Name: from.Name, Type: from.Type, NotNull: from.NotNull, Collation: from.Collation, Local: true, Stats: -1}}
		if con := c.notNullOf(source.OID, from.Num); con != nil {
			b.notNull(notNullSpec{column: from.Name, name: con.Name, noInherit: con.NoInherit})
		}
		if opts&likeStorage != 0 {
			col.Storage = from.Storage
		}
		if opts&likeCompression != 0 {
			col.Compression = from.Compression
		}
		if opts&likeGenerated != 0 {
			col.Generated = from.Generated
		}
		if opts&likeIdentity != 0 && from.Identity != 0 {
			col.Identity = from.Identity
			if err := b.likeIdentity(source, from); err != nil {
				return err
			}
		}
		b.columns = append(b.columns, col)
	}
	b.likes = append(b.likes, likeClause{source.OID, opts})
	return nil
}

// likeIdentity makes the sequence of an identity column with the options of the one it is copied from.
func (b *newTable) likeIdentity(source *Relation, from Column) error {
	oid, err := b.makeSequence(from.Name, from.Type, nil, true)
	if err != nil {
		return err
	}
	if seq := b.c.ownedSequence(Address{source.OID, from.Num}, true); seq != nil {
		attrs := *seq.Seq
		attrs.OwnedBy, attrs.Type = Address{}, scalar(typeInt8) // transformTableLikeClause passes no type on
		b.c.editRelation(oid, func(r *Relation) { r.Seq = &attrs })
	}
	return nil
}

// ownedSequence finds the sequence that a column owns, by serial or (identity) as its identity.
func (c *Catalog) ownedSequence(column Address, identity bool) *Relation {
	for o := range c.childrenOf(column.OID) {
		if r, ok := o.(*Relation); ok && r.Seq != nil && r.Seq.OwnedBy == column && r.Seq.Identity == identity {
			return r
		}
	}
	return nil
}

// expandLike copies what LIKE includes besides columns (expandTableLikeClause).
func (c *Catalog) expandLike(rel OID, like likeClause, eff *Effects) error {
	source := c.relation(like.source)
	if source == nil {
		return nil
	}
	for _, from := range source.Columns {
		to := c.relation(rel).Column(from.Name)
		if from.Dropped || to == nil {
			continue
		}
		if from.Default != nil && (from.Generated == 0 && like.options&likeDefaults != 0 || from.Generated != 0 && like.options&likeGenerated != 0) {
			if from.Generated != 0 {
				if err := c.addDefault(rel, to.Num, from.Default.Node); err != nil {
					return err
				}
			} else {
				c.setDefault(rel, to.Num, from.Default)
			}
		}
		if like.options&likeComments != 0 {
			c.copyComment(Address{source.OID, from.Num}, Address{rel, to.Num})
			if con, made := c.notNullOf(source.OID, from.Num), c.notNullOf(rel, to.Num); con != nil && made != nil {
				c.copyComment(Address{OID: con.OID}, Address{OID: made.OID})
			}
		}
	}
	if like.options&likeConstraints != 0 {
		for _, con := range c.Constraints(source.OID) {
			if con.Kind != Check {
				continue
			}
			def := &pgast.Constraint{Conname: con.Name, RawExpr: con.Check.Node, IsNoInherit: con.NoInherit, InitiallyValid: true}
			made, err := c.addCheck(rel, def, nil, true, false, eff)
			if err != nil {
				return err
			}
			if like.options&likeComments != 0 {
				c.copyComment(Address{OID: con.OID}, Address{OID: made.OID})
			}
		}
	}
	if like.options&likeStatistics != 0 {
		if err := c.copyStatistics(source, rel, like.options&likeComments != 0, eff); err != nil {
			return err
		}
	}
	if like.options&likeIndexes != 0 {
		for _, index := range c.Indexes(source.OID) {
			con := c.constraintOfIndex(index)
			spec := c.specOfIndex(index, con)
			spec.table = rel
			made, err := c.defineIndex(spec, eff)
			if err != nil {
				return err
			}
			if like.options&likeComments != 0 && made != nil {
				c.copyComment(Address{OID: index.OID}, Address{OID: made.OID})
			}
		}
	}
	return nil
}

// copyStatistics copies extended statistics objects (generateClonedExtStatsStmt).
func (c *Catalog) copyStatistics(source *Relation, rel OID, comments bool, eff *Effects) error {
	for o := range c.childrenOf(source.OID) {
		stat, ok := o.(*Other)
		if !ok || stat.Kind != "statistics" {
			continue
		}
		to := c.relation(rel)
		rv := &pgast.RangeVar{Schemaname: c.NameOf(rel).Schema, Relname: to.Name, Inh: true}
		def := &pgast.CreateStatsStmt{Relations: []*pgast.Node{{Node: &pgast.Node_RangeVar{RangeVar: rv}}}}
		columns := slices.Sorted(slices.Values(stat.columns))
		for _, name := range c.columnNames(source.OID, columns) {
			def.Exprs = append(def.Exprs, &pgast.Node{Node: &pgast.Node_StatsElem{StatsElem: &pgast.StatsElem{Name: name}}})
		}
		for _, e := range stat.exprs {
			def.Exprs = append(def.Exprs, &pgast.Node{Node: &pgast.Node_StatsElem{StatsElem: &pgast.StatsElem{Expr: e.Node}}})
		}
		made, err := c.createStatistics(def, eff)
		if err != nil {
			return err
		}
		if comments {
			c.copyComment(Address{OID: stat.OID}, Address{OID: made.OID})
		}
	}
	return nil
}

func (c *Catalog) copyComment(from, to Address) {
	if text, ok := c.comments.Get(from.key()); ok {
		c.setComment(to, text)
	}
}
