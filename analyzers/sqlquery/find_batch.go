package sqlquery

import (
	"go/ast"
	"go/constant"
	"go/types"
	"slices"
	"strings"
)

// pgx's batches: the results of SendBatch come in the order in which the queries were queued (batch.go, BatchResults). Which
// query a result is of is certain while both sides run straight on; besides, where there is but one query to be of.

// queue is what was put into a batch. It is never changed.
type queue struct {
	of []*observation
	// loose: each of them may be missing, be there more than once, or stand elsewhere.
	loose bool
	// open: others may be there, too.
	open bool
}

// The keys of what an object stands for: a batch has queued, what SendBatch returns has queued and read, the number of
// results that were read.
const (
	queuedKey = "#queued"
	readKey   = "#read"
)

// isBatch reports whether an object is a pgx.Batch.
func isBatch(o *object) bool {
	importPath, name := namedType(o.typ)
	return name == "Batch" && strings.HasPrefix(importPath, "github.com/jackc/pgx/")
}

func queuedIn(o *object, st *state) *queue {
	v, ok := st.get(field{o, queuedKey})
	if !ok {
		return &queue{open: !o.known}
	}
	if q, ok := v.(*queue); ok {
		return q
	}
	return &queue{open: true}
}

// batchMethod is a method of a batch, or of its results.
func (m *machine) batchMethod(o *object, name string, e *ast.CallExpr, st *state) (value, bool) {
	if isBatch(o) && name == "Queue" {
		importPath, _ := namedType(o.typ)
		v, ok := m.handleMethod(&handle{typ: m.apis[importPath+".Batch"]}, name, e, st)
		if r, is := v.(*result); is {
			q := *queuedIn(o, st)
			q.of = slices.Concat(q.of, r.of)
			st.set(field{o, queuedKey}, &q)
		}
		return v, ok
	}
	read, ok := st.get(field{o, readKey})
	if !ok || name != "Query" && name != "QueryRow" && name != "Exec" {
		return nil, false
	}
	r := &result{of: queuedIn(o, st).result(read)}
	next := value(&unknown{})
	if n, ok := intOf(read); ok {
		next = &number{constant.MakeInt64(n + 1)}
	}
	st.set(field{o, readKey}, next)
	if name == "Exec" {
		return m.opaqueResult(e), true
	}
	return m.pair(r, e), true
}

// result is what the result that comes behind some others is of; empty when that is not certain.
func (q *queue) result(read value) []*observation {
	n, known := intOf(read)
	switch {
	case q.open:
		return nil
	case known && !q.loose:
		if int(n) < len(q.of) {
			return q.of[n : n+1]
		}
		return nil
	case slices.ContainsFunc(q.of, func(o *observation) bool { return o.origin != q.of[0].origin }):
		return nil
	}
	return q.of
}

// sendBatch is a call of SendBatch, whatever it is called on. What was queued runs in the transaction that this is.
func (m *machine) sendBatch(base value, e *ast.CallExpr, f *ast.SelectorExpr, st *state) (value, bool) {
	if len(e.Args) != 2 {
		return nil, false
	}
	args, _ := m.args(e, st)
	b, ok := args[1].v.(*object)
	if !ok || !isBatch(b) {
		return nil, false
	}
	q := queuedIn(b, st)
	h, ok := base.(*handle)
	if at := m.handleType(m.typeOf(f.X)); !ok && at != nil {
		h = &handle{typ: at, tx: at.tx, param: m.rootParam(base)}
	}
	for _, o := range q.of {
		if h != nil && o.tx == "" && o.txParam == nil {
			o.tx, o.txParam = h.tx, h.param
		}
	}
	br := &object{typ: m.typeOf(e), known: true}
	st.set(field{br, queuedKey}, q)
	st.set(field{br, readKey}, &number{constant.MakeInt64(0)})
	return br, true
}

// joinQueues is what several ways through the code have queued; nil when the values are no queues. A way that has queued
// nothing has the zero value.
func joinQueues(vals []value) value {
	joined := &queue{}
	is := false
	for _, v := range vals {
		q, ok := v.(*queue)
		if !ok {
			if v != value(zeroText) {
				return nil
			}
			q = &queue{}
		}
		is = is || ok
		joined.open = joined.open || q.open
		for _, o := range q.of {
			if !slices.Contains(joined.of, o) {
				joined.of = append(joined.of, o)
			}
		}
	}
	if !is {
		return nil
	}
	joined.loose = true
	return joined
}

// openBatch says that code which is not seen may queue more.
func openBatch(v value, st *state) {
	if o, ok := v.(*object); ok && isBatch(o) {
		st.set(field{o, queuedKey}, &queue{open: true})
	}
}

// holdBatch notes that a struct keeps the results of a batch, for its methods (sqlc's :batchone): they may read any of them.
func (m *machine) holdBatch(f *types.Var, v value, st *state) {
	o, ok := v.(*object)
	if !ok {
		return
	}
	if _, ok := st.get(field{o, readKey}); !ok {
		return
	}
	if m.batches == nil {
		m.batches = map[*types.Var]*queue{}
	}
	held := []value{queuedIn(o, st)}
	if before := m.batches[f]; before != nil {
		held = append(held, before)
	}
	m.batches[f], _ = joinQueues(held).(*queue)
}

// heldBatch is what a field of a struct that came from elsewhere keeps of a batch; nil when no struct was seen to.
func (m *machine) heldBatch(f *types.Var, st *state) value {
	q := m.batches[f]
	if q == nil {
		return nil
	}
	br := &object{typ: f.Type(), known: true}
	st.set(field{br, queuedKey}, q)
	st.set(field{br, readKey}, &number{constant.MakeInt64(0)})
	return br
}
