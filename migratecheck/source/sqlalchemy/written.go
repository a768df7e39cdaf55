package sqlalchemy

import (
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/source/internal/python"
)

// written are the names of attributes that some code of the repository sets: an ORM sends a column with a server default
// only then, and updates no other. Any object's attribute of that name counts.
type written struct {
	inserts map[string]bool // set or given to a call
	updates map[string]bool // set
	all     bool            // some code sets attributes whose names are not known
}

func (w written) set(name string) { w.inserts[name], w.updates[name] = true, true }

func findWritten(modules []*python.Module) written {
	w := written{inserts: map[string]bool{}, updates: map[string]bool{}}
	described := map[*python.Node]bool{}
	for _, m := range modules {
		python.Walk(m.Root, func(n *python.Node) bool {
			switch n.Kind {
			case "class_definition":
				// What stands in its body itself describes attributes and sets none.
				if body := n.Child("body"); body != nil {
					for _, k := range body.Kids {
						described[k] = k.Kind == "expression_statement"
					}
				}
			case "expression_statement":
				return !described[n]
			case "attribute":
				if a := n.Child("attribute"); a != nil && n.Field == "left" {
					w.set(m.Src(a))
				}
			case "keyword_argument":
				if name := n.Child("name"); name != nil {
					w.inserts[m.Src(name)] = true
				}
			case "pair":
				if len(n.Kids) > 0 && n.Kids[0].Kind == "string" {
					w.set(strings.Trim(m.Src(n.Kids[0]), `"'`))
				}
			case "call":
				w.call(m, n)
			case "pattern_list", "tuple_pattern":
				for _, k := range n.Kids {
					if a := k.Child("attribute"); k.Kind == "attribute" && a != nil {
						w.set(m.Src(a))
					}
				}
			}
			return true
		})
	}
	return w
}

// call looks at setattr(x, name, v) and Model(**values).
func (w *written) call(m *python.Module, n *python.Node) {
	f, args := n.Child("function"), n.Child("arguments")
	if f == nil || args == nil {
		return
	}
	name := m.Src(f)
	name = name[strings.LastIndexByte(name, '.')+1:]
	switch {
	case name == "setattr" && len(args.Kids) == 3:
		if key := args.Kids[1]; key.Kind == "string" {
			w.set(strings.Trim(m.Src(key), `"'`))
		} else {
			w.all = true
		}
	case name == "values" || name == "update":
		for _, k := range args.Kids {
			if id := k.Child("name"); k.Kind == "keyword_argument" && id != nil {
				w.set(m.Src(id))
			}
		}
		fallthrough
	case name == "insert" || name == "cls" || name != "" && name[0] >= 'A' && name[0] <= 'Z':
		for _, k := range args.Kids {
			if k.Kind == "dictionary_splat" {
				w.all = true
			}
		}
	}
}
