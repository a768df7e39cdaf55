package sqlquery

import (
	"fmt"
	"go/ast"
	"go/types"
	"strings"

	"golang.org/x/tools/go/analysis"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
)

// Wrapper is a fact about a function that sends the text it is given, as fmt's printf wrappers print.
type Wrapper struct {
	SQL  int // the index of the parameter that is the text
	Args int // the index of the first that is bound; -1 when none is
	// Rows: it returns the result of the query, so that a Scan may follow.
	Rows bool
}

// AFact makes Wrapper a fact.
func (*Wrapper) AFact() {}

func (w *Wrapper) String() string { return fmt.Sprintf("sends parameter %d", w.SQL) }

// Returns is a fact about a function that returns one constant string: the name of a table, often.
type Returns struct{ Text string }

// AFact makes Returns a fact.
func (*Returns) AFact() {}

func (r *Returns) String() string { return "returns " + r.Text }

// Mapped is a fact about a method Fields of a model: the columns that core-go selects for it.
type Mapped struct{ Columns []MappedColumn }

// MappedColumn is a column of a model.
type MappedColumn struct {
	Name, GQL string
	Pos       query.Position
	Type      query.GoType // of what it is scanned into
}

// AFact makes Mapped a fact.
func (*Mapped) AFact() {}

func (f *Mapped) String() string {
	names := make([]string, len(f.Columns))
	for i, c := range f.Columns {
		names[i] = c.Name
	}
	return "maps " + strings.Join(names, ", ")
}

// exportFacts says of the functions of a package what other packages need.
func (m *machine) exportFacts(pass *analysis.Pass) {
	for _, o := range m.obs {
		u, ok := o.sql.(*unknown)
		if !ok || !u.exact || o.root == nil || o.root.obj == nil || o.root.obj.Pkg() != pass.Pkg {
			continue
		}
		sig := o.root.obj.Type().(*types.Signature)
		for i := range sig.Params().Len() {
			if sig.Params().At(i) != u.param {
				continue
			}
			w := &Wrapper{SQL: i, Args: -1, Rows: carriesQuery(o.root.result)}
			if sig.Variadic() && i+1 < sig.Params().Len() {
				w.Args = i + 1
			}
			pass.ExportObjectFact(o.root.obj, w)
		}
	}
	for _, f := range m.list {
		if f.obj == nil || f.obj.Pkg() != pass.Pkg {
			continue
		}
		sig := f.obj.Type().(*types.Signature)
		if sig.Results().Len() == 1 && sig.Params().Len() == 0 && isTextual(sig.Results().At(0).Type()) && f.size <= maxSize {
			m.run(f)
			if s, ok := literal(f.result); ok {
				pass.ExportObjectFact(f.obj, &Returns{s})
			}
		}
		if f.obj.Name() == "Fields" && sig.Recv() != nil {
			if columns := m.mapped(f); len(columns) > 0 {
				fact := &Mapped{}
				for _, c := range columns {
					fact.Columns = append(fact.Columns, MappedColumn{c.name, c.gql, m.p.position(c.pos), m.destType(arg{typ: c.typ, expr: c.expr, pkg: c.pkg})})
				}
				pass.ExportObjectFact(f.obj, fact)
			}
		}
	}
}

// byFact is a call of a function of another package whose body is not here.
func (m *machine) byFact(fn *types.Func, args []arg, spreads bool, e *ast.CallExpr, st *state) (value, bool) {
	if m.pass == nil {
		return nil, false
	}
	var returns Returns
	if m.pass.ImportObjectFact(fn, &returns) {
		return known(returns.Text, e.Pos(), false), true
	}
	var w Wrapper
	if !m.pass.ImportObjectFact(fn, &w) || w.SQL >= len(args) {
		return nil, false
	}
	var h *handle
	for _, a := range args {
		if x, ok := a.v.(*handle); ok {
			h = x
		}
	}
	o := m.observation(e, args[w.SQL].v, query.Statement, h, st)
	if w.Args >= 0 && w.Args <= len(args) {
		o.args, o.argsKnown = args[w.Args:], !spreads
	}
	return m.pair(m.send(o, !w.Rows), e), true
}

// hasFact reports whether a function of another package has a fact that matters to its callers.
func (m *machine) hasFact(fn *types.Func) bool {
	return m.pass != nil && (m.pass.ImportObjectFact(fn, new(Wrapper)) || m.pass.ImportObjectFact(fn, new(Returns)))
}

// factModel is the model that a type of another package is, nil when it is none.
func (m *machine) factModel(t types.Type, a arg, st *state) *model {
	if m.pass == nil || t == nil {
		return nil
	}
	obj, _, _ := types.LookupFieldOrMethod(t, true, nil, "Fields")
	fn, ok := obj.(*types.Func)
	var fact Mapped
	if !ok || !m.pass.ImportObjectFact(fn, &fact) {
		return nil
	}
	mod := &model{typ: t, alias: zeroText, table: &unknown{}}
	for _, c := range fact.Columns {
		mod.columns = append(mod.columns, column{name: c.Name, gql: c.GQL, at: c.Pos, goType: c.Type})
	}
	if o, ok := a.v.(*object); ok {
		if alias, ok := st.get(field{o, givenAlias}); ok {
			mod.alias = alias
		}
	}
	if obj, _, _ := types.LookupFieldOrMethod(t, true, nil, "Table"); obj != nil {
		var returns Returns
		if fn, ok := obj.(*types.Func); ok && m.pass.ImportObjectFact(fn, &returns) {
			mod.table = known(returns.Text, 0, false)
		}
	}
	return mod
}

// givenAlias is the key of the alias that a model of another package was given by its method As.
const givenAlias = "#alias"

// aliasOf is a call of the method As of a model of another package, which sets its alias and returns it.
func (m *machine) aliasOf(fn *types.Func, base value, e *ast.CallExpr, st *state) (value, bool) {
	if m.pass == nil || fn == nil || fn.Name() != "As" || len(e.Args) != 1 || receiver(fn) == nil {
		return nil, false
	}
	if m.factModel(receiver(fn), arg{}, st) == nil {
		return nil, false
	}
	o, ok := base.(*object)
	if !ok {
		o = &object{typ: receiver(fn)}
	}
	st.set(field{o, givenAlias}, m.eval(e.Args[0], st))
	return o, true
}
