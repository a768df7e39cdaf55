package lockmode

import (
	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// depth is how far a query gets: each stage of the server locks more.
type depth int

const (
	// analyzed: parse analysis opens the relations that the text names (CREATE VIEW, CREATE RULE, a BEGIN ATOMIC body).
	analyzed depth = iota
	// rewritten: views are expanded, and what they name is locked too (PREPARE).
	rewritten
	// planned: the planner opens the indexes of every table, in the mode of the table (get_relation_info in
	// src/backend/optimizer/util/plancat.c), and the partitions (EXPLAIN, DECLARE CURSOR).
	planned
	// executed: rows are read and written.
	executed
)

// scope is the names of the WITH queries that can be seen.
type scope struct {
	outer *scope
	names map[string]bool
}

func newScope(outer *scope) *scope { return &scope{outer, map[string]bool{}} }

func (s *scope) has(name string) bool {
	for ; s != nil; s = s.outer {
		if s.names[name] {
			return true
		}
	}
	return false
}

// query follows a query or DML statement.
func (a *analyzer) query(n *pgast.Node, d depth) { a.queryIn(nil, n, d, AccessShare) }

func (a *analyzer) queryIn(sc *scope, n *pgast.Node, d depth, mode Mode) {
	if n == nil {
		return
	}
	switch s := n.Node.(type) {
	case *pgast.Node_SelectStmt:
		a.selectStmt(sc, s.SelectStmt, d, mode)
	case *pgast.Node_InsertStmt:
		a.insert(sc, s.InsertStmt, d)
	case *pgast.Node_UpdateStmt:
		a.update(sc, s.UpdateStmt, d)
	case *pgast.Node_DeleteStmt:
		a.delete(sc, s.DeleteStmt, d)
	case *pgast.Node_MergeStmt:
		a.merge(sc, s.MergeStmt, d)
	case *pgast.Node_CreateTableAsStmt:
		a.queryIn(sc, s.CreateTableAsStmt.Query, d, mode)
	case *pgast.Node_ExecuteStmt, *pgast.Node_CallStmt:
		a.statement(n)
	}
}

func (a *analyzer) with(sc *scope, w *pgast.WithClause, d depth) *scope {
	if w == nil {
		return sc
	}
	sc = newScope(sc)
	if w.Recursive {
		for _, n := range w.Ctes {
			sc.names[n.GetCommonTableExpr().GetCtename()] = true
		}
	}
	for _, n := range w.Ctes {
		cte := n.GetCommonTableExpr()
		a.queryIn(sc, cte.GetCtequery(), d, AccessShare)
		sc.names[cte.GetCtename()] = true
	}
	return sc
}

// selectStmt follows a SELECT; mode is what a FOR UPDATE outside of it asks for.
func (a *analyzer) selectStmt(sc *scope, s *pgast.SelectStmt, d depth, mode Mode) {
	if s == nil {
		return
	}
	sc = a.with(sc, s.WithClause, d)
	if s.Larg != nil {
		a.selectStmt(sc, s.Larg, d, mode)
		a.selectStmt(sc, s.Rarg, d, mode)
		return
	}
	r := reader{a: a, scope: sc, depth: d, mode: mode, where: s.WhereClause, locked: map[string]bool{}}
	for _, n := range s.LockingClause {
		// The strength (UPDATE, NO KEY UPDATE, SHARE, KEY SHARE) is that of the row locks; the table's is always ROW SHARE.
		rels := n.GetLockingClause().GetLockedRels()
		if len(rels) == 0 {
			r.mode = RowShare
		}
		for _, rel := range rels {
			r.locked[rel.GetRangeVar().GetRelname()] = true
		}
	}
	for _, n := range s.FromClause {
		r.from(n)
	}
	a.exprs(sc, d, s.TargetList...)
	a.exprs(sc, d, s.WhereClause, s.HavingClause, s.LimitCount, s.LimitOffset)
	a.exprs(sc, d, s.GroupClause...)
	a.exprs(sc, d, s.SortClause...)
	a.exprs(sc, d, s.DistinctClause...)
	a.exprs(sc, d, s.ValuesLists...)
	a.exprs(sc, d, s.WindowClause...)
}

// reader follows the FROM clause of one query.
type reader struct {
	a      *analyzer
	scope  *scope
	depth  depth
	mode   Mode
	where  *pgast.Node
	locked map[string]bool // aliases named by FOR UPDATE OF
}

func (r *reader) from(n *pgast.Node) {
	if n == nil {
		return
	}
	a := r.a
	switch f := n.Node.(type) {
	case *pgast.Node_RangeVar:
		r.table(f.RangeVar)
	case *pgast.Node_JoinExpr:
		r.from(f.JoinExpr.Larg)
		r.from(f.JoinExpr.Rarg)
		a.exprs(r.scope, r.depth, f.JoinExpr.Quals)
	case *pgast.Node_RangeSubselect:
		mode := r.mode
		if r.locked[f.RangeSubselect.GetAlias().GetAliasname()] {
			mode = RowShare
		}
		a.queryIn(r.scope, f.RangeSubselect.Subquery, r.depth, mode)
	case *pgast.Node_RangeFunction:
		a.exprs(r.scope, r.depth, f.RangeFunction.Functions...)
	case *pgast.Node_RangeTableSample:
		r.from(f.RangeTableSample.Relation)
	case *pgast.Node_RangeTableFunc:
		a.exprs(r.scope, r.depth, f.RangeTableFunc.Docexpr, f.RangeTableFunc.Rowexpr)
	}
}

func (r *reader) table(rv *pgast.RangeVar) {
	if rv.Schemaname == "" && r.scope.has(rv.Relname) {
		return
	}
	t, rel, ok := r.a.ref(rv)
	if !ok {
		return
	}
	name := rv.Relname
	if rv.Alias != nil {
		name = rv.Alias.Aliasname
	}
	mode := r.mode
	if r.locked[name] {
		mode = RowShare
	}
	r.a.read(member{t, rel}, mode, r.depth, rv.Inh, readsAll(r.a.before, rel, r.where))
	if rel != nil && rel.PartitionKey != nil && r.depth >= planned && mentionsKey(rel, r.where) {
		r.a.note("the planner may leave partitions of " + t.name.String() + " alone")
	}
}

// read locks what reading a relation locks; all says that every row is looked at.
func (a *analyzer) read(m member, mode Mode, d depth, inh, all bool) {
	if d < planned {
		a.lock(m.target, mode)
		if d == rewritten && m.rel != nil && m.rel.Kind == catalog.View {
			a.viewQuery(m.rel, mode, d, all)
		}
		return
	}
	if m.rel != nil && m.rel.Kind == catalog.View {
		a.lock(m.target, mode)
		a.viewQuery(m.rel, mode, d, all)
		return
	}
	for _, m := range a.family(m.target, m.rel, inh) {
		a.lock(m.target, mode)
		a.lockPlannedIndexes(m.rel, mode, inh)
		if all && d == executed && (m.rel == nil || m.rel.Kind == catalog.Table || m.rel.Kind == catalog.MatView) {
			a.scan(m.target, ScanQuery, "the query reads every row")
		}
	}
}

// lockPlannedIndexes locks the indexes that the planner opens. Those of a partitioned table itself it opens since
// version 16 (get_relation_info), and with ONLY.
func (a *analyzer) lockPlannedIndexes(rel *catalog.Relation, mode Mode, inh bool) {
	if rel == nil || inh && isPartitioned(rel) && a.version < 16 {
		return
	}
	a.lockIndexes(rel, mode)
}

// viewQuery locks what the query of a view (or materialized view) reads.
func (a *analyzer) viewQuery(view *catalog.Relation, mode Mode, d depth, all bool) {
	if view == nil {
		return
	}
	a.expand(view, func(rel *catalog.Relation) { a.read(member{a.target(rel), rel}, mode, d, true, all) })
}

// exprs follows the subqueries inside expressions, and calls of nextval and setval on a constant.
func (a *analyzer) exprs(sc *scope, d depth, nodes ...*pgast.Node) {
	for _, n := range nodes {
		a.expr(sc, d, n)
	}
}

func (a *analyzer) expr(sc *scope, d depth, n *pgast.Node) {
	if n == nil {
		return
	}
	switch e := n.Node.(type) {
	case *pgast.Node_SubLink:
		a.expr(sc, d, e.SubLink.Testexpr)
		a.queryIn(sc, e.SubLink.Subselect, d, AccessShare)
	case *pgast.Node_FuncCall:
		a.sequenceCall(e.FuncCall, d)
	}
	children(n, func(child *pgast.Node) { a.expr(sc, d, child) })
}

// sequenceCall notes the lock of nextval and setval: ROW EXCLUSIVE until the end of the transaction
// (lock_and_open_sequence in src/backend/commands/sequence.c).
func (a *analyzer) sequenceCall(f *pgast.FuncCall, d depth) {
	if d < executed || len(f.Funcname) == 0 || len(f.Args) == 0 {
		return
	}
	switch f.Funcname[len(f.Funcname)-1].GetString_().GetSval() {
	case "nextval", "setval", "currval":
	default:
		return
	}
	arg := f.Args[0]
	if cast := arg.GetTypeCast(); cast != nil {
		arg = cast.Arg
	}
	text := arg.GetAConst().GetSval().GetSval()
	if text == "" {
		return
	}
	if rel := a.before.Relation(splitName(text)); rel != nil {
		a.lockRel(rel, RowExclusive)
	}
}
