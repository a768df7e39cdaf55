package sqlquery

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
)

// builder is a chain of squirrel's calls. What it means is in render_squirrel.go.
type builder struct {
	verb string // select, insert, update, delete, case; "" when only a parameter could tell
	base value  // what it continues, when that is not known: an *unknown
	ops  []*op  // never changed in place
}

// op is one call of a chain.
type op struct {
	name     string
	args     []arg
	open     bool // the last argument was a slice with elements that are not known
	pos      token.Pos
	optional bool
	of       *op // the op this is an optional copy of
}

func (b *builder) with(o *op) *builder {
	return &builder{b.verb, b.base, append(b.ops[:len(b.ops):len(b.ops)], o)}
}

func (o *op) same() *op {
	if o.of != nil {
		return o.of
	}
	return o
}

// additive are the calls whose effects add up: what only some ways through the code call becomes optional.
var additive = map[string]bool{"Where": true, "Having": true, "Join": true, "LeftJoin": true, "RightJoin": true, "InnerJoin": true,
	"CrossJoin": true, "JoinClause": true, "OrderBy": true, "OrderByClause": true, "Limit": true, "Offset": true, "Set": true, "SetMap": true,
	"PlaceholderFormat": true, "RunWith": true, "Distinct": true, "Options": true, "RemoveLimit": true, "RemoveOffset": true,
	"InnerJoinClause": true, "When": true}

// joinBuilders is the builder that several ways through the code leave in a variable: what they have in common, and each
// additive call of one way as an optional one. It is nil when they differ in more.
func joinBuilders(vals []value) value {
	var list []*builder
	for _, v := range vals {
		switch v := v.(type) {
		case *builder:
			list = append(list, v)
		default:
			return nil
		}
	}
	first := list[0]
	common := len(first.ops)
	for _, b := range list[1:] {
		if b.verb != first.verb || b.base != first.base {
			return nil
		}
		n := 0
		for n < common && n < len(b.ops) && b.ops[n] == first.ops[n] {
			n++
		}
		common = n
	}
	joined := &builder{first.verb, first.base, first.ops[:common:common]}
	seen := map[*op]bool{}
	everywhere := map[*op]int{}
	for _, b := range list {
		for _, o := range b.ops[common:] {
			everywhere[o.same()]++
		}
	}
	for _, b := range list {
		for _, o := range b.ops[common:] {
			if !additive[o.name] {
				return nil
			}
			if seen[o.same()] {
				continue
			}
			seen[o.same()] = true
			if everywhere[o.same()] < len(list) || o.optional {
				c := *o
				c.optional, c.of = true, o.same()
				o = &c
			}
			joined.ops = append(joined.ops, o)
		}
	}
	return joined
}

// isSquirrel reports whether an import path is squirrel or a fork of it: by its name, by what it declares, or, when it is
// not here, by what the code takes from it.
func (m *machine) isSquirrel(importPath string) bool {
	is, ok := m.shapes[importPath]
	if !ok {
		is = m.p.squirrelLike(importPath)
		m.shapes[importPath] = is
	}
	return is
}

func (p *program) squirrelLike(importPath string) bool {
	if strings.Contains(importPath, "squirrel") {
		return true
	}
	if k := p.known[importPath]; k != nil && k.Scope().Lookup("Sqlizer") != nil && k.Scope().Lookup("SelectBuilder") != nil && k.Scope().Lookup("InsertBuilder") != nil {
		return true
	}
	u := p.uses[importPath]
	if u == nil || p.packages[importPath] != nil {
		return false
	}
	builders, pieces := false, false
	for _, n := range []string{"Select", "Insert", "Update", "Delete", "StatementBuilder", "SelectBuilder", "InsertBuilder", "UpdateBuilder", "DeleteBuilder"} {
		builders = builders || u.names[n]
	}
	for _, n := range []string{"Eq", "Expr", "Dollar", "Sqlizer", "And", "Or", "SelectBuilder", "InsertBuilder", "UpdateBuilder", "DeleteBuilder"} {
		pieces = pieces || u.names[n]
	}
	return builders && pieces
}

// builderType is the verb of a builder's type; "any" of one that could make every statement, "" of any other type.
func (m *machine) builderType(t types.Type, expr ast.Expr, k *pkg) string {
	importPath, name := namedType(t)
	if importPath == "" && expr != nil && k != nil {
		importPath, name = typeExpr(expr, k)
	}
	verb, ok := builderTypes[name]
	if !ok || !m.isSquirrel(importPath) {
		return ""
	}
	return verb
}

var builderTypes = map[string]string{"SelectBuilder": "select", "InsertBuilder": "insert", "UpdateBuilder": "update", "DeleteBuilder": "delete",
	"CaseBuilder": "case", "StatementBuilderType": "any"}

// namedType is the package and the name of a type, pointers taken off.
func namedType(t types.Type) (importPath, name string) {
	if t == nil {
		return "", ""
	}
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		t = p.Elem()
	}
	if n, ok := types.Unalias(t).(*types.Named); ok && n.Obj().Pkg() != nil {
		return n.Obj().Pkg().Path(), n.Obj().Name()
	}
	return "", ""
}

// typeExpr is the same for a type expression that has no type.
func typeExpr(e ast.Expr, k *pkg) (importPath, name string) {
	switch e := e.(type) {
	case *ast.StarExpr:
		return typeExpr(e.X, k)
	case *ast.SelectorExpr:
		if x, ok := e.X.(*ast.Ident); ok {
			if p := k.imported(x); p != nil {
				return p.Path(), e.Sel.Name
			}
		}
	}
	return "", ""
}

// squirrelName is the name of a squirrel type in a composite literal, "" of any other.
func (m *machine) squirrelName(e ast.Expr) string {
	if e == nil {
		return ""
	}
	importPath, name := typeExpr(e, m.pkg())
	if importPath != "" && m.isSquirrel(importPath) && sqlizerTypes[name] != "" {
		return sqlizerTypes[name]
	}
	return ""
}

var sqlizerTypes = map[string]string{"Eq": "=", "NotEq": "<>", "Lt": "<", "LtOrEq": "<=", "Gt": ">", "GtOrEq": ">=", "Like": "LIKE",
	"NotLike": "NOT LIKE", "ILike": "ILIKE", "NotILike": "NOT ILIKE", "And": "and", "Or": "or"}

func (m *machine) sqlizerLiteral(kind string, e *ast.CompositeLit, st *state) value {
	s := &sqlizer{kind: kind, pos: e.Pos()}
	if kind != "and" && kind != "or" {
		s.tab = &table{}
	}
	for _, x := range e.Elts {
		if kv, ok := x.(*ast.KeyValueExpr); ok {
			if s.tab != nil {
				s.tab.keys = append(s.tab.keys, m.eval(kv.Key, st))
				s.tab.vals = append(s.tab.vals, m.arg(kv.Value, st))
			}
			continue
		}
		s.args = append(s.args, m.arg(x, st))
	}
	return s
}

// squirrelCall is a call of a function of package squirrel.
func (m *machine) squirrelCall(name string, args []arg, open bool, e *ast.CallExpr, st *state) value {
	pos := e.Pos()
	switch name {
	case "Select":
		return (&builder{verb: "select"}).with(&op{name: "Columns", args: args, open: open, pos: pos})
	case "Insert", "Replace":
		return (&builder{verb: "insert"}).with(&op{name: "Into", args: args, pos: pos})
	case "Update":
		return (&builder{verb: "update"}).with(&op{name: "Table", args: args, pos: pos})
	case "Delete":
		return (&builder{verb: "delete"}).with(&op{name: "From", args: args, pos: pos})
	case "Case":
		return (&builder{verb: "case"}).with(&op{name: "what", args: args, pos: pos})
	case "Expr":
		return &sqlizer{kind: "expr", args: args, pos: pos}
	case "ConcatExpr":
		return &sqlizer{kind: "concat", args: args, pos: pos}
	case "Alias":
		return &sqlizer{kind: "alias", args: args, pos: pos}
	case "ExecWith", "ExecContextWith", "QueryWith", "QueryContextWith", "QueryRowWith", "QueryRowContextWith":
		i := 1
		if strings.Contains(name, "Context") {
			i = 2
		}
		if i < len(args) {
			var h *handle
			h, _ = args[i-1].v.(*handle)
			return m.send(m.observation(e, args[i].v, query.Builder, h, st), strings.HasPrefix(name, "Exec"))
		}
	}
	m.giveAway(args, e, st)
	return m.opaqueResult(e)
}

// builderMethod is a call of a method of a builder.
func (m *machine) builderMethod(b *builder, name string, args []arg, open bool, e *ast.CallExpr, st *state) value {
	pos := e.Pos()
	if s, ok := e.Fun.(*ast.SelectorExpr); ok {
		pos = s.Sel.Pos()
	}
	switch name {
	case "Exec", "ExecContext", "Query", "QueryContext", "QueryRow", "QueryRowContext", "Scan", "ScanContext", "QueryRows":
		o := m.observation(e, b, query.Builder, b.runner(), st)
		v := m.send(o, strings.HasPrefix(name, "Exec"))
		if strings.HasPrefix(name, "Scan") {
			dests := args
			if name == "ScanContext" && len(dests) > 0 {
				dests = dests[1:]
			}
			m.scan(v, dests, open, st)
			return &unknown{}
		}
		return v
	case "ToSql", "MustSql":
		return &tuple{[]value{&text{[]part{{builder: b, pos: pos}}}, &list{open: "the arguments of a builder"}, &null{}}}
	}
	if b.verb == "any" || b.verb == "" && b.base == nil && len(b.ops) == countSettings(b) {
		switch name {
		case "Select", "Insert", "Replace", "Update", "Delete":
			made, ok := m.squirrelCall(name, args, open, e, st).(*builder)
			if ok {
				for _, o := range b.ops {
					made = made.with(o)
				}
				return made
			}
		}
	}
	return b.with(&op{name: name, args: args, open: open, pos: pos})
}

func countSettings(b *builder) int {
	n := 0
	for _, o := range b.ops {
		if o.name == "PlaceholderFormat" || o.name == "RunWith" || o.name == "Where" {
			n++
		}
	}
	return n
}

// runner is what a builder was told to run with, nil when it was not.
func (b *builder) runner() *handle {
	for i := len(b.ops) - 1; i >= 0; i-- {
		if b.ops[i].name == "RunWith" && len(b.ops[i].args) > 0 {
			h, _ := b.ops[i].args[0].v.(*handle)
			return h
		}
	}
	return nil
}

// escape is a builder that goes to code which is not seen: it is sent from there, with what that code adds.
func (m *machine) escape(b *builder, e *ast.CallExpr, st *state) {
	if b.verb == "case" || b.base != nil && len(b.ops) == 0 {
		return
	}
	if !m.mayTakeBuilders(e) {
		return
	}
	o := m.observation(e, b, query.Builder, b.runner(), st)
	o.escaped = true
	m.record(o)
}

// mayTakeBuilders tells code that was not read from functions that were, and did nothing with the builder.
func (m *machine) mayTakeBuilders(e *ast.CallExpr) bool {
	fn := m.calledFunc(e)
	return fn == nil || m.funcs[fn] == nil
}

// calledFunc is the declared function a call calls, nil when it has no type.
func (m *machine) calledFunc(e *ast.CallExpr) *types.Func {
	switch f := ast.Unparen(e.Fun).(type) {
	case *ast.Ident:
		fn, _ := m.pkg().info.Uses[f].(*types.Func)
		if fn != nil {
			return fn.Origin()
		}
	case *ast.SelectorExpr:
		fn, _ := m.pkg().info.Uses[f.Sel].(*types.Func)
		if fn != nil {
			return fn.Origin()
		}
	}
	return nil
}
