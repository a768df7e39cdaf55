package python

import (
	"strconv"
	"strings"
)

// Args are the evaluated arguments of a call.
type Args struct {
	N   *Node // the call
	Pos []Value
	Kw  map[string]Value
	// Why is not empty when there was a *x or **x that is unknown.
	Why string
}

// Get is the argument called name, or the i-th; ok is false when it is not given.
func (a Args) Get(i int, name string) (Value, bool) {
	if v, ok := a.Kw[name]; ok {
		return v, true
	}
	if i >= 0 && i < len(a.Pos) {
		return a.Pos[i], true
	}
	return nil, false
}

// Eval evaluates an expression. It never returns nil.
func (x *Interp) Eval(n *Node) Value {
	return x.Charge(x.evalNode(n))
}

func (x *Interp) evalNode(n *Node) Value {
	x.Steps++
	if x.Exhausted() {
		return Unknown{Why: "the code runs too long to follow"}
	}
	if n.Bad {
		return Unknown{Why: "Python would not compile this", Refused: true}
	}
	switch n.Kind {
	case "string":
		return x.EvalString(n)
	case "concatenated_string":
		parts := make([]Text, 0, len(n.Kids))
		for _, k := range n.Kids {
			v := x.Eval(k)
			s, ok := v.(Text)
			if !ok {
				return v
			}
			parts = append(parts, s)
		}
		return Cat(parts...)
	case "integer":
		s := strings.ReplaceAll(strings.ToLower(x.Mod.Src(n)), "_", "")
		i, err := strconv.ParseInt(s, 0, 64)
		if err != nil {
			return Unknown{Why: "a number that is too large"}
		}
		return i
	case "float":
		return Float(x.Mod.Src(n))
	case "true":
		return true
	case "false":
		return false
	case "none":
		return None{}
	case "identifier":
		return x.lookup(x.Mod.Src(n))
	case "parenthesized_expression":
		if len(n.Kids) == 1 {
			return x.Eval(n.Kids[0])
		}
	case "named_expression":
		name, v := n.Child("name"), n.Child("value")
		if name != nil && v != nil {
			val := x.Eval(v)
			x.Env.Set(x.Mod.Src(name), val)
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
		if a := n.Child("argument"); a != nil {
			v := x.Eval(a)
			if is, ok := Truth(v); ok {
				return !is
			}
			return Unknown{Why: OrWhy(v, "a condition that is not known")}
		}
	case "comparison_operator":
		return x.evalComparison(n)
	case "unary_operator":
		return x.evalUnary(n)
	case "conditional_expression":
		if len(n.Kids) == 3 {
			cond := x.Eval(n.Kids[1])
			is, ok := Truth(cond)
			if !ok {
				return Unknown{Why: OrWhy(cond, "a condition that is not known")}
			}
			if is {
				return x.Eval(n.Kids[0])
			}
			return x.Eval(n.Kids[2])
		}
	case "lambda":
		return &Function{Name: "lambda", Def: n, Env: x.Env, Mod: x.Mod}
	case "list_comprehension", "generator_expression", "set_comprehension":
		return x.evalComprehension(n)
	case "dictionary_comprehension":
		return x.evalComprehension(n)
	case "ellipsis":
		return None{}
	case "await":
		return Unknown{Why: "asynchronous code"}
	}
	return Unknown{Why: "an expression that is not understood: " + Shorten(x.Mod.Src(n))}
}

// OrWhy is the reason for which v is unknown, other when it is known.
func OrWhy(v Value, other string) string {
	if w := Why(v); w != "" {
		return w
	}
	return other
}

// lookup is the value of a name.
func (x *Interp) lookup(name string) Value {
	if v, ok := x.Env.Get(name); ok {
		return v
	}
	if isBuiltin(name) {
		return External{"builtins." + name}
	}
	if x.Mod.Stars {
		return Unknown{Why: name + ", which a wildcard import may have brought"}
	}
	return Unknown{Why: "the name " + name + ", which is not defined", Refused: true}
}

func (x *Interp) evalItems(n *Node, tuple bool) Value {
	l := &List{Tuple: tuple}
	for _, k := range n.Kids {
		if k.Kind == "list_splat" && len(k.Kids) == 1 {
			items, w := Iterate(x.Eval(k.Kids[0]))
			if w != "" {
				return Unknown{Why: w}
			}
			l.Items = append(l.Items, items...)
			continue
		}
		l.Items = append(l.Items, x.Eval(k))
	}
	return l
}

func (x *Interp) evalDict(n *Node) Value {
	d := &Dict{}
	for _, k := range n.Kids {
		switch {
		case k.Kind == "pair" && len(k.Kids) == 2:
			key := x.Eval(k.Kids[0])
			if w := Why(key); w != "" {
				return Unknown{Why: w}
			}
			d.set(key, x.Eval(k.Kids[1]))
			x.Charge(d)
		case k.Kind == "dictionary_splat" && len(k.Kids) == 1:
			other, ok := x.Eval(k.Kids[0]).(*Dict)
			if !ok || other.Why != "" {
				return Unknown{Why: "a dict whose parts are not known"}
			}
			for i, key := range other.Keys {
				d.set(key, other.Vals[i])
			}
		default:
			return Unknown{Why: "a dict that is not understood"}
		}
	}
	return d
}

func (x *Interp) evalBinary(n *Node) Value {
	l, r, op := n.Child("left"), n.Child("right"), n.Child("operator")
	if l == nil || r == nil || op == nil {
		return Unknown{Why: "an expression that is not understood"}
	}
	return x.binary(x.Eval(l), x.Mod.Src(op), x.Eval(r))
}

func (x *Interp) binary(a Value, op string, b Value) Value {
	return x.Charge(x.operate(a, op, b))
}

func (x *Interp) operate(a Value, op string, b Value) Value {
	if w := Why(a); w != "" {
		if t, ok := b.(Text); ok && op == "+" && x.Holes {
			return Cat(Plain(Hole), t)
		}
		return a
	}
	if f, ok := a.(Text); ok && op == "%" {
		return x.percent(f, b)
	}
	if w := Why(b); w != "" {
		if t, ok := a.(Text); ok && op == "+" && x.Holes {
			return Cat(t, Plain(Hole))
		}
		return b
	}
	if v, ok := sqlBinary(a, op, b); ok {
		return v
	}
	switch a := a.(type) {
	case Text:
		switch b := b.(type) {
		case Text:
			if op == "+" {
				if len(a.S)+len(b.S) > maxText {
					return Unknown{Why: "a string that grows too long"}
				}
				return Cat(a, b)
			}
		case int64:
			if op == "*" && b >= 0 && b*int64(len(a.S)) <= 1<<16 {
				parts := make([]Text, b)
				for i := range parts {
					parts[i] = a
				}
				return Cat(parts...)
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
	case *List:
		switch b := b.(type) {
		case *List:
			if op == "+" && a.Tuple == b.Tuple && len(a.Items)+len(b.Items) <= maxItems {
				return &List{Items: append(append([]Value{}, a.Items...), b.Items...), Tuple: a.Tuple}
			}
		case int64:
			if op == "*" && b >= 0 && b*int64(len(a.Items)) <= maxItems {
				l := &List{Tuple: a.Tuple}
				for range b {
					l.Items = append(l.Items, a.Items...)
				}
				return l
			}
		}
	case *Dict:
		if b, ok := b.(*Dict); ok && op == "|" {
			d := &Dict{}
			for _, from := range []*Dict{a, b} {
				for i, k := range from.Keys {
					d.set(k, from.Vals[i])
				}
			}
			return d
		}
	}
	return Unknown{Why: "an operation that is not understood"}
}

func (x *Interp) evalBoolean(n *Node) Value {
	l, r, op := n.Child("left"), n.Child("right"), n.Child("operator")
	if l == nil || r == nil || op == nil {
		return Unknown{Why: "an expression that is not understood"}
	}
	a := x.Eval(l)
	is, ok := Truth(a)
	if !ok {
		return Unknown{Why: OrWhy(a, "a condition that is not known")}
	}
	if is == (op.Kind == "or") {
		return a
	}
	return x.Eval(r)
}

func (x *Interp) evalUnary(n *Node) Value {
	op, a := n.Child("operator"), n.Child("argument")
	if op == nil || a == nil {
		return Unknown{Why: "an expression that is not understood"}
	}
	v := x.Eval(a)
	if w := Why(v); w != "" {
		return v
	}
	switch v := v.(type) {
	case int64:
		switch op.Kind {
		case "-":
			return -v
		case "+":
			return v
		}
	case Float:
		if op.Kind == "-" {
			return "-" + v
		}
	}
	if e, ok := v.(*Expr); ok && op.Kind == "~" {
		return e.not()
	}
	return Unknown{Why: "an operation that is not understood"}
}

func (x *Interp) evalComparison(n *Node) Value {
	var operands []Value
	var ops []string
	for _, k := range n.Kids {
		if k.Field == "operators" {
			ops = append(ops, k.Kind)
			continue
		}
		operands = append(operands, x.Eval(k))
	}
	if len(operands) != len(ops)+1 {
		return Unknown{Why: "a comparison that is not understood"}
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
			return Unknown{Why: OrWhy(a, OrWhy(b, "a comparison that is not known"))}
		}
		if !is {
			return false
		}
	}
	return true
}

func compare(a Value, op string, b Value) (is, ok bool) {
	if IsUnknown(a) || IsUnknown(b) {
		return false, false
	}
	switch op {
	case "==":
		return Equal(a, b)
	case "!=", "<>":
		is, ok = Equal(a, b)
		return !is, ok
	case "is", "is not":
		_, na := a.(None)
		_, nb := b.(None)
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
		case Text:
			s, isText := a.(Text)
			if !isText {
				return false, false
			}
			found = strings.Contains(b.S, s.S)
		case *Dict:
			found = b.find(a) >= 0
		case *List:
			for _, it := range b.Items {
				eq, known := Equal(a, it)
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
	case Text:
		b, isText := b.(Text)
		if !isText {
			return false, false
		}
		c = strings.Compare(a.S, b.S)
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

func (x *Interp) evalSubscript(n *Node) Value {
	on := n.Child("value")
	var subs []*Node
	for _, k := range n.Kids {
		if k.Field == "subscript" {
			subs = append(subs, k)
		}
	}
	if on == nil || len(subs) != 1 {
		return Unknown{Why: "a subscript that is not understood"}
	}
	v := x.Eval(on)
	if IsUnknown(v) {
		return Unknown{Why: Why(v)}
	}
	if subs[0].Kind == "slice" {
		return x.evalSlice(v, subs[0])
	}
	key := x.Eval(subs[0])
	if IsUnknown(key) {
		return key
	}
	switch v := v.(type) {
	case *List:
		if i, ok := key.(int64); ok {
			if i < 0 {
				i += int64(len(v.Items))
			}
			if i >= 0 && i < int64(len(v.Items)) {
				return v.Items[i]
			}
			return Unknown{Why: "an index out of range", Refused: true}
		}
	case *Dict:
		if i := v.find(key); i >= 0 {
			return v.Vals[i]
		}
		return Unknown{Why: "a key that is not in the dict", Refused: true}
	case Text:
		if i, ok := key.(int64); ok {
			if i < 0 {
				i += int64(len(v.S))
			}
			if i >= 0 && i < int64(len(v.S)) && isASCII(v.S) {
				return v.Sub(int(i), int(i)+1)
			}
		}
	case *Class:
		if s, ok := key.(Text); ok && v.IsEnum() {
			return x.classAttribute(v, s.S)
		}
	case ColumnsOf:
		if s, ok := key.(Text); ok {
			return v.column(s.S)
		}
	}
	return Unknown{Why: "a subscript that is not known: " + Shorten(x.Mod.Src(n))}
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
func (x *Interp) evalSlice(v Value, n *Node) Value {
	src := x.Mod.Src(n)
	if strings.Count(src, ":") != 1 {
		return Unknown{Why: "a slice that is not understood"}
	}
	var length int
	switch v := v.(type) {
	case Text:
		if !isASCII(v.S) {
			return Unknown{Why: "a slice that is not understood"}
		}
		length = len(v.S)
	case *List:
		length = len(v.Items)
	default:
		return Unknown{Why: "a slice that is not understood"}
	}
	colon := n.Start + strings.IndexByte(src, ':')
	from, to := 0, length
	for _, k := range n.Kids {
		i, ok := x.Eval(k).(int64)
		if !ok {
			return Unknown{Why: "a slice whose bounds are not known"}
		}
		if i < 0 {
			i += int64(length)
		}
		i = max(0, min(i, int64(length)))
		if k.Start < colon {
			from = int(i)
		} else {
			to = int(i)
		}
	}
	to = max(from, to)
	if t, ok := v.(Text); ok {
		return t.Sub(from, to)
	}
	l := v.(*List)
	return &List{Items: append([]Value{}, l.Items[from:to]...), Tuple: l.Tuple}
}

// Iterate lists what a for loop over v would see; the reason is not empty when it is not known.
func Iterate(v Value) ([]Value, string) {
	switch v := v.(type) {
	case *List:
		return v.Items, v.Why
	case *Dict:
		return v.Keys, v.Why
	case Text:
		if !isASCII(v.S) {
			return nil, "a loop over the characters of a string"
		}
		out := make([]Value, len(v.S))
		for i := range out {
			out[i] = v.Sub(i, i+1)
		}
		return out, ""
	case *Class:
		if v.IsEnum() {
			return v.Members(), ""
		}
	}
	return nil, OrWhy(v, "something that is not known")
}

func (x *Interp) evalComprehension(n *Node) Value {
	body := n.Child("body")
	if body == nil {
		return Unknown{Why: "a comprehension that is not understood"}
	}
	inner := *x
	inner.Env = NewEnv(x.Env)
	l, d := &List{}, &Dict{}
	isDict := n.Kind == "dictionary_comprehension"
	var clauses []*Node
	for _, k := range n.Kids {
		if k.Kind == "for_in_clause" || k.Kind == "if_clause" {
			clauses = append(clauses, k)
		}
	}
	var walk func(i int) string
	walk = func(i int) string {
		if i == len(clauses) {
			if isDict {
				if len(body.Kids) != 2 {
					return "a comprehension that is not understood"
				}
				key := inner.Eval(body.Kids[0])
				if w := Why(key); w != "" {
					return w
				}
				d.set(key, inner.Eval(body.Kids[1]))
				x.Charge(d)
				return ""
			}
			if len(l.Items) >= maxItems {
				return "a list that grows too long"
			}
			l.Items = append(l.Items, inner.Eval(body))
			return ""
		}
		c := clauses[i]
		if c.Kind == "if_clause" {
			cond := inner.Eval(c.Kids[0])
			is, ok := Truth(cond)
			if !ok {
				return OrWhy(cond, "a condition that is not known")
			}
			if is {
				return walk(i + 1)
			}
			return ""
		}
		left, right := c.Child("left"), c.Child("right")
		if left == nil || right == nil {
			return "a comprehension that is not understood"
		}
		items, w := Iterate(inner.Eval(right))
		if w != "" {
			return w
		}
		for _, it := range items {
			inner.Assign(left, it)
			if w := walk(i + 1); w != "" {
				return w
			}
		}
		return ""
	}
	w := walk(0)
	if w != "" {
		return Unknown{Why: w}
	}
	if isDict {
		return d
	}
	return l
}
