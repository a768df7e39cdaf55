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
	case "In", "Named":
		if len(args) > 0 {
			return &tuple{[]value{args[0].v, &list{open: "arguments that sqlx makes"}, &unknown{}}}, true
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

// rebound is a text with ? made $1, $2, ….
func (m *machine) rebound(v value) value {
	switch v := v.(type) {
	case *text:
		out := &text{}
		n := 0
		for _, p := range v.parts {
			if p.hole != nil || p.choice != nil || p.builder != nil {
				out.parts = append(out.parts, p)
				continue
			}
			rest, at := p.lit, p.pos
			for {
				i := strings.IndexByte(rest, '?')
				if i < 0 {
					break
				}
				n++
				out.parts = append(out.parts, part{lit: rest[:i], pos: at, linear: p.linear}, part{lit: placeholder(n), pos: at + token.Pos(i)})
				rest = rest[i+1:]
				if p.linear {
					at += token.Pos(i + 1)
				}
			}
			if rest != "" {
				out.parts = append(out.parts, part{lit: rest, pos: at, linear: p.linear})
			}
		}
		return out
	case *choice:
		alts := make([]value, len(v.alts))
		for i, a := range v.alts {
			alts[i] = m.rebound(a)
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
