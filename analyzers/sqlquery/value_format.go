package sqlquery

import (
	"go/ast"
	"go/token"
	"go/types"
	"strconv"
	"strings"
)

// callFmt is package fmt.
func (m *machine) callFmt(name string, e *ast.CallExpr, st *state) value {
	switch name {
	case "Sprintf":
		args, open := m.args(e, st)
		return m.format(args, open, e)
	case "Sprint":
		args, open := m.args(e, st)
		t := &text{}
		if open {
			return &unknown{typ: types.Typ[types.String]}
		}
		for _, a := range args {
			t = concat(t, m.printed(a))
		}
		return t
	case "Fprintf", "Fprint", "Fprintln":
		args, open := m.args(e, st)
		if len(args) == 0 {
			break
		}
		o, ok := args[0].v.(*object)
		if !ok {
			break
		}
		var t *text
		if name == "Fprintf" {
			t = textOf(m.format(args[1:], open, e))
		} else {
			t = &text{}
			for i, a := range args[1:] {
				if i > 0 && name == "Fprintln" {
					t = concat(t, known(" ", token.NoPos, false))
				}
				t = concat(t, m.printed(a))
			}
			if name == "Fprintln" {
				t = concat(t, known("\n", token.NoPos, false))
			}
		}
		m.write(o, t, st)
		return m.opaqueResult(e)
	}
	args, _ := m.args(e, st)
	m.giveAway(args, e, st)
	if name == "Errorf" {
		return &failure{}
	}
	return m.opaqueResult(e)
}

// format is Sprintf, as far as its verbs print strings and whole numbers as they are.
func (m *machine) format(args []arg, open bool, e *ast.CallExpr) value {
	if len(args) == 0 {
		return &unknown{typ: types.Typ[types.String]}
	}
	f, ok := args[0].v.(*text)
	if !ok {
		if c, ok := args[0].v.(*choice); ok {
			alts := make([]value, len(c.alts))
			for i, a := range c.alts {
				alts[i] = m.format(append([]arg{{v: a}}, args[1:]...), open, e)
			}
			return &choice{c.event, alts}
		}
		return &unknown{typ: types.Typ[types.String], why: holeOf(args[0].v, "a format that is known at run time only").hole.why, param: rootOf(args[0].v)}
	}
	out := &text{}
	next := 1
	for _, p := range f.parts {
		if p.hole != nil || p.choice != nil || p.builder != nil {
			out.parts = append(out.parts, p)
			continue
		}
		s, at := p.lit, 0
		emit := func(from, to int) {
			if to > from {
				q := part{lit: s[from:to], pos: p.pos, linear: p.linear}
				if p.linear && p.pos.IsValid() {
					q.pos = p.pos + token.Pos(from)
				}
				out.parts = append(out.parts, q)
			}
		}
		for i := 0; i < len(s); i++ {
			if s[i] != '%' {
				continue
			}
			emit(at, i)
			j := i + 1
			for j < len(s) && strings.IndexByte("+-# 0123456789.", s[j]) >= 0 {
				j++
			}
			index := next
			if j < len(s) && s[j] == '[' {
				if k := strings.IndexByte(s[j:], ']'); k > 0 {
					if n, err := strconv.Atoi(s[j+1 : j+k]); err == nil {
						index = n
					}
					j += k + 1
				}
			}
			if j >= len(s) {
				at = len(s)
				break
			}
			verb := s[j]
			i, at = j, j+1
			if verb == '%' {
				out.parts = append(out.parts, part{lit: "%", pos: p.pos})
				continue
			}
			next = index + 1
			if index >= len(args) {
				out.parts = append(out.parts, part{hole: &hole{why: "an argument of a format that is made at run time"}})
				continue
			}
			a := args[index]
			switch verb {
			case 's', 'v':
				out = concat(out, m.printed(a))
			case 'd':
				t := m.printed(a)
				if len(t.parts) == 1 && t.parts[0].hole != nil {
					h := *t.parts[0].hole
					h.number = true
					t = &text{[]part{{hole: &h}}}
				}
				out = concat(out, t)
			case 'q':
				if s, ok := literal(a.v); ok {
					out = concat(out, known(strconv.Quote(s), token.NoPos, false))
				} else {
					t := concat(known(`"`, token.NoPos, false), m.printed(a))
					out = concat(t, known(`"`, token.NoPos, false))
				}
			default:
				out.parts = append(out.parts, part{hole: &hole{why: "a value formatted with %" + string(verb)}})
			}
		}
		emit(at, len(s))
	}
	return out
}

func rootOf(v value) *types.Var {
	if u, ok := v.(*unknown); ok {
		return u.param
	}
	return nil
}

// printed is a value as fmt prints it with %v.
func (m *machine) printed(a arg) *text {
	if u, ok := a.v.(*unknown); ok && u.typ == nil && a.typ != nil {
		return textOf(&unknown{typ: a.typ, why: u.why, param: u.param})
	}
	switch a.v.(type) {
	case *text, *choice, *number, *unknown:
		return textOf(a.v)
	}
	return textOf(&unknown{typ: a.typ})
}
