package sqlquery

import (
	"go/ast"
	"go/types"
)

// Wrapper is a fact about a function: what it sends is given to it.
type Wrapper struct {
	SQL  int // the index of the parameter that is the text
	Args int // the index of the first that is bound; -1 when none is
}

// AFact makes Wrapper a fact.
func (*Wrapper) AFact() {}

func (m *machine) byFact(fn *types.Func, recv *arg, args []arg, spreads bool, e *ast.CallExpr, st *state) (value, bool) {
	return nil, false
}

func (m *machine) shared(fn *types.Func, recv *arg, args []arg, spreads bool, e *ast.CallExpr, st *state) (value, bool) {
	return nil, false
}
