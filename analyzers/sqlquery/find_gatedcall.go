package sqlquery

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
)

// gatedCall is a call of a function that sends SQL, or calls one that does: which schemas the code there can meet, as for a query.
type gatedCall struct {
	*observation
	at span
}

// noteGated remembers under which gates a function that sends SQL is called.
func (m *machine) noteGated(info *funcInfo, recv *arg, args []arg, e *ast.CallExpr, st *state) {
	if !info.reaches || m.stack[0].info == nil {
		return
	}
	var pos token.Pos
	switch f := ast.Unparen(e.Fun).(type) {
	case *ast.Ident:
		pos = f.Pos()
	case *ast.SelectorExpr:
		pos = f.Sel.Pos()
	default:
		return
	}
	given := args
	if recv != nil {
		given = append([]arg{*recv}, args...)
	}
	var tx *handle
	for _, a := range given {
		if h, ok := a.v.(*handle); ok && h.typ != nil && h.typ.isTx {
			tx = h
		}
	}
	if m.calledAt == nil {
		m.calledAt = map[token.Pos][]gatedCall{}
	}
	m.calledAt[pos] = append(m.calledAt[pos], gatedCall{m.observation(e, nil, query.Statement, tx, st), st.gate})
}

// entry is the range of schemas at which a function that is called in its own package alone is called: those of the calls,
// together. No bound when it is exported, when one of its uses is not a call that was evaluated, or when it may be called through
// an interface.
func (m *machine) entry(info *funcInfo) query.Gate {
	if info == nil || info.obj == nil || info.obj.Exported() || len(m.calledAt) == 0 {
		return query.Gate{}
	}
	if g, ok := m.entries[info]; ok {
		return g
	}
	if m.entries == nil {
		m.entries = map[*funcInfo]query.Gate{}
	}
	m.entries[info] = query.Gate{} // for functions that call each other
	var all query.Gate
	first := true
	for id, obj := range info.pkg.info.Uses {
		fn, ok := obj.(*types.Func)
		if !ok || fn.Name() != info.obj.Name() {
			continue
		}
		if fn.Origin() != info.obj {
			if recv := receiver(fn); recv != nil && types.IsInterface(recv) {
				return query.Gate{}
			}
			continue
		}
		if info.decl.Pos() <= id.Pos() && id.Pos() < info.decl.End() {
			continue // it calls itself, where it has been called
		}
		if strings.HasSuffix(m.p.fset.Position(id.Pos()).Filename, "_test.go") {
			continue // a test gives its database the schema that it wants
		}
		calls := m.calledAt[id.Pos()]
		if len(calls) == 0 {
			return query.Gate{}
		}
		for _, c := range calls {
			g := m.gate(c.observation, c.at)
			if first {
				all, first = g, false
			}
			all = all.Or(g)
		}
	}
	m.entries[info] = all
	return all
}
