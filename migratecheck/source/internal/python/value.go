package python

import (
	"strconv"
	"strings"
)

// Value is what a Python expression evaluates to. Its types are those of this file (Python's own) and of sa_*.go
// (SQLAlchemy's).
type Value any

// Unknown is a value that cannot be known without running the code.
type Unknown struct {
	Why string // completes "it depends on …"
	// refused: Python would raise an error here, e.g. because a name is not defined.
	Refused bool
	// Path names what it came from, for values got from code outside the file.
	Path string
}

// None is Python's None.
type None struct{}

// Float is a float as it is written.
type Float string

// List is Python's list, tuple or set.
type List struct {
	Items []Value
	Tuple bool
	Why   string // not empty: its contents are unknown
}

// Dict keeps its pairs in order.
type Dict struct {
	Keys []Value
	Vals []Value
	Why  string
}

func (d *Dict) find(key Value) int {
	for i, k := range d.Keys {
		if eq, ok := Equal(k, key); ok && eq {
			return i
		}
	}
	return -1
}

func (d *Dict) set(key, val Value) {
	if i := d.find(key); i >= 0 {
		d.Vals[i] = val
		return
	}
	d.Keys = append(d.Keys, key)
	d.Vals = append(d.Vals, val)
}

// Function is a def or lambda of the file.
type Function struct {
	Name string
	Def  *Node
	Env  *Env // where it was defined
	Mod  *Module
}

// Decorated is a function with decorators: what it does when it is called is not known.
type Decorated struct {
	Fn *Function
	By []*Node
}

// Class is a class of the file: an enum, a declarative model, a type decorator.
type Class struct {
	Def   *Node // its class_definition
	Mod   *Module
	By    []*Node // its decorators
	Name  string
	Bases []Value
	Env   *Env
}

// IsEnum reports whether c is an enumeration of Python's package enum.
func (c *Class) IsEnum() bool { return c.enum(map[*Class]bool{}) }

func (c *Class) enum(seen map[*Class]bool) bool {
	seen[c] = true
	for _, b := range c.Bases {
		switch b := b.(type) {
		case External:
			if last := b.Last(); strings.HasSuffix(last, "Enum") || last == "IntFlag" || last == "Flag" {
				return true
			}
		case *Class:
			if !seen[b] && b.enum(seen) {
				return true
			}
		}
	}
	return false
}

// Member is a member of an enum class.
type Member struct {
	Class *Class
	Name  Text
	Value Value
}

// External is a name from outside the file, as the dotted path by which it was imported: "sqlalchemy.Column".
type External struct{ Path string }

// Last is the name without its module.
func (e External) Last() string { return e.Path[strings.LastIndexByte(e.Path, '.')+1:] }

// Method is a value's attribute waiting to be called.
type Method struct {
	Self Value
	Name string
}

// Imported is another file of the history, imported as a module.
type Imported struct{ Env *Env }

// Env is a scope.
type Env struct {
	Vars    map[string]Value
	Outer   *Env
	Globals map[string]bool // names that a `global` statement gave to the module
}

// NewEnv makes a scope within another; nil for none.
func NewEnv(outer *Env) *Env { return &Env{Vars: map[string]Value{}, Outer: outer} }

// Get looks a name up, in the outer scopes too.
func (e *Env) Get(name string) (Value, bool) {
	for ; e != nil; e = e.Outer {
		if v, ok := e.Vars[name]; ok {
			return v, true
		}
	}
	return nil, false
}

// Set binds a name in this scope, or in the module's where a global statement says so.
func (e *Env) Set(name string, v Value) {
	if e.Globals[name] {
		for e.Outer != nil {
			e = e.Outer
		}
	}
	e.Vars[name] = v
}

// Truth is Python's bool(v); ok is false when it cannot be known.
func Truth(v Value) (is, ok bool) {
	switch v := v.(type) {
	case None:
		return false, true
	case bool:
		return v, true
	case int64:
		return v != 0, true
	case Float:
		f, err := strconv.ParseFloat(string(v), 64)
		return f != 0, err == nil
	case Text:
		return v.S != "", true
	case *List:
		return len(v.Items) > 0, v.Why == ""
	case *Dict:
		return len(v.Keys) > 0, v.Why == ""
	case *Function, *Class, *Member, *Type, *Table, Object:
		return true, true
	}
	return false, false
}

// Equal is Python's ==.
func Equal(a, b Value) (is, ok bool) {
	switch a := a.(type) {
	case None:
		_, is = b.(None)
		_, u := b.(Unknown)
		return is, !u
	case Text:
		switch b := b.(type) {
		case Text:
			if a.S != b.S && (holed(a) || holed(b)) {
				return false, false
			}
			return a.S == b.S, true
		case None, bool, int64:
			return false, true
		}
	case int64:
		switch b := b.(type) {
		case int64:
			return a == b, true
		case None, Text:
			return false, true
		}
	case bool:
		switch b := b.(type) {
		case bool:
			return a == b, true
		case None, Text:
			return false, true
		}
	case *Member:
		switch b := b.(type) {
		case *Member:
			return a.Class == b.Class && a.Name.S == b.Name.S, true
		case None:
			return false, true
		}
	case *List:
		switch b := b.(type) {
		case None:
			return false, true
		case *List:
			if a.Why != "" || b.Why != "" {
				return false, false
			}
			if len(a.Items) != len(b.Items) {
				return false, true
			}
			for i := range a.Items {
				is, ok := Equal(a.Items[i], b.Items[i])
				if !ok || !is {
					return false, ok
				}
			}
			return true, true
		}
	}
	return false, false
}

// Str is Python's str(v).
func Str(v Value) (Text, bool) {
	switch v := v.(type) {
	case Text:
		return v, true
	case None:
		return Plain("None"), true
	case bool:
		if v {
			return Plain("True"), true
		}
		return Plain("False"), true
	case int64:
		return Plain(strconv.FormatInt(v, 10)), true
	case Float:
		f, err := strconv.ParseFloat(string(v), 64)
		if err != nil {
			return Text{}, false
		}
		s := strconv.FormatFloat(f, 'g', -1, 64)
		if !strings.ContainsAny(s, ".e") {
			s += ".0"
		}
		return Plain(s), !strings.Contains(s, "e")
	case *Member:
		return CatAny(v.Class.Name+".", v.Name), !isStrEnum(v.Class)
	case *TextClause:
		return v.SQL, !v.bound()
	case *List:
		return repr(v)
	}
	return Text{}, false
}

func isStrEnum(c *Class) bool {
	for _, b := range c.Bases {
		if e, ok := b.(External); ok && (e.Last() == "StrEnum" || e.Last() == "str" || e.Last() == "IntEnum" || e.Last() == "int") {
			return true
		}
	}
	return false
}

// repr is Python's repr(v) for the few types whose form is simple.
func repr(v Value) (Text, bool) {
	switch v := v.(type) {
	case Text:
		if strings.ContainsAny(v.S, "\\\n\r\t") || strings.ContainsFunc(v.S, func(r rune) bool { return r < ' ' || r > '~' }) {
			return Text{}, false
		}
		switch {
		case !strings.Contains(v.S, "'"):
			return CatAny("'", v, "'"), true
		case !strings.Contains(v.S, `"`):
			return CatAny(`"`, v, `"`), true
		}
		return Text{}, false
	case *List:
		if v.Why != "" {
			return Text{}, false
		}
		parts := make([]Text, len(v.Items))
		for i, it := range v.Items {
			var ok bool
			if parts[i], ok = repr(it); !ok {
				return Text{}, false
			}
		}
		body := Join(parts, Plain(", "))
		switch {
		case v.Tuple && len(parts) == 1:
			return CatAny("(", body, ",)"), true
		case v.Tuple:
			return CatAny("(", body, ")"), true
		}
		return CatAny("[", body, "]"), true
	case None, bool, int64, Float:
		return Str(v)
	}
	return Text{}, false
}

// Why is the reason carried by a value that is unknown, or "".
func Why(v Value) string {
	switch v := v.(type) {
	case Unknown:
		return v.Why
	case *List:
		return v.Why
	case *Dict:
		return v.Why
	case Decorated:
		return "a decorated function"
	case nil:
		return "a value that is not understood"
	}
	return ""
}

// IsUnknown reports whether nothing is known of v.
func IsUnknown(v Value) bool { return Why(v) != "" }

// IsNone reports whether v is None.
func IsNone(v Value) bool { _, ok := v.(None); return ok }
