package sqlquery

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
)

// observation is one evaluation of a call that sends SQL.
type observation struct {
	origin token.Pos // the call itself
	pos    token.Pos // the call that gave the text: the same, or that of a function which passes its parameter on
	pkg    *pkg      // that pos is in
	fn     *frame
	root   *funcInfo // the function that was evaluated by itself
	kind   query.Kind
	sql    value
	args   []arg
	// argsKnown: args are all of them.
	argsKnown bool
	named     string    // how parameters are written when they are not $1: ":" or "@"
	scans     []scanned // the places that read the result
	tx        query.Tx
	txParam   *types.Var
	prepared  bool
	gate      span
	doing     []int // the calls of gate.Do around it that can try it again
	// unsafe: sqlx leaves out columns that nothing takes.
	unsafe bool
	// escaped: the builder is given to code which is not seen.
	escaped bool
	// simple: the query asks pgx not to prepare it.
	simple  bool
	through []*funcInfo // the functions it was evaluated through, the outermost left out
}

// scanned is where a result goes.
type scanned struct {
	gate  span // the schemas that the code there can meet
	kind  query.ScanKind
	dests []arg
	names []string // by name: the column of each
	open  bool
	lax   bool
	extra bool
}

// observation begins one for a call. h is what the text goes to, nil when that is not known.
func (m *machine) observation(e *ast.CallExpr, sql value, kind query.Kind, h *handle, st *state) *observation {
	o := &observation{origin: e.Pos(), kind: kind, sql: sql, root: m.stack[0].info, gate: st.gate, doing: slices.Clone(m.doing)}
	if h != nil {
		o.tx, o.txParam, o.unsafe = h.tx, h.param, m.isUnsafe(h)
		if h.typ != nil && h.typ.isTx { // an error ends the transaction: who began it must be in the gate.Do, too
			o.doing = o.doing[:slices.Index(o.doing, h.do)+1]
		}
	}
	return o
}

// send records an observation and is what the call returns.
func (m *machine) send(o *observation, exec bool) value {
	m.record(o)
	if exec {
		return &unknown{}
	}
	return &result{of: []*observation{o}}
}

// record files an observation: where it is shown, and whether another evaluation of the function would show more.
func (m *machine) record(o *observation) {
	o.fn, o.pkg, o.pos = m.top(), m.pkg(), o.origin
	for _, fr := range m.stack[1:] {
		if fr.lit == nil {
			o.through = append(o.through, fr.info)
		}
	}
	for i := len(m.stack) - 1; i > 0; i-- {
		fr := m.stack[i]
		if !fr.passesOn(o.sql) {
			if fr.lit != nil {
				continue // the literal stands in a function that may
			}
			break
		}
		o.pos, o.fn, o.pkg = fr.call, m.stack[i-1], m.stack[i-1].pkg
	}
	if dependsOnParam(o.sql) && o.root != nil && m.stack[0].lit == nil {
		o.root.depends = true
	}
	m.obs = append(m.obs, o)
}

// passesOn reports whether what is sent came in by a parameter of this frame.
func (fr *frame) passesOn(sql value) bool {
	for _, v := range fr.bound {
		if v == sql {
			return true
		}
		b, ok1 := sql.(*builder)
		p, ok2 := v.(*builder)
		if ok1 && ok2 && len(p.ops) > 0 && len(b.ops) >= len(p.ops) && b.ops[0] == p.ops[0] {
			return true
		}
	}
	return false
}
