package sqlalchemy

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source/internal/python"
)

// bound says what a call of execute() binds to parameters of these names, "" for one that has none: the constants that stand in the
// call itself. It is nil when there are none. (The value of a variable may be another by the time of the call.)
func (r *repo) bound(x *python.Interp, names []string, call *python.Node) []query.GoType {
	var given *python.Node
	i := 0
	if list := call.Child("arguments"); list != nil {
		for _, k := range list.Kids {
			if k.Kind != "keyword_argument" {
				if i++; i == 2 {
					given = k
				}
				continue
			}
			if name := k.Child("name"); name != nil && slices.Contains([]string{"parameters", "params", "vars"}, x.Mod.Src(name)) {
				given = k.Child("value")
			}
		}
	}
	if given == nil {
		return nil
	}
	args := make([]query.GoType, len(names))
	known := false
	set := func(i int, value *python.Node) {
		args[i] = constantType(x, value)
		known = known || args[i].Name != ""
	}
	switch given.Kind {
	case "dictionary":
		for _, pair := range given.Kids {
			if pair.Kind != "pair" {
				return nil // ** may set any
			}
			key, value := pair.Child("key"), pair.Child("value")
			if key == nil || value == nil || key.Kind != "string" {
				return nil
			}
			for i, name := range names {
				if k, ok := x.Eval(key).(python.Text); ok && k.S == name {
					set(i, value)
				}
			}
		}
	case "list", "tuple":
		if len(given.Kids) != len(names) {
			return nil
		}
		for i, name := range names {
			if name == "" {
				set(i, given.Kids[i])
			}
		}
	}
	if !known {
		return nil
	}
	return args
}

// constantType is what is certain of a constant of the code, the zero GoType of anything else.
func constantType(x *python.Interp, n *python.Node) query.GoType {
	switch n.Kind {
	case "none":
		return query.GoType{Name: "None", Nullable: true, Null: true}
	case "true", "false":
		return query.GoType{Name: "bool", Kind: query.Bool}
	case "integer":
		return query.GoType{Name: "int", Kind: query.Int}
	case "float":
		return query.GoType{Name: "float", Kind: query.Float}
	case "string":
		g := query.GoType{Name: "str", Kind: query.String}
		text, ok := x.Eval(n).(python.Text)
		switch {
		case !ok:
			return query.GoType{} // bytes
		case !slices.ContainsFunc(n.Kids, func(k *python.Node) bool { return k.Kind == "interpolation" }):
			g.Text = &text.S
		}
		return g
	}
	return query.GoType{}
}
