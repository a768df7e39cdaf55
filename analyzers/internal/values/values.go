// Package values tells where the values of variables and fields come from within a package.
package values

import (
	"go/ast"
	"go/token"
	"go/types"
	"reflect"
	"slices"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/inspect"
	"golang.org/x/tools/go/ast/inspector"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/passes"
)

// Source is one expression whose value a variable is given.
type Source struct {
	Expr ast.Expr
	// Index is which of its results when Expr is a call of several; 0 otherwise.
	Index int
	At    token.Pos // of the assignment
	// Lit is the literal that gives it to a field; nil of an assignment.
	Lit *ast.CompositeLit
}

// Result holds the assignments of one package.
type Result struct {
	info    *types.Info
	sources map[*types.Var][]Source
	opaque  map[*types.Var]bool
}

// Of lists what a variable or a field (of any value of its struct) is given in this package. known is false when there may be
// others: of parameters, results, exported fields and package variables, range variables, and of what has its address taken.
func (r *Result) Of(v *types.Var) (list []Source, known bool) { return r.sources[v], !r.opaque[v] }

// Var is the variable or field that an expression names, nil for others.
func (r *Result) Var(e ast.Expr) *types.Var { return variable(r.info, e) }

// Assigned reports whether the package gives one of some fields of a struct type a value by assignment, in any value of the type; true
// of other types.
func (r *Result) Assigned(t types.Type, fields ...string) bool {
	s, ok := t.Underlying().(*types.Struct)
	if !ok {
		return true
	}
	for f := range s.Fields() {
		if slices.Contains(fields, f.Name()) && slices.ContainsFunc(r.sources[f], func(s Source) bool { return s.Lit == nil }) {
			return true
		}
	}
	return false
}

// Resolve follows an expression through variables that are given one value only, as far as that goes: the expression and
// which of its results it is.
func (r *Result) Resolve(e ast.Expr) Source {
	s := Source{Expr: ast.Unparen(e)}
	for range 8 {
		v := r.Var(s.Expr)
		if v == nil {
			break
		}
		list, known := r.Of(v)
		if !known || len(list) != 1 {
			break
		}
		s = list[0]
		s.Expr = ast.Unparen(s.Expr)
	}
	return s
}

// Analyzer collects the assignments. It reports nothing.
var Analyzer = &analysis.Analyzer{
	Name:             "values",
	Doc:              "find what variables and fields are given",
	URL:              "https://git.sr.ht/~sourcehut/ha-go",
	Requires:         []*analysis.Analyzer{inspect.Analyzer},
	ResultType:       reflect.TypeFor[*Result](),
	RunDespiteErrors: true,
	Run:              run,
}

func run(pass *analysis.Pass) (any, error) {
	if passes.Foreign(pass) {
		return &Result{info: pass.TypesInfo}, nil // nobody asks
	}
	r := &Result{info: pass.TypesInfo, sources: map[*types.Var][]Source{}, opaque: map[*types.Var]bool{}}
	root := pass.ResultOf[inspect.Analyzer].(*inspector.Inspector).Root()
	for cur := range root.Preorder((*ast.AssignStmt)(nil), (*ast.ValueSpec)(nil), (*ast.RangeStmt)(nil), (*ast.UnaryExpr)(nil),
		(*ast.IncDecStmt)(nil), (*ast.CompositeLit)(nil), (*ast.FuncType)(nil), (*ast.FuncDecl)(nil)) {
		r.collect(cur.Node())
	}
	for id, obj := range pass.TypesInfo.Defs {
		if v, ok := obj.(*types.Var); ok && id.IsExported() && (v.IsField() || v.Parent() == pass.Pkg.Scope()) {
			r.opaque[v] = true
		}
	}
	return r, nil
}

func (r *Result) collect(n ast.Node) {
	switch n := n.(type) {
	case *ast.AssignStmt:
		if n.Tok != token.ASSIGN && n.Tok != token.DEFINE {
			r.lose(n.Lhs[0])
			return
		}
		r.assign(n.Lhs, n.Rhs, n.Pos())
	case *ast.ValueSpec:
		lhs := make([]ast.Expr, len(n.Names))
		for i, name := range n.Names {
			lhs[i] = name
		}
		if len(n.Values) > 0 {
			r.assign(lhs, n.Values, n.Pos())
		}
	case *ast.RangeStmt:
		r.lose(n.Key)
		r.lose(n.Value)
	case *ast.IncDecStmt:
		r.lose(n.X)
	case *ast.UnaryExpr:
		if n.Op == token.AND {
			r.lose(n.X)
		}
	case *ast.FuncDecl:
		r.params(n.Recv)
	case *ast.FuncType:
		r.params(n.Params)
		r.params(n.Results)
	case *ast.CompositeLit:
		r.literal(n)
	}
}

func (r *Result) params(list *ast.FieldList) {
	if list == nil {
		return
	}
	for _, field := range list.List {
		for _, name := range field.Names {
			r.lose(name)
		}
	}
}

func (r *Result) lose(e ast.Expr) {
	if e == nil {
		return
	}
	if v := r.Var(e); v != nil {
		r.opaque[v] = true
	}
}

func (r *Result) assign(lhs, rhs []ast.Expr, at token.Pos) {
	for i, l := range lhs {
		v := r.Var(l)
		switch {
		case v == nil:
		case len(rhs) == len(lhs):
			r.sources[v] = append(r.sources[v], Source{Expr: rhs[i], At: at})
		case len(rhs) == 1:
			r.sources[v] = append(r.sources[v], Source{Expr: rhs[0], Index: i, At: at})
		}
	}
}

// literal collects the fields of a struct literal.
func (r *Result) literal(lit *ast.CompositeLit) {
	t := r.info.TypeOf(lit)
	if t == nil {
		return
	}
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	s, ok := t.Underlying().(*types.Struct)
	if !ok {
		return
	}
	for i, e := range lit.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			if key, ok := kv.Key.(*ast.Ident); ok {
				if v, ok := r.info.Uses[key].(*types.Var); ok {
					r.sources[v] = append(r.sources[v], Source{Expr: kv.Value, At: kv.Pos(), Lit: lit})
				}
			}
		} else if i < s.NumFields() {
			r.sources[s.Field(i)] = append(r.sources[s.Field(i)], Source{Expr: e, At: e.Pos(), Lit: lit})
		}
	}
}

func variable(info *types.Info, e ast.Expr) *types.Var {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		if v, ok := info.ObjectOf(e).(*types.Var); ok {
			return v
		}
	case *ast.SelectorExpr:
		if v, ok := info.ObjectOf(e.Sel).(*types.Var); ok {
			return v
		}
	}
	return nil
}
