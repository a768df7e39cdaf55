package detachedwork

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/analysis"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/callee"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/findings"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/syntax"
)

// receiver is a loop that receives from a channel.
type receiver struct {
	loop ast.Node
	fn   string
	// takesOne: the loop returns what it receives, so it is no worker: a pool of things that come back, never more than fit.
	takesOne bool
}

// sends reports sends that hold a mutex which every loop that receives from the channel takes: when the channel is full the
// sender waits for the receiver, and the receiver for the mutex.
func (c *checker) sends() {
	receivers := c.receivers()
	if len(receivers) == 0 {
		return
	}
	for _, fn := range c.Funcs {
		decl := c.Decl(fn)
		w := &lockWalker{c: c, send: func(at ast.Node, ch *types.Var, held []hold, via string) {
			if c.isSized(ch) {
				return
			}
			for _, h := range held {
				if c.deadlocks(receivers[ch], h) {
					c.reportSend(at, ch, h, receivers[ch][0], via)
					return
				}
			}
		}}
		w.block(decl.Body.List, nil)
		ast.Inspect(decl.Body, func(n ast.Node) bool {
			if lit, ok := n.(*ast.FuncLit); ok {
				w.block(lit.Body.List, nil)
			}
			return true
		})
	}
}

// isSized reports whether a function's own channel is made with a size that it computes: it knows how much will come.
func (c *checker) isSized(ch *types.Var) bool {
	if ch.IsField() || ch.Parent() == c.Pkg.Scope() {
		return false
	}
	list, _ := c.Values.Of(ch)
	for _, s := range list {
		if call, ok := s.Expr.(*ast.CallExpr); ok && len(call.Args) == 2 && callee.Name(c.TypesInfo, call) == "make" {
			return true
		}
	}
	return false
}

// deadlocks reports whether all loops that receive take a mutex against what a sender holds.
func (c *checker) deadlocks(list []receiver, h hold) bool {
	for _, r := range list {
		if shared, takes := c.locksIn(r.loop)[h.mutex]; !takes || r.takesOne || shared && h.shared {
			return false
		}
	}
	return len(list) > 0
}

func (c *checker) reportSend(at ast.Node, ch *types.Var, h hold, r receiver, via string) {
	if via != "" {
		via = ", by " + via + ","
	}
	c.Report(findings.Finding{Check: "send-under-lock", Pos: at.Pos(), End: at.End(),
		Message: fmt.Sprintf("the send on %s%s holds %s, which %s takes between two receives: when the channel is full (an unbuffered one always is) both wait for each other for ever, and what is queued is never done",
			ch.Name(), via, h.mutex.Name(), r.fn),
		Help: fmt.Sprintf("Unlock %s before the send, or guard what the receiver changes with a mutex of its own.", h.mutex.Name()),
		Related: []analysis.RelatedInformation{
			{Pos: h.at, Message: h.mutex.Name() + " is locked here"},
			{Pos: r.loop.Pos(), Message: "the receiving loop takes it"},
		}})
}

// receivers finds the loops that receive from fields and variables of the package.
func (c *checker) receivers() map[*types.Var][]receiver {
	all := map[*types.Var][]receiver{}
	for cur := range c.Root.Preorder((*ast.ForStmt)(nil), (*ast.RangeStmt)(nil)) {
		in := syntax.EnclosingFunc(cur)
		if in == nil || c.Silent(cur.Node().Pos()) {
			continue
		}
		name := "a function literal"
		if decl, ok := in.(*ast.FuncDecl); ok {
			name = decl.Name.Name
		}
		for ch, takesOne := range c.received(cur.Node()) {
			all[ch] = append(all[ch], receiver{cur.Node(), name, takesOne})
		}
	}
	return all
}

// received lists the channels that a loop itself receives from, not a loop inside of it; true when it returns what it receives.
func (c *checker) received(loop ast.Node) map[*types.Var]bool {
	list := map[*types.Var]bool{}
	add := func(e ast.Expr) {
		if v := c.Values.Var(e); v != nil {
			if _, ok := v.Type().Underlying().(*types.Chan); ok {
				list[v] = list[v] || c.returns(loop, e)
			}
		}
	}
	if r, ok := loop.(*ast.RangeStmt); ok {
		add(r.X)
	}
	ast.Inspect(loop, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ForStmt, *ast.RangeStmt:
			return n == loop
		case *ast.UnaryExpr:
			if n.Op == token.ARROW {
				add(n.X)
			}
		}
		return true
	})
	return list
}

// returns reports whether a loop returns what is received from a channel: as it is, or from a variable.
func (c *checker) returns(loop ast.Node, ch ast.Expr) bool {
	isReceive := func(e ast.Expr) bool {
		u, ok := ast.Unparen(e).(*ast.UnaryExpr)
		return ok && u.Op == token.ARROW && u.X == ch
	}
	vars := map[*types.Var]bool{}
	found := false
	ast.Inspect(loop, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.AssignStmt:
			if v := c.Values.Var(n.Lhs[0]); v != nil && isReceive(n.Rhs[0]) {
				vars[v] = true
			}
		case *ast.ReturnStmt:
			for _, e := range n.Results {
				found = found || isReceive(e) || vars[c.Values.Var(e)]
			}
		}
		return !found
	})
	return found
}

// locked is what a function does with mutexes and channels before it returns.
type locked struct {
	locks map[*types.Var]bool // mutexes that it takes; true: only for reading
	sends []*types.Var        // channels that it sends on with nothing else to do
	// unlocks are the mutexes that it unlocks itself: a helper that does not lock them unlocks its caller's.
	unlocks map[*types.Var]bool
}

// lockedBy is what a function of this package does, with what it calls.
func (c *checker) lockedBy(fn *types.Func) *locked {
	if known := c.locks[fn]; known != nil {
		return known
	}
	l := &locked{locks: map[*types.Var]bool{}, unlocks: map[*types.Var]bool{}}
	c.locks[fn] = l // for functions that call themselves
	decl := c.Decl(fn)
	if decl == nil {
		return l
	}
	l.locks = c.locksIn(decl.Body)
	ast.Inspect(decl.Body, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			if v, op := c.mutexOp(call); op == "Unlock" || op == "RUnlock" {
				l.unlocks[v] = true
			}
		}
		return true
	})
	w := &lockWalker{c: c, send: func(_ ast.Node, ch *types.Var, _ []hold, _ string) { l.sends = append(l.sends, ch) }}
	w.block(decl.Body.List, nil)
	return l
}

// locksIn lists the mutexes that code takes, also in the functions of the package that it calls.
func (c *checker) locksIn(n ast.Node) map[*types.Var]bool {
	locks := map[*types.Var]bool{}
	add := func(v *types.Var, shared bool) {
		before, known := locks[v]
		locks[v] = shared && (before || !known)
	}
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt, *ast.FuncLit:
			return false
		case *ast.CallExpr:
			if v, op := c.mutexOp(n); op == "Lock" || op == "RLock" {
				add(v, op == "RLock")
			} else if fn := callee.Func(c.TypesInfo, n); fn != nil && c.Decl(fn) != nil {
				for v, shared := range c.lockedBy(fn).locks {
					add(v, shared)
				}
			}
		}
		return true
	})
	return locks
}

// mutexOp recognises Lock, RLock, Unlock and RUnlock of a mutex that is a field or a variable, embedded ones included.
func (c *checker) mutexOp(call *ast.CallExpr) (mutex *types.Var, op string) {
	switch callee.Name(c.TypesInfo, call) {
	case "(*sync.Mutex).Lock", "(*sync.RWMutex).Lock":
		op = "Lock"
	case "(*sync.RWMutex).RLock":
		op = "RLock"
	case "(*sync.Mutex).Unlock", "(*sync.RWMutex).Unlock":
		op = "Unlock"
	case "(*sync.RWMutex).RUnlock":
		op = "RUnlock"
	default:
		return nil, ""
	}
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok {
		return nil, ""
	}
	mutex = c.Values.Var(sel.X)
	if s := c.TypesInfo.Selections[sel]; s != nil && len(s.Index()) > 1 { // promoted from an embedded field
		t := s.Recv()
		for _, i := range s.Index()[:len(s.Index())-1] {
			if p, ok := types.Unalias(t).(*types.Pointer); ok {
				t = p.Elem()
			}
			st, ok := t.Underlying().(*types.Struct)
			if !ok {
				return nil, ""
			}
			mutex = st.Field(i)
			t = mutex.Type()
		}
	}
	if mutex == nil {
		return nil, ""
	}
	return mutex, op
}
