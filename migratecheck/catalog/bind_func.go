package catalog

import (
	"slices"
)

// inputs lists the arguments that a call passes.
func (f *Func) inputs() []FuncArg {
	in := f.Args
	if slices.ContainsFunc(in, func(a FuncArg) bool { return a.Mode == 'o' || a.Mode == 't' }) {
		in = slices.DeleteFunc(slices.Clone(in), func(a FuncArg) bool { return a.Mode == 'o' || a.Mode == 't' })
	}
	return in
}

// passed lists the arguments that a call writes: the inputs, of a procedure also the OUT ones (since 14).
func (f *Func) passed() []FuncArg {
	if f.Kind == Procedure {
		return f.Args
	}
	return f.inputs()
}

// outputs lists the OUT, INOUT and TABLE arguments.
func (f *Func) outputs() []FuncArg {
	var out []FuncArg
	for _, a := range f.Args {
		if a.Mode == 'o' || a.Mode == 'b' || a.Mode == 't' {
			out = append(out, a)
		}
	}
	return out
}

// functionsNamed lists the functions of a name, in the order of the search path, the server's own included.
func (c *Catalog) functionsNamed(schema, name string) []*Func {
	var list []*Func
	for _, s := range c.path(schema) {
		if s == pgCatalogOID || s == informationSchemaOID {
			list = append(list, loadFunctions().named(s, name)...)
		}
		list = append(list, c.functionsIn(s, name)...)
	}
	return list
}

// functionsIn lists the catalog's own functions of a name in one schema.
func (c *Catalog) functionsIn(schema OID, name string) []*Func {
	var list []*Func
	c.names.beginning(nameKey(inFunctions, schema, name+"\x00"), func(_ string, oid OID) bool {
		if f, ok := c.Get(oid).(*Func); ok {
			list = append(list, f)
		}
		return true
	})
	return list
}

// candidate is a function that could be meant by a call, with its argument types as the call would pass them.
type candidate struct {
	f        *Func
	args     []TypeRef
	order    []int // call argument i is input number order[i] (named arguments), nil: in order
	variadic bool  // VARIADIC arguments are passed one by one
	defaults int
	schema   int // position in the search path
	// ambiguous: another function of the schema takes the same arguments.
	ambiguous bool
}

// candidates is FuncnameGetCandidates.
func (c *Catalog) candidates(schema, name string, nargs int, names []string, passedVariadic bool) []candidate {
	var list []candidate
	position, last := -1, OID(0)
	for _, f := range c.functionsNamed(schema, name) {
		if f.Schema != last {
			position, last = position+1, f.Schema
		}
		cand, ok := matchCall(f, nargs, names, passedVariadic)
		if !ok {
			continue
		}
		cand.schema = position
		// Of two with the same arguments one hides the other: the earlier in the path, the one without VARIADIC. Between
		// f(int) and f(int, text DEFAULT …) nothing decides, not even that the first needs no default.
		hidden := false
		for i, old := range list {
			if !sameTypes(old.args, cand.args) || len(names) > 0 {
				continue
			}
			switch {
			case old.schema != cand.schema:
				hidden = true
			case old.variadic != cand.variadic:
				hidden = cand.variadic
				if !hidden {
					list[i] = cand
					hidden = true
				}
			default:
				list[i].ambiguous = true
				hidden = true
			}
			break
		}
		if !hidden {
			list = append(list, cand)
		}
	}
	return list
}

// matchCall fits a function to the number of arguments and their names.
func matchCall(f *Func, nargs int, names []string, passedVariadic bool) (candidate, bool) {
	in := f.passed()
	isVariadic := len(in) > 0 && in[len(in)-1].Mode == 'v'
	cand := candidate{f: f}
	if len(names) > 0 {
		if nargs > len(in) {
			return cand, false
		}
		used := make([]bool, len(in))
		positional := nargs - len(names)
		for i := range nargs {
			at := i
			if i >= positional {
				at = slices.IndexFunc(in, func(a FuncArg) bool { return a.Name == names[i-positional] })
				if at < 0 || used[at] {
					return cand, false
				}
			}
			used[at] = true
			cand.order = append(cand.order, at)
			cand.args = append(cand.args, in[at].Type.bare())
		}
		for i, a := range in {
			if !used[i] {
				if a.Default == nil {
					return cand, false
				}
				cand.defaults++
			}
		}
		return cand, true
	}
	expand := isVariadic && !passedVariadic
	if expand && nargs >= len(in) {
		elem := in[len(in)-1].Type
		switch {
		case elem.OID == typeAny:
		case elem.OID == typeAnyarray:
			elem = scalar(typeAnyelement)
		case elem.OID == typeAnycompatiblearray:
			elem = scalar(typeAnycompatible)
		default:
			elem = elem.element()
		}
		for i := range nargs {
			if i < len(in)-1 {
				cand.args = append(cand.args, in[i].Type.bare())
			} else {
				cand.args = append(cand.args, elem.bare())
			}
		}
		cand.variadic = true
		return cand, true
	}
	if nargs > len(in) {
		return cand, false
	}
	for i, a := range in {
		if i < nargs {
			cand.args = append(cand.args, a.Type.bare())
			continue
		}
		if a.Default == nil {
			return cand, false
		}
		cand.defaults++
	}
	return cand, true
}

func sameTypes(a, b []TypeRef) bool {
	return slices.EqualFunc(a, b, func(x, y TypeRef) bool { return x.bare() == y.bare() })
}

// callKind tells what a call turned out to be.
type callKind int

const (
	callMissing callKind = iota
	callAmbiguous
	callUnsure // argument types are not all known and several functions would do
	callFunction
	callCast // f(x) where f is a type
)

// resolveCall is func_get_detail: which function a call means. parameter says that an argument of unknown type is a parameter
// and not a constant, which alone is cast by the name of a type.
func (c *Catalog) resolveCall(schema, name string, args []TypeRef, names []string, variadic, parameter bool) (candidate, []candidate, callKind) {
	all := c.candidates(schema, name, len(args), names, variadic)
	for _, cand := range all {
		if sameTypes(cand.args, args) {
			if cand.ambiguous {
				return candidate{}, all, callAmbiguous
			}
			return cand, all, callFunction
		}
	}
	if len(args) == 1 && len(names) == 0 && args[0].known() {
		// A type's name used as a function is a cast, when that needs no function of its own or goes through text.
		if target, ok := c.lookupType(schema, name); ok {
			source := args[0]
			switch method, _ := c.coercion(source, target, explicitly); {
			case source.OID == typeUnknown && !parameter, method == coercionRelabel && source.OID != typeUnknown:
				return candidate{args: []TypeRef{target}}, all, callCast
			case method == coercionIO:
				// Not for record types to strings: that is f(row) notation.
				if category, _ := c.typeCategory(target); !(c.compositeOf(source) != nil && category == 'S') {
					return candidate{args: []TypeRef{target}}, all, callCast
				}
			}
		}
	}
	var fit []candidate
	for _, cand := range all {
		ok := true
		for i, t := range cand.args {
			ok = ok && c.canCoerce(args[i], t, implicitly)
		}
		if ok && c.polymorphismFits(cand.args, args) {
			fit = append(fit, cand)
		}
	}
	unknown := slices.ContainsFunc(args, func(t TypeRef) bool { return !t.known() })
	switch {
	case len(fit) == 0:
		return candidate{}, all, callMissing
	case len(fit) == 1 && fit[0].ambiguous:
		return candidate{}, all, callAmbiguous
	case len(fit) == 1:
		return fit[0], all, callFunction
	case unknown:
		return candidate{}, fit, callUnsure
	}
	if best, ok := c.bestCandidate(fit, args); ok && !best.ambiguous {
		return best, all, callFunction
	}
	return candidate{}, fit, callAmbiguous
}

// bestCandidate is func_select_candidate.
func (c *Catalog) bestCandidate(list []candidate, args []TypeRef) (candidate, bool) {
	bases := make([]TypeRef, len(args))
	unknowns := 0
	for i, t := range args {
		bases[i] = t.bare()
		if t.OID == typeUnknown {
			unknowns++
		} else {
			bases[i] = c.baseType(t).bare()
		}
	}
	keepBest := func(score func(cand candidate) int) {
		best := -1
		var kept []candidate
		for _, cand := range list {
			switch n := score(cand); {
			case n > best:
				best, kept = n, []candidate{cand}
			case n == best:
				kept = append(kept, cand)
			}
		}
		list = kept
	}
	// Most exact matches, then most exact or preferred ones.
	keepBest(func(cand candidate) int {
		n := 0
		for i, t := range cand.args {
			if bases[i].OID != typeUnknown && t.bare() == bases[i] {
				n++
			}
		}
		return n
	})
	if len(list) == 1 {
		return list[0], true
	}
	categories := make([]byte, len(args))
	for i, t := range bases {
		categories[i], _ = c.typeCategory(t)
	}
	keepBest(func(cand candidate) int {
		n := 0
		for i, t := range cand.args {
			if bases[i].OID == typeUnknown {
				continue
			}
			category, preferred := c.typeCategory(t)
			if t.bare() == bases[i] || preferred && category == categories[i] {
				n++
			}
		}
		return n
	})
	if len(list) == 1 {
		return list[0], true
	}
	if unknowns == 0 {
		return candidate{}, false
	}
	// Unknown literals: string if any candidate takes a string there, else the category that all agree on.
	slot := make([]byte, len(args))
	wantPreferred := make([]bool, len(args))
	resolved := true
	for i := range args {
		if bases[i].OID != typeUnknown {
			continue
		}
		conflict := false
		for _, cand := range list {
			category, preferred := c.typeCategory(cand.args[i])
			switch {
			case slot[i] == 0:
				slot[i], wantPreferred[i] = category, preferred
			case slot[i] == category:
				wantPreferred[i] = wantPreferred[i] || preferred
			case category == 'S':
				slot[i], wantPreferred[i], conflict = category, preferred, false
			case slot[i] != 'S':
				conflict = true
			}
		}
		if conflict {
			resolved = false
			break
		}
	}
	if resolved {
		var kept []candidate
		for _, cand := range list {
			ok := true
			for i := range args {
				if bases[i].OID != typeUnknown {
					continue
				}
				category, preferred := c.typeCategory(cand.args[i])
				ok = ok && category == slot[i] && (!wantPreferred[i] || preferred)
			}
			if ok {
				kept = append(kept, cand)
			}
		}
		if len(kept) > 0 {
			list = kept
		}
		if len(list) == 1 {
			return list[0], true
		}
	}
	// All known arguments of one type: try the unknown ones as that type too.
	if unknowns < len(args) {
		var known TypeRef
		for _, t := range bases {
			if t.OID == typeUnknown {
				continue
			}
			if known.known() && known != t {
				return candidate{}, false
			}
			known = t
		}
		var kept []candidate
		for _, cand := range list {
			ok := true
			all := make([]TypeRef, len(cand.args))
			for i, t := range cand.args {
				ok = ok && c.canCoerce(known, t, implicitly)
				all[i] = known
			}
			if ok && c.polymorphismFits(cand.args, all) {
				kept = append(kept, cand)
			}
		}
		if len(kept) == 1 {
			return kept[0], true
		}
	}
	return candidate{}, false
}
