package sqlquery

import "go/types"

// keptAnswer is a field or package variable into which all code that was read puts answers of a gate: where it is true the
// migration was there. Where it is false it may have come since, since nobody asks again: that says nothing. It is nil when
// something else may be in it.
func (m *machine) keptAnswer(obj *types.Var) value {
	if !m.asksGates || !isBool(obj.Type()) || m.pass != nil && obj.Exported() {
		return nil
	}
	if m.sets == nil {
		m.indexFields()
	}
	sets := m.sets[obj]
	if sets == nil || sets.open || len(sets.exprs) == 0 || len(sets.exprs) > maxUnroll || m.reading[obj] {
		return nil
	}
	m.reading[obj] = true
	defer delete(m.reading, obj)
	is := nowhere
	for _, d := range sets.exprs {
		m.stack = append(m.stack, &frame{pkg: d.pkg})
		g := condition(m.eval(d.expr, newState()))
		m.stack = m.stack[:len(m.stack)-1]
		if g == nil {
			return nil
		}
		is = is.hull(g.gate)
	}
	if is.empty() || is == (span{}) {
		return nil
	}
	return &gated{gate: span{from: is.from}}
}
