package python

import (
	"sort"
	"strings"
	"unicode"
)

func isBuiltin(name string) bool {
	switch name {
	case "print", "len", "range", "enumerate", "zip", "sorted", "reversed", "list", "tuple", "set", "frozenset", "dict",
		"str", "int", "bool", "repr", "isinstance", "issubclass", "any", "all", "sum", "min", "max", "map", "filter", "iter",
		"next", "open", "getattr", "setattr", "hasattr", "type", "super", "object", "property", "staticmethod",
		"classmethod", "Exception", "ValueError", "RuntimeError", "NotImplementedError", "KeyError", "TypeError",
		"AttributeError", "AssertionError", "ImportError", "SystemExit", "BaseException", "StopIteration", "__file__",
		"__name__", "exec", "eval", "globals", "locals", "format", "float", "bytes", "round", "abs", "input", "id", "chr",
		"ord", "vars", "callable", "__import__", "NotImplemented", "LookupError", "OSError", "IOError", "UserWarning",
		"DeprecationWarning", "Warning", "ModuleNotFoundError", "hash", "divmod", "slice", "exit", "quit", "__doc__", "bytearray", "complex", "dir", "hex", "oct", "bin", "ascii", "pow",
		"memoryview", "delattr", "breakpoint", "help", "aiter", "anext", "Ellipsis", "IndexError", "NameError", "OverflowError",
		"ZeroDivisionError", "UnicodeError", "UnicodeDecodeError", "UnicodeEncodeError", "TimeoutError", "ConnectionError",
		"FileNotFoundError", "FileExistsError", "PermissionError", "KeyboardInterrupt", "RecursionError", "ArithmeticError",
		"EnvironmentError", "BaseExceptionGroup", "ExceptionGroup", "FutureWarning", "__spec__", "__loader__", "__package__",
		"__builtins__", "__annotations__":
		return true
	}
	return false
}

// SortedKeys lists the keys of m in order.
func SortedKeys(m map[string]Value) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// callBuiltin calls one of Python's own functions; ok is false when it is not understood.
func (x *Interp) callBuiltin(name string, a Args) (Value, bool) {
	var first Value = None{}
	if len(a.Pos) > 0 {
		first = a.Pos[0]
	}
	items, w := Iterate(first)
	known := len(a.Pos) > 0 && w == ""
	switch name {
	case "print", "setattr", "input":
		return None{}, name == "print"
	case "len":
		if known {
			return int64(len(items)), true
		}
		if t, ok := first.(Text); ok {
			return int64(len([]rune(t.S))), true
		}
	case "range":
		return rangeOf(a)
	case "list", "tuple", "set", "frozenset", "iter":
		if len(a.Pos) == 0 {
			return &List{Tuple: name == "tuple"}, true
		}
		if known {
			return &List{Items: append([]Value{}, dedupe(items, name)...), Tuple: name == "tuple"}, true
		}
		return Unknown{Why: w}, true
	case "dict":
		d := &Dict{}
		if m, ok := first.(*Dict); ok && m.Why == "" {
			for i, k := range m.Keys {
				d.set(k, m.Vals[i])
			}
		} else if len(a.Pos) > 0 {
			for _, it := range items {
				pair, _ := Iterate(it)
				if len(pair) != 2 {
					return nil, false
				}
				d.set(pair[0], pair[1])
			}
			if w != "" {
				return Unknown{Why: w}, true
			}
		}
		for _, k := range SortedKeys(a.Kw) {
			d.set(Plain(k), a.Kw[k])
		}
		return d, true
	case "enumerate":
		if known {
			start := int64(0)
			if s, ok := a.Get(1, "start"); ok {
				if start, ok = s.(int64); !ok {
					return nil, false
				}
			}
			l := &List{}
			for i, it := range items {
				l.Items = append(l.Items, &List{Items: []Value{start + int64(i), it}, Tuple: true})
			}
			return l, true
		}
	case "zip":
		l := &List{}
		for i := 0; ; i++ {
			t := &List{Tuple: true}
			for _, p := range a.Pos {
				its, w := Iterate(p)
				if w != "" {
					return Unknown{Why: w}, true
				}
				if i >= len(its) {
					return l, true
				}
				t.Items = append(t.Items, its[i])
			}
			if len(a.Pos) == 0 {
				return l, true
			}
			l.Items = append(l.Items, t)
		}
	case "reversed":
		if known {
			l := &List{}
			for i := len(items) - 1; i >= 0; i-- {
				l.Items = append(l.Items, items[i])
			}
			return l, true
		}
	case "sorted":
		if known && len(a.Kw) == 0 {
			return sorted(items)
		}
	case "str":
		if len(a.Pos) == 0 {
			return Text{}, true
		}
		if s, ok := Str(first); ok && len(a.Pos) == 1 {
			return s, true
		}
	case "repr":
		if s, ok := repr(first); ok {
			return s, true
		}
	case "bool":
		if is, ok := Truth(first); ok {
			return is, true
		}
	case "int":
		if i, ok := first.(int64); ok {
			return i, true
		}
	case "getattr":
		if n, ok := second(a).(Text); ok && len(a.Pos) == 2 {
			return x.Attribute(first, n.S), true
		}
	case "isinstance":
		if e, ok := second(a).(External); ok && !IsUnknown(first) {
			switch first.(type) {
			case Text:
				return e.Path == "builtins.str", true
			case int64:
				return e.Path == "builtins.int", true
			case *Dict:
				return e.Path == "builtins.dict", true
			}
		}
	case "any", "all":
		if known {
			for _, it := range items {
				is, ok := Truth(it)
				if !ok {
					return Unknown{Why: OrWhy(it, "a condition that is not known")}, true
				}
				if is == (name == "any") {
					return is, true
				}
			}
			return name == "all", true
		}
	}
	return nil, false
}

func second(a Args) Value {
	if len(a.Pos) > 1 {
		return a.Pos[1]
	}
	return None{}
}

// dedupe drops repeated items for a set. Python's order of a set of strings changes from run to run; the order in
// which they are written is one of the possible ones.
func dedupe(items []Value, kind string) []Value {
	if kind != "set" && kind != "frozenset" {
		return items
	}
	var out []Value
next:
	for _, it := range items {
		for _, o := range out {
			if eq, ok := Equal(it, o); ok && eq {
				continue next
			}
		}
		out = append(out, it)
	}
	return out
}

func sorted(items []Value) (Value, bool) {
	out := append([]Value{}, items...)
	ok := true
	sort.SliceStable(out, func(i, j int) bool {
		less, known := compare(out[i], "<", out[j])
		ok = ok && known
		return less
	})
	if !ok {
		return nil, false
	}
	return &List{Items: out}, true
}

func rangeOf(a Args) (Value, bool) {
	var n [3]int64
	n[2] = 1
	for i, p := range a.Pos {
		v, ok := p.(int64)
		if !ok || i > 2 {
			return Unknown{Why: OrWhy(p, "a range whose bounds are not known")}, true
		}
		n[i] = v
	}
	if len(a.Pos) == 1 {
		n[0], n[1] = 0, n[0]
	}
	l := &List{}
	for i := n[0]; n[2] > 0 && i < n[1] || n[2] < 0 && i > n[1]; i += n[2] {
		if len(l.Items) >= maxItems {
			return Unknown{Why: "a range that is too long to follow"}, true
		}
		l.Items = append(l.Items, i)
	}
	return l, true
}

// callText calls a method of str.
func (x *Interp) callText(t Text, name string, a Args) Value {
	arg := func(i int) (string, bool) {
		if i >= len(a.Pos) {
			return "", false
		}
		s, ok := a.Pos[i].(Text)
		return s.S, ok
	}
	for _, p := range a.Pos {
		if w := Why(p); w != "" && !(x.Holes && name == "format") {
			return Unknown{Why: w}
		}
	}
	space := func(r rune) bool { return unicode.IsSpace(r) }
	s0, ok0 := arg(0)
	switch name {
	case "format":
		if a.Why != "" {
			return Unknown{Why: a.Why}
		}
		return x.strFormat(t, a)
	case "join":
		if len(a.Pos) == 1 {
			items, w := Iterate(a.Pos[0])
			if w != "" {
				return Unknown{Why: w}
			}
			parts := make([]Text, len(items))
			for i, it := range items {
				s, ok := it.(Text)
				if !ok {
					return Unknown{Why: OrWhy(it, "a part of a join that is no string")}
				}
				parts[i] = s
			}
			return Join(parts, t)
		}
	case "strip", "lstrip", "rstrip":
		var left, right func(string) string
		if name != "rstrip" {
			left = func(s string) string { return strings.TrimLeftFunc(s, space) }
			if ok0 {
				left = func(s string) string { return strings.TrimLeft(s, s0) }
			}
		}
		if name != "lstrip" {
			right = func(s string) string { return strings.TrimRightFunc(s, space) }
			if ok0 {
				right = func(s string) string { return strings.TrimRight(s, s0) }
			}
		}
		return t.trim(left, right)
	case "upper":
		return t.Mapped(strings.ToUpper(t.S))
	case "lower":
		return t.Mapped(strings.ToLower(t.S))
	case "title", "capitalize":
		if isASCII(t.S) && t.S != "" && !strings.ContainsAny(t.S, " _-0123456789'") {
			return t.Mapped(strings.ToUpper(t.S[:1]) + strings.ToLower(t.S[1:]))
		}
	case "replace":
		if s1, ok := second(a).(Text); ok0 && ok && len(a.Pos) == 2 {
			return t.Replace(s0, s1, -1)
		}
	case "split":
		switch {
		case len(a.Pos) == 0:
			return splitSpace(t)
		case ok0 && s0 != "" && len(a.Pos) == 1:
			return listOf(t.Split(s0, -1))
		}
	case "splitlines":
		if len(a.Pos) == 0 && len(a.Kw) == 0 && !strings.ContainsAny(t.S, "\r\v\f\u0085\u2028\u2029") {
			lines := t.lines()
			for i, l := range lines {
				lines[i] = l.Sub(0, len(strings.TrimSuffix(l.S, "\n")))
			}
			return listOf(lines)
		}
	case "startswith":
		if ok0 && len(a.Pos) == 1 {
			return strings.HasPrefix(t.S, s0)
		}
	case "endswith":
		if ok0 && len(a.Pos) == 1 {
			return strings.HasSuffix(t.S, s0)
		}
	case "removeprefix":
		if ok0 {
			return t.Sub(len(t.S)-len(strings.TrimPrefix(t.S, s0)), len(t.S))
		}
	case "removesuffix":
		if ok0 {
			return t.Sub(0, len(strings.TrimSuffix(t.S, s0)))
		}
	}
	return Unknown{Why: "a string method that is not understood: " + name}
}

func splitSpace(t Text) Value {
	var parts []Text
	start := -1
	for i, r := range t.S {
		switch {
		case unicode.IsSpace(r):
			if start >= 0 {
				parts = append(parts, t.Sub(start, i))
			}
			start = -1
		case start < 0:
			start = i
		}
	}
	if start >= 0 {
		parts = append(parts, t.Sub(start, len(t.S)))
	}
	return listOf(parts)
}

func listOf(parts []Text) *List {
	l := &List{}
	for _, p := range parts {
		l.Items = append(l.Items, p)
	}
	return l
}

func (x *Interp) callList(l *List, name string, a Args) Value {
	if l.Tuple && name != "index" && name != "count" {
		return Unknown{Why: "a tuple's method that does not exist", Refused: true}
	}
	switch name {
	case "append", "add":
		if len(a.Pos) == 1 {
			l.Items = append(l.Items, a.Pos[0])
			if len(l.Items) > maxItems {
				l.Items, l.Why = nil, "a list that grows too long"
			}
			return None{}
		}
	case "extend", "update":
		if len(a.Pos) == 1 {
			items, w := Iterate(a.Pos[0])
			l.Items = append(l.Items, items...)
			if w != "" {
				l.Why = w
			}
			if len(l.Items) > maxItems {
				l.Items, l.Why = nil, "a list that grows too long"
			}
			return None{}
		}
	case "copy":
		return &List{Items: append([]Value{}, l.Items...), Why: l.Why}
	case "reverse":
		for i, j := 0, len(l.Items)-1; i < j; i, j = i+1, j-1 {
			l.Items[i], l.Items[j] = l.Items[j], l.Items[i]
		}
		return None{}
	}
	taintValue(l, "a list that was changed in a way that is not understood")
	return Unknown{Why: "a list method that is not understood: " + name}
}

func (x *Interp) callDict(d *Dict, name string, a Args) Value {
	if d.Why != "" && name != "update" {
		return Unknown{Why: d.Why}
	}
	switch name {
	case "items":
		l := &List{}
		for i, k := range d.Keys {
			l.Items = append(l.Items, &List{Items: []Value{k, d.Vals[i]}, Tuple: true})
		}
		return l
	case "keys":
		return &List{Items: append([]Value{}, d.Keys...)}
	case "values":
		return &List{Items: append([]Value{}, d.Vals...)}
	case "get":
		if len(a.Pos) > 0 && !IsUnknown(a.Pos[0]) {
			if i := d.find(a.Pos[0]); i >= 0 {
				return d.Vals[i]
			}
			if len(a.Pos) > 1 {
				return a.Pos[1]
			}
			return None{}
		}
	case "copy":
		return &Dict{Keys: append([]Value{}, d.Keys...), Vals: append([]Value{}, d.Vals...)}
	case "update":
		if len(a.Pos) == 1 {
			if o, ok := a.Pos[0].(*Dict); ok && o.Why == "" {
				for i, k := range o.Keys {
					d.set(k, o.Vals[i])
				}
				return None{}
			}
		}
	}
	taintValue(d, "a dict that was changed in a way that is not understood")
	return Unknown{Why: "a dict method that is not understood: " + name}
}
