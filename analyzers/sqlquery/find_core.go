package sqlquery

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// callCore is package database of SourceHut's core-go: Select takes the columns from a model, whose method Fields returns
// them. At run time only the fields that a GraphQL query asks for are selected; any of them may be, so all are shown
// (core-go 942e19c3517b, database/ql.go and model.go).
func (m *machine) callCore(name string, e *ast.CallExpr, st *state) (value, bool) {
	switch name {
	case "Select", "SelectAll":
		args, open := m.args(e, st)
		b := &builder{verb: "select"}
		first := 1
		if name == "SelectAll" {
			first = 0
		}
		for _, a := range args[min(first, len(args)):] {
			if mod := m.modelOf(a, e, st); mod != nil {
				b = b.with(&op{name: "Columns", args: mod.selected(m), pos: a.expr.Pos()})
				continue
			}
			o := &op{name: "Columns", args: []arg{a}, pos: a.expr.Pos()}
			if l, ok := a.v.(*list); ok {
				o.args, o.open = l.elems, l.open != ""
			}
			b = b.with(o)
		}
		if open {
			b = b.with(&op{name: "Columns", open: true, pos: e.Pos()})
		}
		return b, true
	case "Columns":
		args, _ := m.args(e, st)
		if len(args) == 2 {
			if mod := m.modelOf(args[1], e, st); mod != nil {
				return &list{elems: mod.selected(m)}, true
			}
		}
		return &list{open: "the columns of a model that is not known"}, true
	case "Scan", "ScanAll":
		args, _ := m.args(e, st)
		if len(args) > 0 {
			if mod := m.modelOf(args[len(args)-1], e, st); mod != nil {
				return &destinations{mod}, true
			}
		}
		return &list{open: "the fields of a model that is not known"}, true
	case "WithAlias":
		args, _ := m.args(e, st)
		if len(args) == 2 {
			return m.withAlias(args[0].v, args[1].v, e.Pos(), args[1].expr), true
		}
	}
	return nil, false
}

// withAlias is a column with the alias of its table.
func (m *machine) withAlias(alias, col value, pos token.Pos, at ast.Expr) value {
	if at != nil {
		pos = at.Pos()
	}
	if c, ok := alias.(*choice); ok {
		alts := make([]value, len(c.alts))
		for i, a := range c.alts {
			alts[i] = m.withAlias(a, col, pos, at)
		}
		return &choice{c.event, alts}
	}
	quoted := func(v value) *text {
		if s, ok := literal(v); ok {
			return known(pgast.QuoteIdent(s), pos, false)
		}
		return textOf(v)
	}
	c := quoted(col)
	if s, ok := literal(alias); ok && s == "" {
		return c
	}
	return concat(concat(quoted(alias), known(".", token.NoPos, false)), c)
}

// modelOf is the model that a value is, by the type's method Fields; nil when it has none.
func (m *machine) modelOf(a arg, e *ast.CallExpr, st *state) *model {
	t := a.typ
	if o, ok := a.v.(*object); ok && o.typ != nil {
		t = o.typ
	}
	if u, ok := a.v.(*unknown); ok && u.typ != nil {
		t = u.typ
	}
	info := m.method(t, "Fields")
	if info == nil {
		return m.factModel(t, a, st)
	}
	mod := m.models[info.obj.Type()]
	if mod == nil {
		mod = &model{typ: receiver(info.obj), columns: m.mapped(info)}
		m.models[info.obj.Type()] = mod
	}
	if len(mod.columns) == 0 {
		return nil
	}
	full := *mod
	full.alias = m.ask(t, "Alias", a, e, st)
	full.table = m.ask(t, "Table", a, e, st)
	return &full
}

// method finds a method with a body.
func (m *machine) method(t types.Type, name string) *funcInfo {
	if t == nil {
		return nil
	}
	obj, _, _ := types.LookupFieldOrMethod(t, true, nil, name)
	fn, ok := obj.(*types.Func)
	if !ok {
		return nil
	}
	return m.funcs[fn.Origin()]
}

// ask calls a method without arguments.
func (m *machine) ask(t types.Type, name string, a arg, e *ast.CallExpr, st *state) value {
	info := m.method(t, name)
	if info == nil {
		return &unknown{}
	}
	return m.callDeclared(info.obj, &a, nil, false, e, st.clone())
}

// mapped reads the FieldMap literals in a Fields method.
func (m *machine) mapped(info *funcInfo) []column {
	var list []column
	seen := map[string]bool{}
	m.stack = append(m.stack, &frame{pkg: info.pkg, info: info})
	defer func() { m.stack = m.stack[:len(m.stack)-1] }()
	ast.Inspect(info.decl.Body, func(n ast.Node) bool {
		lit, ok := n.(*ast.CompositeLit)
		if !ok {
			return true
		}
		c := column{pkg: info.pkg}
		for i, x := range lit.Elts {
			name, val := "", x
			if kv, ok := x.(*ast.KeyValueExpr); ok {
				if key, ok := kv.Key.(*ast.Ident); ok {
					name, val = key.Name, kv.Value
				}
			} else if len(lit.Elts) == len(fieldMap) { // by position
				name = fieldMap[i]
			}
			switch name {
			case "SQL":
				if s, ok := literal(m.eval(val, newState())); ok {
					c.name, c.pos = s, val.Pos()
					if b, ok := ast.Unparen(val).(*ast.BasicLit); ok && b.Kind == token.STRING {
						c.pos++
					}
				}
			case "GQL":
				c.gql, _ = literal(m.eval(val, newState()))
			case "Ptr":
				c.expr = val
				c.typ = info.pkg.info.TypeOf(val)
			}
		}
		if c.name != "" && !seen[c.name] {
			seen[c.name] = true
			list = append(list, c)
		}
		return true
	})
	return list
}

// fieldMap are the fields of core-go's FieldMap.
var fieldMap = [...]string{"SQL", "GQL", "Ptr"}

// selected are the columns as database.Columns writes them.
func (mod *model) selected(m *machine) []arg {
	var list []arg
	for _, c := range mod.columns {
		var v value
		if strings.Contains(c.name, ".") {
			v = known(c.name, c.pos, true)
		} else {
			alias := mod.alias
			if s, ok := literal(alias); ok && s == "" && c.gql == "" {
				alias = mod.table
			}
			if _, ok := alias.(*unknown); ok {
				alias = zeroText
			}
			v = m.aliased(alias, c)
		}
		list = append(list, arg{v: v})
	}
	return list
}

func (m *machine) aliased(alias value, c column) value {
	t, ok := m.withAlias(alias, known(c.name, c.pos, false), c.pos, nil).(*text)
	if !ok {
		return m.withAlias(alias, known(c.name, c.pos, false), c.pos, nil)
	}
	out := &text{append([]part{}, t.parts...)}
	for i := range out.parts {
		out.parts[i].pos, out.parts[i].at = c.pos, c.at
	}
	return out
}
