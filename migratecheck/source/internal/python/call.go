package python

import (
	"strings"
)

// EvalArgs evaluates the arguments of the call n.
func (x *Interp) EvalArgs(n *Node) Args {
	a := Args{N: n, Kw: map[string]Value{}}
	list := n.Child("arguments")
	if list == nil {
		return a
	}
	if list.Kind != "argument_list" { // f(x for x in y)
		a.Pos = append(a.Pos, x.Eval(list))
		return a
	}
	for _, k := range list.Kids {
		switch k.Kind {
		case "keyword_argument":
			if name, v := k.Child("name"), k.Child("value"); name != nil && v != nil {
				a.Kw[x.Mod.Src(name)] = x.Eval(v)
			}
		case "list_splat":
			if len(k.Kids) != 1 {
				continue
			}
			items, w := Iterate(x.Eval(k.Kids[0]))
			if w != "" {
				a.Why = w
				continue
			}
			a.Pos = append(a.Pos, items...)
		case "dictionary_splat":
			if len(k.Kids) != 1 {
				continue
			}
			v := x.Eval(k.Kids[0])
			d, ok := v.(*Dict)
			if !ok || d.Why != "" {
				a.Why = OrWhy(v, "arguments that are not known")
				continue
			}
			for i, key := range d.Keys {
				if s, ok := key.(Text); ok {
					a.Kw[s.S] = d.Vals[i]
				}
			}
		default:
			a.Pos = append(a.Pos, x.Eval(k))
		}
	}
	return a
}

func (x *Interp) evalCall(n *Node) Value {
	f := n.Child("function")
	if f == nil {
		return Unknown{Why: "a call that is not understood"}
	}
	callee := x.Eval(f)
	return x.Call(callee, x.EvalArgs(n))
}

// Call calls a value. A call whose effect is not known leaves a doubt on the statement.
func (x *Interp) Call(callee Value, a Args) Value {
	if w, ok := x.Host.(Watcher); ok {
		if v, ok := w.Called(x, callee, a); ok {
			return v
		}
	}
	switch c := callee.(type) {
	case *Function:
		return x.CallFunction(c, a)
	case *Class:
		return x.instantiate(c, a)
	case Method:
		return x.callMethod(c, a)
	case External:
		return x.callExt(c.Path, a)
	case Unknown:
		if c.Refused {
			x.Gap(a.N, c.Why, true)
			return Unknown{Why: c.Why}
		}
		return x.Strange(c.Path, c.Why, a)
	case *Type:
		return c // sa.Integer()() and the like do not occur; a TypeDecorator's instance does
	case Callable:
		return c.Call(x, a)
	case partial:
		all := Args{N: a.N, Pos: append(append([]Value{}, c.args.Pos[1:]...), a.Pos...), Kw: map[string]Value{}, Why: OrText(a.Why, c.args.Why)}
		for _, from := range []map[string]Value{c.args.Kw, a.Kw} {
			for k, v := range from {
				all.Kw[k] = v
			}
		}
		return x.Call(c.args.Pos[0], all)
	}
	return x.Strange("", OrWhy(callee, "a value that is not known"), a)
}

// Strange is a call of code outside the file: its result is unknown, so are the lists it was given, and unless it is
// known to be harmless it may have done anything.
func (x *Interp) Strange(path, reason string, a Args) Value {
	for _, v := range a.Pos {
		taintValue(v, "a list that was given to code outside the file")
	}
	for _, v := range a.Kw {
		taintValue(v, "a list that was given to code outside the file")
	}
	name := path
	if name == "" {
		name = Shorten(strings.TrimSuffix(x.Mod.Src(a.N), x.Mod.Src(orNode(a.N.Child("arguments"), a.N))))
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
		x.Doubted(w)
		return Unknown{Why: resultOf(reason, name), Path: joinPath(path)}
	}
	return Unknown{Why: resultOf(reason, name), Path: joinPath(path)}
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

func orNode(n, other *Node) *Node {
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

// CallFunction runs a function of the files and gives what it returns.
func (x *Interp) CallFunction(f *Function, a Args) Value {
	if x.depth >= maxCalls {
		x.Doubted("functions that call each other without an end in sight")
		return Unknown{Why: "functions that call each other without an end in sight"}
	}
	body := f.Def.Child("body")
	if body == nil {
		return None{}
	}
	scope := NewEnv(f.Env)
	if w := x.bind(f, scope, a); w != "" {
		x.Doubted(w)
		return Unknown{Why: w}
	}
	if hasYield(body) {
		x.Doubted("a call of the generator " + f.Name)
		return Unknown{Why: "a generator"}
	}
	inner := &Interp{State: x.State, Mod: f.Mod, Env: scope}
	x.depth++
	defer func() { x.depth-- }()
	if f.Def.Kind == "lambda" {
		return inner.Eval(body)
	}
	inner.Block(body)
	if inner.Returned == nil {
		return None{}
	}
	return inner.Returned
}

func hasYield(body *Node) bool {
	found := false
	Walk(body, func(k *Node) bool {
		if k.Kind == "yield" {
			found = true
		}
		return !found && k.Kind != "function_definition" && k.Kind != "lambda"
	})
	return found
}

// bind gives a function's parameters their values.
func (x *Interp) bind(f *Function, scope *Env, a Args) string {
	params := f.Def.Child("parameters")
	next := 0
	taken := map[string]bool{}
	defaults := &Interp{State: x.State, Mod: f.Mod, Env: f.Env}
	if params == nil {
		return ""
	}
	keywordOnly := false
	for _, p := range params.Kids {
		var name string
		var def *Node
		switch p.Kind {
		case "identifier":
			name = f.Mod.Src(p)
		case "default_parameter", "typed_default_parameter":
			name, def = f.Mod.Src(orNode(p.Child("name"), p)), p.Child("value")
		case "typed_parameter":
			if len(p.Kids) == 0 {
				return "a function whose parameters are not understood"
			}
			k := p.Kids[0]
			switch k.Kind {
			case "identifier":
				name = f.Mod.Src(k)
			case "list_splat_pattern", "dictionary_splat_pattern":
				p = k
			}
		case "keyword_separator":
			keywordOnly = true
			continue
		case "positional_separator":
			continue
		}
		switch p.Kind {
		case "list_splat_pattern":
			rest := &List{Tuple: true, Why: a.Why}
			if next < len(a.Pos) {
				rest.Items = append(rest.Items, a.Pos[next:]...)
				next = len(a.Pos)
			}
			if len(p.Kids) == 1 {
				scope.Vars[f.Mod.Src(p.Kids[0])] = rest
			}
			keywordOnly = true
			continue
		case "dictionary_splat_pattern":
			rest := &Dict{Why: a.Why}
			for _, k := range SortedKeys(a.Kw) {
				if !taken[k] {
					rest.set(Plain(k), a.Kw[k])
				}
			}
			if len(p.Kids) == 1 {
				scope.Vars[f.Mod.Src(p.Kids[0])] = rest
			}
			continue
		}
		if name == "" {
			return "a function whose parameters are not understood"
		}
		taken[name] = true
		switch v, ok := a.Kw[name]; {
		case ok:
			scope.Vars[name] = v
		case !keywordOnly && next < len(a.Pos):
			scope.Vars[name] = a.Pos[next]
			next++
		case a.Why != "":
			scope.Vars[name] = Unknown{Why: a.Why}
		case def != nil:
			scope.Vars[name] = defaults.Eval(def)
		default:
			return "a call of " + f.Name + " without its argument " + name
		}
	}
	return ""
}

// Define binds a def or class statement.
func (x *Interp) Define(n *Node) {
	var decorators []*Node
	d := n
	if n.Kind == "decorated_definition" {
		if d = n.Child("definition"); d == nil {
			return
		}
		for _, k := range n.Kids {
			if k.Kind == "decorator" && !strings.Contains(x.Mod.Src(k), "wraps") {
				decorators = append(decorators, k)
			}
		}
	}
	name := d.Child("name")
	if name == nil {
		return
	}
	id := x.Mod.Src(name)
	if d.Kind == "class_definition" {
		c := x.defineClass(id, d)
		c.By = decorators
		x.Env.Set(id, c)
		return
	}
	f := &Function{Name: id, Def: d, Env: x.Env, Mod: x.Mod}
	if decorators != nil {
		x.Env.Set(id, Decorated{f, decorators})
		return
	}
	if strings.HasPrefix(x.Mod.Src(d), "async") {
		x.Env.Set(id, Unknown{Why: "an asynchronous function"})
		return
	}
	x.Env.Set(id, f)
}

func (x *Interp) defineClass(name string, n *Node) *Class {
	c := &Class{Name: name, Def: n, Mod: x.Mod, Env: NewEnv(x.Env)}
	if s := n.Child("superclasses"); s != nil {
		for _, k := range s.Kids {
			if k.Kind != "keyword_argument" {
				c.Bases = append(c.Bases, x.Eval(k))
			}
		}
	}
	body := n.Child("body")
	if body == nil {
		return c
	}
	// A class body runs like a function's, but nothing in it touches the database.
	inner := x.quietly()
	inner.Env = c.Env
	inner.Block(body)
	c.order(x.Mod, body)
	return c
}

// order remembers in which order an enum's members are written.
func (c *Class) order(m *Module, body *Node) {
	l := &List{}
	for _, st := range body.Kids {
		if st.Kind != "expression_statement" || len(st.Kids) != 1 || st.Kids[0].Kind != "assignment" {
			continue
		}
		left := st.Kids[0].Child("left")
		if left == nil || left.Kind != "identifier" || strings.HasPrefix(m.Src(left), "_") || st.Kids[0].Child("right") == nil {
			continue
		}
		name := m.Src(left)
		l.Items = append(l.Items, Text{S: name, P: []Span{{0, left.Start, true, m}}})
	}
	c.Env.Vars["\x00order"] = l
}

// Members lists an enum's members.
func (c *Class) Members() []Value {
	l, _ := c.Env.Vars["\x00order"].(*List)
	if l == nil {
		return nil
	}
	out := make([]Value, 0, len(l.Items))
	for _, it := range l.Items {
		name := it.(Text)
		out = append(out, &Member{Class: c, Name: name, Value: c.Env.Vars[name.S]})
	}
	return out
}

func (x *Interp) classAttribute(c *Class, name string) Value {
	v, ok := c.Env.Vars[name]
	if c.IsEnum() {
		for _, m := range c.Members() {
			if m.(*Member).Name.S == name {
				return m
			}
		}
	}
	if ok {
		return v
	}
	if w, ok := x.Host.(Watcher); ok {
		if v, ok := w.ClassAttribute(x, c, name); ok {
			return v
		}
	}
	switch name {
	case "query":
		return ORMQuery()
	case "__name__", "__qualname__":
		return Plain(c.Name)
	}
	for _, b := range c.Bases {
		if b, ok := b.(*Class); ok {
			return x.classAttribute(b, name)
		}
	}
	return Unknown{Why: "an ORM class's attribute", Path: "orm"}
}

// instantiate calls a class of the file.
func (x *Interp) instantiate(c *Class, a Args) Value {
	if c.IsEnum() {
		if v, ok := a.Get(0, "value"); ok {
			for _, m := range c.Members() {
				if eq, known := Equal(m.(*Member).Value, v); known && eq {
					return m
				}
			}
		}
		return Unknown{Why: "an enum's member that is not known"}
	}
	for _, b := range c.Bases {
		e, ok := b.(External)
		if !ok {
			continue
		}
		switch Canonical(e.Path) {
		case "sa.TypeDecorator":
			return x.decoratedType(c, a)
		case "sa.UserDefinedType":
			return &Type{Name: "user:" + c.Name, Args: a, Spec: x.userSpec(c, a)}
		}
	}
	return &Row{Class: c}
}

// decoratedType is the type that a TypeDecorator of the file stands for on PostgreSQL: what its load_dialect_impl returns, else
// its impl with the decorator's arguments.
func (x *Interp) decoratedType(c *Class, a Args) Value {
	if f, ok := c.Env.Vars["load_dialect_impl"].(*Function); ok {
		v := x.quietly().CallFunction(f, Args{N: a.N, Pos: []Value{Unknown{Why: "self"}, Dialect{}}, Kw: map[string]Value{}})
		if t := x.AsType(v); t != nil {
			decorated := *t
			decorated.Decorated = true
			return &decorated
		}
		return Unknown{Why: "a type whose load_dialect_impl is not understood"}
	}
	t := x.AsType(c.Env.Vars["impl"])
	if _, own := c.Env.Vars["__init__"]; own || t == nil {
		return Unknown{Why: "a type decorator that is not understood"}
	}
	decorated := *t
	if decorated.Decorated = true; len(t.Args.Pos) == 0 && len(t.Args.Kw) == 0 {
		decorated.Args = a
	}
	return &decorated
}

// quietly is x for code that cannot touch the database.
func (x *Interp) quietly() *Interp {
	quiet := *x.State
	quiet.Effects, quiet.Quiet = false, true
	return &Interp{State: &quiet, Mod: x.Mod, Env: x.Env}
}

// userSpec is what a UserDefinedType's get_col_spec returns.
func (x *Interp) userSpec(c *Class, a Args) Value {
	f, ok := c.Env.Vars["get_col_spec"].(*Function)
	if !ok {
		return Unknown{Why: "a type whose name is not known"}
	}
	return x.quietly().CallFunction(f, Args{N: a.N, Pos: []Value{Unknown{Why: "self"}}, Kw: map[string]Value{}})
}

// Row is an instance of a class of the file, as a rule a declarative model.
type Row struct{ Class *Class }

// Imports binds the names of an import statement.
func (x *Interp) Imports(n *Node) {
	prefix := ""
	if n.Kind == "import_from_statement" {
		m := n.Child("module_name")
		if m == nil {
			return
		}
		prefix = x.Mod.Src(m)
		if strings.Trim(prefix, ".") != "" {
			prefix += "."
		}
	}
	for _, k := range n.Kids {
		if k.Kind == "wildcard_import" {
			if all, ok := x.Host.ImportName(x.Mod, strings.TrimSuffix(prefix, ".")).(Namespace); ok {
				for name, v := range all.Names() {
					x.Env.Set(name, v)
				}
				continue
			}
			x.Mod.Stars = true
			if prefix == "sqlalchemy." || prefix == "alembic.op." {
				continue
			}
		}
		if k.Field != "name" {
			continue
		}
		name, as := k, ""
		if k.Kind == "aliased_import" {
			name = orNode(k.Child("name"), k)
			if alias := k.Child("alias"); alias != nil {
				as = x.Mod.Src(alias)
			}
		}
		path := prefix + x.Mod.Src(name)
		switch {
		case as != "":
			x.Env.Set(as, x.external(path))
		case prefix == "":
			first, _, _ := strings.Cut(path, ".")
			x.Env.Set(first, x.external(first))
		default:
			x.Env.Set(path[len(prefix):], x.external(path))
		}
	}
}

// external is an imported name: one of the files, or code from elsewhere.
func (x *Interp) external(path string) Value {
	if s := x.Host.ImportName(x.Mod, path); s != nil {
		return s
	}
	return External{strings.TrimLeft(path, ".")}
}
