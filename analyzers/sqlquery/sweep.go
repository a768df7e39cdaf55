package sqlquery

import (
	"go/ast"
	"go/token"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
)

// sweep makes sure of what the evaluation may have missed: code behind a condition that it took for decided, or beyond its
// bounds. Every call of a query function whose receiver has a type is a site; the text is what the call alone says.
func (m *machine) sweep() {
	seen := map[token.Pos]bool{}
	for _, o := range m.obs {
		seen[o.origin] = true
	}
	for _, f := range m.list {
		if !f.direct || !f.pkg.own || m.p.ctx.Err() != nil {
			continue
		}
		m.stack, m.steps = []*frame{{info: f, pkg: f.pkg, typ: f.decl.Type}}, 0
		ast.Inspect(f.decl.Body, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || seen[call.Pos()] {
				return true
			}
			s, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
			if !ok {
				return true
			}
			t := m.typeOf(s.X)
			at := m.handleType(t)
			if at == nil {
				at = m.embeddedHandle(t, s.Sel.Name, 0)
			}
			if at == nil {
				return true
			}
			method, ok := at.methods[s.Sel.Name]
			switch method.does {
			case doesExec, doesQuery, doesPrepare, doesGet, doesSelect, doesNamed, doesNamedRow, doesQueue:
			default:
				return true
			}
			if !ok || method.sql >= len(call.Args) {
				return true
			}
			seen[call.Pos()] = true
			v := m.eval(call.Args[method.sql], newState())
			if u, ok := v.(*unknown); ok {
				v = &unknown{typ: u.typ, why: "code that the evaluation did not reach"}
			}
			m.record(m.observation(call, v, query.Statement, &handle{typ: at, tx: at.tx}, newState()))
			return true
		})
		m.stack = nil
	}
}
