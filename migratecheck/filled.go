package migratecheck

import (
	"cmp"
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source"
)

// filledColumn is a column, by attribute number, that the pending change has written; with column 0 the table was
// emptied, or rows were taken out of it.
type filledColumn struct {
	table  catalog.OID
	column int
}

// rowWrite is what a statement does to rows of one table.
type rowWrite struct {
	rel   *catalog.Relation
	alias string
	// values are those given to columns, by attribute number, nil for one that is not known; of a DELETE or TRUNCATE there are none.
	values map[int]*pgast.Node
	where  *pgast.Node
	joined bool // names in the condition may be those of other tables
	kind   rowWriteKind
}

type rowWriteKind int

const (
	rowsChanged rowWriteKind = iota
	rowsRemoved
	rowsAdded
)

// noteFilled remembers what a statement of the pending change writes, for fails-on-existing-rows.
func (r *Run) noteFilled(s *Step) {
	r.noteDropped(s)
	if s.Down {
		return // see downFills
	}
	for _, w := range s.writes() {
		for _, f := range w.filled() {
			r.filled[f] = true
		}
		r.noteNotNull(s, w)
	}
}

// filled lists the columns that are written or that decide which rows go away, and column 0 when rows do.
func (w *rowWrite) filled() []filledColumn {
	var list []filledColumn
	switch w.kind {
	case rowsChanged:
		for num := range w.values {
			list = append(list, filledColumn{w.rel.OID, num})
		}
	case rowsRemoved:
		list = append(list, filledColumn{w.rel.OID, 0})
		for _, num := range columnsIn(w.rel, w.where) {
			list = append(list, filledColumn{w.rel.OID, num})
		}
	}
	return list
}

// noteNotNull remembers of which columns a write has filled or removed the NULLs, with column 0 that there are no rows left. A write
// that no row with a NULL there can meet does neither, and one of NULL does the opposite. That a condition meets some of
// those rows is taken to mean all.
func (r *Run) noteNotNull(s *Step, w rowWrite) {
	table := w.rel.OID
	none := filledColumn{table, 0}
	switch w.kind {
	case rowsRemoved:
		if w.where == nil {
			r.notNull[none] = true
		}
		for _, num := range columnsIn(w.rel, w.where) {
			if s.meetsNull(w, num) {
				r.notNull[filledColumn{table, num}] = true
			}
		}
	case rowsChanged:
		for num, value := range w.values {
			col := w.rel.Att(num)
			if isNull(value) || value.GetSetToDefault() != nil && col.Default == nil && col.Identity == 0 {
				delete(r.notNull, filledColumn{table, num})
			} else if s.meetsNull(w, num) {
				r.notNull[filledColumn{table, num}] = true
			}
		}
	case rowsAdded:
		// New rows have a NULL in what they leave out and no default fills.
		for i := range w.rel.Columns {
			col := &w.rel.Columns[i]
			value, given := w.values[col.Num]
			key := filledColumn{table, col.Num}
			switch {
			case isNull(value), !given && col.Default == nil && col.Identity == 0:
				delete(r.notNull, key)
			case r.notNull[none]:
				r.notNull[key] = true
			}
		}
		delete(r.notNull, none)
	}
}

// meetsNull reports whether a condition may hold of a row that has NULL in the column: what speaks of other columns alone may.
func (s *Step) meetsNull(w rowWrite, num int) bool {
	var own []*pgast.Node
	for _, cond := range conjuncts(w.where, nil) {
		if slices.Contains(columnsIn(w.rel, cond), num) && (!w.joined || w.speaksOfItself(cond)) {
			own = append(own, cond)
		}
	}
	if len(own) == 0 {
		return true
	}
	null := &pgast.Node{Node: &pgast.Node_AConst{AConst: &pgast.A_Const{Isnull: true}}}
	holds := &pgast.Node{Node: &pgast.Node_BoolExpr{BoolExpr: &pgast.BoolExpr{Boolop: pgast.BoolExprType_AND_EXPR, Args: own}}}
	not := &pgast.Node{Node: &pgast.Node_BoolExpr{BoolExpr: &pgast.BoolExpr{Boolop: pgast.BoolExprType_NOT_EXPR, Args: []*pgast.Node{holds}}}}
	row := catalog.Row{Relation: w.rel, Alias: w.alias, Cells: map[int]catalog.Cell{num: {Expr: null}}}
	return s.Before.MayViolate(row, &catalog.Expr{Node: not}, nil, nil)
}

// speaksOfItself reports whether every column in an expression is said to be the table's.
func (w *rowWrite) speaksOfItself(n *pgast.Node) bool {
	own := true
	pgast.Walk(n, func(n *pgast.Node) bool {
		names := words(n.GetColumnRef().GetFields())
		own = own && (n.GetColumnRef() == nil || len(names) > 1 && names[len(names)-2] == cmp.Or(w.alias, w.rel.Name))
		return own
	})
	return own
}

func isNull(n *pgast.Node) bool { return uncast(n).GetAConst().GetIsnull() }

// columnsIn lists the columns of a table whose names stand in an expression.
func columnsIn(rel *catalog.Relation, n *pgast.Node) []int {
	var list []int
	pgast.Walk(n, func(n *pgast.Node) bool {
		if names := words(n.GetColumnRef().GetFields()); len(names) > 0 {
			if col := rel.Column(names[len(names)-1]); col != nil {
				list = append(list, col.Num)
			}
		}
		return true
	})
	return list
}

// writes lists what the statement does to rows of tables that it names.
func (s *Step) writes() []rowWrite {
	var list []rowWrite
	note := func(rv *pgast.RangeVar, w rowWrite, targets []*pgast.Node) {
		if w.rel = s.Before.Relation(rv.GetSchemaname(), rv.GetRelname()); w.rel == nil {
			return
		}
		w.alias = rv.GetAlias().GetAliasname()
		w.values = map[int]*pgast.Node{}
		for _, t := range targets {
			if col := w.rel.Column(t.GetResTarget().GetName()); col != nil {
				w.values[col.Num] = t.GetResTarget().GetVal()
			}
		}
		list = append(list, w)
	}
	var visit func(n *pgast.Node)
	visit = func(n *pgast.Node) {
		for _, cte := range withOf(n).GetCtes() {
			visit(cte.GetCommonTableExpr().Ctequery)
		}
		switch n := n.GetNode().(type) {
		case *pgast.Node_UpdateStmt:
			note(n.UpdateStmt.Relation, rowWrite{kind: rowsChanged, where: n.UpdateStmt.WhereClause, joined: len(n.UpdateStmt.FromClause) > 0}, n.UpdateStmt.TargetList)
		case *pgast.Node_DeleteStmt:
			note(n.DeleteStmt.Relation, rowWrite{kind: rowsRemoved, where: n.DeleteStmt.WhereClause, joined: len(n.DeleteStmt.UsingClause) > 0}, nil)
		case *pgast.Node_InsertStmt:
			note(n.InsertStmt.Relation, rowWrite{kind: rowsAdded}, s.inserted(n.InsertStmt))
		case *pgast.Node_MergeStmt:
			for _, w := range n.MergeStmt.MergeWhenClauses {
				switch w := w.GetMergeWhenClause(); w.CommandType {
				case pgast.CmdType_CMD_UPDATE:
					note(n.MergeStmt.Relation, rowWrite{kind: rowsChanged, where: w.Condition, joined: true}, w.TargetList)
				case pgast.CmdType_CMD_DELETE:
					note(n.MergeStmt.Relation, rowWrite{kind: rowsRemoved, where: cmp.Or(w.Condition, n.MergeStmt.JoinCondition), joined: true}, nil)
				}
			}
		case *pgast.Node_TruncateStmt:
			for _, t := range n.TruncateStmt.Relations {
				note(t.GetRangeVar(), rowWrite{kind: rowsRemoved}, nil)
			}
		}
	}
	visit(s.Stmt.Node)
	return list
}

// inserted pairs the columns of an INSERT with its values: those of the one row of VALUES, or of SELECT. Of several rows, and
// where it cannot be told, there is no value.
func (s *Step) inserted(n *pgast.InsertStmt) []*pgast.Node {
	var names []string
	for _, t := range n.Cols {
		names = append(names, t.GetResTarget().GetName())
	}
	sel := n.SelectStmt.GetSelectStmt()
	if rel := s.Before.Relation(n.Relation.GetSchemaname(), n.Relation.GetRelname()); len(names) == 0 && rel != nil && sel != nil {
		for i := range rel.Columns {
			if !rel.Columns[i].Dropped {
				names = append(names, rel.Columns[i].Name)
			}
		}
	}
	var values []*pgast.Node
	if lists := sel.GetValuesLists(); len(lists) == 1 {
		values = lists[0].GetList().GetItems()
	} else if len(lists) == 0 {
		for _, t := range sel.GetTargetList() {
			values = append(values, t.GetResTarget().GetVal())
		}
	}
	var list []*pgast.Node
	for i, name := range names {
		target := &pgast.ResTarget{Name: name}
		if len(values) == len(names) {
			target.Val = values[i]
		}
		list = append(list, &pgast.Node{Node: &pgast.Node_ResTarget{ResTarget: target}})
	}
	return list
}

// downFills reports whether an earlier statement of the Down section writes one of the columns, or takes rows out of the table.
func (s *Step) downFills(table catalog.OID, nums ...int) bool {
	for _, e := range s.File.Down {
		if e == s {
			break
		}
		for _, w := range e.writes() {
			if slices.ContainsFunc(w.filled(), func(f filledColumn) bool {
				return f.table == table && (f.column == 0 || slices.Contains(nums, f.column))
			}) {
				return true
			}
		}
	}
	return false
}

// noteDropped remembers which statement drops an object, for schema-drift.
func (r *Run) noteDropped(s *Step) {
	for _, c := range s.Changes {
		var key droppedObject
		switch {
		case s.Down:
			continue
		case c.Op == catalog.ColumnDropped:
			key = droppedObject{s.Before.NameOf(c.Old.ObjectID()).Name, c.OldColumn.Name}
		case c.Op != catalog.Dropped:
			continue
		default:
			key.name = s.Before.NameOf(c.Old.ObjectID()).Name
			if con, ok := c.Old.(*catalog.Constraint); ok {
				key = droppedObject{s.Before.NameOf(con.Table).Name, con.Name}
			}
		}
		if r.dropped == nil {
			r.dropped = map[droppedObject]source.Position{}
		}
		r.dropped[key] = s.text.Position(s.base)
	}
}

// droppedObject names an object, or a part of a table.
type droppedObject struct{ table, name string }
