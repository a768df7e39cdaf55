package sqlquery

import (
	"go/ast"
	"go/token"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
)

// callSqlx is package sqlx.
func (m *machine) callSqlx(name string, e *ast.CallExpr, st *state) (value, bool) {
	args, open := m.args(e, st)
	switch name {
	case "Open", "Connect", "MustConnect", "MustOpen", "ConnectContext", "NewDb":
		h := &handle{typ: m.apis["github.com/jmoiron/sqlx.DB"], tx: query.TxNone, opened: true}
		if strings.HasPrefix(name, "Must") || name == "NewDb" {
			return h, true
		}
		return &tuple{[]value{h, &unknown{}}}, true
	case "In":
		if len(args) > 0 {
			return m.sqlxMade(args[0].v), true
		}
	case "Named":
		if len(args) > 0 {
			return m.sqlxMade(m.questioned(args[0].v)), true
		}
	case "BindNamed":
		if len(args) > 1 {
			return m.sqlxMade(m.rebound(m.questioned(args[1].v))), true
		}
	case "Rebind":
		if len(args) == 2 {
			return m.rebound(args[1].v), true
		}
	case "Get", "Select", "GetContext", "SelectContext":
		i := 1
		if strings.HasSuffix(name, "Context") {
			i = 2
		}
		if len(args) > i+1 {
			h, ok := args[i-1].v.(*handle)
			if !ok {
				h = &handle{typ: m.apis["github.com/jmoiron/sqlx.DB"]}
			}
			o := m.observation(e, args[i+1].v, query.Statement, h, st)
			o.args, o.argsKnown = args[i+2:], !open
			m.scanned(&result{of: []*observation{o}}, m.structScan(args[i], strings.HasPrefix(name, "Select")), st)
			m.record(o)
			return &unknown{}, true
		}
	case "NamedExec", "NamedQuery", "NamedExecContext", "NamedQueryContext":
		i := 1
		if strings.HasSuffix(name, "Context") {
			i = 2
		}
		if len(args) > i+1 {
			h, ok := args[i-1].v.(*handle)
			if !ok {
				h = &handle{typ: m.apis["github.com/jmoiron/sqlx.DB"]}
			}
			o := m.observation(e, args[i].v, query.Statement, h, st)
			o.named, o.args = ":", args[i+1:i+2]
			return m.pair(m.send(o, strings.HasPrefix(name, "NamedExec")), e), true
		}
	}
	m.giveAway(args, e, st)
	return m.opaqueResult(e), true
}

// sqlxMade are the results of functions that make a text and its arguments.
func (m *machine) sqlxMade(text value) value {
	return &tuple{[]value{text, &list{open: "arguments that sqlx makes"}, &unknown{}}}
}

// rebound is a text with ? made $1, $2, ….
func (m *machine) rebound(v value) value {
	n := 0
	return m.remarked(v, func(s string) (found [][2]int) {
		for i := range len(s) {
			if s[i] == '?' {
				found = append(found, [2]int{i, i + 1})
			}
		}
		return found
	}, func() string { n++; return placeholder(n) })
}

// questioned is a text with :name made ?.
func (m *machine) questioned(v value) value {
	return m.remarked(v, func(s string) [][2]int { return namedMarks(s, ':') }, func() string { return "?" })
}

// remarked is a text in which other marks stand for its parameters.
func (m *machine) remarked(v value, marks func(string) [][2]int, mark func() string) value {
	switch v := v.(type) {
	case *text:
		out := &text{}
		for _, p := range v.parts {
			if p.hole != nil || p.choice != nil || p.builder != nil {
				out.parts = append(out.parts, p)
				continue
			}
			from := 0
			at := func(i int) token.Pos {
				if p.linear {
					return p.pos + token.Pos(i)
				}
				return p.pos
			}
			for _, found := range marks(p.lit) {
				out.parts = append(out.parts, part{lit: p.lit[from:found[0]], pos: at(from), linear: p.linear}, part{lit: mark(), pos: at(found[0])})
				from = found[1]
			}
			if from < len(p.lit) {
				out.parts = append(out.parts, part{lit: p.lit[from:], pos: at(from), linear: p.linear})
			}
		}
		return out
	case *choice:
		alts := make([]value, len(v.alts))
		for i, a := range v.alts {
			alts[i] = m.remarked(a, marks, mark)
		}
		return &choice{v.event, alts}
	}
	return v
}

// isUnsafe reports whether rows that a handle of sqlx gives may have columns that nothing takes (sqlx.go, DB.Unsafe): it is seen to be
// so, or may be, when the program makes such handles and this one comes from elsewhere.
func (m *machine) isUnsafe(h *handle) bool {
	if h == nil || h.typ == nil || h.typ.path != "github.com/jmoiron/sqlx" {
		return false
	}
	if h.unsafe || h.opened {
		return h.unsafe
	}
	if m.callsUnsafe == nil {
		calls := false
		for _, k := range m.p.order {
			for _, f := range k.files {
				ast.Inspect(f, func(n ast.Node) bool {
					c, ok := n.(*ast.CallExpr)
					if ok && len(c.Args) == 0 && k.own {
						s, isMethod := c.Fun.(*ast.SelectorExpr)
						calls = calls || isMethod && s.Sel.Name == "Unsafe"
					}
					return !calls
				})
			}
		}
		m.callsUnsafe = &calls
	}
	return *m.callsUnsafe
}
