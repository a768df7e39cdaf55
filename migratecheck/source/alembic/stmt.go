package alembic

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

// interp runs Python statements in one scope.
type interp struct {
	*state
	mod *module
	env *env
	// returned is what `return` gave.
	returned value
}

// state is shared by all scopes of one run of upgrade(), downgrade() or a module's top level.
type state struct {
	h      *history
	script *Script // nil at a module's top level
	steps  int
	quiet  bool // a class body, or a method asked for a type's name: nothing in it touches the database
	depth  int
	stack  []place // the simple statements being run, outermost first
	doubt  string  // why the statement being run is not understood
	gapped bool    // the statement being run has its gap already
	seen   map[gapKey]bool
	used   map[usedIgnore]bool
	tx     *transaction
	enums  map[string]bool // the enum types that create_table has created in this run
}

type gapKey struct {
	file, at int
	reason   string
}

type place struct {
	mod *module
	n   *node
}

// transaction counts the transactions of one run over the history.
type transaction struct {
	last       int // the highest number given out
	current    int
	autocommit int // depth of autocommit_block
}

func (t *transaction) begin() { t.last++; t.current = t.last }

// command looks for a transaction command sent as SQL: behind a COMMIT each statement commits by itself, because the
// driver believes its transaction to be open and begins no other (psycopg2, connection.status).
func (t *transaction) command(sql string) {
	if len(sql) > 40 {
		return
	}
	switch strings.ToUpper(strings.Trim(sql, " \t\r\n;")) {
	case "COMMIT", "END", "COMMIT TRANSACTION", "COMMIT WORK", "ROLLBACK":
		t.current = 0
	case "BEGIN", "BEGIN TRANSACTION", "START TRANSACTION":
		if t.current == 0 {
			t.begin()
		}
	}
}

func (t *transaction) number() int {
	if t.autocommit > 0 {
		return 0
	}
	return t.current
}

// charge counts the work of making a value, so that a loop over ever longer strings and lists comes to an end.
func (s *state) charge(v value) value {
	switch v := v.(type) {
	case text:
		s.steps += len(v.s)/256 + len(v.p)/4
	case *list:
		s.steps += len(v.items) / 16
	case *dict:
		s.steps += len(v.keys) / 16
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

func (x *interp) block(n *node) ctl {
	for _, k := range n.kids {
		if c := x.stmt(k); c != ctlNext {
			return c
		}
	}
	return ctlNext
}

// stmt runs one statement.
func (x *interp) stmt(n *node) ctl {
	x.steps++
	if x.steps > maxSteps {
		x.gap(n, "the code runs too long to follow", false)
		return ctlReturn
	}
	if n.bad && !isCompound(n.kind) {
		x.gap(n, "Python would not compile this", true)
		x.poison(n)
		return ctlNext
	}
	switch n.kind {
	case "block", "module":
		return x.block(n)
	case "function_definition", "class_definition", "decorated_definition":
		x.define(n)
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
		x.gap(n, "Python would not compile this", true)
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
func (x *interp) simple(n *node) ctl {
	outerDoubt, outerGapped := x.doubt, x.gapped
	x.doubt, x.gapped = "", false
	x.stack = append(x.stack, place{x.mod, n})
	c := x.simpleStmt(n)
	if x.doubt != "" && !x.gapped {
		x.gap(n, x.doubt, false)
	}
	x.stack = x.stack[:len(x.stack)-1]
	x.doubt, x.gapped = outerDoubt, outerGapped
	return c
}

func (x *interp) simpleStmt(n *node) ctl {
	switch n.kind {
	case "expression_statement":
		for _, k := range n.kids {
			switch k.kind {
			case "assignment":
				x.assignment(k)
			case "augmented_assignment":
				x.augment(k)
			default:
				v, ok := x.eval(k).(unknown)
				switch {
				case !ok:
				case v.refused:
					x.gap(n, v.why, true)
				case k.kind == "call" && strings.HasPrefix(v.path, "sqlalchemy."):
					// Harmless inside of an expression, but alone it must have been called for an effect.
					x.doubted(v.why)
				case k.kind != "call":
					x.doubted(v.why)
				}
			}
		}
	case "return_statement":
		x.returned = none{}
		if len(n.kids) > 0 {
			x.returned = x.eval(n.kids[0])
		}
		return ctlReturn
	case "break_statement":
		return ctlBreak
	case "continue_statement":
		return ctlContinue
	case "raise_statement":
		x.gap(n, "the migration stops here by itself"+x.message(n), true)
		return ctlRaise
	case "assert_statement":
		if len(n.kids) == 0 {
			return ctlNext
		}
		if is, ok := truth(x.eval(n.kids[0])); ok && !is {
			x.gap(n, "the migration stops here by itself"+x.message(n), true)
			return ctlRaise
		}
		// Not known: the author expects it to hold, and a failure changes nothing in the database.
	case "import_statement", "import_from_statement":
		x.imports(n)
	case "future_import_statement", "pass_statement", "comment", "nonlocal_statement":
	case "global_statement":
		if x.env.globals == nil {
			x.env.globals = map[string]bool{}
		}
		for _, k := range n.kids {
			x.env.globals[x.mod.src(k)] = true
		}
	case "delete_statement":
		x.poison(n)
	case "print_statement", "type_alias_statement":
	case "exec_statement":
		x.gap(n, "code made at run time", false)
	default:
		x.gap(n, "a statement that is not understood", false)
		x.poison(n)
	}
	return ctlNext
}

// message is the text of a raise or assert, when it is written there.
func (x *interp) message(n *node) string {
	var found string
	walk(n, func(k *node) bool {
		if k.kind == "string" && found == "" {
			if s, ok := x.evalString(k).(text); ok {
				found = ": " + shorten(s.s)
			}
		}
		return found == ""
	})
	return found
}

// walk visits n and what is below it while f says so.
func walk(n *node, f func(*node) bool) {
	if !f(n) {
		return
	}
	for _, k := range n.kids {
		walk(k, f)
	}
}

func (x *interp) assignment(n *node) {
	left, right := n.child("left"), n.child("right")
	if left == nil || right == nil {
		return
	}
	var v value
	if right.kind == "assignment" {
		x.assignment(right)
		if l := right.child("left"); l != nil {
			v = x.eval(l)
		}
	} else {
		v = x.eval(right)
	}
	x.assign(left, v)
	if u, ok := v.(unknown); ok && u.refused {
		x.gap(n, u.why, true)
	}
}

// assign binds v to the names of a target.
func (x *interp) assign(target *node, v value) {
	switch target.kind {
	case "identifier":
		x.env.set(x.mod.src(target), v)
	case "tuple_pattern", "pattern_list", "list_pattern", "tuple", "list", "expression_list", "parenthesized_expression":
		items, w := iterate(v)
		if w == "" && len(items) == len(target.kids) && !hasSplat(target) {
			for i, k := range target.kids {
				x.assign(k, items[i])
			}
			return
		}
		for _, k := range target.kids {
			x.assign(k, unknown{why: orWhy(v, "a value that is not known")})
		}
	case "list_splat_pattern":
		for _, k := range target.kids {
			x.assign(k, unknown{why: "the rest of a list"})
		}
	case "subscript":
		on, key := target.child("value"), target.child("subscript")
		if on == nil || key == nil {
			return
		}
		switch d := x.eval(on).(type) {
		case *dict:
			k := x.eval(key)
			if isUnknown(k) {
				d.why = why(k)
				return
			}
			d.set(k, v)
		case *list:
			d.why = "a list that was changed"
			if i, ok := x.eval(key).(int64); ok && i >= 0 && i < int64(len(d.items)) && !d.tuple {
				d.why = ""
				d.items[i] = v
			}
		}
	case "attribute":
		obj, name := target.child("object"), target.child("attribute")
		if obj == nil || name == nil {
			return
		}
		switch o := x.eval(obj).(type) {
		case *class:
			o.env.set(x.mod.src(name), v)
		case *row:
			x.doubted("an ORM object is changed, whose UPDATE cannot be known")
		case unknown:
			if x.script != nil {
				x.doubted("an attribute of " + o.why + " is set")
			}
		}
	}
}

func hasSplat(n *node) bool {
	for _, k := range n.kids {
		if k.kind == "list_splat_pattern" {
			return true
		}
	}
	return false
}

func (x *interp) augment(n *node) {
	left, right, op := n.child("left"), n.child("right"), n.child("operator")
	if left == nil || right == nil || op == nil {
		return
	}
	old := x.eval(left)
	v := x.eval(right)
	sign := strings.TrimSuffix(x.mod.src(op), "=")
	if l, ok := old.(*list); ok && !l.tuple && sign == "+" {
		items, w := iterate(v)
		x.charge(v)
		l.items = append(l.items, items...)
		if w != "" {
			l.why = w
		}
		if len(l.items) > maxItems {
			l.items, l.why = nil, "a list that grows too long"
		}
		return
	}
	x.assign(left, x.binary(old, sign, v))
}

func (x *interp) ifStmt(n *node) ctl {
	type arm struct{ cond, body *node }
	var arms []arm
	arms = append(arms, arm{n.child("condition"), n.child("consequence")})
	for _, k := range n.kids {
		switch k.kind {
		case "elif_clause":
			arms = append(arms, arm{k.child("condition"), k.child("consequence")})
		case "else_clause":
			arms = append(arms, arm{nil, k.child("body")})
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
		is, ok := truth(v)
		if !ok {
			x.skip(n, "a condition that depends on "+orWhy(v, "something that is not known"), doubted)
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
func (x *interp) condition(n *node) (v value, doubted bool) {
	doubt, gapped := x.doubt, x.gapped
	x.doubt, x.gapped = "", false
	x.stack = append(x.stack, place{x.mod, n})
	v = x.eval(n)
	if x.doubt != "" && !x.gapped {
		if is := isUnknown(v); is {
			doubted = true
		} else {
			x.gap(n, x.doubt, false)
		}
	}
	x.stack = x.stack[:len(x.stack)-1]
	x.doubt, x.gapped = doubt, gapped
	return v, doubted
}

// skip leaves a statement unread: a gap, unless nothing in it could touch the database. Whatever it may change becomes
// unknown.
func (x *interp) skip(n *node, reason string, doubted bool) {
	x.poison(n)
	if doubted || !x.harmless(n) {
		x.gap(n, reason, false)
	}
}

// harmless reports whether a statement calls nothing but print and loggers, apart from what its condition calls.
func (x *interp) harmless(n *node) bool {
	ok := true
	walk(n, func(k *node) bool {
		if k != n && (k.field == "condition" && n.kind == "if_statement" || k.field == "right" && n.kind == "for_statement") {
			for _, c := range n.kids {
				if c == k {
					return false
				}
			}
		}
		switch k.kind {
		case "call":
			f := k.child("function")
			if f == nil {
				ok = false
				break
			}
			if name := x.mod.src(f); !isHarmlessName(name) {
				ok = false
			}
		case "raise_statement", "return_statement", "break_statement", "continue_statement", "assert_statement":
			if k.kind == "return_statement" || k.kind == "break_statement" || k.kind == "continue_statement" {
				ok = false // what follows it may not run
			}
		case "attribute", "subscript":
			if k.field == "left" {
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
func (x *interp) poison(n *node) {
	u := unknown{why: "a value set by code that is not understood"}
	var bind func(k *node)
	bind = func(k *node) {
		switch k.kind {
		case "identifier":
			x.env.set(x.mod.src(k), u)
		case "attribute", "subscript":
			obj := k.child("object")
			if obj == nil {
				obj = k.child("value")
			}
			if obj != nil && obj.kind == "identifier" {
				x.taint(obj, u.why)
			}
		default:
			for _, c := range k.kids {
				bind(c)
			}
		}
	}
	walk(n, func(k *node) bool {
		switch k.kind {
		case "function_definition", "class_definition":
			if name := k.child("name"); name != nil && k != n {
				x.env.set(x.mod.src(name), u)
			}
			return k == n
		case "assignment", "augmented_assignment", "for_statement":
			if l := k.child("left"); l != nil {
				bind(l)
			}
		case "named_expression":
			if l := k.child("name"); l != nil {
				bind(l)
			}
		case "as_pattern_target", "delete_statement":
			for _, c := range k.kids {
				bind(c)
			}
		case "call":
			if f := k.child("function"); f != nil && f.kind == "attribute" {
				if o := f.child("object"); o != nil && o.kind == "identifier" {
					x.taint(o, u.why)
				}
			}
		}
		return true
	})
}

// taint makes the contents of the list or dict called n unknown.
func (x *interp) taint(n *node, reason string) {
	if v, ok := x.env.get(x.mod.src(n)); ok {
		taintValue(v, reason)
	}
}

func taintValue(v value, reason string) {
	switch v := v.(type) {
	case *list:
		if !v.tuple {
			v.why = reason
		}
	case *dict:
		v.why = reason
	}
}

func (x *interp) forStmt(n *node) ctl {
	left, right, body := n.child("left"), n.child("right"), n.child("body")
	if left == nil || right == nil || body == nil {
		x.skip(n, "a loop that is not understood", true)
		return ctlNext
	}
	v, doubted := x.condition(right)
	items, w := iterate(v)
	if w != "" {
		x.skip(n, "a loop over "+w, doubted)
		return ctlNext
	}
	for _, it := range append([]value{}, items...) {
		if x.steps > maxSteps {
			break
		}
		x.assign(left, it)
		switch c := x.stmt(body); c {
		case ctlBreak:
			return ctlNext
		case ctlReturn, ctlRaise:
			return c
		}
	}
	if alt := n.child("alternative"); alt != nil {
		if b := alt.child("body"); b != nil {
			return x.stmt(b)
		}
	}
	return ctlNext
}

func (x *interp) whileStmt(n *node) ctl {
	cond, body := n.child("condition"), n.child("body")
	if cond == nil || body == nil {
		x.skip(n, "a loop that is not understood", true)
		return ctlNext
	}
	for range maxItems {
		v, doubted := x.condition(cond)
		is, ok := truth(v)
		if !ok {
			x.skip(n, "a loop whose condition depends on "+orWhy(v, "something that is not known"), doubted)
			return ctlNext
		}
		if !is {
			return ctlNext
		}
		switch c := x.stmt(body); c {
		case ctlBreak:
			return ctlNext
		case ctlReturn, ctlRaise:
			return c
		}
		if x.steps > maxSteps {
			break
		}
	}
	x.gap(n, "a loop that runs too long to follow", false)
	return ctlNext
}

func (x *interp) withStmt(n *node) ctl {
	body := n.child("body")
	if body == nil {
		return ctlNext
	}
	var exits []func()
	for _, clause := range n.kids {
		if clause.kind != "with_clause" {
			continue
		}
		for _, item := range clause.kids {
			v := item.child("value")
			if v == nil {
				continue
			}
			var target *node
			if v.kind == "as_pattern" && len(v.kids) > 0 {
				target = v.child("alias")
				v = v.kids[0]
			}
			outer, gapped := x.doubt, x.gapped
			x.doubt, x.gapped = "", false
			x.stack = append(x.stack, place{x.mod, v})
			entered, exit := x.enter(x.eval(v))
			if x.doubt != "" && !x.gapped {
				x.gap(v, x.doubt, false)
			}
			x.stack = x.stack[:len(x.stack)-1]
			x.doubt, x.gapped = outer, gapped
			if exit != nil {
				exits = append(exits, exit)
			}
			if target != nil && len(target.kids) > 0 {
				x.assign(target.kids[0], entered)
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
func (x *interp) enter(v value) (value, func()) {
	switch v := v.(type) {
	case *autocommit:
		t := x.tx
		if t == nil {
			return none{}, nil
		}
		t.autocommit++
		return none{}, func() {
			t.autocommit--
			if t.autocommit == 0 {
				t.begin()
			}
		}
	case *batch:
		return v, func() { v.flush(x) }
	}
	return v, nil
}

func (x *interp) tryStmt(n *node) ctl {
	c := ctlNext
	if b := n.child("body"); b != nil {
		c = x.stmt(b)
	}
	for _, k := range n.kids {
		switch k.kind {
		case "except_clause", "except_group_clause":
			// It runs when a statement failed, which aborts PostgreSQL's transaction: only what it does to names and
			// what it calls matters.
			if len(k.kids) == 0 || strings.Contains(x.mod.src(k.kids[0]), "ImportError") ||
				strings.Contains(x.mod.src(k.kids[0]), "ModuleNotFoundError") {
				continue // the import in the body is taken to work
			}
			body := k.kids[len(k.kids)-1]
			x.poison(body)
			if x.script != nil && !x.harmless(body) {
				x.gap(k, "an except branch: whether it runs cannot be known", false)
			}
		case "else_clause":
			if b := k.child("body"); b != nil && c == ctlNext {
				c = x.stmt(b)
			}
		case "finally_clause":
			for _, b := range k.kids {
				if f := x.stmt(b); f != ctlNext {
					c = f
				}
			}
		}
	}
	return c
}

// gap records code that is not understood, once for each place and reason.
func (x *interp) gap(n *node, reason string, refused bool) {
	x.gapped = true
	if x.script == nil {
		// At a module's top level, only what stops Python or may send SQL matters.
		if !x.quiet && (refused || strings.Contains(x.mod.src(n), "op.")) {
			x.mod.early = append(x.mod.early, Gap{File: x.mod.file, At: n.start, Reason: reason, Source: shorten(x.mod.src(n)), Refused: refused})
		}
		return
	}
	g := Gap{File: x.mod.file, At: n.start, Reason: reason, Source: shorten(x.mod.src(n)), Refused: refused}
	key := gapKey{g.File, g.At, reason}
	if x.seen[key] {
		return
	}
	x.seen[key] = true
	g.Ignores = x.ignores()
	if len(x.stack) == 0 || n.start < x.stack[len(x.stack)-1].n.start || n.end > x.stack[len(x.stack)-1].n.end {
		g.Ignores = append(g.Ignores, x.ignoresAt(x.mod, n)...)
	}
	x.script.Gaps = append(x.script.Gaps, g)
}

// doubted says that the statement being run is not understood; the first reason counts.
func (x *interp) doubted(reason string) {
	if x.script != nil && x.doubt == "" {
		x.doubt = reason
	}
}

// shorten is the first line of s, cut to a readable length.
func shorten(s string) string {
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
