package alembic

import (
	"strings"
)

func (x *interp) evalArgs(n *node) args {
	a := args{n: n, kw: map[string]value{}}
	list := n.child("arguments")
	if list == nil {
		return a
	}
	if list.kind != "argument_list" { // f(x for x in y)
		a.pos = append(a.pos, x.eval(list))
		return a
	}
	for _, k := range list.kids {
		switch k.kind {
		case "keyword_argument":
			if name, v := k.child("name"), k.child("value"); name != nil && v != nil {
				a.kw[x.mod.src(name)] = x.eval(v)
			}
		case "list_splat":
			if len(k.kids) != 1 {
				continue
			}
			items, w := iterate(x.eval(k.kids[0]))
			if w != "" {
				a.why = w
				continue
			}
			a.pos = append(a.pos, items...)
		case "dictionary_splat":
			if len(k.kids) != 1 {
				continue
			}
			v := x.eval(k.kids[0])
			d, ok := v.(*dict)
			if !ok || d.why != "" {
				a.why = orWhy(v, "arguments that are not known")
				continue
			}
			for i, key := range d.keys {
				if s, ok := key.(text); ok {
					a.kw[s.s] = d.vals[i]
				}
			}
		default:
			a.pos = append(a.pos, x.eval(k))
		}
	}
	return a
}

func (x *interp) evalCall(n *node) value {
	f := n.child("function")
	if f == nil {
		return unknown{why: "a call that is not understood"}
	}
	callee := x.eval(f)
	return x.call(callee, x.evalArgs(n))
}

// call calls a value. A call whose effect is not known leaves a doubt on the statement.
func (x *interp) call(callee value, a args) value {
	switch c := callee.(type) {
	case *function:
		return x.callFunction(c, a)
	case *class:
		return x.instantiate(c, a)
	case method:
		return x.callMethod(c, a)
	case ext:
		return x.callExt(c.path, a)
	case unknown:
		if c.refused {
			x.gap(a.n, c.why, true)
			return unknown{why: c.why}
		}
		return x.strange(c.path, c.why, a)
	case *typeV:
		return c // sa.Integer()() and the like do not occur; a TypeDecorator's instance does
	case sessionFactory:
		return &conn{session: true}
	case *conn: // a scoped_session is called for the session itself
		return c
	case *migrationContext:
		return c
	case partial:
		all := args{n: a.n, pos: append(append([]value{}, c.args.pos[1:]...), a.pos...), kw: map[string]value{}, why: orText(a.why, c.args.why)}
		for _, from := range []map[string]value{c.args.kw, a.kw} {
			for k, v := range from {
				all.kw[k] = v
			}
		}
		return x.call(c.args.pos[0], all)
	}
	return x.strange("", orWhy(callee, "a value that is not known"), a)
}

// strange is a call of code outside the file: its result is unknown, so are the lists it was given, and unless it is
// known to be harmless it may have done anything.
func (x *interp) strange(path, reason string, a args) value {
	for _, v := range a.pos {
		taintValue(v, "a list that was given to code outside the file")
	}
	for _, v := range a.kw {
		taintValue(v, "a list that was given to code outside the file")
	}
	name := path
	if name == "" {
		name = shorten(strings.TrimSuffix(x.mod.src(a.n), x.mod.src(orNode(a.n.child("arguments"), a.n))))
	}
	if !isHarmlessExt(path) {
		w := "a call of " + name + ", which is not in this file"
		if path == "" && reason != "" {
			w = "a call of " + name + ", which is " + reason
		}
		if strings.HasPrefix(reason, "a query") || strings.HasPrefix(reason, "an ORM") {
			w = reason
			if i := strings.LastIndexByte(path, '.'); i >= 0 {
				w += ", its " + path[i+1:] + "() changes rows, by SQL that cannot be known"
			}
		}
		x.doubted(w)
		return unknown{why: resultOf(reason, name), path: joinPath(path)}
	}
	return unknown{why: resultOf(reason, name), path: joinPath(path)}
}

// isFunctionName reports whether a built-in is one that may run or change something.
func isFunctionName(name string) bool {
	switch name {
	case "exec", "eval", "__import__", "open", "map", "filter", "getattr", "setattr", "globals", "locals", "vars", "exit", "quit",
		"next", "iter", "input", "super", "type":
		return true
	}
	return strings.Contains(name, "(")
}

func joinPath(path string) string {
	if path == "" || strings.HasPrefix(path, "builtins.") {
		return ""
	}
	return path + "()"
}

func resultOf(reason, name string) string {
	if strings.HasPrefix(reason, "a query") || strings.HasPrefix(reason, "an ORM") {
		return reason
	}
	return "the result of " + name + "()"
}

func orNode(n, other *node) *node {
	if n != nil {
		return n
	}
	return other
}

// isHarmlessExt reports whether code outside the file is known not to touch the database.
func isHarmlessExt(path string) bool {
	first, rest, _ := strings.Cut(path, ".")
	switch strings.TrimSuffix(first, "()") {
	case "result", "dialect":
		return true
	case "ormquery", "orm":
		for _, w := range strings.Split(rest, ".") {
			if w == "update" || w == "delete" {
				return false
			}
		}
		return true
	case "sqlalchemy":
		for _, w := range []string{"create_all", "drop_all", "execute", "engine", "connect", ".create", ".drop"} {
			if strings.Contains(path, w) {
				return false
			}
		}
		return true
	case "logging", "datetime", "time", "os", "re", "math", "json", "uuid", "collections", "itertools", "functools",
		"string", "decimal", "hashlib", "secrets", "random", "warnings", "typing", "enum", "sys", "textwrap", "pathlib",
		"logger", "loguru", "structlog", "builtins", "inspect", "copy", "operator", "dataclasses", "types", "base64",
		"binascii", "tqdm":
		switch strings.TrimSuffix(path, "()") {
		case "os.system", "os.popen", "os.abort", "os._exit", "sys.exit", "operator.methodcaller", "operator.attrgetter":
			return false
		}
		if first == "builtins" {
			return isHarmlessName(rest) || !isFunctionName(rest)
		}
		return !strings.HasPrefix(path, "os.exec") && !strings.HasPrefix(path, "os.spawn")
	}
	return false
}

func (x *interp) callFunction(f *function, a args) value {
	if x.depth >= maxCalls {
		x.doubted("functions that call each other without an end in sight")
		return unknown{why: "functions that call each other without an end in sight"}
	}
	body := f.def.child("body")
	if body == nil {
		return none{}
	}
	scope := newEnv(f.env)
	if w := x.bind(f, scope, a); w != "" {
		x.doubted(w)
		return unknown{why: w}
	}
	if hasYield(body) {
		x.doubted("a call of the generator " + f.name)
		return unknown{why: "a generator"}
	}
	inner := &interp{state: x.state, mod: f.mod, env: scope}
	x.depth++
	defer func() { x.depth-- }()
	if f.def.kind == "lambda" {
		return inner.eval(body)
	}
	inner.block(body)
	if inner.returned == nil {
		return none{}
	}
	return inner.returned
}

func hasYield(body *node) bool {
	found := false
	walk(body, func(k *node) bool {
		if k.kind == "yield" {
			found = true
		}
		return !found && k.kind != "function_definition" && k.kind != "lambda"
	})
	return found
}

// bind gives a function's parameters their values.
func (x *interp) bind(f *function, scope *env, a args) string {
	params := f.def.child("parameters")
	next := 0
	taken := map[string]bool{}
	defaults := &interp{state: x.state, mod: f.mod, env: f.env}
	if params == nil {
		return ""
	}
	keywordOnly := false
	for _, p := range params.kids {
		var name string
		var def *node
		switch p.kind {
		case "identifier":
			name = f.mod.src(p)
		case "default_parameter", "typed_default_parameter":
			name, def = f.mod.src(orNode(p.child("name"), p)), p.child("value")
		case "typed_parameter":
			if len(p.kids) == 0 {
				return "a function whose parameters are not understood"
			}
			k := p.kids[0]
			switch k.kind {
			case "identifier":
				name = f.mod.src(k)
			case "list_splat_pattern", "dictionary_splat_pattern":
				p = k
			}
		case "keyword_separator":
			keywordOnly = true
			continue
		case "positional_separator":
			continue
		}
		switch p.kind {
		case "list_splat_pattern":
			rest := &list{tuple: true, why: a.why}
			if next < len(a.pos) {
				rest.items = append(rest.items, a.pos[next:]...)
				next = len(a.pos)
			}
			if len(p.kids) == 1 {
				scope.vars[f.mod.src(p.kids[0])] = rest
			}
			keywordOnly = true
			continue
		case "dictionary_splat_pattern":
			rest := &dict{why: a.why}
			for _, k := range sortedKeys(a.kw) {
				if !taken[k] {
					rest.set(plain(k), a.kw[k])
				}
			}
			if len(p.kids) == 1 {
				scope.vars[f.mod.src(p.kids[0])] = rest
			}
			continue
		}
		if name == "" {
			return "a function whose parameters are not understood"
		}
		taken[name] = true
		switch v, ok := a.kw[name]; {
		case ok:
			scope.vars[name] = v
		case !keywordOnly && next < len(a.pos):
			scope.vars[name] = a.pos[next]
			next++
		case a.why != "":
			scope.vars[name] = unknown{why: a.why}
		case def != nil:
			scope.vars[name] = defaults.eval(def)
		default:
			return "a call of " + f.name + " without its argument " + name
		}
	}
	return ""
}

// define binds a def or class statement.
func (x *interp) define(n *node) {
	decorated := false
	d := n
	if n.kind == "decorated_definition" {
		if d = n.child("definition"); d == nil {
			return
		}
		for _, k := range n.kids {
			if k.kind == "decorator" && !strings.Contains(x.mod.src(k), "wraps") {
				decorated = true
			}
		}
	}
	name := d.child("name")
	if name == nil {
		return
	}
	id := x.mod.src(name)
	if d.kind == "class_definition" {
		x.env.set(id, x.defineClass(id, d))
		return
	}
	f := &function{name: id, def: d, env: x.env, mod: x.mod}
	if decorated && id != "upgrade" && id != "downgrade" {
		x.env.set(id, unknown{why: "a decorated function"})
		return
	}
	if strings.HasPrefix(x.mod.src(d), "async") {
		x.env.set(id, unknown{why: "an asynchronous function"})
		return
	}
	x.env.set(id, f)
}

func (x *interp) defineClass(name string, n *node) value {
	c := &class{name: name, env: newEnv(x.env)}
	if s := n.child("superclasses"); s != nil {
		for _, k := range s.kids {
			if k.kind != "keyword_argument" {
				c.bases = append(c.bases, x.eval(k))
			}
		}
	}
	body := n.child("body")
	if body == nil {
		return c
	}
	// A class body runs like a function's, but nothing in it touches the database.
	inner := x.quietly()
	inner.env = c.env
	inner.block(body)
	c.order(x.mod, body)
	return c
}

// order remembers in which order an enum's members are written.
func (c *class) order(m *module, body *node) {
	l := &list{}
	for _, st := range body.kids {
		if st.kind != "expression_statement" || len(st.kids) != 1 || st.kids[0].kind != "assignment" {
			continue
		}
		left := st.kids[0].child("left")
		if left == nil || left.kind != "identifier" || strings.HasPrefix(m.src(left), "_") || st.kids[0].child("right") == nil {
			continue
		}
		name := m.src(left)
		l.items = append(l.items, text{name, []span{{0, left.start, true, m}}})
	}
	c.env.vars["\x00order"] = l
}

// members lists an enum's members.
func (c *class) members() []value {
	l, _ := c.env.vars["\x00order"].(*list)
	if l == nil {
		return nil
	}
	out := make([]value, 0, len(l.items))
	for _, it := range l.items {
		name := it.(text)
		out = append(out, &member{class: c, name: name, value: c.env.vars[name.s]})
	}
	return out
}

func (x *interp) classAttribute(c *class, name string) value {
	v, ok := c.env.vars[name]
	if c.isEnum() {
		for _, m := range c.members() {
			if m.(*member).name.s == name {
				return m
			}
		}
	}
	if ok {
		return v
	}
	switch name {
	case "query":
		return ormQuery()
	case "__name__", "__qualname__":
		return plain(c.name)
	}
	for _, b := range c.bases {
		if b, ok := b.(*class); ok {
			return x.classAttribute(b, name)
		}
	}
	return unknown{why: "an ORM class's attribute", path: "orm"}
}

// instantiate calls a class of the file.
func (x *interp) instantiate(c *class, a args) value {
	if c.isEnum() {
		if v, ok := a.get(0, "value"); ok {
			for _, m := range c.members() {
				if eq, known := equal(m.(*member).value, v); known && eq {
					return m
				}
			}
		}
		return unknown{why: "an enum's member that is not known"}
	}
	for _, b := range c.bases {
		e, ok := b.(ext)
		if !ok {
			continue
		}
		switch canonical(e.path) {
		case "sa.TypeDecorator":
			return x.decorated(c, a)
		case "sa.UserDefinedType":
			return &typeV{name: "user:" + c.name, args: a, spec: x.userSpec(c, a)}
		}
	}
	return &row{class: c}
}

// decorated is the type that a TypeDecorator of the file stands for on PostgreSQL: what its load_dialect_impl returns, else
// its impl with the decorator's arguments.
func (x *interp) decorated(c *class, a args) value {
	if f, ok := c.env.vars["load_dialect_impl"].(*function); ok {
		v := x.quietly().callFunction(f, args{n: a.n, pos: []value{unknown{why: "self"}, dialect{}}, kw: map[string]value{}})
		if t := x.asType(v); t != nil {
			return t
		}
		return unknown{why: "a type whose load_dialect_impl is not understood"}
	}
	t := x.asType(c.env.vars["impl"])
	if _, own := c.env.vars["__init__"]; own || t == nil {
		return unknown{why: "a type decorator that is not understood"}
	}
	if len(t.args.pos) == 0 && len(t.args.kw) == 0 {
		return &typeV{name: t.name, args: a}
	}
	return t
}

// quietly is x for code that cannot touch the database.
func (x *interp) quietly() *interp {
	quiet := *x.state
	quiet.script, quiet.quiet = nil, true
	return &interp{state: &quiet, mod: x.mod, env: x.env}
}

// userSpec is what a UserDefinedType's get_col_spec returns.
func (x *interp) userSpec(c *class, a args) value {
	f, ok := c.env.vars["get_col_spec"].(*function)
	if !ok {
		return unknown{why: "a type whose name is not known"}
	}
	return x.quietly().callFunction(f, args{n: a.n, pos: []value{unknown{why: "self"}}, kw: map[string]value{}})
}

// row is an instance of a class of the file, as a rule a declarative model.
type row struct{ class *class }

// imports binds the names of an import statement.
func (x *interp) imports(n *node) {
	prefix := ""
	if n.kind == "import_from_statement" {
		m := n.child("module_name")
		if m == nil {
			return
		}
		prefix = strings.TrimLeft(x.mod.src(m), ".")
		if prefix != "" {
			prefix += "."
		}
	}
	for _, k := range n.kids {
		if k.kind == "wildcard_import" {
			x.mod.stars = true
			if prefix == "sqlalchemy." || prefix == "alembic.op." {
				continue
			}
		}
		if k.field != "name" {
			continue
		}
		name, as := k, ""
		if k.kind == "aliased_import" {
			name = orNode(k.child("name"), k)
			if alias := k.child("alias"); alias != nil {
				as = x.mod.src(alias)
			}
		}
		path := prefix + x.mod.src(name)
		switch {
		case as != "":
			x.env.set(as, x.external(path))
		case prefix == "":
			first, _, _ := strings.Cut(path, ".")
			x.env.set(first, x.external(first))
		default:
			x.env.set(path[len(prefix):], x.external(path))
		}
	}
}

// external is an imported name: a file of this history, or code from elsewhere.
func (x *interp) external(path string) value {
	if s := x.h.sibling(x.mod, path); s != nil {
		return s
	}
	return ext{path}
}
