package python

import (
	"regexp"
	"strings"
	"sync"
)

// Expr is a SQL expression.
type Expr struct {
	SQL  Text // columns with their table
	Bare Text // columns without it, as in DDL; empty when the same
	Prec int
	Str  bool // its type is a string
	// Tables are those whose columns it mentions.
	Tables []*Table
	Neg    *Expr // its negation, when that is written with another operator
}

// How tightly an operator binds; sqlalchemy/sql/operators.py, _PRECEDENCE.
const (
	precAtom    = 15
	precMul     = 8
	precAdd     = 7
	precConcat  = 6
	precCompare = 5
	precNot     = 5
	precAnd     = 3
	precOr      = 2
)

func (e *Expr) ddl() Text {
	if e.Bare.S == "" {
		return e.SQL
	}
	return e.Bare
}

// group is the expression in parentheses unless it is an atom.
func (e *Expr) group() Text { return e.within(precAtom) }

func (e *Expr) within(prec int) Text { return grouped(e.SQL, e.Prec, prec) }

func grouped(t Text, own, outer int) Text {
	if own > outer || own == precAtom {
		return t
	}
	return CatAny("(", t, ")")
}

// combine builds an expression out of others; parts are string or *Expr.
func combine(prec int, parts ...any) *Expr {
	out := &Expr{Prec: prec}
	var full, bare []any
	for _, p := range parts {
		switch p := p.(type) {
		case string:
			full, bare = append(full, p), append(bare, p)
		case Text:
			full, bare = append(full, p), append(bare, p)
		case *Expr:
			full = append(full, p.within(prec))
			bare = append(bare, grouped(p.ddl(), p.Prec, prec))
			out.Tables = append(out.Tables, p.Tables...)
		}
	}
	out.SQL, out.Bare = CatAny(full...), CatAny(bare...)
	return out
}

// TextClause is sa.text(…).
type TextClause struct {
	SQL   Text
	Binds map[string]Value
}

var bindName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`:([\w$]+)`) })

// BindsOf lists the :name parameters of s: byte ranges with the colon. A colon behind a colon, a word or a backslash, or
// before another colon begins none (sqlalchemy/sql/compiler.py, BIND_PARAMS).
func BindsOf(s string) [][2]int {
	if !strings.Contains(s, ":") {
		return nil
	}
	var out [][2]int
	for _, m := range bindName().FindAllStringIndex(s, -1) {
		if m[0] > 0 {
			c := s[m[0]-1]
			if c == ':' || c == '\\' || c == '$' || c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80 {
				continue
			}
		}
		if m[1] < len(s) && s[m[1]] == ':' && m[1]+1 < len(s) && s[m[1]+1] != ':' {
			continue
		}
		out = append(out, [2]int{m[0], m[1]})
	}
	return out
}

func (t *TextClause) bound() bool { return len(BindsOf(t.SQL.S)) > 0 }

// Render fills in the parameters and takes the backslash from \: .
func (t *TextClause) Render(g *Gen, extra map[string]Value) Text {
	var parts []Text
	at := 0
	for _, b := range BindsOf(t.SQL.S) {
		name := t.SQL.S[b[0]+1 : b[1]]
		v, ok := extra[name]
		if !ok {
			v, ok = t.Binds[name]
		}
		if !ok {
			return g.Fail("SQL with the parameter :" + name + ", which has no value")
		}
		e := toExpr(v)
		if e == nil {
			return g.Fail("SQL with the parameter :" + name + ", whose value is " + OrWhy(v, "not known"))
		}
		parts = append(parts, t.SQL.Sub(at, b[0]), e.SQL)
		at = b[1]
	}
	parts = append(parts, t.SQL.Sub(at, len(t.SQL.S)))
	out := Cat(parts...)
	for i := 0; ; {
		k := strings.Index(out.S[i:], `\:`)
		if k < 0 {
			return out
		}
		out = Cat(out.Sub(0, i+k), out.Sub(i+k+1, len(out.S)))
		i += k + 1
	}
}

// toExpr turns a Python value into SQL, as a literal; nil when it cannot be known.
func toExpr(v Value) *Expr {
	switch v := v.(type) {
	case *Expr:
		return v
	case *Column:
		return v.ref()
	case *TextClause:
		g := &Gen{}
		sql := v.Render(g, nil)
		if g.Why != "" {
			return nil
		}
		return &Expr{SQL: sql, Prec: precAtom}
	case Text:
		return &Expr{SQL: Literal(v), Prec: precAtom, Str: true}
	case int64, Float:
		s, ok := Str(v)
		if !ok {
			return nil
		}
		return &Expr{SQL: s, Prec: precAtom}
	case bool:
		if v {
			return &Expr{SQL: Plain("true"), Prec: precAtom}
		}
		return &Expr{SQL: Plain("false"), Prec: precAtom}
	case None:
		return &Expr{SQL: Plain("NULL"), Prec: precAtom}
	}
	return nil
}

func isSQL(v Value) bool {
	switch v.(type) {
	case *Expr, *Column, *TextClause:
		return true
	}
	return false
}

// sqlBinary is a Python operator on SQL expressions; ok is false when neither side is one.
func sqlBinary(a Value, op string, b Value) (Value, bool) {
	if !isSQL(a) && !isSQL(b) {
		return nil, false
	}
	if IsUnknown(a) || IsUnknown(b) {
		return nil, false
	}
	l, r := toExpr(a), toExpr(b)
	if l == nil || r == nil {
		return Unknown{Why: "a SQL expression that is not understood"}, true
	}
	_, null := b.(None)
	switch op {
	case "==", "!=":
		if null {
			return comparison(op == "==", []any{l, " IS NULL"}, []any{l, " IS NOT NULL"}), true
		}
		return comparison(op == "==", []any{l, " = ", r}, []any{l, " != ", r}), true
	case "<", ">=":
		return comparison(op == "<", []any{l, " < ", r}, []any{l, " >= ", r}), true
	case ">", "<=":
		return comparison(op == ">", []any{l, " > ", r}, []any{l, " <= ", r}), true
	case "+":
		if l.Str || r.Str {
			e := combine(precConcat, l, " || ", r)
			e.Str = true
			return e, true
		}
		return combine(precAdd, l, " + ", r), true
	case "-":
		return combine(precAdd, l, " - ", r), true
	case "*", "/":
		return combine(precMul, l, " "+op+" ", r), true
	case "&":
		return combine(precAnd, l, " AND ", r), true
	case "|":
		return combine(precOr, l, " OR ", r), true
	}
	return Unknown{Why: "a SQL expression that is not understood"}, true
}

// comparison is one of a pair of comparisons that are each other's negation: the first or the second.
func comparison(first bool, a, b []any) *Expr {
	yes, no := combine(precCompare, a...), combine(precCompare, b...)
	if !first {
		yes, no = no, yes
	}
	yes.Neg = no
	return yes
}

// not is NOT e, as SQLAlchemy writes it.
func (e *Expr) not() *Expr {
	if e.Neg != nil {
		return e.Neg
	}
	return &Expr{SQL: CatAny("NOT ", e.group()), Bare: CatAny("NOT ", grouped(e.ddl(), e.Prec, precAtom)), Prec: precNot, Tables: e.Tables}
}

// callExpr calls a method of a SQL expression.
func (x *Interp) callExpr(e *Expr, name string, a Args) Value {
	var arg Value = None{}
	if len(a.Pos) > 0 {
		arg = a.Pos[0]
	}
	if w := Why(arg); w != "" {
		return Unknown{Why: w}
	}
	switch name {
	case "in_", "notin_", "not_in":
		items, w := Iterate(arg)
		if w != "" || len(items) == 0 {
			return Unknown{Why: OrWhy(arg, "a list that is not known")}
		}
		var list []any
		for i, it := range items {
			if i > 0 {
				list = append(list, ", ")
			}
			v := toExpr(it)
			if v == nil {
				return Unknown{Why: OrWhy(it, "a value that is not known")}
			}
			list = append(list, v)
		}
		list = append(list, ")")
		return comparison(name == "in_", append([]any{e, " IN ("}, list...), append([]any{e, " NOT IN ("}, list...))
	case "asc", "desc":
		return combine(precAnd, e, " "+strings.ToUpper(name))
	case "nullsfirst", "nulls_first":
		return combine(0, e, " NULLS FIRST")
	case "nullslast", "nulls_last":
		return combine(0, e, " NULLS LAST")
	}
	other := toExpr(arg)
	if other == nil {
		return Unknown{Why: "a SQL expression that is not understood"}
	}
	switch name {
	case "is_", "isnot", "is_not":
		return comparison(name == "is_", []any{e, " IS ", other}, []any{e, " IS NOT ", other})
	case "like", "notlike", "not_like":
		return comparison(name == "like", []any{e, " LIKE ", other}, []any{e, " NOT LIKE ", other})
	case "ilike", "notilike", "not_ilike":
		return comparison(name == "ilike", []any{e, " ILIKE ", other}, []any{e, " NOT ILIKE ", other})
	case "between":
		if hi := toExpr(second(a)); hi != nil && len(a.Pos) == 2 {
			return combine(precCompare, e, " BETWEEN ", other, " AND ", hi)
		}
	case "concat":
		out := combine(precConcat, e, " || ", other)
		out.Str = true
		return out
	}
	return Unknown{Why: "a SQL expression that is not understood: " + name}
}

// SAExpr calls a function of sqlalchemy that makes a SQL expression; ok is false when it makes none.
func (x *Interp) SAExpr(name string, a Args) (Value, bool) {
	for _, p := range a.Pos {
		if w := Why(p); w != "" {
			return Unknown{Why: w}, true
		}
	}
	var first Value = None{}
	if len(a.Pos) > 0 {
		first = a.Pos[0]
	}
	if fn, ok := strings.CutPrefix(name, "func."); ok {
		return x.sqlFunction(fn, a), true
	}
	switch name {
	case "sa.text":
		v, _ := a.Get(0, "text")
		t, ok := v.(Text)
		if !ok {
			return Unknown{Why: OrWhy(v, "SQL that is not known")}, true
		}
		return &TextClause{SQL: t, Binds: map[string]Value{}}, true
	case "sa.literal_column":
		t, ok := first.(Text)
		if !ok {
			return Unknown{Why: "SQL that is not known"}, true
		}
		return &Expr{SQL: t, Prec: precAtom}, true
	case "sa.literal", "op.inline_literal", "sa.bindparam":
		if name == "sa.bindparam" {
			v, ok := a.Get(1, "value")
			if !ok {
				return nil, false
			}
			first = v
		}
		if e := toExpr(first); e != nil {
			return e, true
		}
	case "sa.null":
		return &Expr{SQL: Plain("NULL"), Prec: precAtom}, true
	case "sa.true":
		return &Expr{SQL: Plain("true"), Prec: precAtom}, true
	case "sa.false":
		return &Expr{SQL: Plain("false"), Prec: precAtom}, true
	case "sa.and_", "sa.or_":
		prec, word := precAnd, " AND "
		if name == "sa.or_" {
			prec, word = precOr, " OR "
		}
		var parts []any
		for i, p := range a.Pos {
			e := toExpr(p)
			if e == nil {
				return Unknown{Why: "a SQL expression that is not understood"}, true
			}
			if i > 0 {
				parts = append(parts, word)
			}
			parts = append(parts, e)
		}
		if len(a.Pos) == 1 {
			return toExpr(first), true
		}
		return combine(prec, parts...), len(parts) > 0
	case "sa.not_":
		if e := toExpr(first); e != nil {
			return e.not(), true
		}
	case "sa.desc", "sa.asc":
		if t, ok := first.(Text); ok {
			first = &Expr{SQL: Quote(t), Prec: precAtom}
		}
		if e := toExpr(first); e != nil {
			return x.callExpr(e, strings.TrimPrefix(name, "sa."), Args{N: a.N}), true
		}
	case "sa.cast":
		t := x.AsType(second(a))
		e := toExpr(first)
		if e == nil || t == nil {
			break
		}
		g := &Gen{}
		sql := g.TypeSQL(x, t)
		if g.Why != "" {
			return Unknown{Why: g.Why}, true
		}
		in := &Expr{SQL: e.SQL, Bare: e.Bare, Prec: precAtom, Tables: e.Tables}
		out := combine(precAtom, "CAST(", in, " AS ", sql, ")")
		out.Str = t.isString()
		return out, true
	}
	return nil, false
}

// sqlFunction is sa.func.name(…).
func (x *Interp) sqlFunction(name string, a Args) Value {
	if len(a.Kw) > 0 || a.Why != "" {
		return Unknown{Why: "a SQL function with arguments that are not understood"}
	}
	switch name {
	case "current_date", "current_time", "current_timestamp", "current_user", "localtime", "localtimestamp", "session_user", "user":
		if len(a.Pos) == 0 {
			return &Expr{SQL: Plain(strings.ToUpper(name)), Prec: precAtom}
		}
	}
	path := strings.Split(name, ".")
	for i, p := range path {
		path[i] = quoteFunction(p)
	}
	parts := []any{strings.Join(path, ".") + "("}
	for i, p := range a.Pos {
		e := toExpr(p)
		if e == nil {
			return Unknown{Why: OrWhy(p, "a SQL function's argument that is not known")}
		}
		if i > 0 {
			parts = append(parts, ", ")
		}
		parts = append(parts, &Expr{SQL: e.SQL, Bare: e.Bare, Prec: precAtom, Tables: e.Tables})
	}
	out := combine(precAtom, append(parts, ")")...)
	switch name {
	case "lower", "upper", "concat", "trim", "substr", "replace":
		out.Str = true
	}
	return out
}

func quoteFunction(s string) string {
	s = strings.TrimSuffix(s, "_")
	if needsQuotes(s) && !reserved(s) {
		return `"` + s + `"`
	}
	return s
}
