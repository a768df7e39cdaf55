package localstate

import (
	"fmt"
	"go/ast"
	"go/types"
	"regexp"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/callee"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/findings"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/imports"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/syntax"
)

const limiterPackage = "golang.org/x/time/rate"

// clients names what a limiter for each of those who ask is kept by; limiters for what is asked are this node's affair.
var clients = regexp.MustCompile(`IP|^[iI]ps?$|(?i:visitor|client|remote|user|addr)`)

// limiters reports maps that get a limiter for each client: on behalf of a handler, or by their names.
func (c *checker) limiters() {
	if !imports.Any(c.Files, limiterPackage) {
		return
	}
	seen := map[*types.Var]bool{}
	for cur := range c.Root.Preorder((*ast.AssignStmt)(nil)) {
		for _, lhs := range cur.Node().(*ast.AssignStmt).Lhs {
			at, ok := lhs.(*ast.IndexExpr)
			if !ok {
				continue
			}
			v := c.Values.Var(at.X)
			if v == nil || seen[v] || !isLimiters(v.Type()) {
				continue
			}
			who := ""
			if in := syntax.EnclosingFunc(cur); in != nil {
				if h := c.Handlers.Near(in, reach); h != nil {
					who = fmt.Sprintf("%s, in ", h.Name)
				}
			}
			if who == "" && !c.byClient(at) {
				continue
			}
			seen[v] = true
			c.Report(findings.Finding{Check: "local-rate-limit", Pos: at.Pos(), End: at.End(),
				Message: fmt.Sprintf("%s%s keeps %s", who, types.ExprString(at.X), consequence("local-rate-limit", inMemory)), Help: remedy("local-rate-limit", inMemory)})
		}
	}
}

// isLimiters: a map whose elements are, or have, a limiter.
func isLimiters(t types.Type) bool {
	m, ok := t.Underlying().(*types.Map)
	return ok && holds(m.Elem(), func(t types.Type) bool { return callee.NameOf(t) == limiterPackage+".Limiter" })
}

// byClient reports whether the map, its key, or the type of which it is a field is named after those who ask.
func (c *checker) byClient(at *ast.IndexExpr) bool {
	if clients.MatchString(lastName(at.X)) || clients.MatchString(lastName(at.Index)) {
		return true
	}
	if sel, ok := ast.Unparen(at.X).(*ast.SelectorExpr); ok {
		if name := c.typeName(sel.X); name != nil && clients.MatchString(name.Name()) {
			return true
		}
	}
	return false
}
