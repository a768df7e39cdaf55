package droppedwrite

import (
	_ "embed"
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/inspector"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/code"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/syntax"
)

//go:embed doc.go
var docgo string

// New makes the analyzer.
func New() *analysis.Analyzer {
	a := code.New(docgo, run)
	a.FactTypes = []analysis.Fact{new(sends), new(reruns)}
	return a
}

type checker struct {
	*code.Package
	sends   map[*types.Func]*sends     // of this package's functions
	reruns  map[*types.Func]*reruns    // of this package's functions
	again   map[ast.Node]*ast.CallExpr // functions that are run again after any error, and by which call
	txTypes map[types.Type]bool        // answers of isTx
}

func run(pkg *code.Package) {
	c := &checker{Package: pkg, sends: map[*types.Func]*sends{}, reruns: map[*types.Func]*reruns{}, again: map[ast.Node]*ast.CallExpr{}, txTypes: map[types.Type]bool{}}
	c.summarize()
	c.learnReruns()

	var funcs []*function
	for cur := range c.Root.Preorder((*ast.FuncDecl)(nil), (*ast.FuncLit)(nil)) {
		if syntax.Body(cur.Node()) != nil && !c.Silent(cur.Node().Pos()) {
			funcs = append(funcs, c.collect(cur))
		}
	}
	for _, fn := range funcs {
		c.uncheckedCommits(fn)
		c.txDone(fn)
		c.uncheckedExecs(fn)
		c.rowsErr(fn)
		c.effects(fn)
		c.acks(fn)
		c.retries(fn)
	}
}

// function is one function without the function literals in it, and what it does with a database.
type function struct {
	cur     inspector.Cursor
	node    ast.Node           // *ast.FuncDecl or *ast.FuncLit
	sig     *types.Signature   // nil when it is not known
	calls   []inspector.Cursor // all, by position
	begins  []begin
	commits []commit
	effects []effect
	acks    []effect
}

// begin is where a transaction begins: a call whose result is one.
type begin struct {
	cur      inspector.Cursor
	tx       *types.Var
	readOnly bool
}

// commit is a call of Commit.
type commit struct {
	cur inspector.Cursor
	tx  *types.Var // nil when it is no variable
	// end: it runs when the function returns, in a defer statement or a deferred function literal.
	end bool
}

// collect looks at the calls of a function.
func (c *checker) collect(cur inspector.Cursor) *function {
	fn := &function{cur: cur, node: cur.Node(), sig: c.Signature(cur.Node())}
	cur.Inspect([]ast.Node{(*ast.FuncLit)(nil), (*ast.CallExpr)(nil)}, func(in inspector.Cursor) bool {
		if lit, ok := in.Node().(*ast.FuncLit); ok {
			if ast.Node(lit) == fn.node {
				return true
			}
			if c.deferredLit(in) {
				c.commitsAtEnd(fn, in)
			}
			return false
		}
		call := in.Node().(*ast.CallExpr)
		fn.calls = append(fn.calls, in)
		if tx, ok := c.commitOf(call); ok {
			_, deferred := in.Parent().Node().(*ast.DeferStmt)
			fn.commits = append(fn.commits, commit{in, tx, deferred})
		}
		if tx := c.beginOf(in, call); tx != nil {
			fn.begins = append(fn.begins, begin{in, tx, readOnly(call)})
		}
		if what := c.effectOf(call); what != "" {
			fn.effects = append(fn.effects, effect{in, what})
		}
		if what := c.ackOf(call); what != "" {
			fn.acks = append(fn.acks, effect{in, what})
		}
		return true
	})
	return fn
}

// deferredLit reports whether a function literal is what a defer statement calls.
func (c *checker) deferredLit(lit inspector.Cursor) bool {
	call, ok := lit.Parent().Node().(*ast.CallExpr)
	if !ok || call.Fun != lit.Node() {
		return false
	}
	_, ok = lit.Parent().Parent().Node().(*ast.DeferStmt)
	return ok
}

func (c *checker) commitsAtEnd(fn *function, lit inspector.Cursor) {
	for cur := range lit.Preorder((*ast.CallExpr)(nil)) {
		if tx, ok := c.commitOf(cur.Node().(*ast.CallExpr)); ok {
			fn.commits = append(fn.commits, commit{cur, tx, true})
		}
	}
}

// reaches reports whether what stands at b may run after what stands at a, in one go from a to b: both in one function, and
// no return, break or else branch between them. Ways back in a loop are not looked at.
func reaches(a, b inspector.Cursor) bool {
	if a.Node().End() > b.Node().Pos() || syntax.EnclosingFunc(a) != syntax.EnclosingFunc(b) {
		return false
	}
	child := a
	for up := a.Parent(); up.Node() != nil; child, up = up, up.Parent() {
		n := up.Node()
		if n.Pos() <= b.Node().Pos() && b.Node().End() <= n.End() {
			switch n := n.(type) {
			case *ast.BlockStmt:
				switch child.Node().(type) {
				case *ast.CaseClause, *ast.CommClause:
					return false // in another branch
				}
			case *ast.IfStmt:
				if child.Node() == ast.Node(n.Body) {
					return false // in the else branch
				}
			}
			return true
		}
		if syntax.Leaves(syntax.Last(syntax.Statements(n))) {
			return false
		}
	}
	return false
}
