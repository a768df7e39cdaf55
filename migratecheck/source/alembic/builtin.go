package alembic

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

func sortedKeys(m map[string]value) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// callBuiltin calls one of Python's own functions; ok is false when it is not understood.
func (x *interp) callBuiltin(name string, a args) (value, bool) {
	var first value = none{}
	if len(a.pos) > 0 {
		first = a.pos[0]
	}
	items, w := iterate(first)
	known := len(a.pos) > 0 && w == ""
	switch name {
	case "print", "setattr", "input":
		return none{}, name == "print"
	case "len":
		if known {
			return int64(len(items)), true
		}
		if t, ok := first.(text); ok {
			return int64(len([]rune(t.s))), true
		}
	case "range":
		return rangeOf(a)
	case "list", "tuple", "set", "frozenset", "iter":
		if len(a.pos) == 0 {
			return &list{tuple: name == "tuple"}, true
		}
		if known {
			return &list{items: append([]value{}, dedupe(items, name)...), tuple: name == "tuple"}, true
		}
		return unknown{why: w}, true
	case "dict":
		d := &dict{}
		if m, ok := first.(*dict); ok && m.why == "" {
			for i, k := range m.keys {
				d.set(k, m.vals[i])
			}
		} else if len(a.pos) > 0 {
			for _, it := range items {
				pair, _ := iterate(it)
				if len(pair) != 2 {
					return nil, false
				}
				d.set(pair[0], pair[1])
			}
			if w != "" {
				return unknown{why: w}, true
			}
		}
		for _, k := range sortedKeys(a.kw) {
			d.set(plain(k), a.kw[k])
		}
		return d, true
	case "enumerate":
		if known {
			start := int64(0)
			if s, ok := a.get(1, "start"); ok {
				if start, ok = s.(int64); !ok {
					return nil, false
				}
			}
			l := &list{}
			for i, it := range items {
				l.items = append(l.items, &list{items: []value{start + int64(i), it}, tuple: true})
			}
			return l, true
		}
	case "zip":
		l := &list{}
		for i := 0; ; i++ {
			t := &list{tuple: true}
			for _, p := range a.pos {
				its, w := iterate(p)
				if w != "" {
					return unknown{why: w}, true
				}
				if i >= len(its) {
					return l, true
				}
				t.items = append(t.items, its[i])
			}
			if len(a.pos) == 0 {
				return l, true
			}
			l.items = append(l.items, t)
		}
	case "reversed":
		if known {
			l := &list{}
			for i := len(items) - 1; i >= 0; i-- {
				l.items = append(l.items, items[i])
			}
			return l, true
		}
	case "sorted":
		if known && len(a.kw) == 0 {
			return sorted(items)
		}
	case "str":
		if len(a.pos) == 0 {
			return text{}, true
		}
		if s, ok := str(first); ok && len(a.pos) == 1 {
			return s, true
		}
	case "repr":
		if s, ok := repr(first); ok {
			return s, true
		}
	case "bool":
		if is, ok := truth(first); ok {
			return is, true
		}
	case "int":
		if i, ok := first.(int64); ok {
			return i, true
		}
	case "getattr":
		if n, ok := second(a).(text); ok && len(a.pos) == 2 {
			return x.attribute(first, n.s), true
		}
	case "isinstance":
		if e, ok := second(a).(ext); ok && !isUnknown(first) {
			switch first.(type) {
			case text:
				return e.path == "builtins.str", true
			case int64:
				return e.path == "builtins.int", true
			case *dict:
				return e.path == "builtins.dict", true
			}
		}
	case "any", "all":
		if known {
			for _, it := range items {
				is, ok := truth(it)
				if !ok {
					return unknown{why: orWhy(it, "a condition that is not known")}, true
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

func second(a args) value {
	if len(a.pos) > 1 {
		return a.pos[1]
	}
	return none{}
}

// dedupe drops repeated items for a set. Python's order of a set of strings changes from run to run; the order in
// which they are written is one of the possible ones.
func dedupe(items []value, kind string) []value {
	if kind != "set" && kind != "frozenset" {
		return items
	}
	var out []value
next:
	for _, it := range items {
		for _, o := range out {
			if eq, ok := equal(it, o); ok && eq {
				continue next
			}
		}
		out = append(out, it)
	}
	return out
}

func sorted(items []value) (value, bool) {
	out := append([]value{}, items...)
	ok := true
	sort.SliceStable(out, func(i, j int) bool {
		less, known := compare(out[i], "<", out[j])
		ok = ok && known
		return less
	})
	if !ok {
		return nil, false
	}
	return &list{items: out}, true
}

func rangeOf(a args) (value, bool) {
	var n [3]int64
	n[2] = 1
	for i, p := range a.pos {
		v, ok := p.(int64)
		if !ok || i > 2 {
			return unknown{why: orWhy(p, "a range whose bounds are not known")}, true
		}
		n[i] = v
	}
	if len(a.pos) == 1 {
		n[0], n[1] = 0, n[0]
	}
	l := &list{}
	for i := n[0]; n[2] > 0 && i < n[1] || n[2] < 0 && i > n[1]; i += n[2] {
		if len(l.items) >= maxItems {
			return unknown{why: "a range that is too long to follow"}, true
		}
		l.items = append(l.items, i)
	}
	return l, true
}

// callText calls a method of str.
func (x *interp) callText(t text, name string, a args) value {
	arg := func(i int) (string, bool) {
		if i >= len(a.pos) {
			return "", false
		}
		s, ok := a.pos[i].(text)
		return s.s, ok
	}
	for _, p := range a.pos {
		if w := why(p); w != "" {
			return unknown{why: w}
		}
	}
	space := func(r rune) bool { return unicode.IsSpace(r) }
	s0, ok0 := arg(0)
	switch name {
	case "format":
		if a.why != "" {
			return unknown{why: a.why}
		}
		return x.strFormat(t, a)
	case "join":
		if len(a.pos) == 1 {
			items, w := iterate(a.pos[0])
			if w != "" {
				return unknown{why: w}
			}
			parts := make([]text, len(items))
			for i, it := range items {
				s, ok := it.(text)
				if !ok {
					return unknown{why: orWhy(it, "a part of a join that is no string")}
				}
				parts[i] = s
			}
			return join(parts, t)
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
		return t.mapped(strings.ToUpper(t.s))
	case "lower":
		return t.mapped(strings.ToLower(t.s))
	case "title", "capitalize":
		if isASCII(t.s) && t.s != "" && !strings.ContainsAny(t.s, " _-0123456789'") {
			return t.mapped(strings.ToUpper(t.s[:1]) + strings.ToLower(t.s[1:]))
		}
	case "replace":
		if s1, ok := second(a).(text); ok0 && ok && len(a.pos) == 2 {
			return t.replace(s0, s1, -1)
		}
	case "split":
		switch {
		case len(a.pos) == 0:
			return splitSpace(t)
		case ok0 && s0 != "" && len(a.pos) == 1:
			return listOf(t.split(s0, -1))
		}
	case "splitlines":
		if len(a.pos) == 0 && len(a.kw) == 0 && !strings.ContainsAny(t.s, "\r\v\f\u0085\u2028\u2029") {
			lines := t.lines()
			for i, l := range lines {
				lines[i] = l.sub(0, len(strings.TrimSuffix(l.s, "\n")))
			}
			return listOf(lines)
		}
	case "startswith":
		if ok0 && len(a.pos) == 1 {
			return strings.HasPrefix(t.s, s0)
		}
	case "endswith":
		if ok0 && len(a.pos) == 1 {
			return strings.HasSuffix(t.s, s0)
		}
	case "removeprefix":
		if ok0 {
			return t.sub(len(t.s)-len(strings.TrimPrefix(t.s, s0)), len(t.s))
		}
	case "removesuffix":
		if ok0 {
			return t.sub(0, len(strings.TrimSuffix(t.s, s0)))
		}
	}
	return unknown{why: "a string method that is not understood: " + name}
}

func splitSpace(t text) value {
	var parts []text
	start := -1
	for i, r := range t.s {
		switch {
		case unicode.IsSpace(r):
			if start >= 0 {
				parts = append(parts, t.sub(start, i))
			}
			start = -1
		case start < 0:
			start = i
		}
	}
	if start >= 0 {
		parts = append(parts, t.sub(start, len(t.s)))
	}
	return listOf(parts)
}

func listOf(parts []text) *list {
	l := &list{}
	for _, p := range parts {
		l.items = append(l.items, p)
	}
	return l
}

func (x *interp) callList(l *list, name string, a args) value {
	if l.tuple && name != "index" && name != "count" {
		return unknown{why: "a tuple's method that does not exist", refused: true}
	}
	switch name {
	case "append", "add":
		if len(a.pos) == 1 {
			l.items = append(l.items, a.pos[0])
			if len(l.items) > maxItems {
				l.items, l.why = nil, "a list that grows too long"
			}
			return none{}
		}
	case "extend", "update":
		if len(a.pos) == 1 {
			items, w := iterate(a.pos[0])
			l.items = append(l.items, items...)
			if w != "" {
				l.why = w
			}
			if len(l.items) > maxItems {
				l.items, l.why = nil, "a list that grows too long"
			}
			return none{}
		}
	case "copy":
		return &list{items: append([]value{}, l.items...), why: l.why}
	case "reverse":
		for i, j := 0, len(l.items)-1; i < j; i, j = i+1, j-1 {
			l.items[i], l.items[j] = l.items[j], l.items[i]
		}
		return none{}
	}
	taintValue(l, "a list that was changed in a way that is not understood")
	return unknown{why: "a list method that is not understood: " + name}
}

func (x *interp) callDict(d *dict, name string, a args) value {
	if d.why != "" && name != "update" {
		return unknown{why: d.why}
	}
	switch name {
	case "items":
		l := &list{}
		for i, k := range d.keys {
			l.items = append(l.items, &list{items: []value{k, d.vals[i]}, tuple: true})
		}
		return l
	case "keys":
		return &list{items: append([]value{}, d.keys...)}
	case "values":
		return &list{items: append([]value{}, d.vals...)}
	case "get":
		if len(a.pos) > 0 && !isUnknown(a.pos[0]) {
			if i := d.find(a.pos[0]); i >= 0 {
				return d.vals[i]
			}
			if len(a.pos) > 1 {
				return a.pos[1]
			}
			return none{}
		}
	case "copy":
		return &dict{keys: append([]value{}, d.keys...), vals: append([]value{}, d.vals...)}
	case "update":
		if len(a.pos) == 1 {
			if o, ok := a.pos[0].(*dict); ok && o.why == "" {
				for i, k := range o.keys {
					d.set(k, o.vals[i])
				}
				return none{}
			}
		}
	}
	taintValue(d, "a dict that was changed in a way that is not understood")
	return unknown{why: "a dict method that is not understood: " + name}
}
