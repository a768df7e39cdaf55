package catalog

import (
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
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
	prefix := nameKey(inFunctions, schema, name+"\x00")
	c.names.Ascend(prefix, func(key string, oid OID) bool {
		if !strings.HasPrefix(key, prefix) {
			return false
		}
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
		// Of two with the same arguments one hides the other: the earlier in the path, the one without VARIADIC, the one
		// with fewer defaults.
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
			case old.defaults < cand.defaults:
				hidden = true
			case old.defaults > cand.defaults:
				list[i] = cand
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

// resolveCall is func_get_detail: which function a call means.
func (c *Catalog) resolveCall(schema, name string, args []TypeRef, names []string, variadic bool) (candidate, []candidate, callKind) {
	all := c.candidates(schema, name, len(args), names, variadic)
	for _, cand := range all {
		if sameTypes(cand.args, args) {
			return cand, all, callFunction
		}
	}
	if len(args) == 1 && len(names) == 0 && args[0].known() {
		// A type's name used as a function is a cast, when that needs no function of its own or goes through text.
		if target, ok := c.lookupType(schema, name); ok {
			source := args[0]
			switch method, _ := c.coercion(source, target, explicitly); {
			case source.OID == typeUnknown, method == coercionRelabel:
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
	case len(fit) == 1:
		return fit[0], all, callFunction
	case unknown:
		return candidate{}, fit, callUnsure
	}
	if best, ok := c.bestCandidate(fit, args); ok {
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
			for _, t := range cand.args {
				ok = ok && c.canCoerce(known, t, implicitly)
			}
			if ok {
				kept = append(kept, cand)
			}
		}
		if len(kept) == 1 {
			return kept[0], true
		}
	}
	return candidate{}, false
}

// polymorphismFits is check_generic_type_consistency, as far as a choice between functions needs it: the arguments of
// one family must agree on the element type.
func (c *Catalog) polymorphismFits(declared, actual []TypeRef) bool {
	var elem TypeRef
	for i, d := range declared {
		if i >= len(actual) {
			break
		}
		a := actual[i]
		if !a.known() || a.OID == typeUnknown {
			continue
		}
		base := c.baseType(a).bare()
		var e TypeRef
		switch d.OID {
		case typeAnyelement, typeAnynonarray, typeAnyenum:
			e = a.bare()
		case typeAnyarray:
			if !base.Array {
				continue
			}
			e = base.element().bare()
		case typeAnyrange, typeAnymultirange:
			if ty := c.typeByOID(base.OID); ty != nil && ty.Subtype.known() {
				e = ty.Subtype.bare()
			} else {
				continue
			}
		default:
			continue
		}
		if elem.known() && elem != e {
			return false
		}
		elem = e
	}
	return true
}

// resultType is enforce_generic_type_consistency: the result of a function with polymorphic arguments.
func (c *Catalog) resultType(f *Func, declared, actual []TypeRef) TypeRef {
	return c.polymorphic(f.Returns, declared, actual)
}

func (c *Catalog) polymorphic(result TypeRef, declared, actual []TypeRef) TypeRef {
	if !isPolymorphic(result) {
		return result.bare()
	}
	compatible := false
	switch result.OID {
	case typeAnycompatible, typeAnycompatiblearray, typeAnycompatiblenonarray, typeAnycompatiblerange, typeAnycompatiblemultirange:
		compatible = true
	}
	var elem, rng, multi TypeRef
	var elems []TypeRef
	sure, unknowns := true, false
	for _, a := range actual {
		if isPolymorphic(a) {
			return result.bare() // inside a polymorphic function or aggregate
		}
	}
	for i, d := range declared {
		if i >= len(actual) || !isPolymorphic(d) {
			continue
		}
		a := actual[i]
		if !a.known() {
			sure = false
			continue
		}
		if a.OID == typeUnknown {
			unknowns = true
			continue
		}
		base := c.baseType(a).bare()
		switch d.OID {
		case typeAnyelement, typeAnynonarray, typeAnyenum, typeAnycompatible, typeAnycompatiblenonarray:
			elems = append(elems, a.bare())
		case typeAnyarray, typeAnycompatiblearray:
			switch {
			case base.Array:
				elems = append(elems, base.element().bare())
			case base.OID == 22:
				elems = append(elems, scalar(typeInt2))
			case base.OID == 30:
				elems = append(elems, scalar(typeOID))
			default:
				sure = false // anyarray itself: pg_stats
			}
		case typeAnyrange, typeAnycompatiblerange:
			rng = base
			if ty := c.typeByOID(base.OID); ty != nil {
				elems = append(elems, ty.Subtype.bare())
				multi = scalar(ty.multirange)
			}
		case typeAnymultirange, typeAnycompatiblemultirange:
			multi = base
			if ty := c.rangeOf(base.OID); ty != nil {
				rng = scalar(ty.OID)
				elems = append(elems, ty.Subtype.bare())
			}
		}
	}
	switch {
	case len(elems) == 0 && unknowns:
		elem = scalar(typeText)
	case compatible:
		elem, _ = c.commonType(elems)
	case len(elems) > 0:
		elem = elems[0]
	}
	if !sure && !elem.known() {
		return TypeRef{}
	}
	switch result.OID {
	case typeAnyarray, typeAnycompatiblearray:
		return arrayOf(elem)
	case typeAnyrange, typeAnycompatiblerange:
		return rng
	case typeAnymultirange, typeAnycompatiblemultirange:
		return multi
	}
	return elem
}

// rangeOf finds the range type of a multirange type.
func (c *Catalog) rangeOf(multi OID) *Type {
	if ty := c.typeByOID(multi); ty != nil && ty.Range != 0 {
		return c.typeByOID(ty.Range)
	}
	for _, t := range loadTypes().byOID {
		if t.multirange == multi {
			return t
		}
	}
	return nil
}

// bindFuncCall is ParseFuncOrColumn for a call; from says that it stands in FROM.
func (b *binder) bindFuncCall(n *pgast.FuncCall, s *scope, from bool) (value, error) {
	v, _, err := b.call(n, s)
	return v, err
}

// call binds a function call and returns the function too, when it is known for sure.
func (b *binder) call(n *pgast.FuncCall, s *scope) (value, *Func, error) {
	names := stringList(n.Funcname)
	schema, name := "", names[len(names)-1]
	if len(names) > 1 {
		schema = names[len(names)-2]
	}
	values := make([]value, 0, len(n.Args))
	var argNames []string
	for _, arg := range n.Args {
		if named := arg.GetNamedArgExpr(); named != nil {
			argNames = append(argNames, named.Name)
		} else if len(argNames) > 0 {
			return value{}, nil, errorf("42601", "positional argument cannot follow named argument")
		}
		v, err := b.bindExpr(arg, s)
		if err != nil {
			return value{}, nil, err
		}
		values = append(values, v)
	}
	direct := len(values)
	if n.AggWithinGroup {
		for _, sort := range n.AggOrder {
			v, err := b.bindExpr(sort.GetSortBy().GetNode(), s)
			if err != nil {
				return value{}, nil, err
			}
			values = append(values, v)
		}
	} else if err := b.sorts(n.AggOrder, s); err != nil {
		return value{}, nil, err
	}
	if err := b.condition(n.AggFilter, s, "FILTER"); err != nil {
		return value{}, nil, err
	}
	if err := b.window(n.Over, s); err != nil {
		return value{}, nil, err
	}
	args := make([]TypeRef, len(values))
	for i, v := range values {
		args[i] = v.typ
	}
	cand, some, kind := b.c.resolveCall(schema, name, args, argNames, n.FuncVariadic)
	switch kind {
	case callMissing:
		return b.missingFunction(n, schema, name, values, args, argNames)
	case callAmbiguous:
		return value{}, nil, &Error{
			Code: "42725", Message: "function " + b.signature(names, args, argNames) + " is not unique",
			Hint: "Could not choose a best candidate function. You might need to add explicit type casts.", Object: Name{schema, name},
		}
	case callUnsure:
		// Whatever is called, perhaps all would answer the same type.
		b.unknown = true
		v := value{typ: some[0].f.Returns.bare()}
		for _, cand := range some {
			b.noteVolatility(cand.f.Volatility)
			if cand.f.Returns.bare() != v.typ || isPolymorphic(cand.f.Returns) {
				v.typ = TypeRef{}
			}
		}
		return v, nil, nil
	case callCast:
		return b.coerce(values[0], cand.args[0], explicitly), nil, nil
	}
	f := cand.f
	if f.Kind == Procedure && !b.allowsProcedure(n) {
		return value{}, nil, errorf("42809", "%s is a procedure", b.signature(names, args, argNames))
	}
	b.ref(Address{OID: f.OID})
	b.noteVolatility(f.Volatility)
	b.unknown = b.unknown || f.Assumed
	switch {
	case n.Over != nil:
		b.windows++
	case f.Kind == Aggregate:
		b.aggregates++
	}
	if f.ReturnsSet {
		b.sets++
	}
	for i, v := range values {
		if i >= len(cand.args) {
			break
		}
		t := cand.args[i]
		if isPolymorphic(t) {
			t = b.c.polymorphic(t, cand.args, args)
		}
		if t.OID == typeAny || !t.known() {
			continue
		}
		if t.OID == typeRegclass && v.literal != nil && v.typ.OID == typeUnknown {
			if err := b.checkRegclass(*v.literal); err != nil {
				return value{}, nil, err
			}
		}
		b.coerce(v, t, implicitly)
	}
	if cand.defaults > 0 {
		b.defaults(f, cand, len(values))
	}
	_ = direct
	out := value{typ: b.c.resultType(f, cand.args, args)}
	out.collation, out.explicit = b.collationOf(values, out.typ)
	out.fields = b.c.outputFields(f, cand.args, args)
	return out, f, nil
}

// allowsProcedure: CALL binds its call through the same code.
func (b *binder) allowsProcedure(*pgast.FuncCall) bool { return b.columns == callContext }

// callContext is binder.columns while a CALL's arguments are bound.
const callContext = "cannot use column reference in CALL argument"

// defaults notes what the defaults of arguments that were not passed need.
func (b *binder) defaults(f *Func, cand candidate, passed int) {
	for i, a := range f.passed() {
		if a.Default == nil || i < passed && cand.order == nil || slices.Contains(cand.order, i) {
			continue
		}
		for _, ref := range a.Default.Refs {
			b.ref(ref)
		}
		b.noteVolatility(a.Default.Volatility)
	}
}

// outputFields lists the columns of a function's result when it is a record with OUT or TABLE arguments, or a row type.
func (c *Catalog) outputFields(f *Func, declared, actual []TypeRef) []boundColumn {
	out := f.outputs()
	if len(out) < 2 && f.Returns.OID != typeRecord {
		return nil
	}
	var cols []boundColumn
	for i, a := range out {
		name := a.Name
		if name == "" {
			name = "column" + itoa(i+1)
		}
		cols = append(cols, boundColumn{name: name, typ: c.polymorphic(a.Type, declared, actual)})
	}
	return cols
}

// missingFunction is the error for a function that is not there, unless the catalog may lack some.
func (b *binder) missingFunction(n *pgast.FuncCall, schema, name string, values []value, args []TypeRef, argNames []string) (value, *Func, error) {
	// f(row) may be the column f of the row.
	if len(values) == 1 && len(argNames) == 0 && schema == "" {
		if rel := b.c.compositeOf(args[0]); rel != nil {
			if rel.Assumed {
				b.unknown = true
				return value{}, nil, nil
			}
			if col := rel.Column(name); col != nil {
				b.ref(Address{rel.OID, col.Num})
				return value{typ: col.Type}, nil, nil
			}
		}
	}
	if b.c.mayHaveFunction(schema, name) {
		b.unknown = true
		b.noteVolatility(Volatile)
		return value{}, nil, nil
	}
	if schema != "" && b.c.SchemaNamed(schema) == nil && !strings.HasPrefix(schema, "pg_temp") {
		return value{}, nil, errorf("3F000", "schema %s does not exist", quoteMessage(schema))
	}
	hint := "No function matches the given name and argument types. You might need to add explicit type casts."
	return value{}, nil, &Error{
		Code: "42883", Message: "function " + b.signature(stringList(n.Funcname), args, argNames) + " does not exist",
		Hint: hint, Object: Name{schema, name},
	}
}

// mayHaveFunction reports whether the catalog may lack a function of that name.
func (c *Catalog) mayHaveFunction(schema, name string) bool {
	if c.hasUnknownExtension() {
		return true
	}
	if !c.Open || schema == "pg_catalog" {
		return false
	}
	// Overloads that are known do not exclude one that is not.
	return true
}

// signature is func_signature_string: f(integer, x => text).
func (b *binder) signature(names []string, args []TypeRef, argNames []string) string {
	var w strings.Builder
	w.WriteString(strings.Join(names, "."))
	w.WriteByte('(')
	for i, t := range args {
		if i > 0 {
			w.WriteString(", ")
		}
		if at := i - (len(args) - len(argNames)); at >= 0 {
			w.WriteString(argNames[at] + " => ")
		}
		w.WriteString(b.c.typeText(t))
	}
	w.WriteByte(')')
	return w.String()
}

// window binds OVER (…).
func (b *binder) window(w *pgast.WindowDef, s *scope) error {
	if w == nil {
		return nil
	}
	if _, err := b.bindAll(w.PartitionClause, s); err != nil {
		return err
	}
	if err := b.sorts(w.OrderClause, s); err != nil {
		return err
	}
	for _, n := range []*pgast.Node{w.StartOffset, w.EndOffset} {
		if _, err := b.bindExpr(n, s); err != nil {
			return err
		}
	}
	return nil
}

// sorts binds ORDER BY lists that hold expressions only (aggregates, windows).
func (b *binder) sorts(list []*pgast.Node, s *scope) error {
	for _, n := range list {
		expr := n
		if sort := n.GetSortBy(); sort != nil {
			expr = sort.Node
		}
		if _, err := b.bindExpr(expr, s); err != nil {
			return err
		}
	}
	return nil
}
