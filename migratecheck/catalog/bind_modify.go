package catalog

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// target binds the table that a statement changes.
func (b *binder) target(rv *pgast.RangeVar) (*Relation, *rangeItem, error) {
	rel, err := b.relation(rv)
	if err != nil {
		return nil, nil, err
	}
	b.reads(rel, rv)
	it := b.readItem(rel)
	it.at = rv.Location
	items, err := b.aliased(it, rv.Alias, rv.Relname)
	if err != nil {
		return nil, nil, err
	}
	return rel, items[0], nil
}

func (b *binder) missingColumn(rel *Relation, name string) error {
	return &Error{Code: "42703", Message: "column " + quoteMessage(name) + " of relation " + quoteMessage(rel.Name) + " does not exist", Object: b.c.nameOf(rel), Column: name}
}

func (c *Catalog) nameOf(r *Relation) Name { return Name{Schema: c.schemaNameOf(r), Name: r.Name} }

// bindInsert is transformInsertStmt.
func (b *binder) bindInsert(n *pgast.InsertStmt, parent *scope) (*boundQuery, error) {
	s := &scope{parent: parent}
	if err := b.with(n.WithClause, s); err != nil {
		return nil, err
	}
	rel, it, err := b.target(n.Relation)
	if err != nil {
		return nil, err
	}
	w := b.writes(rel, 'i', n.Relation.Location)
	w.Overriding, w.Returning = overriding(n.Override), len(n.ReturningList) > 0
	columns, err := b.insertColumns(n.Cols, rel, s, w)
	if err != nil {
		return nil, err
	}
	if n.SelectStmt == nil {
		w.Defaults = true
		w.Targets = nil
	} else {
		inner := &scope{parent: parent, ctes: s.ctes}
		rows, open, err := b.insertSource(n.SelectStmt, inner, w)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			if err := b.insertRow(row, open, columns, len(n.Cols) > 0, rel, w); err != nil {
				return nil, err
			}
		}
	}
	s.items = append(s.items, it)
	if oc := n.OnConflictClause; oc != nil {
		if err := b.onConflict(oc, rel, it, s, w); err != nil {
			return nil, err
		}
	}
	return b.returning(n.ReturningList, s)
}

func overriding(k pgast.OverridingKind) Overriding {
	switch k {
	case pgast.OverridingKind_OVERRIDING_USER_VALUE:
		return OverridingUser
	case pgast.OverridingKind_OVERRIDING_SYSTEM_VALUE:
		return OverridingSystem
	}
	return NotOverriding
}

// insertColumns is checkInsertTargets: the columns named, or all of them. A column that an assumed table may have is nil.
func (b *binder) insertColumns(list []*pgast.Node, rel *Relation, s *scope, w *Write) ([]*Column, error) {
	var columns []*Column
	if len(list) == 0 {
		for i := range rel.Columns {
			if !rel.Columns[i].Dropped {
				columns = append(columns, &rel.Columns[i])
				w.Targets = append(w.Targets, Target{Column: rel.Columns[i].Num, Offset: w.Offset})
			}
		}
		w.AllColumns = true
		return columns, nil
	}
	for _, n := range list {
		t := n.GetResTarget()
		col := rel.Column(t.Name)
		if col == nil && (!rel.Assumed || rel.lost(t.Name)) {
			if err := b.goOn(locate(b.missingColumn(rel, t.Name), t.Location)); err != nil {
				return nil, err
			}
		}
		if col != nil {
			for i, old := range columns {
				if old == col && (len(t.Indirection) == 0 || len(list[i].GetResTarget().Indirection) == 0) {
					return nil, locate(&Error{Code: "42701", Message: "column " + quoteMessage(t.Name) + " specified more than once", Column: t.Name}, t.Location)
				}
			}
			b.refAt(Address{rel.OID, col.Num}, t.Location)
			w.Targets = append(w.Targets, Target{Column: col.Num, Offset: int(t.Location)})
		} else {
			w.Targets = append(w.Targets, Target{Offset: int(t.Location)})
		}
		if col != nil && len(t.Indirection) > 0 {
			var err error
			b.refType(col.Type) // a NULL of the type is what the part is put into
			if col, err = b.part(col, t, s); err != nil {
				return nil, err
			}
		}
		columns = append(columns, col)
	}
	return columns, nil
}

// part is the element or field of a column that a target names (transformAssignmentIndirection), as a column of its type.
func (b *binder) part(col *Column, t *pgast.ResTarget, s *scope) (*Column, error) {
	// An expression with the same indirection has the type; its column stands for the target.
	n := &pgast.A_Indirection{Arg: &pgast.Node{Node: &pgast.Node_TypeCast{TypeCast: &pgast.TypeCast{}}}, Indirection: t.Indirection}
	v, err := b.indirect(value{typ: col.Type}, n, s)
	if ty := b.c.typeByOID(col.Type.OID); ty != nil && ty.Kind == DomainType {
		b.refType(col.Type) // the whole must be of the domain again
	}
	if err != nil {
		return nil, locate(err, t.Location)
	}
	return &Column{Num: col.Num, Name: col.Name, Type: v.typ}, nil
}

// insertRow is transformInsertRow.
func (b *binder) insertRow(row []value, open bool, columns []*Column, named bool, rel *Relation, w *Write) error {
	if !open && !(rel.Assumed && !named) {
		if len(row) > len(columns) {
			return locate(errorf("42601", "INSERT has more expressions than target columns"), int32(w.Offset))
		}
		if named && len(row) < len(columns) {
			return locate(errorf("42601", "INSERT has more target columns than expressions"), int32(w.Offset))
		}
	}
	for i, v := range row {
		if i >= len(columns) {
			break
		}
		w.Targets[i].give(v)
		if columns[i] == nil {
			continue
		}
		if !named {
			b.wide = true // as a star would
			b.refAt(Address{rel.OID, columns[i].Num}, int32(w.Offset))
			b.wide = false
		}
		if v.isDefault {
			continue
		}
		if err := b.goOn(locate(b.assign(columns[i], v), int32(w.Targets[i].Offset))); err != nil {
			return err
		}
	}
	if !named && !open && len(row) < len(w.Targets) {
		w.Targets = w.Targets[:len(row)]
	}
	return nil
}

// insertSource binds what is inserted, as rows: those of VALUES, where DEFAULT and literals without a type fit any column,
// or one that stands for all rows of a query.
func (b *binder) insertSource(n *pgast.Node, s *scope, w *Write) (rows [][]value, open bool, err error) {
	sel := n.GetSelectStmt()
	if sel == nil || len(sel.ValuesLists) == 0 || sel.WithClause != nil && len(sel.ValuesLists) > 1 || len(sel.SortClause) > 0 || sel.LimitCount != nil {
		w.Query = true
		var q *boundQuery
		if sel != nil {
			q, err = b.bindUnsettled(sel, s)
		} else {
			q, err = b.bindQuery(n, s)
		}
		if err != nil {
			return nil, false, err
		}
		row := make([]value, len(q.cols))
		for i := range q.cols {
			row[i] = q.cols[i].value()
		}
		return [][]value{row}, q.open, nil
	}
	inner := &scope{parent: s}
	if err := b.with(sel.WithClause, inner); err != nil {
		return nil, false, err
	}
	for i, list := range sel.ValuesLists {
		row, err := b.bindList(list.GetList().GetItems(), inner)
		if err != nil {
			return nil, false, err
		}
		if i > 0 && len(row) != len(rows[0]) {
			return nil, false, errorf("42601", "VALUES lists must all be the same length")
		}
		rows = append(rows, row)
	}
	return rows, false, nil
}

// assign is transformAssignedExpr.
func (b *binder) assign(col *Column, v value) error {
	if !b.c.canCoerce(v.typ, col.Type, byAssignment) && !b.rowCoerces(v, col.Type) {
		return &Error{
			Code: "42804", Message: "column " + quoteMessage(col.Name) + " is of type " + b.c.typeText(col.Type) + " but expression is of type " + b.c.typeText(v.typ),
			Hint: "You will need to rewrite or cast the expression.", Column: col.Name,
		}
	}
	b.coerce(v, col.Type, byAssignment)
	return b.failed
}

func (b *binder) onConflict(oc *pgast.OnConflictClause, rel *Relation, it *rangeItem, s *scope, w *Write) error {
	target := &scope{parent: s.parent, ctes: s.ctes, items: []*rangeItem{it}}
	if inf := oc.Infer; inf != nil {
		for _, n := range inf.IndexElems {
			e := n.GetIndexElem()
			if e.Name != "" {
				at := b.at
				b.at = inf.Location
				if _, err := b.columnOf(it, e.Name); err != nil {
					err = locate(&Error{Code: "42703", Message: "column " + quoteMessage(e.Name) + " does not exist", Object: b.c.nameOf(rel), Column: e.Name}, inf.Location)
					if err = b.goOn(err); err != nil {
						return err
					}
				}
				b.at = at
			} else if _, err := b.bindExpr(e.Expr, target); err != nil {
				return err
			}
		}
		if err := b.condition(inf.WhereClause, target, "WHERE"); err != nil {
			return err
		}
	}
	if err := b.goOn(b.arbiter(oc, rel, it, target, w)); err != nil {
		return err
	}
	excluded := *it
	excluded.name, excluded.schema = "excluded", "alias"
	excluded.cols = slices.Clone(it.cols)
	for i := range excluded.cols {
		excluded.cols[i].mayNull = false // what is proposed says the INSERT
	}
	both := &scope{parent: s.parent, ctes: s.ctes, items: []*rangeItem{it, &excluded}}
	if oc.Action == pgast.OnConflictAction_ONCONFLICT_UPDATE {
		update := b.writes(rel, 'u', oc.Location)
		update.Alias = it.name
		if err := b.assignments(oc.TargetList, rel, both, update); err != nil {
			return err
		}
		takesExcluded(oc.TargetList, rel, update)
	}
	return b.condition(oc.WhereClause, both, "WHERE")
}

// takesExcluded notes which values are excluded.column as it is.
func takesExcluded(list []*pgast.Node, rel *Relation, w *Write) {
	for _, n := range list {
		set, value := rel.Column(n.GetResTarget().GetName()), stringList(n.GetResTarget().GetVal().GetColumnRef().GetFields())
		if set == nil || len(value) != 2 || value[0] != "excluded" {
			continue
		}
		if t, col := w.Target(set.Num), rel.Column(value[1]); t != nil && col != nil && len(t.Values) == 1 {
			t.Values[0].Excluded = col.Num
		}
	}
}

// assignments binds the SET list of UPDATE: all expressions first, then what each does in its column (transformUpdateTargetList), so that
// a parameter that stands for two columns of different types has no type.
func (b *binder) assignments(list []*pgast.Node, rel *Relation, s *scope, w *Write) error {
	sources := make([]*pgast.Node, len(list))
	values := make([]value, len(list))
	var row *boundQuery // of the subquery that gives several columns their values
	for i, n := range list {
		source, q, err := b.source(n.GetResTarget(), s)
		if err != nil {
			return err
		}
		if values[i], err = b.bindExpr(source, s); err != nil {
			return err
		}
		if q != nil {
			row = q
		}
		if m := n.GetResTarget().GetVal().GetMultiAssignRef(); m.GetSource().GetSubLink() != nil && row != nil && int(m.Colno) <= len(row.cols) {
			values[i].mayNull = !row.answers || row.cols[m.Colno-1].mayNull || row.cols[m.Colno-1].null
		}
		sources[i] = source
	}
	for i, n := range list {
		if err := b.assignment(rel, n.GetResTarget(), sources[i], values[i], s, w); err != nil {
			return err
		}
	}
	return nil
}

// source is the expression that a column is set to, nil for a column of a subquery's row. The subquery comes with the first of them.
func (b *binder) source(t *pgast.ResTarget, s *scope) (*pgast.Node, *boundQuery, error) {
	m := t.Val.GetMultiAssignRef()
	if m == nil {
		return t.Val, nil, nil
	}
	const counts = "number of columns does not match number of values"
	if row := m.Source.GetRowExpr(); row != nil {
		switch {
		case hasStar(row.Args):
			return nil, nil, nil
		case len(row.Args) != int(m.Ncolumns):
			return nil, nil, locate(errorf("42601", counts), row.Location)
		}
		return row.Args[m.Colno-1], nil, nil
	}
	sub := m.Source.GetSubLink()
	if sub == nil {
		return t.Val, nil, nil
	}
	if m.Colno == 1 {
		q, err := b.bindQuery(sub.Subselect, s)
		if err != nil {
			return nil, nil, err
		}
		if !q.open && len(q.cols) != int(m.Ncolumns) {
			return nil, nil, locate(errorf("42601", counts), locationOf(m.Source, b.at))
		}
		return nil, q, nil
	}
	return nil, nil, nil
}

// hasStar tells of t.* in a row, which stands for several columns.
func hasStar(list []*pgast.Node) bool {
	for _, n := range list {
		if ref := n.GetColumnRef(); ref != nil && ref.Fields[len(ref.Fields)-1].GetAStar() != nil {
			return true
		}
	}
	return false
}

// assignment is updateTargetListEntry.
func (b *binder) assignment(rel *Relation, t *pgast.ResTarget, val *pgast.Node, v value, s *scope, w *Write) error {
	col := rel.Column(t.Name)
	if col == nil {
		if rel.Assumed && !rel.lost(t.Name) {
			return nil
		}
		return b.goOn(locate(b.missingColumn(rel, t.Name), t.Location))
	}
	b.refAt(Address{rel.OID, col.Num}, t.Location)
	target := Target{Column: col.Num, Offset: int(t.Location)}
	if val == nil || val.GetMultiAssignRef() != nil {
		target.give(value{mayNull: v.mayNull})
		w.Targets = append(w.Targets, target)
		return nil // one column of a subquery's row
	}
	if len(t.Indirection) > 0 {
		var err error
		if col, err = b.part(col, t, s); err != nil {
			return err
		}
		target.give(value{})
		w.Targets = append(w.Targets, target)
		return b.goOn(locate(b.assign(col, v), locationOf(val, t.Location)))
	}
	target.give(v)
	target.Values[0].Expr = val
	w.Targets = append(w.Targets, target)
	if v.isDefault {
		return nil
	}
	return b.goOn(locate(b.assign(col, v), locationOf(val, t.Location)))
}

func (b *binder) returning(list []*pgast.Node, s *scope) (*boundQuery, error) {
	q, _, err := b.targets(list, s)
	if err != nil {
		return nil, err
	}
	return q, b.settle(q)
}

func (b *binder) bindUpdate(n *pgast.UpdateStmt, parent *scope) (*boundQuery, error) {
	s := &scope{parent: parent}
	if err := b.with(n.WithClause, s); err != nil {
		return nil, err
	}
	rel, it, err := b.target(n.Relation)
	if err != nil {
		return nil, err
	}
	s.items = append(s.items, it)
	if err := b.from(n.FromClause, s); err != nil {
		return nil, err
	}
	w := b.writes(rel, 'u', n.Relation.Location)
	w.Alias, w.Where, w.Returning = it.name, n.WhereClause, len(n.ReturningList) > 0
	// The types of parameters are found in this order (transformUpdateStmt).
	q, err := b.filtered(n.WhereClause, n.ReturningList, s)
	if err != nil {
		return nil, err
	}
	b.notNullBy(n.WhereClause, s, true)
	b.notNullByJoins(n.FromClause, s)
	return q, b.assignments(n.TargetList, rel, s, w)
}

func (b *binder) bindDelete(n *pgast.DeleteStmt, parent *scope) (*boundQuery, error) {
	s := &scope{parent: parent}
	if err := b.with(n.WithClause, s); err != nil {
		return nil, err
	}
	rel, it, err := b.target(n.Relation)
	if err != nil {
		return nil, err
	}
	b.writes(rel, 'd', n.Relation.Location).Returning = len(n.ReturningList) > 0
	s.items = append(s.items, it)
	if err := b.from(n.UsingClause, s); err != nil {
		return nil, err
	}
	b.notNullBy(n.WhereClause, s, true)
	b.notNullByJoins(n.UsingClause, s)
	return b.filtered(n.WhereClause, n.ReturningList, s)
}

// filtered binds the WHERE and RETURNING of UPDATE and DELETE.
func (b *binder) filtered(where *pgast.Node, list []*pgast.Node, s *scope) (*boundQuery, error) {
	if err := b.condition(where, s, "WHERE"); err != nil {
		return nil, err
	}
	return b.returning(list, s)
}

func (b *binder) bindMerge(n *pgast.MergeStmt, parent *scope) (*boundQuery, error) {
	s := &scope{parent: parent}
	if err := b.with(n.WithClause, s); err != nil {
		return nil, err
	}
	rel, it, err := b.target(n.Relation)
	if err != nil {
		return nil, err
	}
	if err := b.goOn(locate(b.c.refusesMerge(rel), n.Relation.Location)); err != nil {
		return nil, err
	}
	s.items = append(s.items, it)
	if err := b.from([]*pgast.Node{n.SourceRelation}, s); err != nil {
		return nil, err
	}
	if err := b.condition(n.JoinCondition, s, "JOIN/ON"); err != nil {
		return nil, err
	}
	for _, node := range n.MergeWhenClauses {
		if err := b.mergeAction(node.GetMergeWhenClause(), rel, it, s); err != nil {
			return nil, err
		}
	}
	return &boundQuery{}, nil
}

// refusesMerge is what transformMergeStmt has against a target (src/backend/parser/parse_merge.c). Since 17 views are taken.
func (c *Catalog) refusesMerge(rel *Relation) error {
	switch {
	case rel.Kind != View && len(c.Rules(rel.OID)) > 0:
		return &Error{Code: "0A000", Message: "cannot execute MERGE on relation " + quoteMessage(rel.Name), Detail: "MERGE is not supported for relations with rules.", Object: c.nameOf(rel)}
	case rel.Assumed || rel.Kind == Table || rel.Kind == PartitionedTable || rel.Kind == View && c.Version >= 17:
		return nil
	case rel.Kind == View:
		return &Error{Code: "0A000", Message: "cannot execute MERGE on relation " + quoteMessage(rel.Name), Detail: "This operation is not supported for views.", Object: c.nameOf(rel)}
	}
	return &Error{Code: "0A000", Message: "cannot execute MERGE on relation " + quoteMessage(rel.Name), Object: c.nameOf(rel)}
}

// mergeAction is one WHEN of transformMergeStmt. WHEN NOT MATCHED has no row of the target to look at.
func (b *binder) mergeAction(when *pgast.MergeWhenClause, rel *Relation, it *rangeItem, s *scope) error {
	visible := s
	if !when.Matched {
		visible = &scope{parent: s.parent, ctes: s.ctes}
		for _, other := range s.items {
			if other != it {
				visible.items = append(visible.items, other)
			}
		}
	}
	if err := b.condition(when.Condition, visible, "WHEN"); err != nil {
		return err
	}
	switch when.CommandType {
	case pgast.CmdType_CMD_INSERT:
		w := b.writes(rel, 'i', it.at)
		w.Overriding = overriding(when.Override)
		columns, err := b.insertColumns(when.TargetList, rel, visible, w)
		if err != nil {
			return err
		}
		if len(when.Values) == 0 {
			w.Defaults, w.Targets = true, nil
			return nil
		}
		row, err := b.bindList(when.Values, visible)
		if err != nil {
			return err
		}
		return b.insertRow(row, false, columns, len(when.TargetList) > 0, rel, w)
	case pgast.CmdType_CMD_UPDATE:
		return b.assignments(when.TargetList, rel, visible, b.writes(rel, 'u', it.at))
	case pgast.CmdType_CMD_DELETE:
		b.writes(rel, 'd', it.at)
	}
	return nil
}
