package alembic

import (
	"strconv"
	"strings"
)

// args are the evaluated arguments of a call.
type args struct {
	n   *node // the call
	pos []value
	kw  map[string]value
	// why is not empty when there was a *x or **x that is unknown.
	why string
}

// get is the argument called name, or the i-th; ok is false when it is not given.
func (a args) get(i int, name string) (value, bool) {
	if v, ok := a.kw[name]; ok {
		return v, true
	}
	if i >= 0 && i < len(a.pos) {
		return a.pos[i], true
	}
	return nil, false
}

// eval evaluates an expression. It never returns nil.
func (x *interp) eval(n *node) value {
	return x.charge(x.evalNode(n))
}

func (x *interp) evalNode(n *node) value {
	x.steps++
	if x.steps > maxSteps {
		return unknown{why: "the code runs too long to follow"}
	}
	if n.bad {
		return unknown{why: "Python would not compile this", refused: true}
	}
	switch n.kind {
	case "string":
		return x.evalString(n)
	case "concatenated_string":
		parts := make([]text, 0, len(n.kids))
		for _, k := range n.kids {
			v := x.eval(k)
			s, ok := v.(text)
			if !ok {
				return v
			}
			parts = append(parts, s)
		}
		return cat(parts...)
	case "integer":
		s := strings.ReplaceAll(strings.ToLower(x.mod.src(n)), "_", "")
		i, err := strconv.ParseInt(s, 0, 64)
		if err != nil {
			return unknown{why: "a number that is too large"}
		}
		return i
	case "float":
		return float(x.mod.src(n))
	case "true":
		return true
	case "false":
		return false
	case "none":
		return none{}
	case "identifier":
		return x.lookup(x.mod.src(n))
	case "parenthesized_expression":
		if len(n.kids) == 1 {
			return x.eval(n.kids[0])
		}
	case "named_expression":
		name, v := n.child("name"), n.child("value")
		if name != nil && v != nil {
			val := x.eval(v)
			x.env.set(x.mod.src(name), val)
			return val
		}
	case "list", "set":
		return x.evalItems(n, false)
	case "tuple", "expression_list":
		return x.evalItems(n, true)
	case "dictionary":
		return x.evalDict(n)
	case "attribute":
		return x.evalAttribute(n)
	case "subscript":
		return x.evalSubscript(n)
	case "call":
		return x.evalCall(n)
	case "binary_operator":
		return x.evalBinary(n)
	case "boolean_operator":
		return x.evalBoolean(n)
	case "not_operator":
		if a := n.child("argument"); a != nil {
			v := x.eval(a)
			if is, ok := truth(v); ok {
				return !is
			}
			return unknown{why: orWhy(v, "a condition that is not known")}
		}
	case "comparison_operator":
		return x.evalComparison(n)
	case "unary_operator":
		return x.evalUnary(n)
	case "conditional_expression":
		if len(n.kids) == 3 {
			cond := x.eval(n.kids[1])
			is, ok := truth(cond)
			if !ok {
				return unknown{why: orWhy(cond, "a condition that is not known")}
			}
			if is {
				return x.eval(n.kids[0])
			}
			return x.eval(n.kids[2])
		}
	case "lambda":
		return &function{name: "lambda", def: n, env: x.env, mod: x.mod}
	case "list_comprehension", "generator_expression", "set_comprehension":
		return x.evalComprehension(n)
	case "dictionary_comprehension":
		return x.evalComprehension(n)
	case "ellipsis":
		return none{}
	case "await":
		return unknown{why: "asynchronous code"}
	}
	return unknown{why: "an expression that is not understood: " + shorten(x.mod.src(n))}
}

func orWhy(v value, other string) string {
	if w := why(v); w != "" {
		return w
	}
	return other
}

// lookup is the value of a name.
func (x *interp) lookup(name string) value {
	if v, ok := x.env.get(name); ok {
		return v
	}
	if isBuiltin(name) {
		return ext{"builtins." + name}
	}
	if x.mod.stars {
		return unknown{why: name + ", which a wildcard import may have brought"}
	}
	return unknown{why: "the name " + name + ", which is not defined", refused: true}
}

func (x *interp) evalItems(n *node, tuple bool) value {
	l := &list{tuple: tuple}
	for _, k := range n.kids {
		if k.kind == "list_splat" && len(k.kids) == 1 {
			items, w := iterate(x.eval(k.kids[0]))
			if w != "" {
				return unknown{why: w}
			}
			l.items = append(l.items, items...)
			continue
		}
		l.items = append(l.items, x.eval(k))
	}
	return l
}

func (x *interp) evalDict(n *node) value {
	d := &dict{}
	for _, k := range n.kids {
		switch {
		case k.kind == "pair" && len(k.kids) == 2:
			key := x.eval(k.kids[0])
			if w := why(key); w != "" {
				return unknown{why: w}
			}
			d.set(key, x.eval(k.kids[1]))
			x.charge(d)
		case k.kind == "dictionary_splat" && len(k.kids) == 1:
			other, ok := x.eval(k.kids[0]).(*dict)
			if !ok || other.why != "" {
				return unknown{why: "a dict whose parts are not known"}
			}
			for i, key := range other.keys {
				d.set(key, other.vals[i])
			}
		default:
			return unknown{why: "a dict that is not understood"}
		}
	}
	return d
}

func (x *interp) evalBinary(n *node) value {
	l, r, op := n.child("left"), n.child("right"), n.child("operator")
	if l == nil || r == nil || op == nil {
		return unknown{why: "an expression that is not understood"}
	}
	return x.binary(x.eval(l), x.mod.src(op), x.eval(r))
}

func (x *interp) binary(a value, op string, b value) value {
	return x.charge(x.operate(a, op, b))
}

func (x *interp) operate(a value, op string, b value) value {
	if w := why(a); w != "" {
		return a
	}
	if f, ok := a.(text); ok && op == "%" {
		return percent(f, b)
	}
	if w := why(b); w != "" {
		return b
	}
	if v, ok := sqlBinary(a, op, b); ok {
		return v
	}
	switch a := a.(type) {
	case text:
		switch b := b.(type) {
		case text:
			if op == "+" {
				if len(a.s)+len(b.s) > maxText {
					return unknown{why: "a string that grows too long"}
				}
				return cat(a, b)
			}
		case int64:
			if op == "*" && b >= 0 && b*int64(len(a.s)) <= 1<<16 {
				parts := make([]text, b)
				for i := range parts {
					parts[i] = a
				}
				return cat(parts...)
			}
		}
	case int64:
		b, ok := b.(int64)
		if !ok {
			break
		}
		const big = 1 << 31
		if a > big || a < -big || b > big || b < -big {
			break
		}
		switch op {
		case "+":
			return a + b
		case "-":
			return a - b
		case "*":
			return a * b
		case "//", "%":
			if b == 0 {
				break
			}
			q := a / b
			if a%b != 0 && (a < 0) != (b < 0) {
				q--
			}
			if op == "//" {
				return q
			}
			return a - q*b
		case "|":
			return a | b
		case "&":
			return a & b
		case "^":
			return a ^ b
		case "<<":
			if b >= 0 && b <= 31 && a >= 0 {
				return a << b
			}
		case ">>":
			if b >= 0 && b <= 63 {
				return a >> b
			}
		case "**":
			if b >= 0 && b <= 31 && a == 2 {
				return int64(1) << b
			}
		}
	case *list:
		switch b := b.(type) {
		case *list:
			if op == "+" && a.tuple == b.tuple && len(a.items)+len(b.items) <= maxItems {
				return &list{items: append(append([]value{}, a.items...), b.items...), tuple: a.tuple}
			}
		case int64:
			if op == "*" && b >= 0 && b*int64(len(a.items)) <= maxItems {
				l := &list{tuple: a.tuple}
				for range b {
					l.items = append(l.items, a.items...)
				}
				return l
			}
		}
	case *dict:
		if b, ok := b.(*dict); ok && op == "|" {
			d := &dict{}
			for _, from := range []*dict{a, b} {
				for i, k := range from.keys {
					d.set(k, from.vals[i])
				}
			}
			return d
		}
	}
	return unknown{why: "an operation that is not understood"}
}

func (x *interp) evalBoolean(n *node) value {
	l, r, op := n.child("left"), n.child("right"), n.child("operator")
	if l == nil || r == nil || op == nil {
		return unknown{why: "an expression that is not understood"}
	}
	a := x.eval(l)
	is, ok := truth(a)
	if !ok {
		return unknown{why: orWhy(a, "a condition that is not known")}
	}
	if is == (op.kind == "or") {
		return a
	}
	return x.eval(r)
}

func (x *interp) evalUnary(n *node) value {
	op, a := n.child("operator"), n.child("argument")
	if op == nil || a == nil {
		return unknown{why: "an expression that is not understood"}
	}
	v := x.eval(a)
	if w := why(v); w != "" {
		return v
	}
	switch v := v.(type) {
	case int64:
		switch op.kind {
		case "-":
			return -v
		case "+":
			return v
		}
	case float:
		if op.kind == "-" {
			return "-" + v
		}
	}
	if e, ok := v.(*exprV); ok && op.kind == "~" {
		return e.not()
	}
	return unknown{why: "an operation that is not understood"}
}

func (x *interp) evalComparison(n *node) value {
	var operands []value
	var ops []string
	for _, k := range n.kids {
		if k.field == "operators" {
			ops = append(ops, k.kind)
			continue
		}
		operands = append(operands, x.eval(k))
	}
	if len(operands) != len(ops)+1 {
		return unknown{why: "a comparison that is not understood"}
	}
	for i, op := range ops {
		a, b := operands[i], operands[i+1]
		if len(ops) == 1 {
			if v, ok := sqlBinary(a, op, b); ok {
				return v
			}
		}
		is, ok := compare(a, op, b)
		if !ok {
			return unknown{why: orWhy(a, orWhy(b, "a comparison that is not known"))}
		}
		if !is {
			return false
		}
	}
	return true
}

func compare(a value, op string, b value) (is, ok bool) {
	if isUnknown(a) || isUnknown(b) {
		return false, false
	}
	switch op {
	case "==":
		return equal(a, b)
	case "!=", "<>":
		is, ok = equal(a, b)
		return !is, ok
	case "is", "is not":
		_, na := a.(none)
		_, nb := b.(none)
		is, ok = na == nb, na || nb
		if !ok {
			ba, oka := a.(bool)
			bb, okb := b.(bool)
			is, ok = oka && okb && ba == bb, oka && okb
		}
		return is == (op == "is"), ok
	case "in", "not in":
		var found bool
		switch b := b.(type) {
		case text:
			s, isText := a.(text)
			if !isText {
				return false, false
			}
			found = strings.Contains(b.s, s.s)
		case *dict:
			found = b.find(a) >= 0
		case *list:
			for _, it := range b.items {
				eq, known := equal(a, it)
				if !known {
					return false, false
				}
				found = found || eq
			}
		default:
			return false, false
		}
		return found == (op == "in"), true
	}
	var c int
	switch a := a.(type) {
	case int64:
		b, isInt := b.(int64)
		if !isInt {
			return false, false
		}
		c = int(max(-1, min(1, a-b)))
	case text:
		b, isText := b.(text)
		if !isText {
			return false, false
		}
		c = strings.Compare(a.s, b.s)
	default:
		return false, false
	}
	switch op {
	case "<":
		return c < 0, true
	case "<=":
		return c <= 0, true
	case ">":
		return c > 0, true
	case ">=":
		return c >= 0, true
	}
	return false, false
}

func (x *interp) evalSubscript(n *node) value {
	on := n.child("value")
	var subs []*node
	for _, k := range n.kids {
		if k.field == "subscript" {
			subs = append(subs, k)
		}
	}
	if on == nil || len(subs) != 1 {
		return unknown{why: "a subscript that is not understood"}
	}
	v := x.eval(on)
	if isUnknown(v) {
		return unknown{why: why(v)}
	}
	if subs[0].kind == "slice" {
		return x.evalSlice(v, subs[0])
	}
	key := x.eval(subs[0])
	if isUnknown(key) {
		return key
	}
	switch v := v.(type) {
	case *list:
		if i, ok := key.(int64); ok {
			if i < 0 {
				i += int64(len(v.items))
			}
			if i >= 0 && i < int64(len(v.items)) {
				return v.items[i]
			}
			return unknown{why: "an index out of range", refused: true}
		}
	case *dict:
		if i := v.find(key); i >= 0 {
			return v.vals[i]
		}
		return unknown{why: "a key that is not in the dict", refused: true}
	case text:
		if i, ok := key.(int64); ok {
			if i < 0 {
				i += int64(len(v.s))
			}
			if i >= 0 && i < int64(len(v.s)) && isASCII(v.s) {
				return v.sub(int(i), int(i)+1)
			}
		}
	case *class:
		if s, ok := key.(text); ok && v.isEnum() {
			return x.classAttribute(v, s.s)
		}
	case columnsOf:
		if s, ok := key.(text); ok {
			return v.column(s.s)
		}
	}
	return unknown{why: "a subscript that is not known: " + shorten(x.mod.src(n))}
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// evalSlice is v[a:b]; a step is not understood.
func (x *interp) evalSlice(v value, n *node) value {
	src := x.mod.src(n)
	if strings.Count(src, ":") != 1 {
		return unknown{why: "a slice that is not understood"}
	}
	var length int
	switch v := v.(type) {
	case text:
		if !isASCII(v.s) {
			return unknown{why: "a slice that is not understood"}
		}
		length = len(v.s)
	case *list:
		length = len(v.items)
	default:
		return unknown{why: "a slice that is not understood"}
	}
	colon := n.start + strings.IndexByte(src, ':')
	from, to := 0, length
	for _, k := range n.kids {
		i, ok := x.eval(k).(int64)
		if !ok {
			return unknown{why: "a slice whose bounds are not known"}
		}
		if i < 0 {
			i += int64(length)
		}
		i = max(0, min(i, int64(length)))
		if k.start < colon {
			from = int(i)
		} else {
			to = int(i)
		}
	}
	to = max(from, to)
	if t, ok := v.(text); ok {
		return t.sub(from, to)
	}
	l := v.(*list)
	return &list{items: append([]value{}, l.items[from:to]...), tuple: l.tuple}
}

// iterate lists what a for loop over v would see; the reason is not empty when it is not known.
func iterate(v value) ([]value, string) {
	switch v := v.(type) {
	case *list:
		return v.items, v.why
	case *dict:
		return v.keys, v.why
	case text:
		if !isASCII(v.s) {
			return nil, "a loop over the characters of a string"
		}
		out := make([]value, len(v.s))
		for i := range out {
			out[i] = v.sub(i, i+1)
		}
		return out, ""
	case *class:
		if v.isEnum() {
			return v.members(), ""
		}
	}
	return nil, orWhy(v, "something that is not known")
}

func (x *interp) evalComprehension(n *node) value {
	body := n.child("body")
	if body == nil {
		return unknown{why: "a comprehension that is not understood"}
	}
	inner := *x
	inner.env = newEnv(x.env)
	l, d := &list{}, &dict{}
	isDict := n.kind == "dictionary_comprehension"
	var clauses []*node
	for _, k := range n.kids {
		if k.kind == "for_in_clause" || k.kind == "if_clause" {
			clauses = append(clauses, k)
		}
	}
	var walk func(i int) string
	walk = func(i int) string {
		if i == len(clauses) {
			if isDict {
				if len(body.kids) != 2 {
					return "a comprehension that is not understood"
				}
				key := inner.eval(body.kids[0])
				if w := why(key); w != "" {
					return w
				}
				d.set(key, inner.eval(body.kids[1]))
				x.charge(d)
				return ""
			}
			if len(l.items) >= maxItems {
				return "a list that grows too long"
			}
			l.items = append(l.items, inner.eval(body))
			return ""
		}
		c := clauses[i]
		if c.kind == "if_clause" {
			cond := inner.eval(c.kids[0])
			is, ok := truth(cond)
			if !ok {
				return orWhy(cond, "a condition that is not known")
			}
			if is {
				return walk(i + 1)
			}
			return ""
		}
		left, right := c.child("left"), c.child("right")
		if left == nil || right == nil {
			return "a comprehension that is not understood"
		}
		items, w := iterate(inner.eval(right))
		if w != "" {
			return w
		}
		for _, it := range items {
			inner.assign(left, it)
			if w := walk(i + 1); w != "" {
				return w
			}
		}
		return ""
	}
	w := walk(0)
	if w != "" {
		return unknown{why: w}
	}
	if isDict {
		return d
	}
	return l
}
