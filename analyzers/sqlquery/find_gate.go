package sqlquery

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// gateMethod is a call of a method of package migratecheck/gate: AtLeast and Version tell schemas apart; the function given to
// Do runs, and runs again when the schema has changed.
func (m *machine) gateMethod(base value, e *ast.CallExpr, f *ast.SelectorExpr, st *state) (value, bool) {
	name := f.Sel.Name
	if !gateMethods[name] || !m.isGate(e, f) {
		return nil, false
	}
	args, _ := m.args(e, st)
	now, ok := base.(*snapshot)
	if !ok {
		now = &snapshot{m.inner()}
	}
	switch {
	case name == "AtLeast" && len(args) == 1:
		if n, ok := intOf(args[0].v); ok {
			m.noteAsking()
			return &gated{gate: now.from(n), not: now.below(n)}, true
		}
		if u, ok := args[0].v.(*unknown); ok && u.param != nil && m.stack[0].info != nil {
			m.stack[0].info.answers = true // the callers know the number
		}
	case name == "Version":
		m.noteAsking()
		return &schemaVersion{*now}, true
	case name == "Now":
		return now, true
	case name == "Do" && len(args) == 2:
		m.dos++
		m.doing = append(m.doing, m.dos)
		m.callFunction(args[1].v, []arg{{v: &snapshot{m.dos}, pkg: m.pkg()}}, false, e, st)
		m.doing = m.doing[:len(m.doing)-1]
	}
	return m.opaqueResult(e), true
}

// inner is the innermost call of gate.Do around what is evaluated, 0 when there is none.
func (m *machine) inner() int {
	if n := len(m.doing); n > 0 {
		return m.doing[n-1]
	}
	return 0
}

var gateMethods = map[string]bool{"AtLeast": true, "Version": true, "Now": true, "Do": true}

// ofGate reports whether a type is one of package migratecheck/gate.
func ofGate(t types.Type) bool {
	importPath, _ := namedType(t)
	return strings.HasSuffix(importPath, "/migratecheck/gate")
}

// isGate reports whether a call is of a method of a type of package migratecheck/gate.
func (m *machine) isGate(e *ast.CallExpr, f *ast.SelectorExpr) bool {
	t := m.typeOf(f.X)
	if t != nil || f.Sel.Name != "AtLeast" {
		return ofGate(t)
	}
	for _, file := range m.pkg().files { // without a type: the file imports no other gate
		if file.Pos() <= e.Pos() && e.Pos() < file.End() {
			return slices.ContainsFunc(file.Imports, func(s *ast.ImportSpec) bool {
				return strings.HasSuffix(strings.Trim(s.Path.Value, `"`), "/migratecheck/gate")
			})
		}
	}
	return false
}

// noteAsking says that the function under evaluation asks a gate: whether it does so in a gate.Do is for its callers to say.
func (m *machine) noteAsking() {
	if info := m.stack[0].info; info != nil {
		info.asks = true
	}
}

// extent is a piece of the source.
type extent struct{ from, to token.Pos }

// noteCaller remembers whether a function that asks a gate is called in a gate.Do.
func (m *machine) noteCaller(info *funcInfo, e *ast.CallExpr) {
	switch {
	case !info.asks:
	case len(m.doing) > 0:
		if m.inDo == nil {
			m.inDo = map[*types.Func][]extent{}
		}
		m.inDo[info.obj] = append(m.inDo[info.obj], extent{e.Pos(), e.End()})
	case m.stack[0].info != nil:
		m.stack[0].info.asks = true
	}
}

// insideDo is onlyInDo, from memory when it can be.
func (m *machine) insideDo(info *funcInfo) bool {
	is, ok := m.inside[info]
	if !ok {
		if m.inside == nil {
			m.inside = map[*funcInfo]bool{}
		}
		is = m.onlyInDo(info, nil)
		m.inside[info] = is
	}
	return is
}

// onlyInDo reports whether all code that names a function calls it in a gate.Do, or in a function of which that holds. What
// calls it through an interface is not seen.
func (m *machine) onlyInDo(info *funcInfo, around []*funcInfo) bool {
	if info == nil || info.obj == nil || len(around) > maxDepth {
		return false
	}
	used := false
	for _, k := range m.p.order {
		if k.info == nil {
			continue
		}
	uses:
		for id, obj := range k.info.Uses {
			if fn, ok := obj.(*types.Func); !ok || fn.Origin() != info.obj {
				continue
			}
			used = true
			for _, call := range m.inDo[info.obj] {
				if call.from <= id.Pos() && id.Pos() < call.to {
					continue uses
				}
			}
			for _, f := range m.list {
				if f != info && f.decl.Pos() <= id.Pos() && id.Pos() < f.decl.End() && m.onlyInDo(f, append(around, info)) {
					continue uses
				}
			}
			return false
		}
	}
	return used
}
