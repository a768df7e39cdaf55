package detachedwork

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/analysis"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/imports"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/syntax"
)

// onceFix puts the close of a field in a sync.Once beside it. It is offered where that certainly compiles and means the same:
// the select does nothing else, the channel is a field of a struct of this package that a pointer holds, whose file imports sync, and no
// literal gives the struct's fields by position.
func (c *checker) onceFix(g guarded) (fix analysis.SuggestedFix, ok bool) {
	ch, isField := ast.Unparen(g.ch).(*ast.SelectorExpr)
	if !g.whole || !isField {
		return fix, false
	}
	owner, isIdent := ast.Unparen(ch.X).(*ast.Ident)
	if !isIdent {
		return fix, false
	}
	ptr, isPtr := types.Unalias(c.TypesInfo.TypeOf(owner)).(*types.Pointer)
	if !isPtr {
		return fix, false
	}
	named, isNamed := types.Unalias(ptr.Elem()).(*types.Named)
	if !isNamed || named.Obj().Pkg() != c.Pkg {
		return fix, false
	}
	name := ch.Sel.Name + "Once"
	if obj, _, _ := types.LookupFieldOrMethod(ptr, true, c.Pkg, name); obj != nil {
		return fix, false
	}
	field, sync := c.declares(named, ch.Sel.Name)
	if field == nil || sync == "" || c.closedElsewhere(g) || c.positional(named) {
		return fix, false
	}
	return analysis.SuggestedFix{
		Message: "Close " + types.ExprString(g.ch) + " in a sync.Once",
		TextEdits: []analysis.TextEdit{
			{Pos: field.End(), End: field.End(), NewText: []byte("\n\t" + name + " " + sync + ".Once")},
			{Pos: g.sel.Pos(), End: g.sel.End(), NewText: []byte(owner.Name + "." + name + ".Do(func() { close(" + types.ExprString(g.ch) + ") })")},
		},
	}, true
}

// declares finds the field of a struct that has only this name, on a line without a comment behind it, and what its file calls sync.
func (c *checker) declares(named *types.Named, field string) (found *ast.Field, sync string) {
	pos := named.Obj().Pos()
	file := syntax.File(c.Files, pos)
	if file == nil {
		return nil, ""
	}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok || c.TypesInfo.Defs[spec.Name] != named.Obj() {
			return found == nil
		}
		if st, ok := spec.Type.(*ast.StructType); ok {
			for _, fd := range st.Fields.List {
				if len(fd.Names) == 1 && fd.Names[0].Name == field && fd.Tag == nil && fd.Comment == nil {
					found = fd
				}
			}
		}
		return false
	})
	sync, _ = imports.Name(c.Pass.Pass, pos, "sync")
	return found, sync
}

// closedElsewhere reports whether the package closes the same field in another place: one sync.Once would not be enough.
func (c *checker) closedElsewhere(g guarded) bool {
	field := c.Values.Var(g.ch)
	for cur := range c.Root.Preorder((*ast.CallExpr)(nil)) {
		call := cur.Node().(*ast.CallExpr)
		if call == g.close || len(call.Args) != 1 {
			continue
		}
		if id, ok := ast.Unparen(call.Fun).(*ast.Ident); ok && id.Name == "close" && c.Values.Var(call.Args[0]) == field {
			return true
		}
	}
	// A channel that is made anew can be closed again, a sync.Once cannot.
	list, _ := c.Values.Of(field)
	for _, s := range list {
		if s.Lit == nil {
			return true
		}
	}
	return false
}

// positional reports whether a literal of the struct gives its fields by position.
func (c *checker) positional(named *types.Named) bool {
	for cur := range c.Root.Preorder((*ast.CompositeLit)(nil)) {
		lit := cur.Node().(*ast.CompositeLit)
		t := c.TypesInfo.TypeOf(lit)
		if t == nil || len(lit.Elts) == 0 {
			continue
		}
		if p, ok := t.Underlying().(*types.Pointer); ok {
			t = p.Elem()
		}
		if n, ok := types.Unalias(t).(*types.Named); ok && n.Origin() == named.Origin() {
			if _, keyed := lit.Elts[0].(*ast.KeyValueExpr); !keyed {
				return true
			}
		}
	}
	return false
}
