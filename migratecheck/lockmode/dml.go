package lockmode

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// insert follows INSERT: ROW EXCLUSIVE on the table. Its indexes are locked too while it runs, but released when it
// ends (ExecCloseIndices); only ON CONFLICT with a target has the planner keep them (infer_arbiter_indexes).
func (a *analyzer) insert(sc *scope, s *pgast.InsertStmt, d depth) {
	sc = a.with(sc, s.WithClause, d)
	t, rel, ok := a.ref(s.Relation)
	if ok {
		for _, m := range a.writeTargets(member{t, rel}, d) {
			a.insertInto(m, s, d)
		}
	}
	a.queryIn(sc, s.SelectStmt, d, AccessShare)
	a.exprs(sc, d, s.ReturningList...)
	if c := s.OnConflictClause; c != nil {
		a.exprs(sc, d, c.TargetList...)
		a.exprs(sc, d, c.WhereClause)
	}
}

func (a *analyzer) insertInto(m member, s *pgast.InsertStmt, d depth) {
	a.lock(m.target, RowExclusive)
	c := s.OnConflictClause
	if d >= planned && c != nil && c.Infer != nil {
		a.lockIndexes(m.rel, RowExclusive)
	}
	if m.rel == nil || d < executed {
		return
	}
	if isPartitioned(m.rel) {
		a.note("the rows decide which partitions of " + m.name.String() + " are locked")
		for _, part := range a.descendants(m.rel) {
			if part.Kind != catalog.PartitionedTable {
				a.lockRel(part, RowExclusive)
			}
		}
	}
	given := insertedColumns(m.rel, s)
	a.defaults(m.rel, given)
	a.checkReferences(m.rel, given)
	a.fires(m.rel, func(t *catalog.Trigger) bool { return t.Insert }, "INSERT")
	if c != nil && c.Action == pgast.OnConflictAction_ONCONFLICT_UPDATE {
		a.updated(m.rel, setColumns(c.TargetList), map[catalog.OID]bool{})
	}
}

// writeTargets is what a write to a relation writes to: itself, or beneath an updatable view its base table.
func (a *analyzer) writeTargets(m member, d depth) []member {
	if m.rel == nil || m.rel.Kind != catalog.View || d < rewritten {
		return []member{m}
	}
	a.lock(m.target, RowExclusive)
	for _, t := range a.before.Triggers(m.rel.OID) {
		if t.InsteadOf {
			a.note("an INSTEAD OF trigger does the write")
			return nil
		}
	}
	if len(a.before.Rules(m.rel.OID)) > 0 {
		a.note("a rule does the write")
		return nil
	}
	var bases []member
	a.expand(m.rel, func(rel *catalog.Relation) { bases = append(bases, a.writeTargets(member{a.target(rel), rel}, d)...) })
	if len(bases) > 1 {
		a.note("which relation beneath the view is written is not known")
	}
	return bases
}

// insertedColumns lists the columns that an INSERT gives a value other than NULL; nil for all that cannot be told.
func insertedColumns(rel *catalog.Relation, s *pgast.InsertStmt) map[int]bool {
	given := map[int]bool{}
	sel := s.GetSelectStmt().GetSelectStmt()
	if s.SelectStmt == nil {
		return given // DEFAULT VALUES
	}
	var nums []int
	if len(s.Cols) > 0 {
		for _, n := range s.Cols {
			if col := rel.Column(n.GetResTarget().GetName()); col != nil {
				nums = append(nums, col.Num)
			} else {
				nums = append(nums, 0)
			}
		}
	} else {
		for _, col := range rel.Columns {
			if !col.Dropped {
				nums = append(nums, col.Num)
			}
		}
	}
	if len(sel.GetValuesLists()) == 0 {
		width := len(nums)
		if targets := len(sel.GetTargetList()); len(s.Cols) == 0 && targets > 0 && !slices.ContainsFunc(sel.GetTargetList(), isStar) {
			width = min(width, targets)
		}
		for _, num := range nums[:width] {
			given[num] = true
		}
		return given
	}
	for _, row := range sel.ValuesLists {
		for i, v := range row.GetList().GetItems() {
			if i < len(nums) && !v.GetAConst().GetIsnull() && v.GetSetToDefault() == nil {
				given[nums[i]] = true
			}
		}
	}
	return given
}

func isStar(n *pgast.Node) bool {
	for _, f := range n.GetResTarget().GetVal().GetColumnRef().GetFields() {
		if f.GetAStar() != nil {
			return true
		}
	}
	return false
}

// defaults adds to given the columns that get a default, and locks the sequences these are taken from.
func (a *analyzer) defaults(rel *catalog.Relation, given map[int]bool) {
	for i := range rel.Columns {
		col := &rel.Columns[i]
		if col.Dropped || given[col.Num] {
			continue
		}
		if col.Default != nil && col.Generated == 0 {
			given[col.Num] = true
			a.lockSequences(col.Default)
		}
		if col.Identity != 0 {
			given[col.Num] = true
			for _, seq := range a.ownedSequences(rel, col.Num) {
				a.lockRel(seq, RowExclusive)
			}
		}
	}
}

// lockSequences locks the sequences that a default calls nextval on.
func (a *analyzer) lockSequences(e *catalog.Expr) {
	for _, ref := range e.Refs {
		if seq := a.relation(ref.OID); seq != nil && seq.Kind == catalog.Sequence {
			a.lockRel(seq, RowExclusive)
		}
	}
	a.exprs(nil, executed, e.Node)
}

// ownedSequences lists the sequences that a table, or one of its columns, owns.
func (a *analyzer) ownedSequences(rel *catalog.Relation, column int) []*catalog.Relation {
	return ownedSequences(a.before, rel, column)
}

// setColumns reads SET a = …, (b, c) = …: the columns that may change, and whether to something other than NULL. A column
// set to itself does not change.
func setColumns(targets []*pgast.Node) map[string]bool {
	names := map[string]bool{}
	for _, n := range targets {
		name, value := n.GetResTarget().GetName(), n.GetResTarget().GetVal()
		if columnName(value) != name {
			names[name] = !isNullConstant(value)
		}
	}
	return names
}

func (a *analyzer) update(sc *scope, s *pgast.UpdateStmt, d depth) {
	sc = a.with(sc, s.WithClause, d)
	a.write(s.Relation, s.WhereClause, d, func(rel *catalog.Relation) {
		a.updated(rel, setColumns(s.TargetList), map[catalog.OID]bool{})
		a.fires(rel, func(t *catalog.Trigger) bool { return t.Update }, "UPDATE")
	})
	r := reader{a: a, scope: sc, depth: d, mode: AccessShare, where: s.WhereClause}
	for _, n := range s.FromClause {
		r.from(n)
	}
	a.exprs(sc, d, s.TargetList...)
	a.exprs(sc, d, s.ReturningList...)
	a.exprs(sc, d, s.WhereClause)
}

func (a *analyzer) delete(sc *scope, s *pgast.DeleteStmt, d depth) {
	sc = a.with(sc, s.WithClause, d)
	a.write(s.Relation, s.WhereClause, d, func(rel *catalog.Relation) {
		a.deleted(rel, map[catalog.OID]bool{})
		a.fires(rel, func(t *catalog.Trigger) bool { return t.Delete }, "DELETE")
	})
	r := reader{a: a, scope: sc, depth: d, mode: AccessShare, where: s.WhereClause}
	for _, n := range s.UsingClause {
		r.from(n)
	}
	a.exprs(sc, d, s.ReturningList...)
	a.exprs(sc, d, s.WhereClause)
}

func (a *analyzer) merge(sc *scope, s *pgast.MergeStmt, d depth) {
	sc = a.with(sc, s.WithClause, d)
	a.write(s.Relation, nil, d, func(rel *catalog.Relation) {
		for _, n := range s.MergeWhenClauses {
			w := n.GetMergeWhenClause()
			switch w.CommandType {
			case pgast.CmdType_CMD_INSERT:
				given := map[int]bool{}
				for _, n := range w.TargetList {
					if col := rel.Column(n.GetResTarget().GetName()); col != nil {
						given[col.Num] = true
					}
				}
				if len(w.TargetList) == 0 && len(w.Values) > 0 {
					for i := range min(len(w.Values), len(rel.Columns)) {
						given[i+1] = true
					}
				}
				a.defaults(rel, given)
				a.checkReferences(rel, given)
			case pgast.CmdType_CMD_UPDATE:
				a.updated(rel, setColumns(w.TargetList), map[catalog.OID]bool{})
			case pgast.CmdType_CMD_DELETE:
				a.deleted(rel, map[catalog.OID]bool{})
			}
		}
		a.fires(rel, func(*catalog.Trigger) bool { return true }, "MERGE")
	})
	r := reader{a: a, scope: sc, depth: d, mode: AccessShare}
	r.from(s.SourceRelation)
	a.exprs(sc, d, s.JoinCondition)
	for _, n := range s.MergeWhenClauses {
		w := n.GetMergeWhenClause()
		a.exprs(sc, d, w.Condition)
		a.exprs(sc, d, w.TargetList...)
		a.exprs(sc, d, w.Values...)
	}
}

// write follows the target of an UPDATE, DELETE or MERGE: ROW EXCLUSIVE on the table, its partitions and children, and all
// their indexes, for the planner looks for the rows in them.
func (a *analyzer) write(rv *pgast.RangeVar, where *pgast.Node, d depth, effects func(*catalog.Relation)) {
	t, rel, ok := a.ref(rv)
	if !ok {
		return
	}
	for _, base := range a.writeTargets(member{t, rel}, d) {
		a.lock(base.target, RowExclusive)
		if d < planned {
			continue
		}
		for _, m := range a.family(base.target, base.rel, rv.Inh) {
			a.lock(m.target, RowExclusive)
			a.lockPlannedIndexes(m.rel, RowExclusive, rv.Inh)
			if d == executed && !isPartitioned(m.rel) && readsAll(a.before, m.rel, where) {
				a.scan(m.target, ScanQuery, "every row is looked at")
			}
			if m.rel != nil && d == executed {
				effects(m.rel)
			}
		}
		if base.rel != nil && base.rel.PartitionKey != nil && mentionsKey(base.rel, where) {
			a.note("the planner may leave partitions of " + base.name.String() + " alone")
		}
	}
}

// fires notes triggers and rules, whose effects are not followed.
func (a *analyzer) fires(rel *catalog.Relation, event func(*catalog.Trigger) bool, command string) {
	for _, t := range a.before.Triggers(rel.OID) {
		if t.Enabled != 'D' && event(t) {
			a.note("trigger " + t.Name + " on " + a.target(rel).name.String() + " is not followed")
		}
	}
	for _, r := range a.before.Rules(rel.OID) {
		if r.Enabled != 'D' && (r.Event == command || command == "MERGE") {
			a.note("rule " + r.Name + " on " + a.target(rel).name.String() + " is not followed")
		}
	}
}

// copyKeepsLockVersion is the first version in which COPY … TO keeps its lock until the transaction ends.
const copyKeepsLockVersion = 13

// copy follows DoCopy (src/backend/commands/copy.c).
func (a *analyzer) copy(s *pgast.CopyStmt) {
	if s.Query != nil {
		a.query(s.Query, executed)
		return
	}
	t, rel, ok := a.ref(s.Relation)
	if !ok {
		return
	}
	if !s.IsFrom {
		if a.version >= copyKeepsLockVersion {
			a.lock(t, AccessShare)
		}
		if !isPartitioned(rel) {
			a.scan(t, ScanQuery, "COPY writes every row out")
		}
		return
	}
	a.lock(t, RowExclusive)
	if rel == nil {
		return
	}
	given := map[int]bool{}
	names := namesOf(s.Attlist)
	for i := range rel.Columns {
		if col := &rel.Columns[i]; len(names) == 0 && col.Generated == 0 || slices.Contains(names, col.Name) {
			given[col.Num] = true
		}
	}
	a.insertInto(member{t, rel}, &pgast.InsertStmt{}, analyzed)
	a.defaults(rel, given)
	a.checkReferences(rel, given)
	a.fires(rel, func(t *catalog.Trigger) bool { return t.Insert }, "INSERT")
}

// explain follows ExplainStmt: without ANALYZE the query is planned only.
func (a *analyzer) explain(s *pgast.ExplainStmt) {
	if hasOption(s.Options, "analyze") {
		a.query(s.Query, executed)
		return
	}
	a.query(s.Query, planned)
}
