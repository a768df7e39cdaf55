package sqlquery

import (
	"go/ast"
	"go/types"
	"strconv"
	"strings"
)

// callStrings is package strings.
func (m *machine) callStrings(name string, e *ast.CallExpr, st *state) value {
	args, open := m.args(e, st)
	str := func(i int) (string, bool) {
		if i < len(args) {
			return literal(args[i].v)
		}
		return "", false
	}
	switch name {
	case "Join":
		if len(args) == 2 {
			if sep, ok := str(1); ok {
				return m.joinList(args[0].v, sep, args[1])
			}
		}
	case "Repeat":
		if s, ok := str(0); ok && len(args) == 2 {
			if n, ok := intOf(args[1].v); ok && n >= 0 && n*int64(len(s)) < 1<<16 {
				return known(strings.Repeat(s, int(n)), e.Pos(), false)
			}
			return concat(textOf(args[0].v), &text{[]part{{hole: &hole{why: "a string repeated at run time", repeat: true}}}})
		}
	case "TrimSpace", "TrimSuffix", "TrimPrefix", "TrimRight", "TrimLeft", "Trim", "ToLower", "ToUpper", "ReplaceAll", "Replace", "Title":
		if len(args) > 0 {
			return m.mapText(args[0].v, func(s string) (string, bool) {
				arg1, ok1 := str(1)
				arg2, ok2 := str(2)
				switch {
				case name == "TrimSpace":
					return strings.TrimSpace(s), true
				case name == "ToLower":
					return strings.ToLower(s), true
				case name == "ToUpper":
					return strings.ToUpper(s), true
				case name == "TrimSuffix" && ok1:
					return strings.TrimSuffix(s, arg1), true
				case name == "TrimPrefix" && ok1:
					return strings.TrimPrefix(s, arg1), true
				case name == "TrimRight" && ok1:
					return strings.TrimRight(s, arg1), true
				case name == "TrimLeft" && ok1:
					return strings.TrimLeft(s, arg1), true
				case name == "Trim" && ok1:
					return strings.Trim(s, arg1), true
				case strings.HasPrefix(name, "Replace") && ok1 && ok2:
					n := -1
					if name == "Replace" {
						if len(args) < 4 {
							return "", false
						}
						v, ok := intOf(args[3].v)
						if !ok {
							return "", false
						}
						n = int(v)
					}
					return strings.Replace(s, arg1, arg2, n), true
				}
				return "", false
			}, e, name)
		}
	}
	_ = open
	m.giveAway(args, e, st)
	v := m.opaqueResult(e)
	if x, ok := v.(*unknown); ok {
		x.why = "what strings." + name + " makes at run time"
		for _, a := range args {
			if p := rootOf(a.v); p != nil {
				x.param = p
			}
		}
	}
	return v
}

// mapText applies a function to a text that is known, or to each of several; of one known in part, TrimSpace and the like
// are left out, since white space does not matter.
func (m *machine) mapText(v value, f func(string) (string, bool), e *ast.CallExpr, name string) value {
	switch v := v.(type) {
	case *text:
		if s, ok := literal(v); ok {
			if out, ok := f(s); ok {
				if out == s {
					return v
				}
				pos := e.Pos()
				if len(v.parts) > 0 && v.parts[0].pos.IsValid() {
					pos = v.parts[0].pos
				}
				return known(out, pos, false)
			}
		}
		if name == "TrimSpace" {
			return v
		}
		if len(v.parts) == 1 && v.parts[0].choice != nil {
			return m.mapText(v.parts[0].choice, f, e, name)
		}
	case *choice:
		alts := make([]value, len(v.alts))
		for i, a := range v.alts {
			alts[i] = m.mapText(a, f, e, name)
		}
		return &choice{v.event, alts}
	}
	return &unknown{typ: types.Typ[types.String], why: "what strings." + name + " makes at run time", param: rootOf(v)}
}

// joinList is strings.Join.
func (m *machine) joinList(v value, sep string, sepArg arg) value {
	switch v := v.(type) {
	case *list:
		t := &text{}
		for i, el := range v.elems {
			if i > 0 {
				t = concat(t, textOf(sepArg.v))
			}
			t = concat(t, m.printed(el))
		}
		if v.open != "" {
			t = concat(t, &text{[]part{{hole: &hole{why: v.open, repeat: len(v.elems) > 0}}}})
		}
		return t
	case *choice:
		alts := make([]value, len(v.alts))
		for i, a := range v.alts {
			alts[i] = m.joinList(a, sep, sepArg)
		}
		return &choice{v.event, alts}
	}
	return &unknown{typ: types.Typ[types.String], why: "a list that is made at run time", param: rootOf(v)}
}

func (m *machine) callStrconv(name string, args []arg, e *ast.CallExpr) value {
	switch name {
	case "Itoa", "FormatInt", "FormatUint":
		if len(args) > 0 {
			if n, ok := intOf(args[0].v); ok {
				return known(strconv.FormatInt(n, 10), e.Pos(), false)
			}
			return &text{[]part{{hole: &hole{why: "a number that is known at run time only", number: true, param: rootOf(args[0].v)}}}}
		}
	}
	return m.opaqueResult(e)
}

// written is the key of what a strings.Builder holds.
const written = "#text"

// write appends to a strings.Builder or bytes.Buffer.
func (m *machine) write(o *object, t *text, st *state) {
	was, _ := st.get(field{o, written})
	have, ok := was.(*text)
	if c, isChoice := was.(*choice); isChoice {
		have, ok = textOf(c), true
	}
	if !ok {
		have = &text{}
	}
	st.set(field{o, written}, concat(have, t))
}

// textBuilder is a method of strings.Builder and bytes.Buffer.
func (m *machine) textBuilder(o *object, name string, e *ast.CallExpr, st *state) (value, bool) {
	importPath, typ := namedType(o.typ)
	if !(importPath == "strings" && typ == "Builder" || importPath == "bytes" && typ == "Buffer") {
		return nil, false
	}
	switch name {
	case "WriteString", "Write", "WriteByte", "WriteRune":
		args, _ := m.args(e, st)
		if len(args) != 1 {
			return &unknown{}, true
		}
		t := m.printed(args[0])
		if n, ok := args[0].v.(*number); ok {
			if c, ok := intOf(n); ok {
				t = known(string(rune(c)), e.Args[0].Pos(), false)
			}
		}
		m.write(o, t, st)
		return &unknown{}, true
	case "String":
		v, ok := st.get(field{o, written})
		if !ok {
			return &text{}, true
		}
		return v, true
	case "Reset":
		st.set(field{o, written}, &text{})
		return &unknown{}, true
	case "Len", "Grow", "Cap":
		m.args(e, st)
		return &unknown{}, true
	}
	return nil, false
}
