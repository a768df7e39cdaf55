package sqlquery

import (
	"go/ast"
	"go/constant"
	"go/types"
	"slices"
)

// switchLabels are the strings that code tells apart in a variable, or a field, that a result is scanned into: the cases of the
// switches on that very variable, in the package of the scan. nil when there are none, or fewer than two cases. A switch
// with a default that goes on takes any string, and says nothing.
func (m *machine) switchLabels(d arg) []string {
	obj := types.Object(nil)
	if d.field != nil {
		obj = d.field
	} else if u, ok := d.expr.(*ast.UnaryExpr); ok && d.pkg != nil && d.pkg.info != nil {
		obj = variable(u.X, d.pkg)
	}
	if obj == nil || d.pkg == nil || d.pkg.info == nil || !types.Identical(obj.Type(), types.Typ[types.String]) {
		return nil
	}
	if m.switches == nil {
		m.switches = map[*pkg]map[types.Object][]string{}
	}
	if m.switches[d.pkg] == nil {
		m.switches[d.pkg] = switchesOf(d.pkg)
	}
	return m.switches[d.pkg][obj]
}

// variable is the variable or field that an expression names.
func variable(e ast.Expr, k *pkg) types.Object {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		if v, ok := k.info.Uses[e].(*types.Var); ok {
			return v
		}
	case *ast.SelectorExpr:
		if v, ok := k.info.Uses[e.Sel].(*types.Var); ok {
			return v
		}
	}
	return nil
}

func switchesOf(k *pkg) map[types.Object][]string {
	found := map[types.Object][]string{}
	for _, f := range k.files {
		ast.Inspect(f, func(n ast.Node) bool {
			s, ok := n.(*ast.SwitchStmt)
			if !ok || s.Tag == nil {
				return true
			}
			obj := variable(s.Tag, k)
			if labels := casesOf(s, k); obj != nil && len(labels) > 1 {
				found[obj] = append(found[obj], labels...)
			}
			return true
		})
	}
	for obj, labels := range found {
		slices.Sort(labels)
		found[obj] = slices.Compact(labels)
	}
	return found
}

// casesOf lists the constants of a switch, nil when it is not of strings or takes any other.
func casesOf(s *ast.SwitchStmt, k *pkg) []string {
	var labels []string
	for _, c := range s.Body.List {
		clause := c.(*ast.CaseClause) // the grammar has nothing else there
		if clause.List == nil && !k.givesUp(clause.Body) {
			return nil
		}
		for _, e := range clause.List {
			v := k.info.Types[e].Value
			if v == nil || v.Kind() != constant.String {
				return nil
			}
			labels = append(labels, constant.StringVal(v))
		}
	}
	return labels
}

// givesUp reports whether statements end in a panic or with an error.
func (k *pkg) givesUp(body []ast.Stmt) bool {
	if len(body) == 0 {
		return false
	}
	switch last := body[len(body)-1].(type) {
	case *ast.ExprStmt:
		call, ok := last.X.(*ast.CallExpr)
		if !ok {
			return false
		}
		if id, ok := call.Fun.(*ast.Ident); ok {
			_, builtin := k.info.Uses[id].(*types.Builtin)
			return builtin && id.Name == "panic"
		}
		importPath, name := typeExpr(call.Fun, k)
		return importPath == "log" && (name == "Fatal" || name == "Fatalf" || name == "Fatalln" || name == "Panic" || name == "Panicf")
	case *ast.ReturnStmt:
		if len(last.Results) == 0 {
			return false
		}
		result := last.Results[len(last.Results)-1]
		if call, ok := result.(*ast.CallExpr); ok {
			if importPath, name := typeExpr(call.Fun, k); importPath == "fmt" && name == "Errorf" || importPath == "errors" && name == "New" {
				return true // whether or not the package has been read
			}
		}
		t := k.info.Types[result]
		return t.Type != nil && !t.IsNil() && types.Implements(t.Type, types.Universe.Lookup("error").Type().Underlying().(*types.Interface))
	}
	return false
}
