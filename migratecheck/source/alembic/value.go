package alembic

import (
	"strconv"
	"strings"
)

// value is what a Python expression evaluates to. Its types are those of this file (Python's own) and of sa_*.go
// (SQLAlchemy's).
type value any

// unknown is a value that cannot be known without running the code.
type unknown struct {
	why string // completes "it depends on …"
	// refused: Python would raise an error here, e.g. because a name is not defined.
	refused bool
	// path names what it came from, for values got from code outside the file.
	path string
}

type none struct{}

type float string // as written

// list is Python's list, tuple or set.
type list struct {
	items []value
	tuple bool
	why   string // not empty: its contents are unknown
}

// dict keeps its pairs in order.
type dict struct {
	keys []value
	vals []value
	why  string
}

func (d *dict) find(key value) int {
	for i, k := range d.keys {
		if eq, ok := equal(k, key); ok && eq {
			return i
		}
	}
	return -1
}

func (d *dict) set(key, val value) {
	if i := d.find(key); i >= 0 {
		d.vals[i] = val
		return
	}
	d.keys = append(d.keys, key)
	d.vals = append(d.vals, val)
}

// function is a def or lambda of the file.
type function struct {
	name string
	def  *node
	env  *env // where it was defined
	mod  *module
}

// class is a class of the file: an enum, a declarative model, a type decorator.
type class struct {
	name  string
	bases []value
	env   *env
}

func (c *class) isEnum() bool {
	for _, b := range c.bases {
		switch b := b.(type) {
		case ext:
			if last := b.last(); strings.HasSuffix(last, "Enum") || last == "IntFlag" || last == "Flag" {
				return true
			}
		case *class:
			if b.isEnum() {
				return true
			}
		}
	}
	return false
}

// member is a member of an enum class.
type member struct {
	class *class
	name  text
	value value
}

// ext is a name from outside the file, as the dotted path by which it was imported: "sqlalchemy.Column".
type ext struct{ path string }

func (e ext) last() string { return e.path[strings.LastIndexByte(e.path, '.')+1:] }

// method is a value's attribute waiting to be called.
type method struct {
	self value
	name string
}

// sibling is another file of the history, imported as a module.
type sibling struct{ env *env }

// env is a scope.
type env struct {
	vars    map[string]value
	outer   *env
	globals map[string]bool // names that a `global` statement gave to the module
}

func newEnv(outer *env) *env { return &env{vars: map[string]value{}, outer: outer} }

func (e *env) get(name string) (value, bool) {
	for ; e != nil; e = e.outer {
		if v, ok := e.vars[name]; ok {
			return v, true
		}
	}
	return nil, false
}

func (e *env) set(name string, v value) {
	if e.globals[name] {
		for e.outer != nil {
			e = e.outer
		}
	}
	e.vars[name] = v
}

// truth is Python's bool(v); ok is false when it cannot be known.
func truth(v value) (is, ok bool) {
	switch v := v.(type) {
	case none:
		return false, true
	case bool:
		return v, true
	case int64:
		return v != 0, true
	case float:
		f, err := strconv.ParseFloat(string(v), 64)
		return f != 0, err == nil
	case text:
		return v.s != "", true
	case *list:
		return len(v.items) > 0, v.why == ""
	case *dict:
		return len(v.keys) > 0, v.why == ""
	case *function, *class, *member, *typeV, *tableV, *conn, *migrationContext:
		return true, true
	}
	return false, false
}

// equal is Python's ==.
func equal(a, b value) (is, ok bool) {
	switch a := a.(type) {
	case none:
		_, is = b.(none)
		_, u := b.(unknown)
		return is, !u
	case text:
		switch b := b.(type) {
		case text:
			return a.s == b.s, true
		case none, bool, int64:
			return false, true
		}
	case int64:
		switch b := b.(type) {
		case int64:
			return a == b, true
		case none, text:
			return false, true
		}
	case bool:
		switch b := b.(type) {
		case bool:
			return a == b, true
		case none, text:
			return false, true
		}
	case *member:
		switch b := b.(type) {
		case *member:
			return a.class == b.class && a.name.s == b.name.s, true
		case none:
			return false, true
		}
	case *list:
		switch b := b.(type) {
		case none:
			return false, true
		case *list:
			if a.why != "" || b.why != "" {
				return false, false
			}
			if len(a.items) != len(b.items) {
				return false, true
			}
			for i := range a.items {
				is, ok := equal(a.items[i], b.items[i])
				if !ok || !is {
					return false, ok
				}
			}
			return true, true
		}
	}
	return false, false
}

// str is Python's str(v).
func str(v value) (text, bool) {
	switch v := v.(type) {
	case text:
		return v, true
	case none:
		return plain("None"), true
	case bool:
		if v {
			return plain("True"), true
		}
		return plain("False"), true
	case int64:
		return plain(strconv.FormatInt(v, 10)), true
	case float:
		f, err := strconv.ParseFloat(string(v), 64)
		if err != nil {
			return text{}, false
		}
		s := strconv.FormatFloat(f, 'g', -1, 64)
		if !strings.ContainsAny(s, ".e") {
			s += ".0"
		}
		return plain(s), !strings.Contains(s, "e")
	case *member:
		return catAny(v.class.name+".", v.name), !isStrEnum(v.class)
	case *textV:
		return v.sql, !v.bound()
	case *list:
		return repr(v)
	}
	return text{}, false
}

func isStrEnum(c *class) bool {
	for _, b := range c.bases {
		if e, ok := b.(ext); ok && (e.last() == "StrEnum" || e.last() == "str" || e.last() == "IntEnum" || e.last() == "int") {
			return true
		}
	}
	return false
}

// repr is Python's repr(v) for the few types whose form is simple.
func repr(v value) (text, bool) {
	switch v := v.(type) {
	case text:
		if strings.ContainsAny(v.s, "\\\n\r\t") || strings.ContainsFunc(v.s, func(r rune) bool { return r < ' ' || r > '~' }) {
			return text{}, false
		}
		switch {
		case !strings.Contains(v.s, "'"):
			return catAny("'", v, "'"), true
		case !strings.Contains(v.s, `"`):
			return catAny(`"`, v, `"`), true
		}
		return text{}, false
	case *list:
		if v.why != "" {
			return text{}, false
		}
		parts := make([]text, len(v.items))
		for i, it := range v.items {
			var ok bool
			if parts[i], ok = repr(it); !ok {
				return text{}, false
			}
		}
		body := join(parts, plain(", "))
		switch {
		case v.tuple && len(parts) == 1:
			return catAny("(", body, ",)"), true
		case v.tuple:
			return catAny("(", body, ")"), true
		}
		return catAny("[", body, "]"), true
	case none, bool, int64, float:
		return str(v)
	}
	return text{}, false
}

// why is the reason carried by a value that is unknown, or "".
func why(v value) string {
	switch v := v.(type) {
	case unknown:
		return v.why
	case *list:
		return v.why
	case *dict:
		return v.why
	case nil:
		return "a value that is not understood"
	}
	return ""
}

// isUnknown reports whether nothing is known of v.
func isUnknown(v value) bool { return why(v) != "" }
