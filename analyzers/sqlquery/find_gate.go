package sqlquery

import (
	"go/ast"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
)

// askGate is a call of AtLeast(version) of a type of package migratecheck/gate: which schemas can be met where it is true,
// and where it is false.
func (m *machine) askGate(e *ast.CallExpr, f *ast.SelectorExpr, st *state) (value, bool) {
	if f.Sel.Name != "AtLeast" || len(e.Args) != 1 {
		return nil, false
	}
	importPath, _ := namedType(m.typeOf(f.X))
	if m.typeOf(f.X) == nil {
		for _, file := range m.pkg().files { // without a type: the package imports no other gate
			for _, spec := range file.Imports {
				if p := strings.Trim(spec.Path.Value, `"`); strings.HasSuffix(p, "/migratecheck/gate") && file.Pos() <= e.Pos() && e.Pos() < file.End() {
					importPath = p
				}
			}
		}
	}
	if !strings.HasSuffix(importPath, "/migratecheck/gate") {
		return nil, false
	}
	n, ok := intOf(m.eval(e.Args[0], st))
	if !ok {
		return nil, false
	}
	return &gated{gate: query.Gate{AtLeast: n}, not: query.Gate{Below: n}}, true
}
