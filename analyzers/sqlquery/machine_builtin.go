package sqlquery

import (
	"go/ast"
	"go/constant"
	"go/types"
)

// builtin is a call of one of the language's own functions.
func (m *machine) builtin(e *ast.CallExpr, name string, st *state) value {
	switch name {
	case "append":
		return m.appended(e, st)
	case "panic":
		m.args(e, st)
		st.dead = true
		return &unknown{}
	case "new":
		if len(e.Args) == 1 {
			return m.zero(m.pkg().info.TypeOf(e.Args[0]))
		}
	case "make":
		for _, a := range e.Args[min(1, len(e.Args)):] {
			m.eval(a, st)
		}
		t := m.typeOf(e)
		if t == nil {
			return &unknown{}
		}
		switch t.Underlying().(type) {
		case *types.Slice:
			if len(e.Args) > 1 {
				if n, ok := intOf(m.eval(e.Args[1], st)); !ok || n > 0 {
					return &list{open: "a slice that is filled at run time"}
				}
			}
			return &list{}
		case *types.Map:
			return &table{typ: t}
		}
		return &unknown{typ: t}
	case "len":
		args, _ := m.args(e, st)
		if len(args) == 1 {
			switch v := args[0].v.(type) {
			case *list:
				if v.open == "" {
					return &number{constant.MakeInt64(int64(len(v.elems)))}
				}
			}
		}
		return &unknown{typ: types.Typ[types.Int]}
	default:
		args, _ := m.args(e, st)
		m.giveAway(args, e, st)
	}
	return &unknown{typ: m.typeOf(e)}
}

// appended is append.
func (m *machine) appended(e *ast.CallExpr, st *state) value {
	if len(e.Args) == 0 {
		return &unknown{}
	}
	base := m.eval(e.Args[0], st)
	tail := *e
	tail.Args = e.Args[1:]
	more, open := m.args(&tail, st)
	if e.Ellipsis.IsValid() && open && len(more) > 0 {
		if _, ok := more[len(more)-1].v.(*list); !ok {
			last := more[len(more)-1]
			more = more[:len(more)-1]
			if d, ok := last.v.(*destinations); ok {
				more = append(more, arg{v: d})
				open = false
			}
		}
	}
	switch b := base.(type) {
	case *list:
		l := &list{append(b.elems[:len(b.elems):len(b.elems)], more...), b.open}
		if open && l.open == "" {
			l.open = "elements that are known at run time only"
		}
		return l
	case *destinations:
		l := &list{elems: append([]arg{{v: b}}, more...)}
		if open {
			l.open = "elements that are known at run time only"
		}
		return l
	case *null:
		l := &list{elems: more}
		if open {
			l.open = "elements that are known at run time only"
		}
		return l
	case *choice:
		alts := make([]value, len(b.alts))
		for i, a := range b.alts {
			if l, ok := a.(*list); ok {
				alts[i] = &list{append(l.elems[:len(l.elems):len(l.elems)], more...), l.open}
			} else {
				alts[i] = &unknown{}
			}
		}
		return &choice{b.event, alts}
	case *unknown:
		return &list{elems: more, open: "elements that are known at run time only"}
	}
	return &unknown{typ: m.typeOf(e)}
}
