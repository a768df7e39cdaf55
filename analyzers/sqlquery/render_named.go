package sqlquery

import (
	"go/types"
	"reflect"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// renameMarks rewrites :name (sqlx) or @name (pgx) to $n, and finds what is bound to each name.
func (r *renderer) renameMarks(parts []part, sign string, given []arg) ([]part, []arg) {
	var out []part
	var names []string
	number := func(name string) int {
		for i, have := range names {
			if have == name {
				return i + 1
			}
		}
		names = append(names, name)
		return len(names)
	}
	for _, p := range parts {
		if p.hole != nil || !strings.Contains(p.lit, sign) {
			out = append(out, p)
			continue
		}
		from := 0
		emit := func(to int) {
			if to > from {
				q := part{lit: p.lit[from:to], pos: p.pos, linear: p.linear}
				if p.linear {
					q.pos += tokenPos(from)
				}
				out = append(out, q)
			}
		}
		for _, at := range namedMarks(p.lit, sign[0]) {
			emit(at[0])
			pos := p.pos
			if p.linear {
				pos += tokenPos(at[0])
			}
			out = append(out, part{lit: placeholder(number(p.lit[at[0]+1 : at[1]])), pos: pos})
			from = at[1]
		}
		emit(len(p.lit))
	}
	args := make([]arg, len(names))
	for i, name := range names {
		args[i] = r.namedArg(name, given)
	}
	return out, args
}

// namedMarks finds sign+name outside strings, quoted names and comments; :: is a cast.
func namedMarks(s string, sign byte) (found [][2]int) {
	skip := func(i int) bool {
		return i < len(s) && isNameByte(s[i]) && s[i] < 0x80 && !(s[i] >= '0' && s[i] <= '9')
	}
	covered := covers(s)
	for i := 0; i < len(s); i++ {
		if s[i] != sign || covered[i] {
			continue
		}
		if i+1 < len(s) && s[i+1] == sign {
			i++
			continue
		}
		if !skip(i + 1) {
			continue
		}
		j := i + 1
		for j < len(s) && (isNameByte(s[j]) || s[j] == '.') {
			j++
		}
		found = append(found, [2]int{i, j})
		i = j - 1
	}
	return found
}

// covers marks the bytes that stand in strings, quoted names and comments.
func covers(s string) []bool {
	marks := make([]bool, len(s)+1)
	sc := pgast.NewScanner(s)
	for {
		tok, ok := sc.Next()
		if !ok {
			return marks
		}
		if tok.IsComment() || tok.Start < len(s) && (s[tok.Start] == '\'' || s[tok.Start] == '"') {
			for i := tok.Start; i < tok.End && i < len(marks); i++ {
				marks[i] = true
			}
		}
	}
}

// namedArg finds what is bound to a name: a key of a map literal, or a field of a struct by its db tag.
func (r *renderer) namedArg(name string, given []arg) arg {
	if len(given) != 1 {
		return arg{}
	}
	if tab, ok := given[0].v.(*table); ok {
		for i, k := range tab.keys {
			if s, ok := literal(k); ok && s == name {
				return tab.vals[i]
			}
		}
		return arg{}
	}
	t := given[0].typ
	if t == nil {
		return arg{}
	}
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	if s, ok := t.Underlying().(*types.Slice); ok { // a batch
		t = s.Elem()
		if p, ok := t.Underlying().(*types.Pointer); ok {
			t = p.Elem()
		}
	}
	st, ok := t.Underlying().(*types.Struct)
	if !ok {
		return arg{}
	}
	for i := range st.NumFields() {
		tag, _, _ := strings.Cut(reflect.StructTag(st.Tag(i)).Get("db"), ",")
		if tag == "" {
			tag = strings.ToLower(st.Field(i).Name())
		}
		if tag == name {
			return arg{typ: st.Field(i).Type(), pkg: given[0].pkg}
		}
	}
	return arg{}
}
