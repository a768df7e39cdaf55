package catalog

// parameters are the $1, $2, … of a query whose types the server finds out (src/backend/parser/parse_param.c, variable
// parameters): a parameter is unknown until something it is used for wants a type.
type parameters struct {
	list []parameter
}

type parameter struct {
	typ  TypeRef
	at   int32 // its first use
	uses int
	// vague counts the uses that say nothing of the type, for certain.
	vague int
}

// grow makes room for $n.
func (p *parameters) grow(n int) *parameter {
	for len(p.list) < n {
		p.list = append(p.list, parameter{typ: scalar(typeUnknown), at: -1})
	}
	return &p.list[n-1]
}

// maxParameters is PQ_QUERY_PARAM_MAX_LIMIT (src/interfaces/libpq/libpq-fe.h): the protocol counts them in 16 bits.
const maxParameters = 65535

// parameter is variable_paramref_hook.
func (b *binder) parameter(n int) (value, error) {
	if b.ask == nil {
		return value{param: n}, nil
	}
	v := value{param: n}
	if n >= 1 && n <= len(b.ask.args) {
		v.notNull, v.mayNull = b.ask.args[n-1] == NeverNull, b.ask.args[n-1] == MayBeNull
	}
	if b.ask.untyped {
		if n >= 1 && n <= len(b.ask.literals) {
			v.typ = b.ask.literals[n-1]
		}
		if n >= 1 && n <= len(b.ask.texts) && b.ask.texts[n-1] != nil {
			v.param, v.literal, v.typ, v.at = 0, b.ask.texts[n-1], scalar(typeUnknown), b.at+1
		}
		return v, nil
	}
	if n < 1 || n > maxParameters {
		return value{}, errorf("42P02", "there is no parameter $%d", n)
	}
	p := b.ask.params.grow(n)
	if p.uses == 0 {
		p.at = b.at
	}
	p.uses++
	v.typ = p.typ
	return v, nil
}

// decide is variable_coerce_param_hook: a parameter that had no type when it was met gets the one that is wanted.
func (b *binder) decide(v value, target TypeRef) {
	if v.param == 0 || b.ask == nil || v.typ.OID != typeUnknown || target.OID == typeUnknown {
		return
	}
	p := b.ask.params.grow(v.param)
	switch {
	case p.typ.OID == typeUnknown:
		p.typ = target.bare()
	case p.typ.bare() != target.bare() && b.failed == nil:
		b.failed = locate(&Error{
			Code: "42P08", Message: "inconsistent types deduced for parameter $" + itoa(v.param),
			Detail: b.c.typeText(p.typ) + " versus " + b.c.typeText(target),
		}, p.at)
	}
}

// again is a value that is used a second time, after the first use may have given a parameter its type.
func (b *binder) again(v value) value {
	if v.param > 0 && v.typ.OID == typeUnknown && b.ask != nil {
		v.typ = b.ask.params.grow(v.param).typ
	}
	return v
}

// indeterminate notes a use of a parameter that leaves its type open.
func (b *binder) indeterminate(v value) {
	if v.param > 0 && v.typ.OID == typeUnknown && b.ask != nil {
		b.ask.params.grow(v.param).vague++
	}
}

// unresolved is the check at the end of exec_parse_message (src/backend/tcop/postgres.c). A parameter number that no
// place uses has no type either.
func (b *binder) unresolved() error {
	for i, p := range b.ask.params.list {
		if p.typ.OID == typeUnknown && p.uses == p.vague {
			return locate(errorf("42P18", "could not determine data type of parameter $%d", i+1), p.at)
		}
	}
	return nil
}
