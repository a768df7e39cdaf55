package catalog

import "slices"

// diffObject lists the changes of one object that is in both catalogs.
func diffObject(old, new Object) []Change {
	var changes []Change
	note := func(op Op) { changes = append(changes, Change{Op: op, Old: old, New: new}) }
	if old.ObjectName() != new.ObjectName() {
		note(Renamed)
	}
	if old.ObjectSchema() != new.ObjectSchema() {
		note(Moved)
	}
	switch o := old.(type) {
	case *Relation:
		n := new.(*Relation)
		if !sameRelation(o, n) {
			note(Altered)
		}
		changes = append(changes, diffColumns(o, n)...)
	case *Constraint:
		if !sameConstraint(o, new.(*Constraint)) {
			note(Altered)
		}
	case *Type:
		if !sameType(o, new.(*Type)) {
			note(Altered)
		}
	case *Func:
		if !sameFunc(o, new.(*Func)) {
			note(Altered)
		}
	case *Trigger:
		if !sameTrigger(o, new.(*Trigger)) {
			note(Altered)
		}
	case *Rule:
		n := new.(*Rule)
		if o.Table != n.Table || o.Event != n.Event || o.Instead != n.Instead || o.Enabled != n.Enabled || o.Node != n.Node {
			note(Altered)
		}
	case *Policy:
		n := new.(*Policy)
		if o.Table != n.Table || o.Permissive != n.Permissive || o.Command != n.Command || !slices.Equal(o.Roles, n.Roles) ||
			!sameExpr(o.Using, n.Using) || !sameExpr(o.WithCheck, n.WithCheck) {
			note(Altered)
		}
	case *Extension:
		n := new.(*Extension)
		if o.Schema != n.Schema {
			note(Moved)
		}
		if o.Version != n.Version || o.Known != n.Known {
			note(Altered)
		}
	case *Other:
		n := new.(*Other)
		if o.Kind != n.Kind || o.Table != n.Table || o.operator != n.operator || o.cast != n.cast || o.opclass != n.opclass {
			note(Altered)
		}
	}
	return changes
}

// diffColumns lists the changes of a relation's columns by attribute number.
func diffColumns(old, new *Relation) []Change {
	var changes []Change
	for i := range new.Columns {
		n := &new.Columns[i]
		note := func(op Op, o, n *Column) {
			changes = append(changes, Change{Op: op, Old: old, New: new, OldColumn: o, NewColumn: n})
		}
		if i >= len(old.Columns) || old.Columns[i].Dropped {
			if !n.Dropped {
				note(ColumnAdded, nil, n)
			}
			continue
		}
		o := &old.Columns[i]
		if n.Dropped {
			note(ColumnDropped, o, nil)
			continue
		}
		if o.Name != n.Name {
			note(ColumnRenamed, o, n)
		}
		if o.Type != n.Type || o.Collation != n.Collation {
			note(ColumnTypeChanged, o, n)
		}
		if o.NotNull != n.NotNull {
			if n.NotNull {
				note(ColumnNotNullSet, o, n)
			} else {
				note(ColumnNotNullDropped, o, n)
			}
		}
		if !sameExpr(o.Default, n.Default) || o.Identity != n.Identity || o.Generated != n.Generated {
			note(ColumnDefaultChanged, o, n)
		}
		if o.Inherited != n.Inherited || o.Local != n.Local || o.Stats != n.Stats || o.Compression != n.Compression ||
			o.Storage != n.Storage && o.Type == n.Type || !slices.Equal(o.Options, n.Options) {
			note(ColumnAltered, o, n)
		}
	}
	// A view that was replaced may have fewer columns only by being another object; a shorter list means dropped ones.
	for i := len(new.Columns); i < len(old.Columns); i++ {
		if !old.Columns[i].Dropped {
			changes = append(changes, Change{Op: ColumnDropped, Old: old, New: new, OldColumn: &old.Columns[i]})
		}
	}
	return changes
}

// sameExpr tells whether two expressions are the same, apart from names that followed a rename.
func sameExpr(a, b *Expr) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a == b || a.root() == b.root() || a.SQL == b.SQL
}

func sameQuery(a, b *Query) bool {
	if a == nil || b == nil {
		return a == b
	}
	if a.CheckOption != b.CheckOption || a.Populated != b.Populated {
		return false
	}
	return a == b || a.root() == b.root() || a.root().Node == b.root().Node || a.SQL == b.SQL
}

// sameRelation compares everything but name, schema and columns.
func sameRelation(a, b *Relation) bool {
	return a.Kind == b.Kind && a.Persistence == b.Persistence && slices.Equal(a.Inherits, b.Inherits) && a.PartitionOf == b.PartitionOf &&
		(a.Bound == b.Bound || a.Bound != nil && b.Bound != nil && a.Bound.SQL == b.Bound.SQL) && samePartitionKey(a.PartitionKey, b.PartitionKey) &&
		a.RowSecurity == b.RowSecurity && a.ForceRLS == b.ForceRLS && a.ReplicaIdent == b.ReplicaIdent && a.ReplicaIndex == b.ReplicaIndex &&
		a.ClusterIndex == b.ClusterIndex && slices.Equal(a.Options, b.Options) && a.Tablespace == b.Tablespace && a.AccessMethod == b.AccessMethod &&
		a.OfType == b.OfType && a.ForeignServer == b.ForeignServer && sameQuery(a.Query, b.Query) && sameSequence(a.Seq, b.Seq) && sameIndexAttrs(a.Index, b.Index)
}

func samePartitionKey(a, b *PartitionKey) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Strategy == b.Strategy && slices.Equal(a.Columns, b.Columns) &&
		slices.EqualFunc(a.Exprs, b.Exprs, func(x, y Expr) bool { return x.root() == y.root() || x.SQL == y.SQL })
}

func sameSequence(a, b *SequenceAttrs) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

func sameIndexAttrs(a, b *IndexAttrs) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Table == b.Table && a.Parent == b.Parent && a.Unique == b.Unique && a.Primary == b.Primary && a.Exclusion == b.Exclusion &&
		a.Immediate == b.Immediate && a.Valid == b.Valid && a.NullsNotDistinct == b.NullsNotDistinct && slices.Equal(a.Include, b.Include) &&
		sameExpr(a.Predicate, b.Predicate) && slices.EqualFunc(a.Keys, b.Keys, func(x, y IndexKey) bool {
		return x.Column == y.Column && sameExpr(x.Expr, y.Expr) && x.OpClass == y.OpClass && x.Collation == y.Collation && x.Desc == y.Desc && x.NullsFirst == y.NullsFirst
	})
}

func sameConstraint(a, b *Constraint) bool {
	return a.Kind == b.Kind && a.Table == b.Table && a.Domain == b.Domain && slices.Equal(a.Columns, b.Columns) && a.Index == b.Index &&
		sameExpr(a.Check, b.Check) && a.Valid == b.Valid && a.Deferrable == b.Deferrable && a.Deferred == b.Deferred && a.NoInherit == b.NoInherit &&
		a.Inherited == b.Inherited && a.Local == b.Local && a.Parent == b.Parent && a.RefTable == b.RefTable && slices.Equal(a.RefColumns, b.RefColumns) &&
		a.OnUpdate == b.OnUpdate && a.OnDelete == b.OnDelete && slices.Equal(a.SetColumns, b.SetColumns) && a.Match == b.Match && slices.Equal(a.Operators, b.Operators)
}

func sameType(a, b *Type) bool {
	return a.Kind == b.Kind && slices.Equal(a.Labels, b.Labels) && a.Relation == b.Relation && a.Base == b.Base && a.NotNull == b.NotNull &&
		sameExpr(a.Default, b.Default) && a.Collation == b.Collation && a.Subtype == b.Subtype && a.Range == b.Range && a.Shell == b.Shell
}

func sameFunc(a, b *Func) bool {
	return a.Kind == b.Kind && a.Returns == b.Returns && a.ReturnsSet == b.ReturnsSet && a.Language == b.Language && a.Volatility == b.Volatility &&
		a.Strict == b.Strict && a.SecurityDefiner == b.SecurityDefiner && a.Leakproof == b.Leakproof && a.Parallel == b.Parallel && a.Body == b.Body &&
		a.BodyNode == b.BodyNode && slices.Equal(a.Settings, b.Settings) && slices.EqualFunc(a.Args, b.Args, func(x, y FuncArg) bool {
		return x.Name == y.Name && x.Type == y.Type && x.Mode == y.Mode && sameExpr(x.Default, y.Default)
	})
}

func sameTrigger(a, b *Trigger) bool {
	x, y := *a, *b
	return x.Table == y.Table && x.Function == y.Function && x.Before == y.Before && x.InsteadOf == y.InsteadOf && x.Row == y.Row &&
		x.Insert == y.Insert && x.Update == y.Update && x.Delete == y.Delete && x.Truncate == y.Truncate && slices.Equal(x.Columns, y.Columns) &&
		sameExpr(x.When, y.When) && x.Enabled == y.Enabled && x.Constraint == y.Constraint && x.Deferrable == y.Deferrable && x.Deferred == y.Deferred &&
		x.OldTable == y.OldTable && x.NewTable == y.NewTable && x.Parent == y.Parent
}

// withAssumed is the object as it was before: what was known of it, and what an open catalog has had to assume since.
func withAssumed(old, assumed Object) Object {
	o, ok := old.(*Relation)
	a, isRelation := assumed.(*Relation)
	if old == nil || !ok || !isRelation {
		return assumed
	}
	if len(a.Columns) <= len(o.Columns) {
		return old
	}
	merged := *o
	merged.Columns = slices.Clone(o.Columns)
	for _, col := range a.Columns[len(o.Columns):] {
		if !col.Assumed {
			col = Column{Num: col.Num, Dropped: true} // added by a statement: not there before
		}
		merged.Columns = append(merged.Columns, col)
	}
	return &merged
}

// diffRecords lists changed comments and privileges.
func diffRecords(before, after *Catalog, old, new Object) []Change {
	if before.comments == after.comments && before.grants == after.grants {
		return nil // shared: see Catalog.sharedRecords
	}
	var changes []Change
	oid := new.ObjectID()
	if !slices.Equal(recordsOf(before.comments.Ascend, oid), recordsOf(after.comments.Ascend, oid)) {
		changes = append(changes, Change{Op: CommentChanged, Old: old, New: new})
	}
	if !slices.EqualFunc(recordsOf(before.grants.Ascend, oid), recordsOf(after.grants.Ascend, oid), sameGrants) {
		changes = append(changes, Change{Op: GrantsChanged, Old: old, New: new})
	}
	return changes
}

func sameGrants(a, b record[[]Grant]) bool {
	return a.key == b.key && slices.EqualFunc(a.value, b.value, func(x, y Grant) bool {
		return x.Grantee == y.Grantee && slices.Equal(x.Privileges, y.Privileges) && slices.Equal(x.Grantable, y.Grantable)
	})
}

// record is an entry about an object or column.
type record[V any] struct {
	key   uint64
	value V
}

func recordsOf[V any](ascend func(uint64, func(uint64, V) bool), oid OID) []record[V] {
	var list []record[V]
	ascend(Address{OID: oid}.key(), func(k uint64, v V) bool {
		if OID(k>>32) != oid {
			return false
		}
		list = append(list, record[V]{k, v})
		return true
	})
	return list
}

// String describes a change in a line, for tests and debugging.
func (c Change) String() string {
	o := c.Object()
	s := string(o.Class())
	if r, ok := o.(*Relation); ok {
		s = r.kindWord()
	}
	if c.Old != nil && c.New != nil && c.Old.ObjectName() != c.New.ObjectName() {
		s += " " + quoteIdent(c.Old.ObjectName()) + " ->"
	}
	s += " " + quoteIdent(o.ObjectName())
	switch {
	case c.OldColumn != nil && c.NewColumn != nil && c.OldColumn.Name != c.NewColumn.Name:
		s += "." + quoteIdent(c.OldColumn.Name) + " -> " + quoteIdent(c.NewColumn.Name)
	case c.NewColumn != nil:
		s += "." + quoteIdent(c.NewColumn.Name)
	case c.OldColumn != nil:
		s += "." + quoteIdent(c.OldColumn.Name)
	}
	return s + ": " + string(c.Op)
}
