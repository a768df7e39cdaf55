package sqlalchemy

import (
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/source/internal/python"
)

// maxAlternatives bounds how many values of a name, and how many combinations of them, are followed.
const maxAlternatives = 32

// oneOf is one of several values: those that the branches of an if gave a name, or the items that a loop goes through.
type oneOf struct{ values []python.Value }

// scanner goes through the statements of a function, or of a module's top level, in the order in which they are written,
// into every branch: unlike a run, it knows no argument and no condition. Every call in them is evaluated, and the host
// hears of it (repo.Called).
type scanner struct {
	r *repo
	x *python.Interp
}

// scan goes through the top level and all functions of every file.
func (r *repo) scan() {
	r.evaluated = map[*python.Node]bool{}
	for _, m := range r.modules {
		s := scanner{r: r, x: &python.Interp{State: &python.State{Host: r, Holes: true}, Mod: m, Env: python.NewEnv(m.Env)}}
		s.block(m.Root)
		s.finished(m.Root)
	}
	r.evaluated = nil
}

// block reports whether the code behind it is reached.
func (s *scanner) block(n *python.Node) bool {
	for _, k := range n.Kids {
		if !s.stmt(k) {
			return false
		}
	}
	return true
}

func (s *scanner) stmt(n *python.Node) bool {
	switch n.Kind {
	case "block", "module":
		return s.block(n)
	case "function_definition", "class_definition", "decorated_definition":
		s.define(n)
	case "if_statement", "match_statement", "try_statement":
		return s.branches(n)
	case "for_statement":
		s.forLoop(n)
	case "while_statement":
		if c := n.Child("condition"); c != nil {
			s.expr(c)
		}
		if b := n.Child("body"); b != nil {
			s.builtUp(b)
			s.optional(b)
		}
	case "with_statement":
		return s.with(n)
	case "import_statement", "import_from_statement", "future_import_statement":
		s.run(n)
	case "return_statement", "raise_statement", "break_statement", "continue_statement":
		s.simple(n)
		return false
	default:
		s.simple(n)
	}
	return true
}

// define binds a function or class, and goes through its body.
func (s *scanner) define(n *python.Node) {
	d := n
	if n.Kind == "decorated_definition" {
		for _, k := range n.Kids {
			if k.Kind == "decorator" {
				s.calls(k)
			}
		}
		if d = n.Child("definition"); d == nil {
			return
		}
	}
	body := d.Child("body")
	if d.Kind == "class_definition" {
		if s.x.Env.Outer != s.x.Mod.Env { // else it is defined, and stands for itself: once, not twice
			s.x.Define(n)
		}
		if body != nil {
			inner := s.inner()
			for _, k := range body.Kids {
				if k.Kind == "function_definition" || k.Kind == "decorated_definition" || k.Kind == "class_definition" {
					inner.stmt(k)
				}
			}
		}
		return
	}
	s.x.Define(n)
	if body == nil {
		return
	}
	inner := s.inner()
	if params := d.Child("parameters"); params != nil {
		name := "a function"
		if id := d.Child("name"); id != nil {
			name = s.x.Mod.Src(id)
		}
		python.Walk(params, func(k *python.Node) bool {
			if k.Kind == "identifier" && (k.Field == "" || k.Field == "name") {
				id := s.x.Mod.Src(k)
				inner.x.Env.Set(id, python.Unknown{Why: "the parameter " + id + " of " + name})
			}
			return k.Kind != "type"
		})
	}
	inner.block(body)
	inner.finished(d)
	if s.x.Env.Outer != s.x.Mod.Env {
		s.x.Steps = inner.x.Steps
	}
}

// finished says what was not gone through of n, a function or a file.
func (s *scanner) finished(n *python.Node) {
	if s.x.Exhausted() {
		s.r.gaps = append(s.r.gaps, Gap{Pos: s.r.pos(s.x.Mod, n.Start), Reason: "the code here takes too long to follow: not all of it was looked at"})
	}
}

// inner is the scanner of a scope of its own. Each function of a file may take as long as another, those within it included.
func (s *scanner) inner() *scanner {
	state := &python.State{Host: s.r, Holes: true, Steps: s.x.Steps}
	return &scanner{r: s.r, x: &python.Interp{State: state, Mod: s.x.Mod, Env: python.NewEnv(s.x.Env)}}
}

// branch goes through code that may not run; assigned is what it leaves in names, nil when the code behind is not reached.
func (s *scanner) branch(n *python.Node) (assigned map[string]python.Value) {
	env := python.NewEnv(s.x.Env)
	inner := &scanner{r: s.r, x: &python.Interp{State: s.x.State, Mod: s.x.Mod, Env: env}}
	s.forget(n)
	if !inner.stmt(n) {
		return nil
	}
	return env.Vars
}

// optional goes through code that runs once, several times or never.
func (s *scanner) optional(n *python.Node) {
	s.merge([]map[string]python.Value{s.branch(n)}, true)
}

// branches goes through the arms of an if, match or try. An except clause is an arm beside going on.
func (s *scanner) branches(n *python.Node) bool {
	var arms []map[string]python.Value
	all := n.Kind == "if_statement" || n.Kind == "match_statement"
	complete, reached := false, false
	arm := func(body *python.Node) {
		if body == nil {
			return
		}
		v := s.branch(body)
		arms = append(arms, v)
		reached = reached || v != nil
	}
	visit := func(k *python.Node) {
		for _, f := range []string{"condition", "subject", "guard", "value"} {
			if c := k.Child(f); c != nil {
				s.expr(c)
			}
		}
	}
	visit(n)
	if !all {
		if b := n.Child("body"); b != nil {
			reached = s.block(b)
		}
	} else if b := n.Child("consequence"); b != nil {
		arm(b)
	}
	python.Walk(n, func(k *python.Node) bool {
		switch k.Kind {
		case "elif_clause", "case_clause":
			visit(k)
			arm(k.Child("consequence"))
			return false
		case "else_clause":
			complete = all
			arm(k.Child("body"))
			return false
		case "except_clause", "except_group_clause":
			if len(k.Kids) > 0 {
				arm(k.Kids[len(k.Kids)-1])
			}
			return false
		case "finally_clause":
			for _, b := range k.Kids {
				s.stmt(b)
			}
			return false
		}
		return k == n || n.Kind == "match_statement" && k.Field == "body"
	})
	s.merge(arms, !complete)
	return reached || !complete
}

// merge gives names what the arms left in them; skipped says that none of the arms may have run.
func (s *scanner) merge(arms []map[string]python.Value, skipped bool) {
	names := map[string]bool{}
	for _, a := range arms {
		for name := range a {
			names[name] = true
		}
	}
	for name := range names {
		var values []python.Value
		before, had := s.x.Env.Get(name)
		add := func(v python.Value) { values = append(values, v) }
		if skipped && had {
			add(before)
		}
		for _, a := range arms {
			if a == nil {
				continue
			}
			if v, ok := a[name]; ok {
				add(v)
			} else if had {
				add(before)
			}
		}
		s.x.Env.Vars[name] = alternatives(values)
	}
}

// alternatives are several values as one, equal ones once.
func alternatives(values []python.Value) python.Value {
	var out []python.Value
	for i := 0; i < len(values); i++ {
		v := values[i]
		if o, ok := v.(oneOf); ok {
			values = append(values, o.values...)
			continue
		}
		if !slices.ContainsFunc(out, func(o python.Value) bool {
			eq, known := python.Equal(o, v)
			return known && eq || sameChain(o, v)
		}) {
			out = append(out, v)
		}
	}
	switch {
	case len(out) == 1:
		return out[0]
	case len(out) > maxAlternatives:
		return python.Unknown{Why: "one of very many values"}
	}
	return oneOf{out}
}

func sameChain(a, b python.Value) bool {
	x, ok1 := a.(*chain)
	y, ok2 := b.(*chain)
	return ok1 && ok2 && x == y
}

// forget makes the lists and dicts unknown that code under a condition changes.
func (s *scanner) forget(n *python.Node) {
	python.Walk(n, func(k *python.Node) bool {
		var on *python.Node
		switch {
		case k.Kind == "call":
			if f := k.Child("function"); f != nil && f.Kind == "attribute" && changes(f, s.x.Mod) {
				on = f.Child("object")
			}
		case k.Kind == "subscript" && k.Field == "left":
			on = k.Child("value")
		case k.Kind == "augmented_assignment":
			on = k.Child("left")
		}
		if on == nil || on.Kind != "identifier" {
			return true
		}
		v, _ := s.x.Env.Get(s.x.Mod.Src(on))
		switch v := v.(type) {
		case *python.List:
			if !v.Tuple {
				v.Why = "a list that is changed under a condition"
			}
		case *python.Dict:
			v.Why = "a dict that is changed under a condition"
		}
		return true
	})
}

func changes(f *python.Node, mod *python.Module) bool {
	a := f.Child("attribute")
	if a == nil {
		return false
	}
	switch mod.Src(a) {
	case "append", "extend", "insert", "add", "update", "pop", "remove", "clear", "setdefault", "sort", "reverse":
		return true
	}
	return false
}

// forLoop goes through the body once for each item that is known, as the program does, else for one that is not.
func (s *scanner) forLoop(n *python.Node) {
	left, right, body := n.Child("left"), n.Child("right"), n.Child("body")
	if left == nil || right == nil || body == nil {
		return
	}
	items, why := python.Iterate(s.expr(right))
	if why == "" && len(items) <= maxAlternatives && !leaves(body) {
		for _, it := range items {
			s.x.Assign(left, it)
			s.block(body)
		}
	} else {
		s.builtUp(body)
		s.x.Assign(left, python.Unknown{Why: python.OrText(why, "an item of a list")})
		s.optional(body)
	}
	if alt := n.Child("alternative"); alt != nil {
		if b := alt.Child("body"); b != nil {
			s.optional(b)
		}
	}
}

// leaves reports whether a loop may end before its last item, or skip the rest of a round.
func leaves(body *python.Node) bool {
	found := false
	python.Walk(body, func(k *python.Node) bool {
		switch k.Kind {
		case "break_statement", "continue_statement", "return_statement":
			found = true
		case "function_definition", "lambda":
			return false
		}
		return !found
	})
	return found
}

// builtUp makes the names that a loop adds to one of two: what they are, for a loop without a round, and what is not known.
func (s *scanner) builtUp(body *python.Node) {
	python.Walk(body, func(k *python.Node) bool {
		if k.Kind != "augmented_assignment" {
			return true
		}
		if l := k.Child("left"); l != nil && l.Kind == "identifier" {
			name := s.x.Mod.Src(l)
			more := python.Unknown{Why: "a value that a loop builds up"}
			if before, ok := s.x.Env.Get(name); ok {
				s.x.Env.Vars[name] = alternatives([]python.Value{before, more})
			} else {
				s.x.Env.Vars[name] = more
			}
		}
		return true
	})
}

func (s *scanner) with(n *python.Node) bool {
	for _, clause := range n.Kids {
		if clause.Kind != "with_clause" {
			continue
		}
		for _, item := range clause.Kids {
			v := item.Child("value")
			if v == nil {
				continue
			}
			var target *python.Node
			if v.Kind == "as_pattern" && len(v.Kids) > 0 {
				target, v = v.Child("alias"), v.Kids[0]
			}
			entered := s.expr(v)
			if target != nil && len(target.Kids) > 0 {
				s.x.Assign(target.Kids[0], entered)
			}
		}
	}
	if b := n.Child("body"); b != nil {
		return s.stmt(b)
	}
	return true
}

// simple runs a statement that holds no others, once for each combination of what its names may be.
func (s *scanner) simple(n *python.Node) {
	s.each(n, func(inner *scanner) { inner.run(n) })
	s.calls(n)
}

// expr evaluates an expression of a statement.
func (s *scanner) expr(n *python.Node) python.Value {
	var values []python.Value
	s.each(n, func(inner *scanner) { values = append(values, inner.x.Eval(n)) })
	s.calls(n)
	return alternatives(values)
}

func (s *scanner) run(n *python.Node) {
	s.x.Block(&python.Node{Kind: "block", Kids: []*python.Node{n}})
}

// each calls f with every name in n that is one of several values bound to one of them.
func (s *scanner) each(n *python.Node, f func(*scanner)) {
	names := map[string][]python.Value{}
	combinations := 1
	python.Walk(n, func(k *python.Node) bool {
		if k.Kind == "identifier" {
			id := s.x.Mod.Src(k)
			if v, _ := s.x.Env.Get(id); names[id] == nil {
				if o, ok := v.(oneOf); ok {
					names[id] = o.values
					combinations *= min(len(o.values), maxAlternatives+1)
				}
			}
		}
		return true
	})
	if len(names) == 0 {
		f(s)
		return
	}
	var order []string
	for id := range names {
		order = append(order, id)
	}
	slices.Sort(order)
	var arms []map[string]python.Value
	bound := map[string]python.Value{}
	var walk func(i int)
	walk = func(i int) {
		if i < len(order) {
			if combinations > maxAlternatives {
				bound[order[i]] = python.Unknown{Why: "one of very many values"}
				walk(i + 1)
				return
			}
			for _, v := range names[order[i]] {
				bound[order[i]] = v
				walk(i + 1)
			}
			return
		}
		values := python.NewEnv(s.x.Env)
		for id, v := range bound {
			values.Vars[id] = v
		}
		env := python.NewEnv(values)
		f(&scanner{r: s.r, x: &python.Interp{State: s.x.State, Mod: s.x.Mod, Env: env}})
		arms = append(arms, env.Vars)
	}
	walk(0)
	s.merge(arms, false)
}

// calls evaluates the calls in n that evaluating it did not reach: behind an `and`, in a comprehension or a lambda.
func (s *scanner) calls(n *python.Node) {
	python.Walk(n, func(k *python.Node) bool {
		if k.Kind == "call" && !s.r.evaluated[k] {
			s.each(k, func(inner *scanner) { inner.x.Eval(k) })
			s.r.evaluated[k] = true
		}
		return true
	})
}

// funcAt is the function, method or class that a node stands in, as Python's __qualname__ has it.
func funcAt(mod *python.Module, at int) string {
	var names []string
	python.Walk(mod.Root, func(n *python.Node) bool {
		if n.Start > at || n.End <= at {
			return false
		}
		if n.Kind == "function_definition" || n.Kind == "class_definition" {
			if id := n.Child("name"); id != nil {
				names = append(names, mod.Src(id))
			}
		}
		return true
	})
	return strings.Join(names, ".")
}
