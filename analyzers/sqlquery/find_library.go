package sqlquery

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"strconv"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
)

// callPackage is a call of a function of another package (or a conversion to a type of one).
func (m *machine) callPackage(e *ast.CallExpr, f *ast.SelectorExpr, importPath string, typeArgs []ast.Expr, st *state) value {
	name := f.Sel.Name
	if m.isSquirrel(importPath) {
		if kind := sqlizerTypes[name]; kind != "" && len(e.Args) == 1 { // sq.Eq(m), sq.And(list)
			return m.toSqlizer(kind, m.arg(e.Args[0], st), e.Pos())
		}
		args, open := m.args(e, st)
		return m.squirrelCall(name, args, open, e, st)
	}
	switch {
	case importPath == "fmt":
		return m.callFmt(name, e, st)
	case importPath == "strings":
		return m.callStrings(name, e, st)
	case importPath == "strconv":
		args, _ := m.args(e, st)
		return m.callStrconv(name, args, e)
	case importPath == "log" && (strings.HasPrefix(name, "Fatal") || strings.HasPrefix(name, "Panic")), importPath == "os" && name == "Exit":
		m.args(e, st)
		st.dead = true
		return &unknown{}
	case importPath == "database/sql":
		args, _ := m.args(e, st)
		if name == "Named" && len(args) == 2 {
			return args[1].v
		}
		if name == "Open" || name == "OpenDB" {
			return m.pair(&handle{typ: m.apis["database/sql.DB"], tx: query.TxNone}, e)
		}
		return m.opaqueResult(e)
	case importPath == "github.com/lib/pq":
		return m.callPq(name, e, st)
	case strings.HasPrefix(importPath, "github.com/jackc/pgx/"):
		if v, ok := m.callPgx(importPath, name, typeArgs, e, st); ok {
			return v
		}
	case importPath == "github.com/jmoiron/sqlx":
		if v, ok := m.callSqlx(name, e, st); ok {
			return v
		}
	case strings.HasSuffix(importPath, "/core-go/database"):
		if v, ok := m.callCore(name, e, st); ok {
			return v
		}
	}
	args, spreads := m.args(e, st)
	if fn, ok := m.pkg().info.Uses[f.Sel].(*types.Func); ok {
		return m.callDeclared(fn.Origin(), nil, args, spreads, e, st)
	}
	if v, ok := m.pkg().info.Uses[f.Sel].(*types.Var); ok {
		if fv, ok := m.variable(v, e.Pos()).(*function); ok {
			return m.callFunction(fv, args, spreads, e, st)
		}
	}
	m.giveAway(args, e, st)
	v := m.opaqueResult(e)
	if x, ok := v.(*unknown); ok {
		x.why = "what " + types.ExprString(f) + " returns, which is not here"
	}
	return v
}

// packageValue is a variable of a library, nil for any other.
func (m *machine) packageValue(importPath, name string) value {
	if name == "StatementBuilder" && m.isSquirrel(importPath) {
		return &builder{verb: "any"}
	}
	if strings.HasPrefix(importPath, "github.com/jackc/pgx/") && rowFuncs[name] {
		return &rowFunc{kind: name}
	}
	return nil
}

// toSqlizer is a conversion to one of squirrel's types.
func (m *machine) toSqlizer(kind string, a arg, pos token.Pos) value {
	s := &sqlizer{kind: kind, pos: pos}
	switch v := a.v.(type) {
	case *table:
		s.tab = v
	case *list:
		s.args = v.elems
	default:
		return &unknown{typ: a.typ}
	}
	return s
}

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

// callPq is package pq.
func (m *machine) callPq(name string, e *ast.CallExpr, st *state) value {
	args, open := m.args(e, st)
	switch name {
	case "CopyIn":
		if len(args) > 0 {
			return m.copyText(args[:1], args[1:], open, e.Pos())
		}
	case "CopyInSchema":
		if len(args) > 1 {
			return m.copyText(args[:2], args[2:], open, e.Pos())
		}
	case "QuoteIdentifier":
		if len(args) == 1 {
			if s, ok := literal(args[0].v); ok {
				return known(`"`+strings.ReplaceAll(s, `"`, `""`)+`"`, args[0].expr.Pos(), false)
			}
			return concat(concat(known(`"`, token.NoPos, false), textOf(args[0].v)), known(`"`, token.NoPos, false))
		}
	case "NewListener", "NewDialListener":
		m.giveAway(args, e, st)
		return &handle{typ: m.apis["github.com/lib/pq.Listener"]}
	case "QuoteLiteral":
		return &text{[]part{{lit: "''", pos: e.Pos()}}}
	case "Array":
		if len(args) == 1 {
			return &unknown{typ: m.typeOf(e)}
		}
	}
	return m.opaqueResult(e)
}
