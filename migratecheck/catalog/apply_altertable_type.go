package catalog

import (
	"fmt"
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// ALTER COLUMN … TYPE (ATPrepAlterColumnType, ATExecAlterColumnType). Indexes and constraints that
// PostgreSQL builds anew, with new OIDs, keep theirs here: nobody can tell them from the old ones by name.
//
// prepareType does the checks, among them those of USING, which sees the table as it is before the statement; it returns
// what is to be done in its turn.
func (a *alterTable) prepareType(cmd *pgast.AlterTableCmd) (func() error, error) {
	c, def := a.c, cmd.Def.GetColumnDef()
	r := c.relation(a.rel)
	if r.OfType != 0 {
		return nil, errorf("42809", "cannot alter column type of typed table")
	}
	col, err := c.lookupColumn(a.rel, cmd.Name)
	if err != nil {
		return nil, err
	}
	r = c.relation(a.rel)
	if col.Inherited > 0 {
		return nil, errorf("42P16", "cannot alter inherited column \"%s\"", cmd.Name)
	}
	if r.inPartitionKey(col.Num) {
		return nil, errorf("42P16", "cannot alter column \"%s\" because it is part of the partition key of relation \"%s\"", cmd.Name, r.Name)
	}
	typ, err := c.resolveType(def.TypeName)
	if err != nil {
		return nil, err
	}
	if err := c.checkColumnType(cmd.Name, typ); err != nil {
		return nil, err
	}
	if def.RawDefault != nil {
		if col.Generated != 0 {
			e := errorf("42804", "cannot specify USING when altering type of generated column")
			e.Detail = "Column \"" + cmd.Name + "\" is a generated column."
			return nil, e
		}
		if _, err := c.newExpr(def.RawDefault, r); err != nil {
			return nil, err
		}
		from := c.exprType(def.RawDefault, r)
		if from.known() && typ.known() && !c.canCoerce(from, typ, byAssignment) {
			e := errorf("42804", "result of USING clause for column \"%s\" cannot be cast automatically to type %s", cmd.Name, c.FormatType(typ.bare()))
			e.Hint = "You might need to add an explicit cast."
			return nil, e
		}
	} else if col.Type.known() && typ.known() && !c.canCoerce(col.Type, typ, byAssignment) {
		e := errorf("42804", "column \"%s\" cannot be cast automatically to type %s", cmd.Name, c.FormatType(typ.bare()))
		e.Hint = "You might need to specify \"USING " + quoteIdent(cmd.Name) + "::" + c.FormatType(typ) + "\"."
		e.Object = c.NameOf(a.rel)
		return nil, e
	}
	if !a.recurse && len(c.Inheritors(a.rel)) > 0 {
		return nil, errorf("42P16", "type of inherited column \"%s\" must be changed in child tables too", cmd.Name)
	}
	if err := a.rowTypeUsed(a.rel); err != nil {
		return nil, err
	}
	return func() error { return a.changeTypes(cmd.Name, typ, def) }, nil
}

// changeTypes changes the type in a table and all that inherit from it.
func (a *alterTable) changeTypes(name string, typ TypeRef, def *pgast.ColumnDef) error {
	c := a.c
	tree := c.inheritanceTree(a.rel)
	before := TypeRef{}
	if col := c.relation(a.rel).Column(name); col != nil {
		before = col.Type
	}
	if slices.Contains(a.retyped, name) {
		return errorf("0A000", "cannot alter type of column \"%s\" twice", name)
	}
	if before != typ { // one that changes nothing does not count (ATExecAlterColumnType)
		a.retyped = append(a.retyped, name)
	}
	for _, rel := range tree {
		r := c.relation(rel)
		own := r.Column(name)
		if own == nil && rel == a.rel { // an earlier pass dropped it
			_, err := c.lookupColumn(rel, name)
			return err
		} else if own == nil {
			continue
		}
		parents := 0
		for _, p := range r.Inherits {
			if slices.Contains(tree, p) {
				parents++
			}
		}
		if own.Inherited > parents {
			return errorf("42P16", "cannot alter inherited column \"%s\" of relation \"%s\"", name, r.Name)
		}
		if err := a.changeType(rel, name, typ, def); err != nil {
			return err
		}
	}
	a.later(passAlterType, func() error { return c.renameRebuilt(tree, name) })
	return nil
}

// renameRebuilt gives the indexes that partitions have of their parent's new names: they are dropped with the parent's when
// the type of a column changes, and made again with it under names of the server's choice, whatever they were called
// (ATPostAlterTypeCleanup, src/backend/commands/tablecmds.c).
func (c *Catalog) renameRebuilt(tree []OID, column string) error {
	var again []*Relation
	for _, rel := range tree {
		col := c.relation(rel).Column(column)
		for _, index := range c.Indexes(rel) {
			if col != nil && index.Index.Parent != 0 && index.Index.uses(col.Num) {
				again = append(again, index)
			}
		}
	}
	for _, index := range again { // none is in the way of another
		if err := c.renameRelation(index, fmt.Sprintf("\x00%d", index.OID)); err != nil {
			return err
		}
	}
	for _, index := range again {
		table := c.relation(index.Index.Table)
		con := c.constraintOfIndex(index)
		spec := c.specOfIndex(index, con)
		if con != nil {
			c.editConstraint(con.OID, func(con *Constraint) { con.NoInherit = false }) // as its parent's copy, though it was there before
		}
		if err := c.renameRelation(c.relation(index.OID), c.chooseIndexName(table.Name, table.Schema, spec)); err != nil {
			return err
		}
	}
	return nil
}

// inheritanceTree lists a table and all that inherit from it, each once (find_all_inheritors).
func (c *Catalog) inheritanceTree(rel OID) []OID {
	tree := []OID{rel}
	for i := 0; i < len(tree); i++ {
		for _, child := range c.Inheritors(tree[i]) {
			if !slices.Contains(tree, child.OID) {
				tree = append(tree, child.OID)
			}
		}
	}
	return tree
}

// rowTypeUsed refuses to change what a column of another table is made of (find_composite_type_dependencies).
func (a *alterTable) rowTypeUsed(rel OID) error {
	c := a.c
	r := c.relation(rel)
	of := rel
	what, uses := "table", "its row type"
	if r.Kind == CompositeRel {
		what, uses = "type", "it"
		for _, d := range c.Dependencies(rel) {
			if t, ok := c.Get(d.Ref.OID).(*Type); ok && t.Relation == rel {
				of = t.OID
			}
		}
	}
	for _, d := range c.Dependents(Address{OID: of}) {
		user := c.relation(d.OID)
		if user == nil || d.OID == rel || d.Column == 0 || d.Default || d.Ref.Column != 0 {
			continue
		}
		if user.Kind == Table || user.Kind == MatView || user.Kind == PartitionedTable {
			col := user.Att(d.Column)
			if col == nil || col.Type.OID != of {
				continue
			}
			if what == "type" {
				return errorf("0A000", "cannot alter type \"%s\" because column \"%s.%s\" uses it", r.Name, user.Name, col.Name)
			}
			return errorf("0A000", "cannot alter table \"%s\" because column \"%s.%s\" uses %s", r.Name, user.Name, col.Name, uses)
		}
	}
	return nil
}

func (a *alterTable) changeType(rel OID, name string, typ TypeRef, def *pgast.ColumnDef) error {
	c := a.c
	col := c.relation(rel).Column(name)
	old := col.Type
	if err := a.typeDependents(rel, col); err != nil {
		return err
	}
	a.remember(rel, col.Num)
	var converted *Expr
	if d := col.Default; d != nil {
		from := c.exprType(d.Node, c.relation(rel))
		if from.OID == typeUnknown {
			from = old // a literal was given the column's type when it was stored
		}
		if from.known() && typ.known() && !c.canCoerce(from, typ, byAssignment) {
			if col.Generated != 0 {
				return errorf("42804", "generation expression for column \"%s\" cannot be cast automatically to type %s", name, c.FormatType(typ.bare()))
			}
			return errorf("42804", "default for column \"%s\" cannot be cast automatically to type %s", name, c.FormatType(typ.bare()))
		}
		if v := c.coercionVolatility(from, typ, byAssignment); from.known() && typ.known() && v != d.Volatility && moreVolatile(v, d.Volatility) == v {
			changed := *d
			changed.Volatility, changed.origin = v, d.root()
			converted = &changed
		}
	}
	c.dropDeps(rel, func(d Dep) bool { return d.Column == col.Num && !d.Default && !d.generation })
	changed := *col
	if converted != nil {
		changed.Default = converted
	}
	changed.Type, changed.Storage, changed.Collation, changed.Assumed = typ, "", "", false
	if def.CollClause != nil {
		if err := c.setCollation(&changed, def.CollClause.Collname); err != nil {
			return err
		}
	}
	r := c.editColumn(rel, col.Num, func(col *Column) { *col = changed })
	c.addTypeDeps(rel, r.Att(col.Num))
	if def.RawDefault != nil {
		c.converts(rel, col.Num, conversion{typed: true, value: def.RawDefault})
	}
	if r.Kind == Table && c.usingRewrites(def.RawDefault, col, old, typ) {
		a.rewritten(rel)
	}
	a.later(passAlterType, func() error { return a.rebuild(rel, col.Num) }) // when all types are what they will be (ATPostAlterTypeCleanup)
	if seq := c.ownedSequence(Address{rel, col.Num}, true); seq != nil && seq.Seq.Type.OID != typ.OID {
		attrs := *seq.Seq
		as := &pgast.Node{Node: &pgast.Node_DefElem{DefElem: &pgast.DefElem{Defname: "as", Arg: &pgast.Node{Node: &pgast.Node_TypeName{TypeName: def.TypeName}}}}}
		if _, err := c.sequenceOptions(&attrs, []*pgast.Node{as}, false); err != nil {
			return err
		}
		c.editRelation(seq.OID, func(r *Relation) { r.Seq = &attrs })
	}
	return nil
}

// usingRewrites is typeRewrites for ALTER … TYPE … USING: the column itself, and casts of it that change nothing, are no
// computation (ATColumnChangeRequiresRewrite looks at the planned expression).
func (c *Catalog) usingRewrites(using *pgast.Node, col *Column, from, to TypeRef) bool {
	var casts []*pgast.TypeName
	for using.GetTypeCast() != nil {
		casts = append(casts, using.GetTypeCast().TypeName)
		using = using.GetTypeCast().Arg
	}
	if using != nil {
		fields := using.GetColumnRef().GetFields()
		if len(fields) == 0 || fields[len(fields)-1].GetString_().GetSval() != col.Name {
			return true
		}
	}
	for _, name := range slices.Backward(casts) {
		step, err := c.resolveType(name)
		if err != nil || c.typeRewrites(from, step) {
			return true
		}
		from = step
	}
	return c.typeRewrites(from, to)
}

// typeRewrites tells whether stored values must change with the type (ATColumnChangeRequiresRewrite, and the support
// functions of length coercions, e.g. varchar_support in src/backend/utils/adt/varchar.c).
func (c *Catalog) typeRewrites(from, to TypeRef) bool {
	if from == to {
		return false
	}
	if t := c.typeByOID(to.OID); t != nil && t.Kind == DomainType && !to.Array && c.constrainedDomain(t) {
		return true
	}
	if !c.BinaryCoercible(from, to) {
		return true
	}
	a, b := c.baseType(from), c.baseType(to)
	if b.Mod == -1 || a == b {
		return false
	}
	if a.OID != b.OID || a.Mod == -1 || a.Array || b.Array {
		return true
	}
	switch a.OID {
	case typeVarchar, typeVarbit, typeTimestamp, typeTimestamptz, typeTime, typeTimetz:
		return b.Mod < a.Mod
	case typeNumeric:
		// Precision in the upper half, scale in the lower, both after VARHDRSZ.
		return (a.Mod-4)&0x7ff != (b.Mod-4)&0x7ff || (b.Mod-4)>>16 < (a.Mod-4)>>16
	}
	return true
}

// typeDependents refuses to change a column that something is made of that PostgreSQL cannot rebuild
// (RememberAllDependentForRebuilding).
func (a *alterTable) typeDependents(rel OID, col *Column) error {
	c := a.c
	for _, d := range c.Dependents(Address{rel, col.Num}) {
		var e *Error
		switch o := c.Get(d.OID).(type) {
		case *Relation:
			switch {
			case o.Kind == View || o.Kind == MatView:
				e = errorf("0A000", "cannot alter type of a column used by a view or rule")
				e.Detail = "rule _RETURN on " + c.describe(Address{OID: o.OID}, false) + " depends on column \"" + col.Name + "\""
			case o.OID == rel && d.Column != 0 && d.Column != col.Num:
				if other := o.Att(d.Column); other != nil && other.Generated != 0 {
					code := "0A000"
					if c.Version < 15 {
						code = "42601"
					}
					e = errorf(code, "cannot alter type of a column used by a generated column")
					e.Detail = "Column \"" + col.Name + "\" is used by generated column \"" + other.Name + "\"."
				}
			}
		case *Rule:
			e = errorf("0A000", "cannot alter type of a column used by a view or rule")
			e.Detail = c.describe(Address{OID: o.OID}, false) + " depends on column \"" + col.Name + "\""
		case *Trigger:
			e = errorf("0A000", "cannot alter type of a column used in a trigger definition")
			e.Detail = c.describe(Address{OID: o.OID}, false) + " depends on column \"" + col.Name + "\""
		case *Policy:
			e = errorf("0A000", "cannot alter type of a column used in a policy definition")
			e.Detail = c.describe(Address{OID: o.OID}, false) + " depends on column \"" + col.Name + "\""
		case *Func:
			e = errorf("0A000", "cannot alter type of a column used by a function or procedure")
			e.Detail = c.describe(Address{OID: o.OID}, false) + " depends on column \"" + col.Name + "\""
		}
		if e != nil {
			e.Object = c.NameOf(d.OID)
			return e
		}
	}
	return nil
}

// remember keeps what rebuild will need of a column's CHECKs and indexes, as it is before the type changes.
func (a *alterTable) remember(rel OID, num int) {
	if a.stored == nil {
		a.stored = map[*Expr]*pgast.Node{}
	}
	var list []*Expr
	for _, con := range a.c.Constraints(rel) {
		if con.Kind == Check && slices.Contains(con.Columns, num) {
			list = append(list, con.Check)
		}
	}
	for _, index := range a.c.Indexes(rel) {
		if index.Index.uses(num) {
			list = append(list, index.Index.expressions()...)
		}
	}
	for _, e := range list {
		if e != nil && e.Node != nil && a.stored[e] == nil {
			a.stored[e] = a.c.storedForm(e.Node, a.c.relation(rel))
		}
	}
}

// rebuildExpressions is rebuild for the predicate and the expressions of an index.
func (a *alterTable) rebuildExpressions(index *Relation, rel OID) error {
	again := map[*Expr]*Expr{}
	for _, e := range index.Index.expressions() {
		now, err := a.again(e, rel)
		if err != nil {
			return err
		}
		again[e] = now
		if now == e || !a.c.mutable(now, a.c.relation(rel)) {
			continue
		}
		if e == index.Index.Predicate {
			return errorf("42P17", "functions in index predicate must be marked IMMUTABLE")
		}
		return errorf("42P17", "functions in index expression must be marked IMMUTABLE")
	}
	if len(again) > 0 {
		a.c.editIndex(index.OID, func(x *IndexAttrs) {
			x.Keys = slices.Clone(x.Keys)
			for i, key := range x.Keys {
				if key.Expr == nil {
					continue
				}
				e := again[key.Expr]
				x.Keys[i].Expr = e
				if num := a.c.plainColumn(e.Node, e, rel, a.c.exprType(e.Node, a.c.relation(rel))); num > 0 { // what was cast has the type now
					x.Keys[i].Column, x.Keys[i].Expr = num, nil
				}
			}
			if x.Predicate != nil {
				x.Predicate = again[x.Predicate]
			}
		})
	}
	return nil
}

// again binds an expression of a table's once more. What was stored of it decides; where the text that it was made of still means
// the same, it stays.
func (a *alterTable) again(e *Expr, rel OID) (*Expr, error) {
	node := a.stored[e]
	if node == nil {
		return e, nil
	}
	stored, err := a.c.newExpr(node, a.c.relation(rel))
	if err != nil {
		return nil, err
	}
	of := func(n *pgast.Node) string { return exprSQL(a.c.storedForm(n, a.c.relation(rel))) }
	if same, err := a.c.newExpr(e.Node, a.c.relation(rel)); err == nil && of(e.Node) == of(node) {
		return same, nil
	}
	return stored, nil
}

// rebuild checks what PostgreSQL would build anew: constraints and indexes that use the column.
func (a *alterTable) rebuild(rel OID, num int) error {
	c := a.c
	for _, con := range slices.Concat(c.Constraints(rel), c.ReferencedBy(rel)) {
		switch {
		case con.Kind == ForeignKey && (con.Table == rel && slices.Contains(con.Columns, num) || con.RefTable == rel && slices.Contains(con.RefColumns, num)):
			if err := c.checkForeignTypes(con); err != nil {
				return err
			}
		case con.Kind == Check && slices.Contains(con.Columns, num):
			e, err := a.again(con.Check, rel)
			if err != nil {
				return err
			}
			valid := con.Valid
			if !con.Local {
				valid = a.parentValid(con)
			}
			c.editConstraint(con.OID, func(con *Constraint) { con.Check, con.Valid = e, valid })
		}
	}
	for _, index := range c.Indexes(rel) {
		if err := a.rebuildExpressions(index, rel); err != nil {
			return err
		}
		if index.Index.uses(num) {
			// It is made again from its definition, which calls the columns what they are called now.
			spec := c.specOfIndex(index, nil)
			for _, elem := range slices.Concat(spec.elems, spec.include) {
				elem.Indexcolname = ""
			}
			c.editIndex(index.OID, func(x *IndexAttrs) { x.names = c.indexColumnNames(slices.Concat(spec.elems, spec.include)) })
			if index.Index.Parent != 0 {
				c.rebuildPartitionComments(index)
			}
		}
		for i, key := range index.Index.Keys {
			if key.Column != num {
				continue
			}
			var given []string
			if key.OpClass != "" {
				given = []string{key.OpClass}
			}
			class, err := c.indexOpClass(c.relation(rel).Att(num).Type, index.AccessMethod, given)
			if err != nil {
				return err
			}
			if class.name != key.OpClass || class.oid != key.class {
				c.editIndex(index.OID, func(x *IndexAttrs) {
					x.Keys = slices.Clone(x.Keys)
					x.Keys[i].OpClass, x.Keys[i].class = class.name, class.oid
				})
				if class.oid != 0 {
					c.addDep(Address{OID: index.OID}, Address{OID: class.oid}, DepNormal)
				}
			}
		}
	}
	return nil
}

// parentValid tells whether the CHECK that one came from is valid. Both are dropped when the type of a column changes, and the parent's
// definition makes both again, NOT VALID and all, however the child had proved its own (ATPostAlterTypeCleanup).
func (a *alterTable) parentValid(con *Constraint) bool {
	for _, parent := range a.c.relation(con.Table).Inherits {
		if above := a.c.constraintNamed(parent, con.Name); above != nil {
			return above.Valid
		}
	}
	return con.Valid
}

// rebuildPartitionComments does what becomes of comments when an index of a partition is made anew by way of the partitioned
// index: before 17 the one on the index is that one's (DefineIndex passes it on), later it is lost, as is the one on the
// constraint.
func (c *Catalog) rebuildPartitionComments(index *Relation) {
	comment := ""
	if c.Version < 17 {
		comment = c.Comment(Address{OID: index.Index.Parent})
	}
	c.setComment(Address{OID: index.OID}, comment)
	if con := c.constraintOfIndex(index); con != nil {
		c.setComment(Address{OID: con.OID}, "")
	}
}
