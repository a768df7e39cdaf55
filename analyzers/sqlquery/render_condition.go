package sqlquery

import (
	"fmt"
	"go/token"
	"go/types"
	"sort"
	"strings"
)

// wheres writes conditions. One that is not known is left out, and makes the statement partial.
func (r *renderer) wheres(list []*op, before string) {
	n := 0
	for _, o := range list {
		mark := len(r.out)
		at, args, marks := r.args, len(r.args), r.marks
		if n == 0 {
			r.lit(before, o.pos)
		} else {
			r.lit(" AND ", o.pos)
		}
		if !r.condition(o.args, o.pos) {
			r.out, r.args, r.marks = r.out[:mark], at[:args], marks
			continue
		}
		n++
	}
}

// condition writes one condition and reports whether there is anything to write.
func (r *renderer) condition(args []arg, pos token.Pos) bool {
	if len(args) == 0 {
		return false
	}
	switch v := args[0].v.(type) {
	case *text:
		if s, ok := literal(v); ok && s == "" {
			return false
		}
		if len(v.parts) == 1 && v.parts[0].hole != nil {
			r.partial(v.parts[0].hole.why)
			return false
		}
		r.text(v, args[1:])
		return true
	case *sqlizer:
		return r.sqlizer(v)
	case *builder:
		r.builder(v)
		return true
	case *table:
		return r.sqlizer(&sqlizer{kind: "=", tab: v, pos: pos})
	case *choice:
		i := r.choose(v.event, len(v.alts))
		return r.condition(append([]arg{args[0].as(v.alts[i])}, args[1:]...), pos)
	case *null:
		return false
	case *unknown:
		why := v.why
		if why == "" {
			why = "a condition that is known at run time only"
		}
		r.partial("a condition: " + why)
		return false
	}
	r.partial("a condition that is known at run time only")
	return false
}

// sortedKeys are the indexes of a map's entries in the order of the keys, as squirrel writes them; of a key set twice, the
// last.
func sortedKeys(t *table) []int {
	last := map[string]int{}
	var order []int
	for i, k := range t.keys {
		s, ok := literal(k)
		if !ok {
			s = fmt.Sprint("\x00", i)
		}
		last[s] = i
	}
	for _, i := range last {
		order = append(order, i)
	}
	name := func(i int) string { s, _ := literal(t.keys[i]); return s }
	sort.Slice(order, func(a, b int) bool {
		if name(order[a]) != name(order[b]) {
			return name(order[a]) < name(order[b])
		}
		return order[a] < order[b]
	})
	return order
}

// sqlizer writes a piece of SQL and reports whether there is anything to write.
func (r *renderer) sqlizer(s *sqlizer) bool {
	was := r.squirrel
	r.squirrel = true
	defer func() { r.squirrel = was }()
	switch s.kind {
	case "expr":
		if len(s.args) == 0 {
			return false
		}
		return r.condition(s.args, s.pos)
	case "alias":
		if len(s.args) == 2 {
			r.aliased(s.args, s.pos)
		}
		return true
	case "concat":
		for _, a := range s.args {
			r.piece([]arg{a}, s.pos)
		}
		return true
	case "and", "or":
		return r.conjunction(s)
	}
	if s.tab == nil {
		return false
	}
	n := 0
	for _, i := range sortedKeys(s.tab) {
		if n > 0 {
			r.lit(" AND ", s.pos)
		}
		n++
		r.compare(s.kind, s.tab.keys[i], s.tab.vals[i], s.pos)
	}
	if s.tab.open != "" {
		r.partial("conditions that are known at run time only")
	}
	return n > 0
}

func (r *renderer) conjunction(s *sqlizer) bool {
	word := " AND "
	if s.kind == "or" {
		word = " OR "
	}
	n := 0
	start := len(r.out)
	for _, a := range s.args {
		mark, args, marks := len(r.out), len(r.args), r.marks
		if n == 0 {
			r.lit("(", s.pos)
		} else {
			r.lit(word, s.pos)
		}
		if !r.condition([]arg{a}, s.pos) {
			r.out, r.args, r.marks = r.out[:mark], r.args[:args], marks
			continue
		}
		n++
	}
	if n == 0 {
		r.out = r.out[:start]
		return false
	}
	r.lit(")", s.pos)
	return true
}

// compare writes one comparison of Eq and its kind: IS NULL of nil, IN of a list.
func (r *renderer) compare(op string, key value, val arg, pos token.Pos) {
	r.piece([]arg{{v: key}}, pos)
	not := strings.HasPrefix(op, "NOT") || op == "<>"
	if _, ok := val.v.(*null); ok && (op == "=" || op == "<>") {
		if not {
			r.lit(" IS NOT NULL", pos)
		} else {
			r.lit(" IS NULL", pos)
		}
		return
	}
	if b, ok := val.v.(*builder); ok {
		if not {
			r.lit(" NOT IN (", pos)
		} else {
			r.lit(" IN (", pos)
		}
		r.builder(b)
		r.lit(")", pos)
		return
	}
	l, isList := val.v.(*list)
	if isList || op == "=" && listType(val.typ) || op == "<>" && listType(val.typ) {
		if not {
			r.lit(" NOT IN (", pos)
		} else {
			r.lit(" IN (", pos)
		}
		if isList && len(l.elems) > 0 {
			for i, a := range l.elems {
				if i > 0 {
					r.lit(",", pos)
				}
				r.bind(a, pos)
			}
		} else {
			elem := arg{v: &unknown{}, pkg: val.pkg}
			if s, ok := underlying(val.typ).(*types.Slice); ok {
				elem.typ = s.Elem()
			}
			r.bind(elem, pos)
		}
		r.lit(")", pos)
		return
	}
	r.lit(" "+op+" ", pos)
	r.bind(val, pos)
}

func underlying(t types.Type) types.Type {
	if t == nil {
		return nil
	}
	return t.Underlying()
}

// listType reports whether squirrel takes a value for a list: a slice or an array that is no driver.Valuer and no []byte
// (expr.go, isListType).
func listType(t types.Type) bool {
	switch u := underlying(t).(type) {
	case *types.Slice:
		b, ok := u.Elem().Underlying().(*types.Basic)
		return !(ok && b.Kind() == types.Byte) && !hasMethod(t, "Value")
	case *types.Array:
		return !hasMethod(t, "Value")
	}
	return false
}
