package localstate

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/ast/inspector"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/callee"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/findings"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/handlers"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/syntax"
)

// use is where a collection is used.
type use struct {
	node ast.Node
	fn   ast.Node // the function around it
	// insert: it gets something that another request may ask for. lookup: it is asked for one element.
	insert, lookup bool
}

// collection is a map, a slice or a sync.Map that outlives a request.
type collection struct {
	v    *types.Var
	uses []use
	// emptied: it is made anew or cut somewhere, as a buffer is whose content goes elsewhere.
	emptied bool
}

// harmless are words in the names of what may differ between nodes.
var harmless = []string{"cache", "memo", "pool", "metric", "stat", "counter", "inflight", "in_flight", "singleflight", "compiled", "interned", "buffer",
	"registered", "regist", "hook", "plugin", "template", "debug", "log", "once", "mutex", "lock"}

// state reports what a handler puts into the node's memory and another one looks for there.
func (c *checker) state() {
	long := c.longLived()
	all := map[*types.Var]*collection{}
	var order []*collection
	for cur := range c.Root.Preorder((*ast.Ident)(nil)) {
		id := cur.Node().(*ast.Ident)
		v, ok := c.TypesInfo.Uses[id].(*types.Var)
		if !ok || !isCollection(v.Type()) || c.Silent(id.Pos()) {
			continue
		}
		in := syntax.EnclosingFunc(cur)
		if in == nil || !c.outlives(v, cur, in, long) {
			continue
		}
		s := all[v]
		if s == nil {
			s = &collection{v: v}
			all[v] = s
			order = append(order, s)
		}
		c.note(s, cur, in)
	}
	for _, s := range order {
		c.judge(s)
	}
}

func isCollection(t types.Type) bool {
	if callee.NameOf(t) == "sync.Map" {
		return true
	}
	switch t.Underlying().(type) {
	case *types.Map, *types.Slice:
		return true
	}
	return false
}

// outlives reports whether a variable lives as long as the process: of the package, a field of something that does, or a local
// variable of the function that makes a handler.
func (c *checker) outlives(v *types.Var, cur inspector.Cursor, in ast.Node, long map[*types.TypeName]bool) bool {
	if v.Parent() == c.Pkg.Scope() {
		return true
	}
	if v.IsField() {
		sel, ok := cur.Parent().Node().(*ast.SelectorExpr)
		if !ok {
			return false
		}
		return long[c.typeName(sel.X)]
	}
	lit, ok := in.(*ast.FuncLit)
	if !ok {
		return false
	}
	h := c.Handlers.For(lit)
	return h != nil && h.Kind != handlers.Job && h.Func == lit && (v.Pos() < lit.Pos() || v.Pos() > lit.End())
}

func (c *checker) typeName(e ast.Expr) *types.TypeName {
	t := c.TypesInfo.TypeOf(e)
	if t == nil {
		return nil
	}
	return c.namedHere(t)
}

// namedHere is the name of a type of this package, through a pointer.
func (c *checker) namedHere(t types.Type) *types.TypeName {
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		t = p.Elem()
	}
	if n, ok := types.Unalias(t).(*types.Named); ok && n.Obj().Pkg() == c.Pkg {
		return n.Obj()
	}
	return nil
}

// longLived lists the structs of this package of which the program has one, as far as that can be seen: what handlers are methods of, what
// package variables hold, what handlers' literals find around them; and what these have in fields. Not what a handler makes.
func (c *checker) longLived() map[*types.TypeName]bool {
	long := map[*types.TypeName]bool{}
	var add func(t types.Type)
	add = func(t types.Type) {
		name := c.namedHere(t)
		if name == nil || long[name] {
			return
		}
		st, ok := name.Type().Underlying().(*types.Struct)
		if !ok {
			return
		}
		long[name] = true
		for f := range st.Fields() {
			add(f.Type())
		}
	}
	for _, h := range c.Handlers.Handlers {
		switch fn := h.Func.(type) {
		case *ast.FuncDecl:
			if fn.Recv != nil && len(fn.Recv.List) == 1 && (h.Kind != handlers.SMTP && h.Kind != handlers.Job || fn.Name.Name == "Work" || fn.Name.Name == "ProcessTask") {
				if t := c.TypesInfo.TypeOf(fn.Recv.List[0].Type); t != nil {
					add(t)
				}
			}
		case *ast.FuncLit:
			ast.Inspect(fn.Body, func(n ast.Node) bool {
				if id, ok := n.(*ast.Ident); ok {
					if v, ok := c.TypesInfo.Uses[id].(*types.Var); ok && !v.IsField() && (v.Pos() < fn.Pos() || v.Pos() > fn.End()) {
						add(v.Type())
					}
				}
				return true
			})
		}
	}
	for _, name := range c.Pkg.Scope().Names() {
		if v, ok := c.Pkg.Scope().Lookup(name).(*types.Var); ok {
			add(v.Type())
		}
	}
	for cur := range c.Root.Preorder((*ast.CompositeLit)(nil)) {
		name := c.typeName(cur.Node().(*ast.CompositeLit))
		if name == nil || !long[name] {
			continue
		}
		if in := syntax.EnclosingFunc(cur); in != nil && c.Handlers.For(in) != nil {
			delete(long, name)
		}
	}
	return long
}

// note files one use of a collection.
func (c *checker) note(s *collection, cur inspector.Cursor, in ast.Node) {
	expr := cur
	if _, ok := cur.Parent().Node().(*ast.SelectorExpr); ok && s.v.IsField() {
		expr = cur.Parent()
	}
	u := use{node: expr.Node(), fn: in}
	switch parent := expr.Parent().Node().(type) {
	case *ast.IndexExpr:
		if parent.X == expr.Node() {
			u.insert = assigned(expr.Parent())
			u.lookup = !u.insert && !onlyAsks(expr.Parent())
		}
	case *ast.AssignStmt:
		if slices.Contains(parent.Lhs, expr.Node().(ast.Expr)) {
			if !isAppend(parent) {
				s.emptied = s.emptied || c.Handlers.For(in) != nil || !constructs(in)
				return
			}
			u.insert = true
		}
	case *ast.CallExpr:
		switch callee.Name(c.TypesInfo, parent) {
		case "delete", "clear":
			return
		case "append", "len", "cap":
			return // with the assignment; of a slice, says little
		}
	case *ast.SelectorExpr: // of a sync.Map
		switch parent.Sel.Name {
		case "Store", "Swap", "CompareAndSwap":
			u.insert = true
		case "Delete", "Clear", "LoadAndDelete":
			return
		case "Load":
			u.lookup = true
		case "LoadOrStore":
			return // a value that is made when there is none
		}
	}
	s.uses = append(s.uses, u)
}

// assigned reports whether what a cursor points at, or a field of it, gets a value.
func assigned(cur inspector.Cursor) bool {
	stmt, ok := cur.Parent().Node().(*ast.AssignStmt)
	return ok && stmt.Tok == token.ASSIGN && slices.Contains(stmt.Lhs, cur.Node().(ast.Expr))
}

// onlyAsks: _, ok := m[k] does not want the element, as a cache would.
func onlyAsks(cur inspector.Cursor) bool {
	stmt, ok := cur.Parent().Node().(*ast.AssignStmt)
	if !ok || len(stmt.Lhs) != 2 || len(stmt.Rhs) != 1 {
		return false
	}
	id, ok := stmt.Lhs[0].(*ast.Ident)
	return ok && id.Name == "_"
}

// isAppend: x = append(x, …).
func isAppend(s *ast.AssignStmt) bool {
	if len(s.Rhs) != 1 {
		return false
	}
	call, ok := ast.Unparen(s.Rhs[0]).(*ast.CallExpr)
	if !ok || len(call.Args) < 2 {
		return false
	}
	id, ok := ast.Unparen(call.Fun).(*ast.Ident)
	return ok && id.Name == "append" && types.ExprString(call.Args[0]) == types.ExprString(s.Lhs[0])
}

// constructs reports whether a function, by its name, is where a variable gets its first value: one that makes the value of which it is a field.
func constructs(fn ast.Node) bool {
	decl, ok := fn.(*ast.FuncDecl)
	if !ok {
		return false
	}
	name := strings.ToLower(decl.Name.Name)
	return decl.Name.Name == "init" || decl.Name.Name == "main" || strings.HasPrefix(name, "new") || strings.HasPrefix(name, "setup")
}

// judge reports a collection that a request fills and another one needs.
func (c *checker) judge(s *collection) {
	kind := c.kindOf(s.v)
	if s.emptied || kind == "" || named(s.v.Name(), harmless) || named(c.elementName(s.v), harmless) {
		return
	}
	for _, w := range s.uses {
		if !w.insert {
			continue
		}
		h := c.Handlers.Near(w.fn, reach)
		if h == nil {
			continue
		}
		if kind == "handler-state" && (c.missed(s, w) || !c.needed(s, w)) {
			continue
		}
		c.Report(finding(kind, s.v, w.node, h))
		return
	}
}

func finding(kind string, v *types.Var, at ast.Node, h *handlers.Handler) findings.Finding {
	f := findings.Finding{Check: kind, Pos: at.Pos(), End: at.End()}
	if kind == "handler-state" {
		f.Message = fmt.Sprintf("%s keeps what other requests look for in %s, in the memory of this node: those that reach another node do not find it, and every deploy forgets it", h.Name, v.Name())
		f.Help = "Keep it in the database or in Redis; what can be read again from there may be cached, when a read has missed it."
	} else {
		f.Message = fmt.Sprintf("%s, in %s, keeps %s", h.Name, v.Name(), consequence(kind, inMemory))
		f.Help = remedy(kind, inMemory)
	}
	return f
}

// kindOf is the check that a collection falls under: by its elements, and by its name; "" for those that belong to a node.
func (c *checker) kindOf(v *types.Var) string {
	elem := element(v.Type())
	if isLimiters(v.Type()) || elem != nil && holds(elem, isHandle) {
		return "" // of limiters, see there
	}
	if m, ok := v.Type().Underlying().(*types.Map); ok {
		if key, ok := m.Key().Underlying().(*types.Basic); ok && key.Info()&types.IsString != 0 && named(v.Name(), []string{"session"}) {
			return "local-sessions"
		}
		if holds(m.Key(), isHandle) {
			return ""
		}
	}
	return "handler-state"
}

// element is the type of a collection's elements, nil for a sync.Map.
func element(t types.Type) types.Type {
	switch t := t.Underlying().(type) {
	case *types.Map:
		return t.Elem()
	case *types.Slice:
		return t.Elem()
	}
	return nil
}

// holds reports whether a type, what it points to or a field of it is of some sort.
func holds(t types.Type, is func(types.Type) bool) bool {
	if is(t) {
		return true
	}
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		t = p.Elem()
		if is(t) {
			return true
		}
	}
	st, ok := t.Underlying().(*types.Struct)
	if !ok {
		return false
	}
	for f := range st.Fields() {
		if is(f.Type()) {
			return true
		}
		if p, ok := types.Unalias(f.Type()).(*types.Pointer); ok && is(p.Elem()) {
			return true
		}
	}
	return false
}

// isHandle: channels, functions, connections, locks and the like are of use on this node only.
func isHandle(t types.Type) bool {
	name := callee.NameOf(t)
	if name == "context.CancelFunc" {
		return false // of a job, which somebody on another node may want to cancel
	}
	switch t.Underlying().(type) {
	case *types.Chan, *types.Signature:
		return true
	}
	if strings.HasPrefix(name, "sync.") && name != "sync.Mutex" && name != "sync.RWMutex" || name == "net/http.ResponseWriter" {
		return true
	}
	own := callee.Last(name)
	return strings.HasSuffix(own, "Conn") || strings.HasSuffix(own, "Stream") || strings.HasSuffix(own, "Client") || strings.HasSuffix(own, "Server") ||
		own == "Listener" || own == "Handler" || own == "Template" || own == "Regexp"
}

func (c *checker) elementName(v *types.Var) string {
	if e := element(v.Type()); e != nil {
		name := callee.NameOf(e)
		return callee.Last(name)
	}
	return ""
}

// needed reports whether another function that works for handlers reads the collection.
func (c *checker) needed(s *collection, w use) bool {
	return slices.ContainsFunc(s.uses, func(u use) bool {
		return !u.insert && u.fn != w.fn && c.Handlers.Near(u.fn, reach) != nil
	})
}

// missed reports whether a lookup in the collection comes before a write in the same function, or in one that calls the
// function which writes: the value is made because it was not there, and can be made on any node.
func (c *checker) missed(s *collection, w use) bool {
	readers := map[ast.Node]bool{}
	for _, u := range s.uses {
		if !u.lookup {
			continue
		}
		if u.fn == w.fn && u.node.Pos() < w.node.Pos() {
			return true
		}
		readers[u.fn] = true
	}
	if c.callsAny(w.fn, readers, w.node.Pos()) {
		return true
	}
	for _, h := range c.Handlers.Handlers {
		if at := c.callOf(h.Func, w.fn); at.IsValid() && (readers[h.Func] || c.callsAny(h.Func, readers, at)) {
			return true
		}
	}
	return false
}

// callsAny reports whether a function calls one of some others of this package before a position.
func (c *checker) callsAny(fn ast.Node, others map[ast.Node]bool, before token.Pos) bool {
	found := false
	ast.Inspect(syntax.Body(fn), func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok && call.Pos() < before {
			decl := c.Decl(callee.Func(c.TypesInfo, call))
			found = found || decl != nil && others[decl]
		}
		return !found
	})
	return found
}

// callOf is where a function calls another of this package, not valid when it does not.
func (c *checker) callOf(fn, other ast.Node) (at token.Pos) {
	ast.Inspect(syntax.Body(fn), func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			if decl := c.Decl(callee.Func(c.TypesInfo, call)); decl != nil && decl == other {
				at = call.Pos()
			}
		}
		return !at.IsValid()
	})
	return at
}
