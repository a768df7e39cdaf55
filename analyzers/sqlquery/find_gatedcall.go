package sqlquery

import (
	"go/ast"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/ast/astutil"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
)

// gatedCall is a call of a function that sends SQL, or calls one that does: which schemas the code there can meet, as for a query.
type gatedCall struct {
	*observation
	at span
	// told: the function was evaluated there with what its truth values are; asked: one of them says something of the schema; passed:
	// one comes by a parameter of the caller, whose callers may tell.
	told, asked, passed bool
}

// noteGated remembers under which gates a function that sends SQL is called; it is nil when that is of no use. via is where a
// function value was made, 0 when it is called by its name.
func (m *machine) noteGated(info *funcInfo, recv *arg, args []arg, via token.Pos, e *ast.CallExpr, st *state) *gatedCall {
	if !info.reaches || m.stack[0].info == nil {
		return nil
	}
	var pos token.Pos
	switch f := ast.Unparen(e.Fun).(type) {
	case *ast.Ident:
		pos = f.Pos()
	case *ast.SelectorExpr:
		pos = f.Sel.Pos()
	default:
		return nil
	}
	given := args
	if recv != nil {
		given = append([]arg{*recv}, args...)
	}
	var tx *handle
	for _, a := range given {
		if h, ok := a.v.(*handle); ok && h.typ != nil && h.typ.isTx {
			tx = h
		}
	}
	if m.calledAt == nil {
		m.calledAt = map[token.Pos][]*gatedCall{}
	}
	call := &gatedCall{observation: m.observation(e, nil, query.Statement, tx, st), at: st.gate}
	m.calledAt[pos] = append(m.calledAt[pos], call)
	if via.IsValid() && via != pos {
		m.calledAt[via] = append(m.calledAt[via], call)
	}
	return call
}

// tells reports whether a call gives a function a truth value that is known or says something of the schema, so that it is worth
// evaluating again there.
func (m *machine) tells(call *gatedCall, info *funcInfo, args []arg) bool {
	if call == nil || !m.asksGates || len(m.stack) > maxDepth {
		return false
	}
	if slices.ContainsFunc(m.stack, func(fr *frame) bool { return fr.info == info }) {
		info.recurs = true
		return false
	}
	params := info.obj.Type().(*types.Signature).Params()
	tells := false
	for i := range min(params.Len(), len(args)) {
		if !isBool(params.At(i).Type()) {
			continue
		}
		if u, ok := args[i].v.(*unknown); ok && u.param != nil && u.exact {
			call.passed = true
		}
		tells = tells || condition(args[i].v) != nil
		if _, known := truth(args[i].v); !known && condition(args[i].v) != nil {
			call.asked = true
		}
	}
	return tells
}

func isBool(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsBoolean != 0
}

// toldByCallers reports whether every call of a function was evaluated with what its truth values say of the schema, and one of
// them came from a gate: what it sends is then known from its callers, and better.
func (m *machine) toldByCallers(info *funcInfo) bool {
	if info == nil || info.obj == nil || !m.asksGates {
		return false
	}
	if told, ok := m.toldOf[info]; ok {
		return told
	}
	if m.toldOf == nil {
		m.toldOf = map[*funcInfo]bool{}
	}
	m.toldOf[info] = false // for functions that call each other
	calls, ok := m.callsOf(info)
	m.toldOf[info] = ok && !info.recurs && slices.ContainsFunc(calls, func(c *gatedCall) bool { return c.asked }) && !slices.ContainsFunc(calls, func(c *gatedCall) bool {
		return !c.told && !(c.passed && m.toldByCallers(c.root))
	})
	return m.toldOf[info]
}

// entry is the range of schemas at which a function is called of which every call is in view: those of the calls, together; no
// bound of any other.
func (m *machine) entry(info *funcInfo) query.Gate {
	if info == nil || info.obj == nil || !m.asksGates {
		return query.Gate{}
	}
	if g, ok := m.entries[info]; ok {
		return g
	}
	if m.entries == nil {
		m.entries = map[*funcInfo]query.Gate{}
	}
	m.entries[info] = query.Gate{} // for functions that call each other
	calls, _ := m.callsOf(info)
	calls = slices.DeleteFunc(calls, func(c *gatedCall) bool { return m.toldByCallers(c.root) }) // it is evaluated there, too
	var all query.Gate
	for i, c := range calls {
		g := m.gate(c.observation, c.at)
		if i > 0 {
			g = all.Or(g)
		}
		all = g
	}
	m.entries[info] = all
	return all
}

// callsOf lists the evaluated calls of a function; it is false when there may be others: one of its uses is not a call that was
// evaluated, or it may be called through an interface, or from code that is not read. Of an exported function the uses in all
// packages below the directory that is read count, when its whole module is there; of an exported method none, since code
// of other modules may call it through an interface.
func (m *machine) callsOf(info *funcInfo) ([]*gatedCall, bool) {
	exported := info.obj.Exported()
	if exported && (m.pass != nil || receiver(info.obj) != nil || !m.whole(info.pkg)) {
		return nil, false
	}
	var list []*gatedCall
	for _, u := range m.usesNamed(info.obj.Name()) {
		switch recv := receiver(u.fn); {
		case !exported && u.pkg != info.pkg:
		case u.fn.Origin() != info.obj:
			if receiver(info.obj) != nil && recv != nil && types.IsInterface(recv) {
				return nil, false
			}
		case info.decl.Pos() <= u.id.Pos() && u.id.Pos() < info.decl.End():
			// It calls itself, where it has been called.
		case strings.HasSuffix(m.p.fset.Position(u.id.Pos()).Filename, "_test.go"):
			// A test gives its database the schema that it wants.
		default:
			calls := m.calledAt[u.id.Pos()]
			if len(calls) == 0 || !m.onlyCalled(u.pkg, u.id) {
				return nil, false
			}
			list = append(list, calls...)
		}
	}
	return list, true
}

// funcUse is a name of a function in the code.
type funcUse struct {
	pkg *pkg
	id  *ast.Ident
	fn  *types.Func
}

// usesNamed are the uses of all functions of a name.
func (m *machine) usesNamed(name string) []funcUse {
	if m.uses == nil {
		m.uses = map[string][]funcUse{}
		for _, k := range m.p.order {
			if k.info == nil {
				continue
			}
			for id, obj := range k.info.Uses {
				if fn, ok := obj.(*types.Func); ok {
					m.uses[fn.Name()] = append(m.uses[fn.Name()], funcUse{k, id, fn})
				}
			}
		}
	}
	return m.uses[name]
}

// whole reports whether all of a package's module is read.
func (m *machine) whole(k *pkg) bool {
	return !slices.ContainsFunc(m.p.order, func(k *pkg) bool { return k.own && k.info == nil }) && k.own && k.module != nil && k.module.path != "" &&
		(k.module.dir == m.p.dir || strings.HasPrefix(k.module.dir, m.p.dir+string(filepath.Separator)))
}

// onlyCalled reports whether a name of a function is called where it stands, or is put into a variable of a function that is only
// called, each time where that was evaluated.
func (m *machine) onlyCalled(k *pkg, id *ast.Ident) bool {
	path := k.around(id.Pos())
	if len(path) < 2 {
		return false
	}
	var x ast.Node = id
	path = path[1:]
	for len(path) > 1 {
		if s, ok := path[0].(*ast.SelectorExpr); ok && s.Sel != id {
			return false // a field or method of it
		}
		switch path[0].(type) {
		case *ast.SelectorExpr, *ast.ParenExpr, *ast.IndexExpr:
			x, path = path[0], path[1:]
			continue
		}
		break
	}
	var to ast.Expr
	switch p := path[0].(type) {
	case *ast.CallExpr:
		return p.Fun == x
	case *ast.AssignStmt:
		if i := slices.IndexFunc(p.Rhs, func(r ast.Expr) bool { return r == x }); i >= 0 && len(p.Lhs) == len(p.Rhs) {
			to = p.Lhs[i]
		}
	case *ast.ValueSpec:
		if i := slices.IndexFunc(p.Values, func(r ast.Expr) bool { return r == x }); i >= 0 && len(p.Names) == len(p.Values) {
			to = p.Names[i]
		}
	}
	name, _ := to.(*ast.Ident)
	if name == nil {
		return false
	}
	v, _ := k.info.ObjectOf(name).(*types.Var)
	if v == nil || v.Parent() == nil || v.Parent() == k.types.Scope() {
		return false
	}
	for use, obj := range k.info.Uses {
		if obj != v {
			continue
		}
		at := k.around(use.Pos())
		if len(at) < 2 {
			return false
		}
		switch p := at[1].(type) {
		case *ast.CallExpr:
			if p.Fun != use || len(m.calledAt[use.Pos()]) == 0 {
				return false
			}
		case *ast.AssignStmt:
			if !slices.ContainsFunc(p.Lhs, func(l ast.Expr) bool { return l == use }) {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// around are the nodes around a place, the innermost first.
func (k *pkg) around(pos token.Pos) []ast.Node {
	for _, f := range k.files {
		if f.FileStart <= pos && pos < f.FileEnd {
			path, _ := astutil.PathEnclosingInterval(f, pos, pos)
			return path
		}
	}
	return nil
}
