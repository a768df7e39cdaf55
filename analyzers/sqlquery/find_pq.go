package sqlquery

import "go/token"

// libpq is github.com/lib/pq (https://pkg.go.dev/github.com/lib/pq).
func libpq() []*apiType {
	return []*apiType{{path: "github.com/lib/pq", name: "Listener", methods: map[string]apiMethod{
		"Listen":   {does: doesListen, sql: 0, args: -1},
		"Unlisten": {},
	}}}
}

// copyText is what pq.CopyIn and CopyInSchema make, and what pgx's CopyFrom sends.
func (m *machine) copyText(names []arg, columns []arg, open bool, pos token.Pos) *text {
	t := &text{parts: []part{{lit: "COPY ", pos: pos}}}
	add := func(s string) { t.parts = append(t.parts, part{lit: s}) }
	name := func(a arg) {
		if _, ok := literal(a.v); ok {
			t.parts = append(t.parts, m.quotedName(a).parts...)
		} else {
			t.parts = append(t.parts, textOf(a.v).parts...)
		}
	}
	for i, a := range names {
		if i > 0 {
			add(".")
		}
		name(a)
	}
	if len(columns) > 0 || open {
		add(" (")
		for i, a := range columns {
			if i > 0 {
				add(", ")
			}
			name(a)
		}
		if open {
			t.parts = append(t.parts, part{hole: &hole{why: "a list of columns that is made at run time", repeat: len(columns) > 0}})
		}
		add(")")
	}
	add(" FROM STDIN")
	return t
}
