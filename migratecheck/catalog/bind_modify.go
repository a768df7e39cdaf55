package catalog

import (
	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// target binds the table that a statement changes.
func (b *binder) target(rv *pgast.RangeVar) (*Relation, *rangeItem, error) {
	rel, err := b.relation(rv)
	if err != nil {
		return nil, nil, err
	}
	b.ref(Address{OID: rel.OID})
	b.unknown = b.unknown || rel.Assumed
	it := relationItem(rel, rel.Name, "")
	items, err := b.aliased(it, rv.Alias, rv.Relname)
	if err != nil {
		return nil, nil, err
	}
	return rel, items[0], nil
}

func (b *binder) missingColumn(rel *Relation, name string) error {
	return &Error{Code: "42703", Message: "column " + quoteMessage(name) + " of relation " + quoteMessage(rel.Name) + " does not exist", Object: b.c.nameOf(rel)}
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
	var columns []*Column
	if len(n.Cols) == 0 {
		for i := range rel.Columns {
			if !rel.Columns[i].Dropped {
				columns = append(columns, &rel.Columns[i])
			}
		}
	}
	for _, t := range n.Cols {
		name := t.GetResTarget().GetName()
		col := rel.Column(name)
		if col == nil && !rel.Assumed {
			return nil, b.missingColumn(rel, name)
		}
		if col != nil {
			b.ref(Address{rel.OID, col.Num})
		}
		columns = append(columns, col)
	}
	if n.SelectStmt != nil {
		inner := &scope{parent: parent, ctes: s.ctes}
		q, err := b.insertSource(n.SelectStmt, inner)
		if err != nil {
			return nil, err
		}
		if !q.open && !rel.Assumed {
			if len(q.cols) > len(columns) {
				return nil, errorf("42601", "INSERT has more expressions than target columns")
			}
			if len(n.Cols) > 0 && len(q.cols) < len(columns) {
				return nil, errorf("42601", "INSERT has more target columns than expressions")
			}
		}
		for i, col := range q.cols {
			if i < len(columns) && columns[i] != nil {
				b.ref(Address{rel.OID, columns[i].Num})
				if err := b.assign(columns[i], value{typ: col.typ}); err != nil {
					return nil, err
				}
			}
		}
	}
	s.items = append(s.items, it)
	if oc := n.OnConflictClause; oc != nil {
		if err := b.onConflict(oc, rel, it, s); err != nil {
			return nil, err
		}
	}
	return b.returning(n.ReturningList, s)
}

// insertSource binds what is inserted; in VALUES, DEFAULT and literals without a type fit any column.
func (b *binder) insertSource(n *pgast.Node, s *scope) (*boundQuery, error) {
	sel := n.GetSelectStmt()
	if sel == nil || len(sel.ValuesLists) == 0 {
		if sel != nil && len(sel.TargetList) > 0 {
			return b.bindSelectUnsettled(sel, s)
		}
		return b.bindQuery(n, s)
	}
	inner := &scope{parent: s}
	if err := b.with(sel.WithClause, inner); err != nil {
		return nil, err
	}
	q := &boundQuery{}
	for i, list := range sel.ValuesLists {
		items := list.GetList().GetItems()
		values, err := b.bindList(items, inner)
		if err != nil {
			return nil, err
		}
		if i > 0 && len(values) != len(q.cols) {
			return nil, errorf("42601", "VALUES lists must all be the same length")
		}
		for j, v := range values {
			switch {
			case i == 0:
				q.cols = append(q.cols, boundColumn{name: "column" + itoa(j+1), typ: v.typ})
			case q.cols[j].typ.bare() != v.typ.bare():
				q.cols[j].typ = TypeRef{} // each row is converted by itself
			}
		}
	}
	return q, nil
}

// assign is transformAssignedExpr.
func (b *binder) assign(col *Column, v value) error {
	if !b.c.canCoerce(v.typ, col.Type, byAssignment) && !b.rowCoerces(v, col.Type) {
		return &Error{
			Code: "42804", Message: "column " + quoteMessage(col.Name) + " is of type " + b.c.typeText(col.Type) + " but expression is of type " + b.c.typeText(v.typ),
			Hint: "You will need to rewrite or cast the expression.",
		}
	}
	b.coerce(v, col.Type, byAssignment)
	return nil
}

func (b *binder) onConflict(oc *pgast.OnConflictClause, rel *Relation, it *rangeItem, s *scope) error {
	target := &scope{parent: s.parent, ctes: s.ctes, items: []*rangeItem{it}}
	if inf := oc.Infer; inf != nil {
		for _, n := range inf.IndexElems {
			e := n.GetIndexElem()
			if e.Name != "" {
				if _, err := b.columnOf(it, e.Name); err != nil {
					return &Error{Code: "42703", Message: "column " + quoteMessage(e.Name) + " does not exist"}
				}
			} else if _, err := b.bindExpr(e.Expr, target); err != nil {
				return err
			}
		}
		if err := b.condition(inf.WhereClause, target, "WHERE"); err != nil {
			return err
		}
		if inf.Conname != "" && !rel.Assumed {
			found := false
			for _, con := range b.c.Constraints(rel.OID) {
				if con.Name == inf.Conname {
					b.ref(Address{OID: con.OID})
					found = true
				}
			}
			if !found {
				return errorf("42704", "constraint %s for table %s does not exist", quoteMessage(inf.Conname), quoteMessage(rel.Name))
			}
		}
	}
	excluded := *it
	excluded.name, excluded.schema, excluded.colsVisible = "excluded", "alias", false
	both := &scope{parent: s.parent, ctes: s.ctes, items: []*rangeItem{it, &excluded}}
	if err := b.assignments(oc.TargetList, rel, both); err != nil {
		return err
	}
	return b.condition(oc.WhereClause, both, "WHERE")
}

// assignments binds the SET list of UPDATE.
func (b *binder) assignments(list []*pgast.Node, rel *Relation, s *scope) error {
	for _, n := range list {
		t := n.GetResTarget()
		if t.Val.GetMultiAssignRef() != nil {
			m := t.Val.GetMultiAssignRef()
			if row := m.Source.GetRowExpr(); row != nil && int(m.Colno) <= len(row.Args) {
				if err := b.assignment(rel, t, row.Args[m.Colno-1], s); err != nil {
					return err
				}
				continue
			}
			if sub := m.Source.GetSubLink(); sub != nil {
				if m.Colno == 1 {
					if _, err := b.bindQuery(sub.Subselect, s); err != nil {
						return err
					}
				}
				if err := b.assignment(rel, t, nil, s); err != nil {
					return err
				}
				continue
			}
		}
		if err := b.assignment(rel, t, t.Val, s); err != nil {
			return err
		}
	}
	return nil
}

func (b *binder) assignment(rel *Relation, t *pgast.ResTarget, val *pgast.Node, s *scope) error {
	v, err := b.bindExpr(val, s)
	if err != nil {
		return err
	}
	col := rel.Column(t.Name)
	if col == nil {
		if rel.Assumed {
			return nil
		}
		return b.missingColumn(rel, t.Name)
	}
	b.ref(Address{rel.OID, col.Num})
	if len(t.Indirection) > 0 || val.GetMultiAssignRef() != nil {
		return nil // a subscript or field, or one column of a subquery's row
	}
	return b.assign(col, v)
}

func (b *binder) returning(list []*pgast.Node, s *scope) (*boundQuery, error) {
	q, _, err := b.targets(list, s)
	if err != nil {
		return nil, err
	}
	b.settle(q)
	return q, nil
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
	if err := b.assignments(n.TargetList, rel, s); err != nil {
		return nil, err
	}
	if err := b.condition(n.WhereClause, s, "WHERE"); err != nil {
		return nil, err
	}
	return b.returning(n.ReturningList, s)
}

func (b *binder) bindDelete(n *pgast.DeleteStmt, parent *scope) (*boundQuery, error) {
	s := &scope{parent: parent}
	if err := b.with(n.WithClause, s); err != nil {
		return nil, err
	}
	_, it, err := b.target(n.Relation)
	if err != nil {
		return nil, err
	}
	s.items = append(s.items, it)
	if err := b.from(n.UsingClause, s); err != nil {
		return nil, err
	}
	if err := b.condition(n.WhereClause, s, "WHERE"); err != nil {
		return nil, err
	}
	return b.returning(n.ReturningList, s)
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
	s.items = append(s.items, it)
	if err := b.from([]*pgast.Node{n.SourceRelation}, s); err != nil {
		return nil, err
	}
	if err := b.condition(n.JoinCondition, s, "JOIN/ON"); err != nil {
		return nil, err
	}
	for _, w := range n.MergeWhenClauses {
		when := w.GetMergeWhenClause()
		if err := b.condition(when.Condition, s, "WHEN"); err != nil {
			return nil, err
		}
		if when.CommandType == pgast.CmdType_CMD_INSERT {
			for _, t := range when.TargetList {
				if name := t.GetResTarget().GetName(); rel.Column(name) == nil && !rel.Assumed {
					return nil, b.missingColumn(rel, name)
				}
			}
			if _, err := b.bindAll(when.Values, s); err != nil {
				return nil, err
			}
			continue
		}
		if err := b.assignments(when.TargetList, rel, s); err != nil {
			return nil, err
		}
	}
	return &boundQuery{}, nil
}
