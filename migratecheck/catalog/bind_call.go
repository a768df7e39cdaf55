package catalog

import (
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// call is ParseFuncOrColumn for a call: it binds the call and returns the function too, when that is known for sure.
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
		leave := func() {}
		if n.AggFilter != nil {
			leave = b.among(func() { b.notNullBy(n.AggFilter, s, true) })
		}
		v, err := b.bindExpr(arg, s)
		leave()
		if err != nil {
			return value{}, nil, err
		}
		values = append(values, v)
	}
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
		if n.AggDistinct {
			if err := b.goOn(b.sortable(v.typ, v.origin, apart, v.at-1)); err != nil {
				return value{}, nil, err
			}
		}
		args[i] = v.typ
	}
	cand, some, kind := b.c.resolveCall(schema, name, args, argNames, n.FuncVariadic, len(values) == 1 && values[0].param > 0)
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
		b.unsure("which function %s is called", name)
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
	if b.inline {
		b.noteVolatility(b.inlined(f))
	} else {
		b.noteVolatility(f.Volatility)
	}
	if f.Assumed {
		b.unsure("what function %s is", quoteMessage(name))
	}
	switch {
	case n.Over != nil:
		b.windows++
	case f.Kind == Aggregate:
		b.aggregates++
	}
	if f.ReturnsSet {
		b.sets++
	}
	if undetermined(cand.args, args) && !f.Assumed {
		return value{}, nil, errorf("42804", "could not determine polymorphic type because input has type unknown")
	}
	for i, v := range values {
		if i >= len(cand.args) {
			break
		}
		t := cand.args[i]
		if isPolymorphic(t) {
			t = b.c.polymorphic(t, cand.args, args)
		}
		if t.OID == typeAny && !t.Array {
			switch {
			case n.AggDistinct && v.typ.OID == typeUnknown:
				b.coerce(v, scalar(typeText), implicitly) // to be sorted
			case !n.AggWithinGroup:
				b.indeterminate(v)
			}
			continue
		}
		if t.OID == typeRegclass && v.literal != nil && v.typ.OID == typeUnknown {
			if err := b.checkRegclass(*v.literal); err != nil {
				return value{}, nil, err
			}
		}
		if t.known() {
			b.operand(v, t)
			b.coerce(v, t, implicitly)
		}
	}
	if b.failed != nil {
		return value{}, nil, b.failed
	}
	if f.OID < FirstUserOID && name == "pg_get_serial_sequence" {
		if err := b.goOn(b.serialSequence(values)); err != nil {
			return value{}, nil, err
		}
	}
	if cand.defaults > 0 {
		b.defaults(f, cand, len(values))
	}
	out := value{typ: b.c.resultType(f, cand.args, args)}
	out.collation, out.explicit = b.collationOf(values, out.typ)
	out.fields = b.c.outputFields(f, cand.args, args)
	// An OID below the user's is a function that the server brings: count(), now(), … never answer NULL.
	out.notNull = f.OID < FirstUserOID && (name == "count" || len(values) == 0 && f.Kind == Function)
	if f.OID < FirstUserOID && strictFunctions[name] && len(values) > 0 {
		out.notNull, out.mayNull = allNotNull(values...), anyMayNull(values...)
	}
	out.full = f.OID < FirstUserOID && name == "array_agg" && allNotNull(values...)
	out.fresh = f.OID < FirstUserOID && f.Volatility == Volatile && (name == "gen_random_uuid" || name == "random" || name == "nextval" || name == "clock_timestamp")
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
				b.unsure("whether %s is a column of %s", quoteMessage(name), quoteMessage(rel.Name))
				return value{}, nil, nil
			}
			if col := rel.Column(name); col != nil {
				b.ref(Address{rel.OID, col.Num})
				return value{typ: col.Type, origin: Address{rel.OID, col.Num}}, nil, nil
			}
		}
	}
	if b.c.mayHaveFunction(schema, name) {
		b.unsure("whether there is a function %s", quoteMessage(name))
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
	for _, n := range w.PartitionClause {
		v, err := b.bindExpr(n, s)
		if err == nil {
			err = b.goOn(b.sortable(v.typ, v.origin, apart, locationOf(n, b.at)))
		}
		if err != nil {
			return err
		}
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
