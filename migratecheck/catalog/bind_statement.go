package catalog

import (
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// statement binds a statement of any kind that code sends.
func (b *binder) statement(n *pgast.Node) (*boundQuery, error) {
	switch n := n.GetNode().(type) {
	case *pgast.Node_SelectStmt:
		if n.SelectStmt.IntoClause != nil {
			query := *n
			query.SelectStmt = pgast.Clone(n.SelectStmt)
			query.SelectStmt.IntoClause = nil
			_, err := b.bindQuery(&pgast.Node{Node: &query}, nil)
			return nil, err
		}
		q, err := b.bindQuery(&pgast.Node{Node: n}, b.around)
		if err == nil {
			err = b.locking(n.SelectStmt)
		}
		return q, err
	case *pgast.Node_InsertStmt, *pgast.Node_UpdateStmt, *pgast.Node_DeleteStmt, *pgast.Node_MergeStmt:
		return b.bindQuery(&pgast.Node{Node: n}, b.around)
	case *pgast.Node_ExplainStmt:
		_, err := b.statement(n.ExplainStmt.Query)
		return &boundQuery{cols: []boundColumn{{name: "QUERY PLAN", typ: scalar(typeText), notNull: true}}}, err
	case *pgast.Node_PrepareStmt:
		return nil, b.prepare(n.PrepareStmt)
	case *pgast.Node_DeclareCursorStmt:
		_, err := b.statement(n.DeclareCursorStmt.Query)
		return nil, err
	case *pgast.Node_CopyStmt:
		return nil, b.copy(n.CopyStmt)
	case *pgast.Node_CallStmt:
		b.columns = callContext
		v, _, err := b.call(n.CallStmt.Funccall, &scope{})
		return &boundQuery{cols: v.fields}, err
	case *pgast.Node_CreateTableAsStmt:
		_, err := b.statement(n.CreateTableAsStmt.Query)
		return nil, err
	case *pgast.Node_TruncateStmt:
		return nil, b.eachRelation(n.TruncateStmt.Relations, 't')
	case *pgast.Node_LockStmt:
		return nil, b.eachRelation(n.LockStmt.Relations, 0)
	case *pgast.Node_VacuumStmt:
		return nil, b.vacuum(n.VacuumStmt)
	case *pgast.Node_RefreshMatViewStmt:
		return nil, b.refresh(n.RefreshMatViewStmt)
	case *pgast.Node_TransactionStmt, *pgast.Node_VariableSetStmt, *pgast.Node_VariableShowStmt, *pgast.Node_ListenStmt, *pgast.Node_NotifyStmt,
		*pgast.Node_UnlistenStmt, *pgast.Node_DiscardStmt, *pgast.Node_DeallocateStmt, *pgast.Node_ClosePortalStmt, *pgast.Node_FetchStmt,
		*pgast.Node_CheckPointStmt, *pgast.Node_ConstraintsSetStmt, *pgast.Node_LoadStmt:
		return nil, nil // they name nothing of the schema
	}
	b.unsure("%s is not a query", nodeName(n))
	return nil, nil
}

// locking is transformLockingClause: FOR UPDATE OF names items of FROM.
func (b *binder) locking(n *pgast.SelectStmt) error {
	for _, l := range n.LockingClause {
		clause := l.GetLockingClause()
		for _, rel := range clause.GetLockedRels() {
			name := rel.GetRangeVar().GetRelname()
			if !namesItem(n.FromClause, name) {
				return locate(&Error{Code: "42P01", Message: "relation " + quoteMessage(name) + " in FOR UPDATE clause not found in FROM clause", Object: Name{Name: name}}, rel.GetRangeVar().GetLocation())
			}
		}
		var of []string
		for _, rel := range clause.GetLockedRels() {
			of = append(of, rel.GetRangeVar().GetRelname())
		}
		b.lockRows(n.FromClause, of, lockWord(clause.GetStrength()), 0)
	}
	return nil
}

// namesItem looks for an item of FROM by its alias or name.
func namesItem(from []*pgast.Node, name string) bool {
	found := false
	for _, n := range from {
		pgast.Walk(n, func(n *pgast.Node) bool {
			switch n := n.Node.(type) {
			case *pgast.Node_RangeVar:
				if n.RangeVar.Alias != nil {
					found = found || n.RangeVar.Alias.Aliasname == name
				} else {
					found = found || n.RangeVar.Relname == name
				}
			case *pgast.Node_RangeSubselect:
				found = found || n.RangeSubselect.GetAlias().GetAliasname() == name
				return false
			case *pgast.Node_RangeFunction:
				found = found || n.RangeFunction.GetAlias().GetAliasname() == name || n.RangeFunction.Alias == nil
				return false
			case *pgast.Node_JoinExpr:
				found = found || n.JoinExpr.GetAlias().GetAliasname() == name
			}
			return true
		})
	}
	return found
}

// prepare is PrepareQuery: the types of some parameters are given.
func (b *binder) prepare(n *pgast.PrepareStmt) error {
	for i, arg := range n.Argtypes {
		t, err := b.c.resolveType(arg.GetTypeName())
		if err != nil {
			return locate(err, arg.GetTypeName().GetLocation())
		}
		if t.OID != typeUnknown {
			b.ask.params.grow(i + 1).typ = t.bare()
		}
	}
	_, err := b.statement(n.Query)
	return err
}

// copy is DoCopy: a table and columns of it, or a query.
func (b *binder) copy(n *pgast.CopyStmt) error {
	if n.Relation == nil {
		_, err := b.statement(n.Query)
		return err
	}
	rel, _, err := b.target(n.Relation)
	if err != nil {
		return err
	}
	w := &Write{}
	if n.IsFrom {
		w = b.writes(rel, 'i', n.Relation.Location)
		w.Copy = true
	}
	for _, node := range n.Attlist {
		name := node.GetString_().GetSval()
		col := rel.Column(name)
		switch {
		case col == nil && rel.Assumed:
			continue
		case col == nil:
			if err := b.goOn(locate(b.missingColumn(rel, name), n.Relation.Location)); err != nil {
				return err
			}
			w.Targets = append(w.Targets, Target{Offset: int(n.Relation.Location), Given: true})
			continue
		case col.Generated != 0:
			return locate(&Error{
				Code: "42P10", Message: "column " + quoteMessage(name) + " is a generated column", Detail: "Generated columns cannot be used in COPY.",
				Object: b.c.nameOf(rel), Column: name,
			}, n.Relation.Location)
		}
		b.refAt(Address{rel.OID, col.Num}, n.Relation.Location)
		w.Targets = append(w.Targets, Target{Column: col.Num, Offset: int(n.Relation.Location), Given: true})
	}
	if len(n.Attlist) == 0 {
		w.AllColumns = true
		for i := range rel.Columns {
			if col := &rel.Columns[i]; !col.Dropped && col.Generated == 0 {
				w.Targets = append(w.Targets, Target{Column: col.Num, Offset: w.Offset, Given: true})
			}
		}
	}
	if rel.Kind == View && n.IsFrom && !b.c.firesInstead(rel, 'i') || rel.Kind == Sequence || rel.Kind == MatView && n.IsFrom {
		b.ask.late = append(b.ask.late, locate(&Error{Code: "42809", Message: "cannot copy to " + rel.kindWord() + " " + quoteMessage(rel.Name), Object: b.c.nameOf(rel)}, n.Relation.Location))
	}
	return b.condition(n.WhereClause, scopeOf(rel), "WHERE")
}

// eachRelation binds the tables of TRUNCATE ('t') and LOCK.
func (b *binder) eachRelation(list []*pgast.Node, op byte) error {
	for _, n := range list {
		rv := n.GetRangeVar()
		rel, err := b.openRelation(rv)
		if err != nil {
			return err
		}
		b.reads(rel, rv)
		if op != 0 {
			if rel.Kind != Table && rel.Kind != PartitionedTable && rel.Kind != ForeignTable && !rel.Assumed {
				return locate(&Error{Code: "42809", Message: quoteMessage(rel.Name) + " is not a table", Object: b.c.nameOf(rel)}, rv.Location)
			}
			b.writes(rel, op, rv.Location)
		}
	}
	return nil
}

// vacuum checks the tables and columns of VACUUM and ANALYZE.
func (b *binder) vacuum(n *pgast.VacuumStmt) error {
	for _, node := range n.Rels {
		v := node.GetVacuumRelation()
		if v.GetRelation() == nil {
			continue
		}
		rel, err := b.openRelation(v.Relation)
		if err != nil {
			return err
		}
		b.reads(rel, v.Relation)
		for _, name := range stringList(v.VaCols) {
			col := rel.Column(name)
			if col == nil && !rel.Assumed {
				if err := b.goOn(locate(b.missingColumn(rel, name), v.Relation.Location)); err != nil {
					return err
				}
			}
			if col != nil {
				b.refAt(Address{rel.OID, col.Num}, v.Relation.Location)
			}
		}
	}
	return nil
}

// refresh is ExecRefreshMatView: CONCURRENTLY needs a unique index on columns only, without a WHERE.
func (b *binder) refresh(n *pgast.RefreshMatViewStmt) error {
	rel, err := b.openRelation(n.Relation)
	if err != nil {
		return err
	}
	b.reads(rel, n.Relation)
	if rel.Assumed {
		return nil
	}
	if rel.Kind != MatView {
		return locate(&Error{Code: "0A000", Message: quoteMessage(rel.Name) + " is not a materialized view", Object: b.c.nameOf(rel)}, n.Relation.Location)
	}
	if !n.Concurrent {
		return nil
	}
	for _, idx := range b.c.Indexes(rel.OID) {
		if plainUnique(idx) {
			return nil
		}
	}
	return locate(&Error{
		Code: "55000", Message: "cannot refresh materialized view " + quoteMessage(strings.TrimPrefix(b.c.nameOf(rel).String(), ".")) + " concurrently",
		Hint: "Create a unique index with no WHERE clause on one or more columns of the materialized view.", Object: b.c.nameOf(rel),
	}, n.Relation.Location)
}

// plainUnique is is_usable_unique_index.
func plainUnique(idx *Relation) bool {
	x := idx.Index
	if !x.Unique || !x.Valid || !x.Immediate || x.Predicate != nil {
		return false
	}
	for _, k := range x.Keys {
		if k.Column == 0 {
			return false
		}
	}
	return true
}
