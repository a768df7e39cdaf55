package alembic

import (
	"regexp"
	"strings"
	"sync"
)

// exprV is a SQL expression.
type exprV struct {
	sql  text // columns with their table
	bare text // columns without it, as in DDL; empty when the same
	prec int
	str  bool // its type is a string
	// tables are those whose columns it mentions.
	tables []*tableV
	neg    *exprV // its negation, when that is written with another operator
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

func (e *exprV) ddl() text {
	if e.bare.s == "" {
		return e.sql
	}
	return e.bare
}

// group is the expression in parentheses unless it is an atom.
func (e *exprV) group() text { return e.within(precAtom) }

func (e *exprV) within(prec int) text { return grouped(e.sql, e.prec, prec) }

func grouped(t text, own, outer int) text {
	if own > outer || own == precAtom {
		return t
	}
	return catAny("(", t, ")")
}

// combine builds an expression out of others; parts are string or *exprV.
func combine(prec int, parts ...any) *exprV {
	out := &exprV{prec: prec}
	var full, bare []any
	for _, p := range parts {
		switch p := p.(type) {
		case string:
			full, bare = append(full, p), append(bare, p)
		case text:
			full, bare = append(full, p), append(bare, p)
		case *exprV:
			full = append(full, p.within(prec))
			bare = append(bare, grouped(p.ddl(), p.prec, prec))
			out.tables = append(out.tables, p.tables...)
		}
	}
	out.sql, out.bare = catAny(full...), catAny(bare...)
	return out
}

// textV is sa.text(…).
type textV struct {
	sql   text
	binds map[string]value
}

var bindName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`:([\w$]+)`) })

// bindsOf lists the :name parameters of s: byte ranges with the colon. A colon behind a colon, a word or a backslash, or
// before another colon begins none (sqlalchemy/sql/compiler.py, BIND_PARAMS).
func bindsOf(s string) [][2]int {
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

func (t *textV) bound() bool { return len(bindsOf(t.sql.s)) > 0 }

// render fills in the parameters and takes the backslash from \: .
func (t *textV) render(g *gen, extra map[string]value) text {
	var parts []text
	at := 0
	for _, b := range bindsOf(t.sql.s) {
		name := t.sql.s[b[0]+1 : b[1]]
		v, ok := extra[name]
		if !ok {
			v, ok = t.binds[name]
		}
		if !ok {
			return g.fail("SQL with the parameter :" + name + ", which has no value")
		}
		e := toExpr(v)
		if e == nil {
			return g.fail("SQL with the parameter :" + name + ", whose value is " + orWhy(v, "not known"))
		}
		parts = append(parts, t.sql.sub(at, b[0]), e.sql)
		at = b[1]
	}
	parts = append(parts, t.sql.sub(at, len(t.sql.s)))
	out := cat(parts...)
	for i := 0; ; {
		k := strings.Index(out.s[i:], `\:`)
		if k < 0 {
			return out
		}
		out = cat(out.sub(0, i+k), out.sub(i+k+1, len(out.s)))
		i += k + 1
	}
}

// toExpr turns a Python value into SQL, as a literal; nil when it cannot be known.
func toExpr(v value) *exprV {
	switch v := v.(type) {
	case *exprV:
		return v
	case *columnV:
		return v.ref()
	case *textV:
		g := &gen{}
		sql := v.render(g, nil)
		if g.why != "" {
			return nil
		}
		return &exprV{sql: sql, prec: precAtom}
	case text:
		return &exprV{sql: literal(v), prec: precAtom, str: true}
	case int64, float:
		s, ok := str(v)
		if !ok {
			return nil
		}
		return &exprV{sql: s, prec: precAtom}
	case bool:
		if v {
			return &exprV{sql: plain("true"), prec: precAtom}
		}
		return &exprV{sql: plain("false"), prec: precAtom}
	case none:
		return &exprV{sql: plain("NULL"), prec: precAtom}
	}
	return nil
}

func isSQL(v value) bool {
	switch v.(type) {
	case *exprV, *columnV, *textV:
		return true
	}
	return false
}

// sqlBinary is a Python operator on SQL expressions; ok is false when neither side is one.
func sqlBinary(a value, op string, b value) (value, bool) {
	if !isSQL(a) && !isSQL(b) {
		return nil, false
	}
	if isUnknown(a) || isUnknown(b) {
		return nil, false
	}
	l, r := toExpr(a), toExpr(b)
	if l == nil || r == nil {
		return unknown{why: "a SQL expression that is not understood"}, true
	}
	_, null := b.(none)
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
		if l.str || r.str {
			e := combine(precConcat, l, " || ", r)
			e.str = true
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
	return unknown{why: "a SQL expression that is not understood"}, true
}

// comparison is one of a pair of comparisons that are each other's negation: the first or the second.
func comparison(first bool, a, b []any) *exprV {
	yes, no := combine(precCompare, a...), combine(precCompare, b...)
	if !first {
		yes, no = no, yes
	}
	yes.neg = no
	return yes
}

// not is NOT e, as SQLAlchemy writes it.
func (e *exprV) not() *exprV {
	if e.neg != nil {
		return e.neg
	}
	return &exprV{sql: catAny("NOT ", e.group()), bare: catAny("NOT ", grouped(e.ddl(), e.prec, precAtom)), prec: precNot, tables: e.tables}
}

// callExpr calls a method of a SQL expression.
func (x *interp) callExpr(e *exprV, name string, a args) value {
	var arg value = none{}
	if len(a.pos) > 0 {
		arg = a.pos[0]
	}
	if w := why(arg); w != "" {
		return unknown{why: w}
	}
	switch name {
	case "in_", "notin_", "not_in":
		items, w := iterate(arg)
		if w != "" || len(items) == 0 {
			return unknown{why: orWhy(arg, "a list that is not known")}
		}
		var list []any
		for i, it := range items {
			if i > 0 {
				list = append(list, ", ")
			}
			v := toExpr(it)
			if v == nil {
				return unknown{why: orWhy(it, "a value that is not known")}
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
		return unknown{why: "a SQL expression that is not understood"}
	}
	switch name {
	case "is_", "isnot", "is_not":
		return comparison(name == "is_", []any{e, " IS ", other}, []any{e, " IS NOT ", other})
	case "like", "notlike", "not_like":
		return comparison(name == "like", []any{e, " LIKE ", other}, []any{e, " NOT LIKE ", other})
	case "ilike", "notilike", "not_ilike":
		return comparison(name == "ilike", []any{e, " ILIKE ", other}, []any{e, " NOT ILIKE ", other})
	case "between":
		if hi := toExpr(second(a)); hi != nil && len(a.pos) == 2 {
			return combine(precCompare, e, " BETWEEN ", other, " AND ", hi)
		}
	case "concat":
		out := combine(precConcat, e, " || ", other)
		out.str = true
		return out
	}
	return unknown{why: "a SQL expression that is not understood: " + name}
}

// saExpr calls a function of sqlalchemy that makes a SQL expression; ok is false when it makes none.
func (x *interp) saExpr(name string, a args) (value, bool) {
	for _, p := range a.pos {
		if w := why(p); w != "" {
			return unknown{why: w}, true
		}
	}
	var first value = none{}
	if len(a.pos) > 0 {
		first = a.pos[0]
	}
	if fn, ok := strings.CutPrefix(name, "func."); ok {
		return x.sqlFunction(fn, a), true
	}
	switch name {
	case "sa.text":
		v, _ := a.get(0, "text")
		t, ok := v.(text)
		if !ok {
			return unknown{why: orWhy(v, "SQL that is not known")}, true
		}
		return &textV{sql: t, binds: map[string]value{}}, true
	case "sa.literal_column":
		t, ok := first.(text)
		if !ok {
			return unknown{why: "SQL that is not known"}, true
		}
		return &exprV{sql: t, prec: precAtom}, true
	case "sa.literal", "op.inline_literal", "sa.bindparam":
		if name == "sa.bindparam" {
			v, ok := a.get(1, "value")
			if !ok {
				return nil, false
			}
			first = v
		}
		if e := toExpr(first); e != nil {
			return e, true
		}
	case "sa.null":
		return &exprV{sql: plain("NULL"), prec: precAtom}, true
	case "sa.true":
		return &exprV{sql: plain("true"), prec: precAtom}, true
	case "sa.false":
		return &exprV{sql: plain("false"), prec: precAtom}, true
	case "sa.and_", "sa.or_":
		prec, word := precAnd, " AND "
		if name == "sa.or_" {
			prec, word = precOr, " OR "
		}
		var parts []any
		for i, p := range a.pos {
			e := toExpr(p)
			if e == nil {
				return unknown{why: "a SQL expression that is not understood"}, true
			}
			if i > 0 {
				parts = append(parts, word)
			}
			parts = append(parts, e)
		}
		if len(a.pos) == 1 {
			return toExpr(first), true
		}
		return combine(prec, parts...), len(parts) > 0
	case "sa.not_":
		if e := toExpr(first); e != nil {
			return e.not(), true
		}
	case "sa.desc", "sa.asc":
		if t, ok := first.(text); ok {
			first = &exprV{sql: quote(t), prec: precAtom}
		}
		if e := toExpr(first); e != nil {
			return x.callExpr(e, strings.TrimPrefix(name, "sa."), args{n: a.n}), true
		}
	case "sa.cast":
		t := x.asType(second(a))
		e := toExpr(first)
		if e == nil || t == nil {
			break
		}
		g := &gen{}
		sql := g.typeSQL(x, t)
		if g.why != "" {
			return unknown{why: g.why}, true
		}
		in := &exprV{sql: e.sql, bare: e.bare, prec: precAtom, tables: e.tables}
		out := combine(precAtom, "CAST(", in, " AS ", sql, ")")
		out.str = t.isString()
		return out, true
	}
	return nil, false
}

// sqlFunction is sa.func.name(…).
func (x *interp) sqlFunction(name string, a args) value {
	if len(a.kw) > 0 || a.why != "" {
		return unknown{why: "a SQL function with arguments that are not understood"}
	}
	switch name {
	case "current_date", "current_time", "current_timestamp", "current_user", "localtime", "localtimestamp", "session_user", "user":
		if len(a.pos) == 0 {
			return &exprV{sql: plain(strings.ToUpper(name)), prec: precAtom}
		}
	}
	path := strings.Split(name, ".")
	for i, p := range path {
		path[i] = quoteFunction(p)
	}
	parts := []any{strings.Join(path, ".") + "("}
	for i, p := range a.pos {
		e := toExpr(p)
		if e == nil {
			return unknown{why: orWhy(p, "a SQL function's argument that is not known")}
		}
		if i > 0 {
			parts = append(parts, ", ")
		}
		parts = append(parts, &exprV{sql: e.sql, bare: e.bare, prec: precAtom, tables: e.tables})
	}
	out := combine(precAtom, append(parts, ")")...)
	switch name {
	case "lower", "upper", "concat", "trim", "substr", "replace":
		out.str = true
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
