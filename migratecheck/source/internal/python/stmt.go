package python

import (
	"strings"
)

// Bounds on what is followed; beyond them is a Gap. They are far above any revision written by hand.
const (
	maxSteps = 500_000  // expressions and statements of one direction of one revision
	maxItems = 100_000  // of one list
	maxText  = 16 << 20 // bytes of one string
	maxCalls = 60       // nested calls of the file's own functions
)

// Interp runs Python statements in one scope.
type Interp struct {
	*State
	Mod *Module
	Env *Env
	// Returned is what `return` gave.
	Returned Value
	leaves   bool // a statement that was not run may have left the loop around it
}

// State is shared by all scopes of one run of a function or of a module's top level.
type State struct {
	Host Host
	// Effects says that what the code does to the database matters: it is a function that runs, not a module's top level.
	Effects bool
	// Holes says that a string of which a part is not known is known but for that part, where it has a Hole.
	Holes  bool
	Steps  int
	Quiet  bool // a class body, or a method asked for a type's name: nothing in it touches the database
	depth  int
	Stack  []place // the simple statements being run, outermost first
	doubt  string  // why the statement being run is not understood
	gapped bool    // the statement being run has its gap already
}

type place struct {
	Mod *Module
	N   *Node
}

// Exhausted reports whether the bound on steps is reached: nothing is evaluated any more.
func (s *State) Exhausted() bool { return s.Steps > maxSteps }

// Charge counts the work of making a value, so that a loop over ever longer strings and lists comes to an end.
func (s *State) Charge(v Value) Value {
	switch v := v.(type) {
	case Text:
		s.Steps += len(v.S)/256 + len(v.P)/4
	case *List:
		s.Steps += len(v.Items) / 16
	case *Dict:
		s.Steps += len(v.Keys) / 16
	}
	return v
}

// ctl says how a statement ended.
type ctl int

const (
	ctlNext ctl = iota
	ctlBreak
	ctlContinue
	ctlReturn
	ctlRaise
)

// Block runs the statements of n, a module or a block.
func (x *Interp) Block(n *Node) ctl {
	for _, k := range n.Kids {
		if c := x.stmt(k); c != ctlNext {
			return c
		}
	}
	return ctlNext
}

// stmt runs one statement.
func (x *Interp) stmt(n *Node) ctl {
	x.Steps++
	if x.Exhausted() {
		x.Gap(n, "the code runs too long to follow", false)
		return ctlReturn
	}
	if n.Bad && !isCompound(n.Kind) {
		x.Gap(n, "Python would not compile this", true)
		x.poison(n)
		return ctlNext
	}
	switch n.Kind {
	case "block", "module":
		return x.Block(n)
	case "function_definition", "class_definition", "decorated_definition":
		x.Define(n)
		return ctlNext
	case "if_statement":
		return x.ifStmt(n)
	case "for_statement":
		return x.forStmt(n)
	case "while_statement":
		return x.whileStmt(n)
	case "with_statement":
		return x.withStmt(n)
	case "try_statement":
		return x.tryStmt(n)
	case "match_statement":
		x.skip(n, "a match statement", true)
		return ctlNext
	case "ERROR":
		x.Gap(n, "Python would not compile this", true)
		return ctlNext
	}
	return x.simple(n)
}

func isCompound(kind string) bool {
	switch kind {
	case "block", "module", "function_definition", "class_definition", "decorated_definition", "if_statement",
		"for_statement", "while_statement", "with_statement", "try_statement", "ERROR":
		return true
	}
	return false
}

// simple runs a statement that holds no others. What in it was not understood becomes one gap.
func (x *Interp) simple(n *Node) ctl {
	outerDoubt, outerGapped := x.doubt, x.gapped
	x.doubt, x.gapped = "", false
	x.Stack = append(x.Stack, place{x.Mod, n})
	c := x.simpleStmt(n)
	if x.doubt != "" && !x.gapped {
		x.Gap(n, x.doubt, false)
	}
	x.Stack = x.Stack[:len(x.Stack)-1]
	x.doubt, x.gapped = outerDoubt, outerGapped
	return c
}

func (x *Interp) simpleStmt(n *Node) ctl {
	switch n.Kind {
	case "expression_statement":
		for _, k := range n.Kids {
			switch k.Kind {
			case "assignment":
				x.assignment(k)
			case "augmented_assignment":
				x.augment(k)
			default:
				v, ok := x.Eval(k).(Unknown)
				switch {
				case !ok:
				case v.Refused:
					x.Gap(n, v.Why, true)
				case k.Kind == "call" && strings.HasPrefix(v.Path, "sqlalchemy."):
					// Harmless inside of an expression, but alone it must have been called for an effect.
					x.Doubted(v.Why)
				case k.Kind != "call":
					x.Doubted(v.Why)
				}
			}
		}
	case "return_statement":
		x.Returned = None{}
		if len(n.Kids) > 0 {
			x.Returned = x.Eval(n.Kids[0])
		}
		return ctlReturn
	case "break_statement":
		return ctlBreak
	case "continue_statement":
		return ctlContinue
	case "raise_statement":
		x.Gap(n, "the migration stops here by itself"+x.message(n), true)
		return ctlRaise
	case "assert_statement":
		if len(n.Kids) == 0 {
			return ctlNext
		}
		if is, ok := Truth(x.Eval(n.Kids[0])); ok && !is {
			x.Gap(n, "the migration stops here by itself"+x.message(n), true)
			return ctlRaise
		}
		// Not known: the author expects it to hold, and a failure changes nothing in the database.
	case "import_statement", "import_from_statement":
		x.Imports(n)
	case "future_import_statement", "pass_statement", "comment", "nonlocal_statement":
	case "global_statement":
		if x.Env.Globals == nil {
			x.Env.Globals = map[string]bool{}
		}
		for _, k := range n.Kids {
			x.Env.Globals[x.Mod.Src(k)] = true
		}
	case "delete_statement":
		x.poison(n)
	case "print_statement", "type_alias_statement":
	case "exec_statement":
		x.Gap(n, "code made at run time", false)
	default:
		x.Gap(n, "a statement that is not understood", false)
		x.poison(n)
	}
	return ctlNext
}

// message is the text of a raise or assert, when it is written there.
func (x *Interp) message(n *Node) string {
	var found string
	Walk(n, func(k *Node) bool {
		if k.Kind == "string" && found == "" {
			if s, ok := x.EvalString(k).(Text); ok {
				found = ": " + Shorten(s.S)
			}
		}
		return found == ""
	})
	return found
}

// Walk visits n and what is below it while f says so.
func Walk(n *Node, f func(*Node) bool) {
	if !f(n) {
		return
	}
	for _, k := range n.Kids {
		Walk(k, f)
	}
}

func (x *Interp) assignment(n *Node) {
	left, right := n.Child("left"), n.Child("right")
	if left == nil || right == nil {
		return
	}
	var v Value
	if right.Kind == "assignment" {
		x.assignment(right)
		if l := right.Child("left"); l != nil {
			v = x.Eval(l)
		}
	} else {
		v = x.Eval(right)
	}
	x.Assign(left, v)
	if u, ok := v.(Unknown); ok && u.Refused {
		x.Gap(n, u.Why, true)
	}
}

// Assign binds v to the names of a target.
func (x *Interp) Assign(target *Node, v Value) {
	switch target.Kind {
	case "identifier":
		x.Env.Set(x.Mod.Src(target), v)
	case "tuple_pattern", "pattern_list", "list_pattern", "tuple", "list", "expression_list", "parenthesized_expression":
		items, w := Iterate(v)
		if w == "" && len(items) == len(target.Kids) && !hasSplat(target) {
			for i, k := range target.Kids {
				x.Assign(k, items[i])
			}
			return
		}
		for _, k := range target.Kids {
			x.Assign(k, Unknown{Why: OrWhy(v, "a value that is not known")})
		}
	case "list_splat_pattern":
		for _, k := range target.Kids {
			x.Assign(k, Unknown{Why: "the rest of a list"})
		}
	case "subscript":
		on, key := target.Child("value"), target.Child("subscript")
		if on == nil || key == nil {
			return
		}
		switch d := x.Eval(on).(type) {
		case *Dict:
			k := x.Eval(key)
			if IsUnknown(k) {
				d.Why = Why(k)
				return
			}
			d.set(k, v)
		case *List:
			d.Why = "a list that was changed"
			if i, ok := x.Eval(key).(int64); ok && i >= 0 && i < int64(len(d.Items)) && !d.Tuple {
				d.Why = ""
				d.Items[i] = v
			}
		}
	case "attribute":
		obj, name := target.Child("object"), target.Child("attribute")
		if obj == nil || name == nil {
			return
		}
		switch o := x.Eval(obj).(type) {
		case *Class:
			o.Env.Set(x.Mod.Src(name), v)
		case *Row:
			x.Doubted("an ORM object is changed, whose UPDATE cannot be known")
		case Unknown:
			x.Doubted("an attribute of " + o.Why + " is set")
		}
	}
}

func hasSplat(n *Node) bool {
	for _, k := range n.Kids {
		if k.Kind == "list_splat_pattern" {
			return true
		}
	}
	return false
}

func (x *Interp) augment(n *Node) {
	left, right, op := n.Child("left"), n.Child("right"), n.Child("operator")
	if left == nil || right == nil || op == nil {
		return
	}
	old := x.Eval(left)
	v := x.Eval(right)
	sign := strings.TrimSuffix(x.Mod.Src(op), "=")
	if l, ok := old.(*List); ok && !l.Tuple && sign == "+" {
		items, w := Iterate(v)
		x.Charge(v)
		l.Items = append(l.Items, items...)
		if w != "" {
			l.Why = w
		}
		if len(l.Items) > maxItems {
			l.Items, l.Why = nil, "a list that grows too long"
		}
		return
	}
	x.Assign(left, x.binary(old, sign, v))
}

func (x *Interp) ifStmt(n *Node) ctl {
	type arm struct{ cond, body *Node }
	var arms []arm
	arms = append(arms, arm{n.Child("condition"), n.Child("consequence")})
	for _, k := range n.Kids {
		switch k.Kind {
		case "elif_clause":
			arms = append(arms, arm{k.Child("condition"), k.Child("consequence")})
		case "else_clause":
			arms = append(arms, arm{nil, k.Child("body")})
		}
	}
	for i, a := range arms {
		if a.body == nil {
			continue
		}
		if a.cond == nil {
			if i > 0 {
				return x.stmt(a.body)
			}
			continue
		}
		v, doubted := x.condition(a.cond)
		is, ok := Truth(v)
		if !ok {
			x.skip(n, "a condition that depends on "+OrWhy(v, "something that is not known"), doubted)
			return ctlNext
		}
		if is {
			return x.stmt(a.body)
		}
	}
	return ctlNext
}

// condition evaluates what an if, while or for depends on. A call in it that is not understood is a gap of its own,
// unless the value is unknown for it, so that the whole statement becomes one: then doubted is true.
func (x *Interp) condition(n *Node) (v Value, doubted bool) {
	doubt, gapped := x.doubt, x.gapped
	x.doubt, x.gapped = "", false
	x.Stack = append(x.Stack, place{x.Mod, n})
	v = x.Eval(n)
	if x.doubt != "" && !x.gapped {
		if is := IsUnknown(v); is {
			doubted = true
		} else {
			x.Gap(n, x.doubt, false)
		}
	}
	x.Stack = x.Stack[:len(x.Stack)-1]
	x.doubt, x.gapped = doubt, gapped
	return v, doubted
}

// skip leaves a statement unread: a gap, unless nothing in it could touch the database. Whatever it may change becomes
// unknown.
func (x *Interp) skip(n *Node, reason string, doubted bool) {
	x.poison(n)
	Walk(n, func(k *Node) bool {
		switch k.Kind {
		case "break_statement", "return_statement", "raise_statement":
			x.leaves = true
		}
		return k.Kind != "function_definition" && k.Kind != "lambda"
	})
	if doubted || !x.harmless(n) {
		x.Gap(n, reason, false)
	}
}

// harmless reports whether a statement calls nothing but print and loggers, apart from what its condition calls.
func (x *Interp) harmless(n *Node) bool {
	ok := true
	Walk(n, func(k *Node) bool {
		if k != n && (k.Field == "condition" && n.Kind == "if_statement" || k.Field == "right" && n.Kind == "for_statement") {
			for _, c := range n.Kids {
				if c == k {
					return false
				}
			}
		}
		switch k.Kind {
		case "call":
			f := k.Child("function")
			if f == nil {
				ok = false
				break
			}
			if name := x.Mod.Src(f); !isHarmlessName(name) {
				ok = false
			}
		case "raise_statement", "return_statement", "break_statement", "continue_statement", "assert_statement":
			if k.Kind == "return_statement" || k.Kind == "break_statement" || k.Kind == "continue_statement" {
				ok = false // what follows it may not run
			}
		case "attribute", "subscript":
			if k.Field == "left" {
				ok = false // may be a mapped object's
			}
		case "function_definition", "lambda", "delete_statement":
			return false
		}
		return ok
	})
	return ok
}

func isHarmlessName(name string) bool {
	switch name {
	case "print", "len", "str", "int", "sorted", "list", "set", "dict", "tuple", "range", "enumerate", "zip", "isinstance",
		"max", "min", "repr", "bool", "sum", "any", "all":
		return true
	}
	first, rest, _ := strings.Cut(name, ".")
	switch strings.ToLower(first) {
	case "log", "logger", "logging", "_logger", "_log", "warnings":
		return rest != ""
	}
	return false
}

// poison makes every name that n may change unknown.
func (x *Interp) poison(n *Node) {
	u := Unknown{Why: "a value set by code that is not understood"}
	var bind func(k *Node)
	bind = func(k *Node) {
		switch k.Kind {
		case "identifier":
			x.Env.Set(x.Mod.Src(k), u)
		case "attribute", "subscript":
			obj := k.Child("object")
			if obj == nil {
				obj = k.Child("value")
			}
			if obj != nil && obj.Kind == "identifier" {
				x.taint(obj, u.Why)
			}
		default:
			for _, c := range k.Kids {
				bind(c)
			}
		}
	}
	Walk(n, func(k *Node) bool {
		switch k.Kind {
		case "function_definition", "class_definition":
			if name := k.Child("name"); name != nil && k != n {
				x.Env.Set(x.Mod.Src(name), u)
			}
			return k == n
		case "assignment", "augmented_assignment", "for_statement":
			if l := k.Child("left"); l != nil {
				bind(l)
			}
		case "named_expression":
			if l := k.Child("name"); l != nil {
				bind(l)
			}
		case "as_pattern_target", "delete_statement":
			for _, c := range k.Kids {
				bind(c)
			}
		case "call":
			if f := k.Child("function"); f != nil && f.Kind == "attribute" {
				if o := f.Child("object"); o != nil && o.Kind == "identifier" {
					x.taint(o, u.Why)
				}
			}
		}
		return true
	})
}

// taint makes the contents of the list or dict called n unknown.
func (x *Interp) taint(n *Node, reason string) {
	if v, ok := x.Env.Get(x.Mod.Src(n)); ok {
		taintValue(v, reason)
	}
}

func taintValue(v Value, reason string) {
	switch v := v.(type) {
	case *List:
		if !v.Tuple {
			v.Why = reason
		}
	case *Dict:
		v.Why = reason
	}
}

func (x *Interp) forStmt(n *Node) ctl {
	left, right, body := n.Child("left"), n.Child("right"), n.Child("body")
	if left == nil || right == nil || body == nil {
		x.skip(n, "a loop that is not understood", true)
		return ctlNext
	}
	v, doubted := x.condition(right)
	items, w := Iterate(v)
	if w != "" {
		x.skip(n, "a loop over "+w, doubted)
		return ctlNext
	}
	for _, it := range append([]Value{}, items...) {
		if x.Exhausted() {
			break
		}
		x.Assign(left, it)
		switch c := x.stmt(body); c {
		case ctlBreak:
			return ctlNext
		case ctlReturn, ctlRaise:
			return c
		}
	}
	if alt := n.Child("alternative"); alt != nil {
		if b := alt.Child("body"); b != nil {
			return x.stmt(b)
		}
	}
	return ctlNext
}

func (x *Interp) whileStmt(n *Node) ctl {
	cond, body := n.Child("condition"), n.Child("body")
	if cond == nil || body == nil {
		x.skip(n, "a loop that is not understood", true)
		return ctlNext
	}
	for range maxItems {
		v, doubted := x.condition(cond)
		is, ok := Truth(v)
		if !ok {
			x.skip(n, "a loop whose condition depends on "+OrWhy(v, "something that is not known"), doubted)
			return ctlNext
		}
		if !is {
			return ctlNext
		}
		x.leaves = false
		switch c := x.stmt(body); c {
		case ctlBreak:
			return ctlNext
		case ctlReturn, ctlRaise:
			return c
		}
		if x.leaves {
			x.skip(n, "a loop whose end depends on something that is not known", false)
			return ctlNext
		}
		if x.Exhausted() {
			break
		}
	}
	x.Gap(n, "a loop that runs too long to follow", false)
	return ctlNext
}

func (x *Interp) withStmt(n *Node) ctl {
	body := n.Child("body")
	if body == nil {
		return ctlNext
	}
	var exits []func()
	for _, clause := range n.Kids {
		if clause.Kind != "with_clause" {
			continue
		}
		for _, item := range clause.Kids {
			v := item.Child("value")
			if v == nil {
				continue
			}
			var target *Node
			if v.Kind == "as_pattern" && len(v.Kids) > 0 {
				target = v.Child("alias")
				v = v.Kids[0]
			}
			outer, gapped := x.doubt, x.gapped
			x.doubt, x.gapped = "", false
			x.Stack = append(x.Stack, place{x.Mod, v})
			entered, exit := x.enter(x.Eval(v))
			if x.doubt != "" && !x.gapped {
				x.Gap(v, x.doubt, false)
			}
			x.Stack = x.Stack[:len(x.Stack)-1]
			x.doubt, x.gapped = outer, gapped
			if exit != nil {
				exits = append(exits, exit)
			}
			if target != nil && len(target.Kids) > 0 {
				x.Assign(target.Kids[0], entered)
			}
		}
	}
	c := x.stmt(body)
	for i := len(exits) - 1; i >= 0; i-- {
		exits[i]()
	}
	return c
}

// enter is Python's __enter__: what the with statement binds, and what is done at its end.
func (x *Interp) enter(v Value) (Value, func()) {
	if c, ok := v.(ContextManager); ok {
		return c.Enter(x)
	}
	return v, nil
}

func (x *Interp) tryStmt(n *Node) ctl {
	c := ctlNext
	if b := n.Child("body"); b != nil {
		c = x.stmt(b)
	}
	for _, k := range n.Kids {
		switch k.Kind {
		case "except_clause", "except_group_clause":
			// It runs when a statement failed, which aborts PostgreSQL's transaction: only what it does to names and
			// what it calls matters.
			if len(k.Kids) == 0 || strings.Contains(x.Mod.Src(k.Kids[0]), "ImportError") ||
				strings.Contains(x.Mod.Src(k.Kids[0]), "ModuleNotFoundError") {
				continue // the import in the body is taken to work
			}
			body := k.Kids[len(k.Kids)-1]
			x.poison(body)
			if x.Effects && !x.harmless(body) {
				x.Gap(k, "an except branch: whether it runs cannot be known", false)
			}
		case "else_clause":
			if b := k.Child("body"); b != nil && c == ctlNext {
				c = x.stmt(b)
			}
		case "finally_clause":
			for _, b := range k.Kids {
				if f := x.stmt(b); f != ctlNext {
					c = f
				}
			}
		}
	}
	return c
}

// Gap tells the host of code that is not understood.
func (x *Interp) Gap(n *Node, reason string, refused bool) {
	x.gapped = true
	x.Host.Gap(x, n, reason, refused)
}

// Doubted says that the statement being run is not understood; the first reason counts.
func (x *Interp) Doubted(reason string) {
	if x.Effects && x.doubt == "" {
		x.doubt = reason
	}
}

// Shorten is the first line of s, cut to a readable length.
func Shorten(s string) string {
	s = strings.TrimSpace(s)
	line, _, more := strings.Cut(s, "\n")
	line = strings.TrimRight(line, "\r")
	const limit = 80
	if r := []rune(line); len(r) > limit {
		line, more = string(r[:limit]), true
	}
	if more {
		line += " …"
	}
	return line
}
